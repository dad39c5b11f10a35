# %% [markdown]
# Answers written from the text alone.


# %% moments-total-variance right="mixture-moments"
# Normalised weights; mean of the variances plus variance of the means about the mixture's mean.
def mixture_moments(mu, sigma, weight):
    share = weight / weight.sum()
    mean = share @ mu
    variance = share @ (sigma**2 + (mu - mean) ** 2)
    return mean, np.sqrt(variance)


# %% moments-torch-mixture right="mixture-moments"
# torch.distributions: a mixture of M Normals for each column.
def mixture_moments(mu, sigma, weight):
    m, n = mu.shape
    chosen = torch.distributions.Categorical(probs=torch.tensor(weight).expand(n, m))
    parts = torch.distributions.Normal(torch.tensor(mu).T, torch.tensor(sigma).T)
    mixture = torch.distributions.MixtureSameFamily(chosen, parts)
    return mixture.mean, mixture.variance.sqrt()


# %% moments-normalised-above-one wrong="mixture-moments"
# Normalises only weights that sum to more than 1; wrong for weights like (0.1, 0.2).
def mixture_moments(mu, sigma, weight):
    total = weight.sum()
    share = weight / total if total > 1 else weight
    mean = share @ mu
    variance = share @ (sigma**2 + (mu - mean) ** 2)
    return mean, np.sqrt(variance)


# %% moments-small-weights-dropped wrong="mixture-moments"
# Drops members with less than 1e-5 of the weight; wrong when such a member has a huge sigma,
# e.g. weights (1, 2e-6), sigmas (1, 1e5).
def mixture_moments(mu, sigma, weight):
    share = weight / weight.sum()
    keep = share >= 1e-5
    mu, sigma, share = mu[keep], sigma[keep], share[keep] / share[keep].sum()
    mean = share @ mu
    variance = share @ sigma**2 + share @ (mu - mean) ** 2
    return mean, np.sqrt(variance)


# %% moments-close-means-agree wrong="mixture-moments"
# Takes means that np.isclose calls equal as equal; wrong for means 1000 and 1000.009 with
# standard deviations of 0.01, where the disagreement counts.
def mixture_moments(mu, sigma, weight):
    share = weight / weight.sum()
    mean = share @ mu
    between = share @ (mu - mean) ** 2
    between = np.where(np.isclose(mu.min(axis=0), mu.max(axis=0)), 0.0, between)
    return mean, np.sqrt(share @ sigma**2 + between)


# %% moments-squeezed wrong="mixture-moments"
# Squeezes the results, so that their shape is () and not (1,) for a single column, n = 1.
def mixture_moments(mu, sigma, weight):
    share = (weight / weight.sum())[:, None]
    mean = (share * mu).sum(axis=0, keepdims=True)
    variance = (share * (sigma**2 + (mu - mean) ** 2)).sum(axis=0, keepdims=True)
    return mean.squeeze(), np.sqrt(variance).squeeze()


# %% moments-raw-second-moment-single wrong="mixture-moments"
# Second moment minus squared mean, in single precision; wrong for means near 1000 with small
# standard deviations (cancellation).
def mixture_moments(mu, sigma, weight):
    share = torch.tensor(weight / weight.sum(), dtype=torch.float32)
    mu = torch.tensor(mu, dtype=torch.float32)
    sigma = torch.tensor(sigma, dtype=torch.float32)
    mean = share @ mu
    variance = share @ (sigma**2 + mu**2) - mean**2
    return mean.double().numpy(), variance.clamp(min=0).sqrt().double().numpy()


# %% nll-logsumexp right="mixture-nll"
# Log-densities of the members, logsumexp over members, minus log M.
def mixture_nll(mu, sigma, y):
    z = (y - mu) / sigma
    log_density = -0.5 * z**2 - sigma.log() - 0.5 * math.log(2 * math.pi)
    return -(torch.logsumexp(log_density, dim=0) - math.log(mu.shape[0])).mean()


