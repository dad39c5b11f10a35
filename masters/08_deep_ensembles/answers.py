# %% [markdown]
# # Answers to assignment 08
#
# Right answers of different structure, wrong answers with the sentence that a student sees, and
# mutants that change nothing. `fails` names exactly the aspects that must fail.

# %% [markdown]
# ## mixture-moments


# %% by-total-variance right="mixture-moments"
def mixture_moments(mu, sigma, weight):
    w = (weight / weight.sum())[:, None]
    mean = (w * mu).sum(axis=0)
    within = (w * sigma**2).sum(axis=0)
    between = (w * (mu - mean) ** 2).sum(axis=0)
    return mean, np.sqrt(within + between)


# %% by-second-moment right="mixture-moments"
def mixture_moments(mu, sigma, weight):
    mean = np.average(mu, axis=0, weights=weight)
    second = np.average(mu**2 + sigma**2, axis=0, weights=weight)
    return mean, (second - mean**2) ** 0.5


# %% by-torch right="mixture-moments"
def mixture_moments(mu, sigma, weight):
    mu, sigma, weight = (torch.tensor(a).T for a in (mu, sigma, weight[:, None]))
    parts = torch.distributions.Normal(mu, sigma)
    picks = torch.distributions.Categorical(weight.expand_as(mu))
    mixture = torch.distributions.MixtureSameFamily(picks, parts)
    return mixture.mean, mixture.stddev


# %% by-quadrature right="mixture-moments" oracle=True
from scipy import stats


def mixture_moments(mu, sigma, weight):
    # integrates the density on a grid around each member, fine enough to be exact
    grid, step = np.linspace(-11, 11, 301, retstep=True)
    share = [float(one) / sum(weight.tolist()) for one in weight]
    total, square = 0.0, 0.0
    for part, centre, width in zip(share, mu, sigma):
        t = centre[None] + width[None] * grid[:, None]
        mass = part * step * stats.norm.pdf(grid)[:, None]
        total, square = total + (mass * t).sum(0), square + (mass * t * t).sum(0)
    return total, np.sqrt(square - total**2)


# %% by-quadrature.flip-sign equivalent="mixture-moments"
# `t = centre[None] - width[None] * grid[:, None]`
# A Normal is symmetric about its mean, and so is the grid.


# %% by-quadrature.change-number equivalent="mixture-moments"
# `grid, step = np.linspace(-11, 12, 301, retstep=True)`
# A wider grid holds no more probability.


# %% by-quadrature.change-number equivalent="mixture-moments"
# `grid, step = np.linspace(-11, 11, 302, retstep=True)`
# One more grid point in 300: the sum was exact to rounding before.


# %% by-quadrature.change-number equivalent="mixture-moments"
# `grid, step = np.linspace(-12, 11, 301, retstep=True)`
# A wider grid holds no more probability.


# %% average-the-sds wrong="mixture-moments" fails="sd,weights"
# Standard deviations do not average: average variances, and add how far the means lie apart.
def mixture_moments(mu, sigma, weight):
    w = weight / weight.sum()
    return w @ mu, w @ sigma


# %% no-disagreement wrong="mixture-moments" fails="sd,weights"
# The mean variance is the noise alone: members that disagree about the mean add to it.
def mixture_moments(mu, sigma, weight):
    w = weight / weight.sum()
    return w @ mu, np.sqrt(w @ sigma**2)


# %% disagreement-alone wrong="mixture-moments" fails="sd,weights,one member"
# The spread of the means is one part; each member's own variance is the other.
def mixture_moments(mu, sigma, weight):
    w = weight / weight.sum()
    mean = w @ mu
    return mean, np.sqrt(w @ (mu - mean) ** 2)


# %% unbiased-variance wrong="mixture-moments" fails="sd,weights,one member"
# The members are the whole mixture, no sample from it: divide by M, not by M - 1.
def mixture_moments(mu, sigma, weight):
    w, count = weight / weight.sum(), len(mu)
    mean = w @ mu
    with np.errstate(all="ignore"):
        between = (w @ (mu - mean) ** 2) * (np.float64(count) / (count - 1))
    return mean, np.sqrt(w @ sigma**2 + between)


# %% sds-added wrong="mixture-moments" fails="sd,weights"
# Variances add, standard deviations do not: take the root of the sum.
def mixture_moments(mu, sigma, weight):
    w = weight / weight.sum()
    mean = w @ mu
    return mean, np.sqrt(w @ sigma**2) + np.sqrt(w @ (mu - mean) ** 2)


# %% average-of-draws wrong="mixture-moments" fails="sd,weights"
# This is the sd of the average of independent draws, one a member; the mixture draws one member.
def mixture_moments(mu, sigma, weight):
    w = weight / weight.sum()
    return w @ mu, np.sqrt(w**2 @ sigma**2)


# %% variance-returned wrong="mixture-moments" fails="sd,weights,one member"
# This is the variance: take its root.
def mixture_moments(mu, sigma, weight):
    w = weight / weight.sum()
    mean = w @ mu
    return mean, w @ (sigma**2 + (mu - mean) ** 2)


# %% sigma-not-squared wrong="mixture-moments" fails="sd,weights,one member"
# sigma is a standard deviation: square it before it is added to squared distances.
def mixture_moments(mu, sigma, weight):
    w = weight / weight.sum()
    mean = w @ mu
    return mean, np.sqrt(w @ (sigma + (mu - mean) ** 2))


# %% weights-ignored wrong="mixture-moments" fails="weights"
# Each member counts by its weight, in the mean and in both parts of the variance.
def mixture_moments(mu, sigma, weight):
    mean = mu.mean(0)
    return mean, np.sqrt((sigma**2 + (mu - mean) ** 2).mean(0))


# %% weights-not-scaled wrong="mixture-moments" fails="weights"
# The weights sum to anything: divide them by their sum first.
def mixture_moments(mu, sigma, weight):
    mean = weight @ mu
    return mean, np.sqrt(weight @ (sigma**2 + (mu - mean) ** 2))


# %% softmax-of-the-weights wrong="mixture-moments" fails="weights"
# The weights are proportional to the probabilities, they are no logits: divide by their sum.
def mixture_moments(mu, sigma, weight):
    w = special.softmax(weight)
    mean = w @ mu
    return mean, np.sqrt(w @ (sigma**2 + (mu - mean) ** 2))


