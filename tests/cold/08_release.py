# %% [markdown]
# Answers written from the text alone.


# %% moments-total-variance right="mixture-moments"
# Normalised weights, then the mean of the variances plus the variance of the means.
def mixture_moments(mu, sigma, weight):
    share = weight / weight.sum()
    mean = share @ mu
    variance = share @ (sigma**2 + (mu - mean) ** 2)
    return mean, np.sqrt(variance)


# %% moments-member-by-member right="mixture-moments"
# Merges one member after the other into the running mean and the running sum of squares.
def mixture_moments(mu, sigma, weight):
    total = float(weight[0])
    mean = np.array(mu[0], dtype=float)
    squares = weight[0] * sigma[0] ** 2
    for m in range(1, len(weight)):
        before = total
        total = before + float(weight[m])
        step = mu[m] - mean
        mean = mean + step * (weight[m] / total)
        squares = squares + weight[m] * sigma[m] ** 2 + step**2 * (before * weight[m] / total)
    return mean, np.sqrt(squares / total)


# %% moments-weight-in-place wrong="mixture-moments"
# Normalises the weights in place: the results are right, but the caller's weights are changed
# wherever they do not sum to 1.
def mixture_moments(mu, sigma, weight):
    weight /= weight.sum()
    mean = weight @ mu
    return mean, np.sqrt(weight @ (sigma**2 + (mu - mean) ** 2))


# %% moments-plain-centre wrong="mixture-moments"
# The spread of the means is measured about their plain average: too large an sd for uneven
# weights and different means.
def mixture_moments(mu, sigma, weight):
    share = weight / weight.sum()
    spread = share @ (mu - mu.mean(axis=0)) ** 2
    return share @ mu, np.sqrt(share @ sigma**2 + spread)


# %% moments-squeezed wrong="mixture-moments"
# Squeezes the results: for a single input (n = 1) they are 0-d in place of shape (1,).
def mixture_moments(mu, sigma, weight):
    share = (weight / weight.sum())[:, None]
    mean = (share * mu).sum(axis=0)
    variance = (share * (sigma**2 + (mu - mean) ** 2)).sum(axis=0)
    return np.squeeze(mean), np.squeeze(np.sqrt(variance))


# %% moments-only-large-weights-normalised wrong="mixture-moments"
# Divides by the sum of the weights only where it is above 1: wrong for weights that sum to less.
def mixture_moments(mu, sigma, weight):
    share = weight / max(1.0, weight.sum())
    mean = share @ mu
    return mean, np.sqrt(share @ (sigma**2 + (mu - mean) ** 2))


# %% nll-logsumexp right="mixture-nll"
# Log densities written out, one logsumexp over the members.
def mixture_nll(mu, sigma, y):
    z = (y - mu) / sigma
    log_p = -0.5 * z**2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)
    return (math.log(mu.shape[0]) - torch.logsumexp(log_p, dim=0)).mean()


# %% nll-mixture-family right="mixture-nll"
# The mixture of torch.distributions, members in the last axis.
def mixture_nll(mu, sigma, y):
    equal = torch.distributions.Categorical(logits=torch.zeros_like(mu.detach().T))
    members = torch.distributions.Normal(mu.T, sigma.T)
    mixture = torch.distributions.MixtureSameFamily(equal, members)
    return -mixture.log_prob(y).mean()


# %% nll-global-shift wrong="mixture-nll"
# Shifts by the largest log density of all points: where one point is near and another one is
# more than about forty standard deviations away, the far density is 0 and the NLL infinite.
def mixture_nll(mu, sigma, y):
    log_p = torch.distributions.Normal(mu, sigma).log_prob(y)
    shift = log_p.detach().max()
    density = torch.exp(log_p - shift).mean(dim=0)
    return -(torch.log(density) + shift).mean()


# %% nll-where-patch wrong="mixture-nll"
# Uses logsumexp only where the density underflows: right values, but for far points the
# gradient is nan, which comes from the log(0) of the other branch.
def mixture_nll(mu, sigma, y):
    log_p = torch.distributions.Normal(mu, sigma).log_prob(y)
    density = log_p.exp().mean(dim=0)
    stable = torch.logsumexp(log_p, dim=0) - math.log(len(mu))
    return -torch.where(density > 0, torch.log(density), stable).mean()


# %% nll-sigma-floor wrong="mixture-nll"
# Lifts sigma to at least 1e-6: wrong for a sigma of 1e-8, which the text allows.
def mixture_nll(mu, sigma, y):
    log_p = torch.distributions.Normal(mu, sigma.clamp_min(1e-6)).log_prob(y)
    return math.log(len(mu)) - torch.logsumexp(log_p, dim=0).mean()


