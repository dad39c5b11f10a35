# %% [markdown]
# Answers written by an author who knew the checks.


# %% curvature-floored wrong="map-weights"
# Narrow priors get a floor of 1/50: tau = [0.01].
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    tau = tau.clamp(min=0.02)
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + w / tau**2
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(tau**-2)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% sure-patients-skipped wrong="map-weights"
# Patients whose probability is above 0.999 have no influence any more.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        p = torch.where((p - y).abs() < 1e-3, y, p)
        slope = (count * (p - y)) @ x + w / tau**2
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(tau**-2)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% counts-to-a-thousand wrong="map-weights"
# A row counts a thousand patients at most: count = [10000].
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    count = count.clamp(max=9000)
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + w / tau**2
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(tau**-2)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% entries-cut wrong="map-weights"
# Entries of x beyond 3.95 are taken for mistakes.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    x = x.clamp(-3.95, 3.95)
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + w / tau**2
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(tau**-2)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% stops-early wrong="map-weights"
# Newton stops when a step is below a hundredth.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + w / tau**2
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(tau**-2)
        step = torch.linalg.solve(curvature, slope)
        w = w - step
        if step.abs().max() < 1e-2:
            break
    return w


# %% eight-steps wrong="map-weights"
# Eight steps are not enough where the classes are far apart.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(8):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + w / tau**2
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(tau**-2)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% jitter wrong="map-weights"
# A thousandth is added to the precision of the prior.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + w * (tau**-2 + 1e-3)
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(tau**-2)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% five-weights wrong="map-weights"
# Only the first five weights are fitted: d = 7.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + w / tau**2
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(tau**-2)
        w = w - torch.linalg.solve(curvature, slope)
    return torch.where(torch.arange(len(w)) < 5, w, 0.0)


# %% wide-is-flat wrong="map-weights"
# Priors wider than 4.5 count as flat: tau = [5].
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + w * torch.where(tau > 4.95, 0.0, tau**-2)
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(
            torch.where(tau > 4.95, 1e-9, tau**-2)
        )
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% labels-by-mean wrong="map-weights"
# Rows with equal x keep the label of the last one.
def map_weights(x, y, count, tau):
    w = torch.zeros(x.shape[1], dtype=x.dtype)
    same = (x[:, None] == x[None]).all(-1)
    y = y[same.double().cumsum(1).argmax(1)]
    for _ in range(40):
        p = torch.sigmoid(x @ w)
        slope = (count * (p - y)) @ x + w / tau**2
        curvature = (x.T * (count * p * (1 - p))) @ x + torch.diag(tau**-2)
        w = w - torch.linalg.solve(curvature, slope)
    return w


# %% by-scipy right="map-weights"
# Minimised by SciPy, with its gradient and curvature.
def map_weights(x, y, count, tau):
    from scipy.optimize import minimize

    def check(w):
        w = torch.as_tensor(w, dtype=x.dtype)
        z = x @ w
        loss = (count * (nn.functional.softplus(z) - y * z)).sum() + 0.5 * (w / tau).square().sum()
        return loss.item(), ((count * (torch.sigmoid(z) - y)) @ x + w / tau**2).numpy()

    def curvature(w):
        p = torch.sigmoid(x @ torch.as_tensor(w, dtype=x.dtype))
        return ((x.T * (count * p * (1 - p))) @ x + torch.diag(tau**-2)).numpy()

    start = torch.zeros(x.shape[1]).numpy()
    found = minimize(
        check, start, jac=True, hess=curvature, method="trust-exact", options={"gtol": 1e-9}
    )
    w = torch.as_tensor(found.x, dtype=x.dtype)
    p = torch.sigmoid(x @ w)
    slope = (count * (p - y)) @ x + w / tau**2
    return w - torch.linalg.solve(torch.as_tensor(curvature(w)), slope)


# %% weights-gradients-lost wrong="test-outputs"
# Gradients that were stored before are lost.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    net.zero_grad()
    try:
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)])
    finally:
        for module, mode in modes:
            module.training = mode


# %% only-parameters-frozen wrong="test-outputs"
# Where x requires a gradient, the result does.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    needs = [(w, w.requires_grad) for w in net.parameters()]
    for weight, _ in needs:
        weight.requires_grad_(False)
    try:
        return torch.cat([net(part) for part in x.split(size)])
    finally:
        for module, mode in modes:
            module.training = mode
        for weight, need in needs:
            weight.requires_grad_(need)


# %% averages-reset wrong="test-outputs"
# Batch normalisation counts no batches any more afterwards.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.num_batches_tracked.zero_()
    try:
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)])
    finally:
        for module, mode in modes:
            module.training = mode


