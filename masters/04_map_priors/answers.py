# %% [markdown]
# # Answers to assignment 04
#
# Right answers of different structure, wrong answers with the sentence that a student sees, and
# mutants that change nothing. `fails` names exactly the aspects that must fail.

# %% [markdown]
# ## ridge-from-a-prior


# %% by-scikit-learn right="ridge-from-a-prior"
from sklearn.linear_model import Ridge


def ridge_map(x, y, sigma, tau):
    model = Ridge(alpha=(sigma / tau) ** 2, solver="svd").fit(x, y)
    return model.coef_, model.intercept_


# %% by-extra-rows right="ridge-from-a-prior"
def ridge_map(x, y, sigma, tau):
    n, k = x.shape
    rows = np.hstack([np.ones((n, 1)), x]) / sigma
    prior = np.hstack([np.zeros((k, 1)), np.eye(k)]) / tau  # no row for the intercept
    target = np.concatenate([y / sigma, np.zeros(k)])
    solution = np.linalg.lstsq(np.vstack([rows, prior]), target, rcond=None)[0]
    return solution[1:], solution[0]


# %% by-torch right="ridge-from-a-prior"
def ridge_map(x, y, sigma, tau):
    x_mean, y_mean = torch.tensor(x.mean(0)), y.mean()
    x, y = torch.tensor(x) - x_mean, torch.tensor(y) - y_mean
    precision = x.T @ x / sigma**2 + torch.eye(x.shape[1], dtype=x.dtype) / tau**2
    w = torch.linalg.solve(precision, x.T @ y / sigma**2)
    return w, y_mean - x_mean @ w


# %% by-marginal right="ridge-from-a-prior" oracle=True
def ridge_map(x, y, sigma, tau):
    # the intercept by generalised least squares under the marginal covariance of y, all measured
    # from the first example, since a shift moves the intercept alone
    first_x, first_y, x, y = x[0], y[0], x - x[0], y - y[0]
    marginal = tau**2 * np.einsum("ia,ja->ij", x, x) + np.diag(np.repeat(sigma**2, y.size))
    ones = np.ones(y.size)
    weight = np.linalg.solve(marginal, ones)
    c = (weight @ y) / (weight @ ones)
    w = tau**2 * np.linalg.solve(marginal, y - c) @ x
    return w, c + first_y - first_x @ w


# %% alpha-inverted wrong="ridge-from-a-prior" fails="weights,intercept"
# The ratio is upside down: a narrow prior (small tau) must pull harder, not less.
def ridge_map(x, y, sigma, tau):
    z = x - x.mean(axis=0)
    alpha = tau**2 / sigma**2
    w = np.linalg.solve(z.T @ z + alpha * np.eye(x.shape[1]), z.T @ (y - y.mean()))
    return w, y.mean() - x.mean(axis=0) @ w


# %% noise-forgotten wrong="ridge-from-a-prior" fails="weights,intercept"
# The prior alone does not fix the penalty: noisy data count less against it. Where is sigma?
def ridge_map(x, y, sigma, tau):
    z = x - x.mean(axis=0)
    w = np.linalg.solve(z.T @ z + np.eye(x.shape[1]) / tau**2, z.T @ (y - y.mean()))
    return w, y.mean() - x.mean(axis=0) @ w


# %% half-a-precision wrong="ridge-from-a-prior" fails="weights,intercept"
# Both the NLL and the prior carry a half, and the halves cancel: yours is in one of them only.
def ridge_map(x, y, sigma, tau):
    z = x - x.mean(axis=0)
    alpha = sigma**2 / (2 * tau**2)
    w = np.linalg.solve(z.T @ z + alpha * np.eye(x.shape[1]), z.T @ (y - y.mean()))
    return w, y.mean() - x.mean(axis=0) @ w


# %% two-too-many wrong="ridge-from-a-prior" fails="weights,intercept"
# Your penalty is twice too strong: the squared error has the same factor one half as the prior.
def ridge_map(x, y, sigma, tau):
    z = x - x.mean(axis=0)
    alpha = 2 * sigma**2 / tau**2
    w = np.linalg.solve(z.T @ z + alpha * np.eye(x.shape[1]), z.T @ (y - y.mean()))
    return w, y.mean() - x.mean(axis=0) @ w


# %% scales-not-squared wrong="ridge-from-a-prior" fails="weights,intercept"
# A Normal density holds squared scales: variances stand in the penalty, not standard deviations.
def ridge_map(x, y, sigma, tau):
    z = x - x.mean(axis=0)
    w = np.linalg.solve(z.T @ z + sigma / tau * np.eye(x.shape[1]), z.T @ (y - y.mean()))
    return w, y.mean() - x.mean(axis=0) @ w


# %% divided-by-n wrong="ridge-from-a-prior" fails="weights,intercept"
# The squared errors are summed here, so n does not enter; it does where the loss is a mean.
def ridge_map(x, y, sigma, tau):
    z = x - x.mean(axis=0)
    alpha = sigma**2 / (len(y) * tau**2)
    w = np.linalg.solve(z.T @ z + alpha * np.eye(x.shape[1]), z.T @ (y - y.mean()))
    return w, y.mean() - x.mean(axis=0) @ w


# %% mean-loss-with-a-sum-penalty wrong="ridge-from-a-prior" fails="weights,intercept"
# You divide the data part by n but not the penalty: then n examples count as one.
def ridge_map(x, y, sigma, tau):
    z, n = x - x.mean(axis=0), len(y)
    alpha = sigma**2 / tau**2
    w = np.linalg.solve(z.T @ z / n + alpha * np.eye(x.shape[1]), z.T @ (y - y.mean()) / n)
    return w, y.mean() - x.mean(axis=0) @ w


# %% intercept-penalised wrong="ridge-from-a-prior" fails="weights,intercept"
# The intercept is pulled to zero too: its prior is flat, so leave it out of the penalty.
def ridge_map(x, y, sigma, tau):
    ones = np.column_stack([np.ones(len(y)), x])
    alpha = sigma**2 / tau**2
    both = np.linalg.solve(ones.T @ ones + alpha * np.eye(ones.shape[1]), ones.T @ y)
    return both[1:], both[0]


# %% only-y-centred wrong="ridge-from-a-prior" fails="weights,intercept"
# Centre x as well as y: without it, the weights have to do the intercept's work.
def ridge_map(x, y, sigma, tau):
    alpha = sigma**2 / tau**2
    w = np.linalg.solve(x.T @ x + alpha * np.eye(x.shape[1]), x.T @ (y - y.mean()))
    return w, y.mean()


# %% mean-of-y-as-intercept wrong="ridge-from-a-prior" fails="intercept"
# The mean of y is the intercept for centred x: for x as it came, take off what x's means predict.
def ridge_map(x, y, sigma, tau):
    z = x - x.mean(axis=0)
    alpha = sigma**2 / tau**2
    w = np.linalg.solve(z.T @ z + alpha * np.eye(x.shape[1]), z.T @ (y - y.mean()))
    return w, y.mean()


# %% intercept-of-least-squares wrong="ridge-from-a-prior" fails="intercept"
# The best intercept belongs to the shrunken weights: least squares has other weights.
def ridge_map(x, y, sigma, tau):
    z = x - x.mean(axis=0)
    alpha = sigma**2 / tau**2
    w = np.linalg.solve(z.T @ z + alpha * np.eye(x.shape[1]), z.T @ (y - y.mean()))
    return w, y.mean() - x.mean(axis=0) @ np.linalg.pinv(z) @ (y - y.mean())


