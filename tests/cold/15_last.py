# %% [markdown]
# Answers written from the text alone.


# %% mw-sums-not-means right="map-weights"
# The card's Newton steps, with sums over patients in place of means.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = 1 / tau**2
    for _ in range(60):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + prior * w
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% mw-damped-in-units-of-tau right="map-weights"
# Weights in units of tau, so that the prior is N(0, 1); Newton by Cholesky with halved steps.
def map_weights(x, y, count, tau):
    scaled = x * tau
    unit = torch.eye(x.shape[1], dtype=x.dtype)
    v = torch.zeros(x.shape[1], dtype=x.dtype)

    def loss(v):
        z = scaled @ v
        return (count * (torch.logaddexp(torch.zeros_like(z), z) - y * z)).sum() + v @ v / 2

    for _ in range(200):
        p = torch.sigmoid(scaled @ v)
        slope = scaled.T @ (count * (p - y)) + v
        curvature = scaled.T @ ((count * p * (1 - p))[:, None] * scaled) + unit
        step = torch.cholesky_solve(slope[:, None], torch.linalg.cholesky(curvature))[:, 0]
        now, size = loss(v), 1.0
        while loss(v - size * step) > now + 1e-12 * (1 + now.abs()) and size > 1e-6:
            size /= 2
        v = v - size * step
        if step.abs().max() < 1e-13:
            break
    return v * tau


# %% mw-eight-steps wrong="map-weights"
# Eight Newton steps: too few for separable classes with counts of 10 000 and tau of 5, where
# the margin grows by about one a step, up to twelve and more.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = 1 / tau**2
    for _ in range(8):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + prior * w
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% mw-clamped-probabilities wrong="map-weights"
# Clamps p to 1e-6 from 0 and 1: for separable rows with x = 4, counts of 10 000 and tau of 5
# the residuals cannot shrink as they must, and the weights run away.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = 1 / tau**2
    for _ in range(40):
        p = torch.sigmoid(x @ w).clamp(1e-6, 1 - 1e-6)
        slope = (count * (p - y)) @ x + prior * w
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% mw-capped-prior wrong="map-weights"
# Caps the prior's precision at 1000 for the sake of the solver: a tau of 1/100 acts like 1/32.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = (1 / tau**2).clamp(max=1000)
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + prior * w
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% mw-stops-early wrong="map-weights"
# Stops when the slope is below 1e-3: with tau of 5 that may be 0.02 away from the maximum, as
# for one patient with x = 0.0015, who leaves w at 0.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    prior = 1 / tau**2
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + prior * w
        if slope.abs().max() < 1e-3:
            break
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(prior)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% to-flags-and-finally right="test-outputs"
# Notes the flag of each module, turns all off, and sets them back in a finally clause.
def test_outputs(net, x, size):
    flags = [(module, module.training) for module in net.modules()]
    try:
        net.eval()
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)]).detach()
    finally:
        for module, flag in flags:
            module.training = flag


# %% to-exit-stack right="test-outputs"
# An exit stack sets each module back; buffers are handed in as copies by functional_call.
def test_outputs(net, x, size):
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        for module in net.modules():
            stack.callback(setattr, module, "training", module.training)
            module.training = False
        rows = []
        for start in range(0, len(x), size):
            copies = {name: buffer.clone() for name, buffer in net.named_buffers()}
            part = x[start : start + size].detach()
            rows.append(torch.func.functional_call(net, copies, (part,)))
        return torch.cat(rows).detach()


# %% to-children-only wrong="test-outputs"
# Notes the modes of the children, not of theirs: a layer that was frozen two levels down is
# in training mode afterwards.
def test_outputs(net, x, size):
    own = net.training
    flags = [(child, child.training) for child in net.children()]
    net.eval()
    try:
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)])
    finally:
        net.training = own
        for child, flag in flags:
            child.train(flag)


# %% to-no-finally wrong="test-outputs"
# Sets the modes back after the last part only: if the net raises, it is left in evaluation.
def test_outputs(net, x, size):
    flags = [(module, module.training) for module in net.modules()]
    net.eval()
    with torch.no_grad():
        result = torch.cat([net(part) for part in x.split(size)])
    for module, flag in flags:
        module.training = flag
    return result


