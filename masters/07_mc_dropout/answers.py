# %% [markdown]
# # Answers to assignment 07
#
# Right answers of different structure, wrong answers with the sentence that a student sees, and
# mutants that change nothing. `fails` names exactly the aspects that must fail.

# %% [markdown]
# ## only-dropout


# %% by-class right="only-dropout" oracle=True
class only_dropout:
    def __init__(self, net):
        self.net = net

    def __enter__(self):
        self.were_training = {m for m in self.net.modules() if m.training}
        self.net.eval()
        self.net.apply(self.switch_on)

    def switch_on(self, module):
        if isinstance(module, (nn.Dropout, nn.Dropout1d)):
            module.train()

    def __exit__(self, *error):
        for module in self.net.modules():
            module.training = module in self.were_training


# %% by-stack right="only-dropout"
def only_dropout(net):
    stack = contextlib.ExitStack()
    for module in net.modules():
        stack.callback(setattr, module, "training", module.training)
        setattr(module, "training", isinstance(module, (nn.Dropout, nn.Dropout1d)))
    return stack


# %% by-names right="only-dropout"
@contextlib.contextmanager
def only_dropout(net):
    before = {name: module.training for name, module in net.named_modules()}
    net.eval()
    for module in net.modules():
        if isinstance(module, (nn.Dropout, nn.Dropout1d)):
            module.train()
    try:
        yield net
    finally:
        for name, module in net.named_modules():
            module.training = before[name]


# %% by-base-class right="only-dropout"
from torch.nn.modules.dropout import _DropoutNd


@contextlib.contextmanager
def only_dropout(net):
    on = [m for m in net.modules() if m.training]
    off = [m for m in net.modules() if not m.training]
    try:
        for m in on + off:
            m.training = isinstance(m, _DropoutNd)
        yield
    finally:
        for m in on:
            m.training = True
        for m in off:
            m.training = False


# %% train-all wrong="only-dropout" fails="dropout,others"
# train() switches every module, BatchNorm and functional dropout too: switch dropout modules only.
@contextlib.contextmanager
def only_dropout(net):
    modes = [(m, m.training) for m in net.modules()]
    net.train()
    try:
        yield
    finally:
        for m, mode in modes:
            m.training = mode


# %% others-left-as-they-were wrong="only-dropout" fails="others"
# The network may arrive in training mode: everything but dropout must go to evaluation mode.
@contextlib.contextmanager
def only_dropout(net):
    modes = [(m, m.training) for m in net.modules()]
    for m, _ in modes:
        if isinstance(m, (nn.Dropout, nn.Dropout1d)):
            m.training = True
    try:
        yield
    finally:
        for m, mode in modes:
            m.training = mode


# %% eval-only wrong="only-dropout" fails="dropout,others"
# In evaluation mode dropout does nothing, and all passes are equal: switch those modules on.
@contextlib.contextmanager
def only_dropout(net):
    modes = [(m, m.training) for m in net.modules()]
    net.eval()
    try:
        yield
    finally:
        for m, mode in modes:
            m.training = mode


# %% eval-afterwards wrong="only-dropout" fails="restored"
# The network need not have been in evaluation mode: give each module the mode that it had.
@contextlib.contextmanager
def only_dropout(net):
    net.eval()
    for m in net.modules():
        if isinstance(m, (nn.Dropout, nn.Dropout1d)):
            m.train()
    try:
        yield
    finally:
        net.eval()


# %% train-afterwards wrong="only-dropout" fails="dropout,restored"
# The network need not have been in training mode: give each module the mode that it had.
@contextlib.contextmanager
def only_dropout(net):
    net.eval()
    for m in net.modules():
        if isinstance(m, (nn.Dropout, nn.Dropout1d)):
            m.train()
    try:
        yield
    finally:
        net.train()


# %% one-mode-for-all wrong="only-dropout" fails="restored"
# net.training is the mode of one module: a frozen part inside had another. Keep each one's mode.
@contextlib.contextmanager
def only_dropout(net):
    mode = net.training
    net.eval()
    for m in net.modules():
        if isinstance(m, (nn.Dropout, nn.Dropout1d)):
            m.train()
    try:
        yield
    finally:
        net.train(mode)


# %% lost-on-error wrong="only-dropout" fails="restored"
# When the block raises, the lines after yield do not run: put them under try and finally.
@contextlib.contextmanager
def only_dropout(net):
    modes = [(m, m.training) for m in net.modules()]
    for m, _ in modes:
        m.training = isinstance(m, (nn.Dropout, nn.Dropout1d))
    yield
    for m, mode in modes:
        m.training = mode


# %% error-swallowed wrong="only-dropout" fails="restored"
# An exception inside the block must reach the caller: do not catch it, and do not return True.
@contextlib.contextmanager
def only_dropout(net):
    modes = [(m, m.training) for m in net.modules()]
    for m, _ in modes:
        m.training = isinstance(m, (nn.Dropout, nn.Dropout1d))
    with contextlib.suppress(Exception):
        yield
    for m, mode in modes:
        m.training = mode


# %% exact-class wrong="only-dropout" fails="dropout,others"
# A subclass of Dropout is a dropout module as well: use isinstance.
@contextlib.contextmanager
def only_dropout(net):
    modes = [(m, m.training) for m in net.modules()]
    for m, _ in modes:
        m.training = type(m) in (nn.Dropout, nn.Dropout1d)
    try:
        yield
    finally:
        for m, mode in modes:
            m.training = mode