# %% nll-mixture-same-family right="mixture-nll"
# torch.distributions: MixtureSameFamily with equal probabilities works in logs itself.
def mixture_nll(mu, sigma, y):
    parts = torch.distributions.Normal(mu.T, sigma.T)
    equal = torch.distributions.Categorical(logits=torch.zeros_like(mu.T))
    return -torch.distributions.MixtureSameFamily(equal, parts).log_prob(y).mean()


# %% nll-distance-clamped wrong="mixture-nll"
# Clamps the standardised distance at 1e5; value and gradient are wrong for points that are
# further away than that from all members, e.g. 5e5 standard deviations.
def mixture_nll(mu, sigma, y):
    z = ((y - mu) / sigma).clamp(-1e5, 1e5)
    log_density = -0.5 * z**2 - sigma.log() - 0.5 * math.log(2 * math.pi)
    return -(torch.logsumexp(log_density, dim=0) - math.log(mu.shape[0])).mean()


# %% nll-best-member-if-underflow wrong="mixture-nll"
# Where the density underflows only the best member counts; off by log 2 if two equal members
# are far from y, and the gradient is nan there (where and log of 0).
def mixture_nll(mu, sigma, y):
    log_density = torch.distributions.Normal(mu, sigma).log_prob(y)
    density = log_density.exp().mean(dim=0)
    best = log_density.max(dim=0).values - math.log(mu.shape[0])
    return -torch.where(density > 0, density.log(), best).mean()


# %% nll-torch-loss-with-eps wrong="mixture-nll"
# gaussian_nll_loss has a floor of 1e-6 for the variance; wrong for sigma below 1e-3.
def mixture_nll(mu, sigma, y):
    nll = torch.nn.functional.gaussian_nll_loss(
        mu, y.expand_as(mu), sigma**2, full=True, reduction="none"
    )
    return (math.log(mu.shape[0]) - torch.logsumexp(-nll, dim=0)).mean()


# %% nll-expanded-square wrong="mixture-nll"
# Expands (y - mu)^2; cancellation for y and mu of 1e5 and more with a small sigma.
def mixture_nll(mu, sigma, y):
    square = y**2 - 2 * y * mu + mu**2
    log_density = -0.5 * square / sigma**2 - sigma.log() - 0.5 * math.log(2 * math.pi)
    return -(torch.logsumexp(log_density, dim=0) - math.log(mu.shape[0])).mean()


# %% nll-two-members wrong="mixture-nll"
# Subtracts log 2, which fits two members only; wrong for any other M, also for M = 1.
def mixture_nll(mu, sigma, y):
    log_density = torch.distributions.Normal(mu, sigma).log_prob(y)
    return math.log(2) - torch.logsumexp(log_density, dim=0).mean()


# %% quantile-bisection right="mixture-quantile"
# Bisection between the members' quantiles; the upper half is solved in the upper tail.
def mixture_quantile(mu, sigma, q):
    ends = mu + sigma * special.ndtri(q)
    low, high = float(ends.min()), float(ends.max())
    for _ in range(300):
        middle = low + (high - low) / 2
        z = (middle - mu) / sigma
        if q <= 0.5:
            below = special.ndtr(z).mean() < q
        else:
            below = special.ndtr(-z).mean() > 1 - q
        if below:
            low = middle
        else:
            high = middle
    return low + (high - low) / 2


# %% quantile-brentq-mirrored right="mixture-quantile"
# Brent's method on the mirrored mixture if q is above 1/2, tolerance in units of the range.
def mixture_quantile(mu, sigma, q):
    if q > 0.5:
        mu, level, sign = -mu, 1 - q, -1.0
    else:
        level, sign = q, 1.0
    ends = mu + sigma * special.ndtri(level)
    low, high = float(ends.min()), float(ends.max())

    def excess(t):
        return float(special.ndtr((t - mu) / sigma).mean()) / level - 1

    if high <= low or excess(low) >= 0:
        return sign * low
    if excess(high) <= 0:
        return sign * high
    width = high - low
    root = optimize.brentq(excess, low, high, xtol=1e-10 * width, rtol=9e-16, maxiter=20000)
    return sign * root


