# %% centred right="mixture-moments"
def mixture_moments(mu, sigma, weight):
    """Return mean and standard deviation of the weighted mixture, for each column."""
    share = (weight / weight.sum())[:, None]
    mean = (share * mu).sum(0)
    return mean, np.sqrt((share * (sigma**2 + (mu - mean) ** 2)).sum(0))


# %% pairs-of-members right="mixture-moments"
def mixture_moments(mu, sigma, weight):
    """Return mean and standard deviation of the weighted mixture, for each column."""
    k = [float(w) / math.fsum(weight) for w in weight]
    means, sds = [], []
    for y, s in zip(np.asarray(mu).T, np.asarray(sigma).T, strict=True):
        variance = math.fsum(k[i] * s[i] ** 2 for i in range(len(k)))
        for i in range(len(k)):
            for j in range(i):
                variance += k[i] * k[j] * (y[i] - y[j]) ** 2
        means.append(y[0] + math.fsum(k[i] * (y[i] - y[0]) for i in range(len(k))))
        sds.append(math.sqrt(variance))
    return torch.tensor(means, dtype=torch.float64), torch.tensor(sds, dtype=torch.float64)


# %% mean-of-squares right="mixture-moments"
# Right for deviations of at least a hundredth.
def mixture_moments(mu, sigma, weight):
    """Return mean and standard deviation of the weighted mixture, for each column."""
    share = weight / weight.sum()
    mean = share @ mu
    variance = share @ (sigma**2 + mu**2) - mean**2
    return mean, np.sqrt(np.maximum(variance, 0))


# %% small-weights-not-normalised wrong="mixture-moments"
# A sum below 1 is not divided out: weights [0.2, 0.2] for the means 1 and 2 give 0.6, not 1.5.
def mixture_moments(mu, sigma, weight):
    """Return mean and standard deviation of the weighted mixture, for each column."""
    share = weight / max(weight.sum(), 1.0)
    mean = share @ mu
    return mean, np.sqrt(share @ (sigma**2 + (mu - mean) ** 2))


# %% variance-floor right="mixture-moments"
# Right for deviations of at least a hundredth.
def mixture_moments(mu, sigma, weight):
    """Return mean and standard deviation of the weighted mixture, for each column."""
    share = weight / weight.sum()
    mean = share @ mu
    return mean, np.sqrt(np.maximum(share @ (sigma**2 + (mu - mean) ** 2), 1e-8))


# %% light-members-dropped wrong="mixture-moments"
# Leaves out weights below a thousandth: mu = [[0.], [1000.]], sigma 1, weight = [1., 1e-4].
def mixture_moments(mu, sigma, weight):
    """Return mean and standard deviation of the weighted mixture, for each column."""
    keep = weight > 1e-3 * weight.sum()
    share = weight[keep] / weight[keep].sum()
    mean = share @ mu[keep]
    return mean, np.sqrt(share @ (sigma[keep] ** 2 + (mu[keep] - mean) ** 2))


# %% squeezed wrong="mixture-moments"
# With one column, mu of shape (M, 1), both results are 0-d instead of shape (1,).
def mixture_moments(mu, sigma, weight):
    """Return mean and standard deviation of the weighted mixture, for each column."""
    share = (weight / weight.sum())[None]
    mean = share @ mu
    variance = share @ (sigma**2 + (mu - mean) ** 2)
    return np.squeeze(mean), np.sqrt(np.squeeze(variance))


# %% logsumexp right="mixture-nll"
def mixture_nll(mu, sigma, y):
    """Return the mean NLL in nats of y under the equal mixture of the members' Normals."""
    log_p = -0.5 * ((y - mu) / sigma) ** 2 - sigma.log() - 0.5 * math.log(2 * math.pi)
    return math.log(len(mu)) - torch.logsumexp(log_p, 0).mean()


# %% mixture-distribution right="mixture-nll"
def mixture_nll(mu, sigma, y):
    """Return the mean NLL in nats of y under the equal mixture of the members' Normals."""
    from torch import distributions

    def k(i):
        parts = distributions.Normal(mu[:, i], sigma[:, i])
        mix = distributions.Categorical(logits=torch.zeros(mu.shape[0], dtype=mu.dtype))
        return distributions.MixtureSameFamily(mix, parts).log_prob(y[i])

    return -sum(k(i) for i in range(mu.shape[1])) / mu.shape[1]