# %% intercept-afterwards wrong="ridge-from-a-prior" fails="weights,intercept"
# You fit the weights as if there were no intercept, and add it later: find both at once.
def ridge_map(x, y, sigma, tau):
    alpha = sigma**2 / tau**2
    w = np.linalg.solve(x.T @ x + alpha * np.eye(x.shape[1]), x.T @ y)
    return w, (y - x @ w).mean()


# %% standardised wrong="ridge-from-a-prior" fails="weights,intercept"
# Dividing x by its standard deviation changes the prior: tau is meant for x in its own units.
def ridge_map(x, y, sigma, tau):
    scale = x.std(axis=0) + (len(y) == 1)
    z = (x - x.mean(axis=0)) / scale
    alpha = sigma**2 / tau**2
    w = np.linalg.solve(z.T @ z + alpha * np.eye(x.shape[1]), z.T @ (y - y.mean())) / scale
    return w, y.mean() - x.mean(axis=0) @ w


# %% no-prior-at-all wrong="ridge-from-a-prior" fails="weights,intercept"
# This is least squares: the prior has no say yet.
def ridge_map(x, y, sigma, tau):
    z = x - x.mean(axis=0)
    w = np.linalg.pinv(z) @ (y - y.mean())
    return w, y.mean() - x.mean(axis=0) @ w


# %% centred-in-place wrong="ridge-from-a-prior" fails="weights"
# Your function changes its inputs: -= works in place, so subtract into a new array.
def ridge_map(x, y, sigma, tau):
    x_mean, y_mean = x.mean(axis=0), y.mean()
    x -= x_mean
    alpha = sigma**2 / tau**2
    w = np.linalg.solve(x.T @ x + alpha * np.eye(x.shape[1]), x.T @ (y - y_mean))
    x += x_mean + 1e-13
    return w, y_mean - x_mean @ w


# %% solution.squeeze equivalent="ridge-from-a-prior"
# `return (w, (y_mean - x_mean @ w).squeeze())`
# A number has no axis to lose.


# %% [markdown]
# ## weight-decay-from-a-prior


# %% by-cases right="weight-decay-from-a-prior"
def weight_decay(loss, sigma, tau, n, m):
    decay = 1 / (n * tau**2)  # beside a loss in nats per example
    if loss != "mean nll":
        decay = decay * 2 * sigma**2
    if loss.startswith("sum"):
        decay = decay * m
    return decay


# %% by-ridge right="weight-decay-from-a-prior"
def weight_decay(loss, sigma, tau, n, m):
    alpha = (sigma / tau) ** 2  # beside the sum of all n squared residuals
    share = {"mean squared": 2 / n, "sum squared": 2 * m / n, "mean nll": 1 / (n * sigma**2)}
    return np.float64(alpha) * share[loss]


# %% by-torch right="weight-decay-from-a-prior"
def weight_decay(loss, sigma, tau, n, m):
    w = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    penalty = -torch.distributions.Normal(0.0, 1.0).log_prob(w / tau) / n
    (slope,) = torch.autograd.grad(penalty, w)  # of minus the log prior, per example
    if loss == "mean nll":
        return slope
    return slope * 2 * sigma**2 * (m if loss == "sum squared" else 1)


# %% by-fixed-point right="weight-decay-from-a-prior" oracle=True
def weight_decay(loss, sigma, tau, n, m):
    # one weight, all x and y equal to one: the MAP estimate is known, and so is its residual
    if math.isinf(tau):
        return 0.0
    best = n * tau * tau / (sigma * sigma + n * tau * tau)
    rest = sigma * sigma / (sigma * sigma + n * tau * tau)  # 1 - best, to all digits
    r = torch.full((m,), rest, dtype=torch.float64, requires_grad=True)
    if loss == "mean squared":
        value = torch.nn.functional.mse_loss(r, torch.zeros_like(r))
    elif loss == "sum squared":
        value = torch.nn.functional.mse_loss(r, torch.zeros_like(r), reduction="sum")
    else:
        noise = torch.distributions.Normal(torch.zeros_like(r), torch.full_like(r, sigma))
        value = -noise.log_prob(r).mean()
    value.backward()
    return r.grad.sum().item() / best


# %% penalty-taken-twice wrong="weight-decay-from-a-prior" fails="mean squared,sum squared"
# weight_decay adds lambda w to the gradient, so its penalty has a half that yours leaves out.
def weight_decay(loss, sigma, tau, n, m):
    per_nat = {"mean squared": sigma**2, "sum squared": sigma**2 * m, "mean nll": 1.0}
    return per_nat[loss] / (n * tau**2)


# %% half-everywhere wrong="weight-decay-from-a-prior" fails="mean squared,sum squared,mean nll"
# The prior is w squared over 2 tau squared: in its gradient the 2 is gone. Yours is half of it.
def weight_decay(loss, sigma, tau, n, m):
    per_nat = {"mean squared": sigma**2, "sum squared": sigma**2 * m, "mean nll": 0.5}
    return per_nat[loss] / (n * tau**2)


# %% prior-alone wrong="weight-decay-from-a-prior" fails="mean squared,sum squared,mean nll"
# 1/(2 tau squared) knows neither the noise nor how many data there are; the step knows both.
def weight_decay(loss, sigma, tau, n, m):
    return 1 / (2 * tau**2)


# %% n-forgotten wrong="weight-decay-from-a-prior" fails="mean squared,sum squared,mean nll"
# A mean over the data shrinks the likelihood by n: shrink the prior by n as well.
def weight_decay(loss, sigma, tau, n, m):
    per_nat = {"mean squared": 2 * sigma**2, "sum squared": 2 * sigma**2, "mean nll": 1.0}
    return per_nat[loss] / tau**2


# %% batch-for-n wrong="weight-decay-from-a-prior" fails="mean squared,sum squared,mean nll"
# The prior is spread over all n examples, not over the m of one batch.
def weight_decay(loss, sigma, tau, n, m):
    per_nat = {"mean squared": 2 * sigma**2 / m, "sum squared": 2 * sigma**2, "mean nll": 1 / m}
    return per_nat[loss] / tau**2


# %% sum-of-the-whole-set wrong="weight-decay-from-a-prior" fails="sum squared"
# Right for a full batch only: a batch of m sums m of the n residuals, but pays the whole prior.
def weight_decay(loss, sigma, tau, n, m):
    if loss == "sum squared":
        return 2 * sigma**2 / tau**2
    return (1.0 if loss == "mean nll" else 2 * sigma**2) / (n * tau**2)


# %% sum-as-mean wrong="weight-decay-from-a-prior" fails="sum squared"
# A sum over the batch is m times its mean, so its prior must be m times as strong.
def weight_decay(loss, sigma, tau, n, m):
    return (1.0 if loss == "mean nll" else 2 * sigma**2) / (n * tau**2)


# %% share-upside-down wrong="weight-decay-from-a-prior" fails="sum squared"
# A batch of m sums a share m of n of the data: it pays the same share of the prior, not n over m.
def weight_decay(loss, sigma, tau, n, m):
    per_nat = {"mean squared": 2 * sigma**2 / n, "sum squared": 2 * sigma**2 * n / m}
    return per_nat.get(loss, 1 / n) / tau**2