# %% quantile-lower-tail-only right="mixture-quantile"
# Written as wrong; right since the text asks for a range of a thousandth above level 0.99.
# Its reader's words:
# F near 1 is known to 1e-16 only; wrong for q = 1 - 1e-6 when the members nearly agree, e.g.
# mu = (0, 1e-6), sigma = (1, 1): the answer is then off by 1e-5 of the range.
def mixture_quantile(mu, sigma, q):
    ends = mu + sigma * special.ndtri(q)
    low, high = float(ends.min()), float(ends.max())
    for _ in range(300):
        middle = low + (high - low) / 2
        if special.ndtr((middle - mu) / sigma).mean() < q:
            low = middle
        else:
            high = middle
    return low + (high - low) / 2


# %% quantile-absolute-tolerance wrong="mixture-quantile"
# Stops when the bracket is 1e-8 wide, in absolute terms; wrong where the whole range is small,
# e.g. mu = (0, 1e-6, 3e-6), sigma = 1e-6.
def mixture_quantile(mu, sigma, q):
    mirrored = q > 0.5
    if mirrored:
        mu, q = -mu, 1 - q
    ends = mu + sigma * special.ndtri(q)
    low, high = float(ends.min()), float(ends.max())
    for _ in range(300):
        if high - low < 1e-8:
            break
        middle = (low + high) / 2
        if special.ndtr((middle - mu) / sigma).mean() < q:
            low = middle
        else:
            high = middle
    answer = (low + high) / 2
    return -answer if mirrored else answer


# %% quantile-fixed-bracket wrong="mixture-quantile"
# Looks between -10000 and 10000 only; wrong for members with means of 1e5.
def mixture_quantile(mu, sigma, q):
    mirrored = q > 0.5
    if mirrored:
        mu, q = -mu, 1 - q
    low, high = -1e4, 1e4
    for _ in range(300):
        middle = (low + high) / 2
        if special.ndtr((middle - mu) / sigma).mean() < q:
            low = middle
        else:
            high = middle
    return -low if mirrored else low


# %% quantile-four-sigma-bracket wrong="mixture-quantile"
# The bracket ends 4.2 of the largest sigma outside the means; wrong for one member (or members
# that agree) and q = 1e-6, whose quantile is 4.75 standard deviations out.
def mixture_quantile(mu, sigma, q):
    mirrored = q > 0.5
    if mirrored:
        mu, q = -mu, 1 - q
    low = mu.min() - 4.2 * sigma.max()
    high = mu.max() + 4.2 * sigma.max()
    for _ in range(300):
        middle = (low + high) / 2
        if special.ndtr((middle - mu) / sigma).mean() < q:
            low = middle
        else:
            high = middle
    answer = float(low + high) / 2
    return -answer if mirrored else answer


# %% quantile-brentq-empty-range wrong="mixture-quantile"
# Brent's method without a case for a range of 0: raises for M = 1 and for equal members.
def mixture_quantile(mu, sigma, q):
    sign = 1.0
    if q > 0.5:
        mu, q, sign = -mu, 1 - q, -1.0
    ends = mu + sigma * special.ndtri(q)
    low, high = float(ends.min()), float(ends.max())
    root = optimize.brentq(
        lambda t: float(special.ndtr((t - mu) / sigma).mean()) / q - 1,
        low,
        high,
        xtol=1e-10 * (high - low),
        rtol=9e-16,
        maxiter=20000,
    )
    return sign * root