# %% one-kind-only wrong="only-dropout" fails="dropout"
# Dropout1d is not a subclass of Dropout: look for both.
@contextlib.contextmanager
def only_dropout(net):
    modes = [(m, m.training) for m in net.modules()]
    for m, _ in modes:
        m.training = isinstance(m, nn.Dropout)
    try:
        yield
    finally:
        for m, mode in modes:
            m.training = mode


# %% by-class-name wrong="only-dropout" fails="dropout,others"
# A class name need not say what it is: a subclass may have any. Use isinstance.
@contextlib.contextmanager
def only_dropout(net):
    modes = [(m, m.training) for m in net.modules()]
    for m, _ in modes:
        m.training = "Dropout" in type(m).__name__ or type(m) is Known
    try:
        yield
    finally:
        for m, mode in modes:
            m.training = mode


# %% children-only wrong="only-dropout" fails="dropout,restored"
# children() holds the first level only: modules() reaches all levels, and net itself.
@contextlib.contextmanager
def only_dropout(net):
    modes = [(m, m.training) for m in net.children()]
    net.eval()
    for m, _ in modes:
        m.training = isinstance(m, (nn.Dropout, nn.Dropout1d))
    try:
        yield
    finally:
        for m, mode in modes:
            m.training = mode


# %% a-copy wrong="only-dropout" fails="dropout,others,restored"
# The block calls the caller's own net, not your copy of it: change the modes of net itself.
import copy


@contextlib.contextmanager
def only_dropout(net):
    twin = copy.deepcopy(net).eval()
    for m in twin.modules():
        if isinstance(m, (nn.Dropout, nn.Dropout1d)):
            m.train()
    yield twin


# %% batchnorm-off-only wrong="only-dropout" fails="dropout,others"
# BatchNorm is not the only other module: whatever is no dropout goes to evaluation mode.
@contextlib.contextmanager
def only_dropout(net):
    before = [(module, module.training) for module in net.modules()]
    for module, _ in before:
        module.training = not isinstance(module, nn.BatchNorm1d)
    try:
        yield
    finally:
        for module, mode in before:
            module.training = mode


# %% parts-only wrong="only-dropout" fails="dropout"
# If net itself is a dropout module, it is to be switched on, too.
@contextlib.contextmanager
def only_dropout(net):
    before = [(module, module.training) for module in net.modules()]
    for module, _ in before:
        module.training = module is not net and isinstance(module, nn.Dropout | nn.Dropout1d)
    try:
        yield
    finally:
        for module, mode in before:
            module.training = mode


# %% never-restored wrong="only-dropout" fails="dropout,restored"
# After the block nothing is as it was: keep each module's mode, and give it back.
@contextlib.contextmanager
def only_dropout(net):
    for module in net.modules():
        module.training = isinstance(module, nn.Dropout | nn.Dropout1d)
    yield


# %% no-manager wrong="only-dropout" fails="dropout,others,restored"
# A with block needs a context manager: yield under @contextlib.contextmanager, or write a class.
def only_dropout(net):
    for module in net.modules():
        module.training = isinstance(module, nn.Dropout | nn.Dropout1d)
    return net


# %% [markdown]
# ## dropout-functions


# %% by-loop right="dropout-functions" oracle=True
def dropout_functions(x, W, b, v, p, u):
    rows = []
    for mask in u.tolist():
        f = 0.0 * x[:, 0]
        for j, chance in enumerate(mask):
            if chance < p:
                continue
            unit = sum(x[:, k] * W[k, j] for k in range(len(W))) + b[j]
            f = f + v[j] * unit.clamp(min=0) / (1 - p)
        rows.append(f)
    return torch.stack(rows)


# %% by-einsum right="dropout-functions"
def dropout_functions(x, W, b, v, p, u):
    h = torch.nn.functional.relu(torch.addmm(b, x, W))
    z = torch.where(u < p, torch.zeros_like(u), torch.full_like(u, 1 / (1 - p)))
    return torch.einsum("tj,j,nj->tn", z, v, h)


# %% by-masked-weights right="dropout-functions"
def dropout_functions(x, W, b, v, p, u):
    h = torch.relu(x @ W + b)
    return torch.stack([h @ (v * (row >= p)) for row in u]) / (1 - p)


# %% in-float32 right="dropout-functions"
def dropout_functions(x, W, b, v, p, u):
    keep = (~(u < p)).float()
    h = torch.relu(x.float() @ W.float() + b.float())
    return (h[None] * (keep * v.float())[:, None] / (1 - p)).sum(-1)


# %% solution.detach-input equivalent="dropout-functions"
# `x = x.detach()`
# It is data: no gradient with respect to it is asked for.

# %% solution.detach-input equivalent="dropout-functions"
# `u = u.detach()`
# It is data: no gradient with respect to it is asked for.


# %% not-rescaled wrong="dropout-functions" fails="value,gradient"
# Units that stay must be divided by 1 - p; otherwise the mean over the masks shrinks.
def dropout_functions(x, W, b, v, p, u):
    return ((u >= p) * v) @ torch.relu(x @ W + b).T


# %% divided-by-p wrong="dropout-functions" fails="value,gradient"
# p is the probability of dropping: divide by the probability of staying, 1 - p.
def dropout_functions(x, W, b, v, p, u):
    return ((u >= p) * v) @ torch.relu(x @ W + b).T / max(p, 1e-12)


# %% multiplied wrong="dropout-functions" fails="value,gradient"
# Units that stay are divided by 1 - p, not multiplied.
def dropout_functions(x, W, b, v, p, u):
    return ((u >= p) * v) @ torch.relu(x @ W + b).T * (1 - p)