# %% to-gradients-on-after wrong="test-outputs"
# Turns gradients on at the end, also if the caller had turned them off before.
def test_outputs(net, x, size):
    flags = [(module, module.training) for module in net.modules()]
    net.eval()
    torch.set_grad_enabled(False)
    try:
        return torch.cat([net(part) for part in x.split(size)])
    finally:
        torch.set_grad_enabled(True)
        for module, flag in flags:
            module.training = flag


# %% to-two-layer-types wrong="test-outputs"
# Puts only nn.Dropout and nn.BatchNorm1d into evaluation: AlphaDropout, RReLU, or a module of
# one's own that asks for self.training still act as in training.
def test_outputs(net, x, size):
    kinds = (nn.Dropout, nn.BatchNorm1d)
    flags = [(m, m.training) for m in net.modules() if isinstance(m, kinds)]
    try:
        for module, _ in flags:
            module.training = False
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)])
    finally:
        for module, flag in flags:
            module.training = flag


# %% nr-difference-written-out right="nll-report"
# The Normal's formula without the clamp; what is hidden as one expression.
def nll_report(mean, log_var, y, c, s, low, high):
    square = ((y - c) / s - mean) ** 2
    nll = 0.5 * (math.log(2 * math.pi) + log_var + square * torch.exp(-log_var)) + math.log(s)
    kept = log_var.clamp(low, high)
    hidden = 0.5 * (log_var - kept + square * (torch.exp(-log_var) - torch.exp(-kept)))
    return nll, hidden


# %% nr-distribution right="nll-report"
# torch.distributions on the standardised scale, once with the net's variance, once the card's.
def nll_report(mean, log_var, y, c, s, low, high):
    standardised = (y - c) / s

    def loss(log_variance):
        normal = torch.distributions.Normal(mean, torch.exp(log_variance / 2), validate_args=False)
        return math.log(s) - normal.log_prob(standardised)

    nll = loss(log_var)
    with torch.no_grad():
        card = loss(torch.clamp(log_var, min=low, max=high))
    return nll, nll.detach() - card


# %% nr-hidden-is-absolute wrong="nll-report"
# Returns the size of what is hidden, not its sign: it should be negative where the card reports
# too high a loss, as for a log variance of -5 and a z of 0.
def nll_report(mean, log_var, y, c, s, low, high):
    def loss(v):
        z = (y - c) / s - mean
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(s)

    nll = loss(log_var)
    return nll, (nll - loss(log_var.clamp(low, high))).abs()


# %% nr-a-wider-clamp wrong="nll-report"
# Another clamp, at -50 and 50, "against overflow": for a log variance of -300 both the NLL and
# its gradient are wrong.
def nll_report(mean, log_var, y, c, s, low, high):
    def loss(v):
        z = (y - c) / s - mean
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(s)

    nll = loss(log_var.clamp(-50, 50))
    return nll, nll - loss(log_var.clamp(low, high))


# %% nr-square-in-logs wrong="nll-report"
# The square over the variance by way of logarithms: the value is right, but the gradient with
# respect to the mean is nan where the net predicts y exactly.
def nll_report(mean, log_var, y, c, s, low, high):
    log_square = 2 * ((y - c) / s - mean).abs().log()

    def loss(v):
        return 0.5 * (math.log(2 * math.pi) + v + torch.exp(log_square - v)) + math.log(s)

    nll = loss(log_var)
    return nll, nll - loss(log_var.clamp(low, high))


# %% nr-patient-by-patient wrong="nll-report"
# Stacks the results of a loop over patients: an error for tensors of shape () and for none.
def nll_report(mean, log_var, y, c, s, low, high):
    def loss(m, v, outcome):
        z = (outcome - c) / s - m
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(s)

    nll, hidden = [], []
    for m, v, outcome in zip(mean, log_var, y, strict=True):
        nll.append(loss(m, v, outcome))
        hidden.append(nll[-1] - loss(m, v.clamp(low, high), outcome))
    return torch.stack(nll), torch.stack(hidden)


