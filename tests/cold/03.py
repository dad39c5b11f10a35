# %% safe-where right="discrete-kl"
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("rows must sum to 1")
    used = p > 0
    safe_p = torch.where(used, p, torch.ones_like(p))
    safe_q = torch.where(used, q, torch.ones_like(q))
    return (safe_p * (safe_p.log() - safe_q.log())).sum(-1)


# %% row-by-row right="discrete-kl"
def kl_nats(p, q):
    def check(rows):
        for total in rows.sum(-1).flatten().tolist():
            if abs(total - 1) > 1e-4:
                raise ValueError(f"a row sums to {total}")

    check(p)
    check(q)
    k = p.shape[-1]
    terms = []
    for a, b in zip(p.reshape(-1, k), q.reshape(-1, k)):
        keep = a.nonzero().flatten()
        terms.append((a[keep] * torch.log(a[keep])).sum() - (a[keep] * torch.log(b[keep])).sum())
    if not terms:
        return q.sum(-1)
    return torch.stack(terms).reshape(p.shape[:-1])


# %% floor-under-q wrong="discrete-kl"
# Positive q below 1e-30 are lifted: p = (0.5, 0.5), q = (1, 1e-200) gives 33.8 instead of 229.6.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("rows must sum to 1")
    used = p > 0
    q = torch.where(q > 0, q.clamp_min(1e-30), q)
    safe_p = torch.where(used, p, torch.ones_like(p))
    safe_q = torch.where(used, q, torch.ones_like(q))
    return (safe_p * (safe_p.log() - safe_q.log())).sum(-1)


# %% built-in wrong="discrete-kl"
# Multiplies 0 by log 0: p = (1, 0), q = (1, 0) gives nan instead of 0.
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("rows must sum to 1")
    return F.kl_div(q.log(), p, reduction="none").sum(-1)


# %% where-outside wrong="discrete-kl"
# Value right, gradient nan where p and q are both 0: p = (0.4, 0.6, 0), q = (0.7, 0.3, 0).
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("rows must sum to 1")
    terms = p * (p.log() - q.log())
    return torch.where(p > 0, terms, torch.zeros_like(terms)).sum(-1)


# %% only-q-refused wrong="discrete-kl"
# The rows of p are not looked at: p = (0.5, 0.8), q = (0.5, 0.5) raises nothing.
def kl_nats(p, q):
    if ((q.sum(-1) - 1).abs() > 1e-4).any():
        raise ValueError("rows must sum to 1")
    used = p > 0
    safe_p = torch.where(used, p, torch.ones_like(p))
    safe_q = torch.where(used, q, torch.ones_like(q))
    return (safe_p * (safe_p.log() - safe_q.log())).sum(-1)


# %% inverse-and-slogdet right="diagonal-fits"
def diagonal_fits(cov):
    forward = cov.diagonal().clone()
    reverse = 1 / torch.linalg.inv(cov).diagonal()
    logdet = torch.linalg.slogdet(cov)[1]
    kl_forward = (forward.log().sum() - logdet) / 2
    kl_reverse = (logdet - reverse.log().sum()) / 2
    return forward, reverse, kl_forward, kl_reverse


# %% correlation-cholesky right="diagonal-fits"
def diagonal_fits(cov):
    variances = torch.diagonal(cov)
    sd = variances.sqrt()
    corr = cov / sd[:, None] / sd[None, :]
    factor = torch.linalg.cholesky(corr)
    eye = torch.eye(len(cov), dtype=cov.dtype)
    half = torch.linalg.solve_triangular(factor, eye, upper=False)
    inflation = (half**2).sum(0)
    log_det = 2 * factor.diagonal().log().sum()
    return (
        variances * 1.0,
        variances / inflation,
        -0.5 * log_det,
        0.5 * (log_det + inflation.log().sum()),
    )


# %% scaled-determinant wrong="diagonal-fits"
# The determinant of cov / mean variance underflows all the same: cov = diag of 90 times 1e-6 and
# 10 times 1 gives an infinite kl_forward instead of 0.
def diagonal_fits(cov):
    forward = cov.diagonal().clone()
    reverse = 1 / torch.linalg.inv(cov).diagonal()
    scale = forward.mean()
    logdet = torch.log(torch.linalg.det(cov / scale)) + len(cov) * scale.log()
    return forward, reverse, (forward.log().sum() - logdet) / 2, (logdet - reverse.log().sum()) / 2


