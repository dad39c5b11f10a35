# %% [markdown]
# Answers written from the text alone.


# %% map-sums right="map-weights"
# The card's Newton steps with sums over patients in place of means.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = 1 / tau**2
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + prior * w
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% map-autograd right="map-weights"
# Writes down minus the log posterior; slope and curvature by autograd, steps that are halved
# until the objective does not grow.
def map_weights(x, y, count, tau):
    def objective(w):
        z = x @ w
        right = torch.nn.functional.logsigmoid((2 * y - 1) * z)
        return -(count * right).sum() + 0.5 * (w / tau).square().sum()

    w = torch.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(60):
        now = float(objective(w))
        slope = torch.autograd.functional.jacobian(objective, w)
        curvature = torch.autograd.functional.hessian(objective, w)
        step = torch.linalg.solve(curvature, slope)
        for _ in range(30):
            if float(objective(w - step)) <= now + 1e-8 * (1 + abs(now)):
                break
            step = step / 2
        w = w - step
        if float(step.abs().max()) < 1e-11:
            break
    return w


# %% map-six-steps wrong="map-weights"
# Stops after six Newton steps: wrong for separable classes with large counts and wide priors
# (tau of 5, counts of 10 000), where the weights go far and each step adds about 1 to log odds.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = 1 / tau**2
    for _ in range(6):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + prior * w
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% map-clamped-probability wrong="map-weights"
# Keeps probabilities within 1e-4 of the ends "for stability": wrong where patients are more
# certain than that, as with separable classes and counts of 10 000.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = 1 / tau**2
    for _ in range(40):
        p = torch.sigmoid(x @ w).clamp(1e-4, 1 - 1e-4)
        slope = (count * (p - y)) @ x + prior * w
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% map-softened-prior wrong="map-weights"
# Adds 1e-6 to the prior's variance against division by 0: one percent of it for tau = 1/100, so
# that a weight which large counts pull far from 0 is wrong in the third digit.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = 1 / (tau**2 + 1e-6)
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + prior * w
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% map-curvature-at-start wrong="map-weights"
# Uses the curvature at 0 in every step, which is a bound and always descends, but slowly: not
# there after 300 steps if the classes are separable and counts are large.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = 1 / tau**2
    bound = (x.T * (count / 4)) @ x + torch.diag(prior)
    for _ in range(300):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + prior * w
        w = w - torch.linalg.solve(bound, slope)
    return w


# %% map-fixed-rate wrong="map-weights"
# Gradient descent with a fixed rate of 0.1 that suits a handful of patients: diverges for large
# counts, and for a tau of 1/100.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(4000):
        p = torch.sigmoid(x @ w)
        w = w - 0.1 * ((count * (p - y)) @ x + w / tau**2)
    return w


# %% outputs-noted-modes right="test-outputs"
# Notes each module's mode, evaluates without gradients, restores in any case.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    try:
        net.eval()
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)]).detach()
    finally:
        for module, mode in modes:
            module.training = mode


# %% outputs-exit-stack right="test-outputs"
# An exit stack that undoes each change of mode; rows by index, each part cut off from autograd.
def test_outputs(net, x, size):
    results = []
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.set_grad_enabled(False))
        for module in net.modules():
            stack.callback(setattr, module, "training", module.training)
            module.training = False
        for start in range(0, len(x), size):
            results.append(net(x[start : start + size].detach()).detach())
        return torch.cat(results, dim=0)


# %% outputs-first-level-modes wrong="test-outputs"
# Notes the modes of the children only and sets all below them alike: wrong if a part two levels
# down is frozen while the part around it is in training.
def test_outputs(net, x, size):
    top, modes = net.training, [(child, child.training) for child in net.children()]
    try:
        net.eval()
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)])
    finally:
        net.train(top)
        for child, mode in modes:
            child.train(mode)


# %% outputs-gradients-on wrong="test-outputs"
# Switches gradients on at the end, whether they were on or not: wrong for a caller that had
# them off.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    torch.set_grad_enabled(False)
    try:
        net.eval()
        return torch.cat([net(part) for part in x.split(size)])
    finally:
        torch.set_grad_enabled(True)
        for module, mode in modes:
            module.training = mode


