# %% [markdown]
# Answers written from the text alone.


# %% weights-newton right="map-weights"
# The card's Newton steps, with sums over patients in both slope and curvature.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = 1 / tau**2
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + prior * w
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% weights-scaled-line-search right="map-weights"
# Newton for v = w / tau, whose prior is standard Normal, with steps halved until the loss falls.
def map_weights(x, y, count, tau):
    design = x * tau
    sign = 2 * y - 1

    def loss(v):
        margin = sign * (design @ v)
        return float((count * -nn.functional.logsigmoid(margin)).sum() + v.square().sum() / 2)

    v = torch.zeros(x.shape[1], dtype=x.dtype)
    now = loss(v)
    for _ in range(100):
        z = design @ v
        slope = -design.T @ (count * sign * torch.sigmoid(-sign * z)) + v
        weight = count * torch.sigmoid(z) * torch.sigmoid(-z)
        curvature = design.T @ (weight.unsqueeze(1) * design) + torch.eye(len(v), dtype=x.dtype)
        step = torch.linalg.solve(curvature, slope)
        for _ in range(40):
            new = loss(v - step)
            if new <= now + 1e-10 * (1 + abs(now)):
                break
            step = step / 2
        v, now = v - step, new
    return tau * v


# %% weights-six-steps wrong="map-weights"
# Six Newton steps only: not there yet for separable rows with wide priors or large counts.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = 1 / tau**2
    for _ in range(6):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + prior * w
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% weights-clamped-p wrong="map-weights"
# Keeps p within 1/1000 of 0 and 1: a wrong maximum where patients are predicted more surely.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = 1 / tau**2
    for _ in range(40):
        p = torch.sigmoid(x @ w).clamp(1e-3, 1 - 1e-3)
        slope = (count * (p - y)) @ x + prior * w
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% weights-adam wrong="map-weights"
# 500 steps of Adam at 0.05: far from the maximum where weights are large or counts high.
def map_weights(x, y, count, tau):
    x, y, count, tau = (v.detach() for v in (x, y, count, tau))
    with torch.enable_grad():
        w = torch.zeros(x.shape[1], dtype=x.dtype, requires_grad=True)
        optimizer = torch.optim.Adam([w], lr=0.05)
        for _ in range(500):
            optimizer.zero_grad()
            z = x @ w
            loss = (count * (nn.functional.softplus(z) - y * z)).sum()
            loss = loss + (w / tau).square().sum() / 2
            loss.backward()
            optimizer.step()
    return w.detach()


# %% weights-squeezed wrong="map-weights"
# Squeezes the weights: for d = 1 their axis is lost, and x @ w fails.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], 1, dtype=x.dtype).squeeze()
    prior = 1 / tau**2
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + prior * w
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(prior)
        w = (w - torch.linalg.solve(curvature, slope)).squeeze()
    return w


# %% outputs-finally right="test-outputs"
# Notes the mode of each module, evaluates under no_grad, and restores in a finally.
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
# An exit stack that takes each module's flag back, and a decorator for the gradients.
@torch.no_grad()
def test_outputs(net, x, size):
    with contextlib.ExitStack() as stack:
        for module in net.modules():
            stack.callback(setattr, module, "training", module.training)
            module.training = False
        parts = []
        for start in range(0, len(x), size):
            parts.append(net(x[start : start + size]).detach())
    return torch.cat(parts, 0)


# %% outputs-children-only wrong="test-outputs"
# Restores the net and its children with train(mode): a frozen module deeper inside thaws.
def test_outputs(net, x, size):
    mode = net.training
    children = [(child, child.training) for child in net.children()]
    try:
        net.eval()
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)])
    finally:
        net.train(mode)
        for child, was in children:
            child.train(was)


# %% outputs-no-finally wrong="test-outputs"
# Restores the modes only if all goes well: after an exception the net stays in evaluation.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    with torch.no_grad():
        result = torch.cat([net(part) for part in x.split(size)])
    for module, mode in modes:
        module.training = mode
    return result