# %% jitter wrong="diagonal-fits"
# Adds 1e-10 to the diagonal: cov = 1e-10 * [[2, 0.9], [0.9, 1]] gives reverse = 1.9e-10, not
# 1.19e-10.
def diagonal_fits(cov):
    forward = cov.diagonal().clone()
    safe = cov + 1e-10 * torch.eye(len(cov), dtype=cov.dtype)
    reverse = 1 / torch.linalg.inv(safe).diagonal()
    logdet = torch.linalg.slogdet(safe)[1]
    return forward, reverse, (forward.log().sum() - logdet) / 2, (logdet - reverse.log().sum()) / 2


# %% single-precision-inverse wrong="diagonal-fits"
# The inverse is taken in float32: cov = [[1, 1 - 3e-6], [1 - 3e-6, 1]] is off by some
# tenths of a percent.
def diagonal_fits(cov):
    forward = cov.diagonal().clone()
    reverse = 1 / torch.linalg.inv(cov.float()).diagonal().double()
    logdet = torch.linalg.slogdet(cov)[1]
    return forward, reverse, (forward.log().sum() - logdet) / 2, (logdet - reverse.log().sum()) / 2


# %% squeezed-variances wrong="diagonal-fits"
# With d = 1, cov = [[2.0]], the variances come with shape () instead of (1,).
def diagonal_fits(cov):
    forward = cov.diagonal().clone().squeeze()
    reverse = (1 / torch.linalg.inv(cov).diagonal()).squeeze()
    logdet = torch.linalg.slogdet(cov)[1]
    return forward, reverse, (forward.log().sum() - logdet) / 2, (logdet - reverse.log().sum()) / 2


# %% expm1 right="kl-from-draws"
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    root = math.sqrt(len(log_r))
    positive = torch.expm1(log_r) - log_r
    return (
        -log_r.mean(0),
        log_r.std(0) / root,
        positive.mean(0),
        positive.std(0, unbiased=True) / root,
    )


# %% series-and-two-passes right="kl-from-draws"
def kl_from_draws(log_q, log_p):
    def summary(y):
        n = y.shape[0]
        k = y.sum(0) / n
        return k, torch.sqrt(((y - k) ** 2).sum(0) / (n - 1) / n)

    gap = log_q - log_p
    small = gap.abs() < 1e-2
    g = torch.where(small, gap, torch.zeros_like(gap))
    series = g**2 / 2 * (1 - g / 3 * (1 - g / 4 * (1 - g / 5 * (1 - g / 6))))
    terms = torch.where(small, series, torch.exp(-gap) - 1 + gap)
    return summary(gap) + summary(terms)


# %% clamped-ratio wrong="kl-from-draws"
# log r is held within 50: log_q = (-1, -1), log_p = (99, -1) has a plain of -25, not -50.
def kl_from_draws(log_q, log_p):
    log_r = (log_p - log_q).clamp(-50, 50)
    root = math.sqrt(len(log_r))
    positive = torch.expm1(log_r) - log_r
    return -log_r.mean(0), log_r.std(0) / root, positive.mean(0), positive.std(0) / root


# %% one-pass-variance wrong="kl-from-draws"
# Mean of squares minus squared mean cancels: log_q = (0, 0, 0), log_p = (-300, -300.000001,
# -300.000002) gives an error of 0 instead of 5.8e-7.
def kl_from_draws(log_q, log_p):
    def error(terms):
        n = len(terms)
        spread = ((terms**2).mean(0) - terms.mean(0) ** 2).clamp_min(0) * n / (n - 1)
        return (spread / n).sqrt()

    log_r = log_p - log_q
    positive = torch.expm1(log_r) - log_r
    return -log_r.mean(0), error(log_r), positive.mean(0), error(positive)


# %% squeezed-pairs wrong="kl-from-draws"
# For m = 1, log_q of shape (3, 1), all four results have shape () instead of (1,).
def kl_from_draws(log_q, log_p):
    log_r = (log_p - log_q).squeeze()
    root = math.sqrt(len(log_q))
    positive = torch.expm1(log_r) - log_r
    return -log_r.mean(0), log_r.std(0) / root, positive.mean(0), positive.std(0) / root


# %% plain-exp-in-error wrong="kl-from-draws"
# The positive error is made from exp(log r) - 1: for log_q = (-1, -1.5, -3) and log_p = log_q +
# (3e-8, -2e-8, 5e-8) it is off by 6 percent.
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    root = math.sqrt(len(log_r))
    positive = torch.expm1(log_r) - log_r
    error = ((log_r.exp() - 1) - log_r).std(0) / root
    return -log_r.mean(0), log_r.std(0) / root, positive.mean(0), error