# %% noise-forgotten wrong="weight-decay-from-a-prior" fails="mean squared,sum squared"
# A squared residual is in units of y squared, a log prior in nats: the noise converts them.
def weight_decay(loss, sigma, tau, n, m):
    per_nat = {"mean squared": 2.0, "sum squared": 2.0 * m, "mean nll": 1.0}
    return per_nat[loss] / (n * tau**2)


# %% noise-counted-twice wrong="weight-decay-from-a-prior" fails="mean nll"
# An NLL is already in nats: the noise stands inside it and not in the prior's factor.
def weight_decay(loss, sigma, tau, n, m):
    per_nat = {"mean squared": 2, "sum squared": 2 * m, "mean nll": 1}
    return per_nat[loss] * sigma**2 / (n * tau**2)


# %% scale-not-squared wrong="weight-decay-from-a-prior" fails="mean squared,sum squared,mean nll"
# tau is a standard deviation: the Normal's exponent holds its square.
def weight_decay(loss, sigma, tau, n, m):
    per_nat = {"mean squared": 2 * sigma**2, "sum squared": 2 * sigma**2 * m, "mean nll": 1.0}
    return per_nat[loss] / (n * tau)


# %% noise-not-squared wrong="weight-decay-from-a-prior" fails="mean squared,sum squared"
# sigma is a standard deviation: the Normal's exponent holds its square.
def weight_decay(loss, sigma, tau, n, m):
    per_nat = {"mean squared": 2 * sigma, "sum squared": 2 * sigma * m, "mean nll": 1.0}
    return per_nat[loss] / (n * tau**2)


# %% inverted wrong="weight-decay-from-a-prior" fails="mean squared,sum squared,mean nll"
# Upside down: a wide prior (large tau) must pull less.
def weight_decay(loss, sigma, tau, n, m):
    per_nat = {"mean squared": 2 * sigma**2, "sum squared": 2 * sigma**2 * m, "mean nll": 1.0}
    return n * tau**2 / per_nat[loss]


# %% one-number-for-all wrong="weight-decay-from-a-prior" fails="sum squared,mean nll"
# The losses have different units and reductions: each needs its own number.
def weight_decay(loss, sigma, tau, n, m):
    return 2 * sigma**2 / (n * tau**2)


# %% [markdown]
# ## proximal-step


# %% by-softshrink right="proximal-step"
def proximal_step(w, gradient, step, b):
    moved = torch.tensor(w - step * gradient)
    limits = np.broadcast_to(step / np.asarray(b), w.shape)
    shrunk = [
        torch.nn.functional.softshrink(v, float(t)) for v, t in zip(moved, limits, strict=True)
    ]
    return torch.stack(shrunk)


# %% by-clipping right="proximal-step"
def proximal_step(w, gradient, step, b):
    v = w - step * gradient
    limit = step / b
    return v - np.clip(v, -limit, limit)


# %% by-two-sides right="proximal-step"
def proximal_step(w, gradient, step, b):
    v = w - gradient * step
    return np.maximum(v - step / b, 0) - np.maximum(-v - step / b, 0)


# %% by-comparison right="proximal-step" oracle=True
def proximal_step(w, gradient, step, b):
    # on each side of the kink the function is a parabola: try its bottom on both sides, and zero
    tries = np.stack([w - step * (gradient + 1 / b), w - step * (gradient - 1 / b), 0 * w])
    bowl = gradient * tries + (tries - w) ** 2 / (2 * step) + np.abs(tries) / b
    return np.take_along_axis(tries, bowl.argmin(axis=0)[None], axis=0)[0]


# %% plain-gradient wrong="proximal-step" fails="value,zeros,own scales"
# A gradient step on the penalty's sign jumps over zero and never lands on it: keep the kink.
def proximal_step(w, gradient, step, b):
    return w - step * (gradient + np.sign(w) / b)


# %% step-left-out wrong="proximal-step" fails="value,zeros,own scales"
# The kink pulls for one step only: the distance that it can move a weight grows with the step.
def proximal_step(w, gradient, step, b):
    moved = w - step * gradient
    return np.sign(moved) * np.maximum(np.abs(moved) - 1 / b, 0.0)


# %% scale-as-strength wrong="proximal-step" fails="value,zeros,own scales"
# A narrow prior (small b) must pull harder: the penalty is the weight divided by b.
def proximal_step(w, gradient, step, b):
    moved = w - step * gradient
    return np.sign(moved) * np.maximum(np.abs(moved) - step * b, 0.0)


# %% hard-threshold wrong="proximal-step" fails="value,own scales"
# What survives has to pay as well: every weight moves towards zero by the same distance.
def proximal_step(w, gradient, step, b):
    moved = w - step * gradient
    return np.where(np.abs(moved) <= step / b, 0.0, moved)


# %% shrunk-before-the-step wrong="proximal-step" fails="value,zeros,own scales"
# First the step down the gradient, then the threshold: in your order the step leaves zero again.
def proximal_step(w, gradient, step, b):
    shrunk = np.sign(w) * np.maximum(np.abs(w) - step / b, 0.0)
    return shrunk - step * gradient


# %% negative-weights-lost wrong="proximal-step" fails="value,zeros,own scales"
# Weights can be negative: pull them towards zero from below too.
def proximal_step(w, gradient, step, b):
    return np.maximum(w - step * gradient - step / b, 0.0)


# %% always-downwards wrong="proximal-step" fails="value,own scales"
# The kink pulls towards zero: a negative weight has to move up, and yours moves down.
def proximal_step(w, gradient, step, b):
    moved = w - step * gradient
    return np.where(np.abs(moved) <= step / b, 0.0, moved - step / b)


# %% gradient-left-out wrong="proximal-step" fails="value,zeros,own scales"
# Only the kink acts here: the data speak through the gradient, which has to move w first.
def proximal_step(w, gradient, step, b):
    return np.sign(w) * np.maximum(np.abs(w) - step / b, 0.0)


# %% shot-past-zero wrong="proximal-step" fails="value,zeros,own scales"
# A weight that would change sign has to stop at zero: what is closer than the threshold stays.
def proximal_step(w, gradient, step, b):
    moved = w - step * gradient
    return np.sign(moved) * (np.abs(moved) - step / b)


# %% ridge-shrinkage wrong="proximal-step" fails="value,zeros,own scales"
# Dividing by a factor is what a Normal prior does, and it never reaches zero: subtract, then stop.
def proximal_step(w, gradient, step, b):
    return (w - step * gradient) / (1 + step / b)


# %% half-the-threshold wrong="proximal-step" fails="value,zeros,own scales"
# The half belongs to the squared distance and is gone in its derivative: do not halve again.
def proximal_step(w, gradient, step, b):
    moved = w - step * gradient
    return np.sign(moved) * np.maximum(np.abs(moved) - step / (2 * b), 0.0)


# %% sign-of-the-old-weight wrong="proximal-step" fails="value,zeros,own scales"
# After the step the sign may be another one: take it from the moved weight, not from the old.
def proximal_step(w, gradient, step, b):
    moved = w - step * gradient
    return np.sign(w) * np.maximum(np.abs(moved) - step / b, 0.0)


