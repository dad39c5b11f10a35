# %% two-wheres right="discrete-kl"
def kl_nats(p, q):
    for rows in (p, q):
        if ((rows.sum(-1) - 1).abs() > 1e-4).any():
            raise ValueError("a row does not sum to 1")
    happens = p > 0
    one = torch.ones_like(p)
    ratio = torch.where(happens, p, one).log() - torch.where(happens, q, one).log()
    return (p * ratio).sum(-1)


# %% only-what-happens right="discrete-kl"
def check(rows):
    for total in rows.detach().double().sum(dim=1).tolist():
        if not -1e-4 <= total - 1 <= 1e-4:
            raise ValueError(f"a row sums to {total}")


def kl_nats(p, q):
    k = p.shape[-1]
    flat_p, flat_q = p.reshape(-1, k), q.reshape(-1, k)
    check(flat_p)
    check(flat_q)
    y = [q.new_zeros(())] * len(flat_p)
    for i, (row_p, row_q) in enumerate(zip(flat_p, flat_q)):
        keep = row_p.nonzero()[:, 0]
        a, b = row_p[keep], row_q[keep]
        y[i] = torch.dot(a, a.log() - b.log())
    if not y:
        return q.sum(-1)
    return torch.stack(y).reshape(p.shape[:-1])


# %% small-q-floored wrong="discrete-kl"
# q is floored at 1e-12: p = [0.5, 0.5], q = [1e-100, 1.0] gives 13.1 instead of 114.4.
def kl_nats(p, q):
    if ((p.sum(-1) - 1).abs() > 1e-4).any() or ((q.sum(-1) - 1).abs() > 1e-4).any():
        raise ValueError("a row does not sum to 1")
    terms = torch.xlogy(p, p) - p * q.clamp(min=1e-12).log()
    terms = torch.where((p > 0) & (q == 0), math.inf, terms)
    return terms.sum(-1)


# %% gradient-of-nothing wrong="discrete-kl"
# The gradient is nan where both are 0: p = [0.4, 0.6, 0], q = [0.7, 0.3, 0].
def kl_nats(p, q):
    if ((p.sum(-1) - 1).abs() > 1e-4).any() or ((q.sum(-1) - 1).abs() > 1e-4).any():
        raise ValueError("a row does not sum to 1")
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(-1)


# %% sums-that-are-too-small wrong="discrete-kl"
# Only sums above 1 are refused: p = [0.5, 0.5], q = [0.2, 0.2] raises nothing.
def kl_nats(p, q):
    if p.sum(-1).gt(1 + 1e-4).any() or q.sum(-1).gt(1 + 1e-4).any():
        raise ValueError("a row does not sum to 1")
    happens = p > 0
    q = q.masked_fill(~happens, 1.0)
    return (torch.xlogy(p, p) - p * q.log()).sum(-1)


# %% normalised-first wrong="discrete-kl"
# The rows of p are divided by their sums: p = [1.00009], q = [1.0] gives 0 instead of 9e-5; also
# p = [0.50004, 0.50004], q = [0.5, 0.5] gives 0 instead of 8.0e-5.
def kl_nats(p, q):
    if any(((rows.sum(-1) - 1).abs() > 1e-4).any() for rows in (p, q)):
        raise ValueError("a row does not sum to 1")
    p = p / p.sum(-1, keepdim=True)
    q = torch.where(p > 0, q, torch.ones_like(q))
    return (torch.xlogy(p, p) - p * q.log()).sum(-1)


# %% cholesky-factor right="diagonal-fits"
def diagonal_fits(cov):
    factor = torch.linalg.cholesky(cov)
    eye = torch.eye(len(cov), dtype=cov.dtype)
    half = torch.linalg.solve_triangular(factor, eye, upper=False)
    precision = half.square().sum(0)
    log_det = 2 * factor.diagonal().log().sum()
    variances = cov.diagonal().clone()
    kl_forward = (variances.log().sum() - log_det) / 2
    kl_reverse = (precision.log().sum() + log_det) / 2
    return variances, 1 / precision, kl_forward, kl_reverse