# %% nll-nearest-only wrong="mixture-nll"
# For a far point only the best member counts: where two members agree the term is too large by
# log 2 (of some 800 at forty standard deviations), and all gradient goes to one of them.
def mixture_nll(mu, sigma, y):
    log_p = torch.distributions.Normal(mu, sigma).log_prob(y)
    best = log_p.max(dim=0).values
    log_density = torch.where(best < -700, best, torch.logsumexp(log_p, dim=0))
    return -(log_density - math.log(len(mu))).mean()


# %% quantile-bisect-lower-tail right="mixture-quantile"
# Mirrors the problem so that q is at most one half, then bisects between the members' quantiles.
def mixture_quantile(mu, sigma, q):
    sign = 1.0
    if q > 0.5:
        sign, mu, q = -1.0, -mu, 1 - q
    ends = mu + sigma * special.ndtri(q)
    low, high = ends.min(), ends.max()
    for _ in range(200):
        middle = low + (high - low) / 2
        if not low < middle < high:
            break
        if special.ndtr((middle - mu) / sigma).mean() < q:
            low = middle
        else:
            high = middle
    return float(sign * (low + (high - low) / 2))


# %% quantile-brentq-of-logs right="mixture-quantile"
# Brent's method on the logarithm of the smaller tail, with a tolerance relative to the bracket.
def mixture_quantile(mu, sigma, q):
    upper = q > 0.5
    tail = 1 - q if upper else q
    side = -1.0 if upper else 1.0

    def excess(t):
        log_parts = special.log_ndtr(side * (t - mu) / sigma)
        return float(special.logsumexp(log_parts)) - math.log(len(mu) * tail)

    ends = mu + side * sigma * special.ndtri(tail)
    low, high = float(ends.min()), float(ends.max())
    at_low, at_high = excess(low), excess(high)
    if at_low == 0 or at_low * side > 0:
        return low
    if at_high == 0 or at_high * side < 0:
        return high
    return optimize.brentq(excess, low, high, xtol=1e-10 * (high - low), maxiter=2000)


# %% quantile-newton wrong="mixture-quantile"
# Newton's method from the mean: for members far apart the density there is 0, and the steps lead
# to infinity or nan.
def mixture_quantile(mu, sigma, q):
    t = mu.mean()
    for _ in range(100):
        z = (t - mu) / sigma
        density = np.mean(np.exp(-0.5 * z**2) / (sigma * math.sqrt(2 * math.pi)))
        t = t - (special.ndtr(z).mean() - q) / density
    return t


# %% quantile-absolute-tolerance wrong="mixture-quantile"
# Bisects until the bracket is 1e-8 wide, whatever its scale: wrong for members with means and
# standard deviations of about 1e-6, where 1e-13 is asked for.
def mixture_quantile(mu, sigma, q):
    ends = mu + sigma * special.ndtri(q)
    low, high = ends.min(), ends.max()
    for _ in range(200):
        if high - low < 1e-8:
            break
        middle = 0.5 * (low + high)
        if special.ndtr((middle - mu) / sigma).mean() < q:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


# %% quantile-short-bracket wrong="mixture-quantile"
# Searches up to 4.5 standard deviations from the outer means only: for q = 1e-6 or 1 - 1e-6 and
# equal members the quantile, at 4.75, lies outside.
def mixture_quantile(mu, sigma, q):
    low = (mu - 4.5 * sigma).min()
    high = (mu + 4.5 * sigma).max()
    for _ in range(200):
        middle = 0.5 * (low + high)
        if special.ndtr((middle - mu) / sigma).mean() < q:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


# %% quantile-on-a-grid wrong="mixture-quantile"
# Interpolates F on a grid between the members' quantiles: fine for members that overlap, but
# for narrow ones that lie far apart the answer is wrong by up to a step, 1e-5 of the range.
def mixture_quantile(mu, sigma, q):
    ends = mu + sigma * special.ndtri(q)
    grid = np.linspace(ends.min(), ends.max(), 100_001)
    F = np.zeros_like(grid)
    for m in range(len(mu)):
        F += special.ndtr((grid - mu[m]) / sigma[m]) / len(mu)
    return float(np.interp(q, F, grid))


# %% pool-tensors right="pool-the-votes"
# One-hot votes; the label is the largest probability among the classes with the most votes.
def pool(logits):
    M, _, K = logits.shape
    probability = torch.softmax(logits, dim=-1).mean(dim=0)
    counts = torch.nn.functional.one_hot(logits.argmax(dim=-1), K).sum(dim=0)
    leading = counts == counts.max(dim=-1, keepdim=True).values
    label = torch.where(leading, probability, -1.0).argmax(dim=-1)
    return probability, counts.to(logits.dtype) / M, label


