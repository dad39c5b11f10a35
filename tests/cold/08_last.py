# %% [markdown]
# Answers written from the text alone.


# %% moments-centred right="mixture-moments"
# Normalised weights; variance as the weighted mean of sd squared plus squared distance.
def mixture_moments(mu, sigma, weight):
    share = weight / weight.sum()
    mean = share @ mu
    return mean, np.sqrt(share @ (sigma**2 + (mu - mean) ** 2))


# %% moments-running right="mixture-moments"
# Adds one member after the other to a running weight, mean and sum of squares.
def mixture_moments(mu, sigma, weight):
    total = float(weight[0])
    mean = mu[0].copy()
    within = weight[0] * sigma[0] ** 2
    between = np.zeros_like(mean)
    for m in range(1, len(weight)):
        new_total = total + float(weight[m])
        step = mu[m] - mean
        between = between + (total * float(weight[m]) / new_total) * step**2
        mean = mean + step * (float(weight[m]) / new_total)
        within = within + weight[m] * sigma[m] ** 2
        total = new_total
    return mean, np.sqrt((within + between) / total)


# %% moments-sum-above-one wrong="mixture-moments"
# Divides by the sum of the weights only if it is above 1; wrong for weights that sum to 0.5.
def mixture_moments(mu, sigma, weight):
    share = weight / max(weight.sum(), 1.0)
    mean = share @ mu
    return mean, np.sqrt(share @ (sigma**2 + (mu - mean) ** 2))


# %% moments-squeezed wrong="mixture-moments"
# Squeezes its results, so that for one input (n = 1) they are 0-d and not of shape (1,).
def mixture_moments(mu, sigma, weight):
    share = (weight / weight.sum())[:, None]
    mean = (share * mu).sum(axis=0, keepdims=True)
    variance = (share * (sigma**2 + (mu - mean) ** 2)).sum(axis=0, keepdims=True)
    return np.squeeze(mean), np.squeeze(np.sqrt(variance))


# %% moments-whole-copies wrong="mixture-moments"
# Repeats members in whole numbers of copies: right for weights 4, 1, 2, wrong for 1.0 and 1.4.
def mixture_moments(mu, sigma, weight):
    copies = np.round(weight / weight.min()).astype(int)
    share = copies / copies.sum()
    mean = share @ mu
    return mean, np.sqrt(share @ (sigma**2 + (mu - mean) ** 2))


# %% moments-padded-root wrong="mixture-moments"
# Adds 1e-8 below the root "for stability": for sd 0.01 and one member, 5e-5 of it too much.
def mixture_moments(mu, sigma, weight):
    share = weight / weight.sum()
    mean = share @ mu
    return mean, np.sqrt(share @ (sigma**2 + (mu - mean) ** 2) + 1e-8)


# %% nll-distributions right="mixture-nll"
# log_prob of torch.distributions, then logsumexp over the members less log M.
def mixture_nll(mu, sigma, y):
    each = torch.distributions.Normal(mu, sigma).log_prob(y)
    return -(torch.logsumexp(each, dim=0) - math.log(mu.shape[0])).mean()


# %% nll-by-hand right="mixture-nll"
# The shift by the largest log-density of each point is written out by hand.
def mixture_nll(mu, sigma, y):
    each = -0.5 * ((y - mu) / sigma) ** 2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)
    top = each.max(dim=0).values.detach()
    return -(top + torch.log(torch.exp(each - top).mean(dim=0))).mean()


# %% nll-where-nan wrong="mixture-nll"
# Right values, but log(0) in the branch not taken makes the gradient nan at far points.
def mixture_nll(mu, sigma, y):
    each = -0.5 * ((y - mu) / sigma) ** 2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)
    density = each.exp().mean(dim=0)
    stable = torch.logsumexp(each, dim=0) - math.log(mu.shape[0])
    return -torch.where(density > 1e-290, density.log(), stable).mean()


# %% nll-nearest-only wrong="mixture-nll"
# Far points count only the best member; wrong by log 2 where two members are equally far.
def mixture_nll(mu, sigma, y):
    each = -0.5 * ((y - mu) / sigma) ** 2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)
    top = each.max(dim=0).values
    total = torch.where(top < -600, top, torch.logsumexp(each, dim=0))
    return -(total - math.log(mu.shape[0])).mean()


# %% nll-padded-variance wrong="mixture-nll"
# Adds 1e-12 to the variance; wrong for sigma of 1e-5 and below, hopelessly at 1e-8.
def mixture_nll(mu, sigma, y):
    variance = sigma**2 + 1e-12
    each = -0.5 * (y - mu) ** 2 / variance - 0.5 * torch.log(2 * math.pi * variance)
    return -(torch.logsumexp(each, dim=0) - math.log(mu.shape[0])).mean()


