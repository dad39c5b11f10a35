# %% measured-rows right="raw-output-nll"
def raw_output_nll(raw, y):
    measured = ~torch.isnan(y)
    mu, log_var = raw[measured].unbind(1)
    z = (y[measured] - mu) * torch.exp(-0.5 * log_var)
    return 0.5 * (math.log(2 * math.pi) + log_var + z**2).mean()


# %% loop-over-targets right="raw-output-nll"
def raw_output_nll(raw, y):
    check = [i for i, value in enumerate(y.tolist()) if not math.isnan(value)]
    k = torch.zeros((), dtype=raw.dtype)
    for i in check:
        half = raw[i, 1] / 2
        k = k + half + 0.5 * ((y[i] - raw[i, 0]) / half.exp()) ** 2
    return k / len(check) + 0.5 * math.log(2 * math.pi)


# %% log-variance-to-300 wrong="raw-output-nll"
# The log variance is clamped at 300: raw [[0.0, 600.0]], y [1.0].
def raw_output_nll(raw, y):
    seen = ~torch.isnan(y)
    mu, log_var = raw[seen, 0], raw[seen, 1].clamp(-300, 300)
    z = (y[seen] - mu) * torch.exp(-log_var / 2)
    return (0.5 * math.log(2 * math.pi) + log_var / 2 + z**2 / 2).mean()


# %% residual-squared-first right="raw-output-nll"
# Right where targets are at most a million in size.
def raw_output_nll(raw, y):
    seen = torch.isfinite(y)
    mu, log_var = raw[seen].T
    square = (y[seen] - mu) ** 2
    return 0.5 * (math.log(2 * math.pi) + log_var + square * torch.exp(-log_var)).mean()


# %% zero-is-missing wrong="raw-output-nll"
# A measured target of exactly 0 counts as missing: raw [[1.0, 0.0], [0.0, 0.0]], y [0.0, 1.0].
def raw_output_nll(raw, y):
    filled = torch.nan_to_num(y, nan=0.0)
    seen = filled != 0
    z = (filled - raw[:, 0]) * torch.exp(-raw[:, 1] / 2)
    each = 0.5 * (math.log(2 * math.pi) + raw[:, 1] + z**2)
    return each[seen].mean()


# %% padded-variance wrong="raw-output-nll"
# The residual is divided by the variance plus 1e-12: raw [[1.0, -60.0]], y [1.0 + 1e-12].
def raw_output_nll(raw, y):
    seen = ~torch.isnan(y)
    mu, log_var = raw[seen].unbind(1)
    square = (y[seen] - mu) ** 2 / (log_var.exp() + 1e-12)
    return 0.5 * (math.log(2 * math.pi) + log_var + square).mean()


# %% detached-power right="beta-nll"
def beta_nll(y, mu, var, beta):
    sd = var.sqrt()
    nll = 0.5 * (math.log(2 * math.pi) + ((y - mu) / sd) ** 2) + sd.log()
    return (var.detach() ** beta * nll).mean()


# %% without-grad right="beta-nll"
def beta_nll(y, mu, var, beta):
    with torch.no_grad():
        k = torch.exp(beta * torch.log(var))
    check = torch.stack(
        [
            k[i] * (torch.log(var[i]) + torch.square((y[i] - mu[i]) / var[i] ** 0.5))
            for i in range(len(y))
        ]
    )
    return 0.5 * (check + k * math.log(2 * math.pi)).sum() / len(y)


# %% library-floor wrong="beta-nll"
# gaussian_nll_loss raises variances to 1e-6: y [1e-5], mu [0.0], var [1e-10], beta 0.
def beta_nll(y, mu, var, beta):
    nll = torch.nn.functional.gaussian_nll_loss(mu, y, var, full=True, reduction="none")
    return (var.detach() ** beta * nll).mean()


# %% shortcut-at-one wrong="beta-nll"
# With beta 1 the weight is differentiated as well: the gradient in var at y [1.0], mu [0.0],
# var [4.0], beta 1.
def beta_nll(y, mu, var, beta):
    constant = math.log(2 * math.pi)
    if beta == 1:
        return 0.5 * ((y - mu) ** 2 + var * (torch.log(var) + constant)).mean()
    nll = 0.5 * ((y - mu) ** 2 / var + torch.log(var) + constant)
    return (var.detach() ** beta * nll).mean()