# %% outputs-known-layers wrong="test-outputs"
# Puts only nn.Dropout and batch normalisation into evaluation: wrong for any other module that
# looks at its mode, such as nn.RReLU, nn.AlphaDropout or one's own with F.dropout.
def test_outputs(net, x, size):
    kinds = (nn.Dropout, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
    modes = [(m, m.training) for m in net.modules() if isinstance(m, kinds)]
    try:
        for module, _ in modes:
            module.training = False
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)])
    finally:
        for module, mode in modes:
            module.training = mode


# %% outputs-unfrozen-weights wrong="test-outputs"
# Keeps autograd away by freezing all parameters, and unfreezes all afterwards: wrong for a
# network with weights that did not require a gradient before.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    try:
        net.eval()
        net.requires_grad_(False)
        return torch.cat([net(part) for part in x.detach().split(size)])
    finally:
        net.requires_grad_(True)
        for module, mode in modes:
            module.training = mode


# %% outputs-whole-parts-only wrong="test-outputs"
# Cuts the rows into n // size equal parts: an error, or parts of another size, unless size
# divides n, as for size > n.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    try:
        net.eval()
        with torch.no_grad():
            parts = x.reshape(-1, size, x.shape[1])
            return torch.cat([net(part) for part in parts])
    finally:
        for module, mode in modes:
            module.training = mode


# %% nll-by-formula right="nll-report"
# The Normal's formula with what the network said; the difference to the clamped one directly.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean
    shown = log_var.clamp(low, high)
    square = (z * torch.exp(-0.5 * log_var)) ** 2
    nll = 0.5 * (math.log(2 * math.pi) + log_var + square) + math.log(s)
    hidden = 0.5 * (log_var - shown + square - (z * torch.exp(-0.5 * shown)) ** 2)
    return nll, hidden


# %% nll-by-distribution right="nll-report"
# torch.distributions for the density of the standardised outcome, then the unit; the card's
# number is computed as the card does and taken off.
def nll_report(mean, log_var, y, c, s, low, high):
    standard = (y - c) / s
    normal = torch.distributions.Normal(mean, torch.exp(log_var / 2))
    nll = math.log(s) - normal.log_prob(standard)
    bottom, top = torch.full_like(log_var, low), torch.full_like(log_var, high)
    kept = torch.minimum(torch.maximum(log_var, bottom), top)
    error = ((standard - mean) / torch.exp(kept / 2)).square()
    card = (math.log(2 * math.pi) + kept + error) / 2 + math.log(s)
    return nll, (nll - card).detach()


# %% nll-wider-clamp wrong="nll-report"
# Keeps a clamp, only wider: wrong for log variances beyond 100, in value and gradient.
def nll_report(mean, log_var, y, c, s, low, high):
    def report(v):
        z = (y - c) / s - mean
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(s)

    nll = report(log_var.clamp(-100, 100))
    return nll, nll - report(log_var.clamp(low, high))


# %% nll-hidden-never-negative wrong="nll-report"
# Takes what is hidden for never negative: wrong where the card reports too high a loss, as for a
# network that is rightly certain (log_var below low, z near 0).
def nll_report(mean, log_var, y, c, s, low, high):
    def report(v):
        z = (y - c) / s - mean
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(s)

    nll = report(log_var)
    return nll, (nll - report(log_var.clamp(low, high))).clamp(min=0)


# %% nll-softened-variance wrong="nll-report"
# Adds 1e-12 to the variance before dividing: wrong for log variances below about -20, such as
# -40, in value and gradient.
def nll_report(mean, log_var, y, c, s, low, high):
    def report(v):
        z = (y - c) / s - mean
        return 0.5 * (math.log(2 * math.pi) + v + z**2 / (torch.exp(v) + 1e-12)) + math.log(s)

    nll = report(log_var)
    return nll, nll - report(log_var.clamp(low, high))