# %% variances-held-fixed right="diagonal-fits"
# At the best fit the divergence does not change with the variances, so they need no gradient.
def diagonal_fits(cov):
    def gradient(a_diag, b):
        k = len(b)
        ratio = torch.linalg.solve(b, torch.diag(a_diag)).trace() - k
        return (ratio + torch.linalg.slogdet(b).logabsdet - a_diag.log().sum()) / 2

    forward = torch.diagonal(cov)
    reverse = torch.linalg.inv(cov).diagonal().reciprocal()
    y = (forward.log().sum() - torch.linalg.slogdet(cov)[1]) / 2
    return forward, reverse, y, gradient(reverse.detach(), cov)


# %% a-little-jitter wrong="diagonal-fits"
# 1e-12 is added to the diagonal: cov = 1e-10 * [[1, 0.999], [0.999, 1]] + 1e-13 * eye; also
# cov = 1e-10 * eye(2) gives a reverse of 1.01e-10.
def diagonal_fits(cov):
    cov = cov + 1e-12 * torch.eye(len(cov), dtype=cov.dtype)
    log_det = torch.linalg.slogdet(cov).logabsdet
    forward = cov.diagonal()
    reverse = 1 / torch.linalg.inv(cov).diagonal()
    kl_forward = (forward.log().sum() - log_det) / 2
    return forward, reverse, kl_forward, (log_det - reverse.log().sum()) / 2


# %% eigenvectors-that-coincide wrong="diagonal-fits"
# The gradient through eigenvectors is nan at equal eigenvalues: cov = 2 * eye(3), or
# cov = s * block_diag(c, c) with respect to s, for c = [[1, 0.3], [0.3, 1]].
def diagonal_fits(cov):
    values, vectors = torch.linalg.eigh(cov)
    log_det = values.log().sum()
    forward = cov.diagonal()
    reverse = 1 / (vectors.square() / values).sum(1)
    kl_forward = (forward.log().sum() - log_det) / 2
    return forward, reverse, kl_forward, (log_det - reverse.log().sum()) / 2


# %% determinant-of-the-scaled wrong="diagonal-fits"
# The determinant of cov / (its mean variance) still underflows: cov = diag(1, 1e-6, ..., 1e-6)
# with d = 100 gives infinite divergences instead of 0.
def diagonal_fits(cov):
    scale = cov.diagonal().mean()
    log_det = torch.linalg.det(cov / scale).log() + len(cov) * scale.log()
    forward = cov.diagonal()
    reverse = 1 / torch.linalg.inv(cov).diagonal()
    kl_forward = (forward.log().sum() - log_det) / 2
    return forward, reverse, kl_forward, (log_det - reverse.log().sum()) / 2


# %% one-weight-squeezed wrong="diagonal-fits"
# With d = 1 the variances lose their axis: cov = [[2.0]] gives 0-d instead of shape (1,).
def diagonal_fits(cov):
    log_det = torch.logdet(cov)
    forward = cov.diagonal().squeeze()
    reverse = (1 / torch.linalg.inv(cov).diagonal()).squeeze()
    kl_forward = (forward.log().sum() - log_det) / 2
    return forward, reverse, kl_forward, (log_det - reverse.log().sum()) / 2


# %% expm1 right="kl-from-draws"
def kl_from_draws(log_q, log_p):
    gap = log_p - log_q
    results = []
    for terms in (-gap, torch.expm1(gap) - gap):
        results += [terms.mean(0), terms.std(0) / math.sqrt(len(terms))]
    return tuple(results)