# %% nll-square-expanded wrong="mixture-nll"
# Multiplies the square out, which cancels for y and mu near 1e6 with sigma of 0.01.
def mixture_nll(mu, sigma, y):
    square = (y**2 - 2 * y * mu + mu**2) / sigma**2
    each = -0.5 * square - torch.log(sigma) - 0.5 * math.log(2 * math.pi)
    return -(torch.logsumexp(each, dim=0) - math.log(mu.shape[0])).mean()


# %% quantile-bisection right="mixture-quantile"
# Bisects between the members' quantiles down to neighbouring floats; upper tail from above.
def mixture_quantile(mu, sigma, q):
    sign = 1.0 if q <= 0.5 else -1.0
    tail = q if q <= 0.5 else 1.0 - q
    member = mu + sign * sigma * special.ndtri(tail)
    low, high = float(member.min()), float(member.max())
    while True:
        middle = low + (high - low) / 2
        if not low < middle < high:
            return middle
        mass = math.fsum(special.ndtr(sign * (middle - mu) / sigma))
        if sign * (mass - tail * len(mu)) < 0:
            low = middle
        else:
            high = middle


# %% quantile-brent right="mixture-quantile"
# Brent's method for the position between the smallest and the largest member's quantile.
def mixture_quantile(mu, sigma, q):
    sign = 1.0 if q <= 0.5 else -1.0
    tail = q if q <= 0.5 else 1.0 - q
    member = mu + sign * sigma * special.ndtri(tail)
    low, high = float(np.min(member)), float(np.max(member))

    def excess(part):
        z = (low + part * (high - low) - mu) / sigma
        return sign * (float(np.mean(special.ndtr(sign * z))) - tail)

    if excess(0.0) >= 0:
        return low
    if excess(1.0) <= 0:
        return high
    part = optimize.brentq(excess, 0.0, 1.0, xtol=1e-13, rtol=1e-15, maxiter=5000)
    return low + part * (high - low)


# %% quantile-absolute-tolerance wrong="mixture-quantile"
# Stops at an absolute width of 1e-9; wrong where means and sds are about 1e-6 in size.
def mixture_quantile(mu, sigma, q):
    member = mu + sigma * special.ndtri(q)
    low, high = float(member.min()), float(member.max())
    while high - low > 1e-9:
        middle = (low + high) / 2
        if special.ndtr((middle - mu) / sigma).mean() < q:
            low = middle
        else:
            high = middle
    return (low + high) / 2


# %% quantile-narrow-bracket wrong="mixture-quantile"
# Searches no further than 4.5 sds outside the means; wrong for one member and q = 1e-6 (4.75).
def mixture_quantile(mu, sigma, q):
    low = float(mu.min() - 4.5 * sigma.max())
    high = float(mu.max() + 4.5 * sigma.max())
    for _ in range(200):
        middle = low + (high - low) / 2
        if special.ndtr((middle - mu) / sigma).mean() < q:
            low = middle
        else:
            high = middle
    return (low + high) / 2


# %% quantile-grid wrong="mixture-quantile"
# Interpolates F on 20001 points: too coarse for members a million apart with sds of 1.
def mixture_quantile(mu, sigma, q):
    member = mu + sigma * special.ndtri(q)
    low, high = float(member.min()), float(member.max())
    if high <= low:
        return low
    grid = np.linspace(low, high, 20001)
    below = np.zeros_like(grid)
    for m in range(len(mu)):
        below += special.ndtr((grid - mu[m]) / sigma[m]) / len(mu)
    return float(np.interp(q, below, grid))


# %% quantile-equal-means wrong="mixture-quantile"
# Takes a shortcut for equal means with the mean sd; wrong if their sds differ (and q is not 0.5).
def mixture_quantile(mu, sigma, q):
    if np.ptp(mu) == 0:
        return float(mu[0] + sigma.mean() * special.ndtri(q))
    member = mu + sigma * special.ndtri(q)
    low, high = float(member.min()), float(member.max())
    for _ in range(200):
        middle = low + (high - low) / 2
        if special.ndtr((middle - mu) / sigma).mean() < q:
            low = middle
        else:
            high = middle
    return (low + high) / 2


# %% pool-masked right="pool-the-votes"
# Softmax and one-hot votes by PyTorch; classes without the most votes are masked for the label.
def pool(logits):
    probability = torch.softmax(logits, dim=-1).mean(dim=0)
    winner = logits.argmax(dim=-1)
    count = torch.nn.functional.one_hot(winner, logits.shape[-1]).sum(dim=0)
    votes = count.to(torch.float64) / logits.shape[0]
    best = count == count.max(dim=-1, keepdim=True).values
    label = torch.where(best, probability, torch.full_like(probability, -1.0)).argmax(dim=-1)
    return probability, votes, label


