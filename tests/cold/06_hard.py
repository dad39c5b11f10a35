# %% [markdown]
# Answers written by an author who knew the checks.


# %% where right="raw-output-nll"
# Right: a row without target adds exactly 0, to the value and to the gradient.
def raw_output_nll(raw, y):
    m = ~torch.isnan(y)
    t = torch.where(m, y, torch.zeros_like(y))
    l = 0.5 * (math.log(2 * math.pi) + raw[:, 1] + (t - raw[:, 0]) ** 2 * torch.exp(-raw[:, 1]))
    return (l * m).sum() / m.sum()


# %% loops right="variance-parts"
def variance_parts(weight, mean, sd):
    check = mean[0]
    d = mean - check
    k = (weight[:, None] * d).sum(0)
    e = sum(w * (v - k) ** 2 for w, v in zip(weight, d))
    a = sum(w * s**2 for w, s in zip(weight, sd))
    return torch.tensor(a), torch.tensor(e), torch.tensor(a + e)


# %% shift-first wrong="variance-parts"
# Moments in float32 around the first mean cancel: weight [1e-6, 1], means [0, 1e6].
def variance_parts(weight, mean, sd):
    d = (mean - mean[0]).astype(np.float32)
    w = weight.astype(np.float32)
    e = (w @ d**2 - (w @ d) ** 2).astype(float)
    a = weight @ sd**2
    return a, e, a + e


# %% xlogy right="entropy-parts"
def entropy_parts(p):
    k = p.mean(0)
    check = -special.xlogy(k, k).sum(-1)
    a = -special.xlogy(p, p).sum(-1).mean(0)
    return check, a, check - a


# %% precision right="best-from-known"
def best_from_known(w, C, noise_var, known):
    k, h = np.flatnonzero(known), np.flatnonzero(~known)
    slope = np.zeros(len(w))
    slope[k] = w[k]
    if len(h) == 0:
        return slope, noise_var
    P = np.linalg.inv(C)
    S = np.linalg.inv(P[np.ix_(h, h)])
    slope[k] += -(S @ P[np.ix_(h, k)]).T @ w[h]
    return slope, noise_var + w[h] @ S @ w[h]


# %% pinv wrong="best-from-known"
# A pseudo-inverse drops the difference of two known features that are nearly alike.
def best_from_known(w, C, noise_var, known):
    G = np.linalg.pinv(C[known][:, known], rcond=1e-4) @ C[known][:, ~known]
    s = np.zeros(len(w))
    s[known] = w[known] + G @ w[~known]
    return s, noise_var + w[~known] @ (C[~known][:, ~known] - C[known][:, ~known].T @ G) @ w[
        ~known
    ]


# %% nonzero-weights wrong="best-from-known"
# A known feature of weight zero has a slope all the same: it tells of a hidden one.
def best_from_known(w, C, noise_var, known):
    G = np.linalg.solve(C[known][:, known], C[known][:, ~known])
    s = np.zeros(len(w))
    s[known] = np.where(w[known] == 0, 0, w[known] + G @ w[~known])
    return s, noise_var + w[~known] @ (C[~known][:, ~known] - C[known][:, ~known].T @ G) @ w[
        ~known
    ]
