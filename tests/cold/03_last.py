# %% [markdown]
# Answers written from the text alone.


# %% kl-safe-logs right="discrete-kl"
# Replaces p and q by 1 where p is 0, before any logarithm.
def kl_nats(p, q):
    for rows in (p, q):
        if bool(((rows.double().sum(dim=-1) - 1).abs() > 1e-4).any()):
            raise ValueError("a row does not sum to 1")
    counts = p > 0
    safe_p = torch.where(counts, p, torch.ones_like(p))
    safe_q = torch.where(counts, q, torch.ones_like(q))
    return (p * (safe_p.log() - safe_q.log())).sum(dim=-1)


# %% kl-selected-entries right="discrete-kl"
# Picks the entries with p > 0, works on them alone and puts their terms back.
def kl_nats(p, q):
    def off(rows):
        total = rows.to(torch.float64).sum(dim=-1)
        return ((total > 1 + 1e-4) | (total < 1 - 1e-4)).any().item()

    if off(p) or off(q):
        raise ValueError("rows must sum to 1")
    support = p != 0
    some_p, some_q = p[support], q[support]
    terms = torch.xlogy(some_p, some_p) - some_p * some_q.log()
    return torch.zeros_like(p).index_put((support,), terms).sum(dim=-1)


# %% kl-where-on-the-result wrong="discrete-kl"
# Masks the terms only behind the logarithm: values are right, but the gradient with respect to
# q is nan at every outcome with p = 0.
def kl_nats(p, q):
    for rows in (p, q):
        if bool(((rows.double().sum(dim=-1) - 1).abs() > 1e-4).any()):
            raise ValueError("a row does not sum to 1")
    return torch.where(p > 0, p * torch.log(p / q), torch.zeros_like(p)).sum(dim=-1)


# %% kl-tiny-is-zero wrong="discrete-kl"
# Takes p below the machine epsilon for 0: p = 1e-300 with q = 0 should be infinite, and
# p = q = 1e-300 should have the gradient -1.
def kl_nats(p, q):
    for rows in (p, q):
        if bool(((rows.double().sum(dim=-1) - 1).abs() > 1e-4).any()):
            raise ValueError("a row does not sum to 1")
    counts = p > torch.finfo(p.dtype).eps
    safe_p = torch.where(counts, p, torch.ones_like(p))
    safe_q = torch.where(counts, q, torch.ones_like(q))
    terms = p * (safe_p.log() - safe_q.log())
    return torch.where(counts, terms, torch.zeros_like(terms)).sum(dim=-1)


# %% kl-categorical wrong="discrete-kl"
# PyTorch's Categorical clamps probabilities at 2e-16 and normalises: q = 1e-300 with p = 0.5 is
# off by hundreds, and rows that sum to 1.00005 are not used as they are.
def kl_nats(p, q):
    for rows in (p, q):
        if bool(((rows.double().sum(dim=-1) - 1).abs() > 1e-4).any()):
            raise ValueError("a row does not sum to 1")
    first = torch.distributions.Categorical(probs=p, validate_args=False)
    second = torch.distributions.Categorical(probs=q, validate_args=False)
    return torch.distributions.kl_divergence(first, second)


# %% kl-refuses-only-too-much wrong="discrete-kl"
# Forgets the absolute value in the refusal: rows that sum to 0.5 or 0.999 are accepted.
def kl_nats(p, q):
    for rows in (p, q):
        if bool((rows.double().sum(dim=-1) - 1 > 1e-4).any()):
            raise ValueError("a row does not sum to 1")
    counts = p > 0
    safe_p = torch.where(counts, p, torch.ones_like(p))
    safe_q = torch.where(counts, q, torch.ones_like(q))
    return (p * (safe_p.log() - safe_q.log())).sum(dim=-1)


# %% fits-inverse right="diagonal-fits"
# The diagonals of the covariance and of its inverse, with slogdet.
def diagonal_fits(cov):
    forward = cov.diagonal().clone()
    precision = torch.linalg.inv(cov).diagonal()
    log_det = torch.linalg.slogdet(cov).logabsdet
    kl_forward = 0.5 * (forward.log().sum() - log_det)
    kl_reverse = 0.5 * (log_det + precision.log().sum())
    return forward, 1 / precision, kl_forward, kl_reverse