# %% sd-from-first-member right="ensemble-sds"
# Total variance, with means taken relative to the first member before anything is averaged.
def ensemble_sds(mean, sd):
    n = mean.shape[1]
    gap = mean - mean[:1]
    gap = gap - gap.mean(0)
    each = sd.square().mean(0) + gap.square().mean(0)
    shift = gap.mean(1)
    shift = shift - shift.mean()
    ward = sd.square().mean(0).sum() / n**2 + shift.square().mean()
    return each.sqrt(), ward.sqrt()


# %% sd-pairs-of-members right="ensemble-sds"
# The variance between members as half the mean square of the differences of all pairs.
def ensemble_sds(mean, sd):
    members, n = mean.shape
    between = torch.zeros(n, dtype=mean.dtype)
    shared = torch.zeros((), dtype=mean.dtype)
    for k in range(members):
        gap = mean - mean[k]
        between = between + gap.square().sum(0)
        shared = shared + gap.mean(1).square().sum()
    within = (sd**2).mean(0)
    each = torch.sqrt(within + between / (2 * members**2))
    ward = torch.sqrt(within.mean() / n + shared / (2 * members**2))
    return each, ward


# %% sd-mean-of-squares wrong="ensemble-sds"
# The variance as the mean square less the squared mean: for means of 1e7 that differ by a
# hundredth nothing but rounding is left.
def ensemble_sds(mean, sd):
    n = mean.shape[1]
    each = sd.square().mean(0) + (mean.square().mean(0) - mean.mean(0).square()).clamp(min=0)
    total = mean.mean(1)
    between = (total.square().mean() - total.mean().square()).clamp(min=0)
    ward = sd.square().mean(0).sum() / n**2 + between
    return each.sqrt(), ward.sqrt()


# %% sd-ward-averages-rounded right="ensemble-sds"
# Written as wrong; right since the text says that such wards do not occur.
# Its reader's words:
# Averages the means over the ward as they are: near 1e7 an average is right to 2e-9 only. Where
# members differ by a hundredth and nearly cancel over the ward, to 1e-6, that is a part in 500.
def ensemble_sds(mean, sd):
    n = mean.shape[1]
    each = sd.square().mean(0) + mean.var(0, correction=0)
    ward = sd.square().mean(0).sum() / n**2 + mean.mean(1).var(correction=0)
    return each.sqrt(), ward.sqrt()


# %% sd-one-member wrong="ensemble-sds"
# A shortcut for one member averages standard deviations over the ward: too high a ward's number
# for M = 1 and two patients or more.
def ensemble_sds(mean, sd):
    if len(mean) == 1:
        return sd[0].clone(), sd[0].mean()
    n = mean.shape[1]
    gap = mean - mean[:1]
    gap = gap - gap.mean(0)
    each = sd.square().mean(0) + gap.square().mean(0)
    ward = sd.square().mean(0).sum() / n**2 + gap.mean(1).square().mean()
    return each.sqrt(), ward.sqrt()


# %% sd-floor-under-root wrong="ensemble-sds"
# Keeps variances at 1e-8 or more: a standard deviation of 1e-6, or of 0, comes out as 1e-4.
def ensemble_sds(mean, sd):
    n = mean.shape[1]
    gap = mean - mean[:1]
    gap = gap - gap.mean(0)
    each = sd.square().mean(0) + gap.square().mean(0)
    ward = sd.square().mean(0).sum() / n**2 + gap.mean(1).square().mean()
    return each.clamp(min=1e-8).sqrt(), ward.clamp(min=1e-8).sqrt()


# %% cr-number-of-bin right="calibration-report"
# Computes the number of each bin, with those beyond the last put into it; index_add.
def calibration_report(p, y, bins):
    place = (p * bins).long().clamp(max=bins - 1)
    zero = torch.zeros(bins, dtype=p.dtype)
    gap = zero.index_add(0, place, p - y)
    variance = zero.index_add(0, place, p * (1 - p))
    ece = gap.abs().sum() / len(p)
    floor = (2 * variance / math.pi).sqrt().sum() / len(p)
    return ece, floor, torch.bincount(place, minlength=bins)