# %% pool-masked-argmax right="pool-the-votes"
# Softmax and one-hot votes averaged over members; label: probability where votes are maximal.
def pool(logits):
    probability = torch.softmax(logits, dim=-1).mean(dim=0)
    best = logits.argmax(dim=-1)
    counts = torch.nn.functional.one_hot(best, logits.shape[-1]).sum(dim=0)
    votes = counts.double() / logits.shape[0]
    leading = counts == counts.max(dim=-1, keepdim=True).values
    label = torch.where(leading, probability, -torch.ones_like(probability)).argmax(dim=-1)
    return probability, votes, label


# %% pool-numpy-lexsort right="pool-the-votes"
# NumPy: counts member by member, then a sort by count and, within it, by probability.
def pool(logits):
    values = logits.detach().numpy()
    m, n, k = values.shape
    probability = special.softmax(values, axis=-1).mean(axis=0)
    counts = np.zeros((n, k))
    for member in values:
        counts[np.arange(n), member.argmax(axis=-1)] += 1
    label = np.lexsort((probability, counts), axis=-1)[:, -1]
    return probability, counts / m, label


# %% pool-tie-by-small-bonus wrong="pool-the-votes"
# Adds a hundredth of the probability to the shares; wrong for more than 100 members, where
# 101 against 100 votes of 201 are outvoted by a probability.
def pool(logits):
    probability = torch.softmax(logits, dim=-1).mean(dim=0)
    best = logits.argmax(dim=-1)
    votes = torch.nn.functional.one_hot(best, logits.shape[-1]).double().mean(dim=0)
    label = (votes + 0.01 * probability).argmax(dim=-1)
    return probability, votes, label


# %% pool-tie-by-all-classes wrong="pool-the-votes"
# On a tie takes the largest probability of all classes, also of one with fewer votes; wrong for
# votes (2, 2, 1) where class 2 has the largest mean probability.
def pool(logits):
    probability = torch.softmax(logits, dim=-1).mean(dim=0)
    best = logits.argmax(dim=-1)
    counts = torch.nn.functional.one_hot(best, logits.shape[-1]).sum(dim=0)
    top = counts.max(dim=-1, keepdim=True).values
    tied = (counts == top).sum(dim=-1) > 1
    label = torch.where(tied, probability.argmax(dim=-1), counts.argmax(dim=-1))
    return probability, counts.double() / logits.shape[0], label


# %% pool-single-precision-votes wrong="pool-the-votes"
# Finds the most probable class in float32; wrong where the two largest logits differ by 1e-9
# and the larger comes second.
def pool(logits):
    probability = torch.softmax(logits, dim=-1).mean(dim=0)
    best = logits.float().argmax(dim=-1)
    counts = torch.nn.functional.one_hot(best, logits.shape[-1]).sum(dim=0)
    leading = counts == counts.max(dim=-1, keepdim=True).values
    label = probability.masked_fill(~leading, -1.0).argmax(dim=-1)
    return probability, counts.double() / logits.shape[0], label


# %% pool-clamped-exponentials wrong="pool-the-votes"
# Clamps logits at 700 against overflow; wrong for logits 1000 and 999, which become equal.
def pool(logits):
    power = logits.clamp(-700, 700).exp()
    probability = (power / power.sum(dim=-1, keepdim=True)).mean(dim=0)
    best = logits.argmax(dim=-1)
    counts = torch.nn.functional.one_hot(best, logits.shape[-1]).sum(dim=0)
    leading = counts == counts.max(dim=-1, keepdim=True).values
    label = probability.masked_fill(~leading, -1.0).argmax(dim=-1)
    return probability, counts.double() / logits.shape[0], label


# %% pool-squeezed-label wrong="pool-the-votes"
# Squeezes what comes out of nonzero-like picking; for n = 1 the label has shape () and not (1,).
def pool(logits):
    probability = torch.softmax(logits, dim=-1).mean(dim=0)
    best = logits.argmax(dim=-1)
    counts = torch.nn.functional.one_hot(best, logits.shape[-1]).sum(dim=0)
    leading = counts == counts.max(dim=-1, keepdim=True).values
    score = torch.where(leading, probability, torch.zeros_like(probability))
    label = score.topk(1, dim=-1).indices.squeeze()
    return probability, counts.double() / logits.shape[0], label