# %% mask-inverted wrong="dropout-functions" fails="value,gradient"
# This keeps the units with u < p: those are the ones to drop.
def dropout_functions(x, W, b, v, p, u):
    return ((u < p) * v) @ torch.relu(x @ W + b).T / (1 - p)


# %% edge-dropped wrong="dropout-functions" fails="value,gradient"
# A unit with u equal to p stays: only u < p is dropped.
def dropout_functions(x, W, b, v, p, u):
    return ((u > p) * v) @ torch.relu(x @ W + b).T / (1 - p)


# %% mask-before-relu-and-bias wrong="dropout-functions" fails="value,gradient"
# The mask belongs on the hidden units after relu: here the bias survives a dropped unit.
def dropout_functions(x, W, b, v, p, u):
    z = (u >= p).to(x.dtype) / (1 - p)
    return torch.stack([torch.relu((x @ W) * row + b) @ v for row in z])


# %% inputs-by-functions wrong="dropout-functions" fails="value"
# The result is transposed: one row for each function, one column for each input.
def dropout_functions(x, W, b, v, p, u):
    return torch.relu(x @ W + b) @ ((u >= p) * v).T / (1 - p)


# %% own-masks wrong="dropout-functions" fails="value,gradient"
# The masks follow from u; F.dropout draws others, and one for each row of the batch.
def dropout_functions(x, W, b, v, p, u):
    h = torch.relu(x @ W + b)
    chance = torch.Generator().manual_seed(0)  # or what a student sees would differ each time
    keep = torch.rand(len(u), *h.shape, generator=chance, dtype=h.dtype) >= p
    return (keep * h / (1 - p)) @ v


# %% averaged wrong="dropout-functions" fails="value,gradient"
# This is the mean over the T functions: return each of them.
def dropout_functions(x, W, b, v, p, u):
    z = (u >= p).to(x.dtype) / (1 - p)
    return ((z * v) @ torch.relu(x @ W + b).T).mean(0)


# %% no-relu wrong="dropout-functions" fails="value,gradient"
# The hidden units are relu of x W + b: without relu the network is linear.
def dropout_functions(x, W, b, v, p, u):
    return ((u >= p) * v) @ (x @ W + b).T / (1 - p)


# %% detached wrong="dropout-functions" fails="gradient"
# .detach(), .item() and numpy cut the gradient: return what torch computed.
def dropout_functions(x, W, b, v, p, u):
    z = (u >= p).to(x.dtype) / (1 - p)
    return ((z * v) @ torch.relu(x @ W + b).T).detach()


# %% bias-forgotten wrong="dropout-functions" fails="value,gradient"
# The bias b is missing from the hidden units.
def dropout_functions(x, W, b, v, p, u):
    z = (u >= p).to(x.dtype) / (1 - p)
    return (z * v) @ torch.relu(x @ W + 0 * b).T


# %% output-weights-forgotten wrong="dropout-functions" fails="value,gradient"
# The output weights v are missing: hidden units enter the sum each with its own.
def dropout_functions(x, W, b, v, p, u):
    z = (u >= p).to(x.dtype) / (1 - p)
    return z @ torch.relu(x @ W + b).T + 0 * v.sum()


# %% relu-at-the-end wrong="dropout-functions" fails="value,gradient"
# relu belongs on the hidden units; the output has none, and may be negative.
def dropout_functions(x, W, b, v, p, u):
    z = (u >= p).to(x.dtype) / (1 - p)
    return torch.relu((z * v) @ (x @ W + b).T)


# %% share-that-stayed wrong="dropout-functions" fails="value,gradient"
# Divide by 1 - p, the probability of staying, not by the share of units that happened to stay.
def dropout_functions(x, W, b, v, p, u):
    z = (u >= p).to(x.dtype)
    z = z / z.mean(1, keepdim=True).clamp(min=1e-9)
    return (z * v) @ torch.relu(x @ W + b).T


# %% [markdown]
# ## dropout-moments


# %% by-all-masks right="dropout-moments" oracle=True
import itertools

import numpy as np


def dropout_moments(h, W, b, p):
    # every mask once, weighted with its probability: no formula for mean or covariance
    d = h.shape[1]
    masks = np.array(list(itertools.product([0, 1], repeat=d)), dtype=float)
    weights = np.prod(np.where(masks == 1, 1 - p, p), axis=1)
    means, covariances = [], []
    for row in h.numpy():
        y = (masks * row / (1 - p)) @ W.numpy() + b.numpy()
        mean = weights @ y
        means.append(mean)
        covariances.append((y - mean).T @ ((y - mean) * weights[:, None]))
    return torch.tensor(np.array(means)), torch.tensor(np.array(covariances))


# %% by-einsum right="dropout-moments"
def dropout_moments(h, W, b, p):
    mean = torch.nn.functional.linear(h, W.T, b)
    return mean, torch.einsum("nj,jk,jl->nkl", h**2, W, W) * p / (1 - p)


# %% by-diagonal-matrices right="dropout-moments"
def dropout_moments(h, W, b, p):
    spread = torch.diag_embed(h.square() * (p / (1 - p)))
    return b + torch.matmul(h, W), W.T @ spread @ W


# %% by-second-moments right="dropout-moments"
def dropout_moments(h, W, b, p):
    n, d = h.shape
    inner = h[:, :, None] * h[:, None, :]  # E[z z'] is 1 off the diagonal, 1/(1-p) on it
    second = inner * (torch.ones(d, d) + torch.eye(d) * (1 / (1 - p) - 1))
    covariance = W.T @ (second - inner) @ W
    return h @ W + b, covariance