# %% weights-of-the-mean-only wrong="mixture-moments" fails="weights"
# The variance is a weighted mean, too: the same weights belong in both of its parts.
def mixture_moments(mu, sigma, weight):
    mean = (weight / weight.sum()) @ mu
    return mean, np.sqrt((sigma**2).mean(0) + ((mu - mean) ** 2).mean(0))


# %% inverse-variance wrong="mixture-moments" fails="mean,sd,weights"
# Weighting by one over the variance combines measurements of one quantity, not a mixture.
def mixture_moments(mu, sigma, weight):
    w = weight[:, None] / sigma**2
    w = w / w.sum(0)
    mean = (w * mu).sum(0)
    return mean, np.sqrt((w * (sigma**2 + (mu - mean) ** 2)).sum(0))


# %% over-the-inputs wrong="mixture-moments" fails="mean,sd,weights,one member"
# The members are the rows: average over the first axis, not over all.
def mixture_moments(mu, sigma, weight):
    w = (weight / weight.sum())[:, None] / mu.shape[1]
    mean = (w * mu).sum() + 0 * mu[0]
    return mean, np.sqrt((w * (sigma**2 + (mu - mean) ** 2)).sum()) + 0 * mu[0]


# %% solution.expand-square equivalent="mixture-moments"
# `... (mean, np.sqrt(w @ (sigma ** 2 + (mu * mu - 2 * mu * mean + mean * mean))))`
# Of means up to a thousand and deviations of a hundredth it leaves five digits.


# %% [markdown]
# ## mixture-nll


# %% by-mixture right="mixture-nll"
def mixture_nll(mu, sigma, y):
    parts = torch.distributions.Normal(mu.T, sigma.T)
    picks = torch.distributions.Categorical(logits=torch.zeros_like(mu.T))
    return -torch.distributions.MixtureSameFamily(picks, parts).log_prob(y).mean()


# %% by-largest-member right="mixture-nll"
def mixture_nll(mu, sigma, y):
    log_density = torch.distributions.Normal(mu, sigma).log_prob(y)
    top = log_density.max(0).values.detach()
    mean = torch.exp(log_density - top).mean(0)
    return -(top + torch.log(mean)).mean()


# %% one-after-another right="mixture-nll"
def mixture_nll(mu, sigma, y):
    total = None
    for m, s in zip(mu, sigma):
        term = -torch.nn.functional.gaussian_nll_loss(
            m, y, s**2, full=True, eps=0, reduction="none"
        )
        total = term if total is None else torch.logaddexp(total, term)
    return math.log(len(mu)) - total.mean()


# %% by-responsibilities right="mixture-nll" oracle=True
from scipy import special as functions
from scipy import stats


class MixtureDensity(torch.autograd.Function):
    # scipy's densities; the gradient is written by hand, with the members' responsibilities
    @staticmethod
    def forward(ctx, mu, sigma, y):
        each = stats.norm.logpdf(y.numpy(), mu.numpy(), sigma.numpy())
        share = functions.softmax(each, axis=0)
        ctx.slope = torch.from_numpy(share * (mu - y).numpy() / sigma.numpy() ** 2) / y.numel()
        value = functions.logsumexp(each, axis=0, b=1 / each.shape[0])
        return torch.tensor(-value.sum() / y.numel(), dtype=torch.float64)

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.slope, None, None


def mixture_nll(mu, sigma, y):
    return MixtureDensity.apply(mu, sigma.expand(mu.shape), y)


# %% by-responsibilities.detach-result equivalent="mixture-nll"
# `return torch.tensor(-value.sum() / y.numel(), dtype=torch.float64).detach()`
# Inside an autograd.Function nothing is traced, so a detached forward result changes nothing.


# %% solution.detach-input equivalent="mixture-nll"
# `sigma = sigma.detach()`
# The text asks for gradients with respect to mu alone.

# %% solution.detach-input equivalent="mixture-nll"
# `y = y.detach()`
# The text asks for gradients with respect to mu alone.


# %% mean-of-nlls wrong="mixture-nll" fails="value,far points,gradient"
# This is the mean of the members' NLLs. The mixture averages densities, before the logarithm.
def mixture_nll(mu, sigma, y):
    return -torch.distributions.Normal(mu, sigma).log_prob(y).mean()


# %% one-normal wrong="mixture-nll" fails="value,far points,gradient"
# This is a Normal with the mixture's mean and sd: the mixture itself is no Normal.
def mixture_nll(mu, sigma, y):
    mean = mu.mean(0)
    sd = (sigma**2 + (mu - mean) ** 2).mean(0).sqrt()
    return -torch.distributions.Normal(mean, sd).log_prob(y).mean()


# %% averaged-parameters wrong="mixture-nll" fails="value,far points,gradient"
# Averaged means and sds describe a model that nobody trained: average the densities.
def mixture_nll(mu, sigma, y):
    return -torch.distributions.Normal(mu.mean(0), sigma.mean(0)).log_prob(y).mean()


# %% log-of-the-sum wrong="mixture-nll" fails="value"
# The densities are averaged, not summed: the log of M is missing.
def mixture_nll(mu, sigma, y):
    log_density = torch.distributions.Normal(mu, sigma).log_prob(y)
    return -torch.logsumexp(log_density, 0).mean()


# %% log-m-added-twice wrong="mixture-nll" fails="value"
# Averaging divides by M, so that the NLL gains log M: the sign is flipped here.
def mixture_nll(mu, sigma, y):
    log_density = torch.distributions.Normal(mu, sigma).log_prob(y)
    return -(torch.logsumexp(log_density, 0) + math.log(len(mu))).mean()


# %% densities-underflow wrong="mixture-nll" fails="far points,gradient"
# Far away all densities are 0 and their log is minus infinity: stay with logs, use logsumexp.
def mixture_nll(mu, sigma, y):
    density = torch.distributions.Normal(mu, sigma).log_prob(y).exp().mean(0)
    return -torch.log(density).mean()


# %% epsilon-in-the-log wrong="mixture-nll" fails="far points,gradient"
# A small number in the log caps the NLL at 345 nats, without gradient: use logsumexp.
def mixture_nll(mu, sigma, y):
    density = torch.distributions.Normal(mu, sigma).log_prob(y).exp().mean(0)
    return -torch.log(density + 1e-150).mean()


