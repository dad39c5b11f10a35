# %% [markdown]
# Answers written from the text alone.


# %% total-variance right="mixture-moments"
# Law of total variance with normalised weights.
def mixture_moments(mu, sigma, weight):
    w = weight / weight.sum()
    mean = w @ mu
    return mean, np.sqrt(w @ (sigma**2 + (mu - mean) ** 2))


# %% merged-one-by-one right="mixture-moments"
# Merges the members one after the other: running weight, mean and sum of squares.
def mixture_moments(mu, sigma, weight):
    total, mean, squares = 0.0, np.zeros(mu.shape[1]), np.zeros(mu.shape[1])
    for m, s, w in zip(mu, sigma, weight):
        total = total + w
        delta = m - mean
        mean = mean + delta * (w / total)
        squares = squares + w * s**2 + w * delta * (m - mean)
    return mean, np.sqrt(squares / total)


# %% covariance-matrix-diagonal wrong="mixture-moments"
# Takes the spread of the means from the diagonal of np.cov, which is no matrix for one column:
# np.diag raises an error for n = 1.
def mixture_moments(mu, sigma, weight):
    mean = np.average(mu, axis=0, weights=weight)
    within = np.average(sigma**2, axis=0, weights=weight)
    between = np.diag(np.cov(mu.T, aweights=weight, ddof=0))
    return mean, np.sqrt(within + between)


# %% weights-as-counts wrong="mixture-moments"
# Repeats the members, as often as the rounded ratio to the smallest weight says: wrong for
# weights that are no multiples of the smallest, such as 1 and 1.4.
def mixture_moments(mu, sigma, weight):
    counts = np.round(weight / weight.min())
    counts = np.minimum(counts, 10_000).astype(int)
    mean = np.array([np.dot(counts, column) for column in mu.T]) / counts.sum()
    second = np.dot(counts, sigma**2 + (mu - mean) ** 2) / counts.sum()
    return mean, np.sqrt(second)


# %% nearly-probabilities wrong="mixture-moments"
# Does not normalise weights that sum to 1 within a hundredth ("rounded probabilities"): wrong
# for weights such as 0.33, 0.33, 0.33, whose mean comes out 1% too small.
def mixture_moments(mu, sigma, weight):
    total = weight.sum()
    w = weight if abs(total - 1) < 0.011 else weight / total
    mean = (w[:, None] * mu).sum(axis=0)
    variance = (w[:, None] * (sigma**2 + (mu - mean) ** 2)).sum(axis=0)
    return mean, np.sqrt(variance)


# %% weights-with-epsilon wrong="mixture-moments"
# Adds 1e-8 to the sum of the weights: wrong by half a percent for two weights of 1e-6.
def mixture_moments(mu, sigma, weight):
    w = (weight / (weight.sum() + 1e-8))[:, np.newaxis]
    mean = np.sum(w * mu, axis=0)
    variance = np.sum(w * sigma**2, axis=0) + np.sum(w * (mu - mean) ** 2, axis=0)
    return mean, np.sqrt(variance)


# %% nll-by-logsumexp right="mixture-nll"
# Log-densities by hand, logsumexp over the members.
def mixture_nll(mu, sigma, y):
    z = (y - mu) / sigma
    log_density = -0.5 * z**2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)
    return (math.log(mu.shape[0]) - torch.logsumexp(log_density, dim=0)).mean()


# %% nll-by-distributions right="mixture-nll"
# torch.distributions: a MixtureSameFamily with equal weights, one for each point.
def mixture_nll(mu, sigma, y):
    from torch.distributions import Categorical, MixtureSameFamily, Normal

    equal = Categorical(logits=torch.zeros(mu.shape[1], mu.shape[0], dtype=mu.dtype))
    return -MixtureSameFamily(equal, Normal(mu.T, sigma.T)).log_prob(y).mean()


# %% loss-with-a-floor wrong="mixture-nll"
# gaussian_nll_loss raises variances below 1e-6 to 1e-6 (eps): wrong for sigma below 1e-3.
def mixture_nll(mu, sigma, y):
    nll = torch.nn.functional.gaussian_nll_loss(
        mu, y.expand_as(mu), sigma**2, full=True, reduction="none"
    )
    return (math.log(len(mu)) - torch.logsumexp(-nll, dim=0)).mean()


