# %% [markdown]
# Answers written from the text alone.


# %% kl-where-inside right="discrete-kl"
# Both logarithms get a 1 where p is 0, so that neither values nor gradients see log(0) there.
def kl_nats(p, q):
    for rows in (p, q):
        if bool(((rows.double().sum(-1) - 1).abs() > 1e-4).any()):
            raise ValueError("a row does not sum to 1")
    seen = p > 0
    log_p = torch.where(seen, p, 1.0).log()
    log_q = torch.where(seen, q, 1.0).log()
    return (p * (log_p - log_q)).sum(-1)


# %% kl-entropy-and-cross right="discrete-kl"
# Cross-entropy minus entropy, with xlogy and entr from torch.special.
def kl_nats(p, q):
    total_p, total_q = p.double().sum(-1), q.double().sum(-1)
    wrong = ((total_p - 1).abs() > 1e-4) | ((total_q - 1).abs() > 1e-4)
    if bool(wrong.any()):
        raise ValueError("a row does not sum to 1")
    cross = torch.special.xlogy(p, q.masked_fill(p == 0, 1.0))
    return (-torch.special.entr(p) - cross).sum(-1)


# %% kl-where-outside wrong="discrete-kl"
# Masks only the result: values are right, but the gradient is nan where p and q are both 0.
def kl_nats(p, q):
    for rows in (p, q):
        if bool(((rows.double().sum(-1) - 1).abs() > 1e-4).any()):
            raise ValueError("a row does not sum to 1")
    return torch.where(p > 0, p * (p.log() - q.log()), 0.0).sum(-1)


# %% kl-trusts-p wrong="discrete-kl"
# Looks only at the sums of q: does not refuse a p that sums to 2.
def kl_nats(p, q):
    if bool(((q.double().sum(-1) - 1).abs() > 1e-4).any()):
        raise ValueError("a row does not sum to 1")
    seen = p > 0
    log_p = torch.where(seen, p, 1.0).log()
    log_q = torch.where(seen, q, 1.0).log()
    return (p * (log_p - log_q)).sum(-1)


# %% kl-normalises wrong="discrete-kl"
# Divides rows by their sums: wrong for rows that are off by less than 1e-4, such as
# p = 1.00008 q, where the divergence is 8e-5 and not 0.
def kl_nats(p, q):
    for rows in (p, q):
        if bool(((rows.double().sum(-1) - 1).abs() > 1e-4).any()):
            raise ValueError("a row does not sum to 1")
    p = p / p.sum(-1, keepdim=True)
    q = q / q.sum(-1, keepdim=True)
    seen = p > 0
    log_p = torch.where(seen, p, 1.0).log()
    log_q = torch.where(seen, q, 1.0).log()
    return (p * (log_p - log_q)).sum(-1)


# %% kl-largest-of-none wrong="discrete-kl"
# Asks for the largest deviation, which does not exist for an empty leading axis: max raises
# for shape (0, 3).
def kl_nats(p, q):
    worst = max((rows.double().sum(-1) - 1).abs().max().item() for rows in (p, q))
    if worst > 1e-4:
        raise ValueError("a row does not sum to 1")
    seen = p > 0
    log_p = torch.where(seen, p, 1.0).log()
    log_q = torch.where(seen, q, 1.0).log()
    return (p * (log_p - log_q)).sum(-1)


# %% kl-tiny-is-zero wrong="discrete-kl"
# Takes a p below the machine's epsilon for 0: finite, and not infinite, for p = 1e-300 where
# q = 0.
def kl_nats(p, q):
    for rows in (p, q):
        if bool(((rows.double().sum(-1) - 1).abs() > 1e-4).any()):
            raise ValueError("a row does not sum to 1")
    seen = p > torch.finfo(p.dtype).eps
    log_p = torch.where(seen, p, 1.0).log()
    log_q = torch.where(seen, q, 1.0).log()
    return torch.where(seen, p * (log_p - log_q), 0.0).sum(-1)


# %% fits-inverse right="diagonal-fits"
# The inverse for the precisions, slogdet for the determinant.
def diagonal_fits(cov):
    forward = cov.diagonal().clone()
    precision = torch.linalg.inv(cov).diagonal()
    log_det = torch.linalg.slogdet(cov).logabsdet
    kl_forward = (forward.log().sum() - log_det) / 2
    kl_reverse = (log_det + precision.log().sum()) / 2
    return forward, 1 / precision, kl_forward, kl_reverse