# %% outputs-known-types wrong="test-outputs"
# Evaluates only Dropout and BatchNorm1d: other layers that act otherwise in training are missed.
def test_outputs(net, x, size):
    kinds = (nn.Dropout, nn.BatchNorm1d)
    layers = [(m, m.training) for m in net.modules() if isinstance(m, kinds)]
    try:
        for layer, _ in layers:
            layer.eval()
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)])
    finally:
        for layer, mode in layers:
            layer.train(mode)


# %% outputs-grad-switch wrong="test-outputs"
# Switches gradients off and then on: wrong for a caller who had them off, or after an exception.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    torch.set_grad_enabled(False)
    try:
        net.eval()
        result = torch.cat([net(part) for part in x.split(size)])
    finally:
        for module, mode in modes:
            module.training = mode
        torch.set_grad_enabled(True)
    return result


# %% outputs-parameter-switch wrong="test-outputs"
# Freezes parameters in place of no_grad: x may ask for a gradient, frozen parameters thaw.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    try:
        net.eval()
        net.requires_grad_(False)
        return torch.cat([net(part) for part in x.split(size)])
    finally:
        net.requires_grad_(True)
        for module, mode in modes:
            module.training = mode


# %% report-formula right="nll-report"
# The formula without the clamp, and the difference of the terms that the clamp touches.
def nll_report(mean, log_var, y, c, s, low, high):
    shown = log_var.clamp(low, high)
    square = ((y - c) / s - mean).square()
    constant = 0.5 * math.log(2 * math.pi) + math.log(s)
    nll = constant + 0.5 * (log_var + square * torch.exp(-log_var))
    hidden = log_var - shown + square * (torch.exp(-log_var) - torch.exp(-shown))
    return nll, 0.5 * hidden


# %% report-distribution right="nll-report"
# torch's Normal for the standardised outcome, once as said and once clamped, plus log s.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s

    def score(v):
        normal = torch.distributions.Normal(mean, torch.exp(v / 2))
        return math.log(s) - normal.log_prob(z)

    nll = score(log_var)
    return nll, (nll - score(log_var.clamp(low, high))).detach()


# %% report-gaussian-loss wrong="nll-report"
# gaussian_nll_loss keeps the variance at 1e-6 or more: wrong for log_var below -13.8.
def nll_report(mean, log_var, y, c, s, low, high):
    def score(v):
        loss = nn.functional.gaussian_nll_loss(
            mean, (y - c) / s, torch.exp(v), full=True, reduction="none"
        )
        return loss + math.log(s)

    nll = score(log_var)
    return nll, (nll - score(log_var.clamp(low, high))).detach()


# %% report-not-negative wrong="nll-report"
# What is hidden is never below 0 here: wrong where the card reports too high a loss.
def nll_report(mean, log_var, y, c, s, low, high):
    def score(v):
        z = (y - c) / s - mean
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(s)

    nll = score(log_var)
    return nll, (nll - score(log_var.clamp(low, high))).clamp(min=0)


# %% report-log-of-density wrong="nll-report"
# The logarithm of a density that underflows: infinite where z squared over the variance is > 1490.
def nll_report(mean, log_var, y, c, s, low, high):
    def score(v):
        sd = torch.exp(v / 2)
        z = ((y - c) / s - mean) / sd
        density = torch.exp(-(z**2) / 2) / (math.sqrt(2 * math.pi) * sd * s)
        return -torch.log(density)

    nll = score(log_var)
    return nll, nll - score(log_var.clamp(low, high))


# %% report-patient-loop wrong="nll-report"
# A loop over the first axis and a stack: an error for shape () and with no patients.
def nll_report(mean, log_var, y, c, s, low, high):
    def score(i, v):
        z = (y[i] - c) / s - mean[i]
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(s)

    nll = torch.stack([score(i, log_var[i]) for i in range(len(mean))])
    card = torch.stack([score(i, log_var[i].clamp(low, high)) for i in range(len(mean))])
    return nll, nll - card


