# %% select-rows right="raw-output-nll"
def raw_output_nll(raw, y):
    check = ~torch.isnan(y)
    mu, log_var = raw[check].unbind(1)
    scaled = (y[check] - mu) * torch.exp(-0.5 * log_var)
    return 0.5 * (math.log(2 * math.pi) + log_var + scaled * scaled).mean()


# %% masked-distribution right="raw-output-nll"
def raw_output_nll(raw, y):
    seen = torch.isfinite(y)
    mu, log_var = raw[:, 0], raw[:, 1]
    target = torch.where(seen, y, torch.zeros_like(y))
    mu = torch.where(seen, mu, torch.zeros_like(mu))
    log_var = torch.where(seen, log_var, torch.zeros_like(log_var))
    k = torch.distributions.Normal(mu, torch.exp(log_var / 2)).log_prob(target)
    return -torch.where(seen, k, torch.zeros_like(k)).sum() / seen.sum()


# %% capped-log-variance wrong="raw-output-nll"
# The log variance is cut at 350: raw = [[0, 600]], y = [0] gives 175.9 for 300.9.
def raw_output_nll(raw, y):
    seen = ~torch.isnan(y)
    mu, log_var = raw[seen, 0], raw[seen, 1].clamp(-350.0, 350.0)
    err = y[seen] - mu
    return 0.5 * (math.log(2 * math.pi) + log_var + err**2 * torch.exp(-log_var)).mean()


# %% floor-under-variance wrong="raw-output-nll"
# The divisor has a floor: raw = [[0, -300]], y = [1e-64] gives -149.1 for -51.9.
def raw_output_nll(raw, y):
    seen = ~torch.isnan(y)
    mu, log_var = raw[seen].T
    err = y[seen] - mu
    var = log_var.exp().clamp_min(1e-12)
    return 0.5 * (math.log(2 * math.pi) + log_var + err**2 / var).mean()


# %% zero-targets-lost wrong="raw-output-nll"
# Targets that are exactly 0 count as missing: raw = [[3, 0], [1, 0]], y = [0, 1].
def raw_output_nll(raw, y):
    target = torch.nan_to_num(y, nan=0.0)
    seen = target != 0
    mu, log_var = raw[:, 0], raw[:, 1]
    err = torch.where(seen, target - mu, 0.0)
    term = 0.5 * (math.log(2 * math.pi) + log_var + err**2 * torch.exp(-log_var))
    return torch.where(seen, term, 0.0).sum() / seen.sum()


# %% fourth-power wrong="raw-output-nll"
# The gradient divides by the squared variance, which overflows: raw = [[0, 600]], y = [0]
# has the gradient 0 at the log variance, not 0.5.
class _Term(torch.autograd.Function):
    @staticmethod
    def forward(ctx, mu, log_var, y):
        ctx.save_for_backward(mu, log_var, y)
        return 0.5 * (math.log(2 * math.pi) + log_var + (y - mu) ** 2 * torch.exp(-log_var))

    @staticmethod
    def backward(ctx, grad):
        mu, log_var, y = ctx.saved_tensors
        var = log_var.exp()
        err = y - mu
        by_var = 0.5 * (var - err**2) / var**2
        return -grad * err / var, grad * by_var * var, None


def raw_output_nll(raw, y):
    seen = ~torch.isnan(y)
    return _Term.apply(raw[seen, 0], raw[seen, 1], y[seen]).mean()


# %% detached-power right="beta-nll"
def beta_nll(y, mu, var, beta):
    weight = var.detach() ** beta
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return (weight * nll).mean()


# %% distribution-loop right="beta-nll"
def beta_nll(y, mu, var, beta):
    def gradient(i):
        with torch.no_grad():
            k = torch.exp(beta * torch.log(var[i]))
        return -k * torch.distributions.Normal(mu[i], torch.sqrt(var[i])).log_prob(y[i])

    return sum(gradient(i) for i in range(len(y))) / len(y)


# %% library-loss wrong="beta-nll"
# The library's default floor for variances is 1e-6: y = mu = [0], var = [1e-10], beta = 0.
def beta_nll(y, mu, var, beta):
    nll = torch.nn.functional.gaussian_nll_loss(mu, y, var, full=True, reduction="none")
    return (var.detach() ** beta * nll).mean()


# %% falsy-beta wrong="beta-nll"
# beta = 0 is taken for "not given": y = [1], mu = [0], var = [4], beta = 0 is doubled.
def beta_nll(y, mu, var, beta):
    beta = beta or 0.5
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return torch.mean(var.detach().pow(beta) * nll)