# %% whole-data-sets wrong="mixture-nll" fails="value,far points,gradient"
# Each point has a mixture of its own: average densities for each point, not for all at once.
def mixture_nll(mu, sigma, y):
    log_density = torch.distributions.Normal(mu, sigma).log_prob(y).sum(1)
    return -(torch.logsumexp(log_density, 0) - math.log(len(mu))) / len(y)


# %% in-bits wrong="mixture-nll" fails="value,far points,gradient"
# These are bits; the text asks for nats, the natural logarithm.
def mixture_nll(mu, sigma, y):
    log_density = torch.distributions.Normal(mu, sigma).log_prob(y)
    return -(torch.logsumexp(log_density, 0) - math.log(len(mu))).mean() / math.log(2)


# %% weights-by-responsibility wrong="mixture-nll" fails="value,gradient"
# Weights that depend on y make a mean of log-densities; the mixture takes the log of their mean.
def mixture_nll(mu, sigma, y):
    log_density = torch.distributions.Normal(mu, sigma).log_prob(y)
    return -(log_density.softmax(0) * log_density).sum(0).mean()


# %% constant-missing wrong="mixture-nll" fails="value"
# The normal density has a constant, half the log of two pi, and an NLL keeps it.
def mixture_nll(mu, sigma, y):
    log_density = -0.5 * ((y - mu) / sigma) ** 2 - sigma.log()
    return -(torch.logsumexp(log_density, 0) - math.log(len(mu))).mean()


# %% sum-over-points wrong="mixture-nll" fails="value,far points,gradient"
# This is the sum over the points; the text asks for the mean.
def mixture_nll(mu, sigma, y):
    log_density = torch.distributions.Normal(mu, sigma).log_prob(y)
    return -(torch.logsumexp(log_density, 0) - math.log(len(mu))).sum()


# %% best-member wrong="mixture-nll" fails="value,gradient"
# Nobody knows beforehand which member will be best: average the densities of all of them.
def mixture_nll(mu, sigma, y):
    return -torch.distributions.Normal(mu, sigma).log_prob(y).max(0).values.mean()


# %% variance-as-scale wrong="mixture-nll" fails="value,far points,gradient"
# Normal takes the standard deviation: pass sigma, not sigma squared.
def mixture_nll(mu, sigma, y):
    log_density = torch.distributions.Normal(mu, sigma**2).log_prob(y)
    return -(torch.logsumexp(log_density, 0) - math.log(len(mu))).mean()


# %% over-the-points wrong="mixture-nll" fails="value,far points,gradient"
# logsumexp runs over the members, the first axis; this one runs over the points.
def mixture_nll(mu, sigma, y):
    log_density = torch.distributions.Normal(mu, sigma).log_prob(y)
    return -(torch.logsumexp(log_density, 1) - math.log(len(y))).mean()


# %% detached wrong="mixture-nll" fails="gradient"
# .item() cuts the gradient: return the tensor itself.
def mixture_nll(mu, sigma, y):
    log_density = torch.distributions.Normal(mu, sigma).log_prob(y)
    return -(torch.logsumexp(log_density, 0) - math.log(len(mu))).mean().item()


# %% [markdown]
# ## mixture-quantile


# %% by-root-finder right="mixture-quantile"
def mixture_quantile(mu, sigma, q):
    ends = mu + sigma * special.ndtri(q)
    low, high = ends.min() - 1, ends.max() + 1

    def gap(t):
        return special.ndtr((t - mu) / sigma).mean() - q

    return optimize.brentq(gap, low, high, xtol=1e-20)


# %% by-torch right="mixture-quantile"
def mixture_quantile(mu, sigma, q):
    parts = torch.distributions.Normal(torch.tensor(mu), torch.tensor(sigma))
    ends = parts.icdf(torch.tensor(q, dtype=torch.float64))
    low, high = ends.min(), ends.max()
    for _ in range(12):  # twenty times finer each time
        grid = torch.linspace(0, 1, 21, dtype=torch.float64) * (high - low) + low
        below = int((parts.cdf(grid[:, None]).mean(1) < q).sum())
        low, high = grid[max(below - 1, 0)], grid[min(below, 20)]
    return (low + high) / 2


# %% by-upper-tail right="mixture-quantile" oracle=True
from scipy import stats
from scipy.optimize import toms748


def mixture_quantile(mu, sigma, q):
    # follows the upper tail, on a logarithmic scale, inside a wide bracket
    reach = 10 * float(sigma.max()) + float(abs(mu).max())

    def gap(t):
        survive = stats.norm.sf(t, mu, sigma).sum() / mu.size
        return np.log(survive) - np.log1p(-q) if q > 0.5 else 1 - survive - q

    found, _ = toms748(gap, -reach, reach, xtol=1e-13, rtol=1e-14, full_output=True)
    return found


# %% solution.change-number equivalent="mixture-quantile"
# `for _ in range(51):`
# Fifty halves are finer than the accuracy that is asked for: one more changes nothing.

# %% by-root-finder.change-number equivalent="mixture-quantile"
# `low, high = (ends.min() - 2, ends.max() + 1)`
# A wider bracket holds the same root.

# %% by-root-finder.change-number equivalent="mixture-quantile"
# `low, high = (ends.min() - 1, ends.max() + 2)`
# A wider bracket holds the same root.

# %% by-torch.change-number equivalent="mixture-quantile"
# `for _ in range(13):`
# One round more than the accuracy asks for changes nothing.

# %% by-torch.change-number equivalent="mixture-quantile"
# `grid = torch.linspace(0, 2, 21, dtype=torch.float64) * (high - low) + low`
# The grid reaches beyond the bracket and still holds the root.

# %% by-torch.change-number equivalent="mixture-quantile"
# `low, high = (grid[max(below - 2, 0)], grid[min(below, 20)])`
# The next bracket is twice as wide, and ten times finer than the one before.

# %% by-upper-tail.change-number equivalent="mixture-quantile"
# `reach = 11 * float(sigma.max()) + float(abs(mu).max())`
# A wider bracket holds the same root.