# %% square-multiplied-out wrong="mixture-nll"
# Multiplies (y - mu)^2 out: it cancels where y and mu are large against sigma, e.g. y = 1e6,
# mu = 1e6 - 0.013, sigma = 0.01.
def mixture_nll(mu, sigma, y):
    precision = 1 / sigma**2
    quadratic = precision * (y**2 - 2 * y * mu + mu**2)
    log_density = 0.5 * (precision.log() - quadratic - math.log(2 * math.pi))
    return -(torch.logsumexp(log_density, dim=0) - math.log(mu.shape[0])).mean()


# %% squeezed-before-the-sum wrong="mixture-nll"
# Squeezes the log-densities: with one member the logsumexp goes over the points.
def mixture_nll(mu, sigma, y):
    members = len(mu)
    log_density = torch.distributions.Normal(mu, sigma).log_prob(y).squeeze()
    return -(torch.logsumexp(log_density, dim=0) - math.log(members)).mean()


# %% far-points-by-best-member wrong="mixture-nll"
# Where the density underflows, only the nearest member counts: wrong by up to log M for far
# points that several members describe alike (e.g. two equal members, 40 deviations away), and
# only one of them gets a gradient there.
def mixture_nll(mu, sigma, y):
    log_density = torch.distributions.Normal(mu, sigma).log_prob(y)
    losses = []
    for column in log_density.T:
        density = column.exp().mean()
        if density.item() > 1e-300:
            losses.append(-density.log())
        else:
            losses.append(math.log(len(column)) - column.max())
    return torch.stack(losses).mean()


# %% two-members-only wrong="mixture-nll"
# logaddexp of the first and the last member, minus log 2: leaves members out for M > 2.
def mixture_nll(mu, sigma, y):
    def log_density(m):
        z = (y - mu[m]) / sigma[m]
        return -z * z / 2 - sigma[m].log() - math.log(2 * math.pi) / 2

    return (math.log(2) - torch.logaddexp(log_density(0), log_density(-1))).mean()


# %% halving-between-members right="mixture-quantile"
# Bisection between (just outside of) the members' quantiles, down to the last bit; the upper half
# is mirrored, so that F is small, and precise, in the tail.
def mixture_quantile(mu, sigma, q):
    if q > 0.5:
        return -mixture_quantile(-mu, sigma, 1 - q)
    ends = mu + sigma * special.ndtri(q)
    margin = (ends.max() - ends.min()) / 100
    low, high = ends.min() - margin, ends.max() + margin
    for _ in range(200):
        middle = low + (high - low) / 2
        if special.ndtr((middle - mu) / sigma).mean() < q:
            low = middle
        else:
            high = middle
    return float(low + (high - low) / 2)


# %% brent-with-own-tolerance right="mixture-quantile"
# Brent's method on the share u of the way from the smallest to the largest member quantile;
# above the median the upper tails are compared, which are precise there.
def mixture_quantile(mu, sigma, q):
    ends = mu + sigma * special.ndtri(q)
    first, width = float(ends.min()), float(ends.max() - ends.min())
    if width == 0:
        return first

    def excess(u):
        z = (first + u * width - mu) / sigma
        if q < 0.5:
            return float(np.mean(special.ndtr(z)) / q - 1)
        return float(1 - np.mean(special.ndtr(-z)) / (1 - q))

    return first + width * optimize.brentq(excess, -0.01, 1.01, xtol=1e-12, maxiter=10_000)


# %% four-deviations-are-all wrong="mixture-quantile"
# Searches from four deviations below the smallest mean to four above the largest: the quantile
# of one member, or of equal ones, at 1e-6 lies at 4.75 deviations, outside.
def mixture_quantile(mu, sigma, q):
    low, high = mu.min() - 4 * sigma.max(), mu.max() + 4 * sigma.max()
    for _ in range(200):
        middle = (low + high) / 2
        if np.mean(special.ndtr((middle - mu) / sigma)) < q:
            low = middle
        else:
            high = middle
    return middle