# %% sigma-clamped wrong="mixture-nll"
# sigma is at least 1e-6: mu = [[0.]], sigma = [[1e-8]], y = [0.] gives -12.90 for -17.50.
def mixture_nll(mu, sigma, y):
    """Return the mean NLL in nats of y under the equal mixture of the members' Normals."""
    sigma = sigma.clamp(min=1e-6)
    log_p = -0.5 * ((y - mu) / sigma) ** 2 - sigma.log() - 0.5 * math.log(2 * math.pi)
    return math.log(len(mu)) - torch.logsumexp(log_p, 0).mean()


# %% best-member-when-far wrong="mixture-nll"
# A far point sees its best member only, and a nan comes from the unused branch: mu = [[0.], [0.]],
# sigma = 1, y = [1000.] has the gradient -500 for each member.
def mixture_nll(mu, sigma, y):
    """Return the mean NLL in nats of y under the equal mixture of the members' Normals."""
    log_p = -0.5 * ((y - mu) / sigma) ** 2 - sigma.log() - 0.5 * math.log(2 * math.pi)
    best = log_p.max(0).values
    near = log_p.exp().mean(0).log()
    return -torch.where(best < -600, best - math.log(len(mu)), near).mean()


# %% single-precision wrong="mixture-nll"
# float32 inside: mu = [[999999.99]], sigma = [[0.01]], y = [1e6] loses the distance of one sigma.
def mixture_nll(mu, sigma, y):
    """Return the mean NLL in nats of y under the equal mixture of the members' Normals."""
    z = ((y.float() - mu.float()) / sigma.float()).double()
    log_p = -0.5 * z**2 - sigma.log() - 0.5 * math.log(2 * math.pi)
    return math.log(len(mu)) - torch.logsumexp(log_p, 0).mean()


# %% one-member-squeezed wrong="mixture-nll"
# With M = 1 the points are summed as if they were members: mu = [[0., 1.]], sigma 1, y = [0., 3.].
def mixture_nll(mu, sigma, y):
    """Return the mean NLL in nats of y under the equal mixture of the members' Normals."""
    z = ((y - mu) / sigma).squeeze()
    log_p = -0.5 * z**2 - sigma.squeeze().log() - 0.5 * math.log(2 * math.pi)
    return math.log(len(mu)) - torch.logsumexp(log_p, 0).mean()


# %% epsilon-in-the-log wrong="mixture-nll"
# log(sigma + 1e-9) is off by 0.095 at sigma = 1e-8: mu = [[0.]], y = [0.].
def mixture_nll(mu, sigma, y):
    """Return the mean NLL in nats of y under the equal mixture of the members' Normals."""
    log_p = -0.5 * ((y - mu) / sigma) ** 2 - torch.log(sigma + 1e-9)
    log_p = log_p - 0.5 * math.log(2 * math.pi)
    return math.log(len(mu)) - torch.logsumexp(log_p, 0).mean()


# %% bisection right="mixture-quantile"
def mixture_quantile(mu, sigma, q):
    """Return the q-quantile of the equal mixture of Normals."""
    ends = mu + sigma * special.ndtri(q)
    low, high = ends.min(), ends.max()
    for _ in range(200):
        k = low + (high - low) / 2
        y = (k - mu) / sigma
        if q <= 0.5:
            below = special.ndtr(y).mean() < q
        else:
            below = special.ndtr(-y).mean() > 1 - q
        low, high = (k, high) if below else (low, k)
    return float(low + (high - low) / 2)