# %% by-upper-tail.change-number equivalent="mixture-quantile"
# `return np.log(survive) - np.log1p(-q) if q > 1.5 else 1 - survive - q`
# Both forms of the function have the same root; the logarithm only makes it sharper.


# %% solution.end-loop-early equivalent="mixture-quantile"
# `for _ in list(range(50))[:-1]:`
# Forty-nine halves are finer than the accuracy that is asked for.

# %% by-torch.end-loop-early equivalent="mixture-quantile"
# `for _ in list(range(12))[:5]:`
# Five refinements come so near to the accuracy asked for that rounding hides the rest.

# %% by-torch.end-loop-early equivalent="mixture-quantile"
# `for _ in list(range(12))[:-1]:`
# Eleven refinements are finer than the accuracy that is asked for.


# %% mean-of-quantiles wrong="mixture-quantile" fails="quantile,tails,far apart"
# The mean of the members' quantiles is no quantile of the mixture: solve F(t) = q.
def mixture_quantile(mu, sigma, q):
    return np.mean(mu + sigma * special.ndtri(q))


# %% one-normal wrong="mixture-quantile" fails="quantile,tails,far apart"
# The mixture is no Normal, even with the right mean and sd: solve F(t) = q.
def mixture_quantile(mu, sigma, q):
    sd = np.sqrt(np.mean(sigma**2 + (mu - mu.mean()) ** 2))
    return mu.mean() + sd * special.ndtri(q)


# %% averaged-sds wrong="mixture-quantile" fails="quantile,tails,far apart"
# This forgets how far the means lie apart, and that a mixture is no Normal: solve F(t) = q.
def mixture_quantile(mu, sigma, q):
    sd = np.sqrt(np.mean(sigma**2))
    return mu.mean() + sd * special.ndtri(q)


# %% median-of-quantiles wrong="mixture-quantile" fails="quantile,tails,far apart"
# The median of the members' quantiles is no quantile of the mixture: solve F(t) = q.
def mixture_quantile(mu, sigma, q):
    return np.median(mu + sigma * special.ndtri(q))


# %% outermost-member wrong="mixture-quantile" fails="quantile,tails,far apart"
# The outermost member's quantile is only a bound: the others have probability there, too.
def mixture_quantile(mu, sigma, q):
    ends = mu + sigma * special.ndtri(q)
    return ends.min() if q < 0.5 else ends.max()


# %% upper-tail wrong="mixture-quantile" fails="quantile,tails,far apart"
# This leaves probability q above it; a quantile has q below it.
def mixture_quantile(mu, sigma, q):
    ends = mu + sigma * special.ndtri(1 - q)
    low, high = ends.min() - 1e-9, ends.max() + 1e-9
    return optimize.brentq(lambda t: special.ndtr((mu - t) / sigma).mean() - q, low, high)


# %% variance-as-scale wrong="mixture-quantile" fails="quantile,tails,far apart"
# The distance is measured in standard deviations: divide by sigma, not by its square.
def mixture_quantile(mu, sigma, q):
    ends = mu + sigma**2 * special.ndtri(q)
    low, high = ends.min() - 1e-9, ends.max() + 1e-9
    return optimize.brentq(lambda t: special.ndtr((t - mu) / sigma**2).mean() - q, low, high)


# %% from-draws wrong="mixture-quantile" fails="quantile,tails,far apart"
# A sample's quantile has a random error: solve F(t) = q instead.
def mixture_quantile(mu, sigma, q):
    rng = np.random.default_rng(0)
    draws = mu[:, None] + sigma[:, None] * rng.standard_normal((len(mu), 2000))
    return np.quantile(draws, q)


# %% coarse-grid wrong="mixture-quantile" fails="quantile,tails,far apart"
# A grid is as exact as its step: refine it around the answer, or use a root finder.
def mixture_quantile(mu, sigma, q):
    grid = np.linspace((mu - 6 * sigma).min(), (mu + 6 * sigma).max(), 2001)
    F = special.ndtr((grid[:, None] - mu) / sigma).mean(1)
    return grid[np.searchsorted(F, q)]


# %% fine-grid wrong="mixture-quantile" fails="quantile,tails,far apart"
# Between two grid points F may jump, where a member is narrow: bracket the answer and refine.
def mixture_quantile(mu, sigma, q):
    grid = np.linspace((mu - 6 * sigma).min(), (mu + 6 * sigma).max(), 20001)
    return np.interp(q, special.ndtr((grid[:, None] - mu) / sigma).mean(1), grid)


# %% newton-from-the-mean wrong="mixture-quantile" fails="quantile,tails,far apart"
# Newton's steps explode where the density is tiny: keep a bracket, as bisection and brentq do.
def mixture_quantile(mu, sigma, q):
    t = mu.mean()
    for _ in range(60):
        z = (t - mu) / sigma
        density = np.mean(np.exp(-(z**2) / 2) / sigma) / np.sqrt(2 * np.pi)
        with np.errstate(all="ignore"):
            t = t - (special.ndtr(z).mean() - q) / density
    return t


# %% thirty-halvings wrong="mixture-quantile" fails="quantile,tails"
# Thirty halves of a range of 2000 are too coarse here: halve until the bracket is small enough.
def mixture_quantile(mu, sigma, q):
    low, high = -1000.0, 1000.0
    for _ in range(30):
        middle = (low + high) / 2
        if special.ndtr((middle - mu) / sigma).mean() < q:
            low = middle
        else:
            high = middle
    return low


# %% stops-where-flat wrong="mixture-quantile" fails="quantile,tails"
# A small gap in F says little of t where F is flat: stop when the bracket is small.
def mixture_quantile(mu, sigma, q):
    ends = mu + sigma * special.ndtri(q)
    low, high = ends.min(), ends.max()
    for _ in range(200):
        middle = (low + high) / 2
        gap = special.ndtr((middle - mu) / sigma).mean() - q
        if abs(gap) < 1e-8:
            break
        low, high = (middle, high) if gap < 0 else (low, middle)
    return middle


# %% narrow-bracket wrong="mixture-quantile" fails="tails"
# Three sds are not far enough in the tails: the members' own quantiles are a sure bracket.
def mixture_quantile(mu, sigma, q):
    low, high = (mu - 3 * sigma).min(), (mu + 3 * sigma).max()
    for _ in range(60):
        middle = (low + high) / 2
        if special.ndtr((middle - mu) / sigma).mean() < q:
            low = middle
        else:
            high = middle
    return low


