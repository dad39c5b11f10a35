# %% [markdown]
# # Answers to assignment 15
#
# Right answers of different structure, wrong answers with the sentence that a student sees, and
# mutants that change nothing. `fails` names exactly the aspects that must fail.

# %% [markdown]
# ## map-weights


# %% by-means right="map-weights"
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = 1 / (tau**2 * count.sum())
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x / count.sum() + prior * w
        curvature = (x.T * (count * p * (1 - p))) @ x / count.sum() + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% by-patients right="map-weights"
def map_weights(x, y, count, tau):
    rows = torch.repeat_interleave(torch.arange(len(y)), count.long())
    u = (x * tau)[rows]  # standard Normal priors
    sign = 2 * y[rows] - 1
    v = torch.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(40):
        wrong = torch.sigmoid(-sign * (u @ v))
        slope = v - (sign * wrong) @ u
        curvature = torch.eye(len(v), dtype=x.dtype) + u.T @ ((wrong * (1 - wrong))[:, None] * u)
        v = v - torch.linalg.inv(curvature) @ slope
    return tau * v


# %% by-library right="map-weights" oracle=True
def map_weights(x, y, count, tau):
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    # standard Normal priors after rescaling; rows of zeros show both classes, without influence
    X = np.vstack([(x * tau).numpy(), np.zeros((2, len(tau)))])
    labels, times = np.append(y.numpy(), [0, 1]), np.append(count.numpy(), [1, 1])
    model = LogisticRegression(fit_intercept=False, tol=1e-11, solver="newton-cholesky")
    return tau * torch.from_numpy(model.fit(X, labels, times).coef_[0])


# %% as-on-the-card wrong="map-weights" fails="value,counts,separable"
# The loss is a mean and the prior is not: so the prior counts as often as there are patients.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = 1 / tau**2
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x / count.sum() + prior * w
        curvature = (x.T * (count * p * (1 - p))) @ x / count.sum() + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% rows-for-patients wrong="map-weights" fails="counts,separable"
# You divide by the number of rows; a row may stand for many patients, or for none.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = 1 / tau**2 / len(y)
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x / count.sum() + prior * w
        curvature = (x.T * (count * p * (1 - p))) @ x / count.sum() + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% counts-ignored wrong="map-weights" fails="counts,separable"
# Each row counts once here, whatever its count says.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        curvature = (x.T * (p * (1 - p))) @ x + torch.diag(tau**-2)
        w = w - torch.linalg.solve(curvature, (p - y) @ x + w / tau**2)
    return w


# %% sd-for-variance wrong="map-weights" fails="value,counts,separable"
# The prior's precision is one over its variance; tau is a standard deviation.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(1 / tau)
        w = w - torch.linalg.solve(curvature, (count * (p - y)) @ x + w / tau)
    return w


# %% half-lost wrong="map-weights" fails="value,counts,separable"
# The exponent of a Normal density has a factor 1/2: differentiate it once more.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(2 / tau**2)
        w = w - torch.linalg.solve(curvature, (count * (p - y)) @ x + 2 * w / tau**2)
    return w


# %% no-prior wrong="map-weights" fails="value,counts,separable"
# Without the prior this is maximum likelihood, and for separable classes there is none.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    tiny = 1e-6 * torch.eye(len(w), dtype=x.dtype)
    for _ in range(25):
        p = torch.sigmoid(x @ w)
        curvature = (x.T * (count * p * (1 - p))) @ x + tiny
        w = w - torch.linalg.solve(curvature, (count * (p - y)) @ x)
        w = w.clamp(-50, 50)
    return w


# %% one-prior-for-all wrong="map-weights" fails="value,counts,separable"
# Each weight has a prior of its own: use all of tau, not its first entry.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = (1 / tau**2)[:1].expand(len(w))
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, (count * (p - y)) @ x + prior * w)
    return w


# %% first-weight-free wrong="map-weights" fails="value,counts,separable"
# The first weight has a prior, too: the text speaks of no intercept that is left free.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = 1 / tau**2
    prior[0] = 1e-3
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, (count * (p - y)) @ x + prior * w)
        w = w.clamp(-50, 50)
    return w


# %% two-steps wrong="map-weights" fails="value,counts,separable"
# Two Newton steps do not reach the maximum: iterate until nothing changes.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(2):
        p = torch.sigmoid(x @ w)
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(tau**-2)
        w = w - torch.linalg.solve(curvature, (count * (p - y)) @ x + w / tau**2)
    return w


# %% nobody-counts-as-one wrong="map-weights" fails="counts"
# A row with the count 0 stands for nobody, and must have no influence.
def map_weights(x, y, count, tau):
    times = count.clamp(min=1)
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        curvature = (x.T * (times * p * (1 - p))) @ x + torch.diag(tau**-2)
        w = w - torch.linalg.solve(curvature, (times * (p - y)) @ x + w / tau**2)
    return w


# %% solution.change-number equivalent="map-weights"
# `for _ in range(41):`
# Newton has converged long before the fortieth step.


# %% solution.end-loop-early equivalent="map-weights"
# `for _ in list(range(40))[:-1]:`
# Newton has converged long before the fortieth step.


# %% by-means.change-number equivalent="map-weights"
# `for _ in range(41):`
# Newton has converged long before the fortieth step.


# %% by-means.end-loop-early equivalent="map-weights"
# `for _ in list(range(40))[:-1]:`
# Newton has converged long before the fortieth step.


# %% by-patients.change-number equivalent="map-weights"
# `for _ in range(41):`
# Newton has converged long before the fortieth step.


# %% by-patients.end-loop-early equivalent="map-weights"
# `for _ in list(range(40))[:-1]:`
# Newton has converged long before the fortieth step.


# %% by-patients.drop-factor equivalent="map-weights"
# `curvature = torch.eye(len(v), dtype=x.dtype) + u.T @ (wrong[:, None] * u)`
# A curvature that is too large makes shorter steps to the same maximum.


# %% by-patients.drop-term equivalent="map-weights"
# `... = torch.eye(len(v), dtype=x.dtype) + u.T @ ((wrong * 1)[:, None] * u)`
# A curvature that is too large makes shorter steps to the same maximum.


# %% by-patients.change-number equivalent="map-weights"
# `... dtype=x.dtype) + u.T @ ((wrong * (2 - wrong))[:, None] * u)`
# A curvature that is too large makes shorter steps to the same maximum.


# %% by-library.change-number equivalent="map-weights"
# `... times = (np.append(y.numpy(), [0, 1]), np.append(count.numpy(), [2, 1]))`
# Rows of zeros have no influence on the weights, however often they count.


# %% by-library.change-number equivalent="map-weights"
# `... times = (np.append(y.numpy(), [0, 1]), np.append(count.numpy(), [1, 2]))`
# Rows of zeros have no influence on the weights, however often they count.


# %% [markdown]
# ## test-outputs


# %% by-copy right="test-outputs"
def test_outputs(net, x, size):
    import copy

    still = copy.deepcopy(net).eval()
    return torch.cat([still(part).detach() for part in x.split(size)])


# %% row-by-row right="test-outputs" oracle=True
def test_outputs(net, x, size):
    was = {name: module.training for name, module in net.named_modules()}
    rows = []
    try:
        for module in net.modules():
            object.__setattr__(module, "training", False)
        with torch.inference_mode():
            for i in range(len(x)):
                rows.append(net(x[i : i + 1].clone())[0])
    finally:
        for name, module in net.named_modules():
            module.training = was[name]
    return torch.stack([row.clone() for row in rows])