# %% brent-on-the-unit-interval right="mixture-quantile"
def mixture_quantile(mu, sigma, q):
    """Return the q-quantile of the equal mixture of Normals."""
    flip = -1.0 if q > 0.5 else 1.0  # the smaller tail keeps its digits
    m, target = flip * np.asarray(mu), min(q, 1 - q)
    ends = m + sigma * special.ndtri(target)
    low, width = ends.min(), np.ptp(ends)
    if width == 0:
        return flip * low

    def check(k):
        logs = special.log_ndtr((low + k * width - m) / sigma)
        return special.logsumexp(logs) - math.log(len(m) * target)

    if check(0.0) >= 0:
        return flip * low
    if check(1.0) <= 0:
        return flip * (low + width)
    return flip * (low + width * optimize.brentq(check, 0.0, 1.0, xtol=1e-14, maxiter=1000))


# %% absolute-tolerance wrong="mixture-quantile"
# Stops at a width of 1e-8: mu = [0., 2e-6], sigma = [1e-6, 1e-6], q = 0.3 has a range of 2e-6.
def mixture_quantile(mu, sigma, q):
    """Return the q-quantile of the equal mixture of Normals."""
    ends = mu + sigma * special.ndtri(q)
    low, high = ends.min(), ends.max()
    while high - low > 1e-8:
        middle = (low + high) / 2
        if special.ndtr((middle - mu) / sigma).mean() < q:
            low = middle
        else:
            high = middle
    return (low + high) / 2


# %% no-sign-change wrong="mixture-quantile"
# With one member both ends agree, and brentq raises for want of a sign change: mu = [0.3],
# sigma = [0.7], q = 0.3, where rounding leaves F(t) - q a little off 0.
def mixture_quantile(mu, sigma, q):
    """Return the q-quantile of the equal mixture of Normals."""
    ends = mu + sigma * special.ndtri(q)
    scale = sigma.min()
    return optimize.brentq(
        lambda t: special.ndtr((t - mu) / sigma).mean() - q,
        ends.min(),
        ends.max(),
        xtol=1e-14 * scale,
    )


# %% grid wrong="mixture-quantile"
# Interpolates on a grid, too coarse for members far apart: mu = [-5e5, 0., 5e5], sigma = 1,
# q = 0.4 should give -0.8416.
def mixture_quantile(mu, sigma, q):
    """Return the q-quantile of the equal mixture of Normals."""
    ends = mu + sigma * special.ndtri(q)
    grid = np.linspace(ends.min(), ends.max(), 200_001)
    F = sum(special.ndtr((grid - m) / s) for m, s in zip(mu, sigma, strict=True)) / len(mu)
    return np.interp(q, F, grid)


# %% fixed-bracket wrong="mixture-quantile"
# Searches from -10000 to 10000 only: mu = [5e5], sigma = [1.], q = 0.5 gives 10000.
def mixture_quantile(mu, sigma, q):
    """Return the q-quantile of the equal mixture of Normals."""
    low, high = -1e4, 1e4
    for _ in range(100):
        middle = (low + high) / 2
        if special.ndtr((middle - mu) / sigma).mean() < q:
            low = middle
        else:
            high = middle
    return (low + high) / 2


# %% thirty-two-steps wrong="mixture-quantile"
# 32 halvings of a wide bracket leave 1e-9 or more: mu = [0., 1e-6], sigma = [1., 1.], q = 0.3 has
# a range of 1e-6, and the answer must be right to 1e-13.
def mixture_quantile(mu, sigma, q):
    """Return the q-quantile of the equal mixture of Normals."""
    low, high = mu.min() - 10 * sigma.max(), mu.max() + 10 * sigma.max()
    for _ in range(32):
        middle = (low + high) / 2
        if special.ndtr((middle - mu) / sigma).mean() < q:
            low = middle
        else:
            high = middle
    return (low + high) / 2


# %% masked-argmax right="pool-the-votes"
def pool(logits):
    """Return mean probabilities, shares of votes, and the label with the most votes."""
    probability = logits.softmax(-1).mean(0)
    counts = torch.nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).sum(0)
    leading = counts == counts.amax(1, keepdim=True)
    label = torch.where(leading, probability, -1.0).argmax(1)
    return probability, counts.to(logits.dtype) / len(logits), label