# %% float32-weight right="beta-nll"
# Right for variances between 1e-10 and 1e10.
def beta_nll(y, mu, var, beta):
    weight = torch.pow(var.detach().to(torch.float32), beta)
    nll = 0.5 * (torch.log(var) + (y - mu) ** 2 / var + math.log(2 * math.pi))
    return torch.mean(weight * nll)


# %% square-before-division right="beta-nll"
# Right for numbers of at most a million.
def beta_nll(y, mu, var, beta):
    normal = torch.distributions.Normal(mu, torch.sqrt(var), validate_args=False)
    return (-(var.detach() ** beta) * normal.log_prob(y)).mean()


# %% around-the-first right="variance-parts"
def variance_parts(weight, mean, sd):
    shift = mean - mean[0]
    shift = shift - weight @ shift
    aleatoric, epistemic = weight @ sd**2, weight @ shift**2
    return aleatoric, epistemic, aleatoric + epistemic


# %% pairs-of-hypotheses right="variance-parts"
def variance_parts(weight, mean, sd):
    y = np.zeros(mean.shape[1])
    check = np.zeros(mean.shape[1])
    for k, w in enumerate(weight):
        y = y + w * sd[k] * sd[k]
        for j in range(k):
            check = check + w * weight[j] * (mean[k] - mean[j]) ** 2
    return torch.tensor(y), torch.tensor(check), torch.tensor(y + check)


# %% one-common-shift wrong="variance-parts"
# All columns are shifted by one number, then squared and subtracted: weight [0.5, 0.5],
# mean [[1e6, -1e6], [1e6 + 0.01, -1e6 + 0.01]], sd zeros.
def variance_parts(weight, mean, sd):
    shifted = mean - mean.mean()
    aleatoric = weight @ sd**2
    epistemic = np.maximum(weight @ shifted**2 - (weight @ shifted) ** 2, 0)
    return aleatoric, epistemic, aleatoric + epistemic


# %% total-from-moments wrong="variance-parts"
# Only the total subtracts two large moments: weight [0.5, 0.5], mean [[1e6], [1e6 + 0.01]],
# sd [[0.001], [0.001]].
def variance_parts(weight, mean, sd):
    centre = weight @ mean
    aleatoric = weight @ sd**2
    epistemic = weight @ (mean - centre) ** 2
    total = weight @ (mean**2 + sd**2) - centre**2
    return aleatoric, epistemic, total


# %% covariance-of-one-input wrong="variance-parts"
# np.cov gives no matrix for a single input, and it raises: weight [0.5, 0.5],
# mean [[0.0], [1.0]], sd [[1.0], [1.0]].
def variance_parts(weight, mean, sd):
    shifted = mean - mean[0]
    aleatoric = weight @ sd**2
    epistemic = np.diagonal(np.cov(shifted, rowvar=False, aweights=weight, ddof=0))
    return aleatoric, epistemic, aleatoric + epistemic


# %% float32-weights wrong="variance-parts"
# Weights rounded to float32 do not sum to 1, which moves the centre: weight [0.1, 0.9],
# mean [[1e6], [1e6 + 0.01]], sd zeros.
def variance_parts(weight, mean, sd):
    w = weight.astype(np.float32).astype(np.float64)
    centre = np.sum(w[:, None] * mean, axis=0)
    aleatoric = w @ sd**2
    epistemic = w @ (mean - centre) ** 2
    return aleatoric, epistemic, aleatoric + epistemic


# %% entropies-subtracted right="entropy-parts"
def entropy_parts(p):
    total = special.entr(p.mean(axis=0)).sum(axis=-1)
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% divergence-from-mean right="entropy-parts"
def entropy_parts(p):
    M, n, K = p.shape
    total, check, k = np.zeros(n), np.zeros(n), np.zeros(n)
    for i in range(n):
        mean = p[:, i].sum(axis=0) / M
        total[i] = -special.xlogy(mean, mean).sum()
        for row in p[:, i]:
            check[i] -= sum(a * math.log(a) for a in row if a > 0) / M
            k[i] += special.rel_entr(row, mean).sum() / M
    return total, check, k


# %% clipped-at-1e-9 wrong="entropy-parts"
# Zeros become 1e-9, which many classes add up: p np.eye(1, 200000)[None].
def entropy_parts(p):
    def entropy(q):
        q = np.clip(q, 1e-9, 1)
        return -(q * np.log(q)).sum(axis=-1)

    total, aleatoric = entropy(p.mean(axis=0)), entropy(p).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% one-member-a-number wrong="entropy-parts"
