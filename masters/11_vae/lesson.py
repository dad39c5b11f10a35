# %% [markdown]
# # Variational autoencoders
#
# A variational autoencoder (VAE) with two latent variables is trained until nothing moves any
# more. Then you notice that one of the two is dead: the encoder gives it the same distribution for
# every input, and the decoder ignores it. This is called *posterior collapse*. **What went
# wrong?**

# %% [markdown]
# **After this lesson you can** derive the loss of a VAE in two ways and say how far it lies from
# the likelihood; get a gradient through a random draw; say why a latent variable dies; and report
# a VAE in nats, beside baselines, without comparing what cannot be compared.
#
# **You need** Normal and Bernoulli likelihoods and their logits (unit 01), the KL divergence, and
# what principal components are. Reading takes about 80 minutes with the code, 45 without it;
# running some 12 seconds. Symbols: [notation](00_start.ipynb#Notation).
#
# Where a cell asks for a prediction, commit to one before you read on. Your first answer is kept,
# compared with the truth, and never graded.
#
# The setup looks the same in every lesson: imports, one device, one thread, one style. If
# `course_utils` is missing, run `%pip install` with the path of the course's folder.

# %%
import numpy as np
import torch
from matplotlib import pyplot as plt
from scipy import special, stats
from torch import nn
from torch.distributions import Bernoulli, Normal, kl_divergence

from course_utils.device import numpy_rng, one_thread, pick_device, torch_generator
from course_utils.plotting import plot_curve, plot_oracle, use_course_style
from course_utils.predictions import predict, reveal
from course_utils.training import fit
from course_utils.widgets import interactive

device = pick_device()
one_thread()
use_course_style()

# %% [markdown]
# Now commit to an answer:

# %%
predict(
    "11-what-went-wrong",
    ...,
    ask="One of two latent variables is dead. What went wrong?",
    choices=(
        "the KL term had too much weight: with less, both live and the fit is better",
        "the encoder was too weak to tell the second variable",
        "the decoder was too flexible to need it",
        "nothing in the training, possibly",
    ),
)

# %% [markdown]
# ## A likelihood with a hidden cause
#
# An image is caused by few things that nobody recorded: which digit, how slanted, how thick the
# pen. A latent-variable model says so. It draws a *latent* $z$ from a fixed *prior* $p(z)$, here
# the standard normal, and then $x$ from $p(x \mid z)$, whose parameters a *decoder* computes from
# $z$. The data show $x$ alone, so their likelihood $p(x)$ adds up everything that $z$ may have
# been.
#
# Start where this can be solved: one latent variable, two pixels, and the decoder $wz$ with Normal
# noise of standard deviation $\sigma$. On a fine grid of $z$ the sum is a sum. And $x$ is Normal
# with covariance $w w^\top + \sigma^2 I$, so there is an oracle, too.

# %% same=True
w, sigma, x = np.array([1.5, -1.0]), 0.8, np.array([1.4, -1.6])
z = np.linspace(-12, 12, 6001)
dz = z[1] - z[0]
log_prior = stats.norm.logpdf(z)
log_likelihood = stats.norm.logpdf(x, z[:, None] * w, sigma).sum(1)  # (6001,) log p(x | z)
log_joint = log_prior + log_likelihood
log_p = special.logsumexp(log_joint) + np.log(dz)
oracle = stats.multivariate_normal([0, 0], np.outer(w, w) + sigma**2 * np.eye(2)).logpdf(x)
assert np.isclose(log_p, oracle)
log_posterior = log_joint - log_p  # log p(z | x)
centre = (np.exp(log_posterior) * z).sum() * dz
spread = ((np.exp(log_posterior) * (z - centre) ** 2).sum() * dz) ** 0.5
print(f"log p(x) = {log_p:.3f} nats; posterior of z: mean {centre:.2f}, deviation {spread:.2f}")

# %% hide=True alt="Over z: the joint p(z) p(x | z), whose area is p(x); prior, posterior."
_, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
plot_curve(z, np.exp(log_joint), ax=left, color="C1")
left.fill_between(z, np.exp(log_joint), color="C1", alpha=0.3)
left.set(xlabel="z", ylabel="p(z) p(x | z)", xlim=(-3, 3))
left.set_title(f"The area is p(x) = {np.exp(log_p):.3f}")
plot_curve(z, np.exp(log_prior), ax=right, color="0.5", label="prior p(z)")
plot_curve(z, np.exp(log_posterior), ax=right, color="C1", label="posterior p(z | x)")
right.set(
    xlabel="z", ylabel="density", xlim=(-3, 3), title="Scaled to area 1: what z may have been"
)
_ = right.legend(loc="upper left")

# %% [markdown]
# In symbols, the sum is an integral, and maximum likelihood wants its logarithm:
#
# $$p(x) = \int p(z)\, p(x \mid z)\, dz$$
#
# With a network as decoder the integral has no closed form, and with eight latent variables no
# grid is fine enough. A VAE works with a bound that needs neither.

# %% [markdown]
# ## The ELBO, two ways
#
# Take any density $q(z)$ as a guess at the posterior $p(z \mid x)$. The *evidence lower bound* is
#
# $$\mathrm{ELBO} = \mathrm{E}_q \log p(x \mid z) - \mathrm{KL}(q \,\|\, p(z)),$$
#
# how well draws from $q$ explain $x$, minus how far $q$ departs from the prior. Two terms, and
# both are averages over $q$. Let $q$ be the best guess there is, the exact posterior
# of the figure.

# %%
predict(
    "11-elbo-at-the-posterior",
    ...,
    ask="If q is the exact posterior, the ELBO is ...",
    choices=("below log p(x)", "no different from log p(x)", "above log p(x)"),
)

# %% [markdown] fold="11-elbo-at-the-posterior"
# ### Two derivations

# %% [markdown]
# Here are the two derivations. The first is Jensen's inequality, the logarithm of an average is at
# least the average logarithm; the second starts from the definition of the posterior.
#
# $$
# \begin{aligned}
# (1) \quad \log p(x) &= \log \mathrm{E}_q \frac{p(x, z)}{q(z)}
#   \;\ge\; \mathrm{E}_q \log \frac{p(x, z)}{q(z)} \\
# (2) \quad &= \mathrm{E}_q \log p(x \mid z) - \mathrm{E}_q \log \frac{q(z)}{p(z)}
#   = \mathrm{ELBO} \\
# (3) \quad \mathrm{E}_q \log \frac{p(x, z)}{q(z)}
#   &= \mathrm{E}_q \log \frac{p(x)\, p(z \mid x)}{q(z)} \\
# (4) \quad &= \log p(x) - \mathrm{KL}(q \,\|\, p(z \mid x))
# \end{aligned}
# $$
#
# The first way shows a bound. The second also says what is lost: the divergence from $q$ to the
# posterior. Each line as a sum over the grid, for three guesses:


# %%
def elbo_on_grid(m, s):
    q, log_q = stats.norm.pdf(z, m, s) * dz, stats.norm.logpdf(z, m, s)
    bound = (q * (log_joint - log_q)).sum()  # (1), right-hand side
    assert np.isclose(bound, (q * log_likelihood).sum() - (q * (log_q - log_prior)).sum())  # (2)
    assert np.isclose(bound, log_p - (q * (log_q - log_posterior)).sum())  # (3), (4)
    return bound