# %% members-normal-equations right="members-from-seeds"
# For each seed its own generator, and the ridge system solved by torch.linalg.solve.
def random_members(x, y, x_new, seeds):
    x, y, x_new = (torch.tensor(np.array(v), dtype=torch.float64) for v in (x, y, x_new))
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(int(seed))
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64)
        b = 2 * math.pi * torch.rand(20, generator=generator, dtype=torch.float64)
        phi = torch.cos(x[:, None] * w + b)
        system = phi.T @ phi + 0.3 * torch.eye(20, dtype=torch.float64)
        a = torch.linalg.solve(system, phi.T @ y)
        rows.append(torch.cos(x_new[:, None] * w + b) @ a)
    return torch.stack(rows)


# %% members-stacked-least-squares right="members-from-seeds"
# The ridge as 20 more rows of an ordinary least-squares problem, in NumPy.
def random_members(x, y, x_new, seeds):
    target = np.concatenate([y, np.zeros(20)])
    result = np.empty((len(seeds), len(x_new)))
    for row, seed in enumerate(seeds):
        generator = torch.Generator().manual_seed(int(seed))
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        phi = np.cos(np.outer(x, w) + b)
        stacked = np.vstack([phi, math.sqrt(0.3) * np.eye(20)])
        a = np.linalg.lstsq(stacked, target, rcond=None)[0]
        result[row] = np.cos(np.outer(x_new, w) + b) @ a
    return result


# %% members-remembered wrong="members-from-seeds"
# Remembers the readout of a seed from call to call; wrong when the same seed comes with other
# data later.
def random_members(x, y, x_new, seeds, trained={}):
    rows = []
    for seed in seeds:
        if seed not in trained:
            generator = torch.Generator().manual_seed(int(seed))
            w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
            b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
            phi = np.cos(np.outer(x, w) + b)
            a = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y)
            trained[seed] = w, b, a
        w, b, a = trained[seed]
        rows.append(np.cos(np.outer(x_new, w) + b) @ a)
    return np.array(rows)


# %% members-gradient-descent wrong="members-from-seeds"
# 20000 steps of gradient descent in place of the exact minimum; far from converged for many
# points, e.g. n = 1000 noisy ones on [-1.5, 1.5].
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(int(seed))
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        phi = np.cos(np.outer(x, w) + b)
        system, right = phi.T @ phi + 0.3 * np.eye(20), phi.T @ y
        step = 1 / np.linalg.eigvalsh(system)[-1]
        a = np.zeros(20)
        for _ in range(20000):
            a = a - step * (system @ a - right)
        rows.append(np.cos(np.outer(x_new, w) + b) @ a)
    return np.array(rows)


# %% members-ridge-only-if-few wrong="members-from-seeds"
# Leaves the penalty out where there are at least as many points as features; wrong for n >= 20.
def random_members(x, y, x_new, seeds):
    ridge = 0.3 if len(x) < 20 else 0.0
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(int(seed))
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        phi = np.cos(np.outer(x, w) + b)
        stacked = np.vstack([phi, math.sqrt(ridge) * np.eye(20)])
        a = np.linalg.lstsq(stacked, np.append(y, np.zeros(20)), rcond=None)[0]
        rows.append(np.cos(np.outer(x_new, w) + b) @ a)
    return np.array(rows)