# %% fits-correlations right="diagonal-fits"
# Works on the correlation matrix and its Cholesky factor; both divergences are free of scale.
def diagonal_fits(cov):
    spread = cov.diagonal().sqrt()
    factor = torch.linalg.cholesky(cov / spread[:, None] / spread)
    half_log_det = factor.diagonal().log().sum()
    inflation = torch.cholesky_inverse(factor).diagonal()
    reverse = spread**2 / inflation
    return spread**2, reverse, -half_log_det, half_log_det + 0.5 * inflation.log().sum()


# %% fits-product-of-pivots wrong="diagonal-fits"
# Multiplies the diagonal of the Cholesky factor: it underflows for 100 weights with variances
# near 1e-9, and the divergences are infinite.
def diagonal_fits(cov):
    forward = cov.diagonal().clone()
    factor = torch.linalg.cholesky(cov)
    log_det = 2 * factor.diagonal().prod().log()
    precision = torch.cholesky_inverse(factor).diagonal()
    kl_forward = (forward.log().sum() - log_det) / 2
    kl_reverse = (log_det + precision.log().sum()) / 2
    return forward, 1 / precision, kl_forward, kl_reverse


# %% fits-jitter wrong="diagonal-fits"
# Adds 1e-12 to the diagonal for safety: wrong by a hundredth where eigenvalues are 1e-10.
def diagonal_fits(cov):
    forward = cov.diagonal().clone()
    safe = cov + 1e-12 * torch.eye(len(cov), dtype=cov.dtype)
    precision = torch.linalg.inv(safe).diagonal()
    log_det = torch.linalg.slogdet(safe).logabsdet
    kl_forward = (forward.log().sum() - log_det) / 2
    kl_reverse = (log_det + precision.log().sum()) / 2
    return forward, 1 / precision, kl_forward, kl_reverse


# %% fits-pseudo-inverse wrong="diagonal-fits"
# The pseudo-inverse drops eigenvalues below 1e-5 of the largest: wrong for a covariance whose
# eigenvalues lie a factor of 5e5 apart.
def diagonal_fits(cov):
    forward = cov.diagonal().clone()
    precision = torch.linalg.pinv(cov, rtol=1e-5, hermitian=True).diagonal()
    log_det = torch.linalg.slogdet(cov).logabsdet
    kl_forward = (forward.log().sum() - log_det) / 2
    kl_reverse = (log_det + precision.log().sum()) / 2
    return forward, 1 / precision, kl_forward, kl_reverse


# %% fits-eigenvectors wrong="diagonal-fits"
# Differentiates through eigenvectors: values are right, but the gradient is nan where two
# eigenvalues are equal, such as at the identity.
def diagonal_fits(cov):
    forward = cov.diagonal().clone()
    values, vectors = torch.linalg.eigh(cov)
    precision = (vectors**2 / values).sum(1)
    log_det = values.log().sum()
    kl_forward = (forward.log().sum() - log_det) / 2
    kl_reverse = (log_det + precision.log().sum()) / 2
    return forward, 1 / precision, kl_forward, kl_reverse


# %% fits-squeezed wrong="diagonal-fits"
# Solves for one column at a time and squeezes: for a single weight reverse is 0-d, not (1,).
def diagonal_fits(cov):
    forward = cov.diagonal().clone()
    units = torch.eye(len(cov), dtype=cov.dtype)
    columns = torch.stack([torch.linalg.solve(cov, unit) for unit in units])
    precision = (columns * units).sum(1, keepdim=True).squeeze()
    log_det = torch.linalg.slogdet(cov).logabsdet
    kl_forward = (forward.log().sum() - log_det) / 2
    kl_reverse = (log_det + precision.log().sum()) / 2
    return forward, 1 / precision, kl_forward, kl_reverse


# %% draws-expm1 right="kl-from-draws"
# expm1 keeps the digits of small gaps; the library has the standard deviation.
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    root = math.sqrt(len(log_r))
    terms = torch.expm1(log_r) - log_r
    return -log_r.mean(0), log_r.std(0) / root, terms.mean(0), terms.std(0) / root


# %% draws-series right="kl-from-draws"
# A series for small gaps, the plain formula for others, and the variance in two passes.
def kl_from_draws(log_q, log_p):
    d = log_p - log_q
    series = d**2 / 2 * (1 + d / 3 * (1 + d / 4 * (1 + d / 5 * (1 + d / 6))))
    positive = torch.where(d.abs() < 0.01, series, torch.exp(d) - 1 - d)
    n = d.shape[0]
    results = []
    for terms in (-d, positive):
        average = terms.sum(0) / n
        variance = ((terms - average) ** 2).sum(0) / (n - 1)
        results += [average, (variance / n).sqrt()]
    return tuple(results)