# %% cr-loop-over-bins right="calibration-report"
# The card's loop, with bins closed at the right and the first one closed at both sides.
def calibration_report(p, y, bins):
    n = len(p)
    ece, floor = torch.zeros((), dtype=p.dtype), torch.zeros((), dtype=p.dtype)
    counts = torch.zeros(bins, dtype=torch.int64)
    for k in range(bins):
        inside = p <= (k + 1) / bins
        if k == bins - 1:
            inside = torch.ones_like(inside)
        if k > 0:
            inside = inside & (p > k / bins)
        some = p[inside]
        counts[k] = len(some)
        ece = ece + (some - y[inside]).sum().abs() / n
        floor = floor + torch.sqrt(2 / math.pi * (some * (1 - some)).sum()) / n
    return ece, floor, counts


# %% cr-edges-of-float32 wrong="calibration-report"
# Edges from linspace in float32: with ten bins p = 0.3 + 5e-9 lies below the edge that should be
# 0.3, and lands in the bin to the left.
def calibration_report(p, y, bins):
    edges = torch.linspace(0, 1, bins + 1)
    place = (p[:, None] >= edges[1:-1]).sum(1)
    zero = torch.zeros(bins, dtype=p.dtype)
    gap = zero.index_add(0, place, p - y)
    variance = zero.index_add(0, place, p * (1 - p))
    ece = gap.abs().sum() / len(p)
    floor = (2 * variance / math.pi).sqrt().sum() / len(p)
    return ece, floor, torch.bincount(place, minlength=bins)


# %% cr-mean-of-empty-bin wrong="calibration-report"
# Works with the means of each bin: nan as soon as one bin is empty.
def calibration_report(p, y, bins):
    place = (p * bins).long().clamp(max=bins - 1)
    n = len(p)
    ece, floor = torch.zeros((), dtype=p.dtype), torch.zeros((), dtype=p.dtype)
    counts = torch.bincount(place, minlength=bins)
    for k in range(bins):
        some, came = p[place == k], y[place == k].to(p.dtype)
        ece = ece + counts[k] / n * (some.mean() - came.mean()).abs()
        floor = floor + (2 / math.pi * (some * (1 - some)).sum()).sqrt() / n
    return ece, floor, counts


# %% cr-short-counts wrong="calibration-report"
# bincount without a minimum length: the counts are too few where the last bins are empty.
def calibration_report(p, y, bins):
    place = (p * bins).long().clamp(max=bins - 1)
    gap = torch.bincount(place, weights=p - y)
    variance = torch.bincount(place, weights=p * (1 - p))
    ece = gap.abs().sum() / len(p)
    floor = (2 * variance / math.pi).sqrt().sum() / len(p)
    return ece, floor, torch.bincount(place)


# %% cr-counts-of-float wrong="calibration-report"
# Counts come as float64, not int64, whatever the input is.
def calibration_report(p, y, bins):
    place = (p * bins).long().clamp(max=bins - 1)
    zero = torch.zeros(bins, dtype=p.dtype)
    gap = zero.index_add(0, place, p - y)
    variance = zero.index_add(0, place, p * (1 - p))
    counts = zero.index_add(0, place, torch.ones_like(p))
    ece = gap.abs().sum() / len(p)
    floor = (2 * variance / math.pi).sqrt().sum() / len(p)
    return ece, floor, counts


# %% rr-erfc right="risk-report"
# The Normal's upper tail by erfc for all draws at once, then the mean over draws.
def risk_report(draws, sigma, y, threshold):
    risk = (0.5 * torch.erfc((threshold - draws) / (sigma * math.sqrt(2)))).mean(0)
    brier = (risk - (y > threshold).to(risk.dtype)).square().mean()
    return risk, brier


# %% rr-loop-over-draws right="risk-report"
# A loop over draws with torch.distributions, and a running sum.
def risk_report(draws, sigma, y, threshold):
    spread = torch.broadcast_to(sigma, draws.shape)
    limit = torch.full((draws.shape[1],), float(threshold), dtype=torch.float64)
    total = torch.zeros(draws.shape[1], dtype=torch.float64)
    for f, s in zip(draws, spread, strict=True):
        total = total + (1 - torch.distributions.Normal(f, s).cdf(limit))
    risk = total / len(draws)
    bad = y > threshold
    brier = torch.where(bad, (1 - risk) ** 2, risk**2).sum() / len(risk)
    return risk, brier