# With one member the information is a plain 0, not shape (n,): p [[[0.5, 0.5], [0.2, 0.8]]].
def entropy_parts(p):
    aleatoric = special.entr(p).sum(axis=2).mean(axis=0)
    if len(p) == 1:
        return aleatoric, aleatoric, 0.0
    total = special.entr(p.mean(axis=0)).sum(axis=1)
    return total, aleatoric, total - aleatoric


# %% two-classes-in-bits wrong="entropy-parts"
# The branch for two classes is in bits: p [[[0.5, 0.5]], [[0.9, 0.1]]].
def entropy_parts(p):
    def entropy(q):
        if q.shape[-1] == 2:
            a = q[..., 0]
            return (special.entr(a) + special.entr(1 - a)) / math.log(2)
        return special.entr(q).sum(axis=-1)

    total, aleatoric = entropy(p.mean(axis=0)), entropy(p).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% float32-categorical wrong="entropy-parts"
# Float32 loses the information of members that nearly agree:
# p [[[0.5003, 0.4997]], [[0.4997, 0.5003]]].
def entropy_parts(p):
    q = torch.tensor(p, dtype=torch.float32)
    total = torch.distributions.Categorical(probs=q.mean(0)).entropy()
    aleatoric = torch.distributions.Categorical(probs=q).entropy().mean(0)
    return total.double(), aleatoric.double(), (total - aleatoric).double()


# %% scaled-distances right="band-report"
def band_report(mean, f_var, noise_var, f, y, level):
    z = -special.ndtri((1 - level) / 2)
    y_half, f_half = z * np.sqrt(f_var + noise_var), z * np.sqrt(f_var)
    y_in, f_in = np.abs(y - mean) <= y_half, np.abs(f - mean) <= f_half
    return y_in.mean(), f_in.mean(), 2 * y_half.mean(), 2 * f_half.mean()


# %% counted-one-by-one right="band-report"
def band_report(mean, f_var, noise_var, f, y, level):
    k = math.sqrt(2) * float(special.erfinv(level))
    n = len(mean)
    check = [0.0, 0.0, 0.0, 0.0]
    for i in range(n):
        for slot, value, var in ((0, y[i], f_var[i] + noise_var[i]), (1, f[i], f_var[i])):
            reach = k * math.sqrt(var)
            check[slot] += (-reach <= value - mean[i] <= reach) / n
            check[slot + 2] += 2 * reach / n
    return tuple(check)


# %% upper-tail-rounds right="band-report"
# Right for a level of at most 1 - 1e-9.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri((1 + level) / 2)
    sf, sy = np.sqrt(f_var), np.sqrt(f_var + noise_var)
    in_y, in_f = np.abs(y - mean) <= z * sy, np.abs(f - mean) <= z * sf
    return in_y.mean(), in_f.mean(), (2 * z * sy).mean(), (2 * z * sf).mean()


# %% float32-positions wrong="band-report"
# Float32 cannot tell y from the mean far from zero: mean and f [1e8], y [1e8 + 3],
# variances [0.01], level 0.9.
def band_report(mean, f_var, noise_var, f, y, level):
    mean, f, y = (torch.tensor(a, dtype=torch.float32) for a in (mean, f, y))
    z = -special.ndtri((1 - level) / 2)
    sf, sy = np.sqrt(f_var), np.sqrt(f_var + noise_var)
    in_y, in_f = (y - mean).abs().numpy() <= z * sy, (f - mean).abs().numpy() <= z * sf
    return in_y.mean(), in_f.mean(), 2 * z * sy.mean(), 2 * z * sf.mean()


# %% padded-root wrong="band-report"
# 1e-9 is added under the root: f_var [1e-10], noise_var [1e-10], mean [0.0], f and y [4e-5],
# level 0.9.
def band_report(mean, f_var, noise_var, f, y, level):
    z = np.sqrt(2) * special.erfinv(level)
    shares, widths = [], []
    for value, var in ((y, f_var + noise_var), (f, f_var)):
        half = z * np.sqrt(var + 1e-9)
        shares.append(np.mean((mean - half <= value) & (value <= mean + half)))
        widths.append(np.mean(2 * half))
    return tuple(shares + widths)


