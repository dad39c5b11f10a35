# %% newton-sum-form right="map-weights"
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = 1 / tau**2
    for _ in range(60):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + prior * w
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% whitened-autograd-damped right="map-weights"
def map_weights(x, y, count, tau):
    sign = 2 * y.detach() - 1
    z = x.detach() * tau.detach()  # in units of the prior the weights are N(0, 1)
    k = count.detach()

    def check(u):
        return (k * torch.logaddexp(torch.zeros_like(sign), -sign * (z @ u))).sum() + u @ u / 2

    gradient = torch.func.grad(check)
    hessian = torch.func.hessian(check)
    u = torch.zeros(x.shape[1], dtype=torch.float64)
    for _ in range(200):
        step = torch.linalg.solve(hessian(u), gradient(u))
        rate = 1.0
        while check(u - rate * step) > check(u) and rate > 1e-3:
            rate /= 2
        u = u - rate * step
        if step.abs().max() < 1e-13:
            break
    return u * tau.detach()


# %% six-steps wrong="map-weights"
# Ends after 6 steps: x = [[1.0], [-1.0]], y = [1, 0], count = [10000, 10000], tau = [5].
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = 1 / tau**2
    for _ in range(6):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + prior * w
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% tau-floor wrong="map-weights"
# The priors' widths have a floor of 0.1: tau = [0.01] with counts of 100.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = 1 / tau.clamp(min=0.1) ** 2  # keeps the curvature well conditioned
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + prior * w
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% lbfgs-twenty wrong="map-weights"
# L-BFGS stops at its default of 20 iterations: 12 columns that differ in scale (4 to 0.01),
# 40 rows, counts to 10000, tau = 5.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype, requires_grad=True)
    search = torch.optim.LBFGS(
        [w], tolerance_grad=1e-10, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )

    def closure():
        search.zero_grad()
        each = nn.functional.binary_cross_entropy_with_logits(x @ w, y, reduction="none")
        loss = (count * each).sum() + ((w / tau) ** 2).sum() / 2
        loss.backward()
        return loss

    search.step(closure)
    return w.detach()


# %% rare-outcome-clamped wrong="map-weights"
# p is kept from 0 and 1 by 1/1000: x = [[1.0], [-1.0]], y = [1, 0], count = 10000, tau = [5].
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = 1 / tau**2
    for _ in range(40):
        p = torch.sigmoid(x @ w).clamp(1e-3, 1 - 1e-3)
        slope = (count * (p - y)) @ x + prior * w
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% note-each-mode right="test-outputs"
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    try:
        for module, _ in modes:
            module.training = False
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)]).detach()
    finally:
        for module, mode in modes:
            module.training = mode


# %% stack-of-callbacks right="test-outputs"
def test_outputs(net, x, size):
    with contextlib.ExitStack() as stack:
        y = x.detach()
        for module in net.modules():
            stack.callback(setattr, module, "training", module.training)
        stack.enter_context(torch.set_grad_enabled(False))
        net.eval()
        check = None
        for k in range(0, len(y), size):
            result = net(y[k : k + size])
            if check is None:
                check = result.new_empty((len(y), *result.shape[1:]))
            check[k : k + size] = result
        return check


# %% children-only wrong="test-outputs"
# Modes are noted of the net and its children, not deeper: net[1][1].eval() alone, before.
def test_outputs(net, x, size):
    was = net.training
    modes = [(child, child.training) for child in net.children()]
    net.eval()
    try:
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)])
    finally:
        net.training = was
        for child, mode in modes:
            child.train(mode)


# %% not-after-an-exception wrong="test-outputs"
# A net that raises ConnectionError stays in evaluation.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    with torch.no_grad():
        result = torch.cat([net(part) for part in x.split(size)])
    for module, mode in modes:
        module.training = mode
    return result


# %% gradients-on-again wrong="test-outputs"
# Called inside torch.no_grad(), it leaves gradients switched on.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    try:
        net.eval()
        torch.set_grad_enabled(False)
        return torch.cat([net(part) for part in x.split(size)])
    finally:
        torch.set_grad_enabled(True)
        for module, mode in modes:
            module.training = mode


# %% two-kinds-of-layer wrong="test-outputs"
# Only some kinds are set to evaluation: nn.AlphaDropout, or an own layer that asks self.training.
def test_outputs(net, x, size):
    kinds = (nn.Dropout, nn.BatchNorm1d, nn.BatchNorm2d)
    modes = [(m, m.training) for m in net.modules() if isinstance(m, kinds)]
    try:
        for module, _ in modes:
            module.training = False
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)])
    finally:
        for module, mode in modes:
            module.training = mode