# %% rr-sigma-as-column wrong="risk-report"
# Makes a column of sigma: right for shapes () and (S, 1); one sigma for each patient, shape
# (n,), is taken for one for each draw, and (S, n) is an error.
def risk_report(draws, sigma, y, threshold):
    column = sigma.reshape(-1, 1)
    risk = (0.5 * torch.erfc((threshold - draws) / (column * math.sqrt(2)))).mean(0)
    brier = (risk - (y > threshold).to(risk.dtype)).square().mean()
    return risk, brier


# %% rr-threshold-of-float32 wrong="risk-report"
# Makes a tensor of the threshold without a dtype: in float32, 0.1 is off by 1e-9, and the risk
# by more than 1e-12. A threshold like 1.0 is right.
def risk_report(draws, sigma, y, threshold):
    limit = torch.tensor(float(threshold))
    risk = torch.special.ndtr((draws - limit) / sigma).mean(0)
    brier = (risk - (y > limit).double()).square().mean()
    return risk, brier


# %% rr-clamped-risk wrong="risk-report"
# Keeps risks 1e-6 away from 0 and 1: off by 1e-6 for draws that are ten sigma from the threshold.
def risk_report(draws, sigma, y, threshold):
    risk = (0.5 * torch.erfc((threshold - draws) / (sigma * math.sqrt(2)))).mean(0)
    risk = risk.clamp(1e-6, 1 - 1e-6)
    brier = (risk - (y > threshold).to(risk.dtype)).square().mean()
    return risk, brier


# %% rr-squeezed wrong="risk-report"
# Squeezes the result: for one patient the risk has shape () and not (1,).
def risk_report(draws, sigma, y, threshold):
    above = 0.5 * torch.erfc((threshold - draws) / (sigma * math.sqrt(2)))
    risk = above.mean(0, keepdim=True).squeeze()
    brier = (risk - (y > threshold).to(risk.dtype)).square().mean()
    return risk, brier


# %% ct-baseline-as-a-run right="card-table"
# One function scores all runs, and the baseline as one more run with constant log odds.
def card_table(log_odds, y, base):
    def scores(z):
        right = ((z > 0) == (y == 1)).double()
        accuracy = right.mean(1)
        balanced = (right[:, y == 1].mean(1) + right[:, y == 0].mean(1)) / 2
        wrong_way = torch.where(y == 1, -z, z)
        nll = torch.logaddexp(torch.zeros_like(z), wrong_way).mean(1)
        brier = torch.sigmoid(wrong_way).square().mean(1)
        return torch.stack([accuracy, balanced, nll, brier])

    runs = scores(log_odds)
    hers = scores(torch.full_like(log_odds[:1], math.log(base / (1 - base))))[:, 0]
    sign = torch.tensor([1.0, 1.0, -1.0, -1.0], dtype=torch.float64)
    mean = runs.mean(1)
    worst = sign * (sign[:, None] * runs).amin(1)
    return torch.stack([mean, worst, sign * (mean - hers)], dim=1)


# %% ct-run-by-run right="card-table"
# A loop over runs in plain numbers, and the baseline's scores in closed form.
def card_table(log_odds, y, base):
    truth = y.tolist()
    n, ones = len(truth), sum(truth)
    runs = []
    for row in log_odds.tolist():
        hit, balanced, nll, brier = 0, 0.0, 0.0, 0.0
        for z, came in zip(row, truth, strict=True):
            if (z > 0) == (came == 1):
                hit += 1
                balanced += 0.5 / (ones if came == 1 else n - ones)
            against = -z if came == 1 else z
            small = math.exp(-abs(against))
            nll += max(against, 0.0) + math.log1p(small)
            brier += ((small if against < 0 else 1.0) / (1 + small)) ** 2
        runs.append((hit / n, balanced, nll / n, brier / n))
    share = ones / n
    hers = (
        share if base > 0.5 else 1 - share,
        0.5,
        -share * math.log(base) - (1 - share) * math.log1p(-base),
        share * (1 - base) ** 2 + (1 - share) * base**2,
    )
    table = []
    for k, values in enumerate(zip(*runs, strict=True)):
        mean = math.fsum(values) / len(values)
        if k < 2:
            table.append([mean, min(values), mean - hers[k]])
        else:
            table.append([mean, max(values), hers[k] - mean])
    return torch.tensor(table, dtype=torch.float64)


