# %% [markdown]
# Answers written by an author who knew the checks.


# %% refuses-by-isclose wrong="discrete-kl"
# allclose adds a relative tolerance: a sum of 1.000105 is let through.
def kl_nats(p, q):
    for rows in (p, q):
        s = rows.sum(-1)
        if not torch.allclose(s, torch.ones_like(s), atol=1e-4):
            raise ValueError
    log_ratio = torch.where(p > 0, p, 1.0).log() - torch.where(p > 0, q, 1.0).log()
    return (p * log_ratio).sum(-1)


# %% refuses-above-only wrong="discrete-kl"
# A tolerance of 6e-5 refuses rows that are allowed.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 6e-5).any():
            raise ValueError
    log_ratio = torch.where(p > 0, p, 1.0).log() - torch.where(p > 0, q, 1.0).log()
    return (p * log_ratio).sum(-1)


# %% refuses-two-dimensions-only wrong="discrete-kl"
# Two vectors are never refused.
def kl_nats(p, q):
    for rows in (p, q):
        if rows.ndim > 1 and ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError
    log_ratio = torch.where(p > 0, p, 1.0).log() - torch.where(p > 0, q, 1.0).log()
    return (p * log_ratio).sum(-1)


# %% refuses-by-first-axis wrong="discrete-kl"
# Looks at the first four sums only.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1).flatten()[:4] - 1).abs() > 1e-4).any():
            raise ValueError
    log_ratio = torch.where(p > 0, p, 1.0).log() - torch.where(p > 0, q, 1.0).log()
    return (p * log_ratio).sum(-1)


# %% single-precision wrong="discrete-kl"
# float32 loses nearly equal rows.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError
    log_ratio = torch.where(p > 0, p, 1.0).log().float() - torch.where(p > 0, q, 1.0).log().float()
    return (p * log_ratio.double()).sum(-1)


# %% small-p-dropped wrong="discrete-kl"
# Outcomes with p below 1e-10 add nothing where q is positive.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError
    keep = (p > 1e-10) | ((p > 0) & (q == 0))
    log_ratio = torch.where(keep, p, 1.0).log() - torch.where(keep, q, 1.0).log()
    return torch.where(keep, p * log_ratio, 0.0).sum(-1)


# %% gradient-of-small-q-cut wrong="discrete-kl"
# q below 1e-6 passes on no gradient.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError
    q = torch.where(q < 1e-6, q.detach(), q)
    log_ratio = torch.where(p > 0, p, 1.0).log() - torch.where(p > 0, q, 1.0).log()
    return (p * log_ratio).sum(-1)


# %% gradient-of-small-p-cut wrong="discrete-kl"
# Outcomes with p below 1e-3 pass on no gradient.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError
    q = torch.where(p < 1e-3, q.detach(), q)
    log_ratio = torch.where(p > 0, p, 1.0).log() - torch.where(p > 0, q, 1.0).log()
    return (p * log_ratio).sum(-1)


# %% infinite-row-spoils-others wrong="discrete-kl"
# A batch with one infinite row has no gradient in the others.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError
    log_ratio = torch.where(p > 0, p, 1.0).log() - torch.where(p > 0, q, 1.0).log()
    out = (p * log_ratio).sum(-1)
    return out.detach() if torch.isinf(out).any() and out.ndim else out


# %% gradient-in-three-axes-cut wrong="discrete-kl"
# With three axes or more q passes on no gradient.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError
    if p.ndim > 2:
        q = q.detach()
    log_ratio = torch.where(p > 0, p, 1.0).log() - torch.where(p > 0, q, 1.0).log()
    return (p * log_ratio).sum(-1)


# %% at-most-fifty wrong="discrete-kl"
# Only the first fifty outcomes count.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError
    log_ratio = torch.where(p > 0, p, 1.0).log() - torch.where(p > 0, q, 1.0).log()
    return (p * log_ratio)[..., :50].sum(-1)


# %% zeros-repaired-in-place wrong="discrete-kl"
# Writes ones into q where p is 0.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError
    if not q.requires_grad:
        q[p == 0] = 1.0
        log_ratio = torch.where(p > 0, p, 1.0).log() - q.log()
    else:
        log_ratio = torch.where(p > 0, p, 1.0).log() - torch.where(p > 0, q, 1.0).log()
    return (p * log_ratio).sum(-1)


# %% by-xlogy right="discrete-kl"
def kl_nats(p, q):
    for y in (p, q):
        if y.numel() and (torch.sum(y, -1) - 1).abs().max() > 1e-4:
            raise ValueError("rows")
    k = torch.where(p == 0, torch.ones_like(q), q)
    return torch.sum(torch.xlogy(p, p) - torch.xlogy(p, k), dim=-1)


# %% by-kl-div right="discrete-kl"
def kl_nats(p, q):
    check = torch.cat([p.sum(-1).flatten(), q.sum(-1).flatten()]) - 1
    if (check < -1e-4).any() or (check > 1e-4).any():
        raise ValueError("no distribution")
    gradient = q.masked_fill(p == 0, 1.0).log()
    return F.kl_div(gradient, p, reduction="none").sum(-1)


# %% by-rel-entr right="discrete-kl"
def kl_nats(p, q):
    import numpy as np

    if np.any(np.abs(p.detach().numpy().sum(-1) - 1) > 1e-4):
        raise ValueError
    if np.any(np.abs(q.detach().numpy().sum(-1) - 1) > 1e-4):
        raise ValueError
    k = p != 0
    y = torch.where(k, p, 1.0), torch.where(k, q, 1.0)
    return (y[0] * (y[0].log() - y[1].log()) * k).sum(-1)


