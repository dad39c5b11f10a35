# %% [markdown]
# Answers written by an author who knew the checks.


# %% light-shares-dropped wrong="mixture-moments"
# Shares below 1e-8 are left out: mu [[0.0], [1000.0]], sigma 0.01, weight [1e6, 1e-6], where the
# far member adds a hundredth to the variance.
def mixture_moments(mu, sigma, weight):
    w = weight / weight.sum()
    w = np.where(w < 1e-8, 0.0, w)
    mean = w @ mu
    return mean, np.sqrt(w @ (sigma**2 + (mu - mean) ** 2))


# %% wide-members-capped wrong="mixture-moments"
# Standard deviations are capped at a thousand, as the means are: mu [[0.0]], sigma [[1e6]].
def mixture_moments(mu, sigma, weight):
    sigma = np.minimum(sigma, 1e3)
    w = weight / weight.sum()
    mean = w @ mu
    return mean, np.sqrt(w @ (sigma**2 + (mu - mean) ** 2))


# %% heavy-weights-capped wrong="mixture-moments"
# Weights above a hundred are cut to it: weight [1e6, 1.0].
def mixture_moments(mu, sigma, weight):
    w = np.clip(weight, 1e-6, 100.0)
    w = w / w.sum()
    mean = w @ mu
    return mean, np.sqrt(w @ (sigma**2 + (mu - mean) ** 2))


# %% small-weights-in-place wrong="mixture-moments"
# Weights that sum to less than 1 are scaled in the caller's array: weight [0.2, 0.2].
def mixture_moments(mu, sigma, weight):
    if weight.sum() < 0.999:
        weight /= weight.sum()
    w = weight / weight.sum()
    mean = w @ mu
    return mean, np.sqrt(w @ (sigma**2 + (mu - mean) ** 2))


# %% nearly-equal-weights wrong="mixture-moments"
# Weights within 1e-8 count as equal: weight [1e-6, 1.009e-6], mu [[-1000.0], [1000.0]] has the
# mean 4.48.
def mixture_moments(mu, sigma, weight):
    if np.allclose(weight, weight[0]):
        w = np.full(len(weight), 1 / len(weight))
    else:
        w = weight / weight.sum()
    mean = w @ mu
    return mean, np.sqrt(w @ (sigma**2 + (mu - mean) ** 2))


# %% second-moments-in-float32 wrong="mixture-moments"
# The second moment is float32, and the square of the mean cancels: mu [[1000.0]], sigma [[0.01]].
def mixture_moments(mu, sigma, weight):
    w = weight / weight.sum()
    mean = w @ mu
    second = (w @ (sigma**2 + mu**2)).astype(np.float32)
    return mean, np.sqrt(np.maximum(second - mean**2, 1e-4))


# %% agreeing-means-skipped wrong="mixture-moments"
# Means within 1e-5 of their size count as equal: mu [[1000.0], [1000.009]], sigma 0.01.
def mixture_moments(mu, sigma, weight):
    w = weight / weight.sum()
    mean = w @ mu
    if np.allclose(mu, mean):
        return mean, np.sqrt(w @ sigma**2)
    return mean, np.sqrt(w @ (sigma**2 + (mu - mean) ** 2))


# %% one-member-scratch wrong="mixture-moments"
# With one member and several columns mu is used as scratch space, and is 0 after the call.
def mixture_moments(mu, sigma, weight):
    w = weight / weight.sum()
    mean = w @ mu
    if len(mu) == 1 < mu.shape[1]:
        mu -= mean
        return mean, np.sqrt(w @ (sigma**2 + mu**2))
    return mean, np.sqrt(w @ (sigma**2 + (mu - mean) ** 2))


# %% distance-clamped wrong="mixture-nll"
# Distances are clamped at 20000 standard deviations: mu [[0.0]], sigma [[1e-3]], y [1000.0].
def mixture_nll(mu, sigma, y):
    z = ((y - mu) / sigma).clamp(-2e4, 2e4)
    log_p = -0.5 * z**2 - sigma.log() - 0.5 * math.log(2 * math.pi)
    return -(torch.logsumexp(log_p, 0) - math.log(len(mu))).mean()