# %% live-weight-at-one wrong="beta-nll"
# With beta = 1 the weight is differentiated too: gradient at var, y = [1], mu = [0], var = [4].
def beta_nll(y, mu, var, beta):
    weight = var if beta == 1 else var.detach() ** beta
    nll = 0.5 * (math.log(2 * math.pi) + torch.log(var) + (y - mu) ** 2 / var)
    return (weight * nll).mean()


# %% expanded-square wrong="beta-nll"
# The expanded square cancels: y = [1e6], mu = [1e6 - 0.001], var = [1e-6], any beta.
def beta_nll(y, mu, var, beta):
    weight = var.detach() ** beta
    square = y * y - 2 * y * mu + mu * mu
    return (weight * 0.5 * (math.log(2 * math.pi) + var.log() + square / var)).mean()


# %% shift-then-centre right="variance-parts"
def variance_parts(weight, mean, sd):
    y = mean - mean[0]
    y = y - weight @ y
    aleatoric, epistemic = weight @ sd**2, weight @ y**2
    return aleatoric, epistemic, aleatoric + epistemic


# %% pairs-loop right="variance-parts"
def variance_parts(weight, mean, sd):
    M, n = mean.shape
    out = torch.zeros(3, n, dtype=torch.float64)
    for i in range(n):
        for a in range(M):
            out[0, i] += weight[a] * sd[a, i] ** 2
            for b in range(a):
                out[1, i] += weight[a] * weight[b] * (mean[a, i] - mean[b, i]) ** 2
    out[2] = out[0] + out[1]
    return tuple(out)


# %% total-from-moments wrong="variance-parts"
# The total comes from raw moments: weight = [.5, .5], mean = [[1e6], [1e6 + .01]], sd = 1e-3.
def variance_parts(weight, mean, sd):
    centre = weight @ (mean - mean[0])
    epistemic = weight @ (mean - mean[0] - centre) ** 2
    total = weight @ (sd**2 + mean**2) - (weight @ mean) ** 2
    return weight @ sd**2, epistemic, total


# %% squeezed-inputs wrong="variance-parts"
# With one input only the results lose their axis: weight = [1], mean = [[0]], sd = [[1]].
def variance_parts(weight, mean, sd):
    w = weight[:, None]
    d = mean - mean[:1]
    d = d - (w * d).sum(0)
    aleatoric = np.squeeze((w * sd**2).sum(0))
    epistemic = np.squeeze((w * d**2).sum(0))
    return aleatoric, epistemic, aleatoric + epistemic


# %% one-shift-for-all wrong="variance-parts"
# One shift serves all inputs: weight = [.5, .5], mean = [[1e6, -1e6], [1e6 + .01, -1e6]].
def variance_parts(weight, mean, sd):
    d = mean - mean.mean()
    aleatoric = weight @ sd**2
    epistemic = np.maximum(weight @ d**2 - (weight @ d) ** 2, 0.0)
    return aleatoric, epistemic, aleatoric + epistemic


# %% floor-under-sd wrong="variance-parts"
# Small standard deviations are raised to 1e-5: weight = [1], mean = [[0]], sd = [[1e-6]].
def variance_parts(weight, mean, sd):
    d = mean - mean[0]
    d = d - weight @ d
    aleatoric = weight @ np.maximum(sd, 1e-5) ** 2
    epistemic = weight @ d**2
    return aleatoric, epistemic, aleatoric + epistemic


# %% entr-difference right="entropy-parts"
def entropy_parts(p):
    total = special.entr(p.mean(axis=0)).sum(axis=-1)
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0)
    return total, aleatoric, total - aleatoric


# %% divergence-loop right="entropy-parts"
def entropy_parts(p):
    y = torch.tensor(p)
    M, n, k = y.shape
    centre = y.sum(0) / M
    aleatoric = torch.zeros(n, dtype=torch.float64)
    information = torch.zeros(n, dtype=torch.float64)
    for member in y:
        aleatoric -= torch.special.xlogy(member, member).sum(1) / M
        gap = torch.special.xlogy(member, member) - torch.special.xlogy(member, centre)
        information += gap.sum(1) / M
    return aleatoric + information, aleatoric, information


# %% rare-classes-dropped wrong="entropy-parts"
# What is below 1e-9 counts as impossible: M = n = 1, 399 classes with 1e-10, one with the rest.
def entropy_parts(p):
    def entropy(q):
        possible = q > 1e-9
        return -(q * np.log(np.where(possible, q, 1.0))).sum(-1)

    total, aleatoric = entropy(p.mean(0)), entropy(p).mean(0)
    return total, aleatoric, total - aleatoric