# %% not-inverted wrong="dropout-moments" fails="variance,covariance"
# p(1 - p) is the variance of a 0-or-1 mask; here units that stay are divided by 1 - p.
def dropout_moments(h, W, b, p):
    terms = h[:, :, None] * W
    return h @ W + b, p * (1 - p) * terms.mT @ terms


# %% only-p wrong="dropout-moments" fails="variance,covariance"
# The variance of z is p / (1 - p): derive it from E z squared minus one.
def dropout_moments(h, W, b, p):
    terms = h[:, :, None] * W
    return h @ W + b, p * terms.mT @ terms


# %% odds-inverted wrong="dropout-moments" fails="variance,covariance"
# The odds are upside down: p is the probability of dropping, and p = 0 leaves no variance.
def dropout_moments(h, W, b, p):
    terms = h[:, :, None] * W
    return h @ W + b, (1 - p) / max(p, 1e-12) * terms.mT @ terms


# %% second-moment wrong="dropout-moments" fails="variance,covariance"
# This is E z squared, 1 / (1 - p): the square of the mean must be taken off.
def dropout_moments(h, W, b, p):
    terms = h[:, :, None] * W
    return h @ W + b, 1 / (1 - p) * terms.mT @ terms


# %% outputs-independent wrong="dropout-moments" fails="covariance"
# The outputs share the dropped units, so they vary together: fill in the off-diagonal terms.
def dropout_moments(h, W, b, p):
    return h @ W + b, torch.diag_embed(p / (1 - p) * h**2 @ W**2)


# %% sum-then-square wrong="dropout-moments" fails="variance,covariance"
# Units are dropped independently: add the squares, do not square the sum.
def dropout_moments(h, W, b, p):
    y = h @ W
    return y + b, p / (1 - p) * y[:, :, None] * y[:, None, :]


# %% activations-forgotten wrong="dropout-moments" fails="variance,covariance"
# A unit contributes its weight times its activation: h squared belongs in as well.
def dropout_moments(h, W, b, p):
    return h @ W + b, (p / (1 - p) * W.T @ W).expand(len(h), -1, -1)


# %% activations-not-squared wrong="dropout-moments" fails="variance,covariance"
# Constants leave a variance squared: h must stand squared in it, too.
def dropout_moments(h, W, b, p):
    return h @ W + b, p / (1 - p) * torch.einsum("nj,jk,jl->nkl", h, W, W)


# %% mean-shrunk wrong="dropout-moments" fails="mean"
# The mean of z is 1, thanks to the division by 1 - p: do not multiply the mean by 1 - p.
def dropout_moments(h, W, b, p):
    terms = h[:, :, None] * W
    return (1 - p) * h @ W + b, p / (1 - p) * terms.mT @ terms


# %% bias-forgotten wrong="dropout-moments" fails="mean"
# The bias is missing from the mean.
def dropout_moments(h, W, b, p):
    terms = h[:, :, None] * W
    return h @ W, p / (1 - p) * terms.mT @ terms


# %% bias-dropped-too wrong="dropout-moments" fails="variance,covariance"
# The bias is no hidden unit: it is never dropped and adds nothing to the variance.
def dropout_moments(h, W, b, p):
    terms = torch.cat([h[:, :, None] * W, b.expand(len(h), 1, -1)], dim=1)
    return h @ W + b, p / (1 - p) * terms.mT @ terms


# %% correlations wrong="dropout-moments" fails="variance,covariance"
# These are correlations: return covariances, with the variances on the diagonal.
def dropout_moments(h, W, b, p):
    terms = h[:, :, None] * W
    c = terms.mT @ terms
    sd = c.diagonal(dim1=1, dim2=2).sqrt()
    return h @ W + b, c / (sd[:, :, None] * sd[:, None, :])


# %% batch-summed wrong="dropout-moments" fails="variance,covariance"
# Each row of h has a covariance matrix of its own: do not add or average over the batch.
def dropout_moments(h, W, b, p):
    terms = h[:, :, None] * W
    c = p / (1 - p) * (terms.mT @ terms).mean(0)
    return h @ W + b, c.expand(len(h), -1, -1)


# %% deviations-multiplied wrong="dropout-moments" fails="covariance"
# Products of deviations are covariances at correlation 1: sum the products of the terms instead.
def dropout_moments(h, W, b, p):
    sd = (p / (1 - p) * h**2 @ W**2).sqrt()
    return h @ W + b, sd[:, :, None] * sd[:, None]


# %% variances-only wrong="dropout-moments" fails="variance,covariance"
# This has shape (n, K): the text asks for a K x K matrix for each row of h.
def dropout_moments(h, W, b, p):
    return h @ W + b, p / (1 - p) * h**2 @ W**2


# %% sampled wrong="dropout-moments" fails="mean,variance,covariance"
# Random masks give approximations: the moments have a closed form, without sampling.
def dropout_moments(h, W, b, p):
    z = (torch.rand(2000, h.shape[1]) >= p).to(h.dtype) / (1 - p)
    y = torch.einsum("sj,nj,jk->snk", z, h, W) + b
    rest = y - y.mean(0)
    return y.mean(0), torch.einsum("snk,snl->nkl", rest, rest) / len(z)


# %% [markdown]
# ## band-for-y


# %% by-scipy right="band-for-y" oracle=True
import numpy as np
from scipy import stats


