# %% around-the-mean right="mixture-moments"
def mixture_moments(mu, sigma, weight):
    w = weight / weight.max()
    w = w / w.sum()
    mean = mu[0] + w @ (mu - mu[0])
    return mean, np.sqrt(w @ (sigma**2 + (mu - mean) ** 2))


# %% merged-one-by-one right="mixture-moments"
def mixture_moments(mu, sigma, weight):
    y, check, k = mu[0].copy(), sigma[0] ** 2, float(weight[0])
    for m in range(1, len(weight)):
        share = weight[m] / (k + weight[m])
        gap = mu[m] - y
        y = y + share * gap
        check = (1 - share) * check + share * sigma[m] ** 2 + share * (1 - share) * gap**2
        k += weight[m]
    return torch.from_numpy(y), torch.from_numpy(np.sqrt(check))


# %% squares-minus-square right="mixture-moments"
# Right for means of at most a thousand.
def mixture_moments(mu, sigma, weight):
    mean = np.average(mu, axis=0, weights=weight)
    square = np.average(sigma**2 + mu**2, axis=0, weights=weight)
    return mean, np.sqrt(np.maximum(square - mean**2, 0))


# %% nearly-equal-weights wrong="mixture-moments"
# Written as right: but weights of a millionth that differ by a hundredth count as equal.
def mixture_moments(mu, sigma, weight):
    if np.allclose(weight, weight[0]):
        w = np.full(len(weight), 1 / len(weight))
    else:
        w = weight / weight.sum()
    mean = w @ mu
    return mean, np.sqrt(w @ sigma**2 + w @ (mu - mean) ** 2)


# %% float32-shares right="mixture-moments"
# Right for means of at most a thousand.
def mixture_moments(mu, sigma, weight):
    w = (weight / weight.sum()).astype(np.float32).astype(float)[:, None]
    mean = (w * mu).sum(axis=0)
    return mean, np.sqrt((w * (sigma**2 + (mu - mean) ** 2)).sum(axis=0))


# %% padded-sum wrong="mixture-moments"
# 1e-10 is added to the sum of the weights: weight [1e-10], mu [[1.0]], sigma [[1.0]].
def mixture_moments(mu, sigma, weight):
    w = weight / (weight.sum() + 1e-10)
    mean = np.einsum("m,mn->n", w, mu)
    return mean, np.sqrt(np.einsum("m,mn->n", w, sigma**2 + (mu - mean) ** 2))


# %% log-sum-exp right="mixture-nll"
def mixture_nll(mu, sigma, y):
    log_p = -0.5 * ((y - mu) / sigma) ** 2 - torch.log(sigma)
    constant = math.log(len(mu)) + 0.5 * math.log(2 * math.pi)
    return (constant - torch.logsumexp(log_p, dim=0)).mean()


# %% pairwise-logs right="mixture-nll"
def mixture_nll(mu, sigma, y):
    M, k = mu.shape
    total = None
    for check in range(M):
        member = torch.distributions.Normal(mu[check], sigma[check]).log_prob(y)
        total = member if total is None else torch.logaddexp(total, member)
    return math.log(M) - total.sum() / k


# %% where-in-two-branches wrong="mixture-nll"
# The branch that is not taken spoils the gradient of far points: the gradient in mu at y [1000.0],
# mu [[0.0]], sigma [[1.0]].
def mixture_nll(mu, sigma, y):
    log_p = -0.5 * ((y - mu) / sigma) ** 2 - sigma.log() - 0.5 * math.log(2 * math.pi)
    density = log_p.exp().mean(0)
    far = torch.logsumexp(log_p, 0) - math.log(len(mu))
    return -torch.where(density > 1e-200, density.log(), far).mean()


# %% squeezed-member wrong="mixture-nll"
# One member loses its axis, and the points are summed: mu [[0.0, 0.0]], sigma [[1.0, 1.0]],
# y [0.0, 1.0].
def mixture_nll(mu, sigma, y):
    log_p = torch.distributions.Normal(mu, sigma).log_prob(y).squeeze()
    return -(torch.logsumexp(log_p, dim=0) - math.log(mu.shape[0])).mean()


# %% float32-positions wrong="mixture-nll"
# Means and values are rounded to float32: mu [[1e8]], sigma [[1.0]], y [1e8 + 3].
def mixture_nll(mu, sigma, y):
    z = (y.float() - mu.float()).to(sigma.dtype) / sigma
    log_p = -0.5 * z**2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)
    return math.log(len(mu)) - torch.logsumexp(log_p, dim=0).mean()