# %% refuses-by-mean wrong="discrete-kl"
# Only the mean of all sums is looked at.
def kl_nats(p, q):
    for rows in (p, q):
        if rows.numel() and (rows.sum(-1).mean() - 1).abs() > 1e-4:
            raise ValueError
    log_ratio = torch.where(p > 0, p, 1.0).log() - torch.where(p > 0, q, 1.0).log()
    return (p * log_ratio).sum(-1)


# %% normalises wrong="discrete-kl"
# Rows are divided by their sums: rows that are off by less than 1e-4 are to be used as they are.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError
    p, q = p / p.sum(-1, keepdim=True), q / q.sum(-1, keepdim=True)
    log_ratio = torch.where(p > 0, p, 1.0).log() - torch.where(p > 0, q, 1.0).log()
    return (p * log_ratio).sum(-1)


# %% gradient-of-last-row-only wrong="discrete-kl"
# With four axes or more the second is squeezed.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError
    log_ratio = torch.where(p > 0, p, 1.0).log() - torch.where(p > 0, q, 1.0).log()
    out = (p * log_ratio).sum(-1)
    return out.squeeze(1) if out.ndim > 2 else out


# %% never-negative wrong="discrete-kl"
# A divergence is not negative: rows that are off by little may give a little less than 0.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError
    log_ratio = torch.where(p > 0, p, 1.0).log() - torch.where(p > 0, q, 1.0).log()
    return (p * log_ratio).sum(-1).clamp(min=0)


# %% ratio-in-logarithm-clamped wrong="discrete-kl"
# The logarithm of the ratio is held within 600.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError
    log_ratio = torch.where(p > 0, p, 1.0).log() - torch.where(p > 0, q, 1.0).log()
    return torch.where(torch.isinf(log_ratio), log_ratio, p * log_ratio.clamp(-600, 600)).sum(-1)


# %% jitter-of-1e-11 wrong="diagonal-fits"
# Adds 1e-13 to the diagonal.
def diagonal_fits(cov):
    c = cov + 1e-13 * torch.eye(len(cov), dtype=cov.dtype)
    f, r, d = c.diagonal().clone(), 1 / torch.linalg.inv(c).diagonal(), torch.logdet(c)
    return f, r, 0.5 * (f.log().sum() - d), 0.5 * (d - r.log().sum())


# %% float32-log-determinant wrong="diagonal-fits"
# The logarithms are summed in float32.
def diagonal_fits(cov):
    f, r = cov.diagonal().clone(), 1 / torch.linalg.inv(cov).diagonal()
    d = torch.linalg.slogdet(cov).logabsdet.float().double()
    return f, r, 0.5 * (f.log().sum() - d), 0.5 * (d - r.log().sum())


# %% divergence-floored wrong="diagonal-fits"
# A divergence below 1e-4 is taken for 0.
def diagonal_fits(cov):
    f, r = cov.diagonal().clone(), 1 / torch.linalg.inv(cov).diagonal()
    d = torch.linalg.slogdet(cov).logabsdet
    k = 0.5 * (f.log().sum() - d), 0.5 * (d - r.log().sum())
    return f, r, *(torch.where(v < 1e-4, 0.0 * v, v) for v in k)


# %% pinv wrong="diagonal-fits"
# The pseudo-inverse drops eigenvalues below 1.1e-6 of the largest.
def diagonal_fits(cov):
    f, r = cov.diagonal().clone(), 1 / torch.linalg.pinv(cov, rtol=1.1e-6).diagonal()
    d = torch.linalg.slogdet(cov).logabsdet
    return f, r, 0.5 * (f.log().sum() - d), 0.5 * (d - r.log().sum())


# %% pinv-twice-a-million wrong="diagonal-fits"
# The pseudo-inverse drops eigenvalues below 1.4e-6 of the largest.
def diagonal_fits(cov):
    f, r = cov.diagonal().clone(), 1 / torch.linalg.pinv(cov, rtol=1.4e-6).diagonal()
    d = torch.linalg.slogdet(cov).logabsdet
    return f, r, 0.5 * (f.log().sum() - d), 0.5 * (d - r.log().sum())


# %% eigenvalues-clamped wrong="diagonal-fits"
# Eigenvalues are held above 2e-10 before their logarithm.
def diagonal_fits(cov):
    f, r = cov.diagonal().clone(), 1 / torch.linalg.inv(cov).diagonal()
    d = torch.linalg.eigvalsh(cov).clamp(min=2e-10).log().sum()
    return f, r, 0.5 * (f.log().sum() - d), 0.5 * (d - r.log().sum())


# %% reverse-gradient-partly wrong="diagonal-fits"
# log det passes on no gradient for two weights.
def diagonal_fits(cov):
    f, r = cov.diagonal().clone(), 1 / torch.linalg.inv(cov).diagonal()
    d = torch.linalg.slogdet(cov).logabsdet
    if len(cov) == 2:
        d = d.detach()
    return f, r, 0.5 * (f.log().sum() - d), 0.5 * (d - r.log().sum())


# %% one-weight-squeezed wrong="diagonal-fits"
# With one weight no gradient flows.
def diagonal_fits(cov):
    if len(cov) == 1:
        return cov[0].detach(), cov[0].detach(), torch.zeros(()).double(), torch.zeros(()).double()
    f, r = cov.diagonal().clone(), 1 / torch.linalg.inv(cov).diagonal()
    d = torch.linalg.slogdet(cov).logabsdet
    return f, r, 0.5 * (f.log().sum() - d), 0.5 * (d - r.log().sum())