def band_for_y(passes, tau, level):
    f = passes.numpy()
    precision = np.broadcast_to(np.asarray(tau, dtype=float), f.shape[1:])
    # second moments about zero: E[y^2] - E[y]^2, mixture of T equally likely Normals
    second = np.mean([row**2 + stats.norm(0, precision**-0.5).var() for row in f], axis=0)
    first = f.sum(0) / f.shape[0]
    return stats.norm(first, np.sqrt(second - first**2)).interval(level)


# %% by-numpy right="band-for-y"
from statistics import NormalDist

import numpy as np


def band_for_y(passes, tau, level):
    mean, variance = np.mean(passes.numpy(), 0), np.var(passes.numpy(), 0)
    half = NormalDist().inv_cdf((1 + level) / 2) * np.sqrt(variance + 1 / np.asarray(tau))
    return mean - half, mean + half


# %% by-distribution right="band-for-y"
def band_for_y(passes, tau, level):
    mean = passes.sum(0) / len(passes)
    variance = ((passes - mean) ** 2).mean(0) + torch.ones_like(mean) / tau
    y = torch.distributions.Normal(mean, variance**0.5)
    return y.icdf(torch.tensor((1 - level) / 2)), y.icdf(torch.tensor((1 + level) / 2))


# %% by-scipy.change-number equivalent="band-for-y"
# `... ** 2 + stats.norm(1, precision ** (-0.5)).var() for row in f], axis=0)`
# The variance of a Normal does not depend on its mean.


# %% spread-only wrong="band-for-y" fails="width"
# The passes scatter about f only; new data scatter about f as well: add the noise variance.
def band_for_y(passes, tau, level):
    mean, sd = passes.mean(0), passes.std(0, correction=0)
    z = torch.special.ndtri(torch.tensor(0.5 + level / 2, dtype=passes.dtype))
    return mean - z * sd, mean + z * sd


# %% noise-only wrong="band-for-y" fails="width"
# This is the band of a single network: the variance of the passes must be added.
def band_for_y(passes, tau, level):
    mean, sd = passes.mean(0), torch.as_tensor(1 / tau, dtype=passes.dtype).sqrt()
    z = torch.special.ndtri(torch.tensor(0.5 + level / 2, dtype=passes.dtype))
    return mean - z * sd, mean + z * sd


# %% deviations-added wrong="band-for-y" fails="width"
# Standard deviations do not add: add the variances, then take the root.
def band_for_y(passes, tau, level):
    mean, sd = passes.mean(0), passes.std(0, correction=0) + (1 / tau) ** 0.5
    z = torch.special.ndtri(torch.tensor(0.5 + level / 2, dtype=passes.dtype))
    return mean - z * sd, mean + z * sd


# %% precision-as-variance wrong="band-for-y" fails="width"
# tau is a precision, one over the noise variance.
def band_for_y(passes, tau, level):
    mean, sd = passes.mean(0), (passes.var(0, correction=0) + tau).sqrt()
    z = torch.special.ndtri(torch.tensor(0.5 + level / 2, dtype=passes.dtype))
    return mean - z * sd, mean + z * sd


# %% precision-of-the-deviation wrong="band-for-y" fails="width"
# 1 / tau is the noise variance already: do not square it.
def band_for_y(passes, tau, level):
    mean, sd = passes.mean(0), (passes.var(0, correction=0) + (1 / tau) ** 2).sqrt()
    z = torch.special.ndtri(torch.tensor(0.5 + level / 2, dtype=passes.dtype))
    return mean - z * sd, mean + z * sd


# %% unbiased wrong="band-for-y" fails="centre,width"
# The text divides by T, and a single pass has variance 0: torch divides by T - 1 by default.
def band_for_y(passes, tau, level):
    mean, sd = passes.mean(0), (passes.var(0) + 1 / tau).sqrt()
    z = torch.special.ndtri(torch.tensor(0.5 + level / 2, dtype=passes.dtype))
    return mean - z * sd, mean + z * sd


# %% standard-error wrong="band-for-y" fails="width"
# Divided by the number of passes this is the error of the mean: y scatters with the passes.
def band_for_y(passes, tau, level):
    mean, sd = passes.mean(0), (passes.var(0, correction=0) / len(passes) + 1 / tau).sqrt()
    z = torch.special.ndtri(torch.tensor(0.5 + level / 2, dtype=passes.dtype))
    return mean - z * sd, mean + z * sd


# %% two-deviations wrong="band-for-y" fails="width"
# Two deviations hold about 95%: take the factor that belongs to level.
def band_for_y(passes, tau, level):
    mean, sd = passes.mean(0), (passes.var(0, correction=0) + 1 / tau).sqrt()
    return mean - 2 * sd, mean + 2 * sd


# %% one-sided wrong="band-for-y" fails="width"
# A central interval leaves (1 - level)/2 on each side: its ends are not the quantile of level.
def band_for_y(passes, tau, level):
    mean, sd = passes.mean(0), (passes.var(0, correction=0) + 1 / tau).sqrt()
    z = torch.special.ndtri(torch.tensor(level, dtype=passes.dtype))
    return mean - z * sd, mean + z * sd


# %% root-forgotten wrong="band-for-y" fails="width"
# This is a variance where a standard deviation belongs: take the root.
def band_for_y(passes, tau, level):
    mean, variance = passes.mean(0), passes.var(0, correction=0) + 1 / tau
    z = torch.special.ndtri(torch.tensor(0.5 + level / 2, dtype=passes.dtype))
    return mean - z * variance, mean + z * variance


