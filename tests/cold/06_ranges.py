# %% known-nearly-diagonal-shortcut wrong="best-from-known"
# allclose calls covariances up to 1e-8 zero: C = ((1e-6, 9e-9), (9e-9, 1e-6)), w = (1, 1000)
# has a slope of 10 at the first, not 1.
def best_from_known(w, C, noise_var, known):
    hidden = ~known
    slope = np.where(known, w, 0.0)
    if np.allclose(C, np.diag(np.diag(C))):
        return slope, noise_var + np.sum(w[hidden] ** 2 * np.diag(C)[hidden])
    B = np.linalg.solve(C[known][:, known], C[known][:, hidden]).T
    slope[known] += w[hidden] @ B
    S = C[hidden][:, hidden] - B @ C[known][:, hidden]
    return slope, noise_var + w[hidden] @ S @ w[hidden]