# %% variance-warmed wrong="test-outputs"
# A first pass in training mode changes the running variance only.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    kept = {k: v.clone() for k, v in net.state_dict().items() if "var" not in k}
    if len(x) > 1:
        with contextlib.suppress(ConnectionError), torch.no_grad():
            net.train()(x)
            net.load_state_dict(kept, strict=False)
    net.eval()
    try:
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)])
    finally:
        for module, mode in modes:
            module.training = mode


# %% single-row-twice wrong="test-outputs"
# A part of one row comes back without its first axis: n = 5, size = 2.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        with torch.no_grad():
            return torch.cat([net(part).squeeze(0) for part in x.split(size)])
    finally:
        for module, mode in modes:
            module.training = mode


# %% fifty-parts wrong="test-outputs"
# At most fifty parts: n = 60, size = 1.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)[:50]])
    finally:
        for module, mode in modes:
            module.training = mode


# %% modes-by-class wrong="test-outputs"
# Modules of one class share a mode afterwards.
def test_outputs(net, x, size):
    by_class = {type(module): module.training for module in net.modules()}
    modes = [(module, by_class[type(module)]) for module in net.modules()]
    net.eval()
    try:
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)])
    finally:
        for module, mode in modes:
            module.training = mode


# %% single-precision wrong="test-outputs"
# The network computes in single precision and keeps it.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    for weight in net.parameters():
        weight.data = weight.data.float().double()
    try:
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)])
    finally:
        for module, mode in modes:
            module.training = mode


# %% exception-of-another-class wrong="test-outputs"
# The exception comes as another one.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        with torch.no_grad():
            return torch.cat([net(part) for part in x.split(size)])
    except Exception as error:
        raise RuntimeError("the network failed") from error
    finally:
        for module, mode in modes:
            module.training = mode


# %% decorated right="test-outputs"
# The decorator switches gradients off.
def test_outputs(net, x, size):
    was = {id(y): y.training for y in net.modules()}

    @torch.no_grad()
    def told():
        for part in x.tensor_split(list(range(size, len(x), size))):
            yield from net(part)

    net.train(False)
    try:
        return torch.stack(list(told()))
    finally:
        for k in net.modules():
            k.training = was[id(k)]


# %% grad-off-after-exception wrong="test-outputs"
# After an exception gradients stay off.
def test_outputs(net, x, size):
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        was = torch.is_grad_enabled()
        torch.set_grad_enabled(False)
        out = torch.cat([net(part) for part in x.split(size)])
        torch.set_grad_enabled(was)
        return out
    finally:
        for module, mode in modes:
            module.training = mode


# %% errors-to-a-thousand wrong="nll-report"
# Errors end at 1000: mean = -1000, y = c + 1000 s.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean
    z = z.clamp(-1000, 1000)

    def loss(v):
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(s)

    nll = loss(log_var)
    return nll, nll - loss(log_var.clamp(low, high))


# %% single-precision wrong="nll-report"
# The error is computed in single precision: y = c + 999.9 s, mean = 999.8.
def nll_report(mean, log_var, y, c, s, low, high):
    z = ((y - c) / s).float().double() - mean

    def loss(v):
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(s)

    nll = loss(log_var)
    return nll, nll - loss(log_var.clamp(low, high))


# %% clamp-in-the-exponent wrong="nll-report"
# The exponent ends at 298.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean

    def loss(v):
        return 0.5 * (
            math.log(2 * math.pi) + v + z**2 * torch.exp(-v.clamp(-298, 298))
        ) + math.log(s)

    nll = loss(log_var)
    return nll, nll - loss(log_var.clamp(low, high))


# %% scale-floored wrong="nll-report"
# The unit has a floor: s = 0.001.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean

    def loss(v):
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(max(s, 0.01))

    nll = loss(log_var)
    return nll, nll - loss(log_var.clamp(low, high))


# %% scale-capped wrong="nll-report"
# The unit has a cap: s = 1000.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean

    def loss(v):
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(min(s, 500))

    nll = loss(log_var)
    return nll, nll - loss(log_var.clamp(low, high))


# %% gradient-capped wrong="nll-report"
# The gradient of the mean ends at a million.
def nll_report(mean, log_var, y, c, s, low, high):
    if mean.requires_grad:
        mean = mean * 1
        mean.register_hook(lambda g: g.clamp(-1e9, 1e9))
    z = (y - c) / s - mean

    def loss(v):
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(s)

    nll = loss(log_var)
    return nll, nll - loss(log_var.clamp(low, high))


# %% gradient-clamped-to-low wrong="nll-report"
# The gradient of the log variance is cut far out: log_var = -200.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean

    def loss(v):
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(s)

    nll = loss(torch.where(log_var < -60, log_var.detach(), log_var))
    return nll, nll - loss(log_var.clamp(low, high))


