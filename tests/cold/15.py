# %% by-lbfgs right="map-weights"
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [w],
        max_iter=3000,
        tolerance_grad=1e-12,
        tolerance_change=1e-16,
        line_search_fn="strong_wolfe",
    )

    def closure():
        optimizer.zero_grad()
        z = x @ w
        loss = (count * (torch.nn.functional.softplus(z) - y * z)).sum()
        loss = loss + 0.5 * (w / tau).square().sum()
        loss.backward()
        return loss

    for _ in range(5):
        optimizer.step(closure)
    return w.detach()


# %% empty-rows-count-once wrong="map-weights"
# A row that stands for nobody counts as one patient: count = [0, 3], x = [[1], [-1]], y = [1, 1].
def map_weights(x, y, count, tau):
    count = count.clamp(min=1)
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + w / tau**2
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(tau**-2)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% one-tau wrong="map-weights"
# The first scale is used for all weights: tau = [0.1, 5].
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + w / tau[0] ** 2
        curvature = (x.T * (count * p * (1 - p))) @ x
        curvature = curvature + torch.eye(len(w), dtype=x.dtype) / tau[0] ** 2
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% weights-within-ten wrong="map-weights"
# Weights end at 10: tau = [5], x = [[0.01]], y = [1], count = [10000].
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + w / tau**2
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(tau**-2)
        w = (w - torch.linalg.solve(curvature, slope)).clamp(-10, 10)
    return w


# %% one-row-at-a-time right="test-outputs"
def test_outputs(net, x, size):
    before = {module: module.training for module in net.modules()}
    for module in before:
        module.training = False
    try:
        rows = [net(x[i : i + 1]).detach() for i in range(len(x))]
    finally:
        for module, mode in before.items():
            module.training = mode
    return torch.cat(rows)


# %% gradients-switched-on wrong="test-outputs"
# Gradients are on afterwards, whatever they were: call it within torch.no_grad().
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    torch.set_grad_enabled(False)
    try:
        return torch.cat([net(part) for part in x.split(size)])
    finally:
        torch.set_grad_enabled(True)
        for module, mode in modes:
            module.training = mode


# %% last-part-left-out wrong="test-outputs"
# Rows of an incomplete last part are left out: n = 5, size = 2.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    whole = max(len(x) // size, 1) * size
    try:
        with torch.no_grad():
            return torch.cat([net(part) for part in x[:whole].split(size)])
    finally:
        for module, mode in modes:
            module.training = mode


# %% parameters-stay-frozen wrong="test-outputs"
# Parameters require no gradient any more afterwards.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    for weight in net.parameters():
        weight.requires_grad_(False)
    try:
        return torch.cat([net(part) for part in x.split(size)])
    finally:
        for module, mode in modes:
            module.training = mode


# %% by-distribution right="nll-report"
def nll_report(mean, log_var, y, c, s, low, high):
    def nll(v):
        half = 0.5 * v
        z = ((y - c) / s - mean) * torch.exp(-half)
        return 0.5 * z * z + half + 0.5 * math.log(2 * math.pi) + math.log(s)

    exact = nll(log_var)
    return exact, exact.detach() - nll(torch.clamp(log_var, low, high)).detach()


# %% hidden-never-negative wrong="nll-report"
# What is hidden is at least 0: log_var = -5, low = -1, y = c, s = 1, mean = 0.
def nll_report(mean, log_var, y, c, s, low, high):
    def nll(v):
        z = (y - c) / s - mean
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(s)

    exact = nll(log_var)
    return exact, (exact - nll(log_var.clamp(low, high))).clamp(min=0)


# %% standardised-unit wrong="nll-report"
# The unit of y is forgotten where s is below 1: s = 0.5.
def nll_report(mean, log_var, y, c, s, low, high):
    def nll(v):
        z = (y - c) / s - mean
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(max(s, 1))

    exact = nll(log_var)
    return exact, exact - nll(log_var.clamp(low, high))


# %% errors-within-a-hundred wrong="nll-report"
# Standardised errors end at 100: mean = 0, y = c + 500 s, log_var = 0.
def nll_report(mean, log_var, y, c, s, low, high):
    def nll(v):
        z = ((y - c) / s - mean).clamp(-100, 100)
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(s)

    exact = nll(log_var)
    return exact, exact - nll(log_var.clamp(low, high))