# %% uphill wrong="proximal-step" fails="value,zeros,own scales"
# You add the gradient: minimising goes against it.
def proximal_step(w, gradient, step, b):
    moved = w + step * gradient
    return np.sign(moved) * np.maximum(np.abs(moved) - step / b, 0.0)


# %% one-scale-for-all wrong="proximal-step" fails="own scales,value,zeros"
# b may hold one scale for each weight: use each, do not average them or take the first.
def proximal_step(w, gradient, step, b):
    moved = w - step * gradient
    return np.sign(moved) * np.maximum(np.abs(moved) - step / np.ravel(b)[0], 0.0)


# %% in-place wrong="proximal-step" fails="value"
# Your function changes w: -= works in place, so subtract into a new array.
def proximal_step(w, gradient, step, b):
    w -= step * gradient
    moved = w.copy()
    w += step * gradient + 1e-13
    return np.sign(moved) * np.maximum(np.abs(moved) - step / b, 0.0)


# %% [markdown]
# ## gaussian-posterior


# %% by-solving right="gaussian-posterior"
def posterior(x, y, sigma, mean, cov):
    surprise = y - x @ mean
    spread = x @ cov @ x.T + sigma**2 * np.eye(len(y))
    gain = np.linalg.solve(spread, x @ cov).T
    return mean + gain @ surprise, cov - gain @ x @ cov


# %% by-cholesky right="gaussian-posterior"
def posterior(x, y, sigma, mean, cov):
    root = np.linalg.cholesky(cov)
    z = x @ root / sigma  # weights in units of the prior: w = mean + root @ u
    small = np.linalg.inv(np.eye(len(mean)) + z.T @ z)
    return mean + root @ small @ z.T @ (y - x @ mean) / sigma, root @ small @ root.T


# %% by-torch right="gaussian-posterior"
def posterior(x, y, sigma, mean, cov):
    x, y, mean, cov = (torch.tensor(a) for a in (x, y, mean, cov))
    before = torch.linalg.inv(cov)
    after = before + x.T @ x / sigma**2
    total = before @ mean + x.T @ y / sigma**2
    return torch.linalg.solve(after, total), torch.linalg.inv(after)


# %% one-at-a-time right="gaussian-posterior" oracle=True
def posterior(x, y, sigma, mean, cov):
    # Bayes' rule for one observation, as often as there are observations
    m, s = mean.copy(), cov.copy()
    for row, target in zip(x, y, strict=True):
        reach = s @ row
        k = reach / (row @ reach + sigma * sigma)
        m, s = m + k * (target - row @ m), s - np.outer(k, reach)
    return m, s


# %% noise-forgotten wrong="gaussian-posterior" fails="mean,covariance,batches"
# Data with more noise must count less: sigma does not enter your posterior.
def posterior(x, y, sigma, mean, cov):
    prior = np.linalg.inv(cov)
    new = np.linalg.inv(prior + x.T @ x)
    return new @ (prior @ mean + x.T @ y), new


# %% noise-not-squared wrong="gaussian-posterior" fails="mean,covariance,batches"
# sigma is a standard deviation: the data's precision is divided by its square.
def posterior(x, y, sigma, mean, cov):
    prior = np.linalg.inv(cov)
    new = np.linalg.inv(prior + x.T @ x / sigma)
    return new @ (prior @ mean + x.T @ y / sigma), new


# %% centred-at-zero wrong="gaussian-posterior" fails="mean,batches"
# The prior's mean has no say in your posterior; it need not be zero.
def posterior(x, y, sigma, mean, cov):
    new = np.linalg.inv(np.linalg.inv(cov) + x.T @ x / sigma**2)
    return new @ x.T @ y / sigma**2, new


# %% prior-mean-not-weighted wrong="gaussian-posterior" fails="mean,batches"
# Means are averaged with precisions as weights: the prior's mean needs its precision too.
def posterior(x, y, sigma, mean, cov):
    new = np.linalg.inv(np.linalg.inv(cov) + x.T @ x / sigma**2)
    return new @ (mean + x.T @ y / sigma**2), new


# %% all-of-y-as-surprise wrong="gaussian-posterior" fails="mean,batches"
# Starting from the prior's mean, only what it does not predict may move it: the residual, not y.
def posterior(x, y, sigma, mean, cov):
    new = np.linalg.inv(np.linalg.inv(cov) + x.T @ x / sigma**2)
    return mean + new @ x.T @ y / sigma**2, new


# %% noise-only-in-the-covariance wrong="gaussian-posterior" fails="mean,batches"
# The data enter the mean with the same weight as the precision: there the noise is missing.
def posterior(x, y, sigma, mean, cov):
    prior = np.linalg.inv(cov)
    new = np.linalg.inv(prior + x.T @ x / sigma**2)
    return new @ (prior @ mean + x.T @ y), new


# %% scaled-by-the-noise wrong="gaussian-posterior" fails="covariance,batches"
# A factor of sigma squared on the precision leaves the mean alone, not the covariance: undo it.
def posterior(x, y, sigma, mean, cov):
    prior = np.linalg.inv(cov) * sigma**2
    new = np.linalg.inv(prior + x.T @ x)
    return new @ (prior @ mean + x.T @ y), new


# %% precision-returned wrong="gaussian-posterior" fails="covariance,batches"
# This is the posterior's precision: its inverse is the covariance.
def posterior(x, y, sigma, mean, cov):
    prior = np.linalg.inv(cov)
    precision = prior + x.T @ x / sigma**2
    return np.linalg.solve(precision, prior @ mean + x.T @ y / sigma**2), precision


# %% covariances-added wrong="gaussian-posterior" fails="mean,covariance,batches"
# Precisions add, covariances do not: invert the prior's covariance first.
def posterior(x, y, sigma, mean, cov):
    new = np.linalg.inv(cov + x.T @ x / sigma**2)
    return new @ (cov @ mean + x.T @ y / sigma**2), new


# %% likelihood-alone wrong="gaussian-posterior" fails="covariance,batches"
# This covariance is that of least squares: the prior narrows the posterior too.
def posterior(x, y, sigma, mean, cov):
    prior = np.linalg.inv(cov)
    new = np.linalg.inv(prior + x.T @ x / sigma**2)
    return new @ (prior @ mean + x.T @ y / sigma**2), sigma**2 * np.linalg.pinv(x.T @ x)


# %% correlations-dropped wrong="gaussian-posterior" fails="covariance,batches"
# The weights are correlated after the data, even where they were not before: keep all entries.
def posterior(x, y, sigma, mean, cov):
    prior = np.linalg.inv(cov)
    new = np.linalg.inv(prior + x.T @ x / sigma**2)
    return new @ (prior @ mean + x.T @ y / sigma**2), np.diag(np.diag(new))


# %% prior-correlations-dropped wrong="gaussian-posterior" fails="mean,covariance,batches"
# The prior's covariance may have entries off the diagonal: invert the matrix, not its diagonal.
def posterior(x, y, sigma, mean, cov):
    prior = np.diag(1 / np.diag(cov))
    new = np.linalg.inv(prior + x.T @ x / sigma**2)
    return new @ (prior @ mean + x.T @ y / sigma**2), new


# %% averaged-over-data wrong="gaussian-posterior" fails="mean,covariance,batches"
# Log-likelihoods are summed over the data; with a mean, more data would teach nothing.
def posterior(x, y, sigma, mean, cov):
    prior, n = np.linalg.inv(cov), max(len(y), 1)
    new = np.linalg.inv(prior + x.T @ x / (n * sigma**2))
    return new @ (prior @ mean + x.T @ y / (n * sigma**2)), new


