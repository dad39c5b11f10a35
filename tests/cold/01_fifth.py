# %% [markdown]
# Answers written from the text alone.


# %% own-maxima-detached right="one-of-several-labels"
# Difference of two logsumexps, each shifted by its own (detached) maximum: exact in float32 too.
def set_nll(logits, possible):
    inside = logits.masked_fill(~possible, -math.inf)
    top = logits.detach().amax(dim=1, keepdim=True)
    top_inside = inside.detach().amax(dim=1, keepdim=True)
    every = torch.logsumexp(logits - top, dim=1)
    some = torch.logsumexp(inside - top_inside, dim=1)
    return ((top - top_inside)[:, 0] + (every - some)).mean()


# %% bayes-at-one-class right="one-of-several-labels"
# log P(S) = log p_k - log q_k for any k of S, with q the softmax over S alone; two log_softmax.
def set_nll(logits, possible):
    inside = logits.masked_fill(~possible, -math.inf)
    k = inside.argmax(dim=1, keepdim=True)
    log_p = torch.log_softmax(logits, dim=1).gather(1, k)
    log_q = torch.log_softmax(inside, dim=1).gather(1, k)
    return (log_q - log_p).mean()


# %% odds-row-by-row right="one-of-several-labels"
# Loop over the rows: softplus of the log odds of the classes outside against those inside.
def set_nll(logits, possible):
    losses = []
    for z, s in zip(logits, possible, strict=True):
        inside, outside = z[s], z[~s]
        if outside.numel() == 0:
            losses.append(0 * (z - z.detach()).sum())
            continue
        a, b = inside.detach().max(), outside.detach().max()
        log_odds = (b - a) + (
            torch.logsumexp(outside - b, dim=0) - torch.logsumexp(inside - a, dim=0)
        )
        losses.append(torch.nn.functional.softplus(log_odds))
    return torch.stack(losses).mean()


# %% penalty-of-a-million wrong="one-of-several-labels"
# Impossible classes get 1e6 less instead of -inf: wrong where one of them is a million or more
# above the set, e.g. logits [[1e6, -1e6]], set {1} (true loss 2e6).
def set_nll(logits, possible):
    inside = logits - 1e6 * (~possible).to(logits.dtype)
    k = inside.argmax(dim=1, keepdim=True)
    log_q = torch.log_softmax(inside, dim=1).gather(1, k)
    return (log_q - torch.log_softmax(logits, dim=1).gather(1, k)).mean()


# %% zero-means-impossible wrong="one-of-several-labels"
# Masks by multiplying and then takes each 0 for "impossible": wrong where a class of the set has
# a logit of exactly 0, e.g. logits [[0., 1., 2.]], set {0, 1}.
def set_nll(logits, possible):
    inside = logits * possible
    inside = torch.where(inside == 0, -math.inf, inside)
    k = inside.argmax(dim=1, keepdim=True)
    log_q = torch.log_softmax(inside, dim=1).gather(1, k)
    return (log_q - torch.log_softmax(logits, dim=1).gather(1, k)).mean()


# %% first-and-last-only wrong="one-of-several-labels"
# Adds only the first and the last class of a set: wrong for sets of three classes or more.
def set_nll(logits, possible):
    first = possible.int().argmax(dim=1, keepdim=True)
    last = possible.shape[1] - 1 - possible.flip(1).int().argmax(dim=1, keepdim=True)
    two = torch.zeros_like(possible).scatter(1, first, True).scatter(1, last, True)
    inside = logits.masked_fill(~two, -math.inf)
    k = inside.argmax(dim=1, keepdim=True)
    log_q = torch.log_softmax(inside, dim=1).gather(1, k)
    return (log_q - torch.log_softmax(logits, dim=1).gather(1, k)).mean()


# %% full-sets-left-out wrong="one-of-several-labels"
# Leaves rows whose set holds all classes out of the mean ("they say nothing"): their loss is 0,
# but they count in n. Wrong for a batch with one such row and another one; nan if all are such.
def set_nll(logits, possible):
    keep = ~possible.all(dim=1)
    logits, possible = logits[keep], possible[keep]
    inside = logits.masked_fill(~possible, -math.inf)
    k = inside.argmax(dim=1, keepdim=True)
    log_q = torch.log_softmax(inside, dim=1).gather(1, k)
    return (log_q - torch.log_softmax(logits, dim=1).gather(1, k)).mean()


# %% where-with-a-dead-log wrong="one-of-several-labels"
# Value right everywhere in float64, but the gradient is nan where the set's probability rounds
# to 0 (0 / 0 in the branch not taken), e.g. logits [[1000., 0., 1.]], set {1, 2}.
def set_nll(logits, possible):
    chance = (torch.softmax(logits, dim=1) * possible).sum(dim=1)
    inside = logits.masked_fill(~possible, -math.inf)
    safe = torch.logsumexp(logits, dim=1) - torch.logsumexp(inside, dim=1)
    return torch.where(chance > 1e-30, -torch.log(chance), safe).mean()


# %% difference-rounds-in-float32 right="one-of-several-labels"
# Right: the text promises its digits for float64 only, since.
# Plain difference of two logsumexps: in float32 at a million each is rounded to 1/16, e.g.
# float32 logits [[1e6, 1e6]], set {0}: 0.6875 for log 2 = 0.6931. Right in float64.
def set_nll(logits, possible):
    inside = logits.masked_fill(~possible, -math.inf)
    return (torch.logsumexp(logits, dim=1) - torch.logsumexp(inside, dim=1)).mean()