# %% draws-parabola wrong="kl-from-draws"
# Takes half the square for gaps below a thousandth: a relative error of 3e-4 at 9e-4.
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    root = math.sqrt(len(log_r))
    terms = torch.where(log_r.abs() < 1e-3, log_r**2 / 2, torch.expm1(log_r) - log_r)
    return -log_r.mean(0), log_r.std(0) / root, terms.mean(0), terms.std(0) / root


# %% draws-mean-of-squares wrong="kl-from-draws"
# The variance as mean square minus squared mean: it cancels where the gaps are large and
# nearly equal, such as 250 and 250 + 1e-6.
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    n = len(log_r)
    results = []
    for terms in (-log_r, torch.expm1(log_r) - log_r):
        variance = (terms**2).mean(0) - terms.mean(0) ** 2
        results += [terms.mean(0), (variance.clamp(min=0) / (n - 1)).sqrt()]
    return tuple(results)


# %% draws-squeezed wrong="kl-from-draws"
# Squeezes all axes of length 1: for shape (n, 1) the results are 0-d, not (1,).
def kl_from_draws(log_q, log_p):
    log_r = (log_p - log_q).squeeze()
    root = math.sqrt(len(log_r))
    terms = torch.expm1(log_r) - log_r
    return -log_r.mean(0), log_r.std(0) / root, terms.mean(0), terms.std(0) / root


# %% draws-clamped-ratio wrong="kl-from-draws"
# Clamps log r to 88 before the exponential, as for float32: wrong where p gives a draw e**200
# times as much as q.
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    root = math.sqrt(len(log_r))
    terms = torch.expm1(log_r.clamp(max=88)) - log_r
    return -log_r.mean(0), log_r.std(0) / root, terms.mean(0), terms.std(0) / root


# %% draws-plain-from-positive wrong="kl-from-draws"
# Gets the plain terms as positive terms minus (r - 1): nothing is left of them where log r is
# 100.
def kl_from_draws(log_q, log_p):
    log_r = log_p - log_q
    root = math.sqrt(len(log_r))
    rest = torch.expm1(log_r)
    positive = rest - log_r
    plain = positive - rest
    return plain.mean(0), plain.std(0) / root, positive.mean(0), positive.std(0) / root


# %% smoothing-targets right="prior-smoothing"
# Builds the targets; the floor is the mean of their entropies.
def prior_smoothing(logits, y, prior, eps):
    targets = (1 - eps) * F.one_hot(y, len(prior)).to(prior.dtype) + eps * prior
    loss = -(targets * F.log_softmax(logits, 1)).sum(1).mean()
    return loss, loss - torch.special.entr(targets).sum(1).mean()


# %% smoothing-two-losses right="prior-smoothing"
# A mixture of two losses; the excess is a divergence of its own.
def prior_smoothing(logits, y, prior, eps):
    log_probs = torch.log_softmax(logits, 1)
    loss = (1 - eps) * F.nll_loss(log_probs, y) - eps * (log_probs @ prior).mean()
    targets = (eps * prior).repeat(len(y), 1)
    targets[torch.arange(len(y)), y] += 1 - eps
    return loss, F.kl_div(log_probs, targets, reduction="batchmean")


# %% smoothing-masked-by-prior wrong="prior-smoothing"
# Leaves out of the entropy the classes whose prior is 0, not those whose target is: wrong
# where a label has a class with prior 0.
def prior_smoothing(logits, y, prior, eps):
    targets = (1 - eps) * F.one_hot(y, len(prior)).to(prior.dtype) + eps * prior
    loss = -(targets * F.log_softmax(logits, 1)).sum(1).mean()
    logs = targets.clamp(min=1e-300).log()
    floor = -torch.where(prior > 0, targets * logs, 0.0).sum(1).mean()
    return loss, loss - floor


# %% smoothing-log-eps wrong="prior-smoothing"
# Splits log(eps * prior) into two logarithms: math.log raises for eps = 0.
def prior_smoothing(logits, y, prior, eps):
    log_probs = F.log_softmax(logits, 1)
    loss = (1 - eps) * F.nll_loss(log_probs, y) - eps * (log_probs @ prior).mean()
    log_prior = torch.where(prior > 0, prior, 1.0).log()
    others = eps * prior * (math.log(eps) + log_prior)
    own = 1 - eps + eps * prior[y]
    floor = -(others.sum() - others[y] + torch.xlogy(own, own)).mean()
    return loss, loss - floor