for m, s in [(0.0, 1.0), (0.9, 0.7), (centre, spread)]:
    print(f"q with mean {m:.2f}, deviation {s:.2f}: ELBO {elbo_on_grid(m, s):.3f} nats")
best = elbo_on_grid(centre, spread)
assert abs(best - log_p) < 1e-6
because = {"below log p(x)": "It is a bound, but one that the right q reaches: see (4)."}
because["above log p(x)"] = "It is a lower bound: whatever q is, it cannot be above."
reveal("11-elbo-at-the-posterior", "no different from log p(x)", because=because)

# %% [markdown]
# The ELBO never exceeds $\log p(x)$, and reaches it if $q$ is the posterior; whether any $q$ of
# the family at hand is, is another matter. It is *maximised*; the loss is its negative. Raising it
# can raise $\log p(x)$, or pull $q$ towards the posterior, or both. From the ELBO alone you cannot
# tell which.

# %% [markdown] card="11-gap-of-the-elbo"
# How far does the ELBO lie below log p(x), and when is it equal?
#
# **Answer.** By KL(q‖p(z | x)), the divergence from the guess to the posterior. They are equal if
# q is the posterior. A rise of the ELBO alone does not say which of the two has moved.

# %% [markdown]
# ## Broken on purpose: bounds that are none
#
# "Never" is a test that you can run. Three slips from real code, each with $q$ at the exact
# posterior, where the right answer is known:

# %% same=True
fit_term = (stats.norm.pdf(z, centre, spread) * log_likelihood).sum() * dz
kl_term = fit_term - elbo_on_grid(centre, spread)
constants = -2 * np.log(np.sqrt(2 * np.pi) * sigma)  # two pixels
at_the_mean = stats.norm.logpdf(x, centre * w, sigma).sum()
slips = {
    "constants of the Normal dropped": fit_term - constants - kl_term,
    "decoder applied to the mean of q": at_the_mean - kl_term,
    "KL term with weight 0.1": fit_term - 0.1 * kl_term,
}
for name, value in slips.items():
    print(f"{name:33s} {value:6.3f}, which is {value - log_p:.3f} above log p(x)")
    assert value > log_p + 0.1

# %% [markdown]
# All three report more than the data can have. Dropping constants does no harm to training with
# $\sigma$ fixed, but the number is no ELBO. Decoding the mean scores a code that is more precise
# than $q$ admits. A weight of 0.1 charges a tenth of what the code costs.

# %% [markdown] card="11-a-bound-to-test"
# The mean ELBO comes out above the exact log p(x). What does that tell?
#
# **Answer.** A bug: no q does that. Three that do are dropped constants, decoding the mean instead
# of a draw, and a KL term with a weight below 1.

# %% [markdown]
# ## A gradient through a random draw
#
# The average over $q$ is estimated from a draw, and training needs the derivative of that average
# with respect to the parameters of $q$, say its mean $m$. But the draw depends on $m$. Two ways to
# write this down, for an $f$ that does not itself contain $m$:
#
# $$
# \begin{aligned}
# (5) \quad z = m + s\,\varepsilon: \qquad \tfrac{d}{dm} \mathrm{E}_q f(z)
#   &= \mathrm{E}_\varepsilon \tfrac{d}{dm} f(m + s\,\varepsilon) \\
# (6) \quad \tfrac{d}{dm} \int q(z) f(z)\, dz
#   &= \mathrm{E}_q \big[ f(z)\, \tfrac{d}{dm} \log q(z) \big]
# \end{aligned}
# $$
#
# Line (5) moves the randomness into noise $\varepsilon \sim N(0, 1)$ that does not depend on $m$;
# this is *reparametrisation*, and it uses the derivative of $f$. Line (6), the *score-function*
# estimator, needs only values of $f$. For the ELBO, $f = \log p(x, z) - \log q(z)$; it contains
# $m$ through $q$, and still both are right on average. How do they scatter? Let there be 64
# independent copies of the model above, with 64 latent variables in all, and take the slope with
# respect to the mean of the first.

# %%
predict(
    "11-score-function-noise",
    ...,
    ask="With 64 latent variables, the standard deviation of (6) is that of (5) times about ...",
    choices=("2", "8, the root of 64", "80"),
)

# %% [markdown] fold="11-score-function-noise"
# ### Twenty thousand estimates of each

# %% [markdown]
# The cell makes 20 000 estimates of each kind, each from a single draw, at $m = 0.9$, $s = 0.7$.
# It adds up one copy after the other, so that `total[:, d - 1]` is $f$ for $d$ latent variables.
#
# The *score* is the derivative of $\log q$ in (6). Its mean is 0, and two things follow. The
# derivative of $f$ with respect to the $m$ inside it is minus the score, so what (6) leaves out is
# 0 on average. And a constant subtracted from $f$, a *baseline*, changes no average.

# %%
m = torch.full((20_000, 64), 0.9, device=device, requires_grad=True)  # a copy for each estimate
eps = torch.randn(20_000, 64, generator=torch_generator(0)).to(device)
W, X = (torch.tensor(v, dtype=m.dtype, device=device) for v in (w, x))
moving = m + 0.7 * eps  # the draw depends on m
still = moving.detach()  # the same draw as a plain number


def f(z):  # (20000, 64), one value for each copy of the model
    joint = Normal(0.0, 1.0).log_prob(z) + Normal(z[..., None] * W, sigma).log_prob(X).sum(-1)
    return joint - Normal(m, 0.7).log_prob(z)


by_path = torch.autograd.grad(f(moving).sum(), m)[0][:, :1]  # (5)
score = torch.autograd.grad(Normal(m, 0.7).log_prob(still).sum(), m)[0][:, :1]
total = f(still).detach().cumsum(1)

# %% [markdown]
# All of them must agree on average with the slope of the ELBO on the grid:

# %%
estimates = {"score function (6)": total * score}
estimates["(6) with a baseline"] = (total - total.mean(0)) * score
estimates["reparametrised (5)"] = by_path.expand(-1, 64)
slope = (elbo_on_grid(0.901, 0.7) - elbo_on_grid(0.899, 0.7)) / 0.002
deviation = {}
for name, values in estimates.items():
    deviation[name] = values.std(0).cpu().numpy()
    error = deviation[name] / 20_000**0.5
    assert (abs(values.mean(0).cpu().numpy() - slope) < 5 * error).all()

# %% hide=True alt="Deviation over latents: (6) rises past 300, with baseline to 17, (5) is 4."
_, ax = plt.subplots()
some = np.array([1, 2, 4, 8, 16, 32, 64])
for name, values in deviation.items():
    plot_curve(some, values[some - 1], ax=ax, marker="o", label=name)
ax.set(xscale="log", yscale="log", xlabel="latent variables")
ax.set(ylabel="deviation (nats per unit of m)", xticks=[1, 4, 16, 64])
ax.set_xticklabels([1, 4, 16, 64])
ax.set_title("The score function multiplies the level of all others")
_ = ax.legend()

# %% [markdown]
# The ratios, for 1 and for 64 latent variables, and what the mean of $f$ alone would scatter:

# %%
plain, with_baseline, path = deviation.values()
for d in (1, 64):
    ratios = plain[d - 1] / path[d - 1], with_baseline[d - 1] / path[d - 1]
    print(f"{d:2d} latents: (6) / (5) = {ratios[0]:.1f}, with a baseline {ratios[1]:.1f}")