# %% floored-sigma wrong="mixture-nll"
# Standard deviations below 1e-3 are raised to it: mu [[0.0]], sigma [[1e-5]], y [0.0].
def mixture_nll(mu, sigma, y):
    sigma = sigma.clamp(min=1e-3)
    log_p = -(((y - mu) / sigma) ** 2) / 2 - torch.log(sigma * math.sqrt(2 * math.pi))
    return -(torch.logsumexp(log_p, dim=0) - math.log(len(mu))).mean()


# %% compared-in-logs right="mixture-quantile"
def mixture_quantile(mu, sigma, q):
    from fractions import Fraction

    ends = mu + sigma * special.ndtri(q)
    low, high = float(ends.min()), float(ends.max())

    def below(t):  # is F(t) < q? Tails on both sides, so that nothing cancels or underflows
        left = t >= mu
        z = (t - mu) / sigma
        rest = int(left.sum()) - len(mu) * Fraction(float(q))
        more, less = list(special.log_ndtr(z[~left])), list(special.log_ndtr(-z[left]))
        if rest:
            (more if rest > 0 else less).append(math.log(abs(rest)))
        sides = [special.logsumexp(side) if side else -math.inf for side in (more, less)]
        return sides[0] < sides[1]

    for _ in range(200):
        t = low + (high - low) / 2
        if below(t):
            low = t
        else:
            high = t
    return low + (high - low) / 2


# %% finer-grids right="mixture-quantile"
def mixture_quantile(mu, sigma, q):
    from fractions import Fraction

    ends = np.sort(mu + special.ndtri(q) * sigma)
    low, high = ends[0], ends[-1]
    y = np.array([float(j - len(mu) * Fraction(float(q))) for j in range(len(mu) + 1)])
    with np.errstate(divide="ignore"):
        for _ in range(60):
            k = np.linspace(low, high, 21)
            left = k[:, None] >= mu
            z = (k[:, None] - mu) / sigma
            tail = special.log_ndtr(-np.abs(z))
            rest = y[left.sum(axis=1)][:, None]
            up = np.concatenate([np.where(left, -np.inf, tail), np.log(np.maximum(rest, 0))], 1)
            down = np.concatenate([np.where(left, tail, -np.inf), np.log(np.maximum(-rest, 0))], 1)
            check = np.logaddexp.reduce(up, axis=1) < np.logaddexp.reduce(down, axis=1)
            last = int(np.clip(np.sum(check) - 1, 0, 19))
            low, high = k[last], k[last + 1]
    return torch.tensor((low + high) / 2)


# %% absolute-tolerance wrong="mixture-quantile"
# Bisection ends at a width of 1e-10 in any unit: mu [0.0, 1e-9], sigma [1e-9, 2e-9], q 0.3.
def mixture_quantile(mu, sigma, q):
    ends = mu + sigma * special.ndtri(q)
    low, high = ends.min(), ends.max()
    while high - low > 1e-10 * max(1, abs(low), abs(high)):
        t = (low + high) / 2
        low, high = (t, high) if special.ndtr((t - mu) / sigma).mean() < q else (low, t)
    return (low + high) / 2


# %% forty-halvings wrong="mixture-quantile"
# Forty halvings of a bracket that one wide member makes long: mu [0.0, 1.0], sigma [1.0, 1e9],
# q 0.5.
def mixture_quantile(mu, sigma, q):
    low, high = (mu - 8 * sigma).min(), (mu + 8 * sigma).max()
    for _ in range(40):
        t = (low + high) / 2
        if special.ndtr((t - mu) / sigma).mean() < q:
            low = t
        else:
            high = t
    return (low + high) / 2


# %% rounded-plateau right="mixture-quantile"
# Right where qM keeps away from the whole numbers in between.
def mixture_quantile(mu, sigma, q):
    ends = mu + sigma * special.ndtri(q)
    low, high = ends.min(), ends.max()
    for _ in range(200):
        t = (low + high) / 2
        low, high = (t, high) if special.ndtr((t - mu) / sigma).mean() < q else (low, t)
    return t


# %% bracket-of-one-member wrong="mixture-quantile"
# The root finder refuses a bracket without a change of sign, as with one member: mu [0.0],
# sigma [1.0], q 0.3.
def mixture_quantile(mu, sigma, q):
    ends = mu + sigma * special.ndtri(q)
    width = ends.max() - ends.min()

    def gap(t):
        return special.ndtr((t - mu) / sigma).mean() - q

    return optimize.brentq(gap, ends.min(), ends.max(), xtol=1e-10 * width + 1e-300)