# %% both-losses right="nll-report"
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean

    def loss(k):
        return 0.5 * (math.log(2 * math.pi) + k + z**2 * torch.exp(-k)) + math.log(s)

    nll = loss(log_var)
    return nll, nll - loss(log_var.clamp(low, high))


# %% residual-and-expm1 right="nll-report"
def nll_report(mean, log_var, y, c, s, low, high):
    gap = (y - c) / s - mean
    residual = gap * torch.exp(-log_var / 2)
    nll = residual.square() / 2 + log_var / 2 + math.log(s * math.sqrt(2 * math.pi))
    with torch.no_grad():
        k = torch.clamp(log_var, min=low, max=high)
        more = gap.square() * torch.exp(-k) * torch.expm1(k - log_var)
        check = (log_var - k + more) / 2
    return nll, check


# %% library-floor wrong="nll-report"
# gaussian_nll_loss puts a floor of 1e-6 under the variance: log_var = -20, z = 1.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s

    def loss(k):
        return nn.functional.gaussian_nll_loss(mean, z, k.exp(), full=True, reduction="none")

    nll = loss(log_var) + math.log(s)
    return nll, nll - loss(log_var.clamp(low, high)) - math.log(s)


# %% patient-by-patient wrong="nll-report"
# A loop over patients: raises for mean, log_var, y of shape () and for those of shape (0,).
def nll_report(mean, log_var, y, c, s, low, high):
    nll, hidden = [], []
    for m, v, outcome in zip(mean, log_var, y, strict=True):
        z = (outcome - c) / s - m
        k = v.clamp(low, high)
        nll.append(0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(s))
        hidden.append(0.5 * (v - k + z**2 * (torch.exp(-v) - torch.exp(-k))))
    return torch.stack(nll), torch.stack(hidden)


# %% zero-is-no-bound wrong="nll-report"
# A bound of 0 counts as no bound: low = 0, high = 1, log_var = -3, so hidden is 0.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean
    shown = log_var.clamp(low or -math.inf, high or math.inf)
    const = 0.5 * math.log(2 * math.pi) + math.log(s)
    nll = const + 0.5 * (log_var + z**2 * torch.exp(-log_var))
    return nll, nll - const - 0.5 * (shown + z**2 * torch.exp(-shown))


# %% precision-wide-clamp wrong="nll-report"
# The precision has a ceiling of 1e12, value and gradient: log_var = -100, z = 1.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean

    def loss(k):
        precision = torch.exp(-k).clamp(max=1e12)
        return 0.5 * (math.log(2 * math.pi) + k + z**2 * precision) + math.log(s)

    nll = loss(log_var)
    return nll, nll - loss(log_var.clamp(low, high))


# %% differences-to-one-member right="ensemble-sds"
def ensemble_sds(mean, sd):
    shift = mean - mean[0]  # the spread without the common part
    between = shift.var(0, correction=0)
    each = (sd.square().mean(0) + between).sqrt()
    within = sd.square().sum(1).mean() / mean.shape[1] ** 2
    ward = (within + shift.mean(1).var(correction=0)).sqrt()
    return each, ward


# %% pairs-of-members right="ensemble-sds"
def ensemble_sds(mean, sd):
    m, n = mean.shape
    k = torch.zeros(n, dtype=torch.float64)
    total = torch.zeros((), dtype=torch.float64)
    for one in range(m):
        for other in range(one):
            gap = mean[one] - mean[other]
            k += gap**2 / m**2
            total += gap.mean() ** 2 / m**2
    y = (sd**2).sum(0) / m
    return torch.sqrt(y + k), torch.sqrt(y.sum() / n**2 + total)


# %% squares-less-square wrong="ensemble-sds"
# Cancellation: mean = [[1e7], [1e7 + 0.02]], sd = 0.001.
def ensemble_sds(mean, sd):
    n = mean.shape[1]
    second = (mean.square() + sd.square()).mean(0)
    each = (second - mean.mean(0).square()).clamp(min=0).sqrt()
    ward = mean.mean(1)
    between = (ward.square().mean() - ward.mean().square()).clamp(min=0)
    return each, (between + sd.square().mean(0).sum() / n**2).sqrt()


# %% covariance-of-one right="ensemble-sds"
# torch.cov of one patient has no axes, so a ward of n = 1 raises.
# It was handed in as wrong, but a number and a matrix of one entry add up: nothing raises.
def ensemble_sds(mean, sd):
    within = sd.square().mean(0)
    cov = torch.cov(mean.T, correction=0) + torch.diag(within)
    return cov.diagonal().sqrt(), cov.mean().sqrt()