# %% built-target right="prior-smoothing"
def prior_smoothing(logits, y, prior, eps):
    onehot = F.one_hot(y, logits.shape[1]).to(logits.dtype)
    target = (1 - eps) * onehot + eps * prior
    loss = -(target * logits.log_softmax(1)).sum(1).mean()
    entropy = -torch.xlogy(target, target).sum(1).mean()
    return loss, loss - entropy


# %% example-by-example right="prior-smoothing"
def prior_smoothing(logits, y, prior, eps):
    n, k = logits.shape
    losses, floors = [], []
    for row, label in zip(logits, y.tolist()):
        surprise = torch.logsumexp(row, 0) - row
        losses.append((1 - eps) * surprise[label] + eps * (prior * surprise).sum())
        floor = 0.0
        for j in range(k):
            t = eps * float(prior[j]) + (1 - eps if j == label else 0)
            floor -= t * math.log(t) if t > 0 else 0.0
        floors.append(floor)
    loss = torch.stack(losses).mean()
    return loss, loss.detach() - math.fsum(floors) / n


# %% masked-by-prior wrong="prior-smoothing"
# Entropy only where the prior is positive: y = (2,), prior = (0.7, 0.3, 0), eps = 0.2 misses the
# label's own term, so that excess is too large by 0.18.
def prior_smoothing(logits, y, prior, eps):
    onehot = F.one_hot(y, logits.shape[1]).to(logits.dtype)
    target = (1 - eps) * onehot + eps * prior
    loss = -(target * logits.log_softmax(1)).sum(1).mean()
    terms = torch.where(prior > 0, torch.xlogy(target, target), torch.zeros_like(target))
    return loss, loss + terms.sum(1).mean()


# %% floor-under-log wrong="prior-smoothing"
# Log-probabilities stop at -2000: logits = ((0, 10000, 0),), y = (0,) loses four fifths.
def prior_smoothing(logits, y, prior, eps):
    onehot = F.one_hot(y, logits.shape[1]).to(logits.dtype)
    target = (1 - eps) * onehot + eps * prior
    loss = -(target * logits.log_softmax(1).clamp_min(-2000)).sum(1).mean()
    entropy = -torch.xlogy(target, target).sum(1).mean()
    return loss, loss - entropy


# %% default-smoothing wrong="prior-smoothing"
# eps = 0 is taken for "not given" and becomes 0.1: any logits, e.g. ((2, -1, 0.5),), y = (0,).
def prior_smoothing(logits, y, prior, eps):
    eps = eps or 0.1
    onehot = F.one_hot(y, logits.shape[1]).to(logits.dtype)
    target = (1 - eps) * onehot + eps * prior
    loss = -(target * logits.log_softmax(1)).sum(1).mean()
    entropy = -torch.xlogy(target, target).sum(1).mean()
    return loss, loss - entropy


# %% repaired-prior wrong="prior-smoothing"
# Writes into its input: prior = (0.7, 0.3, 0) holds 1e-15 in its last place afterwards.
def prior_smoothing(logits, y, prior, eps):
    prior[prior == 0] = 1e-15
    onehot = F.one_hot(y, logits.shape[1]).to(logits.dtype)
    target = (1 - eps) * onehot + eps * prior
    loss = -(target * logits.log_softmax(1)).sum(1).mean()
    entropy = -torch.xlogy(target, target).sum(1).mean()
    return loss, loss - entropy


# %% batchmean right="distillation"
def distillation_loss(student, teacher, y, T, alpha):
    labelled = (y != -100).sum().clamp_min(1)
    hard = F.cross_entropy(student, y, reduction="sum", ignore_index=-100) / labelled
    soft = F.kl_div(
        F.log_softmax(student / T, 1),
        F.log_softmax(teacher.detach() / T, 1),
        reduction="batchmean",
        log_target=True,
    )
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% one-example-at-a-time right="distillation"
def distillation_loss(student, teacher, y, T, alpha):
    def log_softmax(z):
        return z - torch.logsumexp(z, -1, keepdim=True)

    with torch.no_grad():
        log_t = log_softmax(teacher / T)
    hard, soft = [], []
    for s, t, k in zip(student, log_t, y.tolist()):
        if k >= 0:
            hard.append(-log_softmax(s)[k])
        soft.append((t.exp() * (t - log_softmax(s / T))).sum())
    loss = alpha * T * T * sum(soft) / len(soft)
    if hard:
        loss = loss + (1 - alpha) * sum(hard) / len(hard)
    return loss