# %% fits-cholesky right="diagonal-fits"
# The columns of the inverse Cholesky factor have the precisions as their squared lengths.
def diagonal_fits(cov):
    factor = torch.linalg.cholesky(cov)
    unit = torch.eye(len(cov), dtype=cov.dtype)
    columns = torch.linalg.solve_triangular(factor, unit, upper=False)
    log_deviations = factor.diagonal().log().sum()
    forward = cov.diagonal().clone()
    reverse = 1 / columns.square().sum(dim=0)
    kl_forward = 0.5 * forward.log().sum() - log_deviations
    kl_reverse = log_deviations - 0.5 * reverse.log().sum()
    return forward, reverse, kl_forward, kl_reverse


# %% fits-eigenvectors wrong="diagonal-fits"
# Goes through eigenvectors: values are right, but the gradient of kl_reverse is nan where two
# eigenvalues are equal, e.g. at the identity.
def diagonal_fits(cov):
    values, vectors = torch.linalg.eigh(cov)
    forward = cov.diagonal().clone()
    precision = (vectors**2 / values).sum(dim=1)
    log_det = values.log().sum()
    kl_forward = 0.5 * (forward.log().sum() - log_det)
    kl_reverse = 0.5 * (log_det + precision.log().sum())
    return forward, 1 / precision, kl_forward, kl_reverse


# %% fits-jitter wrong="diagonal-fits"
# Adds a jitter of 1e-12 before the factorisation: one per cent of an eigenvalue of 1e-10.
def diagonal_fits(cov):
    unit = torch.eye(len(cov), dtype=cov.dtype)
    factor = torch.linalg.cholesky(cov + 1e-12 * unit)
    precision = torch.cholesky_inverse(factor).diagonal()
    log_det = 2 * factor.diagonal().log().sum()
    forward = cov.diagonal().clone()
    kl_forward = 0.5 * (forward.log().sum() - log_det)
    kl_reverse = 0.5 * (log_det + precision.log().sum())
    return forward, 1 / precision, kl_forward, kl_reverse


# %% fits-eight-newton-steps wrong="diagonal-fits"
# Finds the reverse variances by eight Newton steps from the diagonal: not there yet where the
# correlation is strong, e.g. 0.99999 between two weights.
def diagonal_fits(cov):
    forward = cov.diagonal().clone()
    precision = torch.linalg.inv(cov).diagonal()
    log_det = torch.linalg.slogdet(cov).logabsdet
    log_reverse = forward.log()
    for _ in range(8):
        log_reverse = log_reverse - (1 - 1 / (log_reverse.exp() * precision))
    reverse = log_reverse.exp()
    kl_forward = 0.5 * (forward.log().sum() - log_det)
    kl_reverse = 0.5 * ((reverse * precision).sum() - len(cov) + log_det - log_reverse.sum())
    return forward, reverse, kl_forward, kl_reverse


# %% fits-float32-inverse wrong="diagonal-fits"
# Inverts in float32: good to seven digits for a round covariance, off by per cents where the
# largest eigenvalue is a million times the smallest.
def diagonal_fits(cov):
    forward = cov.diagonal().clone()
    precision = torch.linalg.inv(cov.float()).diagonal().double()
    log_det = torch.linalg.slogdet(cov).logabsdet
    kl_forward = 0.5 * (forward.log().sum() - log_det)
    kl_reverse = 0.5 * (log_det + precision.log().sum())
    return forward, 1 / precision, kl_forward, kl_reverse


# %% draws-expm1 right="kl-from-draws"
# expm1 for the terms that are never negative, torch.std for the errors.
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    results = []
    for terms in (-log_r, torch.expm1(log_r) - log_r):
        results += [terms.mean(dim=0), terms.std(dim=0) / math.sqrt(len(terms))]
    return tuple(results)