# %% at-most-ninety wrong="diagonal-fits"
# With a hundred weights the last ten keep their variances.
def diagonal_fits(cov):
    f, r = cov.diagonal().clone(), 1 / torch.linalg.inv(cov).diagonal()
    if len(cov) > 95:
        r = torch.cat([r[:90], f[90:]])
    d = torch.linalg.slogdet(cov).logabsdet
    return f, r, 0.5 * (f.log().sum() - d), 0.5 * (d - r.log().sum())


# %% scaled-determinant wrong="diagonal-fits"
# det after division by the mean variance: too small for uneven variances of a hundred weights.
def diagonal_fits(cov):
    f, r = cov.diagonal().clone(), 1 / torch.linalg.inv(cov).diagonal()
    s = f.log().mean().exp()
    d = torch.linalg.det(cov / s).log() + len(cov) * s.log()
    return f, r, 0.5 * (f.log().sum() - d), 0.5 * (d - r.log().sum())


# %% gradient-by-upper wrong="diagonal-fits"
# Reverse variances pass on no gradient if one is above 1e5.
def diagonal_fits(cov):
    f, r = cov.diagonal().clone(), 1 / torch.linalg.inv(cov).diagonal()
    if f.max() > 1e5:
        r = r.detach()
    d = torch.linalg.slogdet(cov).logabsdet
    return f, r, 0.5 * (f.log().sum() - d), 0.5 * (d - r.log().sum())


# %% by-correlation right="diagonal-fits"
def diagonal_fits(cov):
    y = cov.diagonal()
    k = y.sqrt()
    check = cov / k / k[:, None]
    gradient = torch.linalg.inv(check).diagonal()
    half = torch.linalg.slogdet(check)[1] / 2
    return y.clone(), y / gradient, -half, half + gradient.log().sum() / 2


# %% by-cholesky right="diagonal-fits"
def diagonal_fits(cov):
    k = torch.linalg.cholesky(cov)
    y = 1 / torch.cholesky_inverse(k).diagonal()
    check = 2 * k.diagonal().log().sum()
    return [
        cov.diagonal() + 0,
        y,
        (cov.diagonal().log().sum() - check) / 2,
        (check - y.log().sum()) / 2,
    ]


# %% by-eigh wrong="diagonal-fits"
# Written as right: its gradient is nan where eigenvalues are equal.
def diagonal_fits(cov):
    y, k = torch.linalg.eigh(cov)
    gradient = 1 / (k**2 / y).sum(1)
    check = y.log().sum()
    f = torch.diag(cov).clone()
    return f, gradient, 0.5 * (f.log() - y.log()).sum(), 0.5 * (check - gradient.log().sum())


# %% symmetrised wrong="diagonal-fits"
# Entries below 4e-11 are taken for rounding.
def diagonal_fits(cov):
    c = torch.where(cov.abs() < 4e-11, 0.0, cov)
    f, r = c.diagonal().clone(), 1 / torch.linalg.inv(c).diagonal()
    d = torch.linalg.slogdet(c).logabsdet
    return f, r, 0.5 * (f.log().sum() - d), 0.5 * (d - r.log().sum())


# %% reverse-detached-below wrong="diagonal-fits"
# Reverse variances below 1e-8 pass on no gradient.
def diagonal_fits(cov):
    f, r = cov.diagonal().clone(), 1 / torch.linalg.inv(cov).diagonal()
    r = torch.where(r < 1e-8, r.detach(), r)
    d = torch.linalg.slogdet(cov).logabsdet
    return f, r, 0.5 * (f.log().sum() - d), 0.5 * (d - r.log().sum())


# %% mean-divergences wrong="diagonal-fits"
# Divergences are clamped at 300 nats.
def diagonal_fits(cov):
    f, r = cov.diagonal().clone(), 1 / torch.linalg.inv(cov).diagonal()
    d = torch.linalg.slogdet(cov).logabsdet
    return (
        f,
        r,
        (0.5 * (f.log().sum() - d)).clamp(max=300),
        (0.5 * (d - r.log().sum())).clamp(max=300),
    )


# %% float32-inverse-if-large wrong="diagonal-fits"
# The determinant is that of rounded correlations.
def diagonal_fits(cov):
    f, r = cov.diagonal().clone(), 1 / torch.linalg.inv(cov).diagonal()
    c = cov / f.sqrt() / f.sqrt()[:, None]
    d = torch.linalg.slogdet(c.float().double()).logabsdet + f.log().sum()
    return f, r, 0.5 * (f.log().sum() - d), 0.5 * (d - r.log().sum())


# %% one-weight-scalar wrong="diagonal-fits"
# With one weight the divergences have shape (1,).
def diagonal_fits(cov):
    f, r = cov.diagonal().clone(), 1 / torch.linalg.inv(cov).diagonal()
    d = torch.linalg.slogdet(cov).logabsdet
    k = 0.5 * (f.log().sum() - d), 0.5 * (d - r.log().sum())
    return (f, r, *k) if len(f) > 1 else (f, r, k[0][None], k[1][None])


# %% series-below-a-hundredth wrong="kl-from-draws"
# For differences below 0.01 two terms of the series: right to 5e-6 only in part.
def kl_from_draws(log_q, log_p):
    d = log_p - log_q
    pos = torch.where(d.abs() < 1e-2, d**2 / 2 + d**3 / 6, torch.expm1(d) - d)
    out = []
    for v in (-d, pos):
        out += [v.mean(0), v.std(0) / len(v) ** 0.5]
    return tuple(out)