# %% median wrong="band-for-y" fails="centre"
# The mean of the Normal is the mean of the passes, not their median.
def band_for_y(passes, tau, level):
    mean, sd = passes.quantile(0.5, dim=0), (passes.var(0, correction=0) + 1 / tau).sqrt()
    z = torch.special.ndtri(torch.tensor(0.5 + level / 2, dtype=passes.dtype))
    return mean - z * sd, mean + z * sd


# %% quantiles-of-the-passes wrong="band-for-y" fails="centre,width"
# Quantiles of the passes are a band for f: y has the noise on top.
def band_for_y(passes, tau, level):
    return passes.quantile((1 - level) / 2, dim=0), passes.quantile((1 + level) / 2, dim=0)


# %% two-deviations-exactly wrong="band-for-y" fails="width"
# 1.96 deviations hold 95%: take the factor that belongs to level.
def band_for_y(passes, tau, level):
    sd = torch.sqrt(passes.var(0, correction=0) + 1 / tau)
    return passes.mean(0) - 1.96 * sd, passes.mean(0) + 1.96 * sd


# %% tail-for-level wrong="band-for-y" fails="width"
# level is what lies inside, not outside: the share beyond each end is half of 1 - level.
def band_for_y(passes, tau, level):
    sd = torch.sqrt(passes.var(0, correction=0) + 1 / tau)
    z = torch.special.ndtri(torch.tensor(1 - level / 2, dtype=passes.dtype))
    return passes.mean(0) - z * sd, passes.mean(0) + z * sd


# %% ends-swapped wrong="band-for-y" fails="width"
# The lower end comes first.
def band_for_y(passes, tau, level):
    sd = torch.sqrt(passes.var(0, correction=0) + 1 / tau)
    z = torch.special.ndtri(torch.tensor(0.5 + level / 2, dtype=passes.dtype))
    return passes.mean(0) + z * sd, passes.mean(0) - z * sd


# %% root-of-the-precision wrong="band-for-y" fails="width"
# 1 / sqrt(tau) is the noise's standard deviation: variances are what adds.
def band_for_y(passes, tau, level):
    sd = torch.sqrt(passes.var(0, correction=0) + 1 / tau**0.5)
    z = torch.special.ndtri(torch.tensor(0.5 + level / 2, dtype=passes.dtype))
    return passes.mean(0) - z * sd, passes.mean(0) + z * sd


# %% noise-averaged-away wrong="band-for-y" fails="width"
# More passes do not reduce the noise of y: do not divide it by their number.
def band_for_y(passes, tau, level):
    sd = torch.sqrt(passes.var(0, correction=0) + 1 / (tau * len(passes)))
    z = torch.special.ndtri(torch.tensor(0.5 + level / 2, dtype=passes.dtype))
    return passes.mean(0) - z * sd, passes.mean(0) + z * sd


# %% along-the-inputs wrong="band-for-y" fails="centre,width"
# The passes lie along the first dimension: average over it, and keep the n inputs.
def band_for_y(passes, tau, level):
    mean = passes.mean(1)
    noise = 1 / torch.as_tensor(tau, dtype=passes.dtype).mean()
    sd = torch.sqrt(passes.var(1, correction=0) + noise)
    z = torch.special.ndtri(torch.tensor(0.5 + level / 2, dtype=passes.dtype))
    return mean - z * sd, mean + z * sd


# %% [markdown]
# ## passes-needed


# %% by-scipy right="passes-needed" oracle=True
import bisect
import sys

from scipy import stats


def passes_needed(passes, tolerance):
    error = stats.sem(passes.numpy(), axis=0)
    worst = passes.numpy().std(axis=0, ddof=1).max()
    # halves a range of whole numbers instead of solving for one
    enough = lambda n: worst <= tolerance * n**0.5  # noqa: E731
    return error, bisect.bisect_left(range(sys.maxsize), True, lo=1, key=enough)


# %% by-errors right="passes-needed"
def passes_needed(passes, tolerance):
    T = passes.shape[0]
    error = passes.std(dim=0) / T**0.5
    needed = torch.ceil(T * (error / tolerance) ** 2).max().clamp(min=1)
    return error, int(needed)


# %% by-hand right="passes-needed"
def passes_needed(passes, tolerance):
    r = passes - passes.mean(0)
    variance = (r * r).sum(0) / (passes.shape[0] - 1)
    needed = [max(math.ceil(v / tolerance**2), 1) for v in variance.tolist()]
    return (variance / passes.shape[0]) ** 0.5, max(needed)


# %% deviation wrong="passes-needed" fails="error"
# This is the deviation of one pass; the error of the mean is smaller by the root of T.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    return sd, max(1, math.ceil((sd.max().item() / tolerance) ** 2))


# %% divided-by-T wrong="passes-needed" fails="error"
# The variance of the mean falls as 1/T, its standard error as one over the root of T.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    return sd / len(passes), max(1, math.ceil((sd.max().item() / tolerance) ** 2))


# %% biased wrong="passes-needed" fails="error,needed"
# The passes are a sample: divide by T - 1 (correction=1 in PyTorch, ddof=1 in numpy).
def passes_needed(passes, tolerance):
    sd = passes.std(0, correction=0)
    return sd / math.sqrt(len(passes)), max(1, math.ceil((sd.max().item() / tolerance) ** 2))


# %% variance-of-the-mean wrong="passes-needed" fails="error"
# This is the variance of the mean: take the root for its standard error.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    return sd**2 / len(passes), max(1, math.ceil((sd.max().item() / tolerance) ** 2))