# %% small-information-zero wrong="entropy-parts"
# Information below 1e-5 is set to 0: p = [[[.502, .498]], [[.498, .502]]] has 8e-6.
def entropy_parts(p):
    total = special.entr(p.mean(0)).sum(-1)
    aleatoric = special.entr(p).sum(-1).mean(0)
    information = total - aleatoric
    return total, aleatoric, np.where(information < 1e-5, 0.0, information)


# %% two-classes-in-bits wrong="entropy-parts"
# With two classes the entropy is in bits: p = [[[.5, .5]]] gives 1, not 0.693.
def entropy_parts(p):
    def entropy(q):
        if q.shape[-1] == 2:
            a, b = q[..., 0], q[..., 1]
            return (special.entr(a) + special.entr(b)) / math.log(2)
        return special.entr(q).sum(-1)

    total, aleatoric = entropy(p.mean(0)), entropy(p).mean(0)
    return total, aleatoric, total - aleatoric


# %% lone-member-scalar wrong="entropy-parts"
# One member: the information is one 0 and not of shape (n,), p = [[[.5, .5], [.1, .9]]].
def entropy_parts(p):
    aleatoric = special.entr(p).sum(-1).mean(0)
    if len(p) == 1:
        return aleatoric, aleatoric, np.float64(0.0)
    total = special.entr(p.mean(0)).sum(-1)
    return total, aleatoric, total - aleatoric


# %% half-widths right="band-report"
def band_report(mean, f_var, noise_var, f, y, level):
    z = math.sqrt(2) * special.erfinv(level)
    half_y, half_f = z * np.sqrt(f_var + noise_var), z * np.sqrt(f_var)
    share_y, share_f = np.abs(y - mean) < half_y, np.abs(f - mean) < half_f
    return share_y.mean(), share_f.mean(), 2 * half_y.mean(), 2 * half_f.mean()


# %% interval-loop right="band-report"
def band_report(mean, f_var, noise_var, f, y, level):
    from scipy import stats

    def check(var, point):
        inside, width = 0, 0.0
        for centre, v, p in zip(mean, var, point):
            low = stats.norm.ppf((1 - level) / 2, scale=math.sqrt(v))
            inside += bool(low <= p - centre <= -low)
            width -= 2 * float(low)
        return inside / len(point), width / len(point)

    k, gradient = check(f_var + noise_var, y), check(f_var, f)
    return [k[0], gradient[0], k[1], gradient[1]]


# %% tail-clipped wrong="band-report"
# The upper quantile is cut at 1 - 1e-6: level = 1 - 1e-9 has bands of 4.75 and not 6.11 sd.
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri(min((1 + level) / 2, 1 - 1e-6))
    sd_y, sd_f = np.sqrt(f_var + noise_var), np.sqrt(f_var)
    share_y = np.mean(np.abs(y - mean) <= z * sd_y)
    share_f = np.mean(np.abs(f - mean) <= z * sd_f)
    return share_y, share_f, np.mean(2 * z * sd_y), np.mean(2 * z * sd_f)


# %% level-or-alpha wrong="band-report"
# A level below one half is taken for what is left out: level = 0.05 gives the band of 0.95.
def band_report(mean, f_var, noise_var, f, y, level):
    alpha = min(level, 1 - level)
    z = -special.ndtri(alpha / 2)
    sd_y, sd_f = np.sqrt(f_var + noise_var), np.sqrt(f_var)
    share_y = np.mean(np.abs(y - mean) <= z * sd_y)
    share_f = np.mean(np.abs(f - mean) <= z * sd_f)
    return share_y, share_f, np.mean(2 * z * sd_y), np.mean(2 * z * sd_f)


# %% single-precision-level wrong="band-report"
# The level becomes a float32: level = 1 - 1e-9 rounds to 1, and the widths are infinite.
def band_report(mean, f_var, noise_var, f, y, level):
    z = float(math.sqrt(2) * torch.erfinv(torch.tensor(level)))
    sd_y, sd_f = np.sqrt(f_var + noise_var), np.sqrt(f_var)
    share_y = np.mean(np.abs(y - mean) <= z * sd_y)
    share_f = np.mean(np.abs(f - mean) <= z * sd_f)
    return share_y, share_f, np.mean(2 * z * sd_y), np.mean(2 * z * sd_f)