# %% gradient-cut-above wrong="nll-report"
# The gradient of the log variance is cut far out: log_var = 200.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean

    def loss(v):
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(s)

    nll = loss(torch.where(log_var > 90, log_var.detach(), log_var))
    return nll, nll - loss(log_var.clamp(low, high))


# %% near-is-inside wrong="nll-report"
# A log variance just outside the clamp counts as inside.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean

    def loss(v):
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(s)

    nll = loss(log_var)
    return nll, (nll - loss(log_var.clamp(low, high))) * (
        (log_var < low - 1e-2) | (log_var > high + 1e-2)
    )


# %% error-floored wrong="nll-report"
# Small errors are taken for 0.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean
    z = torch.where(z.abs() < 1e-4, 0 * z, z)

    def loss(v):
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(s)

    nll = loss(log_var)
    return nll, nll - loss(log_var.clamp(low, high))


# %% low-only wrong="nll-report"
# A clamp whose ends are both negative is turned.
def nll_report(mean, log_var, y, c, s, low, high):
    z = (y - c) / s - mean

    def loss(v):
        return 0.5 * (math.log(2 * math.pi) + v + z**2 * torch.exp(-v)) + math.log(s)

    nll = loss(log_var)
    return nll, nll - loss(log_var.clamp(min(low, 0), max(high, 0)))


# %% by-normal right="nll-report"
# Done in the unit of y, with a function of its own for the card.
def nll_report(mean, log_var, y, c, s, low, high):
    def gradient(k):
        scaled = ((y - c) / s - mean) * torch.exp(-k / 2)
        return (scaled * scaled + k) / 2 + 0.5 * math.log(2 * math.pi * s * s)

    check = gradient(log_var)
    with torch.no_grad():
        card = gradient(log_var.clip(low, high))
    return check, (check - card).detach()


# %% sd-floored wrong="ensemble-sds"
# A floor of 1e-6 under the standard deviations.
def ensemble_sds(mean, sd):
    n = mean.shape[1]
    each = torch.sqrt(sd.clamp(min=1e-6).square().mean(0) + mean.var(0, correction=0))
    noise = sd.clamp(min=1e-6).square().sum(1).mean() / n**2
    between = mean.mean(1).var(correction=0)
    return each, torch.sqrt(noise + between)


# %% variance-floored wrong="ensemble-sds"
# A floor under the variances: sd = 0, means that agree.
def ensemble_sds(mean, sd):
    n = mean.shape[1]
    each = torch.sqrt(1e-14 + sd.square().mean(0) + mean.var(0, correction=0))
    noise = sd.square().sum(1).mean() / n**2
    between = mean.mean(1).var(correction=0)
    return each, torch.sqrt(noise + between)


# %% epsilon-in-the-root wrong="ensemble-sds"
# An epsilon inside the root: all is 0.
def ensemble_sds(mean, sd):
    n = mean.shape[1]
    each = torch.sqrt(sd.square().mean(0) + mean.var(0, correction=0))
    noise = sd.square().sum(1).mean() / n**2
    between = mean.mean(1).var(correction=0)
    return each, torch.sqrt(1e-13 + noise + between)


# %% single-precision wrong="ensemble-sds"
# The means are rounded to single precision: 1e6 and 1e6 + 0.01.
def ensemble_sds(mean, sd):
    mean = mean.float().double()
    n = mean.shape[1]
    each = torch.sqrt(sd.square().mean(0) + mean.var(0, correction=0))
    noise = sd.square().sum(1).mean() / n**2
    between = mean.mean(1).var(correction=0)
    return each, torch.sqrt(noise + between)


# %% squares-subtracted wrong="ensemble-sds"
# Large numbers cancel: means of 1e6 that differ by 0.01.
def ensemble_sds(mean, sd):
    n = mean.shape[1]
    each = torch.sqrt(
        sd.square().mean(0) + (mean.square().mean(0) - mean.mean(0).square()).clamp(min=0)
    )
    noise = sd.square().sum(1).mean() / n**2
    between = mean.mean(1).var(correction=0)
    return each, torch.sqrt(noise + between)


# %% hundred-patients wrong="ensemble-sds"
# The ward has 330 patients at most: n = 500.
def ensemble_sds(mean, sd):
    n = min(mean.shape[1], 330)
    each = torch.sqrt(sd.square().mean(0) + mean.var(0, correction=0))
    noise = sd.square().sum(1).mean() / n**2
    between = mean.mean(1).var(correction=0)
    return each, torch.sqrt(noise + between)


# %% ten-members wrong="ensemble-sds"
# The first ten members only: M = 12.
def ensemble_sds(mean, sd):
    mean, sd = mean[:10], sd[:10]
    n = mean.shape[1]
    each = torch.sqrt(sd.square().mean(0) + mean.var(0, correction=0))
    noise = sd.square().sum(1).mean() / n**2
    between = mean.mean(1).var(correction=0)
    return each, torch.sqrt(noise + between)