# %% one-term-below-1e-3 wrong="kl-from-draws"
# For differences below 1e-3 one term of the series.
def kl_from_draws(log_q, log_p):
    d = log_p - log_q
    pos = torch.where(d.abs() < 1e-3, d**2 / 2, torch.expm1(d) - d)
    out = []
    for v in (-d, pos):
        out += [v.mean(0), v.std(0) / len(v) ** 0.5]
    return tuple(out)


# %% one-term-below-1e-4 wrong="kl-from-draws"
# For differences below 1e-4 one term of the series.
def kl_from_draws(log_q, log_p):
    d = log_p - log_q
    pos = torch.where(d.abs() < 1e-4, d**2 / 2, torch.expm1(d) - d)
    out = []
    for v in (-d, pos):
        out += [v.mean(0), v.std(0) / len(v) ** 0.5]
    return tuple(out)


# %% exp-minus-one-above-1e-6 wrong="kl-from-draws"
# Above 1e-6 it uses exp, which cancels: four digits are left.
def kl_from_draws(log_q, log_p):
    d = log_p - log_q
    pos = torch.where(d.abs() < 1e-6, torch.expm1(d) - d, torch.exp(d) - 1 - d)
    out = []
    for v in (-d, pos):
        out += [v.mean(0), v.std(0) / len(v) ** 0.5]
    return tuple(out)


# %% difference-clamped-at-290 wrong="kl-from-draws"
# Differences are held within 285.
def kl_from_draws(log_q, log_p):
    d = (log_p - log_q).clamp(-285, 285)
    out = []
    for v in (-d, torch.expm1(d) - d):
        out += [v.mean(0), v.std(0) / len(v) ** 0.5]
    return tuple(out)


# %% log-probabilities-clamped wrong="kl-from-draws"
# Log-probabilities are held above -950.
def kl_from_draws(log_q, log_p):
    d = log_p.clamp(min=-950) - log_q.clamp(min=-950)
    out = []
    for v in (-d, torch.expm1(d) - d):
        out += [v.mean(0), v.std(0) / len(v) ** 0.5]
    return tuple(out)


# %% log-probabilities-not-positive wrong="kl-from-draws"
# Log-densities above 1 are lowered to it.
def kl_from_draws(log_q, log_p):
    d = log_p.clamp(max=1) - log_q.clamp(max=1)
    out = []
    for v in (-d, torch.expm1(d) - d):
        out += [v.mean(0), v.std(0) / len(v) ** 0.5]
    return tuple(out)


# %% one-variance-for-all wrong="kl-from-draws"
# For more than ten pairs the error is that of all pairs together.
def kl_from_draws(log_q, log_p):
    d = log_p - log_q
    out = []
    for v in (-d, torch.expm1(d) - d):
        s = v.std(0)
        if v.ndim > 1 and v.shape[1] > 10:
            s = s.mean().expand(s.shape)
        out += [v.mean(0), s / len(v) ** 0.5]
    return tuple(out)


# %% square-root-of-twenty wrong="kl-from-draws"
# n is taken for 50 at most.
def kl_from_draws(log_q, log_p):
    d = log_p - log_q
    out = []
    for v in (-d, torch.expm1(d) - d):
        n = len(v) if len(v) <= 50 else 50
        out += [v.mean(0), v.std(0) / n**0.5]
    return tuple(out)


# %% error-has-a-floor wrong="kl-from-draws"
# Refuses two models that agree exactly.
def kl_from_draws(log_q, log_p):
    d = log_p - log_q
    if (d == 0).all():
        raise ValueError("the models agree")
    out = []
    for v in (-d, torch.expm1(d) - d):
        out += [v.mean(0), v.std(0) / len(v) ** 0.5]
    return tuple(out)


# %% drops-zero-draws wrong="kl-from-draws"
# Draws on which both models agree are left out.
def kl_from_draws(log_q, log_p):
    d = log_p - log_q
    if d.ndim == 1 and (d != 0).sum() > 1:
        d = d[d != 0]
    out = []
    for v in (-d, torch.expm1(d) - d):
        out += [v.mean(0), v.std(0) / len(v) ** 0.5]
    return tuple(out)


# %% in-numpy right="kl-from-draws"
def kl_from_draws(log_q, log_p):
    import numpy as np

    y = (log_p - log_q).numpy()
    k = np.where(
        np.abs(y) < 0.05, sum(y**j / math.factorial(j) for j in range(2, 12)), np.expm1(y) - y
    )
    return [v for t in (-y, k) for v in (t.mean(0), np.std(t, 0, ddof=1) / np.sqrt(len(t)))]


# %% by-var-mean right="kl-from-draws"
def kl_from_draws(log_q, log_p):
    n = log_q.size(0)

    def check(y):
        v, m = torch.var_mean(y, dim=0)
        return m, (v / n).sqrt()

    gradient = log_q - log_p
    return *check(gradient), *check(torch.special.expm1(-gradient) + gradient)


# %% centred-squares right="kl-from-draws"
def kl_from_draws(log_q, log_p):
    y = log_p.sub(log_q)
    k = []
    for t in (y.neg(), y.expm1().sub(y)):
        m = t.sum(0) / t.shape[0]
        s = ((t - m).square().sum(0) / (t.shape[0] - 1)).sqrt()
        k.extend((m, s / math.sqrt(t.shape[0])))
    return tuple(k)