# %% log-softmax-then-rounded-gradient right="one-of-several-labels"
# Right: the text promises its digits for float64 only, since.
# logsumexp of log_softmax: value right, but in float32 the log-probabilities near -1e6 lose what
# tells the classes of the set apart. Float32 logits [[1e6, 0, 0.02]], set {1, 2}: gradient
# (1, -0.5, -0.5) for (1, -0.495, -0.505). Right in float64.
def set_nll(logits, possible):
    log_p = torch.log_softmax(logits, dim=1)
    return -torch.logsumexp(log_p.masked_fill(~possible, -math.inf), dim=1).mean()


# %% all-the-others right="logit-gradient"
# p_k times the counts of the other classes, minus c_k times the probability of the others.
def cross_entropy_gradient(logits, counts):
    n, classes = logits.shape
    p = torch.softmax(logits, dim=1)
    others = 1 - torch.eye(classes, dtype=logits.dtype)
    return (p * (counts @ others) - counts * (p @ others)) / n


# %% antisymmetric-pairs right="logit-gradient"
# Row by row: the sum over j of c_j p_k - c_k p_j, from an antisymmetric matrix of pairs.
def cross_entropy_gradient(logits, counts):
    rows = []
    for z, c in zip(logits, counts, strict=True):
        e = torch.exp(z - z.max())
        p = e / e.sum()
        rows.append((torch.outer(p, c) - torch.outer(c, p)).sum(dim=1))
    return torch.stack(rows) / len(rows)


# %% label-by-label right="logit-gradient"
# One ordinary label at a time: each class k adds c_k (p - e_k), its own entry as minus the
# sum of the others.
def cross_entropy_gradient(logits, counts):
    n, classes = logits.shape
    p = torch.softmax(logits, dim=-1)
    result = torch.zeros_like(logits)
    for k in range(classes):
        one = p.clone()
        one[:, k] = 0
        one[:, k] = -one.sum(dim=1)
        result += counts[:, k : k + 1] * one
    return result / n


# %% mean-over-seen-inputs wrong="logit-gradient"
# Divides by the number of inputs with any counts instead of n: wrong as soon as a row of counts
# is all zero (the text allows any sum), e.g. counts [[1, 0], [0, 0]].
def cross_entropy_gradient(logits, counts):
    total = counts.sum(dim=1, keepdim=True)
    seen = (total > 0).sum().clamp(min=1)
    return (total * torch.softmax(logits, dim=1) - counts) / seen


# %% frequencies-first wrong="logit-gradient"
# Turns counts into frequencies and multiplies by the total: nan (0 / 0) for a row of zeros.
def cross_entropy_gradient(logits, counts):
    total = counts.sum(dim=1, keepdim=True)
    return total * (torch.softmax(logits, dim=1) - counts / total) / len(logits)


# %% clamped-logits wrong="logit-gradient"
# Clamps the logits so that exp stays finite: wrong where two are above 700, e.g. [[1000, 999]]
# (p is (0.731, 0.269), not (0.5, 0.5)), or below -700.
def cross_entropy_gradient(logits, counts):
    bound = 700.0 if logits.dtype == torch.float64 else 80.0
    e = torch.exp(logits.clamp(-bound, bound))
    p = e / e.sum(dim=1, keepdim=True)
    return (counts.sum(dim=1, keepdim=True) * p - counts) / len(logits)


# %% exp-of-a-rounded-difference wrong="logit-gradient"
# p = exp(z - logsumexp(z)): the logsumexp is rounded to the size of the logits. For float64
# logits [[1e17, 1e17]] p is (1, 1); for float32 [[1e6, 1e6]] it is (0.503, 0.503).
def cross_entropy_gradient(logits, counts):
    p = torch.exp(logits - torch.logsumexp(logits, dim=1, keepdim=True))
    return (counts.sum(dim=1, keepdim=True) * p - counts) / logits.shape[0]


# %% batch-of-one-squeezed wrong="logit-gradient"
# Loses the batch axis of a batch of one: shape (K,) for (1, K).
def cross_entropy_gradient(logits, counts):
    p = torch.softmax(logits, dim=1)
    total = torch.einsum("nk->n", counts)
    return (torch.einsum("n,nk->nk", total, p) - counts).squeeze() / len(logits)


# %% central-differences wrong="logit-gradient"
# Differences of the loss with a step of 1e-5: good to 1e-7 for small float64 logits, but useless
# in float32 and for large logits or losses, e.g. float64 [[1e12, 1e12]] (all zeros).
def cross_entropy_gradient(logits, counts):
    result = torch.zeros_like(logits)
    step = 1e-5
    for k in range(logits.shape[1]):
        move = torch.zeros_like(logits)
        move[:, k] = step
        up = -(counts * torch.log_softmax(logits + move, dim=1)).sum(dim=1)
        down = -(counts * torch.log_softmax(logits - move, dim=1)).sum(dim=1)
        result[:, k] = (up - down) / (2 * step)
    return result / len(logits)


# %% two-classes-as-in-the-lesson wrong="logit-gradient"
# For K = 2 takes sigmoid minus label, which holds for counts that sum to one: wrong for two
# classes and other sums, e.g. counts [[2, 1]].
def cross_entropy_gradient(logits, counts):
    n, classes = logits.shape
    if classes == 2:
        second = (torch.sigmoid(logits[:, 1] - logits[:, 0]) - counts[:, 1]) / n
        return torch.stack([-second, second], dim=1)
    total = counts.sum(dim=1, keepdim=True)
    return (total * torch.softmax(logits, dim=1) - counts) / n