# %% fixed-bracket wrong="mixture-quantile" fails="far apart,quantile"
# Members may lie anywhere: take the bracket from mu and sigma, not from a fixed range.
def mixture_quantile(mu, sigma, q):
    low, high = -30.0, 30.0
    for _ in range(70):
        middle = (low + high) / 2
        if special.ndtr((middle - mu) / sigma).mean() < q:
            low = middle
        else:
            high = middle
    return low


# %% [markdown]
# ## pool-the-votes


# %% by-members right="pool-the-votes"
def pool(logits):
    count, n, classes = logits.shape
    probability, votes = logits.new_zeros(n, classes), logits.new_zeros(n, classes)
    for z in logits:
        z = z - z.max(1, keepdim=True).values
        weights = torch.exp(z)
        probability += weights / weights.sum(1, keepdim=True) / count
        votes[torch.arange(n), z.argmax(1)] += 1
    label = (votes + 0.5 * probability).argmax(1)  # whole votes first, probability within them
    return probability, votes / count, label


# %% by-numpy right="pool-the-votes"
def pool(logits):
    z = logits.numpy()
    p = special.softmax(z, axis=2).mean(axis=0)
    votes = (z == z.max(axis=2, keepdims=True)).mean(axis=0)
    label = [max(range(len(v)), key=lambda k: (round(v[k], 9), q[k])) for v, q in zip(votes, p)]
    return p, votes, np.array(label)


# %% by-log-probabilities right="pool-the-votes"
def pool(logits):
    log_p = torch.log_softmax(logits, dim=-1)
    p = torch.exp(torch.logsumexp(log_p, dim=0) - math.log(len(logits)))
    favourites = logits.topk(1, dim=-1).indices.squeeze(-1)
    counts = torch.stack([torch.bincount(v, minlength=logits.shape[2]) for v in favourites.T])
    order = sorted(range(logits.shape[2]), reverse=True)
    label = torch.zeros(logits.shape[1], dtype=torch.int64)
    for i in range(len(label)):
        label[i] = max(order, key=lambda k: (int(counts[i, k]), float(p[i, k])))
    return p, counts / len(logits), label


# %% by-counting right="pool-the-votes" oracle=True
from collections import Counter


def pool(logits):
    # plain Python, one example at a time
    members = logits.tolist()
    rows = []
    for each in zip(*members):
        chances = [0.0] * len(each[0])
        ballots = Counter()
        for z in each:
            top = max(z)
            scale = math.fsum(math.exp(v - top) for v in z)
            chances = [c + math.exp(v - top) / scale for c, v in zip(chances, z)]
            ballots[z.index(top)] += 1
        leading = [k for k in ballots if ballots[k] == max(ballots.values())]
        best = sorted(leading, key=lambda k: chances[k])[-1]
        share = [ballots[k] / len(members) for k in range(len(chances))]
        rows.append(([c / len(members) for c in chances], share, best))
    return tuple(np.array(column) for column in zip(*rows))


# %% solution.change-number equivalent="pool-the-votes"
# `return (probability, votes, torch.where(leads, probability, -2).argmax(1))`
# Any number below every probability marks a class that does not lead.

# %% by-members.drop-factor equivalent="pool-the-votes"
# `label = (votes + probability).argmax(1)`
# A class with fewer votes leads by less than 0.5 in mean probability: no vote is outweighed.

# %% by-members.change-number equivalent="pool-the-votes"
# `label = (votes + 1.5 * probability).argmax(1)`
# A class with fewer votes leads by less than 0.5 in mean probability: no vote is outweighed.

# %% by-numpy.change-number equivalent="pool-the-votes"
# `... key=lambda k: (round(v[k], 10), q[k])) for v, q in zip(votes, p)]`
# Shares of votes differ by at least one over M, far more than the rounding.


# %% by-counting.end-loop-early equivalent="pool-the-votes"
# `return tuple((np.array(column) for column in list(zip(*rows))[:5]))`
# There are three results.


# %% classes-that-were-voted-for wrong="pool-the-votes" fails="votes"
# A class that nobody votes for has a share, too: 0. Tell one_hot how many classes there are.
def pool(logits):
    p = torch.softmax(logits, -1)
    votes = torch.nn.functional.one_hot(p.argmax(-1)).double().mean(0)
    mean = p.mean(0)
    best = votes == votes.max(1, keepdim=True).values
    return mean, votes, torch.where(best, mean[:, : votes.shape[1]], -1.0).argmax(1)


# %% average-the-logits wrong="pool-the-votes" fails="probability,label"
# Averaging logits gives a geometric mean: take the softmax of each member first, then average.
def pool(logits):
    probability = logits.mean(0).softmax(1)
    votes = torch.nn.functional.one_hot(logits.argmax(2), logits.shape[2]).double().mean(0)
    return probability, votes, (votes + 0.1 * probability).argmax(1)


# %% softmax-twice wrong="pool-the-votes" fails="probability,label"
# A mean of probabilities is a probability already: a second softmax flattens it.
def pool(logits):
    probability = logits.softmax(2).mean(0).softmax(1)
    votes = torch.nn.functional.one_hot(logits.argmax(2), logits.shape[2]).double().mean(0)
    return probability, votes, (votes + 0.1 * probability).argmax(1)


# %% wrong-axis wrong="pool-the-votes" fails="probability,label"
# The softmax runs over the classes, the last axis.
def pool(logits):
    probability = logits.softmax(1).mean(0)
    votes = torch.nn.functional.one_hot(logits.argmax(2), logits.shape[2]).double().mean(0)
    return probability, votes, (votes + 0.01 * probability).argmax(1)


# %% overflow wrong="pool-the-votes" fails="label,probability"
# exp overflows for large logits: subtract the largest of each row, or use softmax.
def pool(logits):
    weights = logits.exp()
    probability = (weights / weights.sum(2, keepdim=True)).mean(0)
    p = logits.softmax(2).mean(0)
    votes = torch.nn.functional.one_hot(logits.argmax(2), logits.shape[2]).double().mean(0)
    return probability, votes, (votes + 0.1 * p).argmax(1)