# %% nll-patient-by-patient wrong="nll-report"
# Goes over the patients in a loop: an error for tensors of shape (), and for no patients, for
# there is nothing to stack.
def nll_report(mean, log_var, y, c, s, low, high):
    def report(z, v):
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(s)

    losses, hidden = [], []
    for m, v, outcome in zip(mean, log_var, y, strict=True):
        z = (outcome - c) / s - m
        losses.append(report(z, v))
        hidden.append(losses[-1] - report(z, v.clamp(low, high)))
    return torch.stack(losses), torch.stack(hidden)


# %% nll-unit-never-helps wrong="nll-report"
# Believes that the unit can only add to the loss: the term log(s) is 0 for s below 1, such as
# s = 0.02, where it must be negative.
def nll_report(mean, log_var, y, c, s, low, high):
    def report(v):
        z = (y - c) / s - mean
        unit = max(math.log(s), 0.0)
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + unit

    nll = report(log_var)
    return nll, nll - report(log_var.clamp(low, high))


# %% sds-total-variance right="ensemble-sds"
# Total variance, with means taken relative to the first member so that nothing cancels.
def ensemble_sds(mean, sd):
    n = mean.shape[1]
    away = mean - mean[0]
    each = sd.square().mean(0) + (away - away.mean(0)).square().mean(0)
    average = away.mean(1)
    noise = sd.square().mean(0).sum() / n**2
    ward = noise + (average - average.mean()).square().mean()
    return each.sqrt(), ward.sqrt()


# %% sds-pairs-of-members right="ensemble-sds"
# The variance of the means as half the mean square of differences between members.
def ensemble_sds(mean, sd):
    m, n = mean.shape
    patients = torch.zeros(n, dtype=mean.dtype)
    wards = torch.zeros((), dtype=mean.dtype)
    for k in range(m):
        apart = mean - mean[k]
        patients = patients + apart.pow(2).sum(0)
        wards = wards + apart.mean(1).pow(2).sum()
    noise = sd.pow(2).sum(0) / m
    each = torch.sqrt(noise + patients / (2 * m * m))
    ward = torch.sqrt(noise.sum() / (n * n) + wards / (2 * m * m))
    return each, ward


# %% sds-difference-of-squares wrong="ensemble-sds"
# The mean square less the squared mean: cancels for means of 1e7 that differ by a hundredth.
def ensemble_sds(mean, sd):
    n = mean.shape[1]
    each = (sd.square() + mean.square()).mean(0) - mean.mean(0).square()
    average = mean.mean(1)
    noise = sd.square().mean(0).sum() / n**2
    ward = noise + average.square().mean() - average.mean().square()
    return each.clamp(min=0).sqrt(), ward.clamp(min=0).sqrt()


# %% sds-sample-variance-corrected wrong="ensemble-sds"
# The sample variance times (M - 1) / M: right for two members or more, nan for a single one.
def ensemble_sds(mean, sd):
    m, n = mean.shape
    noise = sd.square().mean(0)
    each = noise + mean.var(0) * (m - 1) / m
    ward = noise.sum() / n**2 + (mean - mean[0]).mean(1).var() * (m - 1) / m
    return each.sqrt(), ward.sqrt()


# %% sds-softened-root wrong="ensemble-sds"
# Adds 1e-12 below the root: wrong for standard deviations near 1e-6, and not 0 where all
# members are certain and agree.
def ensemble_sds(mean, sd):
    n = mean.shape[1]
    away = mean - mean[0]
    each = sd.square().mean(0) + away.var(0, correction=0)
    ward = sd.square().mean(0).sum() / n**2 + away.mean(1).var(correction=0)
    return (each + 1e-12).sqrt(), (ward + 1e-12).sqrt()


# %% sds-covariance wrong="ensemble-sds"
# The covariance of patients by torch.cov, which has no dimensions left for a ward of a single
# patient: an error for n = 1.
def ensemble_sds(mean, sd):
    shared = torch.cov((mean - mean[0]).T, correction=0)
    covariance = shared + torch.diag(sd.square().mean(0))
    each = torch.diagonal(shared) + sd.square().mean(0)
    return each.sqrt(), covariance.mean().sqrt()