# %% loop-over-inputs right="pool-the-votes"
def pool(logits):
    """Return mean probabilities, shares of votes, and the label with the most votes."""
    y = logits.detach().numpy()
    M, n, K = y.shape
    probability = special.softmax(y, axis=2).sum(axis=0) / M
    votes, label = np.zeros((n, K)), np.zeros(n, dtype=np.int64)
    for i in range(n):
        counts = [0] * K
        for m in range(M):
            counts[int(np.argmax(y[m, i]))] += 1
        votes[i] = np.array(counts) / M
        label[i] = max(range(K), key=lambda k: (counts[k], probability[i, k]))
    return probability, votes, label


# %% tie-among-all wrong="pool-the-votes"
# After a tie any class may win, also one without a vote: logits [[[5., 0., 4.9]], [[0., 5., 4.9]]]
# give the label 2, where 0 and 1 have one vote each.
def pool(logits):
    """Return mean probabilities, shares of votes, and the label with the most votes."""
    probability = logits.softmax(-1).mean(0)
    counts = torch.nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).sum(0)
    tied = (counts == counts.amax(1, keepdim=True)).sum(1) > 1
    label = torch.where(tied, probability.argmax(1), counts.argmax(1))
    return probability, counts.double() / len(logits), label


# %% votes-plus-a-bit wrong="pool-the-votes"
# A tenth of the probability outweighs one vote of many: M = 41, K = 2, 21 members with the
# logits [0.01, 0.] and 20 with [0., 9.] have the label 0.
def pool(logits):
    """Return mean probabilities, shares of votes, and the label with the most votes."""
    probability = logits.softmax(-1).mean(0)
    votes = torch.nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).double().mean(0)
    return probability, votes, (votes + 0.1 * probability).argmax(1)


# %% classes-from-the-votes wrong="pool-the-votes"
# K is the largest class with a vote plus 1: logits [[[1., 0., -1.]]] give votes of shape (1, 1).
def pool(logits):
    """Return mean probabilities, shares of votes, and the label with the most votes."""
    probability = logits.softmax(-1).mean(0)
    counts = torch.nn.functional.one_hot(logits.argmax(-1)).sum(0)
    leading = counts == counts.amax(1, keepdim=True)
    label = torch.where(leading, probability[:, : counts.shape[1]], -1.0).argmax(1)
    return probability, counts.double() / len(logits), label


# %% one-input-squeezed wrong="pool-the-votes"
# With one input, logits of shape (M, 1, K), the label is 0-d instead of shape (1,).
def pool(logits):
    """Return mean probabilities, shares of votes, and the label with the most votes."""
    probability = logits.softmax(-1).mean(0)
    counts = torch.nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).sum(0)
    leading = counts == counts.amax(1, keepdim=True)
    label = torch.where(leading, probability, -1.0).argmax(1)
    return probability, counts.double() / len(logits), label.squeeze()


# %% votes-from-probabilities right="pool-the-votes"
# Right for logits that differ by 1e-9 or more.
def pool(logits):
    """Return mean probabilities, shares of votes, and the label with the most votes."""
    each = logits.softmax(-1)
    probability = each.mean(0)
    counts = torch.nn.functional.one_hot(each.argmax(-1), logits.shape[-1]).sum(0)
    leading = counts == counts.amax(1, keepdim=True)
    label = torch.where(leading, probability, -1.0).argmax(1)
    return probability, counts.double() / len(logits), label


# %% normal-equations right="members-from-seeds"
def random_members(x, y, x_new, seeds):
    """Return one row of predictions at x_new for each seed."""
    rows = []
    for s in seeds:
        generator = torch.Generator().manual_seed(s)
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64)
        b = 2 * math.pi * torch.rand(20, generator=generator, dtype=torch.float64)
        phi = torch.cos(torch.as_tensor(x)[:, None] * w + b)
        A = phi.T @ phi + 0.3 * torch.eye(20, dtype=torch.float64)
        a = torch.linalg.solve(A, phi.T @ torch.as_tensor(y))
        rows.append(torch.cos(torch.as_tensor(x_new)[:, None] * w + b) @ a)
    return torch.stack(rows)