# %% draws-series right="kl-from-draws"
# A power series for small gaps, the plain formula for others, deviations in two passes.
def kl_from_draws(log_q, log_p):
    gap = log_p - log_q
    series = gap**2 * (1 / 2 + gap * (1 / 6 + gap * (1 / 24 + gap / 120)))
    positive = torch.where(gap.abs() < 1e-3, series, gap.exp() - 1 - gap)

    def average(terms):
        n = terms.shape[0]
        mean = terms.sum(dim=0) / n
        squares = ((terms - mean) ** 2).sum(dim=0)
        return mean, torch.sqrt(squares / (n - 1) / n)

    return *average(-gap), *average(positive)


# %% draws-always-columns wrong="kl-from-draws"
# Makes a matrix of its inputs: for inputs of shape (n,) the results have shape (1,), not 0-d.
def kl_from_draws(log_q, log_p):
    n = len(log_q)
    log_r = (log_p - log_q).reshape(n, -1)
    positive = torch.expm1(log_r) - log_r
    root = math.sqrt(n)
    return -log_r.mean(0), log_r.std(0) / root, positive.mean(0), positive.std(0) / root


# %% draws-one-switch-for-all wrong="kl-from-draws"
# Takes the series only if ALL gaps are small: a pair of models that nearly agree, next to a
# pair that does not (or one large gap among small ones), is lost in exp(d) - 1 - d.
def kl_from_draws(log_q, log_p):
    gap = log_p - log_q
    if gap.abs().max() < 1e-3:
        positive = gap**2 / 2 + gap**3 / 6 + gap**4 / 24 + gap**5 / 120
    else:
        positive = gap.exp() - 1 - gap
    root = math.sqrt(len(gap))
    return -gap.mean(0), gap.std(0) / root, positive.mean(0), positive.std(0) / root


# %% draws-mean-of-squares wrong="kl-from-draws"
# The variance as mean square minus squared mean: cancels where the terms are large and close,
# e.g. all gaps within 1e-6 of 200 (an error of nan, 0 or far too large).
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    n = len(log_r)
    results = []
    for terms in (-log_r, torch.expm1(log_r) - log_r):
        mean = terms.mean(dim=0)
        variance = ((terms**2).mean(dim=0) - mean**2) * n / (n - 1)
        results += [mean, torch.sqrt(variance / n)]
    return tuple(results)


# %% draws-square-too-early wrong="kl-from-draws"
# Half the square for all gaps below 0.01, without the cubic term: off by a third of the gap,
# so by 0.3 per cent near 0.01.
def kl_from_draws(log_q, log_p):
    gap = log_p - log_q
    positive = torch.where(gap.abs() < 1e-2, gap**2 / 2, torch.expm1(gap) - gap)
    root = math.sqrt(len(gap))
    return -gap.mean(0), gap.std(0) / root, positive.mean(0), positive.std(0) / root


# %% smoothing-targets right="prior-smoothing"
# Builds the targets; the excess is the mean divergence of the softmax from them.
def prior_smoothing(logits, y, prior, eps):
    hard = F.one_hot(y, logits.shape[1]).to(logits.dtype)
    target = (1 - eps) * hard + eps * prior
    log_probs = F.log_softmax(logits, dim=1)
    loss = -(target * log_probs).sum(dim=1).mean()
    excess = (torch.xlogy(target, target) - target * log_probs).sum(dim=1).mean()
    return loss, excess


# %% smoothing-two-losses right="prior-smoothing"
# The loss as a mix of two cross-entropies, the floor from a table of entropies by label.
def prior_smoothing(logits, y, prior, eps):
    towards_prior = -(logits.log_softmax(dim=1) * prior).sum(dim=1).mean()
    loss = (1 - eps) * F.cross_entropy(logits, y) + eps * towards_prior
    by_label = (1 - eps) * torch.eye(len(prior), dtype=prior.dtype) + eps * prior
    floors = torch.special.entr(by_label).sum(dim=1)
    return loss, loss - floors[y].mean()