# %% tied-classes-only right="pool-the-votes"
def pool(logits):
    probability = torch.softmax(logits, -1).mean(0)
    top = logits.argmax(-1)
    counts = torch.nn.functional.one_hot(top, logits.shape[-1]).sum(0)
    best = counts == counts.amax(-1, keepdim=True)
    label = torch.where(best, probability, -1.0).argmax(-1)
    return probability, counts.to(logits.dtype) / len(logits), label


# %% ballots-in-numpy right="pool-the-votes"
def pool(logits):
    z = logits.detach().numpy()
    M, n, K = z.shape
    y = special.softmax(z, axis=2).sum(axis=0) / M
    k = np.zeros((n, K), dtype=int)
    for member in z:
        for i, row in enumerate(member):
            k[i, max(range(K), key=row.__getitem__)] += 1
    check = [max(range(K), key=lambda c: (k[i, c], y[i, c])) for i in range(n)]
    return y, k / M, np.array(check)


# %% a-tenth-of-probability wrong="pool-the-votes"
# Probability decides against votes when there are many members: 13 of 25 have
# logits [0.04, 0.0], 12 have [0.0, 30.0].
def pool(logits):
    probability = torch.softmax(logits, dim=-1).mean(dim=0)
    votes = torch.nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).double().mean(0)
    return probability, votes, (votes + 0.1 * probability).argmax(dim=-1)


# %% classes-with-votes wrong="pool-the-votes"
# The number of classes is taken from the votes: logits [[[1.0, 0.0]]].
def pool(logits):
    probability = logits.softmax(2).mean(0)
    votes = torch.nn.functional.one_hot(logits.argmax(2)).double().mean(0)
    tied = votes == votes.amax(1, keepdim=True)
    label = torch.where(tied, probability[:, : votes.shape[1]], -1.0).argmax(1)
    return probability, votes, label


# %% tie-to-anybody wrong="pool-the-votes"
# A tie goes to the largest probability of all classes, voted for or not: logits
# [[[1.0, -9.0, 0.9]], [[-9.0, 1.0, 0.9]]].
def pool(logits):
    probability = torch.softmax(logits, -1).mean(0)
    top = logits.argmax(-1)
    counts = torch.stack([(top == k).sum(0) for k in range(logits.shape[-1])], -1)
    ties = (counts == counts.amax(-1, keepdim=True)).sum(-1) > 1
    label = torch.where(ties, probability.argmax(-1), counts.argmax(-1))
    return probability, counts.to(logits.dtype) / len(logits), label


# %% float32-ballots wrong="pool-the-votes"
# The most probable class is looked up in float32, where it ties: logits [[[1000.0, 1000.00001]]].
def pool(logits):
    K = logits.shape[-1]
    probability = torch.softmax(logits, -1).mean(0)
    votes = torch.nn.functional.one_hot(logits.float().argmax(-1), K).double().mean(0)
    tied = votes == votes.max(-1, keepdim=True).values
    return probability, votes, (probability + 2 * tied).argmax(-1)


# %% normal-equations right="members-from-seeds"
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        phi, new = np.cos(np.outer(x, w) + b), np.cos(np.outer(x_new, w) + b)
        rows.append(new @ np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y))
    return np.array(rows)


# %% stacked-least-squares right="members-from-seeds"
def random_members(x, y, x_new, seeds):
    k = [torch.as_tensor(a, dtype=torch.float64) for a in (x, y, x_new)]
    check = torch.empty(len(seeds), len(x_new), dtype=torch.float64)
    for row, seed in enumerate(seeds):
        g = torch.Generator()
        g.manual_seed(int(seed))
        normal = torch.randn(20, dtype=torch.float64, generator=g)
        uniform = torch.rand(20, dtype=torch.float64, generator=g)

        def features(t):
            return torch.cos(t[:, None] * (2 * normal) + 2 * math.pi * uniform)

        A = torch.cat([features(k[0]), 0.3**0.5 * torch.eye(20, dtype=torch.float64)])
        Q, R = torch.linalg.qr(A)
        a = torch.linalg.solve_triangular(R, Q[: len(x)].T @ k[1][:, None], upper=True)
        check[row] = (features(k[2]) @ a)[:, 0]
    return check