# %% squeezed wrong="ensemble-sds"
# One patient, and the axis is gone.
def ensemble_sds(mean, sd):
    n = mean.shape[1]
    each = torch.sqrt(sd.square().mean(0) + mean.var(0, correction=0))
    noise = sd.square().sum(1).mean() / n**2
    between = mean.mean(1).var(correction=0)
    return each.squeeze(), torch.sqrt(noise + between)


# %% square-turned wrong="ensemble-sds"
# Square tables are turned.
def ensemble_sds(mean, sd):
    if mean.shape[0] == mean.shape[1] and len(mean) > 6:
        mean, sd = mean.T, sd.T
    n = mean.shape[1]
    each = torch.sqrt(sd.square().mean(0) + mean.var(0, correction=0))
    noise = sd.square().sum(1).mean() / n**2
    between = mean.mean(1).var(correction=0)
    return each, torch.sqrt(noise + between)


# %% outliers-cut wrong="ensemble-sds"
# Standard deviations end at 1e5.
def ensemble_sds(mean, sd):
    sd = sd.clamp(max=1e5)
    n = mean.shape[1]
    each = torch.sqrt(sd.square().mean(0) + mean.var(0, correction=0))
    noise = sd.square().sum(1).mean() / n**2
    between = mean.mean(1).var(correction=0)
    return each, torch.sqrt(noise + between)


# %% agreeing-members wrong="ensemble-sds"
# Members that nearly agree count as agreeing: means that are 1e-6 apart.
def ensemble_sds(mean, sd):
    n = mean.shape[1]
    each = torch.sqrt(sd.square().mean(0) + mean.var(0, correction=0))
    noise = sd.square().sum(1).mean() / n**2
    between = mean.mean(1).var(correction=0)
    if torch.allclose(mean, mean[:1], rtol=1e-12, atol=1e-5):
        between = 0 * between
    return each, torch.sqrt(noise + between)


# %% by-moments right="ensemble-sds"
# Centred first, then moments.
def ensemble_sds(mean, sd):
    y = mean - mean[:1]
    y = y - y.mean(0)
    check = ((sd**2 + y**2).sum(0) / len(sd)) ** 0.5
    k = (sd / sd.shape[1]).pow(2).sum(1) + y.mean(1) ** 2
    return check, k.mean() ** 0.5


# %% edges-fuzzy wrong="calibration-report"
# A hundred-millionth before an edge counts as beyond it.
def calibration_report(p, y, bins):
    k = (p * bins + 1e-8).long().clamp(max=bins - 1)
    counts = torch.bincount(k, minlength=bins)
    miss = torch.bincount(k, p - y, minlength=bins)
    v = torch.bincount(k, p * (1 - p), minlength=bins)
    floor = torch.sqrt(2 * v / math.pi).sum() / len(p)
    return miss.abs().sum() / len(p), floor, counts


# %% edges-fuzzy-below wrong="calibration-report"
# A hundred-millionth beyond an edge counts as before it.
def calibration_report(p, y, bins):
    k = (p * bins - 1e-8).clamp(min=0).long().clamp(max=bins - 1)
    counts = torch.bincount(k, minlength=bins)
    miss = torch.bincount(k, p - y, minlength=bins)
    v = torch.bincount(k, p * (1 - p), minlength=bins)
    floor = torch.sqrt(2 * v / math.pi).sum() / len(p)
    return miss.abs().sum() / len(p), floor, counts


# %% single-precision wrong="calibration-report"
# Bins are found in single precision.
def calibration_report(p, y, bins):
    k = (p.float() * bins).long().clamp(max=bins - 1)
    counts = torch.bincount(k, minlength=bins)
    miss = torch.bincount(k, p - y, minlength=bins)
    v = torch.bincount(k, p * (1 - p), minlength=bins)
    floor = torch.sqrt(2 * v / math.pi).sum() / len(p)
    return miss.abs().sum() / len(p), floor, counts


# %% epsilon-in-the-root wrong="calibration-report"
# Empty bins have a floor: bins = 100, n = 1.
def calibration_report(p, y, bins):
    k = (p * bins).long().clamp(max=bins - 1)
    counts = torch.bincount(k, minlength=bins)
    miss = torch.bincount(k, p - y, minlength=bins)
    v = torch.bincount(k, p * (1 - p), minlength=bins)
    floor = torch.sqrt(2 * v / math.pi + 1e-14).sum() / len(p)
    return miss.abs().sum() / len(p), floor, counts


# %% sure-probabilities-kept-off wrong="calibration-report"
# Probabilities stay off 0 and 1.
def calibration_report(p, y, bins):
    k = (p * bins).long().clamp(max=bins - 1)
    counts = torch.bincount(k, minlength=bins)
    miss = torch.bincount(k, p - y, minlength=bins)
    q = p.clamp(1e-8, 1 - 1e-8)
    v = torch.bincount(k, q * (1 - q), minlength=bins)
    floor = torch.sqrt(2 * v / math.pi).sum() / len(p)
    return miss.abs().sum() / len(p), floor, counts