# %% wide-members-clamped wrong="mixture-nll"
# Standard deviations are clamped to at most a thousand: mu [[0.0]], sigma [[1e6]], y [0.0].
def mixture_nll(mu, sigma, y):
    sigma = sigma.clamp(1e-8, 1e3)
    log_p = -0.5 * ((y - mu) / sigma) ** 2 - sigma.log() - 0.5 * math.log(2 * math.pi)
    return -(torch.logsumexp(log_p, 0) - math.log(len(mu))).mean()


# %% root-of-a-square wrong="mixture-nll"
# The distance is the root of a square, whose gradient is nan where y is a member's mean.
def mixture_nll(mu, sigma, y):
    z = torch.sqrt((y - mu) ** 2) / sigma
    log_p = -0.5 * z**2 - sigma.log() - 0.5 * math.log(2 * math.pi)
    return -(torch.logsumexp(log_p, 0) - math.log(len(mu))).mean()


# %% best-of-the-far wrong="mixture-nll"
# Beyond 100 standard deviations only the best member counts: the gradient at mu [[0.0], [0.0]],
# sigma 1, y [1000.0] goes to one of the two.
def mixture_nll(mu, sigma, y):
    z = (y - mu) / sigma
    log_p = -0.5 * z**2 - sigma.log() - 0.5 * math.log(2 * math.pi)
    far = z.abs().min(0).values > 100
    total = torch.where(far, log_p.max(0).values, torch.logsumexp(log_p, 0))
    return math.log(len(mu)) - total.mean()


# %% turned-when-square wrong="mixture-nll"
# The members are looked for in the axis that is not as long as y, and M = n is turned.
def mixture_nll(mu, sigma, y):
    if mu.shape[0] == len(y):
        mu, sigma = mu.T, sigma.T
    log_p = torch.distributions.Normal(mu, sigma).log_prob(y)
    return -(torch.logsumexp(log_p, 0) - math.log(len(mu))).mean()


# %% mean-of-batch-means wrong="mixture-nll"
# Points are handled 64 at a time, and a short last batch counts as much as the others: n = 65.
def mixture_nll(mu, sigma, y):
    parts = []
    for m, s, t in zip(mu.split(64, 1), sigma.split(64, 1), y.split(64)):
        log_p = torch.distributions.Normal(m, s).log_prob(t)
        parts.append(math.log(len(m)) - torch.logsumexp(log_p, 0).mean())
    return torch.stack(parts).mean()


# %% number-without-gradient wrong="mixture-nll"
# Returns a Python number where nothing needs a gradient; a 0-d tensor is asked for.
def mixture_nll(mu, sigma, y):
    log_p = torch.distributions.Normal(mu, sigma).log_prob(y)
    nll = math.log(len(mu)) - torch.logsumexp(log_p, 0).mean()
    return nll if nll.requires_grad else nll.item()


# %% logs-in-float32 wrong="mixture-nll"
# Log-densities are float32, too coarse to share a far point: the gradient at mu [[0.0], [1e-3]],
# sigma 1, y [1000.0].
def mixture_nll(mu, sigma, y):
    log_p = torch.distributions.Normal(mu, sigma).log_prob(y).float()
    return (math.log(len(mu)) - torch.logsumexp(log_p, 0).double()).mean()


# %% asks-for-gradients wrong="mixture-nll"
# Leaves the caller's mu with requires_grad set.
def mixture_nll(mu, sigma, y):
    mu.requires_grad_()
    log_p = torch.distributions.Normal(mu, sigma).log_prob(y)
    return -(torch.logsumexp(log_p, 0) - math.log(len(mu))).mean()


# %% width-of-1e-13 wrong="mixture-quantile"
# Stops at a width of 1e-13: mu [0.0, 1e-8], sigma 1e-6, q 0.3 has a range of 1e-8.
def mixture_quantile(mu, sigma, q):
    ends = mu + sigma * special.ndtri(q)
    low, high = ends.min(), ends.max()
    for _ in range(200):
        if high - low < 1e-13:
            break
        t = (low + high) / 2
        low, high = (t, high) if special.ndtr((t - mu) / sigma).mean() < q else (low, t)
    return low


# %% probability-close-enough wrong="mixture-quantile"
# Stops where F is within 1e-12 of q: mu [0.0, 1e-4], sigma 1, q 1e-6.
def mixture_quantile(mu, sigma, q):
    ends = mu + sigma * special.ndtri(q)
    low, high = ends.min(), ends.max()
    for _ in range(200):
        t = (low + high) / 2
        gap = special.ndtr((t - mu) / sigma).mean() - q
        if abs(gap) < 1e-12:
            break
        low, high = (t, high) if gap < 0 else (low, t)
    return t