# %% in-one-go right="test-outputs"
def test_outputs(net, x, size):
    on = [module for module in net.modules() if module.training]
    try:
        return net.eval()(x).data
    finally:
        for module in on:
            module.training = True


# %% as-on-the-card wrong="test-outputs" fails="value,alone,restored,no gradient"
# In training mode dropout drops and batch normalisation looks at the other rows, and remembers.
def test_outputs(net, x, size):
    net.train()
    return torch.cat([net(part) for part in x.split(size)])


# %% left-in-eval wrong="test-outputs" fails="restored"
# The network stays in evaluation mode: whoever goes on training does so without dropout.
def test_outputs(net, x, size):
    net.eval()
    with torch.no_grad():
        return torch.cat([net(part) for part in x.split(size)])


# %% train-afterwards wrong="test-outputs" fails="restored"
# Not everything was in training mode before: note the mode of each module and restore that.
def test_outputs(net, x, size):
    net.eval()
    try:
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)])
    finally:
        net.train()


# %% one-mode-for-all wrong="test-outputs" fails="restored"
# train(mode) sets every part, too, and some were frozen: give each part its own mode back.
def test_outputs(net, x, size):
    was = net.training
    net.eval()
    try:
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)])
    finally:
        net.train(was)


# %% one-level wrong="test-outputs" fails="restored"
# Modules lie inside modules inside modules: children() is one level only.
def test_outputs(net, x, size):
    was = net.training
    modes = [(child, child.training) for child in net.children()]
    net.eval()
    try:
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)])
    finally:
        net.train(was)
        for child, mode in modes:
            child.train(mode)


# %% no-finally wrong="test-outputs" fails="restored"
# After an exception the modes are not restored: that takes try and finally.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    with torch.no_grad():
        out = torch.cat([net(part) for part in x.split(size)])
    for module, mode in modes:
        module.training = mode
    return out


# %% exception-swallowed wrong="test-outputs" fails="restored"
# The exception must reach the caller; here it is swallowed.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    out = None
    try:
        with torch.no_grad():
            out = torch.cat([net(part) for part in x.split(size)])
    except ConnectionError:
        pass
    for module, mode in modes:
        module.training = mode
    return out


# %% with-graph wrong="test-outputs" fails="no gradient"
# The result still drags the graph along: compute it without gradients.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        return torch.cat([net(part) for part in x.split(size)])
    finally:
        for module, mode in modes:
            module.training = mode


# %% only-no-grad wrong="test-outputs" fails="value,alone,restored"
# no_grad switches off gradients, not the training mode.
def test_outputs(net, x, size):
    with torch.no_grad():
        return torch.cat([net(part) for part in x.split(size)])


# %% norm-still-in-training wrong="test-outputs" fails="value,alone,restored"
# Only dropout is switched off: batch normalisation still looks at the other rows.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    for module, _ in modes:
        if isinstance(module, nn.Dropout):
            module.eval()
    try:
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)])
    finally:
        for module, mode in modes:
            module.training = mode


# %% dropout-still-on wrong="test-outputs" fails="value,alone"
# Only batch normalisation is switched off: dropout, and modules of one's own, still train.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    for module, _ in modes:
        module.training = not isinstance(module, nn.BatchNorm1d)
    try:
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)])
    finally:
        for module, mode in modes:
            module.training = mode


# %% first-part-only wrong="test-outputs" fails="no gradient,value"
# Only the first rows come back: go through all parts.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        with torch.no_grad():
            return net(x[:size])
    finally:
        for module, mode in modes:
            module.training = mode