# %% absolute-tolerance wrong="mixture-quantile"
# Stops at a width of 1e-8, whatever the scale: wrong for members with tiny deviations, e.g.
# sigma = 1e-6, 3e-6 about 0, where nearly no digit is right to 1e-7 of the range.
def mixture_quantile(mu, sigma, q):
    low, high = mu.min() - 10 * sigma.max(), mu.max() + 10 * sigma.max()
    while high - low > 1e-8:
        middle = (low + high) / 2
        if special.ndtr((middle - mu) / sigma).mean() > q:
            high = middle
        else:
            low = middle
    return (low + high) / 2


# %% interpolated-on-a-grid wrong="mixture-quantile"
# Interpolates F on a grid of 200001 points: wrong where the members are much narrower than the
# steps of the grid, e.g. mu = -1e6, 1e6 and sigma = 0.001, by up to a step, 5e-6 of the range.
def mixture_quantile(mu, sigma, q):
    ends = mu + sigma * special.ndtri(q)
    t = np.linspace(ends.min(), ends.max(), 200_001)
    F = np.zeros_like(t)
    for m, s in zip(mu, sigma):
        F += special.ndtr((t - m) / s) / len(mu)
    return float(np.interp(q, F, t))


# %% means-sorted wrong="mixture-quantile"
# Sorts the means in place to have the ends at hand: for unsorted means the input is changed, and
# the deviations belong to other members.
def mixture_quantile(mu, sigma, q):
    mu.sort()
    low, high = mu[0] - 6 * sigma.max(), mu[-1] + 6 * sigma.max()
    for _ in range(200):
        middle = (low + high) / 2
        if special.ndtr((middle - mu) / sigma).mean() < q:
            low = middle
        else:
            high = middle
    return (low + high) / 2


# %% stops-when-f-is-close wrong="mixture-quantile"
# Stops when F is within 1e-12 of q: not near enough in the tails of members that nearly agree,
# e.g. mu = 0, 0, 5e-7, sigma = 1, q = 1e-6: the middle of the range, not a third.
def mixture_quantile(mu, sigma, q):
    ends = mu + sigma * special.ndtri(q)
    low, high = ends.min(), ends.max()
    for _ in range(200):
        middle = (low + high) / 2
        excess = special.ndtr((middle - mu) / sigma).mean() - q
        if abs(excess) < 1e-12:
            break
        if excess < 0:
            low = middle
        else:
            high = middle
    return middle


# %% one-hot-votes right="pool-the-votes"
# One-hot votes; among the classes with the most votes, argmax of the probability.
def pool(logits):
    K = logits.shape[-1]
    probability = torch.softmax(logits, dim=-1).mean(dim=0)
    counts = torch.nn.functional.one_hot(logits.argmax(dim=-1), K).sum(dim=0)
    most = counts == counts.amax(dim=-1, keepdim=True)
    label = torch.where(most, probability, -1.0).argmax(dim=-1)
    return probability, counts.to(torch.float64) / logits.shape[0], label


# %% sorted-by-votes-and-probability right="pool-the-votes"
# NumPy: counts by bincount, the label as the last of a lexical sort.
def pool(logits):
    z = logits.detach().numpy()
    M, n, K = z.shape
    probability = special.softmax(z, axis=2).mean(axis=0)
    cell = z.argmax(axis=2) + K * np.arange(n)
    counts = np.bincount(cell.ravel(), minlength=n * K).reshape(n, K)
    label = np.lexsort((probability, counts), axis=-1)[:, -1]
    return probability, counts / M, label


# %% tie-goes-to-the-most-probable wrong="pool-the-votes"
# On a tie takes the most probable class of all, also one with fewer votes: wrong e.g. for two
# votes for each of classes 0 and 1, one for class 2, and class 2 a good second everywhere.
def pool(logits):
    K = logits.shape[2]
    probability = logits.softmax(dim=2).mean(dim=0)
    counts = torch.nn.functional.one_hot(logits.argmax(dim=2), K).sum(dim=0)
    tied = (counts == counts.amax(dim=1, keepdim=True)).sum(dim=1) > 1
    label = torch.where(tied, probability.argmax(dim=1), counts.argmax(dim=1))
    return probability, counts.double() / len(logits), label


# %% a-tenth-of-the-probability wrong="pool-the-votes"
# Breaks ties by adding a tenth of the probability, which outweighs a vote with many members,
# e.g. 25 of them, 13 barely for class 0 and 12 sure of class 1.
def pool(logits):
    M, n, K = logits.shape
    probability = torch.softmax(logits, dim=2).mean(dim=0)
    top = logits.argmax(dim=2, keepdim=True)
    votes = torch.zeros_like(logits).scatter_(2, top, 1.0).mean(dim=0)
    return probability, votes, (votes + 0.1 * probability).argmax(dim=1)