# %% small-number-in-root wrong="ensemble-sds"
# 1e-10 is added below the root: one member, sd = 1e-6, or sd = 0 and members that agree.
def ensemble_sds(mean, sd):
    n = mean.shape[1]
    each = (sd.square().mean(0) + mean.var(0, correction=0) + 1e-10).sqrt()
    within = sd.square().mean(0).sum() / n**2
    return each, (within + mean.mean(1).var(correction=0) + 1e-10).sqrt()


# %% squeezed wrong="ensemble-sds"
# The result for a ward of one patient, n = 1, has shape () where (1,) was asked.
def ensemble_sds(mean, sd):
    centre = mean - mean.mean(0)
    each = (sd.square() + centre.square()).mean(0).sqrt().squeeze()
    parts = sd.square().sum(1) / mean.shape[1] ** 2 + centre.mean(1).square()
    return each, parts.mean().sqrt()


# %% number-of-the-bin right="calibration-report"
def calibration_report(p, y, bins):
    k = (p * bins).long().clamp(max=bins - 1)
    zeros = torch.zeros(bins, dtype=torch.float64)
    gap = zeros.index_add(0, k, p - y)
    v = zeros.index_add(0, k, p * (1 - p))
    ece = gap.abs().sum() / len(p)
    floor = (2 * v / math.pi).sqrt().sum() / len(p)
    return ece, floor, torch.bincount(k, minlength=bins)


# %% loop-closed-above right="calibration-report"
def calibration_report(p, y, bins):
    check, gradient, counts = 0.0, 0.0, []
    for k in range(bins):
        inside = (p > k / bins) & (p <= (k + 1) / bins)
        if k == 0:
            inside |= p == 0
        said, was = p[inside], y[inside].double()
        counts.append(int(inside.sum()))
        check += abs(math.fsum((said - was).tolist()))
        gradient += math.sqrt(2 / math.pi * math.fsum((said * (1 - said)).tolist()))
    ece = torch.tensor(check / len(p), dtype=torch.float64)
    floor = torch.tensor(gradient / len(p), dtype=torch.float64)
    return ece, floor, torch.tensor(counts, dtype=torch.int64)


# %% as-many-bins-as-seen wrong="calibration-report"
# The counts end at the last bin that holds somebody: p = [0.1, 0.3], bins = 5 gives two counts.
def calibration_report(p, y, bins):
    k = (p * bins).long().clamp(max=bins - 1)
    gap = torch.bincount(k, weights=p - y)
    v = torch.bincount(k, weights=p * (1 - p))
    floor = (2 * v / math.pi).sqrt().sum() / len(p)
    return gap.abs().sum() / len(p), floor, torch.bincount(k)


# %% mean-of-an-empty-bin wrong="calibration-report"
# Means over bins: an empty bin makes the ECE nan, as with p = [0.1, 0.9], bins = 5.
def calibration_report(p, y, bins):
    ece, floor = torch.zeros((), dtype=p.dtype), torch.zeros((), dtype=p.dtype)
    counts = torch.zeros(bins, dtype=torch.int64)
    k = (p * bins).long().clamp(max=bins - 1)
    for b in range(bins):
        here = k == b
        counts[b] = here.sum()
        share = counts[b].double() / len(p)
        ece += share * (p[here].mean() - y[here].double().mean()).abs()
        floor += (2 * (p[here] * (1 - p[here])).sum() / math.pi).sqrt() / len(p)
    return ece, floor, counts


# %% edges-in-single-precision wrong="calibration-report"
# Bins are found in float32: p = [0.2 - 2e-9], bins = 5 lands in bin 1 in place of bin 0.
def calibration_report(p, y, bins):
    edges = torch.linspace(0, 1, bins + 1)[1:-1]
    k = torch.bucketize(p.float(), edges, right=True)
    member = nn.functional.one_hot(k, bins).double()
    v = (p * (1 - p)) @ member
    floor = (2 * v / math.pi).sqrt().sum() / len(p)
    return ((p - y) @ member).abs().sum() / len(p), floor, member.sum(0).long()