# %% least-squares-with-extra-rows right="members-from-seeds"
def random_members(x, y, x_new, seeds):
    """Return one row of predictions at x_new for each seed."""
    result = np.empty((len(seeds), len(x_new)))
    for k, s in enumerate(seeds):
        check = torch.Generator()
        check.manual_seed(int(s))
        w = 2 * torch.randn(20, dtype=torch.float64, generator=check).numpy()
        b = math.tau * torch.rand(20, dtype=torch.float64, generator=check).numpy()
        rows = np.vstack([np.cos(np.outer(x, w) + b), math.sqrt(0.3) * np.eye(20)])
        a = np.linalg.lstsq(rows, np.concatenate([y, np.zeros(20)]), rcond=None)[0]
        result[k] = np.cos(np.outer(x_new, w) + b) @ a
    return result


# %% readouts-remembered wrong="members-from-seeds"
# Remembers the readout of a seed from call to call: the same seeds with 2 * y as the targets give
# the old predictions, where they should be twice as large.
_KNOWN = {}


def random_members(x, y, x_new, seeds):
    """Return one row of predictions at x_new for each seed."""
    rows = []
    for s in seeds:
        generator = torch.Generator().manual_seed(s)
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64)
        b = 2 * math.pi * torch.rand(20, generator=generator, dtype=torch.float64)
        if s not in _KNOWN:
            phi = torch.cos(torch.tensor(x)[:, None] * w + b)
            A = phi.T @ phi + 0.3 * torch.eye(20, dtype=torch.float64)
            _KNOWN[s] = torch.linalg.solve(A, phi.T @ torch.tensor(y))
        rows.append(torch.cos(torch.tensor(x_new)[:, None] * w + b) @ _KNOWN[s])
    return torch.stack(rows)


# %% seeds-used-up wrong="members-from-seeds"
# Empties the caller's list: after a call with seeds = [1, 2] it is [].
def random_members(x, y, x_new, seeds):
    """Return one row of predictions at x_new for each seed."""
    rows = []
    while seeds:
        generator = torch.Generator().manual_seed(seeds.pop(0))
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64)
        b = 2 * math.pi * torch.rand(20, generator=generator, dtype=torch.float64)
        phi = torch.cos(torch.tensor(x)[:, None] * w + b)
        A = phi.T @ phi + 0.3 * torch.eye(20, dtype=torch.float64)
        a = torch.linalg.solve(A, phi.T @ torch.tensor(y))
        rows.append(torch.cos(torch.tensor(x_new)[:, None] * w + b) @ a)
    return torch.stack(rows)


# %% one-point-squeezed wrong="members-from-seeds"
# With one new input, k = 1, the result has shape (M,) instead of (M, 1).
def random_members(x, y, x_new, seeds):
    """Return one row of predictions at x_new for each seed."""
    rows = []
    for s in seeds:
        generator = torch.Generator().manual_seed(s)
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64)
        b = 2 * math.pi * torch.rand(20, generator=generator, dtype=torch.float64)
        phi = torch.cos(torch.tensor(x)[:, None] * w + b)
        A = phi.T @ phi + 0.3 * torch.eye(20, dtype=torch.float64)
        a = torch.linalg.solve(A, phi.T @ torch.tensor(y)[:, None])
        rows.append((torch.cos(torch.tensor(x_new)[:, None] * w + b) @ a).squeeze())
    return torch.stack(rows)


# %% pseudo-inverse-cut-off wrong="members-from-seeds"
# Eigenvalues below a thousandth of the largest are cut: x = linspace(-3, 3, 1000),
# y = sin(5 x), x_new = [0.2, 1.1], seeds [1].
def random_members(x, y, x_new, seeds):
    """Return one row of predictions at x_new for each seed."""
    rows = []
    for s in seeds:
        generator = torch.Generator().manual_seed(s)
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        phi = np.cos(np.outer(x, w) + b)
        a = np.linalg.pinv(phi.T @ phi + 0.3 * np.eye(20), rcond=1e-3) @ (phi.T @ y)
        rows.append(np.cos(np.outer(x_new, w) + b) @ a)
    return np.array(rows)