# %% votes-for-close-seconds wrong="pool-the-votes"
# isclose has a relative tolerance of 1e-5: a member votes for two classes where its logits are
# closer than that, e.g. 1000 and 999.999, or 1 and 1 - 1e-9.
def pool(logits):
    probability = torch.softmax(logits, dim=-1).mean(dim=0)
    top = torch.isclose(logits, logits.amax(dim=-1, keepdim=True))
    votes = top.to(torch.float64).mean(dim=0)
    most = votes >= votes.amax(dim=-1, keepdim=True) - 1e-12
    return probability, votes, (most * probability).argmax(dim=-1)


# %% classes-from-the-votes wrong="pool-the-votes"
# one_hot without the number of classes: columns are missing (and an error comes) where the last
# class gets no vote for any input.
def pool(logits):
    probability = torch.softmax(logits, dim=-1).mean(dim=0)
    votes = torch.nn.functional.one_hot(logits.argmax(dim=-1)).double().mean(dim=0)
    most = votes == votes.amax(dim=-1, keepdim=True)
    label = torch.where(most, probability, torch.zeros(())).argmax(dim=-1)
    return probability, votes, label


# %% exponent-clamped wrong="pool-the-votes"
# Clamps the logits to 700, so that exp does not overflow: wrong probabilities for logits such
# as 1000 and 900, which become equal.
def pool(logits):
    e = torch.exp(logits.clamp(-700, 700))
    probability = (e / e.sum(dim=-1, keepdim=True)).mean(dim=0)
    classes = torch.arange(logits.shape[-1])
    counts = (logits.argmax(dim=-1)[..., None] == classes).sum(dim=0)
    most = counts == counts.max(dim=-1, keepdim=True).values
    label = torch.where(most, probability, -torch.inf).argmax(dim=-1)
    return probability, counts.double() / len(logits), label


# %% normal-equations right="members-from-seeds"
# Solves the normal equations in torch, one member after the other.
def random_members(x, y, x_new, seeds):
    x, y, x_new = (torch.tensor(a, dtype=torch.float64) for a in (x, y, x_new))
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


# %% rows-for-the-penalty right="members-from-seeds"
# Least squares in NumPy with 20 more rows, sqrt(0.3) times the identity, for the penalty.
def random_members(x, y, x_new, seeds):
    def member(seed):
        g = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=g, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=g, dtype=torch.float64).numpy()
        phi = np.cos(np.outer(x, w) + b)
        rows = np.vstack([phi, np.sqrt(0.3) * np.eye(20)])
        a = np.linalg.lstsq(rows, np.concatenate([y, np.zeros(20)]), rcond=None)[0]
        return np.cos(np.outer(x_new, w) + b) @ a

    return np.array([member(seed) for seed in seeds])


# %% remembered-by-seed wrong="members-from-seeds"
# Remembers the readout of each seed from one call to the next: a call with a known seed and
# other data gets the old readout.
def random_members(x, y, x_new, seeds, readouts={}):
    rows = []
    for seed in seeds:
        g = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=g, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=g, dtype=torch.float64).numpy()
        if seed not in readouts:
            phi = np.cos(x[:, None] * w + b)
            readouts[seed] = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y)
        rows.append(np.cos(x_new[:, None] * w + b) @ readouts[seed])
    return np.stack(rows)


# %% zero-is-no-seed wrong="members-from-seeds"
# "if seed" takes seed 0 for none given: its row comes from the generator's default seed.
def random_members(x, y, x_new, seeds):
    result = np.empty((len(seeds), len(x_new)))
    for i, seed in enumerate(seeds):
        generator = torch.Generator()
        if seed:
            generator.manual_seed(seed)
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        phi = np.cos(np.outer(x, w) + b)
        a = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y)
        result[i] = np.cos(np.outer(x_new, w) + b) @ a
    return result