# %% two-digits wrong="calibration-report"
# Takes the rounding to two digits for granted: p = [0.198], bins = 5 lands in bin 1.
def calibration_report(p, y, bins):
    k = ((p * 100).round().long() * bins // 100).clamp(max=bins - 1)
    gap = torch.bincount(k, weights=p - y, minlength=bins)
    v = torch.bincount(k, weights=p * (1 - p), minlength=bins)
    floor = (2 * v / math.pi).sqrt().sum() / len(p)
    return gap.abs().sum() / len(p), floor, torch.bincount(k, minlength=bins)


# %% ndtr right="risk-report"
def risk_report(draws, sigma, y, threshold):
    risk = torch.special.ndtr((draws - threshold) / sigma).mean(0)
    brier = (risk - (y > threshold).double()).square().mean()
    return risk, brier


# %% scipy-rows right="risk-report"
def risk_report(draws, sigma, y, threshold):
    from scipy import stats

    k = sigma.expand(draws.shape).detach().numpy()
    rows = zip(draws.detach().numpy(), k, strict=True)
    check = [stats.norm.sf(threshold, f, s) for f, s in rows]
    risk = torch.from_numpy(sum(check) / len(check))
    bad = [float(v > threshold) for v in y.tolist()]
    brier = sum((r - b) ** 2 for r, b in zip(risk.tolist(), bad, strict=True)) / len(bad)
    return risk, torch.tensor(brier, dtype=torch.float64)


# %% sigma-for-each-draw wrong="risk-report"
# Any sigma but a scalar is taken for one a draw: sigma of shape (n,), with n = S or not.
def risk_report(draws, sigma, y, threshold):
    sigma = sigma.reshape(-1, 1)
    risk = torch.special.ndtr((draws - threshold) / sigma).mean(0)
    return risk, (risk - (y > threshold).double()).square().mean()


# %% threshold-in-single-precision wrong="risk-report"
# The threshold becomes a float32: threshold = 0.1, draws = 0, sigma = 0.001 or 1.
def risk_report(draws, sigma, y, threshold):
    limit = torch.tensor(threshold)
    risk = 0.5 * torch.erfc((limit - draws) / (sigma * math.sqrt(2)))
    risk = risk.mean(0)
    return risk, (risk - (y > limit).double()).square().mean()


# %% never-quite-certain wrong="risk-report"
# Risks are kept within 1e-6 of 0 and 1: draws = -5, sigma = 0.5, threshold = 1.
def risk_report(draws, sigma, y, threshold):
    risk = torch.special.ndtr((draws - threshold) / sigma).mean(0).clamp(1e-6, 1 - 1e-6)
    return risk, (risk - (y > threshold).double()).square().mean()


# %% one-patient-squeezed wrong="risk-report"
# For n = 1 the risk has shape () where (1,) was asked.
def risk_report(draws, sigma, y, threshold):
    above = 1 - torch.distributions.Normal(draws, sigma).cdf(torch.full_like(draws, threshold))
    risk = above.mean(0).squeeze()
    return risk, (risk - (y > threshold).double()).square().mean()


# %% one-more-run right="card-table"
def card_table(log_odds, y, base):
    def scores(z):  # (4, runs)
        right = ((z > 0) == (y == 1)).double()
        balanced = (right[:, y == 1].mean(1) + right[:, y == 0].mean(1)) / 2
        wrong_by = z * (1 - 2 * y)
        nll = -nn.functional.logsigmoid(-wrong_by)
        brier = torch.sigmoid(wrong_by).square()
        return torch.stack([right.mean(1), balanced, nll.mean(1), brier.mean(1)])

    runs = scores(log_odds)
    hers = scores(torch.full((1, len(y)), math.log(base / (1 - base)), dtype=torch.float64))[:, 0]
    sign = torch.tensor([1.0, 1.0, -1.0, -1.0], dtype=torch.float64)
    mean = runs.mean(1)
    worst = (runs * sign[:, None]).min(1).values * sign
    return torch.stack([mean, worst, (mean - hers) * sign], 1)


# %% numpy-run-by-run right="card-table"
def card_table(log_odds, y, base):
    import numpy as np
    from scipy.special import expit

    k = y.numpy() == 1
    share = k.mean()
    check = []
    for z in log_odds.detach().numpy():
        hit = np.where(k, z > 0, z <= 0)
        gap = np.where(k, expit(-z), expit(z))
        loss = np.logaddexp(0, np.where(k, -z, z))
        balanced = (hit[k].mean() + hit[~k].mean()) / 2
        check.append([hit.mean(), balanced, loss.mean(), (gap**2).mean()])
    check = np.array(check)
    mean = check.mean(0)
    worst = np.concatenate([check[:, :2].min(0), check[:, 2:].max(0)])
    hers = [
        share if base > 0.5 else 1 - share,
        0.5,
        -share * math.log(base) - (1 - share) * math.log(1 - base),
        share * (1 - base) ** 2 + (1 - share) * base**2,
    ]
    gain = (mean - hers) * np.array([1, 1, -1, -1])
    return torch.from_numpy(np.stack([mean, worst, gain], axis=1))


# %% softplus-threshold right="card-table"
# Softplus is a straight line above 20: log odds of 20.5, y = 0, NLL out by about 1e-9.
# It was handed in as wrong: the text promised 1e-12 then. Of five digits it keeps all.
def card_table(log_odds, y, base):
    def scores(z):
        right = ((z > 0) == (y == 1)).double()
        balanced = (right[:, y == 1].mean(1) + right[:, y == 0].mean(1)) / 2
        nll = nn.functional.softplus(z * (1 - 2 * y)).mean(1)
        brier = (torch.sigmoid(z) - y).square().mean(1)
        return torch.stack([right.mean(1), balanced, nll, brier])

    runs = scores(log_odds)
    hers = scores(torch.full((1, len(y)), math.log(base / (1 - base)), dtype=torch.float64))[:, 0]
    mean = runs.mean(1)
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([mean[:2] - hers[:2], hers[2:] - mean[2:]])
    return torch.stack([mean, worst, gain], 1)


# %% one-worst-run wrong="card-table"
# The run of the lowest accuracy stands in all rows: y = [0, 1, 0] and the runs [0.1, -0.1, 0.1]
# (thrice wrong by little) and [9, 9, -9] (once wrong by much).
def card_table(log_odds, y, base):
    def scores(z):
        right = ((z > 0) == (y == 1)).double()
        balanced = (right[:, y == 1].mean(1) + right[:, y == 0].mean(1)) / 2
        nll = torch.logaddexp(torch.zeros_like(z), z * (1 - 2 * y)).mean(1)
        brier = (torch.sigmoid(z) - y).square().mean(1)
        return torch.stack([right.mean(1), balanced, nll, brier])

    runs = scores(log_odds)
    hers = scores(torch.full((1, len(y)), math.log(base / (1 - base)), dtype=torch.float64))[:, 0]
    mean = runs.mean(1)
    worst = runs[:, runs[0].argmin()]
    gain = torch.cat([mean[:2] - hers[:2], hers[2:] - mean[2:]])
    return torch.stack([mean, worst, gain], 1)


# %% base-from-the-test-set wrong="card-table"
# The base rate is taken from y: y = [1, 0, 1, 0, 0], base = 0.3 (or 0.7).
def card_table(log_odds, y, base):
    def scores(z):
        right = ((z > 0) == (y == 1)).double()
        balanced = (right[:, y == 1].mean(1) + right[:, y == 0].mean(1)) / 2
        nll = torch.logaddexp(torch.zeros_like(z), z * (1 - 2 * y)).mean(1)
        brier = (torch.sigmoid(z) - y).square().mean(1)
        return torch.stack([right.mean(1), balanced, nll, brier])

    runs = scores(log_odds)
    hers = scores(torch.logit(y.double().mean()).expand(1, len(y)))[:, 0]
    mean = runs.mean(1)
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([mean[:2] - hers[:2], hers[2:] - mean[2:]])
    return torch.stack([mean, worst, gain], 1)


# %% she-says-the-majority wrong="card-table"
# Her accuracy is that of the larger class of y, whatever base is: y = [1, 0, 0], base = 0.7.
def card_table(log_odds, y, base):
    t = y.double()
    hit = ((log_odds > 0) == (t > 0.5)).double()
    one, nil = hit[:, y == 1].mean(1), hit[:, y == 0].mean(1)
    nll = nn.functional.binary_cross_entropy_with_logits(
        log_odds, t.expand_as(log_odds), reduction="none"
    ).mean(1)
    brier = (torch.sigmoid(log_odds) - t).square().mean(1)
    q = t.mean()
    hers = torch.stack(
        [
            torch.maximum(q, 1 - q),
            torch.full_like(q, 0.5),
            -q * math.log(base) - (1 - q) * math.log(1 - base),
            q * (1 - base) ** 2 + (1 - q) * base**2,
        ]
    )
    runs = torch.stack([hit.mean(1), (one + nil) / 2, nll, brier])
    sign = torch.tensor([1.0, 1.0, -1.0, -1.0], dtype=torch.float64)
    worst = sign * (sign[:, None] * runs).amin(1)
    return torch.stack([runs.mean(1), worst, sign * (runs.mean(1) - hers)], 1)