# %% ct-entropy-of-probabilities wrong="card-table"
# binary_cross_entropy of the sigmoid cuts each loss at 100, and at log odds beyond 37 the
# probability is 1: a patient with y = 0 and log odds of 40 costs 100 in place of 40.
def card_table(log_odds, y, base):
    def scores(p):
        right = ((p > 0.5) == (y == 1)).double()
        balanced = (right[:, y == 1].mean(1) + right[:, y == 0].mean(1)) / 2
        target = y.double().expand_as(p)
        nll = nn.functional.binary_cross_entropy(p, target, reduction="none").mean(1)
        return torch.stack([right.mean(1), balanced, nll, (p - target).square().mean(1)])

    runs = scores(torch.sigmoid(log_odds))
    hers = scores(torch.full_like(log_odds[:1], base))[:, 0]
    mean = runs.mean(1)
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([(mean - hers)[:2], (hers - mean)[2:]])
    return torch.stack([mean, worst, gain], dim=1)


# %% ct-one-worst-run wrong="card-table"
# Takes the run of the lowest accuracy as the worst in all rows: wrong where another run has the
# highest loss or the lowest balanced accuracy.
def card_table(log_odds, y, base):
    def scores(z):
        right = ((z > 0) == (y == 1)).double()
        balanced = (right[:, y == 1].mean(1) + right[:, y == 0].mean(1)) / 2
        away = torch.where(y == 1, -z, z)
        nll = torch.logaddexp(torch.zeros_like(z), away).mean(1)
        return torch.stack([right.mean(1), balanced, nll, torch.sigmoid(away).square().mean(1)])

    runs = scores(log_odds)
    hers = scores(torch.full_like(log_odds[:1], math.log(base / (1 - base))))[:, 0]
    mean = runs.mean(1)
    worst = runs[:, runs[0].argmin()]
    gain = torch.cat([(mean - hers)[:2], (hers - mean)[2:]])
    return torch.stack([mean, worst, gain], dim=1)


# %% ct-rate-of-the-test wrong="card-table"
# Takes the share of class 1 among the test patients for the base rate, and ignores the argument:
# the gains are wrong wherever the two differ.
def card_table(log_odds, y, base):
    def scores(z):
        right = ((z > 0) == (y == 1)).double()
        balanced = (right[:, y == 1].mean(1) + right[:, y == 0].mean(1)) / 2
        away = torch.where(y == 1, -z, z)
        nll = torch.logaddexp(torch.zeros_like(z), away).mean(1)
        return torch.stack([right.mean(1), balanced, nll, torch.sigmoid(away).square().mean(1)])

    runs = scores(log_odds)
    rate = y.double().mean().item()
    hers = scores(torch.full_like(log_odds[:1], math.log(rate / (1 - rate))))[:, 0]
    mean = runs.mean(1)
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([(mean - hers)[:2], (hers - mean)[2:]])
    return torch.stack([mean, worst, gain], dim=1)


# %% ct-baseline-says-zero wrong="card-table"
# Lets the baseline predict class 0 always: the gain in accuracy is wrong for a base above 0.5.
def card_table(log_odds, y, base):
    target = y.double()
    right = ((log_odds > 0) == (y == 1)).double()
    balanced = (right[:, y == 1].mean(1) + right[:, y == 0].mean(1)) / 2
    away = torch.where(y == 1, -log_odds, log_odds)
    nll = torch.logaddexp(torch.zeros_like(away), away).mean(1)
    brier = torch.sigmoid(away).square().mean(1)
    mean = torch.stack([right.mean(1), balanced, nll, brier]).mean(1)
    worst = torch.stack([right.mean(1).min(), balanced.min(), nll.max(), brier.max()])
    surprise = -(target * math.log(base) + (1 - target) * math.log(1 - base)).mean()
    gain = [
        mean[0] - (1 - target).mean(),
        mean[1] - 0.5,
        surprise - mean[2],
        (base - target).square().mean() - mean[3],
    ]
    return torch.stack([mean, worst, torch.stack(gain)], dim=1)