level = total[:, -1].mean().abs().item() / 0.7  # times the deviation of the score, 1 / s
print(f"64 latents: the mean of f alone {level:.0f}, all of f {plain[-1]:.0f}")
assert 0.9 < level / plain[-1] < 1
assert 60 < plain[-1] / path[-1] < 100 and 2 * path[-1] < with_baseline[-1] < 20 * path[-1]
because = {"2": "That is the ratio for a single latent variable."}
because["8, the root of 64"] = (
    "f has 64 parts, and its mean grows too: the score multiplies all of it."
)
reveal("11-score-function-noise", "80", because=because)

# %% [markdown]
# Reparametrisation knows which latent variable did what: here, where the copies share nothing,
# its noise does not depend on how many there are. The score function multiplies its score by all
# of $f$: above all by its *level*, which grows with every variable. A baseline takes the level
# out. What stays is the noise of all the others.
# With a single latent variable there is little to choose between (5) and (6) with a baseline, and
# where $f$ has no derivative, for instance for a discrete $z$, there is only (6).

# %% [markdown] card="11-noise-of-the-score-function"
# Why does the score-function gradient scatter more with many latent variables, and when is there
# no other?
#
# **Answer.** It multiplies each score by all of f, whose level grows with every variable; a
# baseline takes out the level. Where f has no derivative, as for a discrete z, there is only this
# one.

# %% [markdown]
# ### One letter
#
# In code the difference is one letter. `sample()` returns a plain number and the encoder receives
# nothing; `rsample()` is line (5):

# %% same=True
mean = torch.zeros(3, requires_grad=True)
print("sample: ", Normal(mean, 1.0).sample().requires_grad)
print("rsample:", Normal(mean, 1.0).rsample().requires_grad)

# %% [markdown] card="11-sample-and-rsample"
# `sample()` or `rsample()` in an encoder's draw: what is the difference?
#
# **Answer.** `rsample()` writes the draw as mean plus scale times noise, so gradients flow back to
# both. `sample()` returns a plain number, and the encoder receives nothing.

# %% [markdown]
# ## A tighter bound from more draws
#
# The ratio $p(x, z) / q(z)$ inside line (1) is the *importance weight* of a draw. Average $K$ of
# them before taking the logarithm and Jensen's inequality still holds, since each weight has the
# expected value $p(x)$. This is the bound of the importance-weighted autoencoder,
# IWAE:
#
# $$(7) \quad L_K = \mathrm{E} \log \frac1K \sum_{k=1}^K \frac{p(x, z_k)}{q(z_k)}
#   \;\le\; \log p(x), \qquad L_1 = \mathrm{ELBO} \le L_2 \le L_3 \le \dots$$
#
# Take a bad guess, $q$ with mean −1 and standard deviation 1, which has an ELBO of −16.3 nats
# where the truth is −3.076.

# %%
predict(
    "11-iwae-of-a-bad-guess",
    ...,
    ask="IWAE bound in nats with K = 50 draws from that bad guess?",
)

# %% [markdown] fold="11-iwae-of-a-bad-guess"
# ### Fifty draws

# %% [markdown]
# Ten thousand repetitions of 50 draws. The second column of the printed table is a common slip:
# the logarithm taken before the average.

# %%
draws = numpy_rng(1).normal(-1.0, 1.0, (10_000, 50))
log_w = stats.norm.logpdf(draws) - stats.norm.logpdf(draws, -1.0, 1.0)
log_w += stats.norm.logpdf(x, draws[..., None] * w, sigma).sum(-1)  # (10000, 50)
sizes = [1, 2, 5, 10, 20, 50]
curve = [(special.logsumexp(log_w[:, :K], axis=1) - np.log(K)).mean() for K in sizes]
for K, bound in zip(sizes, curve, strict=True):
    print(f"K = {K:2d}: IWAE {bound:7.2f}, mean of the log weights {log_w[:, :K].mean():7.2f}")
error = log_w[:, 0].std() / 10_000**0.5
assert abs(curve[0] - elbo_on_grid(-1.0, 1.0)) < 5 * error  # K = 1 is the ELBO
assert np.all(np.diff(curve) > 0) and curve[-1] < log_p
because = {-16.3: "So it is for the mean of the log weights; here the mean comes first."}
reveal("11-iwae-of-a-bad-guess", curve[-1], within=0.3, unit="nats", because=because)

# %% [markdown]
# Fifty draws from a bad guess come within a fraction of a nat of the truth. The mean of the log
# weights is the ELBO again, however many draws it gets: more draws make it more precise, not
# tighter.

# %% hide=True alt="IWAE bound over K for a bad guess, rising from -16 towards log p(x)."
ax = plot_curve(sizes, curve, marker="o", label="IWAE bound, bad guess")
plot_oracle([1, 50], [log_p, log_p], ax=ax, label="log p(x)")
ax.set(xscale="log", xlabel="draws K", ylabel="bound (nats)", title="More draws, a tighter bound")
ax.set_xticks(sizes, sizes)
ax.minorticks_off()
_ = ax.legend(loc="lower right")

# %% [markdown]
# The curve rises to the dashed line and does not cross it. That is a statement about the average
# over many repetitions; a single estimate from $K$ draws can lie above $\log p(x)$ by chance.
#
# A tighter bound is a better *report*. As a training loss it has a catch: with many draws the
# gradient for the encoder becomes small against its own noise (Rainforth and others, 2018), so
# people train with few draws and report with many.

# %% [markdown] card="11-average-before-the-log"
# What makes the IWAE bound tighter than the ELBO: more draws, or where the logarithm stands?
#
# **Answer.** That the weights are averaged before the logarithm. The mean of the log weights is
# the ELBO again, however many draws it gets.

# %% [markdown]
# ## The VAE
#
# In a VAE an *encoder* network computes mean and log variance of $q(z \mid x)$ from $x$, so that
# one network makes the guess for every image. It is trained together with the decoder, by raising
# the mean ELBO. With `hidden=None` both networks are linear.


# %%
def network(inputs, hidden, outputs):
    if hidden is None:
        return nn.Linear(inputs, outputs)
    return nn.Sequential(nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, outputs))


# %% [markdown]
# The class holds what the model is: two networks, and the density that the decoder's output stands
# for. A Normal decoder has one standard deviation for all pixels, learned unless it is frozen.


# %%
class VAE(nn.Module):
    def __init__(self, pixels, latents, *, hidden=None, likelihood="normal"):
        super().__init__()
        self.encoder = network(pixels, hidden, 2 * latents)  # mean and log variance
        self.decoder = network(latents, hidden, pixels)
        self.log_scale = nn.Parameter(torch.tensor(-1.0))  # of a Normal decoder
        self.latents, self.likelihood = latents, likelihood

    def posterior(self, x):  # q(z | x)
        mu, log_var = self.encoder(x).chunk(2, dim=-1)
        return Normal(mu, torch.exp(0.5 * log_var), validate_args=False)

    def decode(self, z, x=None):  # p(x | z); a later decoder will look at x, too
        if self.likelihood == "bernoulli":
            return Bernoulli(logits=self.decoder(z), validate_args=False)
        return Normal(self.decoder(z), self.log_scale.exp(), validate_args=False)


# %% [markdown]
# The ELBO sums over pixels and over latent variables, and keeps one value per image; only then is
# the mean over the batch taken. A mean over pixels instead would weigh the KL term 64 times as
# much for digits of 64 pixels.