# %% rounded-down wrong="passes-needed" fails="needed"
# One pass too few: the smallest number that is enough is found by rounding up.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    return sd / math.sqrt(len(passes)), max(1, int((sd.max().item() / tolerance) ** 2))


# %% rounded wrong="passes-needed" fails="needed"
# Rounding to the nearest number may give one pass too few: round up.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    return sd / math.sqrt(len(passes)), max(1, round((sd.max().item() / tolerance) ** 2))


# %% not-squared wrong="passes-needed" fails="needed"
# Half the error takes four times the passes: the ratio must be squared.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    return sd / math.sqrt(len(passes)), max(1, math.ceil(sd.max().item() / tolerance))


# %% average-input wrong="passes-needed" fails="needed"
# The tolerance must hold at every input: the one with the largest deviation decides.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    mean_variance = (sd**2).mean().item()
    return sd / math.sqrt(len(passes)), max(1, math.ceil(mean_variance / tolerance**2))


# %% easiest-input wrong="passes-needed" fails="needed"
# The tolerance must hold at every input, not only at the one with the smallest deviation.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    return sd / math.sqrt(len(passes)), max(1, math.ceil((sd.min().item() / tolerance) ** 2))


# %% none-needed wrong="passes-needed" fails="needed"
# Passes that are all equal still need one pass to know the value.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    return sd / math.sqrt(len(passes)), math.ceil((sd.max().item() / tolerance) ** 2)


# %% error-as-deviation wrong="passes-needed" fails="needed"
# The error of the pilot's mean is divided by the root of T already: start from one pass.
def passes_needed(passes, tolerance):
    error = passes.std(0) / math.sqrt(len(passes))
    return error, max(1, math.ceil((error.max().item() / tolerance) ** 2))


# %% over-everything wrong="passes-needed" fails="error,needed"
# Each input has a deviation of its own: take it along the passes only.
def passes_needed(passes, tolerance):
    sd = passes.std().expand(passes.shape[1])
    return sd / math.sqrt(len(passes)), max(1, math.ceil((sd.max().item() / tolerance) ** 2))


# %% more-passes wrong="passes-needed" fails="needed"
# The pilot run's passes count: return the total number, not how many are still missing.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    total = math.ceil((sd.max().item() / tolerance) ** 2)
    return sd / math.sqrt(len(passes)), max(1, total - len(passes))


# %% one-number-per-input wrong="passes-needed" fails="needed"
# One number of passes serves all inputs: return the one that is enough for each of them.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    return sd / len(passes) ** 0.5, ((sd / tolerance) ** 2).ceil().clamp(min=1)


# %% not-whole wrong="passes-needed" fails="needed"
# A number of passes is whole: round up.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    return sd / len(passes) ** 0.5, max(1, (sd.max().item() / tolerance) ** 2)


# %% pilot-at-least wrong="passes-needed" fails="needed"
# The number may be smaller than that of the pilot run: the least that is enough counts.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    needed = math.ceil((sd.max().item() / tolerance) ** 2)
    return sd / len(passes) ** 0.5, max(len(passes), needed)


# %% interval wrong="passes-needed" fails="needed"
# The tolerance is for the standard error itself, not for 1.96 of them.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    needed = math.ceil((1.96 * sd.max().item() / tolerance) ** 2)
    return sd / len(passes) ** 0.5, max(1, needed)


# %% corrected-twice wrong="passes-needed" fails="error"
# T - 1 belongs in the variance only: the variance of a mean of T passes is that divided by T.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    needed = math.ceil((sd.max().item() / tolerance) ** 2)
    return sd / (len(passes) - 1) ** 0.5, max(1, needed)


# %% tolerance-not-squared wrong="passes-needed" fails="needed"
# The tolerance is a deviation, so it must be squared beside a variance.
def passes_needed(passes, tolerance):
    sd = passes.std(0)
    return sd / len(passes) ** 0.5, max(1, math.ceil(sd.max().item() ** 2 / tolerance))


# %% along-the-inputs wrong="passes-needed" fails="error,needed"
# The passes lie along the first dimension: the deviation is taken over it, for each input.
def passes_needed(passes, tolerance):
    sd = passes.std(1, correction=0)
    needed = math.ceil((sd.max().item() / tolerance) ** 2)
    return sd / passes.shape[1] ** 0.5, max(1, needed)


# %% [markdown]
# ## mc-log-probabilities


# %% by-pairs right="mc-log-probabilities" oracle=True
from functools import reduce


def mc_log_probabilities(logits):
    # class by class and pass by pass with logaddexp; shares no reduction with the solution
    def add(values):
        return reduce(torch.logaddexp, values)

    passes = []
    for z in logits.unbind(0):
        norm = add(z.unbind(1))
        passes.append(torch.stack([c - norm for c in z.unbind(1)], dim=1))
    count = torch.tensor(float(len(passes)), dtype=logits.dtype)
    return add(passes) - count.log()


# %% by-shifting right="mc-log-probabilities"
def mc_log_probabilities(logits):
    log_p = logits - logits.logsumexp(2, keepdim=True)
    top = log_p.max(0).values
    return top + (log_p - top).exp().mean(0).log()


# %% by-mixture right="mc-log-probabilities"
from torch.distributions import Categorical, MixtureSameFamily


def mc_log_probabilities(logits):
    T, n, K = logits.shape
    mixing = Categorical(logits=torch.zeros(n, T, dtype=logits.dtype))
    mixture = MixtureSameFamily(mixing, Categorical(logits=logits.transpose(0, 1)))
    return mixture.log_prob(torch.arange(K)[:, None].expand(K, n)).T