# %% averaged-class-indices wrong="pool-the-votes" fails="label"
# Class numbers are names, not quantities: count votes, never average the indices.
def pool(logits):
    probability = logits.softmax(2).mean(0)
    chosen = logits.argmax(2)
    votes = torch.nn.functional.one_hot(chosen, logits.shape[2]).double().mean(0)
    return probability, votes, chosen.double().mean(0).round().long()


# %% median-class-index wrong="pool-the-votes" fails="label"
# The median of class numbers depends on how the classes are numbered: count votes instead.
def pool(logits):
    probability = logits.softmax(2).mean(0)
    chosen = logits.argmax(2)
    votes = torch.nn.functional.one_hot(chosen, logits.shape[2]).double().mean(0)
    return probability, votes, chosen.median(0).values


# %% ties-to-the-lowest wrong="pool-the-votes" fails="label"
# argmax gives a tie to the lowest class; the text gives it to the larger mean probability.
def pool(logits):
    probability = logits.softmax(2).mean(0)
    votes = torch.nn.functional.one_hot(logits.argmax(2), logits.shape[2]).double().mean(0)
    return probability, votes, votes.argmax(1)


# %% label-of-the-mean wrong="pool-the-votes" fails="label"
# The label is the one with the most votes; the mean probability only breaks ties.
def pool(logits):
    probability = logits.softmax(2).mean(0)
    votes = torch.nn.functional.one_hot(logits.argmax(2), logits.shape[2]).double().mean(0)
    return probability, votes, probability.argmax(1)


# %% votes-plus-probability wrong="pool-the-votes" fails="label"
# The mean probability breaks ties and no more: added to the votes, it can outweigh one.
def pool(logits):
    probability = logits.softmax(2).mean(0)
    votes = torch.nn.functional.one_hot(logits.argmax(2), logits.shape[2]).double().mean(0)
    return probability, votes, (votes + probability).argmax(1)


# %% tie-open-to-all wrong="pool-the-votes" fails="label"
# Only the classes that lead by votes may win a tie; a class with fewer votes may not.
def pool(logits):
    probability = logits.softmax(2).mean(0)
    votes = torch.nn.functional.one_hot(logits.argmax(2), logits.shape[2]).double().mean(0)
    leads = votes > votes.max(1, keepdim=True).values - 1e-9
    return (
        probability,
        votes,
        torch.where(leads.sum(1) > 1, probability.argmax(1), votes.argmax(1)),
    )


# %% most-confident-member wrong="pool-the-votes" fails="label"
# The boldest member does not decide alone: count the votes of all.
def pool(logits):
    p = logits.softmax(2)
    votes = torch.nn.functional.one_hot(logits.argmax(2), logits.shape[2]).double().mean(0)
    return p.mean(0), votes, (votes.round(decimals=9) + 0 * p.mean(0) + p.amax(0)).argmax(1)


# %% votes-counted wrong="pool-the-votes" fails="votes"
# These are counts; the text asks for the share of the members.
def pool(logits):
    probability = logits.softmax(2).mean(0)
    votes = torch.nn.functional.one_hot(logits.argmax(2), logits.shape[2]).double().sum(0)
    return probability, votes, (votes + 0.5 * probability).argmax(1)


# %% one-vote-for-all wrong="pool-the-votes" fails="votes,label"
# This is the favourite of the mean; each member votes for its own favourite.
def pool(logits):
    probability = logits.softmax(2).mean(0)
    votes = torch.nn.functional.one_hot(probability.argmax(1), logits.shape[2]).double()
    return probability, votes, votes.argmax(1)


# %% half-a-vote wrong="pool-the-votes" fails="votes,label"
# A class may win without a majority: each vote counts, however sure the member is.
def pool(logits):
    p = logits.softmax(2)
    votes = (p > 0.5).double().mean(0)
    return p.mean(0), votes, (votes + 0.01 * p.mean(0)).argmax(1)


# %% [markdown]
# ## members-from-seeds


# %% by-least-squares right="members-from-seeds"
def random_members(x, y, x_new, seeds):
    root = math.sqrt(0.3)
    out = np.zeros((len(seeds), len(x_new)))
    for row, seed in enumerate(seeds):
        g = torch.Generator()
        g.manual_seed(seed)
        normal = torch.randn(20, generator=g, dtype=torch.float64)
        uniform = torch.rand(20, generator=g, dtype=torch.float64)
        w, b = (2 * normal).numpy(), (2 * math.pi * uniform).numpy()
        tall = np.vstack([np.cos(x[:, None] * w + b), root * np.eye(20)])
        a = np.linalg.lstsq(tall, np.concatenate([y, np.zeros(20)]), rcond=None)[0]
        out[row] = np.cos(x_new[:, None] * w + b) @ a
    return out


# %% by-batched-torch right="members-from-seeds"
def random_members(x, y, x_new, seeds):
    w, b = [], []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        w.append(torch.randn(1, 20, generator=generator, dtype=torch.float64))
        b.append(torch.rand(1, 20, generator=generator, dtype=torch.float64))
    w, b = 2 * torch.stack(w), 2 * torch.pi * torch.stack(b)  # (M, 1, 20)
    x, y, x_new = (torch.tensor(v)[:, None] for v in (x, y, x_new))
    phi = torch.cos(x * w + b)  # (M, n, 20)
    gram = phi.mT @ phi + 0.3 * torch.eye(20, dtype=torch.float64)
    a = torch.linalg.solve(gram, phi.mT @ y)
    return (torch.cos(x_new * w + b) @ a)[..., 0]


# %% by-kernel right="members-from-seeds" oracle=True
from sklearn.kernel_ridge import KernelRidge


def random_members(x, y, x_new, seeds):
    # the dual of the ridge: a kernel between inputs instead of a readout; numbers from torch's
    # global generator, which fork_rng puts back
    result = []
    for s in map(int, seeds):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(s)
            frequency = torch.zeros(20, dtype=torch.float64).normal_().numpy() * 2.0
            phase = torch.zeros(20, dtype=torch.float64).uniform_().numpy() * np.pi * 2.0
        lift = [
            np.sin(np.add.outer(v, 0 * phase) * frequency + phase + np.pi / 2) for v in (x, x_new)
        ]
        ridge = KernelRidge(alpha=0.3, kernel="linear").fit(lift[0], y)
        result.append(ridge.predict(lift[1]))
    return np.array(result)