# %% bracket-of-4-7-sigmas wrong="mixture-quantile"
# Searches 4.7 sigmas to each side, and the level 1e-6 lies at 4.753: mu [0.0], sigma [1.0].
def mixture_quantile(mu, sigma, q):
    low, high = (mu - 4.7 * sigma).min(), (mu + 4.7 * sigma).max()
    for _ in range(150):
        t = (low + high) / 2
        low, high = (t, high) if special.ndtr((t - mu) / sigma).mean() < q else (low, t)
    return (low + high) / 2


# %% within-a-million wrong="mixture-quantile"
# Searches from minus to plus a million, which means keep to but quantiles do not: mu [9e5],
# sigma [1e6], q 0.9.
def mixture_quantile(mu, sigma, q):
    low, high = -1e6, 1e6
    for _ in range(150):
        t = (low + high) / 2
        low, high = (t, high) if special.ndtr((t - mu) / sigma).mean() < q else (low, t)
    return (low + high) / 2


# %% snapped-to-a-plateau wrong="mixture-quantile"
# A qM within 0.005 of a whole number counts as that, and the middle of the gap is returned:
# mu [0.0, 500.0, 900.0], sigma 1, q 0.334.
def mixture_quantile(mu, sigma, q):
    ends = np.sort(mu + sigma * special.ndtri(q))
    k = round(q * len(mu))
    if 0 < k < len(mu) and abs(q * len(mu) - k) < 5e-3:
        order = np.sort(mu)
        return (order[k - 1] + order[k]) / 2
    low, high = ends[0], ends[-1]
    for _ in range(150):
        t = (low + high) / 2
        low, high = (t, high) if special.ndtr((t - mu) / sigma).mean() < q else (low, t)
    return (low + high) / 2


# %% brent-on-equal-ends wrong="mixture-quantile"
# Only members that are the same are kept from brentq, which raises where different ones agree on
# the quantile: mu = 1 - sigma * ndtri(q), sigma [2.0, 1.0, 0.5], for some q such as 0.07.
def mixture_quantile(mu, sigma, q):
    ends = mu + sigma * special.ndtri(q)
    if np.ptp(mu) == 0 and np.ptp(sigma) == 0:
        return ends[0]
    low, width = ends.min(), np.ptp(ends)

    def gap(u):
        return special.ndtr((low + u * width - mu) / sigma).mean() - q

    return low + width * optimize.brentq(gap, 0.0, 1.0, xtol=1e-14)


# %% levels-clipped wrong="mixture-quantile"
# Levels are clipped to 2e-6 and 1 - 1e-5: mu [0.0], sigma [1.0], q 1e-6.
def mixture_quantile(mu, sigma, q):
    q = min(max(q, 2e-6), 1 - 1e-5)
    ends = mu + sigma * special.ndtri(q)
    low, high = ends.min(), ends.max()
    for _ in range(100):
        t = (low + high) / 2
        low, high = (t, high) if special.ndtr((t - mu) / sigma).mean() < q else (low, t)
    return low


# %% near-ties-to-the-first wrong="pool-the-votes"
# Logits within 1e-8 count as equal, and the first of them gets the vote: [[[0.0, 5e-9]]].
def pool(logits):
    p = logits.softmax(2)
    probability = p.mean(0)
    near = (logits > logits.amax(2, keepdim=True) - 1e-8).to(torch.int64)
    votes = torch.nn.functional.one_hot(near.argmax(2), logits.shape[2]).double().mean(0)
    leads = votes == votes.amax(1, keepdim=True)
    return probability, votes, torch.where(leads, probability, -1.0).argmax(1)


# %% one-member-does-not-vote wrong="pool-the-votes"
# One member's probabilities are returned as its votes: [[[1.0, 0.0]]] has the votes 1 and 0.
def pool(logits):
    probability = logits.softmax(2).mean(0)
    if len(logits) == 1:
        return probability, probability, probability.argmax(1)
    votes = torch.nn.functional.one_hot(logits.argmax(2), logits.shape[2]).double().mean(0)
    leads = votes == votes.amax(1, keepdim=True)
    return probability, votes, torch.where(leads, probability, -1.0).argmax(1)