# %% pool-lexsort right="pool-the-votes"
# In NumPy, member by member; classes are sorted by votes, then by probability.
def pool(logits):
    values = logits.detach().numpy()
    members, n, classes = values.shape
    probability, count = np.zeros((n, classes)), np.zeros((n, classes), dtype=np.int64)
    for member in values:
        probability += special.softmax(member, axis=1) / members
        count[np.arange(n), member.argmax(axis=1)] += 1
    order = np.lexsort((-probability, -count), axis=-1)
    return probability, count / members, order[:, 0]


# %% pool-tenth-of-probability wrong="pool-the-votes"
# Label from votes plus a tenth of the probability: with 20 members, 7 votes can lose against 6.
def pool(logits):
    probability = torch.softmax(logits, dim=-1).mean(dim=0)
    winner = logits.argmax(dim=-1)
    votes = torch.nn.functional.one_hot(winner, logits.shape[-1]).double().mean(dim=0)
    return probability, votes, (votes + 0.1 * probability).argmax(dim=-1)


# %% pool-tie-open-to-all wrong="pool-the-votes"
# In a tie takes the most probable of all classes, also one that has fewer votes than the tied.
def pool(logits):
    probability = torch.softmax(logits, dim=-1).mean(dim=0)
    winner = logits.argmax(dim=-1)
    count = torch.nn.functional.one_hot(winner, logits.shape[-1]).sum(dim=0)
    tied = (count == count.max(dim=-1, keepdim=True).values).sum(dim=-1) > 1
    label = torch.where(tied, probability.argmax(dim=-1), count.argmax(dim=-1))
    return probability, count.double() / logits.shape[0], label


# %% pool-clamped wrong="pool-the-votes"
# Clamps logits at 700 against overflow: logits 1000 and 990 get the same probability.
def pool(logits):
    power = logits.clamp(-700, 700).exp()
    probability = (power / power.sum(dim=-1, keepdim=True)).mean(dim=0)
    winner = logits.argmax(dim=-1)
    count = torch.nn.functional.one_hot(winner, logits.shape[-1]).sum(dim=0)
    best = count == count.max(dim=-1, keepdim=True).values
    label = torch.where(best, probability, torch.full_like(probability, -1.0)).argmax(dim=-1)
    return probability, count.double() / logits.shape[0], label


# %% pool-classes-guessed wrong="pool-the-votes"
# one_hot guesses the number of classes: too few columns if nobody votes for the last class.
def pool(logits):
    probability = torch.softmax(logits, dim=-1).mean(dim=0)
    count = torch.nn.functional.one_hot(logits.argmax(dim=-1)).sum(dim=0)
    best = count == count.max(dim=-1, keepdim=True).values
    among = probability[:, : count.shape[-1]]
    label = torch.where(best, among, torch.full_like(among, -1.0)).argmax(dim=-1)
    return probability, count.double() / logits.shape[0], label


# %% members-normal-equations right="members-from-seeds"
# Solves the regularised normal equations in PyTorch, seed by seed.
def random_members(x, y, x_new, seeds):
    x, y, x_new = (torch.as_tensor(v, dtype=torch.float64) for v in (x, y, x_new))
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(int(seed))
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64)
        b = 2 * math.pi * torch.rand(20, generator=generator, dtype=torch.float64)
        phi = torch.cos(x[:, None] * w + b)
        gram = phi.T @ phi + 0.3 * torch.eye(20, dtype=torch.float64)
        readout = torch.linalg.solve(gram, phi.T @ y)
        rows.append(torch.cos(x_new[:, None] * w + b) @ readout)
    return torch.stack(rows)


# %% members-augmented right="members-from-seeds"
# Least squares in NumPy with 20 more rows, sqrt(0.3) times the identity, for the penalty.
def random_members(x, y, x_new, seeds):
    out = np.empty((len(seeds), len(x_new)))
    target = np.concatenate([y, np.zeros(20)])
    for row, seed in enumerate(seeds):
        generator = torch.Generator()
        generator.manual_seed(int(seed))
        w = 2 * torch.randn(20, dtype=torch.float64, generator=generator).numpy()
        b = 2 * np.pi * torch.rand(20, dtype=torch.float64, generator=generator).numpy()
        design = np.vstack([np.cos(np.outer(x, w) + b), math.sqrt(0.3) * np.eye(20)])
        readout = np.linalg.lstsq(design, target, rcond=None)[0]
        out[row] = np.cos(np.outer(x_new, w) + b) @ readout
    return out