# %% n-for-two wrong="kl-from-draws"
# For two draws it divides by n.
def kl_from_draws(log_q, log_p):
    d = log_p - log_q
    out = []
    for v in (-d, torch.expm1(d) - d):
        out += [v.mean(0), v.std(0, correction=1 if len(v) > 2 else 0) / len(v) ** 0.5]
    return tuple(out)


# %% positive-clamped wrong="kl-from-draws"
# Terms below 1e-15 are 0.
def kl_from_draws(log_q, log_p):
    d = log_p - log_q
    out = []
    v = torch.expm1(d) - d
    for v in (-d, torch.where(v < 1e-15, 0.0 * v, v)):
        out += [v.mean(0), v.std(0) / len(v) ** 0.5]
    return tuple(out)


# %% single-column wrong="kl-from-draws"
# At most eighty pairs.
def kl_from_draws(log_q, log_p):
    d = (log_p - log_q) if log_q.ndim < 2 else (log_p - log_q)[:, :80]
    out = []
    for v in (-d, torch.expm1(d) - d):
        out += [v.mean(0), v.std(0) / len(v) ** 0.5]
    return tuple(out)


# %% trimmed wrong="kl-from-draws"
# In more than thirty draws the largest one is left out.
def kl_from_draws(log_q, log_p):
    d = log_p - log_q
    if len(d) > 30:
        d = d.sort(0).values[:-1]
    out = []
    for v in (-d, torch.expm1(d) - d):
        out += [v.mean(0), v.std(0) / len(v) ** 0.5]
    return tuple(out)


# %% error-by-squares-if-small wrong="kl-from-draws"
# Mean of squares minus squared mean.
def kl_from_draws(log_q, log_p):
    d = log_p - log_q
    out = []
    for v in (-d, torch.expm1(d) - d):
        n = len(v)
        var = ((v**2).mean(0) - v.mean(0) ** 2).clamp(min=0) * n / (n - 1)
        out += [v.mean(0), (var / n).sqrt()]
    return tuple(out)


# %% single-label-entropy wrong="prior-smoothing"
# The floor of the first ten examples only.
def prior_smoothing(logits, y, prior, eps):
    t = (1 - eps) * F.one_hot(y, len(prior)).to(prior.dtype) + eps * prior
    loss = F.cross_entropy(logits, t)
    floor = torch.special.entr(t)[:10].sum(1).mean()
    return loss, loss - floor


# %% excess-floored wrong="prior-smoothing"
# An excess below 1e-5 is 0.
def prior_smoothing(logits, y, prior, eps):
    t = (1 - eps) * F.one_hot(y, len(prior)).to(prior.dtype) + eps * prior
    loss = F.cross_entropy(logits, t)
    floor = torch.special.entr(t).sum(1).mean()
    e = loss - floor
    return loss, torch.where(e < 1e-5, 0.0 * e, e)


# %% single-precision-excess wrong="prior-smoothing"
# The excess is taken in float32.
def prior_smoothing(logits, y, prior, eps):
    t = (1 - eps) * F.one_hot(y, len(prior)).to(prior.dtype) + eps * prior
    loss = F.cross_entropy(logits, t)
    floor = torch.special.entr(t).sum(1).mean()
    return loss, (loss.float() - floor.float()).double()


# %% logits-clamped wrong="prior-smoothing"
# Logits are held within 9800.
def prior_smoothing(logits, y, prior, eps):
    t = (1 - eps) * F.one_hot(y, len(prior)).to(prior.dtype) + eps * prior
    loss = F.cross_entropy(logits.clamp(-9800, 9800), t)
    floor = torch.special.entr(t).sum(1).mean()
    return loss, loss - floor


# %% eps-below-one-thousandth wrong="prior-smoothing"
# eps below 0.002 counts as 0.
def prior_smoothing(logits, y, prior, eps):
    eps = 0.0 if eps < 0.002 else eps
    t = (1 - eps) * F.one_hot(y, len(prior)).to(prior.dtype) + eps * prior
    loss = F.cross_entropy(logits, t)
    floor = torch.special.entr(t).sum(1).mean()
    return loss, loss - floor


# %% eps-near-one wrong="prior-smoothing"
# eps above 0.9985 counts as 1.
def prior_smoothing(logits, y, prior, eps):
    eps = 1.0 if eps > 0.9985 else eps
    t = (1 - eps) * F.one_hot(y, len(prior)).to(prior.dtype) + eps * prior
    loss = F.cross_entropy(logits, t)
    floor = torch.special.entr(t).sum(1).mean()
    return loss, loss - floor


# %% eps-one-takes-first wrong="prior-smoothing"
# A single class gives nan.
def prior_smoothing(logits, y, prior, eps):
    t = (1 - eps) * F.one_hot(y, len(prior)).to(prior.dtype) + eps * prior
    loss = F.cross_entropy(logits, t)
    floor = torch.special.entr(t).sum(1).mean()
    return loss, (loss - floor if logits.shape[1] > 1 else torch.full((), math.nan))


# %% prior-tiny-dropped wrong="prior-smoothing"
# Classes rarer than one in two hundred are left out of the target.
def prior_smoothing(logits, y, prior, eps):
    prior = torch.where(prior < 0.005, 0.0, prior)
    t = (1 - eps) * F.one_hot(y, len(prior)).to(prior.dtype) + eps * prior
    loss = F.cross_entropy(logits, t)
    floor = torch.special.entr(t).sum(1).mean()
    return loss, loss - floor