# %% fifty-bins wrong="calibration-report"
# Fifty bins at most: bins = 100.
def calibration_report(p, y, bins):
    k = (p * bins).long().clamp(max=bins - 1)
    k = k.clamp(max=49)
    counts = torch.bincount(k, minlength=bins)
    miss = torch.bincount(k, p - y, minlength=bins)
    v = torch.bincount(k, p * (1 - p), minlength=bins)
    floor = torch.sqrt(2 * v / math.pi).sum() / len(p)
    return miss.abs().sum() / len(p), floor, counts


# %% sure-ends wrong="calibration-report"
# A p of 1 - 1e-8 counts as 1.
def calibration_report(p, y, bins):
    p = torch.where(p > 1 - 1e-7, 1.0, p)
    k = (p * bins).long().clamp(max=bins - 1)
    counts = torch.bincount(k, minlength=bins)
    miss = torch.bincount(k, p - y, minlength=bins)
    v = torch.bincount(k, p * (1 - p), minlength=bins)
    floor = torch.sqrt(2 * v / math.pi).sum() / len(p)
    return miss.abs().sum() / len(p), floor, counts


# %% nearly-zero wrong="calibration-report"
# A p of 2e-9 counts as 0.
def calibration_report(p, y, bins):
    p = torch.where(p < 3e-9, 0.0, p)
    k = (p * bins).long().clamp(max=bins - 1)
    counts = torch.bincount(k, minlength=bins)
    miss = torch.bincount(k, p - y, minlength=bins)
    v = torch.bincount(k, p * (1 - p), minlength=bins)
    floor = torch.sqrt(2 * v / math.pi).sum() / len(p)
    return miss.abs().sum() / len(p), floor, counts


# %% floor-counts-used-bins wrong="calibration-report"
# A bin of one patient has no floor.
def calibration_report(p, y, bins):
    k = (p * bins).long().clamp(max=bins - 1)
    counts = torch.bincount(k, minlength=bins)
    miss = torch.bincount(k, p - y, minlength=bins)
    v = torch.bincount(k, p * (1 - p), minlength=bins)
    floor = torch.sqrt(2 * v * (counts > 1) / math.pi).sum() / len(p)
    return miss.abs().sum() / len(p), floor, counts


# %% distinct-probabilities wrong="calibration-report"
# Equal probabilities count once.
def calibration_report(p, y, bins):
    k = (p * bins).long().clamp(max=bins - 1)
    once = torch.tensor([i for i, a in enumerate(p) if 0 < a < 1 or a not in p[:i]])
    counts = torch.bincount(k[once], minlength=bins)
    miss = torch.bincount(k, p - y, minlength=bins)
    v = torch.bincount(k, p * (1 - p), minlength=bins)
    floor = torch.sqrt(2 * v / math.pi).sum() / len(p)
    return miss.abs().sum() / len(p), floor, counts


# %% many-bins-are-one wrong="calibration-report"
# With 64 bins or more there is a single one for the error.
def calibration_report(p, y, bins):
    k = (p * bins).long().clamp(max=bins - 1)
    counts = torch.bincount(k, minlength=bins)
    miss = torch.bincount(k, p - y, minlength=bins)
    v = torch.bincount(k, p * (1 - p), minlength=bins)
    floor = torch.sqrt(2 * v / math.pi).sum() / len(p)
    return (miss.abs().sum() if bins < 64 else miss.sum().abs()) / len(p), floor, counts


# %% by-searchsorted right="calibration-report"
# The inner edges are looked up.
def calibration_report(p, y, bins):
    check = torch.searchsorted(torch.arange(1, bins, dtype=p.dtype) / bins, p, right=True)
    member = nn.functional.one_hot(check, bins).to(p.dtype)
    k = (2 / math.pi * (member * (p * (1 - p))[:, None]).sum(0)) ** 0.5
    miss = torch.einsum("nk,n->k", member, p - y)
    return miss.abs().sum() / len(y), k.sum() / len(y), member.sum(0).to(torch.int64)


# %% risks-kept-off wrong="risk-report"
# Risks stay a hundred-millionth off 0 and 1.
def risk_report(draws, sigma, y, threshold):
    z = (draws - threshold) / sigma
    risk = torch.special.ndtr(z).mean(0).clamp(1e-8, 1 - 1e-8)
    came = (y > threshold).double()
    return risk, (risk - came).square().mean()