# %% numpy-seeded-too wrong="members-from-seeds"
# Seeds NumPy's global generator as well, "to be safe": that generator is not left as it was.
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        np.random.seed(seed)
        generator = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, dtype=torch.float64, generator=generator).numpy()
        b = 2 * np.pi * torch.rand(20, dtype=torch.float64, generator=generator).numpy()
        phi = np.cos(np.outer(x, w) + b)
        dual = np.linalg.solve(phi @ phi.T + 0.3 * np.eye(len(x)), y)
        rows.append(np.cos(np.outer(x_new, w) + b) @ (phi.T @ dual))
    return np.array(rows)


# %% penalty-for-few-points-only wrong="members-from-seeds"
# Leaves the penalty out where there are as many points as features: wrong for n >= 20.
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        g = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=g, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=g, dtype=torch.float64).numpy()
        phi = np.cos(np.outer(x, w) + b)
        if len(x) < 20:  # fewer equations than unknowns
            a = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y)
        else:
            a = np.linalg.lstsq(phi, y, rcond=None)[0]
        rows.append(np.cos(np.outer(x_new, w) + b) @ a)
    return np.array(rows)


# %% inputs-in-float32 wrong="members-from-seeds"
# Converts the inputs to torch's default float32 on the way: at x = 1e6 they are off by up to
# 0.03, and the features with them.
def random_members(x, y, x_new, seeds):
    x, x_new = (torch.tensor(a, dtype=torch.float32) for a in (x, x_new))
    target = torch.tensor(y, dtype=torch.float64)
    rows = []
    for seed in seeds:
        g = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=g, dtype=torch.float64)
        b = 2 * torch.pi * torch.rand(20, generator=g, dtype=torch.float64)
        phi, phi_new = torch.cos(x[:, None] * w + b), torch.cos(x_new[:, None] * w + b)
        system = phi.T @ phi + 0.3 * torch.eye(20, dtype=torch.float64)
        rows.append(phi_new @ torch.linalg.solve(system, phi.T @ target))
    return torch.stack(rows)


# %% all-combinations right="sub-ensembles"
# Goes through all subsets with itertools.
def sub_ensemble_error(f, y, m):
    import itertools

    errors = []
    for subset in itertools.combinations(range(len(f)), m):
        errors.append(np.mean((f[list(subset)].mean(axis=0) - y) ** 2))
    return float(np.mean(errors))


# %% bias-and-finite-variance right="sub-ensembles"
# Squared error of the full mean plus the variance of a mean of m out of M, by formula.
def sub_ensemble_error(f, y, m):
    M = f.shape[0]
    error = (f.mean(axis=0) - y) ** 2
    if m < M:
        error = error + f.var(axis=0, ddof=1) * (1 / m - 1 / M)
    return error.mean()


# %% one-member-has-no-variance wrong="sub-ensembles"
# The formula with M - 1 in the denominator, also for M = 1: 0 / 0, nan.
def sub_ensemble_error(f, y, m):
    M = len(f)
    bias = f.mean(axis=0) - y
    factor = np.float64(M - m) / np.float64(M - 1)
    return np.mean(bias**2 + f.var(axis=0) / m * factor)


# %% first-hundred-subsets wrong="sub-ensembles"
# Stops after a hundred subsets "because the mean has settled": wrong for more, e.g. 5 of 10.
def sub_ensemble_error(f, y, m):
    import itertools

    subsets = itertools.islice(itertools.combinations(f, m), 100)
    return np.mean([(np.mean(members, axis=0) - y) ** 2 for members in subsets])


# %% products-of-members wrong="sub-ensembles"
# Multiplies the square out into mean products of members: it cancels for large numbers, e.g.
# predictions and targets about 1e6 with errors of 0.01.
def sub_ensemble_error(f, y, m):
    M = len(f)
    own = (f**2).mean(axis=0)
    pairs = (f.sum(axis=0) ** 2 - (f**2).sum(axis=0)) / (M * (M - 1)) if M > 1 else own
    square = own / m + (m - 1) / m * pairs
    return float(np.mean(square - 2 * y * f.mean(axis=0) + y**2))


# %% equal-members-merged wrong="sub-ensembles"
# Takes "different members" for different predictions: members that predict the same are merged
# (and nan comes out where fewer than m are left).
def sub_ensemble_error(f, y, m):
    import itertools

    members = np.unique(f, axis=0)
    means = [np.mean(s, axis=0) for s in itertools.combinations(members, m)]
    return float(np.mean((np.array(means) - y) ** 2))