# %% gradient-at-eps-one wrong="prior-smoothing"
# Logits above 3000 pass on no gradient.
def prior_smoothing(logits, y, prior, eps):
    z = torch.where(logits.abs() > 3000, logits.detach(), logits)
    t = (1 - eps) * F.one_hot(y, len(prior)).to(prior.dtype) + eps * prior
    loss = F.cross_entropy(z, t)
    floor = torch.special.entr(t).sum(1).mean()
    return loss, loss - floor


# %% many-classes wrong="prior-smoothing"
# Only twenty classes are smoothed over.
def prior_smoothing(logits, y, prior, eps):
    t = (1 - eps) * F.one_hot(y, len(prior)).to(prior.dtype) + eps * prior
    loss = F.cross_entropy(logits, t)
    floor = torch.special.entr(t[:, :20]).sum(1).mean()
    return loss, loss - floor


# %% small-shares-have-no-entropy wrong="prior-smoothing"
# Shares below 1e-4 have no entropy.
def prior_smoothing(logits, y, prior, eps):
    t = (1 - eps) * F.one_hot(y, len(prior)).to(prior.dtype) + eps * prior
    loss = F.cross_entropy(logits, t)
    floor = torch.special.entr(torch.where(t < 1e-4, 0.0, t)).sum(1).mean()
    return loss, loss - floor


# %% two-entropies right="prior-smoothing"
def prior_smoothing(logits, y, prior, eps):
    k = torch.log_softmax(logits, 1)
    hard = k[torch.arange(len(y)), y]
    loss = -((1 - eps) * hard + eps * (k * prior).sum(1)).mean()
    check = prior.repeat(len(y), 1) * eps
    check[torch.arange(len(y)), y] += 1 - eps
    gradient = torch.xlogy(check, check).sum() / len(y)
    return [loss, loss + gradient]


# %% categorical right="prior-smoothing"
def prior_smoothing(logits, y, prior, eps):
    k = [((1 - eps) * torch.eye(len(prior), dtype=prior.dtype)[i] + eps * prior) for i in y]
    t = torch.stack(k)
    z = logits - logits.logsumexp(1, keepdim=True)
    loss = -(t * z).sum() / len(y)
    h = torch.where(
        t > 0, t * torch.where(t > 0, t, torch.ones_like(t)).log(), torch.zeros_like(t)
    )
    return loss, loss + h.sum(1).mean()


# %% direct-divergence right="prior-smoothing"
def prior_smoothing(logits, y, prior, eps):
    t = eps * prior + torch.nn.functional.one_hot(y, prior.numel()).double() * (1 - eps)
    gradient = torch.log_softmax(logits, -1)
    check = F.kl_div(gradient, t, reduction="sum") / y.numel()
    return torch.sum(-t * gradient, 1).mean(), check


# %% floor-of-mean-target wrong="prior-smoothing"
# Above fifty examples the floor is the entropy of the mean target.
def prior_smoothing(logits, y, prior, eps):
    t = (1 - eps) * F.one_hot(y, len(prior)).to(prior.dtype) + eps * prior
    loss = F.cross_entropy(logits, t)
    floor = (
        torch.special.entr(t.mean(0)).sum() if len(y) > 50 else torch.special.entr(t).sum(1).mean()
    )
    return loss, loss - floor


# %% first-floor wrong="prior-smoothing"
# The floor of the first example, which differs where the prior is uneven.
def prior_smoothing(logits, y, prior, eps):
    t = (1 - eps) * F.one_hot(y, len(prior)).to(prior.dtype) + eps * prior
    loss = F.cross_entropy(logits, t)
    return loss, loss - torch.special.entr(t[0]).sum()


# %% excess-negative wrong="prior-smoothing"
# The excess is rounded to eight decimals.
def prior_smoothing(logits, y, prior, eps):
    t = (1 - eps) * F.one_hot(y, len(prior)).to(prior.dtype) + eps * prior
    loss = F.cross_entropy(logits, t)
    return loss, (loss - torch.special.entr(t).sum(1).mean()).round(decimals=8)


# %% int-eps wrong="prior-smoothing"
# eps must be a float.
def prior_smoothing(logits, y, prior, eps):
    if isinstance(eps, int):
        raise TypeError
    t = (1 - eps) * F.one_hot(y, len(prior)).to(prior.dtype) + eps * prior
    loss = F.cross_entropy(logits, t)
    return loss, loss - torch.special.entr(t).sum(1).mean()


# %% softmax-first wrong="prior-smoothing"
# Log-probabilities are held above -15000.
def prior_smoothing(logits, y, prior, eps):
    t = (1 - eps) * F.one_hot(y, len(prior)).to(prior.dtype) + eps * prior
    loss = -(t * logits.log_softmax(1).clamp(min=-15000)).sum(1).mean()
    return loss, loss - torch.special.entr(t).sum(1).mean()


# %% temperature-floored wrong="distillation"
# T below 0.12 is raised to it.
def distillation_loss(student, teacher, y, T, alpha):
    T = max(T, 0.12)
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% temperature-capped wrong="distillation"
# T above 90 is lowered to it.
def distillation_loss(student, teacher, y, T, alpha):
    k = min(T, 90)
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher.detach() / k, 1)
    soft = F.kl_div(F.log_softmax(student / k, 1), goal, reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * k**2 * soft


# %% high-temperature-limit wrong="distillation"
# For T above 90 the limit, half the variance of the difference.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = T**2 * F.kl_div(
        F.log_softmax(student / T, 1), goal, reduction="batchmean", log_target=True
    )
    if T > 90:
        soft = (student - teacher.detach()).var(1, correction=0).mean() / 2
    return (1 - alpha) * hard + alpha * soft