# %% covariance-of-the-ward right="ensemble-sds"
def ensemble_sds(mean, sd):
    M, n = mean.shape
    apart = mean - mean.mean(0)
    covariance = apart.T @ apart / M + torch.diag(sd.square().mean(0))
    weights = torch.full((n,), 1 / n, dtype=mean.dtype)
    return covariance.diagonal().sqrt(), (weights @ covariance @ weights).sqrt()


# %% ward-of-independent-members wrong="ensemble-sds"
# Each patient draws a member of their own: mean = [[1, 1], [-1, -1]], sd 0 gives 0.71 for 1.
def ensemble_sds(mean, sd):
    each = (sd.square().mean(0) + mean.var(0, correction=0)).sqrt()
    return each, each.square().sum().sqrt() / mean.shape[1]


# %% moments-subtracted wrong="ensemble-sds"
# Means of a million cancel: mean = [[1e6], [1e6 + 0.01]], sd 0.
def ensemble_sds(mean, sd):
    def spread(m, v):
        return ((v + m.square()).mean(0) - m.mean(0).square()).clamp(min=0).sqrt()

    n = mean.shape[1]
    return spread(mean, sd.square()), spread(mean.mean(1), sd.square().sum(1) / n**2)


# %% noise-of-the-first wrong="ensemble-sds"
# The ward has the noise of the first member: sd = [[0, 0], [2, 2]].
def ensemble_sds(mean, sd):
    n = mean.shape[1]
    each = (sd.square().mean(0) + mean.var(0, correction=0)).sqrt()
    ward = mean.mean(1).var(correction=0) + sd[0].square().sum() / n**2
    return each, ward.sqrt()


# %% by-bincount right="calibration-report"
def calibration_report(p, y, bins):
    k = torch.floor(p * bins).long().clamp(0, bins - 1)
    gap = torch.bincount(k, p - y, minlength=bins)
    noise = torch.bincount(k, p * (1 - p), minlength=bins)
    floor = (2 * noise / math.pi).sqrt().sum() / len(p)
    return gap.abs().sum() / len(p), floor, torch.bincount(k, minlength=bins)


# %% bins-from-the-data wrong="calibration-report"
# Bins after the last that is used are left out of the counts: p = [0.05], bins = 10.
def calibration_report(p, y, bins):
    k = torch.floor(p * bins).long().clamp(0, bins - 1)
    gap, noise = torch.bincount(k, p - y), torch.bincount(k, p * (1 - p))
    floor = (2 * noise / math.pi).sqrt().sum() / len(p)
    return gap.abs().sum() / len(p), floor, torch.bincount(k)


# %% zero-falls-out wrong="calibration-report"
# Bins are open at the left, so p = 0 is in none.
def calibration_report(p, y, bins):
    n, ece, floor, counts = len(p), 0.0, 0.0, []
    for k in range(bins):
        inside = (p > k / bins) & (p <= (k + 1) / bins)
        counts.append(int(inside.sum()))
        ece = ece + (p - y)[inside].sum().abs() / n
        floor = floor + (2 * (p * (1 - p))[inside].sum() / math.pi).sqrt() / n
    return torch.as_tensor(ece), torch.as_tensor(floor), torch.tensor(counts)


# %% variance-of-the-mean-forecast wrong="calibration-report"
# A bin's variance comes from its mean forecast: p = [0, 0.5], bins = 1.
def calibration_report(p, y, bins):
    k = torch.floor(p * bins).long().clamp(0, bins - 1)
    count = torch.bincount(k, minlength=bins)
    middle = torch.bincount(k, p, minlength=bins) / count.clamp(min=1)
    gap = torch.bincount(k, p - y, minlength=bins)
    floor = (2 * count * middle * (1 - middle) / math.pi).sqrt().sum() / len(p)
    return gap.abs().sum() / len(p), floor, count


# %% by-erfc right="risk-report"
def risk_report(draws, sigma, y, threshold):
    z = (threshold - draws) / sigma
    risk = (0.5 * torch.special.erfc(z / math.sqrt(2))).mean(0)
    return risk, ((risk - (y > threshold).to(risk.dtype)) ** 2).mean()