# %% sds-mixture-distribution wrong="ensemble-sds"
# torch.distributions.MixtureSameFamily: its Normals do not take a standard deviation of 0, so a
# certain member ends in a ValueError.
def ensemble_sds(mean, sd):
    from torch import distributions

    def mixture_sd(centre, spread):
        which = distributions.Categorical(logits=torch.zeros_like(centre))
        normal = distributions.Normal(centre, spread)
        return distributions.MixtureSameFamily(which, normal).variance.sqrt()

    n = mean.shape[1]
    away = mean - mean[0]
    ward = mixture_sd(away.mean(1), sd.square().sum(1).sqrt() / n)
    return mixture_sd(away.T, sd.T), ward


# %% calibration-bin-numbers right="calibration-report"
# The number of each patient's bin, p = 1 in the last one; sums by number.
def calibration_report(p, y, bins):
    n = len(p)
    number = (p * bins).floor().long().clamp(max=bins - 1)
    empty = torch.zeros(bins, dtype=p.dtype)
    gap = empty.index_add(0, number, p - y)
    variance = empty.index_add(0, number, p * (1 - p))
    counts = torch.bincount(number, minlength=bins)
    return gap.abs().sum() / n, (2 * variance / math.pi).sqrt().sum() / n, counts


# %% calibration-closed-last-bin right="calibration-report"
# A loop as in the card, bins closed at the left, and the last one at both ends.
def calibration_report(p, y, bins):
    ece, floor = torch.zeros((), dtype=p.dtype), torch.zeros((), dtype=p.dtype)
    counts = torch.zeros(bins, dtype=torch.int64)
    for k in range(bins):
        inside = p >= k / bins
        if k < bins - 1:
            inside = inside & (p < (k + 1) / bins)
        said = p[inside]
        counts[k] = len(said)
        ece = ece + (said.sum() - y[inside].sum()).abs() / len(p)
        floor = floor + torch.sqrt((said * (1 - said)).sum() * 2 / math.pi) / len(p)
    return ece, floor, counts


# %% calibration-cut-counts wrong="calibration-report"
# Counts without minlength: counts is too short if the upper bins are empty.
def calibration_report(p, y, bins):
    n = len(p)
    number = (p * bins).floor().long().clamp(max=bins - 1)
    empty = torch.zeros(bins, dtype=p.dtype)
    gap = empty.index_add(0, number, p - y)
    variance = empty.index_add(0, number, p * (1 - p))
    counts = torch.bincount(number)
    return gap.abs().sum() / n, (2 * variance / math.pi).sqrt().sum() / n, counts


# %% calibration-means-of-bins wrong="calibration-report"
# Weighs the gap between the means of each bin: 0 / 0 in an empty bin, so that the ECE is nan.
def calibration_report(p, y, bins):
    n = len(p)
    number = (p * bins).floor().long().clamp(max=bins - 1)
    empty = torch.zeros(bins, dtype=p.dtype)
    counts = torch.bincount(number, minlength=bins)
    said = empty.index_add(0, number, p) / counts
    came = empty.index_add(0, number, y.to(p.dtype)) / counts
    ece = (counts / n * (said - came).abs()).sum()
    variance = empty.index_add(0, number, p * (1 - p))
    return ece, (2 * variance / math.pi).sqrt().sum() / n, counts


# %% calibration-single-edges wrong="calibration-report"
# Edges in single precision, off by 1e-8: p = 0.3 + 2e-9 with ten bins lands one bin too low.
def calibration_report(p, y, bins):
    n = len(p)
    edges = torch.linspace(0, 1, bins + 1)[1:-1].double()
    number = (p[:, None] >= edges).sum(1)
    empty = torch.zeros(bins, dtype=p.dtype)
    gap = empty.index_add(0, number, p - y)
    variance = empty.index_add(0, number, p * (1 - p))
    counts = torch.bincount(number, minlength=bins)
    return gap.abs().sum() / n, (2 * variance / math.pi).sqrt().sum() / n, counts