# %%
def elbo(vae, x, eps, beta=1.0):
    q = vae.posterior(x)
    z = q.loc + q.scale * eps  # line (5)
    fit_term = vae.decode(z, x).log_prob(x).sum(-1)  # (n,)
    kl_term = 0.5 * (q.loc**2 + q.variance - 1 - q.variance.log())  # (n, latents)
    return fit_term - beta * kl_term.sum(-1), kl_term


# %% [markdown]
# The closed form of the KL term against PyTorch's own:

# %%
torch.manual_seed(0)
vae, some = VAE(5, 2), torch.randn(7, 5, generator=torch_generator(4))
_, kl_term = elbo(vae, some, torch.zeros(7, 2))
assert torch.allclose(kl_term, kl_divergence(vae.posterior(some), Normal(0.0, 1.0)), atol=1e-6)

# %% [markdown]
# A step of training takes a random batch and one draw of noise for each image in it. `fit` is the
# loop of optimiser steps; with `decay` the learning rate falls to zero.


# %%
def train(vae, x, *, steps, rate=0.01, batch=200, beta=1.0, seed=0):
    generator = torch_generator(seed)
    free = [p for p in vae.parameters() if p.requires_grad]

    def loss():
        rows = torch.randint(len(x), (batch,), generator=generator).to(x.device)
        eps = torch.randn(batch, vae.latents, generator=generator).to(x.device)
        return -elbo(vae, x[rows], eps, beta)[0].mean()

    return fit(loss, torch.optim.Adam(free, lr=rate), steps=steps, decay=True, progress=False)


# %% [markdown]
# ## Posterior collapse, where it can be proved
#
# Back to the question at the top. Make both networks linear and $\sigma$ a fixed number. Then the
# model is *probabilistic PCA*, pPCA: $x$ is Normal with covariance $W W^\top + \sigma^2 I$. Let
# $\lambda_1 \ge \lambda_2 \ge \dots$ be the eigenvalues of the data's covariance, and $u_j$ its
# unit eigenvectors. Along $u_j$ the data have the variance $\lambda_j$; the noise brings
# $\sigma^2$ of it, and column $j$ of $W$ the rest, if there is any. Tipping and Bishop (1999)
# proved that this is the maximum of the likelihood:
#
# $$(8) \quad W_j = u_j \sqrt{\max(\lambda_j - \sigma^2,\, 0)}$$
#
# All rotations of these columns have the same likelihood. The ELBO prefers (8) itself: the
# encoder's latents are independent, and those of the exact posterior are so only if the columns
# are orthogonal.
#
# Look at the max. A direction in which the data vary less than the noise gets a column of zeros,
# since the noise explains it already. No better encoder could revive it, and a smaller weight on
# the KL term does so only by leaving the maximum.
#
# Data with eigenvalues near 4 and 0.6 and three smaller ones, and $\sigma = 1$:

# %%
rng = numpy_rng(5)
turn, _ = np.linalg.qr(rng.normal(size=(5, 5)))
data = rng.normal(size=(1000, 5)) * np.sqrt([4.0, 0.6, 0.1, 0.1, 0.1]) @ turn
covariance = np.cov(data.T, bias=True)
eigenvalues, vectors = np.linalg.eigh(covariance)
W_best = vectors[:, :-3:-1] * np.sqrt(np.maximum(eigenvalues[:-3:-1] - 1, 0))  # (5, 2), line (8)


def log_likelihood_of(W, scale, b):  # mean log p(x), exact
    cov = W @ W.T + scale**2 * np.eye(5)
    return stats.multivariate_normal(b, cov).logpdf(data).mean()


# %% [markdown]
# Three linear VAEs: one as described; one with weight 0.2 on the KL term, as is often advised; and
# one that may learn $\sigma$.

# %%
points = torch.tensor(data, dtype=torch.float32, device=device)
linear = {}
for name, beta, learned in [("σ = 1", 1.0, 0), ("KL weight 0.2", 0.2, 0), ("σ learned", 1.0, 1)]:
    torch.manual_seed(0)
    vae = VAE(5, 2)
    if not learned:
        nn.init.zeros_(vae.log_scale).requires_grad_(False)
    linear[name] = vae.to(device)
    train(vae, points, steps=200, rate=0.2, batch=500, beta=beta)

# %% [markdown]
# For each: the log-likelihood of its decoder, the ELBO with weight 1, and the mean KL of the two
# latent variables. The ELBO is exact, too: a quadratic function of the noise has the same mean
# over the four points $(\pm 1, \pm 1)$ as over $N(0, I)$.

# %%
corners = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], device=device)
exact, bound, units, decoders = {}, {}, {}, {}
for name, vae in linear.items():
    with torch.no_grad():
        values, kl_term = elbo(vae, points, corners[:, None])
    W, b = (v.detach().cpu().double().numpy() for v in vae.decoder.parameters())
    scale, decoders[name] = vae.log_scale.exp().item(), (W, b)
    exact[name], bound[name] = log_likelihood_of(W, scale, b), values.mean().item()
    units[name] = np.sort(kl_term.mean(0).cpu().numpy())[::-1]
    print(f"{name:13s}  log p {exact[name]:.3f}  ELBO {bound[name]:.3f}", end="  ")
    print(f"KL of the latents {units[name][0]:.2f} and {units[name][1]:.2f}; σ is {scale:.2f}")

# %% [markdown]
# And the oracle: formula (8) for the fixed $\sigma$, scikit-learn's PCA for the learned one.

# %%
from sklearn.decomposition import PCA

best_fixed = log_likelihood_of(W_best, 1.0, data.mean(0))
best_learned = PCA(2).fit(data).score(data)
print(f"maximum of the likelihood: σ = 1: {best_fixed:.3f}, σ learned: {best_learned:.3f}")
assert best_fixed - 0.02 < exact["σ = 1"] <= best_fixed + 1e-4
assert exact["KL weight 0.2"] < best_fixed - 0.05
assert units["σ = 1"][1] < 0.02 and units["KL weight 0.2"][1] > 0.2 < units["σ learned"][1]
assert best_learned - 0.05 < exact["σ learned"] <= best_learned + 1e-4
assert all(bound[name] < exact[name] + 1e-4 for name in linear)

# %% [markdown]
# The first VAE finds the maximum of the likelihood, and there the second variable is dead. With
# the smaller weight it comes alive, and the likelihood *falls*: the decoder now spends a column on
# what the noise explained already. Letting $\sigma$ be learned revives it too, and the likelihood
# rises by far: the noise shrinks until the second direction sticks out of it.
#
# Why did the weight revive it? With residuals $r$ and $\sigma = 1$ the loss $\frac12 r^2 + \beta\,
# \mathrm{KL}$ is $\beta$ times $\frac{1}{2\beta} r^2 + \mathrm{KL}$: the loss, up to a constant,
# of a fixed noise with variance $\beta$. Score the same decoder with the noise that it was trained
# for:

# %%
W, b = decoders["KL weight 0.2"]
disguised = log_likelihood_of(W, 0.2**0.5, b)
print(f"KL weight 0.2, log p with a variance of 1: {exact['KL weight 0.2']:.3f}, of 0.2: ", end="")
print(f"{disguised:.3f}; σ learned: {exact['σ learned']:.3f}")
assert exact["σ = 1"] + 1 < disguised < exact["σ learned"]