# %% no-label-at-all wrong="distillation"
# Without any label, y = (-100, -100), the first mean is 0 / 0, and the loss nan.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y)
    soft = F.kl_div(
        F.log_softmax(student / T, 1),
        F.log_softmax(teacher.detach() / T, 1),
        reduction="batchmean",
        log_target=True,
    )
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% log-of-student-softmax wrong="distillation"
# The student's softmax underflows: student = ((5000, 0, 0),), teacher = ((0, 1, 2),), T = 1 gives
# an infinite loss instead of 4549 for alpha = 1.
def distillation_loss(student, teacher, y, T, alpha):
    labelled = (y != -100).sum().clamp_min(1)
    hard = F.cross_entropy(student, y, reduction="sum") / labelled
    soft = F.kl_div(
        F.softmax(student / T, 1).log(),
        F.softmax(teacher.detach() / T, 1),
        reduction="batchmean",
    )
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% temperature-floor wrong="distillation"
# Temperatures below 1 are raised to 1: T = 0.5 shows it with any logits that differ.
def distillation_loss(student, teacher, y, T, alpha):
    T = max(T, 1.0)
    labelled = (y != -100).sum().clamp_min(1)
    hard = F.cross_entropy(student, y, reduction="sum") / labelled
    soft = F.kl_div(
        F.log_softmax(student / T, 1),
        F.log_softmax(teacher.detach() / T, 1),
        reduction="batchmean",
        log_target=True,
    )
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% labels-overwritten wrong="distillation"
# Right value, but y = (1, -100) is (1, 0) afterwards.
def distillation_loss(student, teacher, y, T, alpha):
    known = (y != -100).to(student.dtype)
    y[y == -100] = 0
    each = F.cross_entropy(student, y, reduction="none")
    hard = (known * each).sum() / known.sum().clamp_min(1)
    soft = F.kl_div(
        F.log_softmax(student / T, 1),
        F.log_softmax(teacher.detach() / T, 1),
        reduction="batchmean",
        log_target=True,
    )
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% masked-sum right="text-cost"
def text_cost(nll, lengths, characters):
    inside = torch.arange(nll.shape[1]) < lengths[:, None]
    total = torch.where(inside, nll, torch.zeros_like(nll)).sum()
    return torch.exp(total / lengths.sum()), total / math.log(2) / characters.sum()


# %% text-by-text right="text-cost"
def text_cost(nll, lengths, characters):
    costs = [row[:k] for row, k in zip(nll, lengths.tolist())]
    y = torch.cat(costs)
    perplexity = y.mean().exp()
    bits = (y / math.log(2)).sum() / sum(characters.tolist())
    return perplexity, bits


# %% infinities-dropped wrong="text-cost"
# A token that was ruled out costs nothing: nll = ((inf, 1),), lengths = (2,) must be infinite.
def text_cost(nll, lengths, characters):
    inside = torch.arange(nll.shape[1]) < lengths[:, None]
    total = (torch.nan_to_num(nll, nan=0.0, posinf=0.0, neginf=0.0) * inside).sum()
    return torch.exp(total / lengths.sum()), total / math.log(2) / characters.sum()


# %% product-of-odds wrong="text-cost"
# Multiplies 1 / p before the root: nll = ((900, 0, 0),), lengths = (3,) gives inf, not e^300.
def text_cost(nll, lengths, characters):
    inside = torch.arange(nll.shape[1]) < lengths[:, None]
    costs = torch.where(inside, nll, torch.zeros_like(nll))
    perplexity = costs.exp().prod() ** (1 / lengths.sum())
    return perplexity, costs.sum() / math.log(2) / characters.sum()


# %% empty-text-counted wrong="text-cost"
# Sums up to place lengths - 1, at least 0: of a text with length 0 the first entry counts, nll =
# ((1, 2), (9, 9)), lengths = (2, 0).
def text_cost(nll, lengths, characters):
    last = (lengths - 1).clamp_min(0)
    total = nll.cumsum(1).gather(1, last[:, None]).sum()
    return torch.exp(total / lengths.sum()), total / math.log(2) / characters.sum()


# %% one-character-at-least wrong="text-cost"
# A text without tokens counts as one character: lengths = (2, 0), characters = (5, 0).
def text_cost(nll, lengths, characters):
    inside = torch.arange(nll.shape[1]) < lengths[:, None]
    total = torch.where(inside, nll, torch.zeros_like(nll)).sum()
    letters = characters.clamp_min(1).sum()
    return torch.exp(total / lengths.sum()), total / math.log(2) / letters