# %% logits-averaged wrong="mc-log-probabilities" fails="value,stability,gradient"
# This averages the logits; the text asks for the mean of the probabilities: softmax comes first.
def mc_log_probabilities(logits):
    return torch.log_softmax(logits.mean(0), dim=-1)


# %% starts-at-minus-a-billion wrong="mc-log-probabilities" fails="stability,gradient"
# A finite start for the sum of probabilities counts as one where all are smaller: begin with none.
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits, dim=-1)
    total = torch.full_like(log_p[0], -1e9)
    for row in log_p:
        total = torch.logaddexp(total, row)
    return total - math.log(len(log_p))


# %% log-probabilities-averaged wrong="mc-log-probabilities" fails="value,stability,gradient"
# The mean of logarithms is not the logarithm of the mean: average the probabilities.
def mc_log_probabilities(logits):
    return torch.log_softmax(logits, dim=-1).mean(0)


# %% log-of-zero wrong="mc-log-probabilities" fails="stability,gradient"
# A probability below 1e-300 is 0, and its logarithm minus infinity: stay in logarithms.
def mc_log_probabilities(logits):
    return logits.softmax(-1).mean(0).log()


# %% small-number-added wrong="mc-log-probabilities" fails="value,stability,gradient"
# A small number inside the logarithm caps it: stay in logarithms instead.
def mc_log_probabilities(logits):
    return torch.log(logits.softmax(-1).mean(0) + 1e-3)


# %% epsilon-added wrong="mc-log-probabilities" fails="stability,gradient"
# 1e-12 inside the logarithm caps it at -27.6: stay in logarithms instead.
def mc_log_probabilities(logits):
    return torch.log(logits.softmax(-1).mean(0) + 1e-12)


# %% summed wrong="mc-log-probabilities" fails="value,stability"
# This is the logarithm of the sum over the passes: the mean is smaller by log T.
def mc_log_probabilities(logits):
    return torch.logsumexp(torch.log_softmax(logits, dim=-1), dim=0)


# %% divided-in-logs wrong="mc-log-probabilities" fails="value,stability,gradient"
# Dividing by T inside the logarithm is subtracting log T outside of it.
def mc_log_probabilities(logits):
    return torch.logsumexp(torch.log_softmax(logits, dim=-1), dim=0) / len(logits)


# %% not-normalised wrong="mc-log-probabilities" fails="value,stability,gradient"
# Logits are no log-probabilities: normalise each pass with log_softmax first.
def mc_log_probabilities(logits):
    return torch.logsumexp(logits, dim=0) - math.log(len(logits))


# %% normalised-at-the-end wrong="mc-log-probabilities" fails="value,stability,gradient"
# Normalising once at the end lets passes with large logits outvote the rest: normalise each.
def mc_log_probabilities(logits):
    return torch.log_softmax(torch.logsumexp(logits, dim=0), dim=-1)


# %% over-the-batch wrong="mc-log-probabilities" fails="value,stability,gradient"
# The softmax runs over the classes, the last dimension.
def mc_log_probabilities(logits):
    return torch.logsumexp(torch.log_softmax(logits, dim=1), dim=0) - math.log(len(logits))


# %% wrong-count wrong="mc-log-probabilities" fails="value,stability"
# log T belongs to the number of passes, the first dimension.
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits, dim=-1)
    return torch.logsumexp(log_p, dim=0) - math.log(logits.shape[-1])


# %% votes wrong="mc-log-probabilities" fails="value,stability,gradient"
# These are shares of votes: average the probabilities, which say how sure each pass is.
def mc_log_probabilities(logits):
    votes = torch.nn.functional.one_hot(logits.argmax(-1), logits.shape[-1])
    return votes.to(logits.dtype).mean(0).clamp(min=1e-12).log()


# %% probabilities wrong="mc-log-probabilities" fails="value,stability,gradient"
# These are the probabilities: the text asks for their logarithms.
def mc_log_probabilities(logits):
    return logits.softmax(-1).mean(0)


# %% detached wrong="mc-log-probabilities" fails="gradient"
# numpy, .detach() and .item() cut the gradient: use torch.logsumexp.
from scipy.special import log_softmax, logsumexp


def mc_log_probabilities(logits):
    log_p = log_softmax(logits.detach().numpy(), axis=-1)
    return torch.from_numpy(logsumexp(log_p, axis=0) - math.log(len(logits)))


# %% over-the-passes wrong="mc-log-probabilities" fails="value,stability,gradient"
# The softmax runs over the classes: in each pass and input, the probabilities sum to 1.
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits, dim=0)
    return torch.logsumexp(log_p, dim=0) - math.log(len(logits))


# %% summed-over-classes wrong="mc-log-probabilities" fails="value,stability,gradient"
# The mean is over the passes, the first dimension: over the classes the probabilities sum to 1.
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits, dim=-1)
    return torch.logsumexp(log_p, dim=-1) - math.log(len(logits))


# %% negative wrong="mc-log-probabilities" fails="value,stability,gradient"
# This is the loss of each class: the text asks for the log-probability, without the minus.
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits, dim=-1)
    return math.log(len(logits)) - torch.logsumexp(log_p, dim=0)


# %% logits-clamped wrong="mc-log-probabilities" fails="stability,gradient"
# Clamping changes what the network says: log_softmax and logsumexp need no clamp.
def mc_log_probabilities(logits):
    log_p = torch.log_softmax(logits.clamp(-50, 50), dim=-1)
    return torch.logsumexp(log_p, dim=0) - math.log(len(logits))