# %% smoothing-log-eps wrong="prior-smoothing"
# A closed form of the floor with log(eps) in it: raises at eps = 0, which is allowed.
def prior_smoothing(logits, y, prior, eps):
    log_probs = logits.log_softmax(dim=1)
    towards_prior = -(log_probs * prior).sum(dim=1).mean()
    loss = (1 - eps) * F.cross_entropy(logits, y) + eps * towards_prior
    moved = eps * (torch.xlogy(prior, prior) + prior * math.log(eps))
    peak = 1 - eps + eps * prior
    floors = -(moved.sum() - moved + torch.xlogy(peak, peak))
    return loss, loss - floors[y].mean()


# %% smoothing-drops-rare-labels wrong="prior-smoothing"
# Leaves out the classes with a prior of 0 altogether, also where such a class is the label.
def prior_smoothing(logits, y, prior, eps):
    target = (1 - eps) * F.one_hot(y, logits.shape[1]).to(logits.dtype) + eps * prior
    log_probs = logits.log_softmax(dim=1)
    kept = prior > 0
    target, log_probs = target[:, kept], log_probs[:, kept]
    loss = -(target * log_probs).sum(dim=1).mean()
    floor = -torch.xlogy(target, target).sum(dim=1).mean()
    return loss, loss - floor


# %% smoothing-shift-of-the-batch wrong="prior-smoothing"
# Shifts by the largest logit of the whole batch, not of the row: a row that lies 800 below
# another one underflows, and the loss is infinite or nan.
def prior_smoothing(logits, y, prior, eps):
    target = (1 - eps) * F.one_hot(y, logits.shape[1]).to(logits.dtype) + eps * prior
    shifted = logits - logits.max()
    log_probs = shifted - shifted.exp().sum(dim=1, keepdim=True).log()
    loss = -(target * log_probs).sum(dim=1).mean()
    floor = -torch.xlogy(target, target).sum(dim=1).mean()
    return loss, loss - floor


# %% smoothing-clamped-entropy wrong="prior-smoothing"
# Clamps the targets at 1e-3 inside the logarithm of the floor: the excess is off where a share
# eps * prior is smaller, e.g. eps = 0.01 with fifty classes (by some 0.01).
def prior_smoothing(logits, y, prior, eps):
    target = (1 - eps) * F.one_hot(y, logits.shape[1]).to(logits.dtype) + eps * prior
    loss = -(target * logits.log_softmax(dim=1)).sum(dim=1).mean()
    floor = -(target * target.clamp(min=1e-3).log()).sum(dim=1).mean()
    return loss, loss - floor


# %% distil-functional right="distillation"
# PyTorch's losses with the arguments, the reductions and the factor that are asked for.
def distillation_loss(student, teacher, y, T, alpha):
    labelled = (y != -100).sum().clamp(min=1)
    hard = F.cross_entropy(student, y, ignore_index=-100, reduction="sum") / labelled
    soft = F.kl_div(
        F.log_softmax(student / T, dim=1),
        F.log_softmax(teacher.detach() / T, dim=1),
        reduction="batchmean",
        log_target=True,
    )
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% distil-by-hand right="distillation"
# Both means written out with log-softmaxes and indices of the labelled rows.
def distillation_loss(student, teacher, y, T, alpha):
    with torch.no_grad():
        wise = torch.log_softmax(teacher / T, dim=1)
        weight = wise.exp()
    learnt = torch.log_softmax(student / T, dim=1)
    loss = alpha * T * T * (weight * (wise - learnt)).sum() / len(y)
    rows = (y != -100).nonzero()[:, 0]
    if len(rows) > 0:
        log_probs = torch.log_softmax(student, dim=1)
        loss = loss - (1 - alpha) * log_probs[rows, y[rows]].mean()
    return loss