# %% members-remembered wrong="members-from-seeds"
# Keeps a seed's readout between calls: a later call with the same seed and other data is wrong.
def random_members(x, y, x_new, seeds, memory={}):  # noqa: B006
    rows = []
    for seed in seeds:
        if seed not in memory:
            generator = torch.Generator().manual_seed(int(seed))
            w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
            b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
            phi = np.cos(np.outer(x, w) + b)
            readout = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y)
            memory[seed] = (w, b, readout)
        w, b, readout = memory[seed]
        rows.append(np.cos(np.outer(x_new, w) + b) @ readout)
    return np.array(rows)


# %% members-descent wrong="members-from-seeds"
# Gradient descent with a fixed rate: converges for a dozen examples, diverges for hundreds.
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(int(seed))
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        phi = np.cos(np.outer(x, w) + b)
        gram, right = phi.T @ phi + 0.3 * np.eye(20), phi.T @ y
        readout = np.zeros(20)
        for _ in range(20000):
            readout = readout + 0.005 * (right - gram @ readout)
        rows.append(np.cos(np.outer(x_new, w) + b) @ readout)
    return np.array(rows)


# %% members-single-precision wrong="members-from-seeds"
# torch.Tensor rounds the inputs to float32: phases are off by far for x of a thousand or more.
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(int(seed))
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64)
        b = 2 * math.pi * torch.rand(20, generator=generator, dtype=torch.float64)
        phi = torch.cos(torch.Tensor(x)[:, None] * w + b)
        gram = phi.T @ phi + 0.3 * torch.eye(20, dtype=torch.float64)
        readout = torch.linalg.solve(gram, phi.T @ torch.as_tensor(y))
        rows.append(torch.cos(torch.Tensor(x_new)[:, None] * w + b) @ readout)
    return torch.stack(rows)


# %% members-penalty-for-few wrong="members-from-seeds"
# Uses the penalty only with fewer examples than features; wrong for 20 examples or more.
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(int(seed))
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        phi = np.cos(np.outer(x, w) + b)
        if len(x) < 20:
            readout = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y)
        else:
            readout = np.linalg.lstsq(phi, y, rcond=None)[0]
        rows.append(np.cos(np.outer(x_new, w) + b) @ readout)
    return np.array(rows)


# %% subsets-all right="sub-ensembles"
# Goes through all subsets of the members' errors.
def sub_ensemble_error(f, y, m):
    import itertools

    error = f - y
    each = [
        float(np.mean(error[list(chosen)].mean(axis=0) ** 2))
        for chosen in itertools.combinations(range(len(f)), m)
    ]
    return math.fsum(each) / len(each)


# %% subsets-formula right="sub-ensembles"
# Squared error of the mean of all, plus the variance of a mean of m out of M.
def sub_ensemble_error(f, y, m):
    error = f - y
    members = len(error)
    middle = error.mean(axis=0)
    result = middle**2
    if m < members:
        spread = ((error - middle) ** 2).sum(axis=0) / (members - 1)
        result = result + spread / m * (1 - m / members)
    return float(result.mean())


# %% subsets-divide-by-zero wrong="sub-ensembles"
# The formula without its special case: 0 / 0 for a single member (M = m = 1).
def sub_ensemble_error(f, y, m):
    members = len(f)
    error = f - y
    factor = (members - m) / (m * (members - 1))
    return float((error.mean(axis=0) ** 2 + factor * error.var(axis=0)).mean())


# %% subsets-as-set wrong="sub-ensembles"
# Collects the subsets in a set: those with equal predictions count once, if two members agree.
def sub_ensemble_error(f, y, m):
    import itertools

    subsets = set(itertools.combinations([tuple(row) for row in f.tolist()], m))
    each = [np.mean((np.mean(subset, axis=0) - y) ** 2) for subset in sorted(subsets)]
    return float(np.mean(each))


# %% subsets-sampled wrong="sub-ensembles"
# Draws 200 subsets where there are more: not exact for 6 out of 12.
def sub_ensemble_error(f, y, m):
    import itertools

    subsets = list(itertools.combinations(range(len(f)), m))
    if len(subsets) > 200:
        chosen = np.random.default_rng(0).choice(len(subsets), 200, replace=False)
        subsets = [subsets[i] for i in chosen]
    return float(np.mean([np.mean((f[list(s)].mean(axis=0) - y) ** 2) for s in subsets]))


# %% subsets-cancelling wrong="sub-ensembles"
# Variance as mean square less squared mean: lost for predictions near 1e6 that differ by 0.001.
def sub_ensemble_error(f, y, m):
    members = len(f)
    middle = f.mean(axis=0)
    variance = (f**2).mean(axis=0) - middle**2
    factor = (members - m) / (m * max(members - 1, 1))
    return float(((middle - y) ** 2 + factor * variance).mean())