# %% [markdown]
# So the weight is a smaller noise in disguise. Scored with $\sigma = 1$, or by an ELBO with weight
# 1, the decoder gets the number of another model. The cure is the noise: say it, or learn it.
#
# Lucas and others (2019) prove that the ELBO of a linear VAE has no local maxima beyond those that
# the likelihood of pPCA has: the KL term adds no trap. In deep VAEs collapse can also be a failure
# of training. Remedies there are a KL weight that rises from 0 to 1 early in training
# (*annealing*), and *free bits*, which do not charge a latent variable for its first fraction of a
# nat; both end with a weight of one, or should. But ask first which noise your loss assumes.
# Squared error summed over pixels plus KL assumes a variance of one half; averaged over pixels,
# half the number of pixels: 32 for the digits below.

# %% [markdown] card="11-when-a-latent-dies"
# In a linear VAE, which directions get a dead latent variable at the maximum of the likelihood?
#
# **Answer.** Those in which the data vary less than the decoder's noise: the noise explains them
# already. No better encoder could revive one; a smaller or learned noise does.

# %% [markdown] card="11-weight-is-noise"
# Squared error with noise variance 1, and a weight β below 1 on the KL term: which model is that
# in disguise?
#
# **Answer.** The one with noise variance β and the full KL term, up to a constant. So say the
# noise, or learn it, before you touch the weight.

# %% [markdown]
# ## Digits, black or white
#
# Now a decoder that is a network. The likelihood must match the data, so start with pixels that
# are 0 or 1: scikit-learn's digits, 8 by 8, cut at half their range. Two VAEs, with 2 and with 8
# latent variables:

# %%
import functools

from course_utils.digits import digits

images, _, test_images, test_labels = digits(rng=numpy_rng(0))
grey, test_grey = (torch.from_numpy(v.reshape(-1, 64)).to(device) for v in (images, test_images))
black, test_black = (grey > 0.5).float(), (test_grey > 0.5).float()


@functools.cache
def digits_vae(latents, seed, steps):
    torch.manual_seed(seed)
    vae = VAE(64, latents, hidden=128, likelihood="bernoulli").to(device)
    train(vae, black, steps=steps, rate=0.014, seed=seed)
    return vae.eval()


models = {2: digits_vae(2, 0, 450), 8: digits_vae(8, 0, 600)}

# %% [markdown]
# The score on test digits: the log weights of 100 draws per digit give the ELBO as their mean and
# the IWAE bound by line (7).


# %%
@torch.no_grad()
def bounds(vae, x, draws=100):  # ELBO and IWAE in nats, one value per image
    q = vae.posterior(x)
    eps = torch.randn(draws, *q.loc.shape, generator=torch_generator(3)).to(x.device)
    z = q.loc + q.scale * eps
    log_w = vae.decode(z, x).log_prob(x).sum(-1)  # (draws, n)
    log_w += (Normal(0.0, 1.0).log_prob(z) - q.log_prob(z)).sum(-1)
    return log_w.mean(0), log_w.logsumexp(0) - np.log(draws)


# %% [markdown]
# Without baselines such a number says nothing. The simplest model has independent pixels. A
# stronger one is a mixture of 40 such models, fitted by the EM algorithm; its likelihood is exact.


# %%
def bernoulli_mixture(x, parts, passes=40):
    means = 0.25 + 0.5 * torch.rand(parts, 64, generator=torch_generator(0)).to(x.device)
    shares = torch.full((parts,), 1 / parts, device=x.device)

    def log_joint(x):  # log of share and likelihood, (n, parts)
        return x @ means.logit().T + (1 - means).log().sum(1) + shares.log()

    for _ in range(passes):
        r = log_joint(x).softmax(1)  # (n, parts): which part made which digit
        shares = r.mean(0)
        means = (r.T @ x + 0.5) / (r.sum(0)[:, None] + 1)  # a pseudo-count against log 0
    return lambda x: log_joint(x).logsumexp(1)


# %% [markdown]
# All scores are in nats per test digit, with the standard error over the 599 digits.

# %%
scores = {"independent pixels": bernoulli_mixture(black, 1)(test_black)}
scores["mixture of 40"] = mixture_of_40 = bernoulli_mixture(black, 40)(test_black)
for latents, vae in models.items():
    for name, values in zip(("ELBO", "IWAE 100"), bounds(vae, test_black), strict=True):
        scores[f"VAE, {latents} latents, {name}"] = values
for name, values in scores.items():
    print(f"{name:24s} {values.mean():7.2f} ± {values.std() / 599**0.5:.2f}")
worst, mixture, _, plane, lower, deep = (v.mean() for v in scores.values())
assert deep > plane + 1.5 > worst + 4 and deep > mixture + 0.3 > plane and deep > lower + 0.5
gain = scores["VAE, 8 latents, IWAE 100"] - mixture_of_40  # the same digits: paired
print(f"8 latents over the mixture, paired: {gain.mean():.2f} ± {gain.std() / 599**0.5:.2f}")

# %% [markdown]
# Two latent variables are worth about four nats against independent pixels, eight are worth more.
# The mixture is a serious rival: it beats the VAE with two latents outright, and the ELBO of the
# larger VAE is about level with it. Only the IWAE bound shows the larger VAE ahead, by a
# difference that is far larger than its own error, since both are scored on the same digits. Both
# orders are *claims*: functions that `make robustness` calls for ten starts of the training
# (`seed`), and at three times the `steps`. A value above 0 says that the claim holds.


# %% claim="On black and white digits, 8 latents beat 2, by IWAE." steps=600
def eight_beat_two(seed, steps):
    two, eight = (bounds(digits_vae(k, seed, steps), test_black)[1] for k in (2, 8))
    return (eight - two).mean().item()


# %% [markdown]
# And against the mixture:


# %% claim="A VAE with 8 latents beats a mixture of 40, by IWAE." steps=600
def vae_beats_mixture(seed, steps):
    lower_bound = bounds(digits_vae(8, seed, steps), test_black)[1]
    return (lower_bound - mixture_of_40).mean().item()


# %% [markdown]
# ## Where two thirds of a nat are lost
#
# An ELBO is what a model is *at least* worth: some two thirds of a nat lie between ELBO and IWAE.
# Line (4) says where they can be lost. Either the family, Normals with independent entries, does
# not hold the posterior; or the encoder, one network for all images, does not find the family's
# best member for each. The second part is the *amortisation gap*, and it can be measured: improve
# mean and log variance of each test digit by itself, decoder untouched.


# %%
def best_of_family(vae, x, steps=120):  # mean and deviation of the best q for each image
    q, generator = vae.posterior(x), torch_generator(5)
    free = [v.detach().clone().requires_grad_() for v in (q.loc, q.scale.log())]

    def loss():
        eps = torch.randn(8, *q.loc.shape, generator=generator).to(x.device)
        mine = Normal(free[0], free[1].exp(), validate_args=False)
        z = mine.loc + mine.scale * torch.cat([eps, -eps])
        log_p = vae.decode(z).log_prob(x).sum(-1).mean(0)
        return (kl_divergence(mine, Normal(0.0, 1.0)).sum(-1) - log_p).sum()

    fit(loss, torch.optim.Adam(free, lr=0.05), steps=steps, decay=True, progress=False)
    return free[0].detach(), free[1].detach().exp()


# %% [markdown]
# The improved guesses are scored with fresh noise, on the first 200 test digits:

# %%
some = test_black[:200]
mean, scale = best_of_family(models[8], some)
with torch.no_grad():
    fresh = torch.randn(100, 200, 8, generator=torch_generator(6)).to(device)
    fits = models[8].decode(mean + scale * fresh).log_prob(some).sum(-1).mean(0)
    best_elbo = fits - kl_divergence(Normal(mean, scale), Normal(0.0, 1.0)).sum(-1)