# %% sds-centred right="ensemble-sds"
# Total variance from means that are centred for each patient before anything is averaged.
def ensemble_sds(mean, sd):
    count = mean.shape[1]
    away = mean - mean.mean(0)
    away = away - away.mean(0)
    noise = sd.square().mean(0)
    each = (noise + away.square().mean(0)).sqrt()
    ward = away.mean(1)
    ward = ward - ward.mean()
    return each, (noise.sum() / count**2 + ward.square().mean()).sqrt()


# %% sds-pairs right="ensemble-sds"
# The variance of the means as a sum of squared differences over pairs of members.
def ensemble_sds(mean, sd):
    members, count = mean.shape
    each = sd.square().sum(0) / members
    ward = sd.square().sum() / (members * count**2)
    for i in range(1, members):
        gap = mean[i] - mean[:i]
        each = each + gap.square().sum(0) / members**2
        ward = ward + gap.mean(1).square().sum() / members**2
    return each.sqrt(), ward.sqrt()


# %% sds-square-of-mean wrong="ensemble-sds"
# Mean of squares less square of mean: cancels for means of 1e7 that differ by a hundredth.
def ensemble_sds(mean, sd):
    count = mean.shape[1]
    second = (sd.square() + mean.square()).mean(0)
    each = (second - mean.mean(0).square()).clamp(min=0).sqrt()
    ward = mean.mean(1)
    between = (ward.square().mean() - ward.mean().square()).clamp(min=0)
    return each, (sd.square().mean(0).sum() / count**2 + between).sqrt()


# %% sds-one-member wrong="ensemble-sds"
# torch's variance over M - 1, times (M - 1) / M: nan for a single member.
def ensemble_sds(mean, sd):
    members, count = mean.shape
    factor = (members - 1) / members
    away = mean - mean.mean(0)
    noise = sd.square().mean(0)
    each = (noise + away.var(0) * factor).sqrt()
    return each, (noise.sum() / count**2 + away.mean(1).var() * factor).sqrt()


# %% sds-epsilon wrong="ensemble-sds"
# Adds 1e-12 under the roots: wrong for standard deviations of 0 or 1e-6.
def ensemble_sds(mean, sd):
    count = mean.shape[1]
    away = mean - mean.mean(0)
    noise = sd.square().mean(0)
    each = (noise + away.square().mean(0) + 1e-12).sqrt()
    between = away.mean(1).square().mean()
    return each, (noise.sum() / count**2 + between + 1e-12).sqrt()


# %% sds-squeezed wrong="ensemble-sds"
# Squeezes the result: for a ward of one patient, each has shape () in place of (1,).
def ensemble_sds(mean, sd):
    count = mean.shape[1]
    away = mean - mean.mean(0, keepdim=True)
    noise = sd.square().mean(0, keepdim=True)
    each = (noise + away.square().mean(0, keepdim=True)).sqrt().squeeze()
    between = away.mean(1).square().mean()
    return each, (noise.sum() / count**2 + between).sqrt()


# %% bins-by-number right="calibration-report"
# Computes each patient's bin, with 1 in the last one, and adds up by index.
def calibration_report(p, y, bins):
    index = (p * bins).floor().long().clamp(max=bins - 1)
    empty = torch.zeros(bins, dtype=p.dtype)
    gap = empty.index_add(0, index, p - y)
    v = empty.index_add(0, index, p * (1 - p))
    counts = torch.bincount(index, minlength=bins)
    return gap.abs().sum() / len(p), (2 * v / math.pi).sqrt().sum() / len(p), counts