# %% last-part-dropped wrong="test-outputs" fails="no gradient,value"
# The last, smaller part is missing: the number of rows need not be a multiple of size.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        with torch.no_grad():
            whole = max(len(x) // size, 1)
            return torch.cat([net(x[i * size : (i + 1) * size]) for i in range(whole)])
    finally:
        for module, mode in modes:
            module.training = mode


# %% row-by-row.change-number equivalent="test-outputs"
# `rows.append(net(x[i:i + 2].clone())[0])`
# Two rows go through the network and the first is kept: the others do not matter to it.


# %% [markdown]
# ## nll-report


# %% by-distribution right="nll-report" oracle=True
def nll_report(mean, log_var, y, c, s, low, high):
    def told(v):
        half = torch.exp(v / 2)
        return -torch.distributions.Normal(c + s * mean, s * half, validate_args=False).log_prob(y)

    nll = told(log_var)
    return nll, nll - told(log_var.clamp(low, high))


# %% by-pieces right="nll-report"
def nll_report(mean, log_var, y, c, s, low, high):
    square = (((y - c) / s - mean) * torch.exp(-log_var / 2)) ** 2
    nll = 0.5 * log_var + 0.5 * square + math.log(s * math.sqrt(2 * math.pi))
    shown = torch.minimum(torch.maximum(log_var, 0 * log_var + low), 0 * log_var + high)
    card = 0.5 * shown + 0.5 * square * torch.exp(log_var - shown)
    return nll, nll - card - math.log(s * math.sqrt(2 * math.pi))


# %% by-unit-scale right="nll-report"
def nll_report(mean, log_var, y, c, s, low, high):
    r = y - c - s * mean  # in the unit of y
    both = []
    for v in (log_var, torch.clamp(log_var, min=low, max=high)):
        v = v + 2 * math.log(s)
        both.append((math.log(2 * math.pi) + v + r * r * (-v).exp()) / 2)
    return both[0], both[0] - both[1]


# %% as-on-the-card wrong="nll-report" fails="nll,hidden,gradient"
# This is the card's number: a clamp shows the same loss for all log variances beyond it.
def nll_report(mean, log_var, y, c, s, low, high):
    log_var = log_var.clamp(low, high)  # keeps the loss finite
    z = (y - c) / s - mean
    nll = 0.5 * (math.log(2 * math.pi) + log_var + z**2 * torch.exp(-log_var)) + math.log(s)
    return nll, torch.zeros_like(nll)


# %% nothing-hidden wrong="nll-report" fails="hidden"
# The loss is right; what the card hides is its difference to the card's loss.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean
    nll = 0.5 * (math.log(2 * math.pi) + log_var + z**2 * torch.exp(-log_var)) + math.log(s)
    return nll, torch.zeros_like(nll)


# %% difference-turned wrong="nll-report" fails="hidden"
# The difference has the wrong sign: the true loss less the card's.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean
    shown = log_var.clamp(low, high)
    nll = 0.5 * (math.log(2 * math.pi) + log_var + z**2 * torch.exp(-log_var)) + math.log(s)
    card = 0.5 * (math.log(2 * math.pi) + shown + z**2 * torch.exp(-shown)) + math.log(s)
    return nll, card - nll


# %% never-negative wrong="nll-report" fails="hidden"
# A clamp can also raise the loss: then what is hidden is negative.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean
    shown = log_var.clamp(low, high)
    nll = 0.5 * (math.log(2 * math.pi) + log_var + z**2 * torch.exp(-log_var)) + math.log(s)
    card = 0.5 * (math.log(2 * math.pi) + shown + z**2 * torch.exp(-shown)) + math.log(s)
    return nll, (nll - card).clamp(min=0)


# %% unit-forgotten wrong="nll-report" fails="nll"
# This is the density of the standardised outcome: in the unit of y there is a Jacobian.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean
    shown = log_var.clamp(low, high)
    nll = 0.5 * (math.log(2 * math.pi) + log_var + z**2 * torch.exp(-log_var))
    return nll, nll - 0.5 * (math.log(2 * math.pi) + shown + z**2 * torch.exp(-shown))


# %% unit-subtracted wrong="nll-report" fails="nll"
# The Jacobian has the wrong sign: stretching the scale makes densities smaller.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean
    shown = log_var.clamp(low, high)
    nll = 0.5 * (math.log(2 * math.pi) + log_var + z**2 * torch.exp(-log_var)) - math.log(s)
    card = 0.5 * (math.log(2 * math.pi) + shown + z**2 * torch.exp(-shown)) - math.log(s)
    return nll, nll - card


# %% log-sd wrong="nll-report" fails="nll,hidden,gradient"
# The network's second output is the log of the variance, not of the standard deviation.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean
    shown = log_var.clamp(low, high)
    nll = 0.5 * math.log(2 * math.pi) + log_var + 0.5 * (z * torch.exp(-log_var)) ** 2
    card = 0.5 * math.log(2 * math.pi) + shown + 0.5 * (z * torch.exp(-shown)) ** 2
    return nll + math.log(s), nll - card


# %% constant-dropped wrong="nll-report" fails="nll"
# The constant of the Normal density is missing.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean
    shown = log_var.clamp(low, high)
    nll = 0.5 * (log_var + z**2 * torch.exp(-log_var)) + math.log(s)
    return nll, nll - 0.5 * (shown + z**2 * torch.exp(-shown)) - math.log(s)


# %% built-in-floor wrong="nll-report" fails="nll,hidden,gradient"
# The built-in loss puts a floor of its own, 1e-6, under the variance: another clamp.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s
    options = {"full": True, "reduction": "none"}
    loss = torch.nn.functional.gaussian_nll_loss
    nll = loss(mean, z, log_var.exp(), **options) + math.log(s)
    card = loss(mean, z, log_var.clamp(low, high).exp(), **options) + math.log(s)
    return nll, nll - card


# %% wider-clamp wrong="nll-report" fails="nll,hidden,gradient"
# A wider clamp is still a clamp.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean
    shown, v = log_var.clamp(low, high), log_var.clamp(-20, 20)
    nll = 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(s)
    card = 0.5 * (math.log(2 * math.pi) + shown + z**2 * torch.exp(-shown)) + math.log(s)
    return nll, nll - card


# %% one-number wrong="nll-report" fails="nll,hidden,gradient"
# One number for each patient is asked for, not the mean.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean
    shown = log_var.clamp(low, high)
    nll = 0.5 * (math.log(2 * math.pi) + log_var + z**2 * torch.exp(-log_var)) + math.log(s)
    card = 0.5 * (math.log(2 * math.pi) + shown + z**2 * torch.exp(-shown)) + math.log(s)
    return nll.mean(), (nll - card).mean()


# %% mean-cut wrong="nll-report" fails="gradient"
# The gradient with respect to the mean is cut: the network could not be trained with this loss.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean.detach()
    shown = log_var.clamp(low, high)
    nll = 0.5 * (math.log(2 * math.pi) + log_var + z**2 * torch.exp(-log_var)) + math.log(s)
    card = 0.5 * (math.log(2 * math.pi) + shown + z**2 * torch.exp(-shown)) + math.log(s)
    return nll, nll - card


# %% solution.detach-input equivalent="nll-report"
# `y = y.detach()`
# Gradients with respect to y are not asked for.


# %% solution.detach-one equivalent="nll-report"
# `return (nll, (nll - loss(log_var.clamp(low, high))).detach())`
# Only the gradient of the first result is looked at.


# %% [markdown]
# ## ensemble-sds


# %% by-loops right="ensemble-sds"
def ensemble_sds(mean, sd):
    M, n = mean.shape
    noise = (sd**2).mean(0)
    centred = mean - mean.mean(0)
    each = (noise + (centred**2).mean(0)) ** 0.5
    total = torch.zeros((), dtype=mean.dtype)
    for m in range(M):
        total = total + (sd[m] ** 2).sum() / n**2 + centred[m].mean() ** 2
    return each, (total / M) ** 0.5


# %% by-covariance right="ensemble-sds" oracle=True
def ensemble_sds(mean, sd):
    # the whole covariance matrix of the ward's outcomes; the average is a linear function of them
    M, n = mean.shape
    gap = mean - mean.mean(dim=0, keepdim=True)
    cov = gap.T @ gap / M + torch.diag((sd * sd).sum(0) / M)
    weight = torch.full((n,), 1 / n, dtype=mean.dtype)
    return cov.diagonal().sqrt(), (weight @ cov @ weight).sqrt()


# %% by-pairs right="ensemble-sds"
def ensemble_sds(mean, sd):
    def mixed(centre, spread):  # over members in axis 0: half the mean squared gap of all pairs
        gaps = (centre[:, None] - centre[None]).pow(2).mean((0, 1)) / 2
        return (spread.pow(2).mean(0) + gaps).sqrt()

    n = mean.shape[-1]
    return mixed(mean, sd), mixed(mean.mean(-1), torch.linalg.vector_norm(sd, dim=-1) / n)


# %% as-on-the-card wrong="ensemble-sds" fails="each,ward"
# Averaged standard deviations leave out that the members disagree; variances add, not these.
def ensemble_sds(mean, sd):
    each = sd.mean(0)
    ward = each.square().sum().sqrt() / len(each)
    return each, ward


# %% disagreement-forgotten wrong="ensemble-sds" fails="each,ward"
# The mean of the variances is one part; the variance of the members' means is missing.
def ensemble_sds(mean, sd):
    each = sd.square().mean(0).sqrt()
    return each, each.square().sum().sqrt() / len(each)


# %% ward-as-if-independent wrong="ensemble-sds" fails="ward"
# The member is the same for the whole ward: its error does not average out over patients.
def ensemble_sds(mean, sd):
    each = torch.sqrt(sd.square().mean(0) + mean.var(0, correction=0))
    return each, each.square().sum().sqrt() / len(each)


# %% ward-is-the-mean-sd wrong="ensemble-sds" fails="ward"
# The average of many outcomes varies less than one of them: their noise does average out.
def ensemble_sds(mean, sd):
    each = torch.sqrt(sd.square().mean(0) + mean.var(0, correction=0))
    return each, each.mean()


# %% ward-without-noise wrong="ensemble-sds" fails="ward"
# The patients' own noise is missing from the ward's average.
def ensemble_sds(mean, sd):
    each = torch.sqrt(sd.square().mean(0) + mean.var(0, correction=0))
    return each, mean.mean(1).std(correction=0)


# %% noise-shared wrong="ensemble-sds" fails="ward"
# Given the member patients are independent: the noise of an average of n falls with n.
def ensemble_sds(mean, sd):
    each = torch.sqrt(sd.square().mean(0) + mean.var(0, correction=0))
    return each, torch.sqrt(sd.mean(1).square().mean() + mean.mean(1).var(correction=0))


# %% sum-for-average wrong="ensemble-sds" fails="ward"
# This is the standard deviation of the ward's sum; the average is asked for.
def ensemble_sds(mean, sd):
    each = torch.sqrt(sd.square().mean(0) + mean.var(0, correction=0))
    return each, torch.sqrt(sd.square().sum(1).mean() + mean.sum(1).var(correction=0))


# %% members-minus-one wrong="ensemble-sds" fails="each,ward"
# The members are all there are, not a sample: divide by M, and one member gives its own spread.
def ensemble_sds(mean, sd):
    each = torch.sqrt(sd.square().mean(0) + mean.var(0))
    noise = sd.square().sum(1).mean() / mean.shape[1] ** 2
    return each, torch.sqrt(noise + mean.mean(1).var())


# %% sds-added wrong="ensemble-sds" fails="each,ward"
# Standard deviations do not add: add variances and take the root at the end.
def ensemble_sds(mean, sd):
    n = mean.shape[1]
    each = sd.square().mean(0).sqrt() + mean.std(0, correction=0)
    ward = sd.square().sum(1).mean().sqrt() / n + mean.mean(1).std(correction=0)
    return each, ward


# %% variances wrong="ensemble-sds" fails="each,ward"
# These are variances; standard deviations are asked for.
def ensemble_sds(mean, sd):
    each = sd.square().mean(0) + mean.var(0, correction=0)
    noise = sd.square().sum(1).mean() / mean.shape[1] ** 2
    return each, noise + mean.mean(1).var(correction=0)


# %% squares-cancel wrong="ensemble-sds" fails="each,ward"
# E m² - (E m)² cancels where means are large: subtract the mean first.
def ensemble_sds(mean, sd):
    n = mean.shape[1]
    each = torch.sqrt(sd.square().mean(0) + (mean.square().mean(0) - mean.mean(0) ** 2).abs())
    centre = mean.mean(1)
    between = (centre.square().mean() - centre.mean() ** 2).abs()
    return each, torch.sqrt(sd.square().sum(1).mean() / n**2 + between)


# %% one-divided-by-n wrong="ensemble-sds" fails="ward"
# The variance of an average of n independent outcomes is their sum divided by n squared.
def ensemble_sds(mean, sd):
    each = torch.sqrt(sd.square().mean(0) + mean.var(0, correction=0))
    noise = sd.square().sum(1).mean() / mean.shape[1]
    return each, torch.sqrt(noise + mean.mean(1).var(correction=0))


# %% by-covariance.drop-keyword equivalent="ensemble-sds"
# `gap = mean - mean.mean(dim=0)`
# A row subtracts from every row of a matrix as its (1, n) form does.


# %% by-pairs.flip-sign equivalent="ensemble-sds"
# `n = mean.shape[1]`
# There are two axes: 1 is the last one.


# %% by-pairs.flip-sign equivalent="ensemble-sds"
# `... sd), mixed(mean.mean(1), torch.linalg.vector_norm(sd, dim=-1) / n))`
# There are two axes: 1 is the last one.


# %% by-pairs.flip-sign equivalent="ensemble-sds"
# `... sd), mixed(mean.mean(-1), torch.linalg.vector_norm(sd, dim=1) / n))`
# There are two axes: 1 is the last one.


# %% solution.squeeze equivalent="ensemble-sds"
# `return (each, ward.squeeze())`
# A number has no axis to lose.


# %% [markdown]
# ## calibration-report


# %% closed-on-the-left right="calibration-report"
def calibration_report(p, y, bins):
    ece, floor = torch.zeros((), dtype=p.dtype), torch.zeros((), dtype=p.dtype)
    counts = torch.zeros(bins, dtype=torch.int64)
    for k in range(bins):
        inside = (k / bins <= p) & (p < (k + 1) / bins if k < bins - 1 else p <= 1)
        counts[k] = inside.sum()
        ece += (p - y)[inside].sum().abs() / len(p)
        floor += (2 / math.pi * (p * (1 - p))[inside].sum()).sqrt() / len(p)
    return ece, floor, counts


# %% closed-on-the-right right="calibration-report"
def calibration_report(p, y, bins):
    low = torch.arange(bins, dtype=p.dtype) / bins
    high = torch.arange(1, bins + 1, dtype=p.dtype) / bins
    low[0], high[-1] = -1.0, 2.0
    member = ((low[:, None] < p) & (p <= high[:, None])).to(p.dtype)  # (bins, n)
    chance = torch.sqrt(member @ (p - p * p)) * math.sqrt(2 / math.pi)
    ece = (member @ (p - y)).abs().sum() / len(p)
    return ece, chance.sum() / len(p), member.sum(1).long()


# %% by-histogram right="calibration-report" oracle=True
def calibration_report(p, y, bins):
    import numpy as np

    q, came, n = p.numpy(), y.numpy(), len(y)
    edges = np.arange(bins + 1) / bins
    counts, _ = np.histogram(q, edges)
    gap = np.histogram(q, edges, weights=q - came)[0]
    spread = np.histogram(q, edges, weights=q * (1 - q))[0]
    floor = np.sqrt(2 * np.maximum(spread, 0) / np.pi).sum() / n
    ece, floor = (torch.tensor(v, dtype=p.dtype) for v in (np.abs(gap).sum() / n, floor))
    return ece, floor, torch.from_numpy(counts)


# %% as-on-the-card wrong="calibration-report" fails="ece,floor,counts"
# Patients with p of 0 or 1 are in no bin, and the number by chance is missing.
def calibration_report(p, y, bins):
    ece, counts = torch.zeros((), dtype=p.dtype), torch.zeros(bins, dtype=torch.int64)
    for k in range(bins):
        inside = (k / bins < p) & (p < (k + 1) / bins)
        counts[k] = inside.sum()
        ece += (p - y)[inside].sum().abs() / len(p)
    return ece, torch.zeros_like(ece), counts


# %% last-open wrong="calibration-report" fails="ece,counts"
# The last bin is still open: patients with p = 1 are in none.
def calibration_report(p, y, bins):
    ece, floor = torch.zeros((), dtype=p.dtype), torch.zeros((), dtype=p.dtype)
    counts = torch.zeros(bins, dtype=torch.int64)
    for k in range(bins):
        inside = (k / bins <= p) & (p < (k + 1) / bins)
        counts[k] = inside.sum()
        ece += (p - y)[inside].sum().abs() / len(p)
        floor += (2 / math.pi * (p * (1 - p))[inside].sum()).sqrt() / len(p)
    return ece, floor, counts


# %% first-open wrong="calibration-report" fails="ece,counts"
# The first bin is still open: patients with p = 0 are in none.
def calibration_report(p, y, bins):
    ece, floor = torch.zeros((), dtype=p.dtype), torch.zeros((), dtype=p.dtype)
    counts = torch.zeros(bins, dtype=torch.int64)
    for k in range(bins):
        inside = (k / bins < p) & (p <= (k + 1) / bins)
        counts[k] = inside.sum()
        ece += (p - y)[inside].sum().abs() / len(p)
        floor += (2 / math.pi * (p * (1 - p))[inside].sum()).sqrt() / len(p)
    return ece, floor, counts


# %% ends-in-a-bin-of-their-own wrong="calibration-report" fails="ece,floor,counts"
# One bin too many: p = 1 belongs into the last of the bins, not beyond it.
def calibration_report(p, y, bins):
    which = (p * bins).long()
    counts = torch.bincount(which, minlength=bins)
    miss = torch.zeros(bins + 1, dtype=p.dtype).index_add(0, which, p - y)
    chance = torch.zeros(bins + 1, dtype=p.dtype).index_add(0, which, p * (1 - p))
    floor = torch.sqrt(2 * chance / math.pi).sum() / (len(p) + (counts[bins:].sum() > 0))
    return miss.abs().sum() / len(p), floor, counts


# %% mean-of-gaps wrong="calibration-report" fails="ece,floor"
# Bins count by the patients in them: divide the sums by n, not by the number of bins.
def calibration_report(p, y, bins):
    which = (p * bins).long().clamp(max=bins - 1)
    counts = torch.bincount(which, minlength=bins)
    empty = torch.zeros(bins, dtype=p.dtype)
    size = counts.clamp(min=1)
    miss = empty.index_add(0, which, p - y) / size
    chance = empty.index_add(0, which, p * (1 - p)) / size
    return miss.abs().mean(), torch.sqrt(2 * chance / math.pi).mean(), counts


# %% absolute-before-sum wrong="calibration-report" fails="ece"
# Sum in the bin first, then take the absolute value: single patients are never 0.3 ill.
def calibration_report(p, y, bins):
    which = (p * bins).long().clamp(max=bins - 1)
    chance = torch.zeros(bins, dtype=p.dtype).index_add(0, which, p * (1 - p))
    floor = torch.sqrt(2 * chance / math.pi).sum() / len(p)
    return (p - y).abs().mean(), floor, torch.bincount(which, minlength=bins)


# %% signed-sum wrong="calibration-report" fails="ece"
# Without the absolute value the bins cancel each other.
def calibration_report(p, y, bins):
    which = (p * bins).long().clamp(max=bins - 1)
    chance = torch.zeros(bins, dtype=p.dtype).index_add(0, which, p * (1 - p))
    floor = torch.sqrt(2 * chance / math.pi).sum() / len(p)
    return (p - y).mean().abs(), floor, torch.bincount(which, minlength=bins)


# %% rms-for-mean wrong="calibration-report" fails="floor"
# The mean absolute value of a Normal is smaller than its standard deviation.
def calibration_report(p, y, bins):
    which = (p * bins).long().clamp(max=bins - 1)
    empty = torch.zeros(bins, dtype=p.dtype)
    miss = empty.index_add(0, which, p - y).abs().sum() / len(p)
    chance = empty.index_add(0, which, p * (1 - p))
    return miss, chance.sqrt().sum() / len(p), torch.bincount(which, minlength=bins)


# %% floor-from-outcomes wrong="calibration-report" fails="floor"
# Under perfect probabilities the variance is p (1 - p); outcomes play no part in it.
def calibration_report(p, y, bins):
    which = (p * bins).long().clamp(max=bins - 1)
    empty = torch.zeros(bins, dtype=p.dtype)
    miss = empty.index_add(0, which, p - y).abs().sum() / len(p)
    chance = empty.index_add(0, which, (p - y) ** 2)
    floor = torch.sqrt(2 * chance / math.pi).sum() / len(p)
    return miss, floor, torch.bincount(which, minlength=bins)


# %% empty-bins-dropped wrong="calibration-report" fails="counts"
# Bins in which nobody is have a count, too: 0.
def calibration_report(p, y, bins):
    which = (p * bins).long().clamp(max=bins - 1)
    counts = torch.bincount(which, minlength=bins)
    empty = torch.zeros(bins, dtype=p.dtype)
    miss = empty.index_add(0, which, p - y).abs().sum() / len(p)
    chance = empty.index_add(0, which, p * (1 - p))
    return miss, torch.sqrt(2 * chance / math.pi).sum() / len(p), counts[counts > 0]


# %% bins-rounded wrong="calibration-report" fails="ece,floor,counts"
# Rounding puts the edges in the wrong places: a bin begins at k / bins.
def calibration_report(p, y, bins):
    which = (p * bins).round().long().clamp(max=bins - 1)
    empty = torch.zeros(bins, dtype=p.dtype)
    miss = empty.index_add(0, which, p - y).abs().sum() / len(p)
    chance = empty.index_add(0, which, p * (1 - p))
    floor = torch.sqrt(2 * chance / math.pi).sum() / len(p)
    return miss, floor, torch.bincount(which, minlength=bins)


# %% closed-on-the-left.change-number equivalent="calibration-report"
# `inside = (k / bins <= p) & (p < (k + 1) / bins if k < bins - 1 else p <= 2)`
# No p is above 1.


# %% closed-on-the-right.change-number equivalent="calibration-report"
# `low[0], high[-1] = (-1.0, 3.0)`
# Any number outside [0, 1] closes the first or the last bin.


# %% closed-on-the-right.change-number equivalent="calibration-report"
# `low[0], high[-1] = (-2.0, 2.0)`
# Any number outside [0, 1] closes the first or the last bin.


# %% solution.squeeze equivalent="calibration-report"
# `return ((miss.abs().sum() / len(p)).squeeze(), floor, counts)`
# A number has no axis to lose.


# %% solution.squeeze equivalent="calibration-report"
# `return (miss.abs().sum() / len(p), floor.squeeze(), counts)`
# A number has no axis to lose.


# %% [markdown]
# ## risk-report


# %% by-distribution right="risk-report"
def risk_report(draws, sigma, y, threshold):
    normal = torch.distributions.Normal(draws, sigma)
    risk = 1 - normal.cdf(torch.full_like(draws, threshold)).mean(0)
    came = torch.where(y > threshold, 1.0, 0.0)
    return risk, ((risk - came) ** 2).mean()


# %% by-erfc right="risk-report"
def risk_report(draws, sigma, y, threshold):
    z = (threshold - draws) / (sigma * math.sqrt(2))
    risk = torch.erfc(z).sum(0) / (2 * len(draws))
    return risk, torch.where(y > threshold, 1 - risk, risk).pow(2).sum() / len(y)


# %% draw-by-draw right="risk-report" oracle=True
def risk_report(draws, sigma, y, threshold):
    from scipy import stats

    spread = torch.broadcast_to(sigma, draws.shape)
    columns = []
    for i in range(draws.shape[1]):
        above = stats.norm.sf(threshold, loc=draws[:, i].numpy(), scale=spread[:, i].numpy())
        columns.append(float(above.mean()))
    risk = torch.tensor(columns, dtype=draws.dtype)
    hits = [(r - float(v > threshold)) ** 2 for r, v in zip(columns, y.tolist(), strict=True)]
    return risk, torch.tensor(sum(hits) / len(hits), dtype=draws.dtype)


# %% as-on-the-card wrong="risk-report" fails="risk,sigma varies,brier"
# The draws are of the function; an outcome has noise on top, and sigma is never used.
def risk_report(draws, sigma, y, threshold):
    risk = (draws > threshold).double().mean(0)
    brier = (risk - (y > threshold).double()).square().mean()
    return risk, brier


# %% noise-only wrong="risk-report" fails="risk,sigma varies,brier"
# The mean function with noise forgets that the function is uncertain: average probabilities.
def risk_report(draws, sigma, y, threshold):
    risk = torch.special.ndtr((draws.mean(0) - threshold) / sigma)
    risk = risk.reshape(-1, len(y)).mean(0) if risk.dim() > 1 else risk
    return risk, (risk - (y > threshold).double()).square().mean()


# %% spread-of-draws-only wrong="risk-report" fails="risk,sigma varies,brier"
# This Normal has the spread of the draws only: the noise of the outcome is missing.
def risk_report(draws, sigma, y, threshold):
    risk = torch.special.ndtr((draws.mean(0) - threshold) / draws.std(0, correction=0))
    return risk, (risk - (y > threshold).double()).square().mean()


# %% one-normal wrong="risk-report" fails="risk,sigma varies,brier"
# One Normal with the total variance is not the mean over the draws' Normals.
def risk_report(draws, sigma, y, threshold):
    total = draws.var(0, correction=0) + torch.broadcast_to(sigma, draws.shape).square().mean(0)
    risk = torch.special.ndtr((draws.mean(0) - threshold) / total.sqrt())
    return risk, (risk - (y > threshold).double()).square().mean()


# %% below-for-above wrong="risk-report" fails="risk,sigma varies,brier"
# This is the probability below the threshold.
def risk_report(draws, sigma, y, threshold):
    risk = torch.special.ndtr((threshold - draws) / sigma).mean(0)
    return risk, (risk - (y > threshold).double()).square().mean()


# %% variance-for-sd wrong="risk-report" fails="risk,sigma varies,brier"
# sigma is a standard deviation: divide by it, not by its square or root.
def risk_report(draws, sigma, y, threshold):
    risk = torch.special.ndtr((draws - threshold) / sigma**2).mean(0)
    return risk, (risk - (y > threshold).double()).square().mean()


# %% logistic wrong="risk-report" fails="risk,sigma varies,brier"
# The noise is Normal: a sigmoid has heavier tails than its distribution function.
def risk_report(draws, sigma, y, threshold):
    risk = torch.sigmoid(1.702 * (draws - threshold) / sigma).mean(0)
    return risk, (risk - (y > threshold).double()).square().mean()


# %% sigma-averaged wrong="risk-report" fails="sigma varies,brier"
# Each draw and each patient has a sigma of its own; its mean is another model.
def risk_report(draws, sigma, y, threshold):
    risk = torch.special.ndtr((draws - threshold) / sigma.mean()).mean(0)
    return risk, (risk - (y > threshold).double()).square().mean()


# %% brier-of-decisions wrong="risk-report" fails="brier"
# Score the probability itself, not the yes or no that it leads to.
def risk_report(draws, sigma, y, threshold):
    risk = torch.special.ndtr((draws - threshold) / sigma).mean(0)
    return risk, ((risk > 0.5).double() - (y > threshold).double()).square().mean()


# %% brier-of-draws wrong="risk-report" fails="brier"
# The predictive distribution is scored once, after averaging; not each draw for itself.
def risk_report(draws, sigma, y, threshold):
    each = torch.special.ndtr((draws - threshold) / sigma)
    return each.mean(0), (each - (y > threshold).double()).square().mean()


# %% brier-rooted wrong="risk-report" fails="brier"
# The Brier score is the mean square, without a root.
def risk_report(draws, sigma, y, threshold):
    risk = torch.special.ndtr((draws - threshold) / sigma).mean(0)
    return risk, (risk - (y > threshold).double()).square().mean().sqrt()


# %% brier-absolute wrong="risk-report" fails="brier"
# Absolute differences reward exaggeration: the Brier score squares them.
def risk_report(draws, sigma, y, threshold):
    risk = torch.special.ndtr((draws - threshold) / sigma).mean(0)
    return risk, (risk - (y > threshold).double()).abs().mean()


# %% mean-over-patients wrong="risk-report" fails="risk,sigma varies,brier"
# Average over the draws, axis 0; patients keep a risk of their own.
def risk_report(draws, sigma, y, threshold):
    risk = torch.special.ndtr((draws - threshold) / sigma).mean().expand(len(y))
    return risk, (risk - (y > threshold).double()).square().mean()


# %% solution.squeeze equivalent="risk-report"
# `return (risk, brier.squeeze())`
# A number has no axis to lose.


# %% solution.expand-square equivalent="risk-report"
# `brier = (risk * risk - 2 * risk * (y > threshold).double() + (y > ...`
# Between probabilities it cancels to 1e-16, and 1e-12 is asked for.


# %% [markdown]
# ## card-table


# %% run-by-run right="card-table" oracle=True
def card_table(log_odds, y, base):
    import numpy as np

    came = y.numpy()
    ill, well = came == 1, came == 0

    def row(z):
        hit = (z > 0) == ill
        p = 1 / (1 + np.exp(-z))
        loss = np.logaddexp(0, np.where(ill, -z, z))
        balanced = 0.5 * hit[ill].mean() + 0.5 * hit[well].mean()
        return [hit.mean(), balanced, loss.mean(), ((p - came) ** 2).mean()]

    with np.errstate(over="ignore"):
        runs = np.array([row(z) for z in log_odds.numpy()])
        hers = row(np.full(len(came), np.log(base) - np.log1p(-base)))
    worst = [min(runs[:, 0]), min(runs[:, 1]), max(runs[:, 2]), max(runs[:, 3])]
    mean = runs.mean(axis=0)
    gain = [mean[0] - hers[0], mean[1] - hers[1], hers[2] - mean[2], hers[3] - mean[3]]
    return torch.tensor(np.column_stack([mean, worst, gain]))


# %% by-formulas right="card-table"
def card_table(log_odds, y, base):
    target = y.double()
    hit = (log_odds > 0).double() * target + (log_odds < 0).double() * (1 - target)
    ill = target.sum()
    balanced = ((hit * target).sum(1) / ill + (hit * (1 - target)).sum(1) / (len(y) - ill)) / 2
    nll = nn.functional.softplus((1 - 2 * target) * log_odds).mean(1)
    brier = ((torch.sigmoid(log_odds) - target) ** 2).mean(1)
    share = target.mean()
    rows = []
    for value, hers, sign in (
        (hit.mean(1), share if base > 0.5 else 1 - share, 1),
        (balanced, 0.5, 1),
        (nll, -share * math.log(base) - (1 - share) * math.log(1 - base), -1),
        (brier, share * (1 - base) ** 2 + (1 - share) * base**2, -1),
    ):
        worst = value.min() if sign == 1 else value.max()
        rows.append(torch.stack([value.mean(), worst, sign * (value.mean() - hers)]))
    return torch.stack(rows)


# %% by-built-in-loss right="card-table"
def card_table(log_odds, y, base):
    hers = torch.tensor(base, dtype=log_odds.dtype).logit().expand(1, len(y))
    z = torch.cat([log_odds, hers])
    target = y.to(z.dtype).expand_as(z)
    wrong = (torch.sign(z) != 2 * target - 1).to(z.dtype)
    loss = nn.functional.binary_cross_entropy_with_logits
    by_class = torch.stack([wrong[:, y == k].mean(1) for k in (0, 1)])
    losses = torch.stack(
        [
            wrong.mean(1),
            by_class.mean(0),
            loss(z, target, reduction="none").mean(1),
            (z.sigmoid() - target).square().mean(1),
        ]
    )
    mean, worst = losses[:, :-1].mean(1), losses[:, :-1].amax(1)
    flip = torch.tensor([1.0, 1.0, 0.0, 0.0], dtype=z.dtype)
    shown = [flip + (1 - 2 * flip) * v for v in (mean, worst)]
    return torch.stack([*shown, losses[:, -1] - mean], dim=1)


# %% best-run wrong="card-table" fails="worst"
# Column 2 asks for the worst run; this is the best, which any card would like to show.
def card_table(log_odds, y, base):
    table, runs, _ = scored(log_odds, y, base)
    table[:, 1] = torch.cat([runs[:2].amax(1), runs[2:].amin(1)])
    return table


def scored(log_odds, y, base):
    sick = y == 1

    def scores(z):
        right = ((z > 0) == sick).double()
        balanced = (right[:, sick].mean(1) + right[:, ~sick].mean(1)) / 2
        nll = -nn.functional.logsigmoid(torch.where(sick, z, -z)).mean(1)
        return torch.stack([right.mean(1), balanced, nll, (torch.sigmoid(z) - y).square().mean(1)])

    blind = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, hers = scores(log_odds), scores(blind)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - hers[:2], hers[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1), runs, hers


# %% lowest-everywhere wrong="card-table" fails="worst"
# For a loss the worst run is the highest one; for an accuracy the lowest.
def card_table(log_odds, y, base):
    table, runs, hers = scored(log_odds, y, base)
    table[:, 1] = runs.amin(1)
    return table


def scored(log_odds, y, base):
    sick = y == 1

    def scores(z):
        right = ((z > 0) == sick).double()
        balanced = (right[:, sick].mean(1) + right[:, ~sick].mean(1)) / 2
        nll = -nn.functional.logsigmoid(torch.where(sick, z, -z)).mean(1)
        return torch.stack([right.mean(1), balanced, nll, (torch.sigmoid(z) - y).square().mean(1)])

    blind = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, hers = scores(log_odds), scores(blind)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - hers[:2], hers[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1), runs, hers


# %% worst-by-nll wrong="card-table" fails="worst"
# Each row has a worst run of its own; do not take that of the NLL for all.
def card_table(log_odds, y, base):
    table, runs, hers = scored(log_odds, y, base)
    table[:, 1] = runs[:, runs[2].argmax()]
    return table


def scored(log_odds, y, base):
    sick = y == 1

    def scores(z):
        right = ((z > 0) == sick).double()
        balanced = (right[:, sick].mean(1) + right[:, ~sick].mean(1)) / 2
        nll = -nn.functional.logsigmoid(torch.where(sick, z, -z)).mean(1)
        return torch.stack([right.mean(1), balanced, nll, (torch.sigmoid(z) - y).square().mean(1)])

    blind = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, hers = scores(log_odds), scores(blind)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - hers[:2], hers[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1), runs, hers


# %% gain-turned wrong="card-table" fails="gain"
# For losses lower is better: there the gain is hers less the mean.
def card_table(log_odds, y, base):
    table, runs, hers = scored(log_odds, y, base)
    table[:, 2] = runs.mean(1) - hers
    return table


def scored(log_odds, y, base):
    sick = y == 1

    def scores(z):
        right = ((z > 0) == sick).double()
        balanced = (right[:, sick].mean(1) + right[:, ~sick].mean(1)) / 2
        nll = -nn.functional.logsigmoid(torch.where(sick, z, -z)).mean(1)
        return torch.stack([right.mean(1), balanced, nll, (torch.sigmoid(z) - y).square().mean(1)])

    blind = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, hers = scores(log_odds), scores(blind)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - hers[:2], hers[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1), runs, hers


# %% gain-over-worst wrong="card-table" fails="gain"
# The gain is that of the mean over the runs, not of the worst run.
def card_table(log_odds, y, base):
    table, runs, hers = scored(log_odds, y, base)
    table[:, 2] = torch.tensor([1, 1, -1, -1.0]) * (table[:, 1] - hers)
    return table


def scored(log_odds, y, base):
    sick = y == 1

    def scores(z):
        right = ((z > 0) == sick).double()
        balanced = (right[:, sick].mean(1) + right[:, ~sick].mean(1)) / 2
        nll = -nn.functional.logsigmoid(torch.where(sick, z, -z)).mean(1)
        return torch.stack([right.mean(1), balanced, nll, (torch.sigmoid(z) - y).square().mean(1)])

    blind = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, hers = scores(log_odds), scores(blind)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - hers[:2], hers[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1), runs, hers


# %% gain-as-share wrong="card-table" fails="gain"
# The gain is a difference, not a share of her score.
def card_table(log_odds, y, base):
    table, runs, hers = scored(log_odds, y, base)
    table[:, 2] = table[:, 2] / hers
    return table


def scored(log_odds, y, base):
    sick = y == 1

    def scores(z):
        right = ((z > 0) == sick).double()
        balanced = (right[:, sick].mean(1) + right[:, ~sick].mean(1)) / 2
        nll = -nn.functional.logsigmoid(torch.where(sick, z, -z)).mean(1)
        return torch.stack([right.mean(1), balanced, nll, (torch.sigmoid(z) - y).square().mean(1)])

    blind = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, hers = scores(log_odds), scores(blind)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - hers[:2], hers[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1), runs, hers


# %% balanced-is-accuracy wrong="card-table" fails="balanced,worst,gain"
# Balanced accuracy counts both classes equally, however rare one of them is.
def card_table(log_odds, y, base):
    table, runs, hers = scored(log_odds, y, base)
    table[1] = table[0]
    return table


def scored(log_odds, y, base):
    sick = y == 1

    def scores(z):
        right = ((z > 0) == sick).double()
        balanced = (right[:, sick].mean(1) + right[:, ~sick].mean(1)) / 2
        nll = -nn.functional.logsigmoid(torch.where(sick, z, -z)).mean(1)
        return torch.stack([right.mean(1), balanced, nll, (torch.sigmoid(z) - y).square().mean(1)])

    blind = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, hers = scores(log_odds), scores(blind)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - hers[:2], hers[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1), runs, hers


# %% sensitivity-only wrong="card-table" fails="balanced,worst,gain"
# One class is missing: the mean of both shares is asked for.
def card_table(log_odds, y, base):
    table, runs, hers = scored(log_odds, y, base)
    hit = ((log_odds > 0)[:, y == 1]).double().mean(1)
    table[1] = torch.stack([hit.mean(), hit.min(), hit.mean() - float(base > 0.5)])
    return table


def scored(log_odds, y, base):
    sick = y == 1

    def scores(z):
        right = ((z > 0) == sick).double()
        balanced = (right[:, sick].mean(1) + right[:, ~sick].mean(1)) / 2
        nll = -nn.functional.logsigmoid(torch.where(sick, z, -z)).mean(1)
        return torch.stack([right.mean(1), balanced, nll, (torch.sigmoid(z) - y).square().mean(1)])

    blind = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, hers = scores(log_odds), scores(blind)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - hers[:2], hers[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1), runs, hers


# %% brier-over-both-classes wrong="card-table" fails="brier,worst,gain"
# The sum over both classes is twice the score that the text defines.
def card_table(log_odds, y, base):
    table, runs, hers = scored(log_odds, y, base)
    table[3] = 2 * table[3]
    return table


def scored(log_odds, y, base):
    sick = y == 1

    def scores(z):
        right = ((z > 0) == sick).double()
        balanced = (right[:, sick].mean(1) + right[:, ~sick].mean(1)) / 2
        nll = -nn.functional.logsigmoid(torch.where(sick, z, -z)).mean(1)
        return torch.stack([right.mean(1), balanced, nll, (torch.sigmoid(z) - y).square().mean(1)])

    blind = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, hers = scores(log_odds), scores(blind)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - hers[:2], hers[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1), runs, hers


# %% bits wrong="card-table" fails="nll,worst,gain"
# Natural logarithms are asked for: nats, not bits.
def card_table(log_odds, y, base):
    table, runs, hers = scored(log_odds, y, base)
    table[2] = table[2] / math.log(2)
    return table


def scored(log_odds, y, base):
    sick = y == 1

    def scores(z):
        right = ((z > 0) == sick).double()
        balanced = (right[:, sick].mean(1) + right[:, ~sick].mean(1)) / 2
        nll = -nn.functional.logsigmoid(torch.where(sick, z, -z)).mean(1)
        return torch.stack([right.mean(1), balanced, nll, (torch.sigmoid(z) - y).square().mean(1)])

    blind = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, hers = scores(log_odds), scores(blind)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - hers[:2], hers[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1), runs, hers


# %% nll-clamped wrong="card-table" fails="nll,worst,gain"
# A clamp of probabilities hides how wrong confident predictions are: use log odds.
def card_table(log_odds, y, base):
    table, runs, hers = scored(log_odds, y, base)
    p = torch.sigmoid(log_odds).clamp(1e-7, 1 - 1e-7)
    nll = -torch.where(y == 1, p, 1 - p).log().mean(1)
    table[2] = torch.stack([nll.mean(), nll.max(), hers[2] - nll.mean()])
    return table


def scored(log_odds, y, base):
    sick = y == 1

    def scores(z):
        right = ((z > 0) == sick).double()
        balanced = (right[:, sick].mean(1) + right[:, ~sick].mean(1)) / 2
        nll = -nn.functional.logsigmoid(torch.where(sick, z, -z)).mean(1)
        return torch.stack([right.mean(1), balanced, nll, (torch.sigmoid(z) - y).square().mean(1)])

    blind = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, hers = scores(log_odds), scores(blind)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - hers[:2], hers[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1), runs, hers


# %% log-of-sigmoid wrong="card-table" fails="nll,worst,gain"
# The logarithm of a rounded sigmoid is infinite: take logsigmoid of the log odds.
def card_table(log_odds, y, base):
    table, runs, hers = scored(log_odds, y, base)
    p = torch.sigmoid(log_odds)
    nll = -torch.where(y == 1, p, 1 - p).log().mean(1)
    table[2] = torch.stack([nll.mean(), nll.max(), hers[2] - nll.mean()])
    return table


def scored(log_odds, y, base):
    sick = y == 1

    def scores(z):
        right = ((z > 0) == sick).double()
        balanced = (right[:, sick].mean(1) + right[:, ~sick].mean(1)) / 2
        nll = -nn.functional.logsigmoid(torch.where(sick, z, -z)).mean(1)
        return torch.stack([right.mean(1), balanced, nll, (torch.sigmoid(z) - y).square().mean(1)])

    blind = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, hers = scores(log_odds), scores(blind)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - hers[:2], hers[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1), runs, hers


# %% average-first wrong="card-table" fails="accuracy,balanced,nll,brier,gain"
# Score each run, then average: an average of log odds is another model, an ensemble.
def card_table(log_odds, y, base):
    table, runs, hers = scored(log_odds, y, base)
    mixed = scored(log_odds.mean(0, keepdim=True), y, base)[0]
    table[:, 0], table[:, 2] = mixed[:, 0], mixed[:, 2]
    return table


def scored(log_odds, y, base):
    sick = y == 1

    def scores(z):
        right = ((z > 0) == sick).double()
        balanced = (right[:, sick].mean(1) + right[:, ~sick].mean(1)) / 2
        nll = -nn.functional.logsigmoid(torch.where(sick, z, -z)).mean(1)
        return torch.stack([right.mean(1), balanced, nll, (torch.sigmoid(z) - y).square().mean(1)])

    blind = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, hers = scores(log_odds), scores(blind)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - hers[:2], hers[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1), runs, hers


# %% base-from-the-test-set wrong="card-table" fails="gain"
# She knows the base rate that is handed over, not that of the test patients.
def card_table(log_odds, y, base):
    table, runs, hers = scored(log_odds, y, base)
    own = y.double().mean().item()
    table[:, 2] = scored(log_odds, y, own)[0][:, 2]
    return table


def scored(log_odds, y, base):
    sick = y == 1

    def scores(z):
        right = ((z > 0) == sick).double()
        balanced = (right[:, sick].mean(1) + right[:, ~sick].mean(1)) / 2
        nll = -nn.functional.logsigmoid(torch.where(sick, z, -z)).mean(1)
        return torch.stack([right.mean(1), balanced, nll, (torch.sigmoid(z) - y).square().mean(1)])

    blind = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, hers = scores(log_odds), scores(blind)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - hers[:2], hers[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1), runs, hers


# %% always-no wrong="card-table" fails="gain"
# With a base above 0.5 she predicts class 1.
def card_table(log_odds, y, base):
    table, runs, hers = scored(log_odds, y, base)
    share = (y == 0).double().mean()
    table[0, 2] = table[0, 0] - share
    return table


def scored(log_odds, y, base):
    sick = y == 1

    def scores(z):
        right = ((z > 0) == sick).double()
        balanced = (right[:, sick].mean(1) + right[:, ~sick].mean(1)) / 2
        nll = -nn.functional.logsigmoid(torch.where(sick, z, -z)).mean(1)
        return torch.stack([right.mean(1), balanced, nll, (torch.sigmoid(z) - y).square().mean(1)])

    blind = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, hers = scores(log_odds), scores(blind)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - hers[:2], hers[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1), runs, hers


# %% softplus-less-z wrong="card-table" fails="nll"
# PyTorch's softplus is z itself above 20, so softplus(z) - z loses small losses: take one of -z.
def card_table(log_odds, y, base):
    ones, gain = y == 1, torch.tensor([1, 1, -1, -1])

    def scores(z):
        hit, p = ((z > 0) == ones).double(), torch.sigmoid(z)
        nll = nn.functional.softplus(z) - z * y
        both = (hit[:, ones].mean(1) + hit[:, ~ones].mean(1)) / 2
        return torch.stack([hit.mean(1), both, nll.mean(1), (p - y).square().mean(1)])

    hers = log_odds.new_full((1, len(y)), math.log(base / (1 - base)))
    runs, mean = scores(log_odds), scores(log_odds).mean(1)
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    return torch.stack([mean, worst, gain * (mean - scores(hers)[:, 0])], 1)


# %% solution.change-number equivalent="card-table"
# `blind = torch.full((2, len(y)), math.log(base / (1 - base)), ...`
# A second copy of the baseline is not looked at.


# %% solution.squeeze equivalent="card-table"
# `return torch.stack([runs.mean(1), worst, gain], 1).squeeze()`
# The table has four rows and three columns, whatever the numbers of runs and patients.
# %% solution.expand-square equivalent="card-table"
# `... = (torch.sigmoid(z) * torch.sigmoid(z) - 2 * torch.sigmoid(z) * y + y * ...`
# Between probabilities it cancels to 1e-16, and 1e-12 is asked for.