encoder, iwae = (v.mean() for v in bounds(models[8], some))
best = best_elbo.mean()
print(f"ELBO by the encoder {encoder:.2f}, by the best q {best:.2f}; IWAE {iwae:.2f}")
print(f"lost by the encoder {best - encoder:.2f}, by the family at least {iwae - best:.2f}")
assert encoder + 0.1 < best < iwae - 0.1

# %% [markdown]
# About a third of a nat is lost because one encoder serves all images, and nearly as much because
# the family is too simple; at least that much, since IWAE is a bound, too. Neither loss changes
# $p(x)$.

# %% [markdown]
# ## A decoder that can do without
#
# Is a flexible decoder a danger? Give it something else to lean on: each pixel may look at all
# pixels before it, in reading order. Such a decoder is *autoregressive*. Here its logits get a
# linear term in the earlier pixels.


# %%
class LookingBack(VAE):
    def __init__(self, pixels, latents, *, hidden):
        super().__init__(pixels, latents, hidden=hidden, likelihood="bernoulli")
        self.past = nn.Parameter(torch.zeros(pixels, pixels))

    def decode(self, z, x):
        return Bernoulli(logits=self.decoder(z) + (x - 0.5) @ self.past.tril(-1).T)


@functools.cache
def looking_back(seed, steps):
    torch.manual_seed(seed)
    vae = LookingBack(64, 8, hidden=128).to(device)
    train(vae, black, steps=steps, rate=0.014, seed=seed)
    return vae


# %% [markdown]
# Both bounds on test digits, and what each of the eight latents carries:


# %%
def bounds_and_kl(seed, steps):  # for the plain decoder and for this one
    pair, none = (digits_vae(8, seed, steps), looking_back(seed, steps)), torch.zeros(599, 8)
    with torch.no_grad():
        kl_terms = [elbo(vae, test_black, none.to(device))[1] for vae in pair]
    means = [[bound.mean().item() for bound in bounds(vae, test_black)] for vae in pair]
    return means, [kl_term.mean(0).cpu().numpy() for kl_term in kl_terms]


both, carried = bounds_and_kl(0, 600)
for name, (lower, tighter), kl in zip(("plain", "looking back"), both, carried, strict=True):
    each = " ".join(f"{v:.1f}" for v in -np.sort(-kl))
    print(f"{name:13s} ELBO {lower:.1f}, IWAE {tighter:.1f}, KL in all {kl.sum():.1f}: {each}")
higher = np.subtract(*both[::-1])
print("higher by {:.2f} in ELBO, {:.2f} in IWAE".format(*higher))
assert carried[1].sum() < carried[0].sum() - 1 and higher[0] > 0.3 and higher[1] > 0.05

# %% [markdown]
# The decoder that looks back is ahead by both bounds, by half a nat in ELBO and about 0.2 nats in
# IWAE, and its latent variables carry less: what the earlier pixels tell need not be paid for in
# the code. One of the eight is dead, one nearly. So a flexible decoder does make latents idle, and
# again at a *higher* likelihood, as far as IWAE can tell. If you want a code to use, not only a
# density, then limit the decoder, or ask for information in the loss, and say so.


# %% claim="With earlier pixels in the decoder, the latents carry a nat less at least." steps=600
def latents_carry_less(seed, steps):
    _, (plain, back) = bounds_and_kl(seed, steps)
    return plain.sum() - back.sum() - 1


# %% [markdown]
# And the order of the two decoders:


# %% claim="The decoder that sees earlier pixels is better by IWAE." steps=600
def looking_back_wins(seed, steps):
    (plain, back), _ = bounds_and_kl(seed, steps)
    return back[1] - plain[1]


# %% [markdown]
# ## What the codes mean
#
# The two-dimensional code can be seen. On the left the mean of $q(z \mid x)$ for each test digit,
# coloured by its class, with the numeral at the class's median; on the right what the decoder
# makes of one chosen point.

# %%
with torch.no_grad():
    codes = models[2].posterior(test_black).loc.cpu().numpy()  # (599, 2)


def decoded(z1, z2):  # P(black) of each pixel
    with torch.no_grad():
        return models[2].decode(torch.tensor([z1, z2], device=device)).probs.cpu().reshape(8, 8)


# %% [markdown]
# A plain function of the point draws both:

# %% hide=True alt="Left: codes of test digits in the plane. Right: the digit decoded at a point."
start = np.round(4 * np.median(codes[test_labels == 0], axis=0)) / 4  # a place full of zeros


def draw_plane(z1=float(start[0]), z2=float(start[1])):
    _, (left, right) = plt.subplots(1, 2, figsize=(9, 4.2))
    left.scatter(codes[:, 0], codes[:, 1], s=9, c=test_labels, cmap="tab10", alpha=0.7)
    for label in range(10):
        middle = np.median(codes[test_labels == label], axis=0)
        left.text(*middle, label, fontsize=14, weight="bold", ha="center", va="center")
    left.plot(z1, z2, "o", color="C1", markersize=11, markeredgecolor="white")
    left.set(
        xlabel="z1",
        ylabel="z2",
        xlim=(-3, 3),
        ylim=(-3, 3),
        title="Classes part, though no label was used",
    )
    right.imshow(decoded(z1, z2), cmap="gray_r", vmin=0, vmax=1)
    right.set(title=f"P(black) at ({z1:.2f}, {z2:.2f})", xticks=[], yticks=[])
    right.grid(False)


draw_plane()

# %% [markdown]
# Most digits have a region of their own; where two numerals nearly overlap, two digits share one.
# **Walk** from one numeral to another: where does one digit become the other, and what do you see
# in regions where no code lies?

# %%
interactive(draw_plane, z1=(-3.0, 3.0, 0.25), z2=(-3.0, 3.0, 0.25))

# %% [markdown]
# Is the plane filled as the prior would fill it? The mixture of all $q(z \mid x)$, one for each
# image, is the *aggregated posterior* $q(z)$. On average over images, the KL term of the ELBO is
# what $z$ tells about $x$ plus $\mathrm{KL}(q(z) \,\|\, p(z))$. The second part is pure waste: it
# grows where the prior visits places in which no code lies.

# %%
with torch.no_grad():
    q, none = models[2].posterior(black), torch.zeros(1, 2, device=device)
    _, kl_term = elbo(models[2], black, none)
    z = q.rsample()  # a draw from q(z) for each training image
    log_q = q.log_prob(z[:, None]).sum(-1).logsumexp(1) - np.log(len(black))  # of the mixture
    waste = (log_q - Normal(0.0, 1.0).log_prob(z).sum(-1)).mean()
print(f"KL term {kl_term.sum(1).mean():.2f} nats, of which KL(q(z) || p(z)) is {waste:.2f}")
assert 0 < waste < 0.1 * kl_term.sum(1).mean()

# %% [markdown]
# A small part: the plane is filled nearly as the prior would fill it.
#
# The larger VAE, in one picture: a test digit of each class from 0 to 7; what the decoder makes of
# its code; and a walk in eight steps from the code of the 0 to that of the 7. Then eight draws of
# $z$ from the *prior*, which is how a model makes images of its own: the probabilities of black,
# and pixels drawn from them.