# %% pool-input-by-input right="pool-the-votes"
# Counts the votes of each input with bincount and compares pairs (votes, probability).
def pool(logits):
    M, n, K = logits.shape
    shifted = torch.exp(logits - logits.max(dim=-1, keepdim=True).values)
    probability = (shifted / shifted.sum(dim=-1, keepdim=True)).sum(dim=0) / M
    choice = logits.argmax(dim=-1)
    votes = torch.zeros_like(probability)
    label = []
    for i in range(n):
        counts = torch.bincount(choice[:, i], minlength=K)
        votes[i] = counts.to(votes.dtype) / M
        pairs = list(zip(counts.tolist(), probability[i].tolist()))
        label.append(max(range(K), key=pairs.__getitem__))
    return probability, votes, torch.tensor(label)


# %% pool-votes-plus-a-tenth wrong="pool-the-votes"
# Adds a tenth of the probability to break ties: with many members it overrules a lead of one
# vote (40 members, 20 barely for one class, 19 sure of another one).
def pool(logits):
    K = logits.shape[-1]
    probability = logits.softmax(dim=-1).mean(dim=0)
    hot = torch.nn.functional.one_hot(logits.argmax(dim=-1), K)
    votes = hot.to(logits.dtype).mean(dim=0)
    return probability, votes, (votes + 0.1 * probability).argmax(dim=-1)


# %% pool-guesses-the-classes wrong="pool-the-votes"
# Lets one_hot guess the number of classes: where nobody votes for the last class, the votes have
# too few columns.
def pool(logits):
    probability = logits.softmax(dim=-1).mean(dim=0)
    hot = torch.nn.functional.one_hot(logits.argmax(dim=-1))
    votes = hot.to(logits.dtype).mean(dim=0)
    most = votes == votes.max(dim=-1, keepdim=True).values
    label = (most * probability[:, : votes.shape[-1]]).argmax(dim=-1)
    return probability, votes, label


# %% pool-single-precision-vote wrong="pool-the-votes"
# Votes in float32, where logits such as 5 and 5 + 1e-8 are equal and the first class wins.
def pool(logits):
    M, _, K = logits.shape
    probability = torch.softmax(logits, dim=-1).mean(dim=0)
    choice = logits.float().argmax(dim=-1)
    counts = (choice[..., None] == torch.arange(K)).sum(dim=0)
    top = counts.max(dim=-1, keepdim=True).values
    label = torch.where(counts == top, probability, -1.0).argmax(dim=-1)
    return probability, counts.double() / M, label


# %% pool-tie-by-mean-logit wrong="pool-the-votes"
# Breaks ties by the mean logit in place of the mean probability: wrong for example for two
# members with the logits (1, 0, -9) and (0, 1.2, 1.1), where class 0 is more probable.
def pool(logits):
    M, _, K = logits.shape
    probability = torch.softmax(logits, dim=-1).mean(dim=0)
    counts = torch.nn.functional.one_hot(logits.argmax(dim=-1), K).sum(dim=0)
    leading = counts == counts.amax(dim=-1, keepdim=True)
    label = logits.mean(dim=0).masked_fill(~leading, -torch.inf).argmax(dim=-1)
    return probability, counts.double() / M, label


# %% members-normal-equations right="members-from-seeds"
# Solves the 20 normal equations of the ridge regression for each seed.
def random_members(x, y, x_new, seeds):
    x, y, x_new = (torch.tensor(np.asarray(a), dtype=torch.float64) for a in (x, y, x_new))
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(int(seed))
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64)
        b = 2 * math.pi * torch.rand(20, generator=generator, dtype=torch.float64)
        phi = torch.cos(x[:, None] * w + b)
        gram = phi.T @ phi + 0.3 * torch.eye(20, dtype=torch.float64)
        a = torch.linalg.solve(gram, phi.T @ y)
        rows.append(torch.cos(x_new[:, None] * w + b) @ a)
    return torch.stack(rows)


# %% members-augmented-least-squares right="members-from-seeds"
# The penalty as 20 further rows of an ordinary least-squares problem, in NumPy.
def random_members(x, y, x_new, seeds):
    result = np.empty((len(seeds), len(x_new)))
    for row, seed in enumerate(seeds):
        generator = torch.Generator()
        generator.manual_seed(int(seed))
        w = 2 * torch.randn(20, dtype=torch.float64, generator=generator).numpy()
        b = 2 * np.pi * torch.rand(20, dtype=torch.float64, generator=generator).numpy()
        design = np.vstack([np.cos(np.outer(x, w) + b), math.sqrt(0.3) * np.eye(20)])
        a = np.linalg.lstsq(design, np.concatenate([y, np.zeros(20)]), rcond=None)[0]
        result[row] = np.cos(np.outer(x_new, w) + b) @ a
    return result