# %% bins-in-a-loop right="calibration-report"
# The card's loop, with bins closed on the right and the first one also on the left.
def calibration_report(p, y, bins):
    ece, floor = torch.zeros((), dtype=p.dtype), torch.zeros((), dtype=p.dtype)
    counts = torch.zeros(bins, dtype=torch.int64)
    for k in range(bins):
        inside = (k / bins < p) & (p <= (k + 1) / bins)
        if k == 0:
            inside = inside | (p == 0)
        counts[k] = inside.sum()
        ece = ece + (p - y)[inside].sum().abs() / len(p)
        v = (p * (1 - p))[inside].sum()
        floor = floor + torch.sqrt(2 * v / math.pi) / len(p)
    return ece, floor, counts


# %% bins-two-digits wrong="calibration-report"
# Rounds to two digits before it bins: wrong for p a little below an edge, as 0.199 in five bins.
def calibration_report(p, y, bins):
    percent = (p * 100).round().long()
    index = (percent * bins // 100).clamp(max=bins - 1)
    empty = torch.zeros(bins, dtype=p.dtype)
    gap = empty.index_add(0, index, p - y)
    v = empty.index_add(0, index, p * (1 - p))
    counts = torch.bincount(index, minlength=bins)
    return gap.abs().sum() / len(p), (2 * v / math.pi).sqrt().sum() / len(p), counts


# %% bins-single-edges wrong="calibration-report"
# Edges in float32: a probability 1e-9 away from 0.1 or 0.3 lands in the wrong bin.
def calibration_report(p, y, bins):
    inner = torch.linspace(0, 1, bins + 1)[1:-1]
    index = (p.unsqueeze(1) >= inner).sum(1)
    empty = torch.zeros(bins, dtype=p.dtype)
    gap = empty.index_add(0, index, p - y)
    v = empty.index_add(0, index, p * (1 - p))
    counts = torch.bincount(index, minlength=bins)
    return gap.abs().sum() / len(p), (2 * v / math.pi).sqrt().sum() / len(p), counts


# %% bins-mean-of-none wrong="calibration-report"
# Weights the gap of two means by the count: nan where a bin is empty.
def calibration_report(p, y, bins):
    index = (p * bins).floor().long().clamp(max=bins - 1)
    counts = torch.bincount(index, minlength=bins)
    ece, floor = torch.zeros((), dtype=p.dtype), torch.zeros((), dtype=p.dtype)
    for k in range(bins):
        inside = index == k
        gap = p[inside].mean() - y[inside].to(p.dtype).mean()
        ece = ece + int(counts[k]) / len(p) * gap.abs()
        floor = floor + (2 * (p * (1 - p))[inside].sum() / math.pi).sqrt() / len(p)
    return ece, floor, counts


# %% bins-short-counts wrong="calibration-report"
# bincount without minlength: the counts are too short where the last bins are empty.
def calibration_report(p, y, bins):
    index = (p * bins).floor().long().clamp(max=bins - 1)
    gap = torch.bincount(index, weights=p - y)
    v = torch.bincount(index, weights=p * (1 - p))
    counts = torch.bincount(index)
    return gap.abs().sum() / len(p), (2 * v / math.pi).sqrt().sum() / len(p), counts


# %% risk-erfc right="risk-report"
# The upper tail of each draw's Normal by erfc, then the mean over draws.
def risk_report(draws, sigma, y, threshold):
    z = (threshold - draws) / sigma
    risk = (0.5 * torch.special.erfc(z / math.sqrt(2))).mean(0)
    brier = (risk - (y > threshold).to(risk.dtype)).square().mean()
    return risk, brier


# %% risk-distribution right="risk-report"
# torch's Normal with both tensors broadcast, draw by draw, and the complement of its cdf.
def risk_report(draws, sigma, y, threshold):
    limit = torch.tensor(float(threshold), dtype=torch.float64)
    spread = sigma.expand_as(draws)
    below = torch.zeros_like(y)
    for f, sd in zip(draws, spread, strict=True):
        below = below + torch.distributions.Normal(f, sd).cdf(limit)
    risk = 1 - below / len(draws)
    came = torch.where(y > threshold, 1.0, 0.0)
    return risk, ((risk - came) ** 2).mean()


# %% risk-column wrong="risk-report"
# Makes a column of sigma: an error, or rows for patients, where it has shape (n,) or (S, n).
def risk_report(draws, sigma, y, threshold):
    z = (draws - threshold) / sigma.reshape(-1, 1)
    risk = torch.special.ndtr(z).mean(0)
    brier = (risk - (y > threshold).double()).square().mean()
    return risk, brier


# %% risk-single-threshold wrong="risk-report"
# The threshold becomes a float32 tensor: off by 1e-9 for a threshold such as 0.1.
def risk_report(draws, sigma, y, threshold):
    limit = torch.tensor(threshold)
    risk = 1 - torch.distributions.Normal(draws, sigma).cdf(limit.double())
    risk = risk.mean(0)
    brier = (risk - (y > threshold).double()).square().mean()
    return risk, brier


# %% risk-squeezed wrong="risk-report"
# Squeezes the draws: for S = 1 or n = 1 the mean is over patients, or the shape is wrong.
def risk_report(draws, sigma, y, threshold):
    z = ((draws - threshold) / sigma).squeeze()
    risk = torch.special.ndtr(z).mean(0)
    brier = (risk - (y > threshold).double()).square().mean()
    return risk, brier


# %% risk-clamped wrong="risk-report"
# Keeps the risks within 1e-6 of 0 and 1: wrong by 1e-6 for patients far from the threshold.
def risk_report(draws, sigma, y, threshold):
    z = (draws - threshold) / sigma
    risk = torch.special.ndtr(z).mean(0).clamp(1e-6, 1 - 1e-6)
    brier = (risk - (y > threshold).double()).square().mean()
    return risk, brier


# %% table-extra-run right="card-table"
# Scores all runs at once, and the baseline by the same function as one more run.
def card_table(log_odds, y, base):
    one = y == 1

    def scores(z):
        right = ((z > 0) == one).to(z.dtype)
        balanced = (right[:, one].mean(1) + right[:, ~one].mean(1)) / 2
        nll = -nn.functional.logsigmoid(torch.where(one, z, -z)).mean(1)
        brier = (torch.sigmoid(z) - y).square().mean(1)
        return torch.stack([right.mean(1), balanced, nll, brier])

    runs = scores(log_odds)
    odds = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    hers = scores(odds)[:, 0]
    better = torch.tensor([1.0, 1.0, -1.0, -1.0], dtype=log_odds.dtype)
    mean = runs.mean(1)
    worst = (runs * better.unsqueeze(1)).amin(1) * better
    return torch.stack([mean, worst, (mean - hers) * better], 1)


# %% table-run-by-run right="card-table"
# A loop over runs in NumPy with logaddexp, and the baseline's scores by hand.
import numpy as np


def card_table(log_odds, y, base):
    z_all, came = log_odds.detach().numpy(), y.numpy() == 1
    rows = []
    for z in z_all:
        says = z > 0
        hits, passes = np.mean(says[came]), np.mean(~says[~came])
        small = np.exp(-np.abs(z))
        p = np.where(says, 1.0, small) / (1 + small)
        nll = np.mean(np.logaddexp(0.0, np.where(came, -z, z)))
        brier = np.mean((p - came) ** 2)
        rows.append([np.mean(says == came), (hits + passes) / 2, nll, brier])
    rows = np.array(rows)
    share = np.mean(came)
    accuracy = share if base > 0.5 else 1 - share
    nll = -share * math.log(base) - (1 - share) * math.log1p(-base)
    brier = share * (1 - base) ** 2 + (1 - share) * base**2
    mean = rows.mean(0)
    worst = [rows[:, 0].min(), rows[:, 1].min(), rows[:, 2].max(), rows[:, 3].max()]
    gain = [mean[0] - accuracy, mean[1] - 0.5, nll - mean[2], brier - mean[3]]
    return torch.tensor(np.array([mean, worst, gain]).T.copy(), dtype=torch.float64)


# %% table-softplus-difference wrong="card-table"
# The NLL as softplus(z) - y z: PyTorch's softplus is z itself above 20, and losses of 1e-9 vanish.
def card_table(log_odds, y, base):
    one = y == 1

    def scores(z):
        right = ((z > 0) == one).double()
        balanced = (right[:, one].mean(1) + right[:, ~one].mean(1)) / 2
        nll = (nn.functional.softplus(z) - y * z).mean(1)
        brier = (torch.sigmoid(z) - y).square().mean(1)
        return torch.stack([right.mean(1), balanced, nll, brier])

    runs = scores(log_odds)
    odds = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=torch.float64)
    hers = scores(odds)[:, 0]
    mean = runs.mean(1)
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([(mean - hers)[:2], (hers - mean)[2:]])
    return torch.stack([mean, worst, gain], 1)