# %%
vae, first = models[8], [int(np.argmax(test_labels == label)) for label in range(8)]
with torch.no_grad():
    chosen = test_black[first]  # (8, 64)
    code = vae.posterior(chosen).loc  # (8, 8)
    t = torch.linspace(0, 1, 8, device=device)[:, None]
    walk = vae.decode(code[:1] * (1 - t) + code[-1:] * t).probs
    prior = vae.decode(torch.randn(8, 8, generator=torch_generator(8)).to(device)).probs
    pixels = (torch.rand(8, 64, generator=torch_generator(9)).to(device) < prior).float()
    rows = {"digit": chosen, "decoded": vae.decode(code).probs, "walk": walk}
rows |= {"prior: P(black)": prior, "prior: draw": pixels}

# %% [markdown]
# Each row is a list of eight images:

# %% hide=True alt="Rows of digits: originals, reconstructions, a walk; prior: means, draws."
tiles = torch.stack(list(rows.values())).reshape(5, 8, 8, 8).cpu().numpy()
tiles = np.pad(tiles, ((0, 0), (0, 0), (1, 1), (2, 2)))  # a white margin around each image
_, ax = plt.subplots()
ax.imshow(tiles.transpose(0, 2, 1, 3).reshape(50, 96), cmap="gray_r", vmin=0, vmax=1)
ax.set(
    xticks=[],
    yticks=np.arange(5) * 10 + 4.5,
    title="Smooth rows are probabilities; the last is what the model draws",
)
ax.set_yticklabels(rows)
ax.tick_params(length=0)
ax.spines[:].set_visible(False)
ax.grid(False)
assert set(pixels.unique().tolist()) == {0.0, 1.0}

# %% [markdown]
# Reconstructions are smoother than the digits, since they are probabilities and not pixels. Not
# every draw from the prior is a digit. And a draw from the model is in the last row: grainy, since
# pixels are independent given $z$. The smooth rows show the mean of such draws; papers often print
# those.

# %% [markdown]
# ## Grey pixels
#
# The digits come in grey, and a much-copied recipe keeps the Bernoulli likelihood: it hands values
# between 0 and 1 to the binary cross-entropy $-x \log p - (1 - x) \log(1 - p)$. PyTorch's
# distribution refuses:

# %% same=True
try:
    Bernoulli(torch.tensor(0.3)).log_prob(torch.tensor(0.5))
except ValueError as error:
    print(type(error).__name__, "for a grey value of 0.5")

# %% [markdown]
# The loss function takes them without a word. Were it the NLL of a density, $p^x (1 - p)^{1 - x}$
# would integrate to 1 over $x$ from 0 to 1. Take $p = 0.1$.

# %%
predict("11-bernoulli-on-grey", ..., ask="Integral of 0.1**x * 0.9**(1 - x) over x from 0 to 1?")

# %% [markdown] fold="11-bernoulli-on-grey"
# ### By quadrature

# %% [markdown]
# By quadrature, and by the normaliser of the *continuous Bernoulli* of Loaiza-Ganem and Cunningham
# (2019), which is this family divided by its integral:

# %% same=True
nodes, weights = np.polynomial.legendre.leggauss(40)
nodes, weights = (nodes + 1) / 2, weights / 2  # on [0, 1]
integral = {}
for p in (0.1, 0.3, 0.5):
    integral[p] = (weights * p**nodes * (1 - p) ** (1 - nodes)).sum()
    density = torch.distributions.ContinuousBernoulli(torch.tensor(p)).log_prob(torch.tensor(0.0))
    assert np.isclose(1 / integral[p], density.exp().item() / (1 - p), rtol=1e-4)
    print(f"p = {p}: integral {integral[p]:.3f}")
because = {1: "So it would be for a density; with x = 0 and 1 alone the sum is 1."}
because |= {0.5: "That is the integral for p = 0.5; it depends on p."}
reveal("11-bernoulli-on-grey", integral[0.1], within=0.03, because=because)

# %% [markdown]
# It is no density. The integral depends on $p$, so the missing term is not a constant that could
# be added afterwards: it differs from pixel to pixel and moves with training. The decoder's $p$
# still tends to the mean of $x$, so reconstructions look fine. But the loss is no NLL, its balance
# against the KL term is arbitrary, and it cannot be compared with a likelihood.

# %% [markdown] card="11-grey-is-no-label"
# Binary cross-entropy on grey pixels: is it an NLL?
#
# **Answer.** No: p^x (1 − p)^(1 − x) does not integrate to 1 over x from 0 to 1, and the integral
# depends on p. Reconstructions look fine; the number cannot be compared with any likelihood.

# %% [markdown]
# ### A density for grey
#
# A Normal with a learned standard deviation is a density. Beside it, as baselines: one Normal per
# pixel with a common deviation, and pPCA, whose exact likelihood is the best that a linear VAE can
# do.

# %%
torch.manual_seed(0)
vae = VAE(64, 8, hidden=128).to(device)
train(vae, grey, steps=600, rate=0.01)
flat, test_flat = grey.cpu().double().numpy(), test_grey.cpu().double().numpy()
common = stats.norm(flat.mean(0), (flat - flat.mean(0)).std())
scores = {"independent pixels": torch.from_numpy(common.logpdf(test_flat).sum(1))}
for k in (8, 20, 32):
    scores[f"pPCA, {k} latents"] = torch.from_numpy(PCA(k).fit(flat).score_samples(test_flat))
scores["VAE, 8 latents, ELBO"], scores["VAE, 8 latents, IWAE 100"] = bounds(vae, test_grey)
for name, values in scores.items():
    print(f"{name:25s} {values.mean():6.1f} ± {values.std() / 599**0.5:.1f}")
print(f"the VAE's standard deviation: {vae.log_scale.exp():.2f}")

# %% [markdown]
# These are log *densities*, per unit of grey to the power 64, so positive values are no surprise,
# and no row may be compared with the table of black and white digits.

# %%
alone, pca_8, pca_20, pca_32, lower, tighter = (v.mean().item() for v in scores.values())
assert alone + 10 < pca_8 < pca_8 + 5 < lower < tighter and pca_8 + 5 < pca_20 < pca_32
spectrum = PCA().fit(flat).explained_variance_
print("largest variances along principal directions:", spectrum[:4].round(2))
assert spectrum[0] < 1 and spectrum[2] > 0.5 > spectrum[3]

# %% [markdown]
# The VAE with 8 latents is far ahead of pPCA with 8: the digits do not lie near a plane. Against
# pPCA with 20, which takes no training, it is a nat behind by its ELBO and more than a nat ahead
# by IWAE, and with 32 pPCA is ahead of both. How far does that go?

# %% alt="pPCA's log density climbs with its latents past the VAE's 27, to about 60."
ranks = [1, 2, 4, 8, 12, 16, 20, 24, 32, 40, 48, 56]
climb = [PCA(k).fit(flat).score(test_flat) for k in ranks]
ax = plot_curve(ranks, climb, marker="o", label="pPCA, exact")
ax.axhline(tighter, color="C1", label="VAE, 8 latents, IWAE")
ax.set(xlabel="latent variables of pPCA", ylabel="log density (nats per test digit)")
ax.set_title("A linear model climbs past the VAE, by betting on dull pixels")
_ = ax.legend(loc="upper left")
assert climb[-2] > tighter + 10 and (np.diff(climb) > 0).all()