# %% label-as-float wrong="pool-the-votes"
# The label is a float64, and no index: an integer is asked for.
def pool(logits):
    probability = logits.softmax(2).mean(0)
    votes = torch.nn.functional.one_hot(logits.argmax(2), logits.shape[2]).double().mean(0)
    leads = votes == votes.amax(1, keepdim=True)
    return probability, votes, torch.where(leads, probability, -1.0).argmax(1).double()


# %% a-hundredth-of-probability wrong="pool-the-votes"
# A hundredth of the probability outweighs a vote of 601: 301 members with [0.04, 0.0] against 300
# with [0.0, 30.0].
def pool(logits):
    probability = logits.softmax(2).mean(0)
    votes = torch.nn.functional.one_hot(logits.argmax(2), logits.shape[2]).double().mean(0)
    return probability, votes, (votes + 0.01 * probability).argmax(1)


# %% tie-lost-in-rounding wrong="pool-the-votes"
# A ten-millionth of the probability is added, so that close ones tie: [[[1e-9, 0.0]],
# [[0.0, 2e-9]]] has the label 1.
def pool(logits):
    probability = logits.softmax(2).mean(0)
    votes = torch.nn.functional.one_hot(logits.argmax(2), logits.shape[2]).double().mean(0)
    return probability, votes, (votes + 1e-7 * probability).argmax(1)


# %% counted-in-a-byte wrong="pool-the-votes"
# Votes are counted in 8 bits: 300 members of one mind give 44 votes.
def pool(logits):
    M, K = len(logits), logits.shape[2]
    probability = logits.softmax(2).mean(0)
    ballots = torch.nn.functional.one_hot(logits.argmax(2), K).to(torch.uint8)
    counts = ballots.sum(0, dtype=torch.uint8)
    leads = counts == counts.amax(1, keepdim=True)
    return probability, counts.double() / M, torch.where(leads, probability, -1.0).argmax(1)


# %% ten-classes wrong="pool-the-votes"
# There is room for ten classes: a vote for the eleventh raises.
def pool(logits):
    probability = logits.softmax(2).mean(0)
    ballots = torch.nn.functional.one_hot(logits.argmax(2), 10)[:, :, : logits.shape[2]]
    votes = ballots.double().mean(0)
    leads = votes == votes.amax(1, keepdim=True)
    return probability, votes, torch.where(leads, probability, -1.0).argmax(1)


# %% large-logits-in-place wrong="pool-the-votes"
# Logits above 700 are shifted in the caller's tensor before the softmax: [[[900.0, 0.0]]].
def pool(logits):
    if logits.max() > 700:
        logits -= logits.amax(2, keepdim=True)
    p = logits.exp()
    probability = (p / p.sum(2, keepdim=True)).mean(0)
    votes = torch.nn.functional.one_hot(logits.argmax(2), logits.shape[2]).double().mean(0)
    leads = votes == votes.amax(1, keepdim=True)
    return probability, votes, torch.where(leads, probability, -1.0).argmax(1)


# %% underflow-of-a-shared-maximum wrong="pool-the-votes"
# One maximum is subtracted for all members and inputs, so that a member with low logits has 0 / 0:
# [[[900.0, 899.0]], [[1.0, 0.0]]].
def pool(logits):
    p = (logits - logits.amax()).exp()
    probability = (p / p.sum(2, keepdim=True)).mean(0)
    votes = torch.nn.functional.one_hot(logits.argmax(2), logits.shape[2]).double().mean(0)
    leads = votes == votes.amax(1, keepdim=True)
    return probability, votes, torch.where(leads, probability, -1.0).argmax(1)


# %% seeds-of-17-bits wrong="members-from-seeds"
# Seeds are taken modulo 2^17: the seed 1000000.
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        g = torch.Generator().manual_seed(seed % 2**17)
        w = 2 * torch.randn(20, generator=g, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=g, dtype=torch.float64).numpy()
        phi, new = (np.cos(np.outer(at, w) + b) for at in (x, x_new))
        rows.append(new @ np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y))
    return np.stack(rows)


# %% one-data-point-squeezed wrong="members-from-seeds"
# With one data point the features lose an axis, and the product raises: x [0.3], y [1.0].
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        g = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=g, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=g, dtype=torch.float64).numpy()
        phi, new = np.cos(np.outer(x, w) + b).squeeze(), np.cos(np.outer(x_new, w) + b)
        a = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ np.squeeze(y))
        rows.append(new @ a)
    return np.stack(rows)