# %% table-share-for-base wrong="card-table"
# Her losses are those of the share of class 1, not of base: wrong where the two differ.
def card_table(log_odds, y, base):
    one = y == 1
    right = ((log_odds > 0) == one).double()
    balanced = (right[:, one].mean(1) + right[:, ~one].mean(1)) / 2
    nll = nn.functional.softplus(torch.where(one, -log_odds, log_odds)).mean(1)
    brier = (torch.sigmoid(log_odds) - y).square().mean(1)
    runs = torch.stack([right.mean(1), balanced, nll, brier])
    share = float(y.double().mean())
    entropy = -share * math.log(share) - (1 - share) * math.log(1 - share)
    accuracy = share if base > 0.5 else 1 - share
    hers = torch.tensor([accuracy, 0.5, entropy, share * (1 - share)], dtype=torch.float64)
    mean = runs.mean(1)
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([(mean - hers)[:2], (hers - mean)[2:]])
    return torch.stack([mean, worst, gain], 1)


# %% table-one-worst-run wrong="card-table"
# All of the second column comes from the run of the lowest accuracy, not each row's own worst.
def card_table(log_odds, y, base):
    one = y == 1

    def scores(z):
        right = ((z > 0) == one).double()
        balanced = (right[:, one].mean(1) + right[:, ~one].mean(1)) / 2
        nll = nn.functional.softplus(torch.where(one, -z, z)).mean(1)
        brier = (torch.sigmoid(z) - y).square().mean(1)
        return torch.stack([right.mean(1), balanced, nll, brier])

    runs = scores(log_odds)
    odds = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=torch.float64)
    hers = scores(odds)[:, 0]
    mean = runs.mean(1)
    worst = runs[:, int(runs[0].argmin())]
    gain = torch.cat([(mean - hers)[:2], (hers - mean)[2:]])
    return torch.stack([mean, worst, gain], 1)


# %% table-bce-of-p wrong="card-table"
# binary_cross_entropy of p: 100 at most where a patient's log odds are 800 on the wrong side.
def card_table(log_odds, y, base):
    one = y == 1

    def scores(z):
        right = ((z > 0) == one).double()
        balanced = (right[:, one].mean(1) + right[:, ~one].mean(1)) / 2
        p, target = torch.sigmoid(z), y.double().expand_as(z)
        nll = nn.functional.binary_cross_entropy(p, target, reduction="none").mean(1)
        return torch.stack([right.mean(1), balanced, nll, (p - y).square().mean(1)])

    runs = scores(log_odds)
    odds = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=torch.float64)
    hers = scores(odds)[:, 0]
    mean = runs.mean(1)
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([(mean - hers)[:2], (hers - mean)[2:]])
    return torch.stack([mean, worst, gain], 1)