# %% by-kernel.flip-sign equivalent="members-from-seeds"
# `... 0 * phase) * frequency + phase - np.pi / 2) for v in (x, x_new)]`
# Minus the cosine is as good a feature: the readout changes its sign, the prediction stays.


# %% one-generator-for-all wrong="members-from-seeds" fails="seeds"
# One generator runs on from member to member: make a new one for each seed.
def random_members(x, y, x_new, seeds):
    generator, rows = torch.Generator().manual_seed(seeds[0]), []
    for _ in seeds:
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        phi, phi_new = (np.cos(np.outer(at, w) + b) for at in (x, x_new))
        a = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y)
        rows.append(phi_new @ a)
    return np.stack(rows)


# %% first-seed-for-all wrong="members-from-seeds" fails="seeds"
# All members use the first seed and are copies of one another: use each member's own.
def random_members(x, y, x_new, seeds):
    rows = []
    for _ in seeds:
        generator = torch.Generator().manual_seed(seeds[0])
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        phi, phi_new = (np.cos(np.outer(at, w) + b) for at in (x, x_new))
        a = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y)
        rows.append(phi_new @ a)
    return np.stack(rows)


# %% seed-inside-the-factory wrong="members-from-seeds" fails="seeds,members"
# A seed fixed inside makes every member the same network: use the one that was asked for.
def random_members(x, y, x_new, seeds):
    rows = []
    for _ in seeds:
        generator = torch.Generator().manual_seed(0)
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        phi, phi_new = (np.cos(np.outer(at, w) + b) for at in (x, x_new))
        a = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y)
        rows.append(phi_new @ a)
    return np.stack(rows)


# %% number-of-the-member wrong="members-from-seeds" fails="seeds,members"
# The place in the list is not the seed: use the number that stands there.
def random_members(x, y, x_new, seeds):
    rows = []
    for seed, _ in enumerate(seeds, start=1):
        generator = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        phi, phi_new = (np.cos(np.outer(at, w) + b) for at in (x, x_new))
        a = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y)
        rows.append(phi_new @ a)
    return np.stack(rows)


# %% global-seed wrong="members-from-seeds" fails="seeds"
# torch.manual_seed moves everybody's random numbers: draw from a generator of your own.
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        torch.manual_seed(seed)
        w = 2 * torch.randn(20, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, dtype=torch.float64).numpy()
        phi, phi_new = (np.cos(np.outer(at, w) + b) for at in (x, x_new))
        a = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y)
        rows.append(phi_new @ a)
    return np.stack(rows)


# %% doubles-removed wrong="members-from-seeds" fails="seeds"
# A seed that occurs twice has two rows, in the order of the list: a set loses both.
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in sorted(set(seeds)):
        generator = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        phi, phi_new = (np.cos(np.outer(at, w) + b) for at in (x, x_new))
        a = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y)
        rows.append(phi_new @ a)
    return np.stack(rows)


# %% rows-are-inputs wrong="members-from-seeds" fails="seeds,members"
# This is the transpose: one row for each member, one column for each new input.
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        phi, phi_new = (np.cos(np.outer(at, w) + b) for at in (x, x_new))
        a = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y)
        rows.append(phi_new @ a)
    return np.stack(rows, axis=1)


# %% members-averaged wrong="members-from-seeds" fails="seeds"
# The mean over the members hides how they differ: return one row for each.
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        phi, phi_new = (np.cos(np.outer(at, w) + b) for at in (x, x_new))
        a = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y)
        rows.append(phi_new @ a)
    return np.mean(rows, axis=0, keepdims=True)


# %% phases-first wrong="members-from-seeds" fails="seeds,members"
# The order of the draws matters: the normals come first, then the uniforms.
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        phi, phi_new = (np.cos(np.outer(at, w) + b) for at in (x, x_new))
        a = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y)
        rows.append(phi_new @ a)
    return np.stack(rows)


# %% drawn-in-float32 wrong="members-from-seeds" fails="seeds,members"
# In float32 the generator gives other numbers: ask randn and rand for float64.
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=generator).double().numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator).double().numpy()
        phi, phi_new = (np.cos(np.outer(at, w) + b) for at in (x, x_new))
        a = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ y)
        rows.append(phi_new @ a)
    return np.stack(rows)


# %% no-penalty wrong="members-from-seeds" fails="seeds,members"
# The readout has a penalty: add 0.3 to the diagonal of the normal equations.
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        phi, phi_new = (np.cos(np.outer(at, w) + b) for at in (x, x_new))
        rows.append(phi_new @ np.linalg.pinv(phi) @ y)
    return np.stack(rows)


# %% penalty-times-n wrong="members-from-seeds" fails="seeds,members"
# The squared errors are summed here, not averaged: the penalty is 0.3 whatever n is.
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        phi, phi_new = (np.cos(np.outer(at, w) + b) for at in (x, x_new))
        a = np.linalg.solve(phi.T @ phi + 0.3 * len(x) * np.eye(20), phi.T @ y)
        rows.append(phi_new @ a)
    return np.stack(rows)


# %% targets-centred wrong="members-from-seeds" fails="seeds,members"
# There is no intercept here: leave the targets as they are.
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
        b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
        phi, phi_new = (np.cos(np.outer(at, w) + b) for at in (x, x_new))
        a = np.linalg.solve(phi.T @ phi + 0.3 * np.eye(20), phi.T @ (y - y.mean()))
        rows.append(phi_new @ a + y.mean())
    return np.stack(rows)


# %% new-features-for-new-inputs wrong="members-from-seeds" fails="seeds,members"
# Training and prediction need the same features: draw w and b once for each member.
def random_members(x, y, x_new, seeds):
    rows = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        phi = []
        for at in (x, x_new):
            w = 2 * torch.randn(20, generator=generator, dtype=torch.float64).numpy()
            b = 2 * np.pi * torch.rand(20, generator=generator, dtype=torch.float64).numpy()
            phi.append(np.cos(np.outer(at, w) + b))
        a = np.linalg.solve(phi[0].T @ phi[0] + 0.3 * np.eye(20), phi[0].T @ y)
        rows.append(phi[1] @ a)
    return np.stack(rows)


# %% [markdown]
# ## sub-ensembles