# %% calibration-whole-percent wrong="calibration-report"
# Bins the percentage in whole numbers, as the card's probabilities have two digits: wrong for
# others, such as p = 0.298 with ten bins, which becomes 30 percent.
def calibration_report(p, y, bins):
    n = len(p)
    percent = (100 * p).round().long()
    number = (percent * bins // 100).clamp(max=bins - 1)
    empty = torch.zeros(bins, dtype=p.dtype)
    gap = empty.index_add(0, number, p - y)
    variance = empty.index_add(0, number, p * (1 - p))
    counts = torch.bincount(number, minlength=bins)
    return gap.abs().sum() / n, (2 * variance / math.pi).sqrt().sum() / n, counts


# %% calibration-small-is-zero wrong="calibration-report"
# Takes a bin's variance below 1e-6 for rounding: the floor is wrong by 8e-5 for a single
# patient with p = 1e-8.
def calibration_report(p, y, bins):
    n = len(p)
    number = (p * bins).floor().long().clamp(max=bins - 1)
    empty = torch.zeros(bins, dtype=p.dtype)
    gap = empty.index_add(0, number, p - y)
    variance = empty.index_add(0, number, p * (1 - p))
    variance = torch.where(variance < 1e-6, 0.0, variance)
    counts = torch.bincount(number, minlength=bins)
    return gap.abs().sum() / n, (2 * variance / math.pi).sqrt().sum() / n, counts


# %% risk-erfc right="risk-report"
# The upper tail of each draw's Normal by the complementary error function, then the mean.
def risk_report(draws, sigma, y, threshold):
    z = (threshold - draws) / sigma
    risk = (0.5 * torch.erfc(z / math.sqrt(2))).mean(0)
    brier = (risk - (y > threshold).to(risk.dtype)).square().mean()
    return risk, brier


# %% risk-normal-draws right="risk-report"
# torch.distributions, one draw after the other.
def risk_report(draws, sigma, y, threshold):
    spread = sigma.expand(draws.shape)
    limit = torch.tensor(threshold, dtype=torch.float64)
    risk = torch.zeros(draws.shape[1], dtype=torch.float64)
    for row, scale in zip(draws, spread, strict=True):
        risk = risk + 1 - torch.distributions.Normal(row, scale).cdf(limit)
    risk = risk / len(draws)
    missed = torch.where(y > threshold, 1 - risk, risk)
    return risk, missed.pow(2).mean()


# %% risk-single-threshold wrong="risk-report"
# Makes the threshold a tensor of the default type, float32: risks are off by about 1e-8 for a
# threshold such as 0.7, more than the 1e-12 promised.
def risk_report(draws, sigma, y, threshold):
    limit = torch.tensor(float(threshold))
    risk = (1 - torch.distributions.Normal(draws, sigma).cdf(limit)).mean(0)
    brier = (risk - (y > threshold).double()).square().mean()
    return risk, brier


# %% risk-sigma-as-column wrong="risk-report"
# Takes each sigma with dimensions for one of the draws: wrong, or an error, for a sigma of
# shape (n,), one for each patient, and of shape (S, n).
def risk_report(draws, sigma, y, threshold):
    scale = sigma.reshape(-1, 1)
    risk = torch.special.ndtr((draws - threshold) / scale).mean(0)
    brier = (risk - (y > threshold).double()).square().mean()
    return risk, brier


# %% risk-never-certain wrong="risk-report"
# Keeps risks 1e-7 away from 0 and 1: wrong for patients far from the threshold.
def risk_report(draws, sigma, y, threshold):
    risk = torch.special.ndtr((draws - threshold) / sigma).mean(0).clamp(1e-7, 1 - 1e-7)
    brier = (risk - (y > threshold).double()).square().mean()
    return risk, brier


# %% risk-squeezed wrong="risk-report"
# Squeezes the result: for a single patient the risk has shape () and not (1,).
def risk_report(draws, sigma, y, threshold):
    risk = torch.special.ndtr((draws - threshold) / sigma).mean(0, keepdim=True).squeeze()
    brier = (risk - (y > threshold).double()).square().mean()
    return risk, brier


# %% risk-tolerant-outcome wrong="risk-report"
# Takes outcomes within 1e-6 above the threshold for equal to it: the Brier score is wrong for
# an outcome at threshold + 1e-8.
def risk_report(draws, sigma, y, threshold):
    risk = torch.special.ndtr((draws - threshold) / sigma).mean(0)
    above = y - threshold > 1e-6
    brier = (risk - above.double()).square().mean()
    return risk, brier


# %% table-baseline-as-run right="card-table"
# One function for the four scores of each run; the baseline is one more run.
def card_table(log_odds, y, base):
    def scores(z):
        right = ((z > 0) == (y == 1)).double()
        balanced = (right[:, y == 1].mean(1) + right[:, y == 0].mean(1)) / 2
        sign = 2 * y - 1
        nll = -torch.nn.functional.logsigmoid(sign * z).mean(1)
        brier = torch.sigmoid(-sign * z).square().mean(1)
        return torch.stack([right.mean(1), balanced, nll, brier])

    runs = scores(log_odds)
    odds = math.log(base / (1 - base))
    hers = scores(torch.full((1, len(y)), odds, dtype=torch.float64))[:, 0]
    mean = runs.mean(1)
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([mean[:2] - hers[:2], hers[2:] - mean[2:]])
    return torch.stack([mean, worst, gain], 1)


# %% table-closed-baseline right="card-table"
# Run by run in a loop, all as losses with a sign; the baseline from the share of class 1.
def card_table(log_odds, y, base):
    ones = y.bool()
    share = float(ones.double().mean())
    rows = []
    for z in log_odds:
        hit = torch.where(ones, z > 0, z < 0).double()
        p = torch.sigmoid(z)
        nll = torch.logaddexp(torch.zeros_like(z), torch.where(ones, -z, z)).mean()
        balanced = 0.5 * hit[ones].mean() + 0.5 * hit[~ones].mean()
        rows.append(torch.stack([hit.mean(), balanced, nll, (p - y).pow(2).mean()]))
    runs = torch.stack(rows)
    hers = [
        share if base > 0.5 else 1 - share,
        0.5,
        -share * math.log(base) - (1 - share) * math.log1p(-base),
        share * (1 - base) ** 2 + (1 - share) * base**2,
    ]
    hers = torch.tensor(hers, dtype=torch.float64)
    sign = torch.tensor([1.0, 1.0, -1.0, -1.0], dtype=torch.float64)
    mean = runs.mean(0)
    worst = sign * (sign * runs).min(0).values
    return torch.stack([mean, worst, sign * (mean - hers)], dim=1)


# %% table-one-worst-run wrong="card-table"
# Takes the run with the lowest accuracy for the worst in all rows: wrong if another run has the
# highest loss.
def card_table(log_odds, y, base):
    def scores(z):
        right = ((z > 0) == (y == 1)).double()
        balanced = (right[:, y == 1].mean(1) + right[:, y == 0].mean(1)) / 2
        sign = 2 * y - 1
        nll = -torch.nn.functional.logsigmoid(sign * z).mean(1)
        brier = torch.sigmoid(-sign * z).square().mean(1)
        return torch.stack([right.mean(1), balanced, nll, brier])

    runs = scores(log_odds)
    odds = math.log(base / (1 - base))
    hers = scores(torch.full((1, len(y)), odds, dtype=torch.float64))[:, 0]
    mean = runs.mean(1)
    worst = runs[:, runs[0].argmin()]
    gain = torch.cat([mean[:2] - hers[:2], hers[2:] - mean[2:]])
    return torch.stack([mean, worst, gain], 1)


# %% table-expected-baseline wrong="card-table"
# Scores the baseline as if the share of class 1 were `base` (accuracy, entropy, variance) and
# not on these patients: wrong whenever the two differ.
def card_table(log_odds, y, base):
    right = ((log_odds > 0) == (y == 1)).double()
    balanced = (right[:, y == 1].mean(1) + right[:, y == 0].mean(1)) / 2
    sign = 2 * y - 1
    nll = -torch.nn.functional.logsigmoid(sign * log_odds).mean(1)
    brier = torch.sigmoid(-sign * log_odds).square().mean(1)
    runs = torch.stack([right.mean(1), balanced, nll, brier])
    entropy = -base * math.log(base) - (1 - base) * math.log(1 - base)
    hers = [max(base, 1 - base), 0.5, entropy, base * (1 - base)]
    hers = torch.tensor(hers, dtype=torch.float64)
    mean = runs.mean(1)
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([mean[:2] - hers[:2], hers[2:] - mean[2:]])
    return torch.stack([mean, worst, gain], 1)


# %% table-precision wrong="card-table"
# The mean of recall and precision for the balanced accuracy: the same in the example, where as
# many are predicted 1 as are 0, wrong in general.
def card_table(log_odds, y, base):
    said, came = log_odds > 0, y == 1
    both = (said & came).sum(1).double()
    accuracy = (said == came).double().mean(1)
    recall, precision = both / came.sum(), both / said.sum(1).clamp(min=1)
    sign = 2 * y - 1
    nll = -torch.nn.functional.logsigmoid(sign * log_odds).mean(1)
    brier = torch.sigmoid(-sign * log_odds).square().mean(1)
    runs = torch.stack([accuracy, (recall + precision) / 2, nll, brier])
    share = float(came.double().mean())
    hers = [
        share if base > 0.5 else 1 - share,
        0.5,
        -share * math.log(base) - (1 - share) * math.log1p(-base),
        share * (1 - base) ** 2 + (1 - share) * base**2,
    ]
    hers = torch.tensor(hers, dtype=torch.float64)
    mean = runs.mean(1)
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([mean[:2] - hers[:2], hers[2:] - mean[2:]])
    return torch.stack([mean, worst, gain], 1)


# %% table-overflowing-loss wrong="card-table"
# Takes log(1 + exp) literally: infinite for a patient who is wrong by log odds above 709, such
# as y = 0 with 800.
def card_table(log_odds, y, base):
    def scores(z):
        right = ((z > 0) == (y == 1)).double()
        balanced = (right[:, y == 1].mean(1) + right[:, y == 0].mean(1)) / 2
        sign = 2 * y - 1
        nll = torch.log1p(torch.exp(-sign * z)).mean(1)
        brier = torch.sigmoid(-sign * z).square().mean(1)
        return torch.stack([right.mean(1), balanced, nll, brier])

    runs = scores(log_odds)
    odds = math.log(base / (1 - base))
    hers = scores(torch.full((1, len(y)), odds, dtype=torch.float64))[:, 0]
    mean = runs.mean(1)
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([mean[:2] - hers[:2], hers[2:] - mean[2:]])
    return torch.stack([mean, worst, gain], 1)


# %% table-baseline-says-zero wrong="card-table"
# Lets the baseline predict class 0 always: the gain in accuracy is wrong for a base above 0.5.
def card_table(log_odds, y, base):
    right = ((log_odds > 0) == (y == 1)).double()
    balanced = (right[:, y == 1].mean(1) + right[:, y == 0].mean(1)) / 2
    sign = 2 * y - 1
    nll = -torch.nn.functional.logsigmoid(sign * log_odds).mean(1)
    brier = torch.sigmoid(-sign * log_odds).square().mean(1)
    runs = torch.stack([right.mean(1), balanced, nll, brier])
    share = float(y.double().mean())
    cross = -share * math.log(base) - (1 - share) * math.log(1 - base)
    square = share * (1 - base) ** 2 + (1 - share) * base**2
    hers = torch.tensor([1 - share, 0.5, cross, square], dtype=torch.float64)
    mean = runs.mean(1)
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([mean[:2] - hers[:2], hers[2:] - mean[2:]])
    return torch.stack([mean, worst, gain], 1)