# %% smoothing-one-maximum wrong="prior-smoothing"
# Subtracts the largest logit of the whole batch: a row that lies 800 below it underflows, and
# the loss is infinite or nan.
def prior_smoothing(logits, y, prior, eps):
    shifted = logits - logits.max()
    log_probs = shifted - shifted.exp().sum(1, keepdim=True).log()
    targets = (1 - eps) * F.one_hot(y, len(prior)).to(prior.dtype) + eps * prior
    loss = -(targets * log_probs).sum(1).mean()
    return loss, loss - torch.special.entr(targets).sum(1).mean()


# %% smoothing-nearly-uniform wrong="prior-smoothing"
# Takes the built-in's way for a prior that is uniform to 0.01: wrong for a prior such as
# (0.340, 0.335, 0.325).
def prior_smoothing(logits, y, prior, eps):
    uniform = torch.full_like(prior, 1 / len(prior))
    if torch.allclose(prior, uniform, atol=0.01):
        prior = uniform
        loss = F.cross_entropy(logits, y, label_smoothing=eps)
    else:
        log_probs = F.log_softmax(logits, 1)
        loss = (1 - eps) * F.nll_loss(log_probs, y) - eps * (log_probs @ prior).mean()
    targets = (1 - eps) * F.one_hot(y, len(prior)).to(prior.dtype) + eps * prior
    return loss, loss - torch.special.entr(targets).sum(1).mean()


# %% smoothing-refuses-one wrong="prior-smoothing"
# Refuses eps = 1, which the text includes.
def prior_smoothing(logits, y, prior, eps):
    if not 0 <= eps < 1:
        raise ValueError("eps must lie in [0, 1)")
    targets = (1 - eps) * F.one_hot(y, len(prior)).to(prior.dtype) + eps * prior
    loss = F.cross_entropy(logits, targets)
    return loss, loss - torch.special.entr(targets).sum(1).mean()


# %% distil-built-ins right="distillation"
# The library's two losses with the right reductions and a detached teacher.
def distillation_loss(student, teacher, y, T, alpha):
    labelled = int((y != -100).sum())
    hard = F.cross_entropy(student, y, reduction="sum") / max(labelled, 1)
    ours = F.log_softmax(student / T, 1)
    theirs = F.log_softmax(teacher.detach() / T, 1)
    soft = F.kl_div(ours, theirs, reduction="batchmean", log_target=True)
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% distil-by-hand right="distillation"
# Gathers the labels' log-probabilities under a mask, and writes the divergence out.
def distillation_loss(student, teacher, y, T, alpha):
    known = y != -100
    rows = student[known]
    own = rows.gather(1, y[known][:, None])[:, 0]
    hard = (torch.logsumexp(rows, 1) - own).sum() / known.sum().clamp(min=1)
    with torch.no_grad():
        log_p = teacher / T - torch.logsumexp(teacher / T, 1, keepdim=True)
        p = log_p.exp()
    log_q = student / T - torch.logsumexp(student / T, 1, keepdim=True)
    soft = (p * (log_p - log_q)).sum(1).mean()
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% distil-no-labels wrong="distillation"
# Leaves the first mean to cross_entropy: nan where no image has a label.
def distillation_loss(student, teacher, y, T, alpha):
    hard = F.cross_entropy(student, y)
    ours = F.log_softmax(student / T, 1)
    theirs = F.softmax(teacher.detach() / T, 1)
    soft = F.kl_div(ours, theirs, reduction="batchmean")
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% distil-log-of-softmax wrong="distillation"
# Takes the logarithm of the student's softmax: infinite or nan where the student's logits lie
# thousands apart.
def distillation_loss(student, teacher, y, T, alpha):
    labelled = int((y != -100).sum())
    hard = F.cross_entropy(student, y, reduction="sum") / max(labelled, 1)
    ours = F.softmax(student / T, 1).log()
    theirs = F.softmax(teacher.detach() / T, 1)
    soft = F.kl_div(ours, theirs, reduction="batchmean")
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% distil-no-shrinking wrong="distillation"
# Scales by T squared only for temperatures above 1: wrong for T = 0.5.
def distillation_loss(student, teacher, y, T, alpha):
    labelled = int((y != -100).sum())
    hard = F.cross_entropy(student, y, reduction="sum") / max(labelled, 1)
    ours = F.log_softmax(student / T, 1)
    theirs = F.softmax(teacher.detach() / T, 1)
    soft = F.kl_div(ours, theirs, reduction="batchmean")
    return (1 - alpha) * hard + alpha * max(T, 1.0) ** 2 * soft