# %% [markdown]
# With 48 of 64 directions the linear model is far above the VAE, and its images are no better for
# it. The digits have 17 grey levels, and pixels near the border hardly vary; each direction that
# is left to the noise shrinks it, and a density on almost constant pixels can be made as high as
# one likes. Such a contest rewards the narrowest noise, not the best model of digits: unit 12
# turns densities of levels into probabilities, and the trap closes.
#
# The largest variances, printed above, return to collapse. A noise variance of 1 exceeds the
# variance of these images in every direction (0.7 at most), and a linear VAE keeps no latent
# variable at all. With the one half that a summed squared error implies, it keeps three.

# %% [markdown]
# ## Deeper
#
# A *hierarchical* VAE stacks latents, $z_1$ explaining $z_2$ explaining $x$, each level with a $q$
# of its own; the ELBO is the same sum with more KL terms. A *diffusion model* is the extreme case:
# a thousand levels, encoders that are not learned but add a fixed amount of noise each, and one
# decoder network for all levels. Its loss is an ELBO, reweighted.

# %% [markdown]
# ## Back to the opening question
#
# One of two latent variables is dead, for every input. What went wrong?

# %% [markdown] fold="11-what-went-wrong"
# ### The answer

# %% [markdown]
# In the linear VAE with $\sigma = 1$ the maximum of the likelihood is known, and the trained model
# is there:

# %%
short = best_fixed - exact["σ = 1"]
print(f"below the maximum: {short:.3f} nats; KL of the second latent {units['σ = 1'][1]:.2f}")
assert short < 0.02 and exact["KL weight 0.2"] < exact["σ = 1"]

# %% [markdown]
# Given $\sigma = 1$ this is the optimum, and better training has nothing to mend. If anything was
# wrong, it was $\sigma$: learning it lifted the log-likelihood by 2 nats, and both latents lived.
# What speaks against the other answers:

# %%
weight, encoder, decoder, nothing = (
    "the KL term had too much weight: with less, both live and the fit is better",
    "the encoder was too weak to tell the second variable",
    "the decoder was too flexible to need it",
    "nothing in the training, possibly",
)
because = {}
because[weight] = (
    "With a weight of 0.2 it lived, and the likelihood fell. The weight stood for less noise; "
    "with that noise both live, and the KL term keeps its full weight."
)
because[encoder] = "Even the exact posterior ignores a direction that the noise explains."
because[decoder] = "It can be that; but the decoder here was linear."
reveal("11-what-went-wrong", nothing, because=because)

# %% [markdown]
# A direction in which the data vary less than the assumed noise gets a column of zeros at the
# maximum: the likelihood itself asks for it. So before you change a weight, ask which noise your
# loss assumes, and whether the noise may be learned.

# %% [markdown]
# ## Recap
#
# 1. $\log p(x)$ is an integral over $z$; the ELBO lies below it by $\mathrm{KL}(q \,\|\, p(z \mid
#    x))$, and an average above $\log p(x)$ is a bug.
# 2. Reparametrisation turns a draw into a function of noise; its gradient scatters less than the
#    score function's, and `sample()` has none.
# 3. IWAE averages weights before the logarithm and tightens the bound; the mean of log weights
#    does not.
# 4. A direction with less variance than the decoder's noise collapses at the maximum of
#    the likelihood. Learn the noise before you touch the weight of the KL term.
# 5. The likelihood must match the data. Report nats with standard errors, baselines beside them,
#    and which bound it is.

# %% [markdown]
# ## An interview question
#
# *Team A reports a loss of 24 nats per digit, for a VAE with binary cross-entropy on grey digits.
# Team B reports an NLL of −27 nats, for one with a Normal decoder on the same digits. Team B says
# that it wins by 51 nats. Does it?*
#
# Think first. Team B's number is the bound of the grey VAE above, and A's is what the same
# networks reach with its loss:

# %%
torch.manual_seed(0)
team_a = VAE(64, 8, hidden=128, likelihood="bernoulli").to(device)
train(team_a, grey, steps=600, rate=0.014)
print(f"team A: {-bounds(team_a, test_grey)[0].mean():.1f}, team B: {-tighter:.1f}")

# %% [markdown]
# And what a perfect decoder would score with A's loss:

# %% same=True
p = np.clip(test_flat, 1e-12, 1 - 1e-12)
perfect = -(test_flat * np.log(p) + (1 - test_flat) * np.log(1 - p)).sum(1).mean()
print(f"cross-entropy of a decoder that returns each grey digit exactly: {perfect:.1f}")
print(f"shift of a log density if grey runs from 0 to 16: {64 * np.log(16):.0f} nats")

# %% [markdown]
# <details><summary>An answer</summary>
#
# **Nobody can say.** A's number is no NLL: the factor $p^x (1 - p)^{1 - x}$ does not integrate to
# 1, so what it counts are not nats of these data. Even a perfect reconstruction would not score 0,
# but more than half of A's number, as the cell shows.
#
# B's number is the negative of a bound on a log-density, and it depends on the unit of grey: with
# pixels from 0 to 16 instead of 0 to 1, the same model is 177 nats worse. A difference means
# something between densities of the same data in the same unit. The values come in 17 levels, too,
# and a density can be made arbitrarily high on such data by a decoder with small enough noise.
#
# **What to ask for.** From A a likelihood that grey values have: a continuous Bernoulli, a Normal
# with learned noise, or a Categorical over the 17 levels. From both: ELBO and IWAE on the same
# test digits, in the same unit, with standard errors of the paired difference, and pPCA as a
# baseline.
#
# </details>

# %% [markdown]
# ## What to read next
#
# - D. P. Kingma and M. Welling, "Auto-encoding variational Bayes", *ICLR* (2014): encoder, decoder
#   and reparametrisation in one method; D. J. Rezende, S. Mohamed and D. Wierstra, "Stochastic
#   backpropagation and approximate inference in deep generative models", *ICML* (2014): the same
#   idea found independently.
# - M. E. Tipping and C. M. Bishop, "Probabilistic principal component analysis", *Journal of the
#   Royal Statistical Society B* (1999): formula (8) and its proof.
# - J. Lucas and others, "Don't blame the ELBO! A linear VAE perspective on posterior collapse",
#   *NeurIPS* (2019): collapse where it can be proved, and the role of the decoder's variance.
# - Y. Burda, R. Grosse and R. Salakhutdinov, "Importance weighted autoencoders", *ICLR* (2016):
#   the bound (7), and why it grows with the number of draws.
# - I. Higgins and others, "beta-VAE", *ICLR* (2017): what people want from another weight on the
#   KL term.
# - G. Loaiza-Ganem and J. P. Cunningham, "The continuous Bernoulli: fixing a pervasive error in
#   variational autoencoders", *NeurIPS* (2019): grey pixels.
# - C. Cremer, X. Li and D. Duvenaud, "Inference suboptimality in variational autoencoders", *ICML*
#   (2018): the amortisation gap.
# - T. Rainforth and others, "Tighter variational bounds are not necessarily better", *ICML*
#   (2018): what IWAE does to the encoder's gradient.

# %% [markdown]
# ## Your turn
#
# The assignment `11_vae` has seven exercises in code and one in words:
#
# 1. the KL divergence to a prior that is learned;
# 2. draws from a posterior with a whole covariance, and their log-densities;
# 3. the likelihood of an image with two kinds of pixels;
# 4. an ELBO without sampling, held against the exact $\log p(x)$;
# 5. the whole IWAE curve from one set of weights;
# 6. which latent variables can carry information at all;
# 7. which noise a hand-tuned weight on the KL term stands for;
# 8. in words: a collapse that is none, or is one.