# %% distil-categorical wrong="distillation"
# PyTorch's Categorical calls the divergence infinite where the student's probability
# underflows and the teacher's does not: e.g. student logits (2000, 0), teacher (0, 0), T = 1.
def distillation_loss(student, teacher, y, T, alpha):
    labelled = (y != -100).sum().clamp(min=1)
    hard = F.cross_entropy(student, y, reduction="sum") / labelled
    wise = torch.distributions.Categorical(logits=teacher.detach() / T)
    learnt = torch.distributions.Categorical(logits=student / T)
    soft = torch.distributions.kl_divergence(wise, learnt).mean()
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% distil-nan-without-labels wrong="distillation"
# The built-in mean over no labels at all is nan: wrong if every y is -100.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y)
    soft = F.kl_div(
        F.log_softmax(student / T, dim=1),
        F.softmax(teacher.detach() / T, dim=1),
        reduction="batchmean",
    )
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% distil-clamped-student wrong="distillation"
# Clamps the student's probabilities at 1e-12: the divergence stops growing and its gradient is
# lost for large STUDENT logits, e.g. (500, 0) against a teacher (0, 0) at T = 1.
def distillation_loss(student, teacher, y, T, alpha):
    labelled = (y != -100).sum().clamp(min=1)
    hard = F.cross_entropy(student, y, reduction="sum") / labelled
    learnt = F.softmax(student / T, dim=1).clamp(min=1e-12).log()
    wise = F.softmax(teacher.detach() / T, dim=1)
    soft = F.kl_div(learnt, wise, reduction="batchmean")
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% distil-overwrites-labels wrong="distillation"
# Right values, but it writes 0 over the caller's -100 in y.
def distillation_loss(student, teacher, y, T, alpha):
    known = y != -100
    y[~known] = 0
    losses = F.cross_entropy(student, y, reduction="none")
    hard = (losses * known).sum() / known.sum().clamp(min=1)
    soft = F.kl_div(
        F.log_softmax(student / T, dim=1),
        F.log_softmax(teacher.detach() / T, dim=1),
        reduction="batchmean",
        log_target=True,
    )
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% cost-by-mask right="text-cost"
# Selects the real tokens by a mask; one total serves both results.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    tokens = nll[real]
    return tokens.mean().exp(), tokens.sum() / (math.log(2) * characters.sum())


# %% cost-text-by-text right="text-cost"
# Adds up the texts in a loop over slices.
def text_cost(nll, lengths, characters):
    total = nll.new_zeros(())
    for row, length in zip(nll, lengths.tolist(), strict=True):
        total = total + row[:length].sum()
    perplexity = torch.exp(total / lengths.sum())
    return perplexity, total / math.log(2) / characters.sum()


# %% cost-infinite-is-padding wrong="text-cost"
# Takes everything infinite for padding, also inside a text: a token that the model ruled out
# should make both results infinite.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    total = torch.where(real & nll.isfinite(), nll, torch.zeros_like(nll)).sum()
    return torch.exp(total / lengths.sum()), total / math.log(2) / characters.sum()


# %% cost-product-of-probabilities wrong="text-cost"
# Multiplies probabilities: the product underflows and the perplexity is infinite as soon as the
# corpus costs more than 745 nats, e.g. 400 tokens at 2 nats, or one token at 1e3 among many.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    tokens = nll[real]
    perplexity = (-tokens).exp().prod() ** (-1 / len(tokens))
    return perplexity, tokens.sum() / math.log(2) / characters.sum()


# %% cost-counts-nonzero wrong="text-cost"
# Counts the tokens by their cost: a token with an NLL of exactly 0 is not counted.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    costs = torch.where(real, nll, torch.zeros_like(nll))
    total = costs.sum()
    return torch.exp(total / (costs > 0).sum()), total / math.log(2) / characters.sum()


# %% cost-empty-text wrong="text-cost"
# Weights each text's mean by its length: a text without tokens has the mean 0/0, and nan times
# 0 spoils both results.
def text_cost(nll, lengths, characters):
    real = torch.arange(nll.shape[1]) < lengths[:, None]
    costs = torch.where(real, nll, torch.zeros_like(nll))
    means = costs.sum(dim=1) / lengths
    total = (means * lengths).sum()
    return torch.exp(total / lengths.sum()), total / math.log(2) / characters.sum()