# %% members-global-seed wrong="members-from-seeds"
# Seeds torch's global generator: the same numbers, but the global state is not left as it was.
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        torch.manual_seed(seed)
        w = 2 * torch.randn(20, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, dtype=torch.float64).numpy()
        phi = np.cos(np.outer(x, w) + b)
        a = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y)
        rows.append(np.cos(np.outer(x_new, w) + b) @ a)
    return np.array(rows)


# %% members-remembered wrong="members-from-seeds"
# Remembers the readout of a seed from call to call: wrong when the same seed comes again with
# other data x and y.
def random_members(x, y, x_new, seeds, memory={}):  # noqa: B006
    rows = []
    for seed in seeds:
        if seed not in memory:
            generator = torch.Generator().manual_seed(seed)
            w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
            b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
            phi = np.cos(np.outer(x, w) + b)
            a = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y)
            memory[seed] = w, b, a
        w, b, a = memory[seed]
        rows.append(np.cos(np.outer(x_new, w) + b) @ a)
    return np.stack(rows)


# %% members-squeezed-row wrong="members-from-seeds"
# Squeezes each row: for a single new input (k = 1) the shape is (M,) in place of (M, 1).
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        phi = np.cos(np.outer(x, w) + b)
        phi_new = np.cos(np.outer(x_new, w) + b)
        a = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y[:, None])
        rows.append((phi_new @ a).squeeze())
    return np.stack(rows)


# %% members-iterative-ridge wrong="members-from-seeds"
# An iterative solver with a tolerance of 1e-3: not the exact minimum, so that the predictions
# are wrong from the fourth digit or so.
def random_members(x, y, x_new, seeds):
    from sklearn.linear_model import Ridge

    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        ridge = Ridge(alpha=0.3, fit_intercept=False, solver="lsqr", tol=1e-3)
        ridge.fit(np.cos(np.outer(x, w) + b), y)
        rows.append(ridge.predict(np.cos(np.outer(x_new, w) + b)))
    return np.stack(rows)


# %% sub-all-combinations right="sub-ensembles"
# Goes through all subsets and averages the squared errors of their means.
def sub_ensemble_error(f, y, m):
    import itertools

    errors = []
    for subset in itertools.combinations(range(len(f)), m):
        errors.append(np.mean((f[list(subset)].mean(axis=0) - y) ** 2))
    return float(np.mean(errors))


# %% sub-formula right="sub-ensembles"
# Squared error of the full mean, plus the variance of a mean of m drawn without replacement.
def sub_ensemble_error(f, y, m):
    M = f.shape[0]
    error = f - y
    bias = error.mean(axis=0)
    if m == M:
        return float(np.mean(bias**2))
    variance = ((error - bias) ** 2).sum(axis=0) / (M - 1)
    return float(np.mean(bias**2 + variance * (M - m) / (M * m)))


# %% sub-formula-without-guard wrong="sub-ensembles"
# The same formula with the sample variance, also for M = 1, where it is nan times 0.
def sub_ensemble_error(f, y, m):
    M = len(f)
    variance = np.var(f, axis=0, ddof=1)
    return np.mean((f.mean(axis=0) - y) ** 2 + variance / m * (1 - m / M))


# %% sub-first-five-hundred wrong="sub-ensembles"
# Stops after 500 subsets "to be quick": wrong for M = 12 and m = 5, 6 or 7.
def sub_ensemble_error(f, y, m):
    import itertools

    subsets = itertools.islice(itertools.combinations(f, m), 500)
    return np.mean([np.mean((np.mean(subset, axis=0) - y) ** 2) for subset in subsets])


# %% sub-expanded-square wrong="sub-ensembles"
# Multiplies the square out: cancels for predictions and targets near a million that differ by
# one or less.
def sub_ensemble_error(f, y, m):
    M = len(f)
    mean, square = f.mean(axis=0), (f**2).mean(axis=0)
    if M == 1:
        second = square
    else:
        pairs = (M * mean**2 - square) / (M - 1)  # the mean product of two different members
        second = square / m + pairs * (m - 1) / m
    return np.mean(second - 2 * mean * y + y**2)


# %% sub-distinct-subsets wrong="sub-ensembles"
# Keeps the subsets' predictions in a set: two members that predict the same are counted once,
# so that subsets with equal means weigh too little.
def sub_ensemble_error(f, y, m):
    import itertools

    means = {
        tuple(f[list(subset)].mean(axis=0)) for subset in itertools.combinations(range(len(f)), m)
    }
    return np.mean((np.array(list(means)) - y) ** 2)