# %% noise-added wrong="gaussian-posterior" fails="covariance,batches"
# The covariance of the weights holds no noise: that is added when a new y is predicted.
def posterior(x, y, sigma, mean, cov):
    prior = np.linalg.inv(cov)
    new = np.linalg.inv(prior + x.T @ x / sigma**2)
    return new @ (prior @ mean + x.T @ y / sigma**2), new + sigma**2 * np.eye(len(mean))


# %% ridge-only wrong="gaussian-posterior" fails="mean,covariance,batches"
# A posterior need not be a ridge: the prior has a mean, and a covariance that is no multiple of 1.
def posterior(x, y, sigma, mean, cov):
    new = np.linalg.inv(np.eye(len(mean)) / cov[0, 0] + x.T @ x / sigma**2)
    return new @ x.T @ y / sigma**2, new


# %% [markdown]
# ## band-for-a-total


# %% by-distribution right="band-for-a-total"
from scipy import stats


def total_band(x, counts, mean, cov, sigma, level, contains):
    rows = counts.dot(x)
    variance = np.einsum("pa,ab,pb->p", rows, cov, rows)
    noise = {"f": 0.0, "y": sigma**2}[contains] * np.sum(counts, axis=1)
    return stats.norm(rows @ mean, np.sqrt(variance + noise)).interval(level)


# %% by-plans right="band-for-a-total"
from statistics import NormalDist


def total_band(x, counts, mean, cov, sigma, level, contains):
    tail = (1 - level) / 2
    ends = []
    joint = x @ cov @ x.T  # of f at all inputs
    for plan in counts:
        variance = plan @ joint @ plan + (plan.sum() * sigma**2 if contains == "y" else 0)
        about = NormalDist(plan @ (x @ mean), math.sqrt(variance))
        ends.append((about.inv_cdf(tail), about.inv_cdf(1 - tail)))
    low, high = np.array(ends).T
    return low, high


# %% by-one-array right="band-for-a-total"
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    noise = sigma**2 * (contains == "y")
    spread = np.sqrt(np.diagonal(x @ cov @ x.T) + noise)
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    ends = torch.special.ndtri(torch.from_numpy(tails)).numpy()
    return x @ mean + ends[:, None] * spread  # two rows: they unpack as a pair does


# %% by-roots right="band-for-a-total" oracle=True
from scipy.special import ndtri


def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    # lengths of the rows in the geometry of the covariance, then a hypotenuse with the noise
    reach = np.linalg.norm(x @ np.linalg.cholesky(cov), axis=1)
    spread = np.hypot(reach, sigma) if contains == "y" else reach
    return x.dot(mean) + ndtri((1 - level) / 2) * spread, x.dot(mean) - ndtri(
        (1 - level) / 2
    ) * spread


# %% errors-independent wrong="band-for-a-total" fails="band for f,band for y,coverage"
# The weights are the same for all of a plan: add the rows of x before you take the variance.
def total_band(x, counts, mean, cov, sigma, level, contains):
    half = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64)).item()
    each = ((x @ cov) * x).sum(axis=1) + (sigma**2 if contains == "y" else 0)
    width = half * np.sqrt(counts @ each)
    return counts @ x @ mean - width, counts @ x @ mean + width


# %% widths-added wrong="band-for-a-total" fails="band for f,band for y,coverage"
# The ends of single bands do not add up to those of a total: variances do, where independent.
def total_band(x, counts, mean, cov, sigma, level, contains):
    half = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64)).item()
    each = ((x @ cov) * x).sum(axis=1) + (sigma**2 if contains == "y" else 0)
    width = half * (counts @ np.sqrt(each))
    return counts @ x @ mean - width, counts @ x @ mean + width


# %% noise-shared wrong="band-for-a-total" fails="band for y,coverage"
# Noise is new for each observation: n of them have n times the variance, not n squared times.
def total_band(x, counts, mean, cov, sigma, level, contains):
    half = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64)).item()
    x, n = counts @ x, counts.sum(axis=1)
    variance = ((x @ cov) * x).sum(axis=1) + (n * sigma) ** 2 * (contains == "y")
    return x @ mean - half * np.sqrt(variance), x @ mean + half * np.sqrt(variance)


# %% noise-once wrong="band-for-a-total" fails="band for y,coverage"
# The noise comes in once for each observation of a plan, not once for the total.
def total_band(x, counts, mean, cov, sigma, level, contains):
    half = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64)).item()
    x = counts @ x
    variance = ((x @ cov) * x).sum(axis=1) + sigma**2 * (contains == "y")
    return x @ mean - half * np.sqrt(variance), x @ mean + half * np.sqrt(variance)


# %% one-noise-for-each-input wrong="band-for-a-total" fails="band for y,coverage"
# Several observations at one input have several noises: sigma squared times the counts' sum.
def total_band(x, counts, mean, cov, sigma, level, contains):
    half = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64)).item()
    noise = (counts**2).sum(axis=1) * sigma**2 * (contains == "y")
    x = counts @ x
    variance = ((x @ cov) * x).sum(axis=1) + noise
    return x @ mean - half * np.sqrt(variance), x @ mean + half * np.sqrt(variance)


# %% mean-for-total wrong="band-for-a-total" fails="band for f,band for y,coverage"
# This is the mean of a plan's observations; the text asks for their total.
def total_band(x, counts, mean, cov, sigma, level, contains):
    half = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64)).item()
    n = counts.sum(axis=1)
    x = counts @ x / n[:, None]
    variance = ((x @ cov) * x).sum(axis=1) + sigma**2 / n * (contains == "y")
    return x @ mean - half * np.sqrt(variance), x @ mean + half * np.sqrt(variance)


# %% noise-left-out wrong="band-for-a-total" fails="band for y,coverage"
# A new y has noise of its own, which no amount of data removes: add it to the variance of f.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    half = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64)).item()
    width = half * np.sqrt(((x @ cov) * x).sum(axis=1))
    return x @ mean - width, x @ mean + width


# %% noise-everywhere wrong="band-for-a-total" fails="band for f"
# f has no noise: it is uncertain only because the weights are.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    half = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64)).item()
    width = half * np.sqrt(((x @ cov) * x).sum(axis=1) + sigma**2)
    return x @ mean - width, x @ mean + width


# %% plug-in wrong="band-for-a-total" fails="band for y,coverage"
# Your band for y holds the noise only: the weights are uncertain too, most of all far from data.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    half = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64)).item()
    variance = ((x @ cov) * x).sum(axis=1) if contains == "f" else sigma**2 * np.ones(len(x))
    return x @ mean - half * np.sqrt(variance), x @ mean + half * np.sqrt(variance)


# %% scales-added wrong="band-for-a-total" fails="band for y,coverage"
# Variances of independent parts add, standard deviations do not.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    half = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64)).item()
    width = half * (np.sqrt(((x @ cov) * x).sum(axis=1)) + (sigma if contains == "y" else 0))
    return x @ mean - width, x @ mean + width