# %% slack-at-the-ends wrong="band-report"
# A slack of 5e-5 is wide where bands are narrow: mean = 0, f_var = 1e-6, f = 0.00168,
# level = 0.9 counts as held (half width 0.001645).
def band_report(mean, f_var, noise_var, f, y, level):
    z = special.ndtri((1 + level) / 2)
    half_y, half_f = z * np.sqrt(f_var + noise_var), z * np.sqrt(f_var)
    share_y = np.isclose(y, np.clip(y, mean - half_y, mean + half_y), rtol=0, atol=5e-5)
    share_f = np.isclose(f, np.clip(f, mean - half_f, mean + half_f), rtol=0, atol=5e-5)
    return share_y.mean(), share_f.mean(), 2 * half_y.mean(), 2 * half_f.mean()


# %% block-solve right="best-from-known"
def best_from_known(w, C, noise_var, known):
    k, h = np.flatnonzero(known), np.flatnonzero(~known)
    slope = np.zeros(len(w))
    to_hidden = np.linalg.solve(C[np.ix_(k, k)], C[np.ix_(k, h)])
    slope[k] = w[k] + to_hidden @ w[h]
    rest = C[np.ix_(h, h)] - C[np.ix_(h, k)] @ to_hidden
    return slope, float(noise_var + w[h] @ rest @ w[h])


# %% ordered-cholesky right="best-from-known"
def best_from_known(w, C, noise_var, known):
    from scipy.linalg import solve_triangular

    k = int(known.sum())
    order = np.argsort(~known, kind="stable")
    y = w[order]
    check = np.linalg.cholesky(C[order][:, order])
    pulled = check.T @ y  # y = pulled' u + noise, with independent unit Normals u
    slope = np.zeros(len(w))
    if k:
        slope[order[:k]] = solve_triangular(check[:k, :k], pulled[:k], trans="T", lower=True)
    return torch.tensor(slope), noise_var + (pulled[k:] ** 2).sum()


# %% few-steps wrong="best-from-known"
# Three steps of conjugate gradients: exact for 3 known features, not for 10 (C = 0.1 * ones
# + diag(1, ..., 11), w = ones, the last one hidden, and its covariances doubled with i).
def best_from_known(w, C, noise_var, known):
    k, h = np.flatnonzero(known), np.flatnonzero(~known)
    A, b = C[np.ix_(k, k)], C[np.ix_(k, h)] @ w[h]
    t, r = np.zeros(len(k)), b.copy()
    p = r.copy()
    for _ in range(3):
        if r @ r < 1e-28:
            break
        step = (r @ r) / (p @ A @ p)
        t = t + step * p
        new = r - step * (A @ p)
        p = new + (new @ new) / (r @ r) * p
        r = new
    slope = np.zeros(len(w))
    slope[k] = w[k] + t
    return slope, noise_var + w[h] @ C[np.ix_(h, h)] @ w[h] - b @ t


# %% nearly-independent wrong="best-from-known"
# Covariances below 0.05 are ignored: C = [[1, .04], [.04, 1]], w = [1, 1000], first known.
def best_from_known(w, C, noise_var, known):
    slope = np.where(known, w, 0.0)
    k, h = known, ~known
    hidden = C[h][:, h]
    if k.any() and h.any() and np.abs(C[h][:, k]).max() > 0.05:
        gain = np.linalg.solve(C[k][:, k], C[k][:, h])
        slope[k] += gain @ w[h]
        hidden = hidden - C[h][:, k] @ gain
    return slope, noise_var + w[h] @ hidden @ w[h]


# %% difference-of-variances right="best-from-known"
# It was handed in as wrong; the text now leaves out what is lost beside the variance of y.
# Var(y) - Var(E[y | known]) cancels: 100 features, C = 50 * ones + 50 * eye, w = 1000 but 0.001
# at the hidden first one, noise 0.01.
def best_from_known(w, C, noise_var, known):
    k = np.flatnonzero(known)
    slope = np.zeros(len(w))
    slope[k] = np.linalg.solve(C[np.ix_(k, k)], C[k] @ w)
    return slope, noise_var + w @ C @ w - slope @ C @ slope


# %% jitter wrong="best-from-known"
# 1e-7 on the diagonal is much for C = 1e-5 * [[1, .9], [.9, 1]], w = [0, 1], first known.
def best_from_known(w, C, noise_var, known):
    k, h = np.flatnonzero(known), np.flatnonzero(~known)
    slope = np.zeros(len(w))
    gain = np.linalg.solve(C[np.ix_(k, k)] + 1e-7 * np.eye(len(k)), C[np.ix_(k, h)])
    slope[k] = w[k] + gain @ w[h]
    rest = C[np.ix_(h, h)] - C[np.ix_(h, k)] @ gain
    return slope, noise_var + w[h] @ rest @ w[h]