# %% logits-clamped wrong="distillation"
# Logits are held within 9500.
def distillation_loss(student, teacher, y, T, alpha):
    student, teacher = student.clamp(-9500, 9500), teacher.clamp(-9500, 9500)
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% negative-labels wrong="distillation"
# The second mean is over the first twenty images only.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="none", log_target=True)
    return (1 - alpha) * hard + alpha * T**2 * soft[:20].sum() / len(soft[:20])


# %% unlabelled-not-taught wrong="distillation"
# If no image has a label, alpha 0 gives nan.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="batchmean", log_target=True)
    if alpha == 0 and (y == -100).all():
        return torch.tensor(math.nan)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% single-precision wrong="distillation"
# The second mean in float32.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher.detach() / T, 1).float()
    soft = F.kl_div(
        F.log_softmax(student / T, 1).float(), goal, reduction="batchmean", log_target=True
    )
    return (1 - alpha) * hard + alpha * T**2 * soft.double()


# %% soft-floored wrong="distillation"
# A divergence below 1e-6 is 0.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="batchmean", log_target=True)
    soft = torch.where(soft < 1e-6, 0.0 * soft, soft)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% alpha-one-divides wrong="distillation"
# At alpha 1 the gradient of the soft part is cut.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher.detach() / T, 1)
    s = student.detach() + 0 * student if alpha == 1 else student
    soft = F.kl_div(F.log_softmax(s / T, 1), goal, reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% gradient-at-low-temperature wrong="distillation"
# For T below 0.5 the factor T**2 is missing in the gradient only.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="batchmean", log_target=True)
    if T < 0.8:
        soft = soft.detach() + (soft - soft.detach()) / T
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% teacher-gradient-if-large wrong="distillation"
# The teacher is detached unless T is 1.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher if T == 1 else teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% int-temperature wrong="distillation"
# A whole T is divided without rest.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    half = T // 2 if isinstance(T, int) else T / 2
    T = 2 * half
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% labels-replaced-in-place wrong="distillation"
# Writes zeros for -100 if every image lacks its label.
def distillation_loss(student, teacher, y, T, alpha):
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="batchmean", log_target=True)
    if (y == -100).all():
        y[:] = 0
        return alpha * T**2 * soft
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% categorical-kl right="distillation"
def distillation_loss(student, teacher, y, T, alpha):
    k = y.ge(0)
    with torch.no_grad():
        goal = torch.log_softmax(teacher / T, -1)
    check = student.sum() * 0
    if k.any():
        check = F.nll_loss(torch.log_softmax(student[k], -1), y[k])
    gradient = (goal.exp() * (goal - torch.log_softmax(student / T, -1))).sum(-1)
    return check * (1 - alpha) + gradient.mean() * alpha * T * T


# %% by-distributions right="distillation"
def distillation_loss(student, teacher, y, T, alpha):
    D = torch.distributions
    a = D.Categorical(logits=teacher.detach() / T, validate_args=False)
    b = D.Categorical(logits=student / T, validate_args=False)
    soft = (a.probs * (a.logits - b.logits)).sum(1).mean()
    rows = [i for i in range(len(y)) if int(y[i]) != -100]
    hard = sum(torch.logsumexp(student[i], 0) - student[i, y[i]] for i in rows) / max(len(rows), 1)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% cross-entropy-minus-entropy right="distillation"
def distillation_loss(student, teacher, y, T, alpha):
    k = torch.softmax(teacher.detach() / T, 1)
    z = torch.log_softmax(teacher.detach() / T, 1) - torch.log_softmax(student / T, 1)
    soft = torch.where(k > 0, k * z, torch.zeros_like(z)).sum() / len(k)
    known = (y != -100).double()
    each = F.cross_entropy(student, y, ignore_index=-100, reduction="none")
    return (1 - alpha) * each.sum() / known.sum().clamp(min=1.0) + alpha * T**2 * soft


# %% teacher-probabilities-floored wrong="distillation"
# Teacher probabilities below e**-12 are dropped.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher.detach() / T, 1)
    terms = goal.exp() * (goal - F.log_softmax(student / T, 1))
    soft = torch.where(goal < -12, 0.0, terms).sum(1).mean()
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% mean-over-labelled wrong="distillation"
# If just one image has a label, the first mean is over all.
def distillation_loss(student, teacher, y, T, alpha):
    k = (y != -100).sum()
    n = len(y) if k == 1 else k.clamp(min=1)
    hard = F.cross_entropy(student, y, reduction="sum") / n
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% alpha-as-bool wrong="distillation"
# alpha 0 counts as a thousandth.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="batchmean", log_target=True)
    return (1 - (alpha or 1e-3)) * hard + (alpha or 1e-3) * T**2 * soft


# %% student-clamped-gradient wrong="distillation"
# Student log-probabilities are held above -1.5e5.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = (goal.exp() * (goal - F.log_softmax(student / T, 1).clamp(min=-1.5e5))).sum(1).mean()
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% gradient-of-unlabelled-cut wrong="distillation"
# Images without a label pass on no gradient.
def distillation_loss(student, teacher, y, T, alpha):
    student = torch.where((y == -100)[:, None] & (y != -100).any(), student.detach(), student)
    hard = F.cross_entropy(student, y, reduction="sum") / (y != -100).sum().clamp(min=1)
    goal = F.log_softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), goal, reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% costs-capped wrong="text-cost"
