# %% posterior-pinv-cut wrong="gaussian-posterior"
# pinv with rcond=1e-10 drops small precisions: prior diag(1e5, 1), data with precision 2e7 on
# the second weight only gives the first weight a variance of 0, not 1e5.
def posterior(x, y, sigma, mean, cov):
    prior = np.linalg.inv(cov)
    S = np.linalg.pinv(prior + x.T @ x / sigma**2, rcond=1e-10)
    return S @ (prior @ mean + x.T @ y / sigma**2), S