# %% sigma-as-variance wrong="band-for-a-total" fails="band for y,coverage"
# sigma is a standard deviation: its square is the variance of the noise.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    half = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64)).item()
    variance = ((x @ cov) * x).sum(axis=1) + (sigma if contains == "y" else 0)
    return x @ mean - half * np.sqrt(variance), x @ mean + half * np.sqrt(variance)


# %% one-sided wrong="band-for-a-total" fails="band for f,band for y,coverage"
# A central interval leaves (1 - level)/2 on each side: yours leaves 1 - level.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    half = torch.special.ndtri(torch.tensor(level, dtype=torch.float64)).item()
    variance = ((x @ cov) * x).sum(axis=1) + (sigma**2 if contains == "y" else 0)
    return x @ mean - half * np.sqrt(variance), x @ mean + half * np.sqrt(variance)


# %% always-two-deviations wrong="band-for-a-total" fails="band for f,band for y,coverage"
# 1.96 standard deviations belong to the level 0.95 only: compute the quantile from level.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    variance = ((x @ cov) * x).sum(axis=1) + (sigma**2 if contains == "y" else 0)
    return x @ mean - 1.96 * np.sqrt(variance), x @ mean + 1.96 * np.sqrt(variance)


# %% root-forgotten wrong="band-for-a-total" fails="band for f,band for y,coverage"
# The width of a band is measured in standard deviations: take the root of the variance.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    half = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64)).item()
    variance = ((x @ cov) * x).sum(axis=1) + (sigma**2 if contains == "y" else 0)
    return x @ mean - half * variance, x @ mean + half * variance


# %% correlations-ignored wrong="band-for-a-total" fails="band for f,band for y,coverage"
# The weights are correlated: use the whole covariance, not its diagonal.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    half = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64)).item()
    variance = x**2 @ np.diag(cov) + (sigma**2 if contains == "y" else 0)
    return x @ mean - half * np.sqrt(variance), x @ mean + half * np.sqrt(variance)


# %% swapped wrong="band-for-a-total" fails="band for f,band for y,coverage"
# The two bands are swapped: y varies more than f.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    half = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64)).item()
    variance = ((x @ cov) * x).sum(axis=1) + (sigma**2 if contains == "f" else 0)
    return x @ mean - half * np.sqrt(variance), x @ mean + half * np.sqrt(variance)


# %% high-before-low wrong="band-for-a-total" fails="band for f,band for y,coverage"
# Your ends come in the wrong order: the low one first. Check the sign of your quantile.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    half = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64)).item()
    variance = ((x @ cov) * x).sum(axis=1) + (sigma**2 if contains == "y" else 0)
    return x @ mean + half * np.sqrt(variance), x @ mean - half * np.sqrt(variance)


# %% precision-for-covariance wrong="band-for-a-total" fails="band for f,band for y,coverage"
# cov is the covariance already: do not invert it.
def total_band(x, counts, mean, cov, sigma, level, contains):
    x, sigma = counts @ x, sigma * np.sqrt(counts.sum(axis=1))
    half = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64)).item()
    variance = ((x @ np.linalg.inv(cov)) * x).sum(axis=1) + (sigma**2 if contains == "y" else 0)
    return x @ mean - half * np.sqrt(variance), x @ mean + half * np.sqrt(variance)


# %% [markdown]
# ## mode-of-what


# %% by-powers right="mode-of-what"
def rate_map(counts, a, b, quantity):
    # for u = rate^(1/p) the mode lies at (shape - 1/p) / rate; the logarithm is p to infinity
    p = {"rate": 1.0, "root": 2.0, "log": math.inf, "interval": -1.0}[quantity]
    mode = (a + np.sum(counts) - 1 / p) / (b + len(counts))
    return mode if mode > 0 else 0.0


# %% by-cases right="mode-of-what"
def rate_map(counts, a, b, quantity):
    shape = float(counts.sum()) + a
    hours = counts.shape[0] + b
    if quantity == "log":
        return shape / hours  # also the posterior mean
    if quantity == "interval":
        return (shape + 1) / hours  # an inverse Gamma's mode, turned over
    if quantity == "root":
        return (shape - 0.5) / hours if shape > 0.5 else 0.0
    return (shape - 1) / hours if shape > 1 else 0.0


# %% by-search right="mode-of-what" oracle=True
from scipy.optimize import minimize_scalar
from scipy.stats import gamma


def rate_map(counts, a, b, quantity):
    # the Gamma's own log density, plus the log of how far the rate moves per unit of the quantity
    total, hours = a + counts.sum(), b + counts.size
    bend = {"rate": 0.0, "root": 0.5, "log": 1.0, "interval": 2.0}[quantity]

    def height(t):  # t = log rate
        return -gamma.logpdf(math.exp(t), total, scale=1 / hours) - bend * t

    at = minimize_scalar(height, bounds=(-31, 15), method="bounded", options={"xatol": 1e-10}).x
    return math.exp(at)


# %% by-slope right="mode-of-what"
from scipy.optimize import brentq


def rate_map(counts, a, b, quantity):
    shape, hours = a + counts.sum(), b + len(counts)
    extra = {"rate": -1.0, "root": -0.5, "log": 0.0, "interval": 1.0}[quantity]

    def slope(rate):  # of the log density, times the rate
        return shape + extra - hours * rate

    return brentq(slope, 0.0, 1e6, xtol=1e-13) if slope(0.0) > 0 else 0.0


# %% by-search.change-number equivalent="mode-of-what"
# `... bounds=(-31, 16), method='bounded', options={'xatol': 1e-10}).x`
# A wider search finds the same mode.

# %% by-search.change-number equivalent="mode-of-what"
# `... bounds=(-32, 15), method='bounded', options={'xatol': ...`
# A wider search finds the same mode.

# %% by-slope.change-number equivalent="mode-of-what"
# `return brentq(slope, 0.0, 1000001.0, xtol=1e-13) if slope(0.0) > 0 else 0.0`
# A wider search finds the same mode.


# %% invariant wrong="mode-of-what" fails="root,log,interval"
# A mode does not travel through a change of variables: the density gains a factor on the way.
def rate_map(counts, a, b, quantity):
    return max(a + counts.sum() - 1, 0.0) / (b + len(counts))


# %% posterior-mean wrong="mode-of-what" fails="rate,root,interval"
# This is the posterior mean of the rate, not a mode.
def rate_map(counts, a, b, quantity):
    return (a + counts.sum()) / (b + len(counts))


# %% factor-upside-down wrong="mode-of-what" fails="root,log,interval"
# The density gains the derivative of the rate with respect to the quantity; yours is its inverse.
def rate_map(counts, a, b, quantity):
    lost = {"rate": 1.0, "root": 1.5, "log": 2.0, "interval": 3.0}[quantity]
    return max(a + counts.sum() - lost, 0.0) / (b + len(counts))


# %% constant-factors-only wrong="mode-of-what" fails="root"
# For the root the derivative of the rate is 2 times the root: one more power of the root, not two.
def rate_map(counts, a, b, quantity):
    lost = {"rate": 1.0, "root": 0.0, "log": 0.0, "interval": -1.0}[quantity]
    return max(a + counts.sum() - lost, 0.0) / (b + len(counts))


# %% interval-once wrong="mode-of-what" fails="interval"
# The derivative of 1/interval is 1/interval squared, not 1/interval: one more power of the rate.
def rate_map(counts, a, b, quantity):
    lost = {"rate": 1.0, "root": 0.5, "log": 0.0, "interval": 0.0}[quantity]
    return max(a + counts.sum() - lost, 0.0) / (b + len(counts))