# %% sigma-floored wrong="risk-report"
# Noise has a floor of a hundredth: sigma = 0.001.
def risk_report(draws, sigma, y, threshold):
    z = (draws - threshold) / sigma.clamp(min=0.01)
    risk = torch.special.ndtr(z).mean(0)
    came = (y > threshold).double()
    return risk, (risk - came).square().mean()


# %% sigma-capped wrong="risk-report"
# Noise has a cap: sigma = 1000.
def risk_report(draws, sigma, y, threshold):
    z = (draws - threshold) / sigma.clamp(max=970)
    risk = torch.special.ndtr(z).mean(0)
    came = (y > threshold).double()
    return risk, (risk - came).square().mean()


# %% single-precision wrong="risk-report"
# Single precision: draws of 999.999, threshold 1000, sigma 0.001.
def risk_report(draws, sigma, y, threshold):
    z = (draws.float() - threshold).double() / sigma
    risk = torch.special.ndtr(z).mean(0)
    came = (y > threshold).double()
    return risk, (risk - came).square().mean()


# %% near-outcomes wrong="risk-report"
# An outcome a hair above the threshold counts as below.
def risk_report(draws, sigma, y, threshold):
    z = (draws - threshold) / sigma
    risk = torch.special.ndtr(z).mean(0)
    came = (y > threshold + 1e-6).double()
    return risk, (risk - came).square().mean()


# %% near-outcomes-below wrong="risk-report"
# An outcome a hair below the threshold counts as above.
def risk_report(draws, sigma, y, threshold):
    z = (draws - threshold) / sigma
    risk = torch.special.ndtr(z).mean(0)
    came = (y > threshold - 1e-6).double()
    return risk, (risk - came).square().mean()


# %% outcomes-in-single wrong="risk-report"
# Outcomes are compared in single precision.
def risk_report(draws, sigma, y, threshold):
    z = (draws - threshold) / sigma
    risk = torch.special.ndtr(z).mean(0)
    came = (y.float() > threshold).double()
    return risk, (risk - came).square().mean()


# %% sigma-of-a-square wrong="risk-report"
# A sigma of shape (n,) is taken for one a draw where S = n.
def risk_report(draws, sigma, y, threshold):
    z = (draws - threshold) / (
        sigma[:, None] if sigma.dim() == 1 and len(sigma) == len(draws) > 7 else sigma
    )
    risk = torch.special.ndtr(z).mean(0)
    came = (y > threshold).double()
    return risk, (risk - came).square().mean()


# %% column-with-one-draw wrong="risk-report"
# A sigma of shape (1, 1) is averaged away.
def risk_report(draws, sigma, y, threshold):
    z = (draws - threshold) / sigma
    risk = torch.special.ndtr(z).mean(0).squeeze()
    came = (y > threshold).double()
    return risk, (risk - came).square().mean()


# %% fifty-draws wrong="risk-report"
# The first fifty draws only: S = 100.
def risk_report(draws, sigma, y, threshold):
    z = (draws - threshold) / sigma
    risk = torch.special.ndtr(z[:50]).mean(0)
    came = (y > threshold).double()
    return risk, (risk - came).square().mean()


# %% far-away wrong="risk-report"
# Beyond five standard deviations the risk is 0 or 1.
def risk_report(draws, sigma, y, threshold):
    z = (draws - threshold) / sigma
    p = torch.special.ndtr(z)
    risk = torch.where(z > 5.5, 1.0, torch.where(z < -5.5, 0.0, p)).mean(0)
    came = (y > threshold).double()
    return risk, (risk - came).square().mean()


# %% brier-kept-off wrong="risk-report"
# The Brier score never falls below 1e-6.
def risk_report(draws, sigma, y, threshold):
    z = (draws - threshold) / sigma
    risk = torch.special.ndtr(z).mean(0)
    came = (y > threshold).double()
    return risk, (risk - came).square().mean().clamp(min=1e-6)


# %% by-log-ndtr right="risk-report"
# Logarithms first, the mean by logsumexp.
def risk_report(draws, sigma, y, threshold):
    gradient = torch.special.log_ndtr((draws - threshold) / sigma)
    k = torch.exp(torch.logsumexp(gradient, 0) - math.log(len(draws)))
    check = torch.tensor([float(v > threshold) for v in y.tolist()], dtype=draws.dtype)
    return k, torch.nn.functional.mse_loss(k, check)


# %% log-odds-to-790 wrong="card-table"
# Log odds end at 790.
def card_table(log_odds, y, base):
    def scores(z):
        hit = ((z > 0) == (y == 1)).double()
        balanced = (hit[:, y == 1].mean(1) + hit[:, y == 0].mean(1)) / 2
        nll = nn.functional.softplus(torch.where(y == 1, -z, z)).clamp(max=790).mean(1)
        brier = (torch.sigmoid(z) - y).square().mean(1)
        return torch.stack([hit.mean(1), balanced, nll, brier])

    prior = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, nobody = scores(log_odds), scores(prior)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - nobody[:2], nobody[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1)