# %% small-data-form-only wrong="members-from-seeds"
# Keeps at most 12 eigenvalues of the kernel matrix, all there are at n = 12: x = linspace(-6, 6,
# 60), y = cos(4 x), x_new = [0.5], seeds [1] needs 20.
def random_members(x, y, x_new, seeds):
    """Return one row of predictions at x_new for each seed."""
    rows = []
    for s in seeds:
        generator = torch.Generator().manual_seed(s)
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        U, d, V = np.linalg.svd(np.cos(np.outer(x, w) + b), full_matrices=False)
        U, d, V = U[:, :12], d[:12], V[:12]
        rows.append(np.cos(np.outer(x_new, w) + b) @ V.T @ (d / (d**2 + 0.3) * (U.T @ y)))
    return np.array(rows)


# %% all-subsets right="sub-ensembles"
def sub_ensemble_error(f, y, m):
    """Return the mean squared error of the mean of m members, over all subsets."""
    from itertools import combinations

    errors = [np.mean((f[list(k)].mean(axis=0) - y) ** 2) for k in combinations(range(len(f)), m)]
    return math.fsum(errors) / math.comb(len(f), m)


# %% formula right="sub-ensembles"
def sub_ensemble_error(f, y, m):
    """Return the mean squared error of the mean of m members, over all subsets."""
    g = torch.as_tensor(f)
    M = g.shape[0]
    bias = ((g.mean(0) - torch.as_tensor(y)) ** 2).mean()
    if m == M:
        return bias
    return bias + g.var(0, correction=1).mean() * (M - m) / (m * M)


# %% one-member-is-nan wrong="sub-ensembles"
# The variance of one member is nan: f = [[1., 2.]], y = [0., 0.], m = 1 should give 2.5.
def sub_ensemble_error(f, y, m):
    """Return the mean squared error of the mean of m members, over all subsets."""
    M = len(f)
    scatter = ((f - f.mean(0)) ** 2).sum(0).mean() / np.float64(M - 1)
    return np.mean((f.mean(0) - y) ** 2) + scatter / m * (1 - m / M)


# %% squares-multiplied-out wrong="sub-ensembles"
# Cancellation: f = [[1e6], [1e6 + 0.02]], y = [1e6 + 0.01], m = 1 should give 1e-4.
def sub_ensemble_error(f, y, m):
    """Return the mean squared error of the mean of m members, over all subsets."""
    from itertools import combinations

    means = np.array([f[list(k)].mean(0) for k in combinations(range(len(f)), m)])
    return float(((means**2).mean(0) - 2 * y * means.mean(0) + y**2).mean())


# %% at-most-five-hundred wrong="sub-ensembles"
# Stops after 500 subsets, of 924 at M = 12, m = 6: f[:, 0] = 0, ..., 0, 12, y = [0.].
def sub_ensemble_error(f, y, m):
    """Return the mean squared error of the mean of m members, over all subsets."""
    from itertools import combinations, islice

    chosen = islice(combinations(range(len(f)), m), 500)
    return float(np.mean([((f[list(k)].mean(0) - y) ** 2).mean() for k in chosen]))


# %% equal-members-merged wrong="sub-ensembles"
# Members with the same predictions count once: f = [[0.], [0.], [3.]], y = [0.], m = 1 is 3.
def sub_ensemble_error(f, y, m):
    """Return the mean squared error of the mean of m members, over all subsets."""
    from itertools import combinations

    members = sorted(set(map(tuple, f.tolist())))
    errors = [
        ((np.mean(k, axis=0) - y) ** 2).mean() for k in combinations(members, min(m, len(members)))
    ]
    return float(np.mean(errors))


# %% single-precision wrong="sub-ensembles"
# float32 inside: f = [[1e6], [1e6 + 0.02]], y = [1e6 + 0.01], m = 2 should be 0, m = 1 1e-4.
def sub_ensemble_error(f, y, m):
    """Return the mean squared error of the mean of m members, over all subsets."""
    from itertools import combinations

    g, aim = torch.tensor(f).float(), torch.tensor(y).float()
    picks = list(combinations(range(len(g)), m))
    return torch.stack([((g[list(k)].mean(0) - aim) ** 2).mean() for k in picks]).mean().item()