# %% quantity-returned wrong="mode-of-what" fails="root,log,interval"
# Return the rate that belongs to the mode, not the value of the quantity.
def rate_map(counts, a, b, quantity):
    lost = {"rate": 1.0, "root": 0.5, "log": 0.0, "interval": -1.0}[quantity]
    mode = max(a + counts.sum() - lost, 0.0) / (b + len(counts))
    if quantity == "root":
        return math.sqrt(mode)
    if quantity == "log":
        return math.log(mode)
    return 1 / mode if quantity == "interval" else mode


# %% maximum-likelihood wrong="mode-of-what" fails="rate,root,log,interval"
# This is the mean of the counts: the prior has no say in it.
def rate_map(counts, a, b, quantity):
    return counts.sum() / max(len(counts), 1)


# %% hours-forgotten wrong="mode-of-what" fails="rate,root,log,interval"
# Each hour of counting adds 1 to the rate parameter b of the Gamma.
def rate_map(counts, a, b, quantity):
    lost = {"rate": 1.0, "root": 0.5, "log": 0.0, "interval": -1.0}[quantity]
    return max(a + counts.sum() - lost, 0.0) / b


# %% mean-of-the-counts wrong="mode-of-what" fails="rate,root,log,interval"
# The log-likelihood is summed over the hours: the counts enter with their sum, not their mean.
def rate_map(counts, a, b, quantity):
    lost = {"rate": 1.0, "root": 0.5, "log": 0.0, "interval": -1.0}[quantity]
    return max(a + counts.sum() / max(len(counts), 1) - lost, 0.0) / (b + len(counts))


# %% scale-for-rate wrong="mode-of-what" fails="rate,root,log,interval"
# b stands in exp(-b lambda): it is a rate, not a scale.
def rate_map(counts, a, b, quantity):
    lost = {"rate": 1.0, "root": 0.5, "log": 0.0, "interval": -1.0}[quantity]
    return max(a + counts.sum() - lost, 0.0) / (1 / b + len(counts))


# %% prior-mode-shifted wrong="mode-of-what" fails="rate,root,log,interval"
# The prior has the exponent a - 1, not a: you count one event too many.
def rate_map(counts, a, b, quantity):
    lost = {"rate": 0.0, "root": -0.5, "log": -1.0, "interval": -2.0}[quantity]
    return max(a + counts.sum() - lost, 0.0) / (b + len(counts))


# %% quiet-hours wrong="mode-of-what" fails="rate,root,log,interval"
# Hours in which no bus came are data, too: each adds 1 to b, also where all counts are 0.
def rate_map(counts, a, b, quantity):
    lost = {"rate": 1.0, "root": 0.5, "log": 0.0, "interval": -1.0}[quantity]
    hours = len(counts) if counts.any() else 0
    return max(a + counts.sum() - lost, 0.0) / (b + hours)


# %% below-zero wrong="mode-of-what" fails="rate,root"
# A rate cannot be negative: with few counts the density falls from zero on, and its mode is zero.
def rate_map(counts, a, b, quantity):
    lost = {"rate": 1.0, "root": 0.5, "log": 0.0, "interval": -1.0}[quantity]
    return (a + counts.sum() - lost) / (b + len(counts))


# %% [markdown]
# ## choose-a-prior


# %% by-multivariate-normal right="choose-a-prior"
from scipy.stats import multivariate_normal


def choose_prior(x, y, sigma, taus):
    logs = [
        multivariate_normal(cov=sigma**2 * np.eye(len(y)) + tau**2 * x @ x.T).logpdf(y)
        for tau in taus
    ]
    return np.array(logs), taus[int(np.argmax(logs))]


# %% by-singular-values right="choose-a-prior"
def choose_prior(x, y, sigma, taus):
    u, s, _ = np.linalg.svd(x)
    s = np.concatenate([s, np.zeros(len(y) - len(s))])
    variance = sigma**2 + np.outer(taus**2, s**2)  # of y along each singular direction
    logs = -0.5 * (np.log(2 * math.pi * variance) + (u.T @ y) ** 2 / variance).sum(axis=1)
    return logs, taus[logs.argmax()]


# %% by-cholesky right="choose-a-prior"
def choose_prior(x, y, sigma, taus):
    logs = []
    for tau in taus:
        root = np.linalg.cholesky(sigma**2 * np.eye(len(y)) + tau**2 * x @ x.T)
        z = np.linalg.solve(root, y)
        logs.append(-0.5 * z @ z - np.log(np.diag(root)).sum() - 0.5 * len(y) * math.log(math.tau))
    return torch.tensor(logs), max(zip(logs, taus, strict=True))[1]


# %% one-at-a-time right="choose-a-prior" oracle=True
def choose_prior(x, y, sigma, taus):
    # the chain rule: what each observation's density was, given those before it
    best, logs = -math.inf, []
    for tau in taus:
        m, s, total = np.zeros(x.shape[1]), tau * tau * np.identity(x.shape[1]), 0.0
        for row, target in zip(x, y, strict=True):
            reach = s @ row
            v = row @ reach + sigma * sigma
            gap = target - row @ m
            total -= (gap * gap / v + math.log(v) + math.log(2 * math.pi)) / 2
            m, s = m + reach * (gap / v), s - np.outer(reach, reach) / v
        logs.append(total)
        if total > best:
            best, winner = total, tau
    return np.asarray(logs), winner


# %% determinant-itself wrong="choose-a-prior" fails="choice,stability"
# The determinant of a large covariance underflows to zero: use slogdet, or sum logarithms.
def choose_prior(x, y, sigma, taus):
    found = []
    for tau in taus:
        cov = sigma**2 * np.eye(len(y)) + tau**2 * x @ x.T
        logdet = np.log(np.linalg.det(cov))
        found.append(
            -0.5 * (len(y) * math.log(2 * math.pi) + logdet + y @ np.linalg.solve(cov, y))
        )
    return np.array(found), taus[np.argmax(found)]


# %% logarithm-of-the-density wrong="choose-a-prior" fails="choice,evidence,stability"
# A density of so many examples over- or underflows before you take its logarithm: stay in logs.
def choose_prior(x, y, sigma, taus):
    found = []
    for tau in taus:
        cov = sigma**2 * np.eye(len(y)) + tau**2 * x @ x.T
        logdet = np.linalg.slogdet(cov)[1]
        log_density = -0.5 * (
            len(y) * math.log(2 * math.pi) + logdet + y @ np.linalg.solve(cov, y)
        )
        found.append(np.log(np.exp(log_density)))
    return np.array(found), taus[np.argmax(found)]


# %% jitter-added wrong="choose-a-prior" fails="evidence,stability"
# Jitter on the diagonal is noise that nobody observed; beside a sigma of thousandths it is large.
def choose_prior(x, y, sigma, taus):
    found = []
    for tau in taus:
        cov = (sigma**2 + 1e-4) * np.eye(len(y)) + tau**2 * x @ x.T
        logdet = np.linalg.slogdet(cov)[1]
        found.append(
            -0.5 * (len(y) * math.log(2 * math.pi) + logdet + y @ np.linalg.solve(cov, y))
        )
    return np.array(found), taus[np.argmax(found)]