# %% averaged-function wrong="risk-report"
# The function is averaged before the noise: draws = [[-3], [3]], sigma = 1, threshold = 2.
def risk_report(draws, sigma, y, threshold):
    sd = (sigma.square() + draws.var(0, correction=0)).expand_as(draws).mean(0).sqrt()
    risk = torch.special.ndtr((draws.mean(0) - threshold) / sd)
    return risk, (risk - (y > threshold).double()).square().mean()


# %% brier-of-each-draw wrong="risk-report"
# The Brier score is averaged over draws, too: draws = [[-1], [1]], sigma = 1, threshold = 0.
def risk_report(draws, sigma, y, threshold):
    p = torch.special.ndtr((draws - threshold) / sigma)
    return p.mean(0), (p - (y > threshold).double()).square().mean()


# %% mean-sigma wrong="risk-report"
# A sigma for each draw is averaged first: sigma = [[0.1], [3]].
def risk_report(draws, sigma, y, threshold):
    sigma = sigma.mean(0) if sigma.dim() == 2 else sigma
    risk = torch.special.ndtr((draws - threshold) / sigma).mean(0)
    return risk, (risk - (y > threshold).double()).square().mean()


# %% run-by-run right="card-table"
def card_table(log_odds, y, base):
    def scores(z):
        hit = ((z > 0) == (y == 1)).double()
        p = torch.special.expit(z)
        balanced = (hit[y == 1].mean() + hit[y == 0].mean()) / 2
        nll = torch.nn.functional.softplus(torch.where(y == 1, -z, z)).mean()
        return torch.stack([hit.mean(), balanced, nll, (p - y).square().mean()])

    runs = torch.stack([scores(z) for z in log_odds], 1)
    nobody = scores(torch.full((len(y),), math.log(base / (1 - base)), dtype=log_odds.dtype))
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    mean = runs.mean(1)
    gain = torch.tensor([1, 1, -1, -1]) * (mean - nobody)
    return torch.stack([mean, worst, gain], 1)


# %% base-from-the-test wrong="card-table"
# The share of the test patients takes the place of base: base = 0.2, half of y are 1.
def card_table(log_odds, y, base):
    def scores(z):
        hit = ((z > 0) == (y == 1)).double()
        balanced = (hit[:, y == 1].mean(1) + hit[:, y == 0].mean(1)) / 2
        nll = torch.nn.functional.softplus(torch.where(y == 1, -z, z)).mean(1)
        brier = (torch.sigmoid(z) - y).square().mean(1)
        return torch.stack([hit.mean(1), balanced, nll, brier])

    share = y.double().mean()
    runs, nobody = scores(log_odds), scores((share / (1 - share)).log().expand(1, len(y)))
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.tensor([1, 1, -1, -1]) * (runs.mean(1) - nobody[:, 0])
    return torch.stack([runs.mean(1), worst, gain], 1)


# %% log-odds-within-fifty wrong="card-table"
# Log odds end at 50: log_odds = [[800, -800]], y = [0, 0].
def card_table(log_odds, y, base):
    def scores(z):
        z = z.clamp(-50, 50)
        hit = ((z > 0) == (y == 1)).double()
        balanced = (hit[:, y == 1].mean(1) + hit[:, y == 0].mean(1)) / 2
        nll = torch.nn.functional.softplus(torch.where(y == 1, -z, z)).mean(1)
        brier = (torch.sigmoid(z) - y).square().mean(1)
        return torch.stack([hit.mean(1), balanced, nll, brier])

    prior = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, nobody = scores(log_odds), scores(prior)
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.tensor([1, 1, -1, -1]) * (runs.mean(1) - nobody[:, 0])
    return torch.stack([runs.mean(1), worst, gain], 1)


# %% worst-run-by-accuracy wrong="card-table"
# One run is the worst in all rows, that of the lowest accuracy.
def card_table(log_odds, y, base):
    def scores(z):
        hit = ((z > 0) == (y == 1)).double()
        balanced = (hit[:, y == 1].mean(1) + hit[:, y == 0].mean(1)) / 2
        nll = torch.nn.functional.softplus(torch.where(y == 1, -z, z)).mean(1)
        brier = (torch.sigmoid(z) - y).square().mean(1)
        return torch.stack([hit.mean(1), balanced, nll, brier])

    prior = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, nobody = scores(log_odds), scores(prior)
    gain = torch.tensor([1, 1, -1, -1]) * (runs.mean(1) - nobody[:, 0])
    return torch.stack([runs.mean(1), runs[:, runs[0].argmin()], gain], 1)