# %% eight-newton-steps wrong="band-report"
# Newton's steps for z end before a high level is reached: level 1 - 1e-9, mean [0.0],
# variances [1.0], f and y [0.0].
def band_report(mean, f_var, noise_var, f, y, level):
    z = 0.0
    for _ in range(8):
        slope = np.sqrt(2 / np.pi) * np.exp(-(z**2) / 2)
        z += (level - special.erf(z / np.sqrt(2))) / slope
    sf, sy = np.sqrt(f_var), np.sqrt(f_var + noise_var)
    in_y, in_f = np.abs(y - mean) <= z * sy, np.abs(f - mean) <= z * sf
    return in_y.mean(), in_f.mean(), 2 * z * sy.mean(), 2 * z * sf.mean()


# %% solved-blocks right="best-from-known"
def best_from_known(w, C, noise_var, known):
    k, h = np.flatnonzero(known), np.flatnonzero(~known)
    scale = np.sqrt(np.diag(C))
    R = C / np.outer(scale, scale)
    v = w * scale
    B = np.linalg.solve(R[np.ix_(k, k)], R[np.ix_(k, h)])
    slope = np.zeros(len(w))
    slope[k] = (v[k] + B @ v[h]) / scale[k]
    rest = R[np.ix_(h, h)] - R[np.ix_(h, k)] @ B
    return slope, noise_var + v[h] @ rest @ v[h]


# %% ordered-cholesky right="best-from-known"
def best_from_known(w, C, noise_var, known):
    order = np.argsort(~known, kind="stable")
    k = int(known.sum())
    L = np.linalg.cholesky(C[order][:, order])
    y = w[order][k:] @ L[k:]
    check = w[order][:k]
    if 0 < k:
        check = check + np.linalg.solve(L[:k, :k].T, y[:k])
    slope = np.zeros_like(w)
    slope[order[:k]] = check
    return slope, float(noise_var + (y[k:] ** 2).sum())


# %% jitter-on-the-known wrong="best-from-known"
# 1e-8 on the diagonal of the known block: w [1.0, 2.0], noise_var 0.1,
# C [[1e-8, 6e-5], [6e-5, 1.0]], known [True, False].
def best_from_known(w, C, noise_var, known):
    hidden = ~known
    Ckk = C[known][:, known] + 1e-8 * np.eye(known.sum())
    B = np.linalg.solve(Ckk, C[known][:, hidden])
    slope = np.zeros(len(w))
    slope[known] = w[known] + B @ w[hidden]
    rest = C[hidden][:, hidden] - C[hidden][:, known] @ B
    return slope, noise_var + w[hidden] @ rest @ w[hidden]


# %% explained-subtracted right="best-from-known"
# Right for weights of at most a thousand.
def best_from_known(w, C, noise_var, known):
    slope = np.zeros(len(w))
    slope[known] = np.linalg.solve(C[known][:, known], C[known] @ w)
    return slope, noise_var + w @ C @ w - slope @ C @ slope


# %% fifty-sweeps wrong="best-from-known"
# Fifty Gauss-Seidel sweeps are too few for features that hang together: w ones(3),
# C 0.01 * eye(3) + 0.99 with C[1, 2] = C[2, 1] = 0.985, noise_var 0.1, known [1, 1, 0].
def best_from_known(w, C, noise_var, known):
    k, h = np.flatnonzero(known), np.flatnonzero(~known)
    A, target = C[np.ix_(k, k)], C[np.ix_(k, h)]
    B = np.zeros((len(k), len(h)))
    for _ in range(50):
        for i in range(len(k)):
            B[i] += (target[i] - A[i] @ B) / A[i, i]
    slope = np.zeros(len(w))
    slope[k] = w[k] + B @ w[h]
    rest = C[np.ix_(h, h)] - B.T @ target
    return slope, noise_var + w[h] @ rest @ w[h]


# %% float32-blocks wrong="best-from-known"
# Float32 cannot hold what a near copy leaves open: w [1.0, 1e4], C [[1, 1], [1, 1 + 1e-8]],
# noise_var 0.1, known [True, False].
def best_from_known(w, C, noise_var, known):
    C32, on = torch.tensor(C, dtype=torch.float32), torch.tensor(known)
    Ckk, Ckh, Chh = C32[on][:, on], C32[on][:, ~on], C32[~on][:, ~on]
    B = torch.linalg.solve(Ckk, Ckh)
    rest = (Chh - Ckh.T @ B).double().numpy()
    slope = np.zeros(len(w))
    slope[known] = w[known] + B.double().numpy() @ w[~known]
    return slope, noise_var + w[~known] @ rest @ w[~known]