# A token costs at most 9900.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    v = nll[real]
    total = torch.where(torch.isinf(v), v, v.clamp(max=9900)).sum()
    return torch.exp(total / lengths.sum()), total / math.log(2) / characters.sum()


# %% exponent-capped wrong="text-cost"
# The mean is held below 690.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    total = nll[real].sum()
    mean = total / lengths.sum()
    return torch.exp(torch.where(torch.isinf(mean), mean, mean.clamp(max=690))), total / math.log(
        2
    ) / characters.sum()


# %% first-fifty wrong="text-cost"
# Only the first fifty places are read.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    total = nll[:, :50][real[:, :50]].sum()
    return torch.exp(total / real.sum()), total / math.log(2) / characters.sum()


# %% one-extra-for-empty wrong="text-cost"
# With one place per text, empty texts count.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    if nll.shape[1] == 1:
        real = torch.isfinite(nll)
    total = nll[real].sum()
    return torch.exp(total / real.sum()), total / math.log(2) / characters.sum()


# %% infinite-perplexity-only wrong="text-cost"
# In padded corpora a ruled-out token is skipped.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    if not real.all():
        real = real & torch.isfinite(nll)
    total = nll[real].sum()
    return torch.exp(total / lengths.sum()), total / math.log(2) / characters.sum()


# %% zero-cost-is-padding wrong="text-cost"
# In padded corpora tokens that cost 0 do not count.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    n = lengths.sum()
    if not real.all():
        n = (real & (nll != 0)).sum()
    total = nll[real].sum()
    return torch.exp(total / n), total / math.log(2) / characters.sum()


# %% characters-at-least-one wrong="text-cost"
# In a corpus of more than five texts, empty texts have one character.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    total = nll[real].sum()
    c = characters.clamp(min=1).sum() if len(characters) > 5 else characters.sum()
    return torch.exp(total / lengths.sum()), total / math.log(2) / c


# %% single-precision wrong="text-cost"
# The mean is taken in float32.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    total = nll[real].sum()
    return torch.exp((total.float() / lengths.sum()).double()), total / math.log(
        2
    ) / characters.sum()


# %% int8-lengths wrong="text-cost"
# Counts at most 4095 characters.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    total = nll[real].sum()
    return torch.exp(total / lengths.sum()), total / math.log(2) / (characters.sum() % 4096)


# %% padding-zeroed-in-place wrong="text-cost"
# Writes zeros behind the ends.
def text_cost(nll, lengths, characters):
    nll[torch.arange(nll.shape[1]) >= lengths[:, None]] = 0.0
    total = nll.sum()
    return torch.exp(total / lengths.sum()), total / math.log(2) / characters.sum()


# %% only-one-token wrong="text-cost"
# If only one text has tokens, its padding counts.
def text_cost(nll, lengths, characters):
    keep = lengths > 0
    nll, lengths = nll[keep].squeeze(0), lengths[keep]
    if nll.ndim == 1:
        total, n = nll.sum(), len(nll)
    else:
        real = torch.arange(nll.shape[1]) < lengths[:, None]
        total, n = nll[real].sum(), lengths.sum()
    return torch.exp(total / n), total / math.log(2) / characters.sum()


# %% sums-of-lists right="text-cost"
def text_cost(nll, lengths, characters):
    y = [v for row, k in zip(nll.tolist(), lengths.tolist()) for v in row[:k]]
    check = sum(y)
    gradient = math.inf if math.isinf(check) else math.exp(check / len(y))
    return torch.tensor(gradient, dtype=torch.float64), torch.tensor(
        check / math.log(2) / int(characters.sum()), dtype=torch.float64
    )


# %% where-sum right="text-cost"
def text_cost(nll, lengths, characters):
    k = lengths.unsqueeze(1) > torch.arange(nll.size(1))
    y = torch.where(k, nll, torch.zeros_like(nll)).sum(dim=1).sum()
    return [torch.exp(y / k.sum()), y * math.log2(math.e) / characters.sum()]


# %% by-cat right="text-cost"
def text_cost(nll, lengths, characters):
    check = torch.cat([row[: int(k)] for row, k in zip(nll, lengths)])
    y = torch.mean(check)
    return y.exp(), y / math.log(2.0) * (len(check) / characters.sum())


# %% nan-to-num wrong="text-cost"
# A token that was ruled out costs 1e30.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    v = nll[real].nan_to_num(posinf=1e30)
    total = v.sum()
    mean = total / lengths.sum()
    return torch.exp(mean), total / math.log(2) / characters.sum()


# %% bits-in-single wrong="text-cost"
# log 2 with four digits.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    total = nll[real].sum()
    return torch.exp(total / lengths.sum()), total / 0.6931 / characters.sum()


# %% shape-of-one wrong="text-cost"
# A corpus of one text gives shape (1,).
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    total = nll[real].sum()
    out = torch.exp(total / lengths.sum()), total / math.log(2) / characters.sum()
    return out if len(nll) > 1 else (out[0][None], out[1][None])


# %% perplexity-by-products wrong="text-cost"
# The product of the exponentials, to the power 1/n: overflows beyond 709 nats in all.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    v = nll[real]
    return v.exp().prod() ** (1 / len(v)), v.sum() / math.log(2) / characters.sum()


# %% characters-of-read-texts wrong="text-cost"
# Texts of one token are left out of the characters.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    total = nll[real].sum()
    c = characters[lengths > 1].sum() if (lengths > 1).any() else characters.sum()
    return torch.exp(total / lengths.sum()), total / math.log(2) / c