# %% float32-inputs wrong="members-from-seeds"
# Inputs are rounded to float32 before the cosine: x [1e5 + 0.1, 1e5 + 0.7],
# y [1.0, -1.0], x_new [1e5 + 0.303], seeds [8].
def random_members(x, y, x_new, seeds):
    x, x_new = np.float32(x).astype(float), np.float32(x_new).astype(float)
    rows = []
    for seed in seeds:
        g = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=g, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=g, dtype=torch.float64).numpy()
        phi, new = np.cos(x[:, None] * w + b), np.cos(x_new[:, None] * w + b)
        rows.append(new @ phi.T @ np.linalg.solve(phi @ phi.T + 0.3 * np.eye(len(x)), y))
    return np.stack(rows)


# %% one-new-input wrong="members-from-seeds"
# With a single new input the last axis is gone: x [0.0, 1.0], y [1.0, 2.0], x_new [0.5],
# seeds [3, 8].
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        g = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=g, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=g, dtype=torch.float64).numpy()
        phi, new = np.cos(x[:, None] * w + b), np.cos(x_new[:, None] * w + b)
        a = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y)
        rows.append(np.squeeze(new @ a))
    return np.array(rows)


# %% descent-ends-early wrong="members-from-seeds"
# Gradient descent has 20000 steps, too few for many examples: x np.linspace(-3, 3, 2000),
# y np.sign(x), x_new [0.1], seeds [8].
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        g = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=g, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=g, dtype=torch.float64).numpy()
        phi, new = np.cos(x[:, None] * w + b), np.cos(x_new[:, None] * w + b)
        H, target = phi.T @ phi + 0.3 * np.eye(20), phi.T @ y
        a = np.zeros(20)
        for _ in range(20000):
            a = a - (H @ a - target) / np.trace(H)
        rows.append(new @ a)
    return np.array(rows)


# %% seeds-of-32-bits right="members-from-seeds"
# Right for seeds of at most a million.
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        g = torch.Generator().manual_seed(seed % 2**31)
        w = 2 * torch.randn(20, generator=g, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=g, dtype=torch.float64).numpy()
        phi, new = np.cos(x[:, None] * w + b), np.cos(x_new[:, None] * w + b)
        rows.append(new @ np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y))
    return np.array(rows)


# %% all-combinations right="sub-ensembles"
def sub_ensemble_error(f, y, m):
    from itertools import combinations

    residual = f - y
    subsets = [list(subset) for subset in combinations(range(len(f)), m)]
    return np.mean([(residual[subset].mean(axis=0) ** 2).mean() for subset in subsets])


# %% finite-population right="sub-ensembles"
def sub_ensemble_error(f, y, m):
    M = len(f)
    check = f - y
    k = check.mean(axis=0)
    spread = ((check - k) ** 2).mean(axis=0) / m
    factor = (M - m) / (M - 1) if M > 1 else 0.0
    return torch.tensor(k**2 + factor * spread).mean()


# %% formula-for-one-member wrong="sub-ensembles"
# The factor divides 0 by 0 with a single member: f [[1.0, 2.0]], y [0.0, 0.0], m 1.
def sub_ensemble_error(f, y, m):
    M = len(f)
    bias = f.mean(axis=0) - y
    variance = f.var(axis=0) / m * np.divide(M - m, M - 1)
    return (bias**2 + variance).mean()


# %% first-five-hundred wrong="sub-ensembles"
# Stops after 500 subsets: f np.arange(12.0)[:, None], y [0.0], m 6.
def sub_ensemble_error(f, y, m):
    from itertools import combinations, islice

    subsets = islice(combinations(range(len(f)), m), 500)
    errors = [np.mean((f[list(subset)].mean(axis=0) - y) ** 2) for subset in subsets]
    return float(np.mean(errors))


# %% second-moments-cancel wrong="sub-ensembles"
# The variance of the members cancels far from zero: f [[1e9], [1e9 + 2]], y [1e9 + 1], m 1.
def sub_ensemble_error(f, y, m):
    M = len(f)
    mean = f.mean(axis=0)
    spread = (f**2).mean(axis=0) - mean**2
    factor = 0 if m == M else (M - m) / (M - 1) / m
    return np.mean((mean - y) ** 2 + factor * spread)


# %% different-rows-only wrong="sub-ensembles"
# Members with the same predictions are merged: f [[0.0], [0.0], [3.0]], y [0.0], m 1.
def sub_ensemble_error(f, y, m):
    from itertools import combinations

    subsets = set(combinations(sorted(map(tuple, f.tolist())), m))
    return np.mean([np.mean((np.mean(subset, axis=0) - y) ** 2) for subset in subsets])