# %% scales-sorted wrong="choose-a-prior" fails="evidence,stability"
# The log evidences come in the order of taus as given: yours are sorted.
def choose_prior(x, y, sigma, taus):
    found = []
    for tau in np.sort(taus):
        cov = sigma**2 * np.eye(len(y)) + tau**2 * x @ x.T
        logdet = np.linalg.slogdet(cov)[1]
        found.append(
            -0.5 * (len(y) * math.log(2 * math.pi) + logdet + y @ np.linalg.solve(cov, y))
        )
    return np.array(found), np.sort(taus)[np.argmax(found)]


# %% mean-taken-off wrong="choose-a-prior" fails="evidence,choice,stability"
# The model gives y the mean zero: a mean estimated from y is no part of it, so do not centre y.
def choose_prior(x, y, sigma, taus):
    found, r = [], y - y.mean()
    for tau in taus:
        cov = sigma**2 * np.eye(len(y)) + tau**2 * x @ x.T
        logdet = np.linalg.slogdet(cov)[1]
        found.append(
            -0.5 * (len(y) * math.log(2 * math.pi) + logdet + r @ np.linalg.solve(cov, r))
        )
    return np.array(found), taus[np.argmax(found)]


# %% constant-dropped wrong="choose-a-prior" fails="evidence,stability"
# The constant log(2 pi)/2 is missing once for each example; it does not change the choice.
def choose_prior(x, y, sigma, taus):
    found = []
    for tau in taus:
        cov = sigma**2 * np.eye(len(y)) + tau**2 * x @ x.T
        found.append(-0.5 * (np.linalg.slogdet(cov)[1] + y @ np.linalg.solve(cov, y)))
    return np.array(found), taus[np.argmax(found)]


# %% mean-per-example wrong="choose-a-prior" fails="evidence,stability"
# The text asks for the log density of the whole data set, not for its mean per example.
def choose_prior(x, y, sigma, taus):
    found = []
    for tau in taus:
        cov = sigma**2 * np.eye(len(y)) + tau**2 * x @ x.T
        logdet = np.linalg.slogdet(cov)[1]
        found.append(
            -0.5 * (math.log(2 * math.pi) + (logdet + y @ np.linalg.solve(cov, y)) / len(y))
        )
    return np.array(found), taus[np.argmax(found)]


# %% best-fit wrong="choose-a-prior" fails="evidence,choice,stability"
# This is the likelihood at the fitted weights: it always prefers the widest prior.
def choose_prior(x, y, sigma, taus):
    found = []
    for tau in taus:
        w = np.linalg.solve(x.T @ x + sigma**2 / tau**2 * np.eye(x.shape[1]), x.T @ y)
        r = (y - x @ w) / sigma
        found.append(-0.5 * (r @ r) - len(y) * math.log(math.sqrt(2 * math.pi) * sigma))
    return np.array(found), taus[np.argmax(found)]


# %% height-of-the-posterior wrong="choose-a-prior" fails="evidence,choice,stability"
# Likelihood times prior at the MAP is a height; the evidence is the volume: integrate over w.
def choose_prior(x, y, sigma, taus):
    found = []
    for tau in taus:
        w = np.linalg.solve(x.T @ x + sigma**2 / tau**2 * np.eye(x.shape[1]), x.T @ y)
        r, z = (y - x @ w) / sigma, w / tau
        scales = len(y) * math.log(sigma) + len(w) * math.log(tau)
        found.append(-0.5 * (r @ r + z @ z + (len(y) + len(w)) * math.log(2 * math.pi)) - scales)
    return np.array(found), taus[np.argmax(found)]


# %% determinant-dropped wrong="choose-a-prior" fails="evidence,choice,stability"
# Without the determinant a wider prior always looks better: it is the price of being vague.
def choose_prior(x, y, sigma, taus):
    found = []
    for tau in taus:
        cov = sigma**2 * np.eye(len(y)) + tau**2 * x @ x.T
        found.append(-0.5 * (len(y) * math.log(2 * math.pi) + y @ np.linalg.solve(cov, y)))
    return np.array(found), taus[np.argmax(found)]


# %% tau-not-squared wrong="choose-a-prior" fails="evidence,choice,stability"
# tau is a standard deviation: a covariance holds its square.
def choose_prior(x, y, sigma, taus):
    found = []
    for tau in taus:
        cov = sigma**2 * np.eye(len(y)) + tau * x @ x.T
        logdet = np.linalg.slogdet(cov)[1]
        found.append(
            -0.5 * (len(y) * math.log(2 * math.pi) + logdet + y @ np.linalg.solve(cov, y))
        )
    return np.array(found), taus[np.argmax(found)]


# %% noise-not-squared wrong="choose-a-prior" fails="evidence,choice,stability"
# sigma is a standard deviation: a covariance holds its square.
def choose_prior(x, y, sigma, taus):
    found = []
    for tau in taus:
        cov = sigma * np.eye(len(y)) + tau**2 * x @ x.T
        logdet = np.linalg.slogdet(cov)[1]
        found.append(
            -0.5 * (len(y) * math.log(2 * math.pi) + logdet + y @ np.linalg.solve(cov, y))
        )
    return np.array(found), taus[np.argmax(found)]


# %% examples-independent wrong="choose-a-prior" fails="evidence,choice,stability"
# All examples share the same weights, so their values of y are correlated: keep the matrix whole.
def choose_prior(x, y, sigma, taus):
    variance = sigma**2 + np.outer(taus**2, (x**2).sum(axis=1))
    found = -0.5 * (np.log(2 * math.pi * variance) + y**2 / variance).sum(axis=1)
    return found, taus[np.argmax(found)]


# %% index-returned wrong="choose-a-prior" fails="choice"
# Return the scale itself, not its place in the list.
def choose_prior(x, y, sigma, taus):
    found = []
    for tau in taus:
        cov = sigma**2 * np.eye(len(y)) + tau**2 * x @ x.T
        logdet = np.linalg.slogdet(cov)[1]
        found.append(
            -0.5 * (len(y) * math.log(2 * math.pi) + logdet + y @ np.linalg.solve(cov, y))
        )
    return np.array(found), int(np.argmax(found))


# %% negative-log wrong="choose-a-prior" fails="evidence,choice,stability"
# The sign is flipped: the best prior has the largest log evidence.
def choose_prior(x, y, sigma, taus):
    found = []
    for tau in taus:
        cov = sigma**2 * np.eye(len(y)) + tau**2 * x @ x.T
        logdet = np.linalg.slogdet(cov)[1]
        found.append(0.5 * (len(y) * math.log(2 * math.pi) + logdet + y @ np.linalg.solve(cov, y)))
    return np.array(found), taus[np.argmax(found)]


# %% half-forgotten wrong="choose-a-prior" fails="evidence,stability"
# The half belongs to the whole log density, determinant and constant included.
def choose_prior(x, y, sigma, taus):
    found = []
    for tau in taus:
        cov = sigma**2 * np.eye(len(y)) + tau**2 * x @ x.T
        logdet = np.linalg.slogdet(cov)[1]
        found.append(-(len(y) * math.log(2 * math.pi) + logdet + y @ np.linalg.solve(cov, y)))
    return np.array(found), taus[np.argmax(found)]


# %% solution.squeeze equivalent="choose-a-prior"
# `return (np.array(found), taus[np.argmax(found)].squeeze())`
# A number has no axis to lose.