# %% series-and-numpy right="kl-from-draws"
def kl_from_draws(log_q, log_p):
    import numpy as np

    def k(d):
        small = np.abs(d) < 0.1
        x = np.where(small, d, 0.0)
        series = np.zeros_like(x)
        for j in range(16, 1, -1):
            series = (series + 1 / math.factorial(j)) * (x if j > 2 else x * x)
        big = np.where(small, 1.0, d)
        return np.where(small, series, np.exp(big) - 1 - big)

    def y(terms):
        n = terms.shape[0]
        mean = terms.sum(axis=0) / n
        spread = np.sqrt(((terms - mean) ** 2).sum(axis=0) / (n - 1) / n)
        return torch.as_tensor(mean), torch.as_tensor(spread)

    d = log_p.detach().numpy() - log_q.detach().numpy()
    return y(-d) + y(k(d))


# %% parabola-too-far wrong="kl-from-draws"
# Half the square stands in for gaps up to 0.01: log_p - log_q = [0.009, 0.008] is off by 0.3%.
def kl_from_draws(log_q, log_p):
    gap = log_p - log_q
    terms = torch.where(gap.abs() < 0.01, gap.square() / 2, gap.exp() - 1 - gap)
    root = math.sqrt(gap.shape[0])
    return -gap.mean(0), gap.std(0) / root, terms.mean(0), terms.std(0) / root


# %% ratio-kept-in-bounds wrong="kl-from-draws"
# Gaps are cut at 50: log_p - log_q = [300, 0.1] gives a third result of 2.6e21, not 9.7e129.
def kl_from_draws(log_q, log_p):
    gap = log_p - log_q
    terms = torch.expm1(gap.clamp(max=50.0)) - gap
    root = math.sqrt(gap.shape[0])
    return -gap.mean(0), gap.std(0) / root, terms.mean(0), terms.std(0) / root


# %% mean-square-minus-square wrong="kl-from-draws"
# The variance cancels: log_q - log_p = [250, 250 + 1e-6, 250 + 3e-6] gives no digit of the error.
def kl_from_draws(log_q, log_p):
    gap = log_p - log_q
    n = gap.shape[0]

    def spread(terms):
        variance = terms.square().mean(0) - terms.mean(0).square()
        return (variance.clamp(min=0) / (n - 1)).sqrt()

    terms = torch.expm1(gap) - gap
    return -gap.mean(0), spread(gap), terms.mean(0), spread(terms)


# %% one-pair-squeezed wrong="kl-from-draws"
# Shape (n, 1) gives 0-d results instead of shape (1,): log_q = [[-1.0], [-2.0]].
def kl_from_draws(log_q, log_p):
    gap = (log_p - log_q).squeeze()
    terms = torch.expm1(gap) - gap
    root = math.sqrt(gap.shape[0])
    return -gap.mean(0), gap.std(0) / root, terms.mean(0), terms.std(0) / root


# %% targets-and-entropy right="prior-smoothing"
def prior_smoothing(logits, y, prior, eps):
    onehot = F.one_hot(y, logits.shape[1]).to(logits.dtype)
    targets = eps * prior + (1 - eps) * onehot
    loss = F.cross_entropy(logits, targets)
    return loss, loss - torch.special.entr(targets).sum(1).mean()


# %% two-losses-and-a-loop right="prior-smoothing"
def prior_smoothing(logits, y, prior, eps):
    k = prior.numel()
    log_p = logits - logits.logsumexp(dim=1, keepdim=True)
    own = -log_p.gather(1, y[:, None]).sum() / len(y)
    common = -(log_p @ prior).sum() / len(y)
    loss = (1 - eps) * own + eps * common

    def gradient(label):
        parts = [eps * float(prior[j]) + (1 - eps) * (j == label) for j in range(k)]
        return -math.fsum(t * math.log(t) for t in parts if t > 0)

    floor = math.fsum(gradient(label) for label in y.tolist()) / len(y)
    return loss, loss.detach() - floor