# %% by-enumeration right="sub-ensembles"
import itertools


def sub_ensemble_error(f, y, m):
    errors = []
    for chosen in itertools.combinations(range(len(f)), m):
        errors.append(((f[list(chosen)].mean(axis=0) - y) ** 2).mean())
    return sum(errors) / len(errors)


# %% by-pairs right="sub-ensembles"
def sub_ensemble_error(f, y, m):
    # E of the squared mean: m of m² pairs are a member with itself, the others two members
    count = len(f)
    r = f - y
    own = (r**2).mean()
    if m == 1:
        return own
    gram = r @ r.T / len(y)
    crossed = (gram.sum() - np.trace(gram)) / (count * (count - 1))
    return own / m + (1 - 1 / m) * crossed


# %% by-torch right="sub-ensembles"
def sub_ensemble_error(f, y, m):
    f, y = torch.tensor(f), torch.tensor(y)
    rows = torch.combinations(torch.arange(len(f)), r=m)  # (subsets, m)
    return (f[rows].mean(1) - y).square().mean()


# %% by-masks right="sub-ensembles" oracle=True
def sub_ensemble_error(f, y, m):
    # every subset is a number in binary; keep those with m ones
    codes = [code for code in range(2 ** f.shape[0]) if bin(code).count("1") == m]
    table = np.array([[code >> i & 1 for i in range(f.shape[0])] for code in codes])
    return float(np.square(table @ (f / m) - y[None]).sum() / (table.shape[0] * y.size))


# %% first-members wrong="sub-ensembles" fails="single members,in between"
# The first m members are one subset of many: average over all of them.
def sub_ensemble_error(f, y, m):
    return ((f[:m].mean(0) - y) ** 2).mean()


# %% all-members-always wrong="sub-ensembles" fails="single members,in between"
# This is the error of all M members: smaller subsets have a larger one.
def sub_ensemble_error(f, y, m):
    return ((f.mean(0) - y) ** 2).mean()


# %% mean-of-member-errors wrong="sub-ensembles" fails="all members,in between"
# This is the mean error of single members: average the predictions of a subset first.
def sub_ensemble_error(f, y, m):
    return ((f - y) ** 2).mean()


# %% with-replacement wrong="sub-ensembles" fails="all members,in between"
# A subset holds different members: without replacement the variance vanishes at m = M.
def sub_ensemble_error(f, y, m):
    return ((f.mean(0) - y) ** 2).mean() + f.var(0).mean() / m


# %% repeats-allowed wrong="sub-ensembles" fails="all members,in between"
# A subset holds a member once at most: use combinations without repeats.
def sub_ensemble_error(f, y, m):
    import itertools

    chosen = itertools.combinations_with_replacement(range(len(f)), m)
    return np.mean([((f[list(c)].mean(0) - y) ** 2).mean() for c in itertools.islice(chosen, 999)])


# %% variance-divided-by-m wrong="sub-ensembles" fails="single members,in between"
# With the factor 1 - m/M belongs the variance of the members that divides by M - 1.
def sub_ensemble_error(f, y, m):
    return ((f.mean(0) - y) ** 2).mean() + (1 / m - 1 / len(f)) * f.var(0).mean()


# %% unbiased-of-one wrong="sub-ensembles" fails="all members"
# With M = 1 the variance that divides by M - 1 is 0/0: all members are one subset, without it.
def sub_ensemble_error(f, y, m):
    with np.errstate(all="ignore"):
        variance = np.sum((f - f.mean(0)) ** 2, 0).mean() / np.float64(len(f) - 1)
    return ((f.mean(0) - y) ** 2).mean() + (1 / m - 1 / len(f)) * variance


# %% neighbours-only wrong="sub-ensembles" fails="in between"
# Members that stand next to each other are only some of the subsets: take all combinations.
def sub_ensemble_error(f, y, m):
    runs = [f[i : i + m].mean(0) for i in range(len(f) - m + 1)]
    return np.mean([((mean - y) ** 2).mean() for mean in runs])


# %% best-subset wrong="sub-ensembles" fails="single members,in between"
# Nobody knows the best subset beforehand: average the errors over all of them.
def sub_ensemble_error(f, y, m):
    import itertools

    chosen = itertools.combinations(range(len(f)), m)
    return min(((f[list(c)].mean(0) - y) ** 2).mean() for c in chosen)


# %% random-subsets wrong="sub-ensembles" fails="in between"
# Subsets drawn at random leave a random error: go through all of them, or use the formula.
def sub_ensemble_error(f, y, m):
    if m in (1, len(f)):
        each = f if m == 1 else f.mean(0, keepdims=True)
        return ((each - y) ** 2).mean()
    rng = np.random.default_rng(0)
    picks = [rng.choice(len(f), m, replace=False) for _ in range(200)]
    return np.mean([((f[p].mean(0) - y) ** 2).mean() for p in picks])


# %% root-returned wrong="sub-ensembles" fails="single members,all members,in between"
# This is a root mean squared error: the text asks for the mean squared error.
def sub_ensemble_error(f, y, m):
    if len(f) == 1:
        return np.sqrt(((f - y) ** 2).mean())
    value = ((f.mean(0) - y) ** 2).mean()
    return np.sqrt(value + (1 / m - 1 / len(f)) * f.var(0, ddof=1).mean())


# %% means-averaged-first wrong="sub-ensembles" fails="single members,in between"
# Averaging over the subsets before squaring gives the full ensemble again: square first.
def sub_ensemble_error(f, y, m):
    import itertools

    means = [f[list(c)].mean(0) for c in itertools.combinations(range(len(f)), m)]
    return ((np.median(means, axis=0) - y) ** 2).mean()


# %% sum-over-points wrong="sub-ensembles" fails="single members,all members,in between"
# This is the sum over the points; the text asks for the mean.
def sub_ensemble_error(f, y, m):
    if len(f) == 1:
        return ((f - y) ** 2).sum()
    value = ((f.mean(0) - y) ** 2).sum()
    return value + (1 / m - 1 / len(f)) * f.var(0, ddof=1).sum()


# %% solution.squeeze-before equivalent="sub-ensembles"
# `... all_members + (1 / m - 1 / len(f)) * f.squeeze().var(0, ddof=1).mean()`
# One member returns before, and of one place the mean is its only value.