# %% distil-relabels wrong="distillation"
# Writes class 0 into the missing labels before it gathers: the result is right, but y has
# changed wherever it held -100.
def distillation_loss(student, teacher, y, T, alpha):
    known = y != -100
    y[~known] = 0
    own = F.log_softmax(student, 1).gather(1, y[:, None])[:, 0]
    hard = -torch.where(known, own, 0.0).sum() / known.sum().clamp(min=1)
    ours = F.log_softmax(student / T, 1)
    theirs = F.softmax(teacher.detach() / T, 1)
    soft = F.kl_div(ours, theirs, reduction="batchmean")
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% distil-floored-teacher wrong="distillation"
# Keeps the teacher's probabilities above 1e-8: for T = 100 and logits (10000, 0, 0) of both
# the loss is about 0.01 in place of 0.
def distillation_loss(student, teacher, y, T, alpha):
    labelled = int((y != -100).sum())
    hard = F.cross_entropy(student, y, reduction="sum") / max(labelled, 1)
    ours = F.log_softmax(student / T, 1)
    theirs = F.softmax(teacher.detach() / T, 1).clamp(min=1e-8)
    soft = (theirs * (theirs.log() - ours)).sum(1).mean()
    return (1 - alpha) * hard + alpha * T**2 * soft


# %% text-masked right="text-cost"
# Replaces the padding by 0 before the sum.
def text_cost(nll, lengths, characters):
    inside = torch.arange(nll.shape[1]) < lengths[:, None]
    total = torch.where(inside, nll, 0.0).sum()
    return torch.exp(total / lengths.sum()), total / (math.log(2) * characters.sum())


# %% text-joined right="text-cost"
# Cuts each text to its length and joins them into one.
def text_cost(nll, lengths, characters):
    texts = [row[:length] for row, length in zip(nll, lengths.tolist(), strict=True)]
    tokens = torch.cat(texts)
    average = tokens.mean()
    bits = average / math.log(2) * (len(tokens) / int(characters.sum()))
    return average.exp(), bits


# %% text-forgives-infinity wrong="text-cost"
# Turns everything that is not finite into 0: finite where a token inside a text costs
# infinity.
def text_cost(nll, lengths, characters):
    inside = torch.arange(nll.shape[1]) < lengths[:, None]
    total = (nll.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0) * inside).sum()
    return torch.exp(total / lengths.sum()), total / (math.log(2) * characters.sum())


# %% text-root-of-product wrong="text-cost"
# The root of the product of the tokens' inverse probabilities: it overflows where the NLLs
# add up to more than 709, such as 200 tokens of 5 nats.
def text_cost(nll, lengths, characters):
    inside = torch.arange(nll.shape[1]) < lengths[:, None]
    costs = torch.where(inside, nll, 0.0)
    perplexity = costs.exp().prod() ** (1 / int(lengths.sum()))
    return perplexity, costs.sum() / (math.log(2) * characters.sum())


# %% text-weighted-means wrong="text-cost"
# Weights the means of the texts by their sizes: 0 / 0 is nan where a text has no tokens.
def text_cost(nll, lengths, characters):
    inside = torch.arange(nll.shape[1]) < lengths[:, None]
    totals = torch.where(inside, nll, 0.0).sum(1)
    per_token = (totals / lengths * lengths).sum() / lengths.sum()
    per_character = (totals / characters * characters).sum() / characters.sum()
    return per_token.exp(), per_character / math.log(2)


# %% text-capped-exponent wrong="text-cost"
# Caps a finite mean at 88 against overflow, as for float32: wrong for a mean NLL of 300.
def text_cost(nll, lengths, characters):
    inside = torch.arange(nll.shape[1]) < lengths[:, None]
    total = torch.where(inside, nll, 0.0).sum()
    average = total / lengths.sum()
    if torch.isfinite(average):
        average = average.clamp(max=88)
    return average.exp(), total / (math.log(2) * characters.sum())


# %% text-counts-nonzeros wrong="text-cost"
# Counts the tokens as the entries that are not 0: wrong where a token inside a text has an
# NLL of 0.
def text_cost(nll, lengths, characters):
    inside = torch.arange(nll.shape[1]) < lengths[:, None]
    costs = torch.where(inside, nll, 0.0)
    average = costs.sum() / costs.count_nonzero().clamp(min=1)
    return average.exp(), costs.sum() / (math.log(2) * characters.sum())