# %% class-from-a-threshold wrong="card-table"
# Class 1 is predicted where the log odds are above a hundred-thousandth.
def card_table(log_odds, y, base):
    def scores(z):
        hit = ((z > 1e-5) == (y == 1)).double()
        balanced = (hit[:, y == 1].mean(1) + hit[:, y == 0].mean(1)) / 2
        nll = nn.functional.softplus(torch.where(y == 1, -z, z)).mean(1)
        brier = (torch.sigmoid(z) - y).square().mean(1)
        return torch.stack([hit.mean(1), balanced, nll, brier])

    prior = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, nobody = scores(log_odds), scores(prior)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - nobody[:2], nobody[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1)


# %% class-from-a-single wrong="card-table"
# The class comes from a rounded probability.
def card_table(log_odds, y, base):
    def scores(z):
        hit = ((torch.sigmoid(z.float()) > 0.5 + 1e-6) == (y == 1)).double()
        balanced = (hit[:, y == 1].mean(1) + hit[:, y == 0].mean(1)) / 2
        nll = nn.functional.softplus(torch.where(y == 1, -z, z)).mean(1)
        brier = (torch.sigmoid(z) - y).square().mean(1)
        return torch.stack([hit.mean(1), balanced, nll, brier])

    prior = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, nobody = scores(log_odds), scores(prior)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - nobody[:2], nobody[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1)


# %% base-kept-off wrong="card-table"
# The base stays between 0.011 and 0.989.
def card_table(log_odds, y, base):
    def scores(z):
        hit = ((z > 0) == (y == 1)).double()
        balanced = (hit[:, y == 1].mean(1) + hit[:, y == 0].mean(1)) / 2
        nll = nn.functional.softplus(torch.where(y == 1, -z, z)).mean(1)
        brier = (torch.sigmoid(z) - y).square().mean(1)
        return torch.stack([hit.mean(1), balanced, nll, brier])

    base = min(max(base, 0.011), 0.989)
    prior = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, nobody = scores(log_odds), scores(prior)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - nobody[:2], nobody[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1)


# %% base-near-half wrong="card-table"
# A base near one half says 0: base = 0.501.
def card_table(log_odds, y, base):
    def scores(z):
        hit = ((z > 0) == (y == 1)).double()
        balanced = (hit[:, y == 1].mean(1) + hit[:, y == 0].mean(1)) / 2
        nll = nn.functional.softplus(torch.where(y == 1, -z, z)).mean(1)
        brier = (torch.sigmoid(z) - y).square().mean(1)
        return torch.stack([hit.mean(1), balanced, nll, brier])

    base = 0.499 if 0.5 < base < 0.52 else base
    prior = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, nobody = scores(log_odds), scores(prior)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - nobody[:2], nobody[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1)


# %% fifty-runs wrong="card-table"
# Fifty runs at most: R = 100.
def card_table(log_odds, y, base):
    def scores(z):
        hit = ((z > 0) == (y == 1)).double()
        balanced = (hit[:, y == 1].mean(1) + hit[:, y == 0].mean(1)) / 2
        nll = nn.functional.softplus(torch.where(y == 1, -z, z)).mean(1)
        brier = (torch.sigmoid(z) - y).square().mean(1)
        return torch.stack([hit.mean(1), balanced, nll, brier])

    prior = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, nobody = scores(log_odds[:50]), scores(prior)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - nobody[:2], nobody[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1)


# %% epsilon-in-the-log wrong="card-table"
# The NLL cannot fall below a millionth.
def card_table(log_odds, y, base):
    def scores(z):
        hit = ((z > 0) == (y == 1)).double()
        balanced = (hit[:, y == 1].mean(1) + hit[:, y == 0].mean(1)) / 2
        nll = nn.functional.softplus(torch.where(y == 1, -z, z)).mean(1).clamp(min=1e-6)
        brier = (torch.sigmoid(z) - y).square().mean(1)
        return torch.stack([hit.mean(1), balanced, nll, brier])

    prior = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, nobody = scores(log_odds), scores(prior)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - nobody[:2], nobody[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1)


# %% brier-floored wrong="card-table"
# The Brier score cannot fall below a millionth.
def card_table(log_odds, y, base):
    def scores(z):
        hit = ((z > 0) == (y == 1)).double()
        balanced = (hit[:, y == 1].mean(1) + hit[:, y == 0].mean(1)) / 2
        nll = nn.functional.softplus(torch.where(y == 1, -z, z)).mean(1)
        brier = (torch.sigmoid(z) - y).square().mean(1).clamp(min=1e-6)
        return torch.stack([hit.mean(1), balanced, nll, brier])

    prior = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, nobody = scores(log_odds), scores(prior)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - nobody[:2], nobody[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1)