# %% shifted-by-the-mean wrong="prior-smoothing"
# The exponent may overflow: logits = [[1e4, 0, 0]], y = [0], eps = 0.2 gives inf.
def prior_smoothing(logits, y, prior, eps):
    onehot = F.one_hot(y, logits.shape[1]).to(logits.dtype)
    targets = eps * prior + (1 - eps) * onehot
    shifted = logits - logits.mean(1, keepdim=True)
    log_p = shifted - shifted.exp().sum(1, keepdim=True).log()
    loss = -(targets * log_p).sum(1).mean()
    return loss, loss + torch.xlogy(targets, targets).sum(1).mean()


# %% floor-where-the-prior-is wrong="prior-smoothing"
# The floor skips classes of prior 0, even if they are the label: prior = [0.7, 0.3, 0],
# y = [2], eps = 0.5; and it is nan for eps = 0.
def prior_smoothing(logits, y, prior, eps):
    onehot = F.one_hot(y, logits.shape[1]).to(logits.dtype)
    targets = eps * prior + (1 - eps) * onehot
    loss = -(targets * logits.log_softmax(1)).sum(1).mean()
    used = targets[:, prior > 0]
    return loss, loss + (used * used.log()).sum(1).mean()


# %% batch-of-one-squeezed wrong="prior-smoothing"
# With one example the sum is divided by K: logits = [[2.0, -1.0, 0.5]], y = [0].
def prior_smoothing(logits, y, prior, eps):
    onehot = F.one_hot(y, logits.shape[1]).to(logits.dtype)
    targets = (eps * prior + (1 - eps) * onehot).squeeze()
    log_p = logits.log_softmax(1).squeeze()
    loss = -(targets * log_p).sum() / len(targets)
    return loss, loss + torch.xlogy(targets, targets).sum() / len(targets)


# %% log-probabilities-floored wrong="prior-smoothing"
# Log-probabilities end at -2000: logits = [[8e3, -8e3, 0]], y = [1] gives 2000, not 16000.
def prior_smoothing(logits, y, prior, eps):
    onehot = F.one_hot(y, logits.shape[1]).to(logits.dtype)
    targets = eps * prior + (1 - eps) * onehot
    log_p = logits.log_softmax(1).clamp(min=-2000.0)
    loss = -(targets * log_p).sum(1).mean()
    return loss, loss + torch.xlogy(targets, targets).sum(1).mean()