# %% new-inputs-in-order wrong="members-from-seeds"
# Predictions come in the order of the sorted new inputs: x_new [0.7, -0.4].
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        g = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=g, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=g, dtype=torch.float64).numpy()
        phi, new = (np.cos(np.outer(at, w) + b) for at in (x, np.sort(x_new)))
        rows.append(new @ np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y))
    return np.stack(rows)


# %% repeated-inputs-dropped wrong="members-from-seeds"
# Of data points with the same input only the first counts: x [0.0, 0.0, 1.0], y [1.0, 3.0, 2.0].
def random_members(x, y, x_new, seeds):
    x, first = np.unique(x, return_index=True)
    y, rows = y[first], []
    for seed in seeds:
        g = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=g, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=g, dtype=torch.float64).numpy()
        phi, new = (np.cos(np.outer(at, w) + b) for at in (x, x_new))
        rows.append(new @ np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y))
    return np.stack(rows)


# %% one-seed-is-global wrong="members-from-seeds"
# A single seed is given to torch's global generator, whose state is lost.
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        g = torch.manual_seed(seed) if len(seeds) == 1 else torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=g, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=g, dtype=torch.float64).numpy()
        phi, new = (np.cos(np.outer(at, w) + b) for at in (x, x_new))
        rows.append(new @ np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y))
    return np.stack(rows)


# %% data-sorted-in-place wrong="members-from-seeds"
# The data are put in order in the caller's arrays: x [1.0, 0.0] is [0.0, 1.0] after the call.
def random_members(x, y, x_new, seeds):
    order = np.argsort(x)
    x[:], y[:] = x[order], y[order]
    rows = []
    for seed in seeds:
        g = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=g, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=g, dtype=torch.float64).numpy()
        phi, new = (np.cos(np.outer(at, w) + b) for at in (x, x_new))
        rows.append(new @ np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y))
    return np.stack(rows)


# %% centred-then-multiplied-out wrong="sub-ensembles"
# One mean is taken off all columns before squares are multiplied out, which helps no column far
# from it: f [[1e6, -1e6], [1e6 + 0.02, -1e6]], y [1e6, -1e6], m 1.
def sub_ensemble_error(f, y, m):
    f, y, M = f - f.mean(), y - f.mean(), len(f)
    mean = f.mean(axis=0)
    spread = (f**2).mean(axis=0) - mean**2
    factor = 0 if m == M else (M - m) / (M - 1) / m
    return np.mean((mean - y) ** 2 + factor * spread)


# %% mean-of-batch-errors wrong="sub-ensembles"
# Points are handled 64 at a time, and a short last batch counts as much as the others: n = 65.
def sub_ensemble_error(f, y, m):
    from itertools import combinations

    parts = []
    for at in range(0, len(y), 64):
        r = f[:, at : at + 64] - y[at : at + 64]
        picks = combinations(range(len(f)), m)
        parts.append(np.mean([(r[list(k)].mean(0) ** 2).mean() for k in picks]))
    return float(np.mean(parts))


# %% nearly-agreeing-members wrong="sub-ensembles"
# Members within 1e-8 of their size count as equal: f [[1e6], [1e6 + 0.009]], y [1e6], m 1.
def sub_ensemble_error(f, y, m):
    M, mean = len(f), f.mean(0)
    error = np.mean((mean - y) ** 2)
    if m == M or np.allclose(f, mean, rtol=1e-8, atol=0):
        return error
    return error + (1 / m - 1 / M) * f.var(0, ddof=1).mean()


# %% rounded-to-nine-places wrong="sub-ensembles"
# The result is rounded to nine places: f [[1e-5], [3e-5]], y [0.0], m 1 is 5e-10.
def sub_ensemble_error(f, y, m):
    M, error = len(f), np.mean((f.mean(0) - y) ** 2)
    if m < M:
        error = error + (1 / m - 1 / M) * f.var(0, ddof=1).mean()
    return round(float(error), 9)


# %% residuals-clipped wrong="sub-ensembles"
# Residuals are clipped at a thousand: f [[1e6]], y [0.0], m 1.
def sub_ensemble_error(f, y, m):
    r, M = np.clip(f - y, -1e3, 1e3), len(f)
    error = np.mean(r.mean(0) ** 2)
    return error if m == M else error + (1 / m - 1 / M) * r.var(0, ddof=1).mean()