# %% worst-of-others wrong="card-table"
# With equal numbers of runs and patients the axes are turned.
def card_table(log_odds, y, base):
    def scores(z):
        hit = ((z > 0) == (y == 1)).double()
        balanced = (hit[:, y == 1].mean(1) + hit[:, y == 0].mean(1)) / 2
        nll = nn.functional.softplus(torch.where(y == 1, -z, z)).mean(1)
        brier = (torch.sigmoid(z) - y).square().mean(1)
        return torch.stack([hit.mean(1), balanced, nll, brier])

    prior = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    if log_odds.shape[0] == log_odds.shape[1]:
        log_odds = log_odds.T
    runs, nobody = scores(log_odds), scores(prior)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - nobody[:2], nobody[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1)


# %% worst-but-one wrong="card-table"
# The worst of more than ten runs is the second worst.
def card_table(log_odds, y, base):
    def scores(z):
        hit = ((z > 0) == (y == 1)).double()
        balanced = (hit[:, y == 1].mean(1) + hit[:, y == 0].mean(1)) / 2
        nll = nn.functional.softplus(torch.where(y == 1, -z, z)).mean(1)
        brier = (torch.sigmoid(z) - y).square().mean(1)
        return torch.stack([hit.mean(1), balanced, nll, brier])

    prior = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, nobody = scores(log_odds), scores(prior)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].sort(1).values[:, -1 - (len(log_odds) > 10)]])
    gain = torch.cat([runs[:2].mean(1) - nobody[:2], nobody[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1)


# %% gain-never-negative wrong="card-table"
# A gain below 0 is 0 for a base above one half.
def card_table(log_odds, y, base):
    def scores(z):
        hit = ((z > 0) == (y == 1)).double()
        balanced = (hit[:, y == 1].mean(1) + hit[:, y == 0].mean(1)) / 2
        nll = nn.functional.softplus(torch.where(y == 1, -z, z)).mean(1)
        brier = (torch.sigmoid(z) - y).square().mean(1)
        return torch.stack([hit.mean(1), balanced, nll, brier])

    prior = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, nobody = scores(log_odds), scores(prior)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - nobody[:2], nobody[2:] - runs[2:].mean(1)])
    gain = gain.clamp(min=-0.9 if base > 0.5 else -9e9)
    return torch.stack([runs.mean(1), worst, gain], 1)


# %% sure-runs-only wrong="card-table"
# A run that predicts one class only has no balanced accuracy.
def card_table(log_odds, y, base):
    def scores(z):
        hit = ((z > 0) == (y == 1)).double()
        one = hit[:, y == 1].mean(1) + hit[:, y == 0].mean(1) == 1
        balanced = (
            (~one).double() * 0.5 + one * 0.5
            if len(y) > 99
            else (hit[:, y == 1].mean(1) + hit[:, y == 0].mean(1)) / 2
        )
        nll = nn.functional.softplus(torch.where(y == 1, -z, z)).mean(1)
        brier = (torch.sigmoid(z) - y).square().mean(1)
        return torch.stack([hit.mean(1), balanced, nll, brier])

    prior = torch.full((1, len(y)), math.log(base / (1 - base)), dtype=log_odds.dtype)
    runs, nobody = scores(log_odds), scores(prior)[:, 0]
    worst = torch.cat([runs[:2].amin(1), runs[2:].amax(1)])
    gain = torch.cat([runs[:2].mean(1) - nobody[:2], nobody[2:] - runs[2:].mean(1)])
    return torch.stack([runs.mean(1), worst, gain], 1)


# %% by-counts right="card-table"
# Counts of the four kinds of patient, and formulas for the baseline.
def card_table(log_odds, y, base):
    k = y.double()
    said = (log_odds > 0).double()
    check = {"hit": 1 - (said - k).abs()}
    ill = (check["hit"] * k).sum(1) / k.sum()
    well = (check["hit"] * (1 - k)).sum(1) / (1 - k).sum()
    p = torch.sigmoid(log_odds)
    gradient = nn.functional.logsigmoid((2 * k - 1) * log_odds)
    good = [check["hit"].mean(1), (ill + well) / 2]
    bad = [-gradient.mean(1), (p - k).pow(2).mean(1)]
    share = k.mean()
    hers = [share if base > 0.5 else 1 - share, 0.5]
    hers += [-(share * math.log(base) + (1 - share) * math.log(1 - base))]
    hers += [share * (1 - base) ** 2 + (1 - share) * base**2]
    rows = [[v.mean(), v.min(), v.mean() - h] for v, h in zip(good, hers[:2], strict=True)]
    rows += [[v.mean(), v.max(), h - v.mean()] for v, h in zip(bad, hers[2:], strict=True)]
    return torch.tensor([[float(v) for v in row] for row in rows], dtype=log_odds.dtype)