# %% members-squeezed wrong="members-from-seeds"
# Squeezes the last axis: for a single new input, k = 1, the shape is (M,) and not (M, 1).
def random_members(x, y, x_new, seeds):
    x, y, x_new = (torch.tensor(np.array(v), dtype=torch.float64) for v in (x, y, x_new))
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(int(seed))
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64)
        b = 2 * math.pi * torch.rand(20, generator=generator, dtype=torch.float64)
        phi = torch.cos(x[:, None] * w + b)
        a = torch.linalg.solve(phi.T @ phi + 0.3 * torch.eye(20).double(), phi.T @ y)
        rows.append(torch.cos(x_new[:, None] * w + b) @ a)
    return torch.stack(rows).squeeze(-1)


# %% members-numpy-seeded wrong="members-from-seeds"
# Right numbers, but it also seeds NumPy's global generator, which must be left as it is.
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        np.random.seed(int(seed))
        generator = torch.Generator().manual_seed(int(seed))
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        phi = np.cos(np.outer(x, w) + b)
        a = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y)
        rows.append(np.cos(np.outer(x_new, w) + b) @ a)
    return np.array(rows)


# %% subsets-all right="sub-ensembles"
# Goes through all subsets.
def sub_ensemble_error(f, y, m):
    from itertools import combinations

    errors = [
        np.mean((f[list(chosen)].mean(axis=0) - y) ** 2)
        for chosen in combinations(range(f.shape[0]), m)
    ]
    return float(np.mean(errors))


# %% subsets-formula right="sub-ensembles"
# Squared error of the full mean plus the variance of a mean of m out of M, drawn without
# replacement.
def sub_ensemble_error(f, y, m):
    members = f.shape[0]
    bias = (f.mean(axis=0) - y) ** 2
    if m == members:
        return float(bias.mean())
    variance = f.var(axis=0) * (members - m) / (m * (members - 1))
    return float((bias + variance).mean())


# %% subsets-formula-one-member wrong="sub-ensembles"
# The formula with the unbiased variance, which is nan for M = 1 (and nan times 0 is nan).
def sub_ensemble_error(f, y, m):
    members = f.shape[0]
    variance = torch.tensor(np.array(f)).var(dim=0).numpy() * (1 - m / members) / m
    return float(((f.mean(axis=0) - y) ** 2 + variance).mean())


# %% subsets-raw-products wrong="sub-ensembles"
# Expands the square into products of raw predictions; cancellation when f and y are near 1e6
# and the errors small, e.g. a hundredth.
def sub_ensemble_error(f, y, m):
    members = f.shape[0]
    square = (f**2).mean(axis=0)
    total = f.sum(axis=0)
    mean_square = square / m
    if m > 1:
        pair = (total**2 - members * square) / (members * (members - 1))
        mean_square = mean_square + pair * (m - 1) / m
    return float((mean_square - 2 * y * total / members + y**2).mean())


# %% subsets-first-five-hundred wrong="sub-ensembles"
# At most 500 subsets; wrong where there are more, e.g. M = 12 and m = 6 with 924.
def sub_ensemble_error(f, y, m):
    from itertools import combinations, islice

    errors = []
    for chosen in islice(combinations(range(f.shape[0]), m), 500):
        errors.append(((f[list(chosen)].mean(axis=0) - y) ** 2).mean())
    return float(np.mean(errors))


# %% subsets-equal-members-merged wrong="sub-ensembles"
# Takes each different set of predictions once; wrong if two members predict the same and
# another does not.
def sub_ensemble_error(f, y, m):
    from itertools import combinations

    subsets = set(combinations(sorted(map(tuple, f)), m))
    errors = [np.mean((np.mean(chosen, axis=0) - y) ** 2) for chosen in subsets]
    return float(np.mean(errors))


# %% subsets-turned-if-square wrong="sub-ensembles"
# "Repairs" the orientation when the first axis is as long as y; wrong for M = n > 1.
def sub_ensemble_error(f, y, m):
    from itertools import combinations

    if f.shape[0] == len(y):
        f = f.T
    errors = [
        np.mean((f[list(chosen)].mean(axis=0) - y) ** 2)
        for chosen in combinations(range(f.shape[0]), m)
    ]
    return float(np.mean(errors))