# %% batchmean-and-sum right="distillation"
def distillation_loss(student, teacher, y, T, alpha):
    labelled = int((y != -100).sum())
    hard = F.cross_entropy(student, y, reduction="sum") / max(labelled, 1)
    target = F.log_softmax(teacher.detach() / T, dim=1)
    soft = F.kl_div(F.log_softmax(student / T, 1), target, reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% one-example-at-a-time right="distillation"
def distillation_loss(student, teacher, y, T, alpha):
    k = student.shape[1]
    with torch.no_grad():
        log_t = teacher / T - torch.logsumexp(teacher / T, dim=1, keepdim=True)
        weights = log_t.exp()
    hard, soft = [], []
    for i, label in enumerate(y.tolist()):
        row = student[i] / T
        log_s = row - row.logsumexp(0)
        soft.append(sum(weights[i, j] * (log_t[i, j] - log_s[j]) for j in range(k)))
        if label != -100:
            hard.append(student[i].logsumexp(0) - student[i, label])
    gradient = T * T * alpha * sum(soft) / len(soft)
    if hard:
        gradient = gradient + (1 - alpha) * sum(hard) / len(hard)
    return gradient


# %% nobody-has-a-label wrong="distillation"
# Without any label the first mean is nan instead of 0: y = [-100, -100].
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y)
    target = F.softmax(teacher.detach() / T, 1)
    soft = F.kl_div(F.log_softmax(student / T, 1), target, reduction="batchmean")
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% student-floored wrong="distillation"
# The student's probabilities get 1e-30 added before the logarithm: student = [[500.0, 0, 0]],
# teacher = [[0, 5.0, 0]], T = 1, alpha = 1 is about 69 instead of 497.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y >= 0).sum().clamp(min=1)
    target = F.softmax(teacher.detach() / T, 1)
    log_s = (F.softmax(student / T, 1) + 1e-30).log()
    soft = (torch.xlogy(target, target) - target * log_s).sum(1).mean()
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% one-image-squeezed wrong="distillation"
# With one image the divergence is divided by K: student = [[1.0, 0.2, -0.7]], y = [0].
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y, reduction="sum") / (y >= 0).sum().clamp(min=1)
    log_s = F.log_softmax(student / T, 1).squeeze()
    log_t = F.log_softmax(teacher.detach() / T, 1).squeeze()
    soft = F.kl_div(log_s, log_t, reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% some-labels-no-gradient wrong="distillation"
# If a label is missing, the first mean has no gradient: y = [1, -100], alpha = 0.5.
def distillation_loss(student, teacher, y, T, alpha):
    known = y != -100
    if known.all():
        hard = F.cross_entropy(student, y)
    else:
        costs = [F.cross_entropy(student[i], y[i]).item() for i in known.nonzero()[:, 0]]
        hard = sum(costs) / max(len(costs), 1)
    log_s, log_t = F.log_softmax(student / T, 1), F.log_softmax(teacher.detach() / T, 1)
    soft = (log_t.exp() * (log_t - log_s)).sum(1).mean()
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% where-inside right="text-cost"
def text_cost(nll, lengths, characters):
    inside = torch.arange(nll.shape[1]) < lengths[:, None]
    total = torch.where(inside, nll, torch.zeros_like(nll)).sum()
    return (total / lengths.sum()).exp(), total / (math.log(2) * characters.sum())


# %% texts-in-a-row right="text-cost"
def text_cost(nll, lengths, characters):
    def check(text, n):
        return text[:n].tolist()

    y = []
    for i in range(nll.shape[0]):
        y.extend(check(nll[i], int(lengths[i])))
    k = math.fsum(y)
    perplexity = math.exp(k / len(y))
    bits = k * math.log2(math.e) / sum(characters.tolist())
    return (
        torch.tensor(perplexity, dtype=torch.float64),
        torch.tensor(bits, dtype=torch.float64),
    )


# %% padding-overwritten wrong="text-cost"
# The padding of the input is set to 0 in place: nll = [[2.0, 0.7], [0.4, 9.0]], lengths = [2, 1].
def text_cost(nll, lengths, characters):
    nll[torch.arange(nll.shape[1]) >= lengths[:, None]] = 0.0
    total = nll.sum()
    return (total / lengths.sum()).exp(), total / math.log(2) / characters.sum()


# %% text-without-tokens wrong="text-cost"
# A text of length 0 is charged with its whole padding: nll = [[2.0, 0.7], [5.0, 6.0]],
# lengths = [2, 0], characters = [9, 0] gives a perplexity of e**6.85 instead of e**1.35.
def text_cost(nll, lengths, characters):
    sums = nll.cumsum(1)[torch.arange(len(nll)), lengths - 1]
    total = sums.sum()
    return (total / lengths.sum()).exp(), total / math.log(2) / characters.sum()


# %% infinities-forgiven wrong="text-cost"
# A token that was ruled out costs nothing: nll = [[2.0, inf]], lengths = [2] is finite.
def text_cost(nll, lengths, characters):
    inside = torch.arange(nll.shape[1]) < lengths[:, None]
    total = (nll.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0) * inside).sum()
    return (total / lengths.sum()).exp(), total / math.log(2) / characters.sum()


# %% product-of-inverse-probabilities wrong="text-cost"
# The product overflows: 100 tokens of 10 nats give an infinite perplexity instead of e**10.
def text_cost(nll, lengths, characters):
    inside = torch.arange(nll.shape[1]) < lengths[:, None]
    costs = nll[inside]
    perplexity = costs.exp().prod() ** (1 / len(costs))
    return perplexity, costs.sum() / math.log(2) / characters.sum()
