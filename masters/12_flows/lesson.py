# %% [markdown]
# # Normalizing flows
#
# Points lie on two interleaved half-moons, with a little noise. Three models learn their density
# from 2000 points: a Normal, described by 5 numbers; a mixture of ten Normals, 59 numbers; and a
# *normalizing flow*, an invertible network with 7116 numbers that bends Normal noise into the
# shape of the data. Each of them has an exact likelihood. **Which one finds 10 000 new points most
# likely?**
#
# - a) The flow.
# - b) The mixture.
# - c) Flow and mixture alike: either can fit any density.
#
# Most people answer a. Choose one, and read on until you can defend it.

# %% [markdown]
# **After this lesson you can** derive the density of a transformed variable and catch a wrong
# log-determinant; build a RealNVP and prove that its density is one; say when a flow beats a
# mixture and when it cannot; and score a density on integer data without fooling yourself.
#
# **You need** the NLL in nats (unit 01), the derivative of an inverse function, determinants, and
# what a mixture of Normals is. Symbols: [notation](00_start.ipynb#Notation).
#
# Where a cell asks for a prediction, put your answer in place of `...` and run the cell before
# you read on. Your first answer is kept, compared with the truth, and never graded.

# %% [markdown]
# The setup looks the same in every lesson: imports, one device, one thread, one style.

# %%
import numpy as np
import torch
from matplotlib import pyplot as plt
from scipy import integrate, special, stats
from torch import nn

from course_utils.device import numpy_rng, one_thread, pick_device, torch_generator
from course_utils.plotting import plot_curve, plot_data, plot_oracle, use_course_style
from course_utils.predictions import predict, reveal
from course_utils.widgets import interactive

device = pick_device()
one_thread()
use_course_style()

# %% [markdown]
# ## One dimension: probability is moved, not made
#
# Let $Z$ be standard Normal noise, and $X = g(Z)$ with an increasing, smooth $g$; say a delivery
# takes $X = e^{Z/2}$ hours. Call the inverse $f$, here $f(x) = 2 \log x$. What is the density of
# $X$? An interval of $x$ holds exactly the noise that $g$ moves there:
#
# $$
# \begin{aligned}
# (1) && P(a < X \le b) &= P(f(a) < Z \le f(b)) = \textstyle\int_{f(a)}^{f(b)} p_Z(z)\, dz \\
# (2) && &= \textstyle\int_a^b p_Z(f(x))\, f'(x)\, dx \\
# (3) && p_X(x) &= p_Z(f(x))\, |f'(x)| \\
# (4) && &= p_Z(z) / |g'(z)| \quad \text{at } z = f(x)
# \end{aligned}
# $$
#
# (2) substitutes $z = f(x)$. (3) holds since (2) does for every interval; the bars are for falling
# maps, which swap the ends of the interval. (4) is the derivative of an inverse. The same density
# can be computed **from data to noise**, (3), or **from noise to data**, (4). SciPy knows this $X$
# as a log-normal:


# %%
def f(x):
    return 2 * np.log(x)


truth, (a, b) = stats.lognorm(0.5), (0.5, 1.7)
mass = truth.cdf(b) - truth.cdf(a)
assert np.isclose(stats.norm.cdf(f(b)) - stats.norm.cdf(f(a)), mass)  # (1)
assert np.isclose(integrate.quad(lambda x: stats.norm.pdf(f(x)) * 2 / x, a, b)[0], mass)  # (2)
x = np.linspace(0.02, 4, 400)
density = stats.norm.pdf(f(x)) * abs(2 / x)
assert np.allclose(density, truth.pdf(x))  # (3)
assert np.allclose(density, stats.norm.pdf(f(x)) / (0.5 * np.exp(f(x) / 2)))  # (4)
mode = x[density.argmax()]
print(f"the density of X is highest at {mode:.2f}")

# %% [markdown]
# The lines in the left panel cut the noise into ten slices of probability 0.1 each.

# %% alt="Left: the map exp(z/2) carries ten slices of noise to x. Right: density of x and draws."
_, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
z = np.linspace(-2.6, 2.6, 200)
plot_curve(z, np.exp(z / 2), ax=left, label="x = exp(z / 2)")
for cut in stats.norm.ppf(np.arange(1, 10) / 10):
    left.plot([cut, cut, -2.6], [0, np.exp(cut / 2), np.exp(cut / 2)], color="#808080", lw=0.8)
left.set(xlabel="z (noise)", ylabel="x (hours)", xlim=(-2.6, 2.6), ylim=(0, 3.7))
left.set_title("Ten slices, 0.1 each")
draws = np.exp(numpy_rng(0).standard_normal(2000) / 2)
look = {"color": "#C0C0C0", "label": "2000 draws"}
right.hist(draws, bins=np.linspace(0, 4, 41), density=True, **look)
plot_curve(x, density, ax=right, label="line (3)")
plot_oracle(x, truth.pdf(x), ax=right, label="log-normal")
right.set(xlabel="x (hours)", ylabel="density (per hour)", title="Steep map, thin density")
for ax in (left, right):
    ax.legend(loc="upper left" if ax is left else "upper right")

# %% [markdown]
# Where the map is steep, a slice is stretched and its density falls. The noise is densest at
# $z = 0$, which lands on $x = 1$, but $X$ is densest at 0.78: a peak does not simply move with the
# map, since the slope has its say.

# %% [markdown]
# ## The sign
#
# In logarithms, line (3) reads $\log p_X(x) = \log p_Z(f(x)) + \log |f'(x)|$. The last term is the
# *log-determinant*, in one dimension the log of a slope. Now let $X = 2Z + 1$, and let a colleague
# add $\log 2$, the slope of $g$. Densities must integrate to 1.

# %%
predict(
    "12-wrong-sign",
    ...,
    ask="X = 2Z + 1. To what does exp(log N((x - 1) / 2) + log 2) integrate over x?",
)

# %% [markdown]
# Three versions, integrated numerically:

# %% same=True
x = np.linspace(-20, 22, 4201)
z = (x - 1) / 2
versions = {"minus log 2": -np.log(2), "log-det forgotten": 0.0, "plus log 2": np.log(2)}
for name, log_det in versions.items():
    integral = np.trapezoid(np.exp(stats.norm.logpdf(z) + log_det), x)
    print(f"{name:17s} integral {integral:.3f}")
reveal("12-wrong-sign", round(integral, 3), within=0.01)

# %% [markdown]
# $f$ has the slope ½, so the right term is $-\log 2$. Forgotten, it leaves twice the probability
# that there is; with the wrong sign the mistake counts twice, and 4 comes out. Neither version
# crashes, and either reports a *better* NLL than the truth. An integral tells.
#
# A second trap is the order. PyTorch's `TransformedDistribution` takes a list of maps and applies
# the **first map first** when it samples; `log_prob` undoes the last one first. Add 1, then
# double: where is the centre?

# %% same=True
from torch.distributions import AffineTransform, Normal, TransformedDistribution

steps = [AffineTransform(1.0, 1.0), AffineTransform(0.0, 2.0)]  # (location, scale)
grid = torch.linspace(-6, 8, 1401)
for name, chain in {"add, double": steps, "double, add": steps[::-1]}.items():
    log_p = TransformedDistribution(Normal(0.0, 1.0), chain).log_prob(grid)
    print(f"{name}: centre {grid[log_p.argmax()]:.2f}")

# %% [markdown]
# The two orders give different distributions, 2 or 1 in the centre, and both are properly
# normalised: no integral tells them apart. Compare draws with the density as well.

# %% [markdown]
# ## Many dimensions: make the Jacobian triangular
#
# In $d$ dimensions the slope becomes the *Jacobian* $J_f$, the matrix of all partial derivatives,
# and a small box changes its volume by $|\det J_f|$:
#
# $$\log p_X(x) = \log p_Z(f(x)) + \log |\det J_f(x)| = \log p_Z(z) - \log |\det J_g(z)| .$$
#
# A general determinant takes some $d^3$ operations, for every point, in every step of the
# training. An *affine coupling* avoids it. Split $x$ into halves $a$ and $b$; leave $a$ alone, and
# let a network look at $a$ to decide how $b$ is shifted and scaled:
#
# $$
# \begin{aligned}
# (5) && f(a, b) &= \big(a,\; (b - t(a)) \cdot e^{-s(a)}\big)
#   \qquad g(a, b') = \big(a,\; b' \cdot e^{s(a)} + t(a)\big) \\
# (6) && J_f &= \begin{pmatrix} I & 0 \\ \ast & \mathrm{diag}(e^{-s(a)}) \end{pmatrix} \\
# (7) && \log |\det J_f| &= -\textstyle\sum_i s_i(a)
# \end{aligned}
# $$
#
# The determinant of a triangular matrix is the product of its diagonal, whatever stands at the
# star. So $s$ and $t$ may be any networks. They are never inverted.


# %%
def network(inputs, outputs, hidden):
    sizes = (inputs, hidden, hidden, outputs)
    layers = [[nn.Linear(n, m), nn.ReLU()] for n, m in zip(sizes, sizes[1:], strict=False)]
    return nn.Sequential(*sum(layers, [])[:-1])  # no ReLU at the end


# %% [markdown]
# One layer, both directions. `swap` says which half stays. The log-scale runs through a tanh, so
# that it stays between −2 and 2; the reason comes below.


# %%
class AffineCoupling(nn.Module):
    def __init__(self, dim, hidden, swap=False):  # dim is even
        super().__init__()
        self.net, self.swap = network(dim // 2, dim, hidden), swap

    def forward(self, x, inverse=False):  # data to noise; inverse=True: noise to data
        kept, moved = x.chunk(2, dim=-1)[:: -1 if self.swap else 1]
        s, t = self.net(kept).chunk(2, dim=-1)
        s = 2 * torch.tanh(s / 2)
        moved = moved * s.exp() + t if inverse else (moved - t) * (-s).exp()
        both = (moved, kept) if self.swap else (kept, moved)
        return torch.cat(both, dim=-1), (s if inverse else -s).sum(-1)


# %% [markdown]
# Automatic differentiation is the oracle: it knows nothing of triangles, takes the whole Jacobian,
# and `slogdet` returns the log of the absolute determinant. Here in six dimensions, in float64,
# and at inputs spread widely, since a log-determinant of 0 would hide a wrong sign:

# %%
torch.manual_seed(0)
layer = AffineCoupling(6, hidden=16, swap=True).double().to(device)
x = 3 * torch.randn(4, 6, generator=torch_generator(1), dtype=torch.float64).to(device)
z, log_det = layer(x)
back, log_det_back = layer(z, inverse=True)
assert torch.allclose(back, x) and torch.allclose(log_det_back, -log_det)
assert log_det.abs().max() > 0.1
for row, claimed in zip(x, log_det, strict=True):
    J = torch.autograd.functional.jacobian(lambda v: layer(v)[0], row)  # (6, 6)
    assert torch.isclose(torch.linalg.slogdet(J).logabsdet, claimed)

# %% [markdown]
# Use `slogdet`, not the log of `det`. Swapping two coordinates is a fine layer whose determinant
# is −1, and with 64 scales of $e^{-2}$ the determinant is too small for float32. The last two
# lines show a network's log-scale of 200, without and with the tanh:

# %% same=True
swap, thin = torch.eye(2)[[1, 0]], torch.diag(torch.full((64,), -2.0).exp())
for name, matrix in {"swap": swap, "64 scales": thin}.items():
    print(f"{name}: log(det) {matrix.det().log():.0f}, slogdet {matrix.slogdet().logabsdet:.0f}")
raw, b = torch.tensor(200.0), torch.tensor(1.5)
for name, s in {"raw": raw, "tanh": 2 * torch.tanh(raw / 2)}.items():
    there = b * (-s).exp()
    print(f"log-scale {name}: e^s {s.exp():.1f}, round trip 1.5 -> {there * s.exp():.1f}")

# %% [markdown]
# Without the bound, one large output of the network ends in infinity and a round trip in "not a
# number". Keep scales bounded, and the layer is invertible in floating point too.

# %% [markdown]
# ## RealNVP: a stack with alternating halves
#
# One coupling leaves half of the coordinates as they are. So the next one moves the other half,
# and so on. The chain rule multiplies the Jacobians, so the log-determinants add up. That is the
# whole of RealNVP ("real-valued non-volume-preserving"). It ends in the density of the noise:


# %%
def log_normal(z):  # standard Normal noise, (n, d) -> (n,) nats
    return -0.5 * (z**2 + np.log(2 * np.pi)).sum(-1)


# %% [markdown]
# `log_prob` walks from data to noise, line (3); `sample` takes noise and walks through the same
# layers in the opposite order.


# %%
class RealNVP(nn.Module):
    def __init__(self, dim=2, layers=6, hidden=32):
        super().__init__()
        stack = [AffineCoupling(dim, hidden, swap=k % 2 == 1) for k in range(layers)]
        self.layers = nn.ModuleList(stack)

    def log_prob(self, x):  # (n, d) -> (n,) nats
        total = 0.0
        for layer in self.layers:
            x, log_det = layer(x)
            total = total + log_det
        return log_normal(x) + total

    def sample(self, x):  # noise (n, d) -> data (n, d)
        for layer in reversed(self.layers):
            x, _ = layer(x, inverse=True)
        return x


# %% [markdown]
# Training is maximum likelihood: the loss is the mean NLL of a batch. The rate falls to 0, so that
# a run ends in a minimum, not on the way past one.


# %%
def train(model, batch, steps=240, lr=0.015):  # batch(): a random batch of data
    model.to(device)
    adam = torch.optim.Adam(model.parameters(), lr=lr, fused=True)
    for step in range(steps):
        adam.param_groups[0]["lr"] = lr * (1 - step / steps)
        loss = -model.log_prob(batch()).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
    return model.requires_grad_(False)


def batches(x, size=300):  # x (n, d), an array
    x, generator = torch.tensor(x, dtype=torch.float32), torch_generator(0)
    return lambda: x[torch.randint(len(x), (size,), generator=generator)].to(device)


# %% [markdown]
# The half-moons: an angle, one of two arcs, and Normal noise of standard deviation 0.1. We draw
# them ourselves, since then their true density is known: the mean of a narrow Normal over all
# points of both arcs, of which 200 suffice.


# %%
def arcs(angle):  # (n,) -> (2, n, 2): the upper and the lower arc
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([np.stack([c, s], -1), np.stack([1 - c, 0.5 - s], -1)])


def moons(n, rng):
    points = arcs(np.pi * rng.random(n))[rng.integers(2, size=n), np.arange(n)]
    return points + 0.1 * rng.standard_normal((n, 2))


def equal_mixture(x, centres, sd):  # log density of round Normals, (n, 2) -> (n,)
    square = ((x[:, None] - centres) ** 2).sum(-1)  # (n, centres)
    size = np.log(len(centres) * 2 * np.pi * sd**2)
    return special.logsumexp(-0.5 * square / sd**2, axis=1) - size


# %% [markdown]
# Train a flow on 2000 points:

# %%
import time

centres = arcs(np.pi * (np.arange(100) + 0.5) / 100).reshape(-1, 2)
x_moons = moons(2000, numpy_rng(0))
start = time.perf_counter()
torch.manual_seed(0)
flow = train(RealNVP(), batches(x_moons))
print(f"{sum(p.numel() for p in flow.parameters())} numbers, {time.perf_counter() - start:.0f} s")

# %% [markdown]
# ## Is it a density? Add it up
#
# In two dimensions nothing need be believed. Lay a fine grid over the plane and add up density
# times area. The same for the flow with its log-determinants dropped:


# %%
def plane(low, high, n):  # centres of n x n cells, (n * n, 2), and the area of a cell
    edge = low + (high - low) * (torch.arange(n) + 0.5) / n
    return torch.cartesian_prod(edge, edge).to(device), ((high - low) / n) ** 2


points, area = plane(-3.0, 4.0, 280)
total = flow.log_prob(points).exp().sum().item() * area
z = points
for layer in flow.layers:
    z, _ = layer(z)
dropped = log_normal(z).exp().sum().item() * area
print(f"integral {total:.3f}; without log-determinants {dropped:.2f}")
assert abs(total - 1) < 0.01 and abs(dropped - 1) > 0.2

# %% [markdown]
# The flow holds a probability of 1, as line (3) promises. The other function is no density at all.
# A loss would not have told: trained without log-determinants, the layers simply squeeze all data
# to where the noise is densest. Add up any density that you are handed, as long as it has few
# dimensions.

# %% [markdown]
# ## The way through the layers
#
# Stop the walk after each layer. On the left stands noise, coloured by its direction from the
# origin, after some of the layers; on the right the density at that stage and the data, carried
# the rest of the way to it.


# %%
noise = torch.randn(400, 2, generator=torch_generator(2)).to(device)
hue = torch.atan2(noise[:, 1], noise[:, 0]).cpu()
mesh, _ = plane(-3.5, 3.5, 70)
some = torch.tensor(x_moons[:300], dtype=torch.float32, device=device)


def walk(x, layers, inverse=False):  # through some layers of a flow, with the log-determinant
    total = torch.zeros(len(x), device=device)
    for layer in layers[::-1] if inverse else layers:
        x, log_det = layer(x, inverse=inverse)
        total = total + log_det
    return x, total


# %% [markdown]
# Stage 0 is the noise, stage 6 the model of the data:


# %% alt="Left: coloured noise bent into two moons. Right: the density on the plane and the data."
def draw_stage(layers=6):
    before, after = flow.layers[: 6 - layers], flow.layers[6 - layers :]
    x, data = walk(noise, after, inverse=True)[0].cpu(), walk(some, before)[0].cpu()
    z, log_det = walk(mesh, after)
    density = (log_normal(z) + log_det).exp().reshape(70, 70).T.cpu()
    _, axes = plt.subplots(1, 2, figsize=(8, 4.2))
    axes[0].scatter(*x.T, c=hue, cmap="hsv", s=8)
    axes[1].imshow(density, origin="lower", extent=(-3.5, 3.5) * 2, cmap="Blues", vmax=0.6)
    plot_data(*data.T, ax=axes[1], markersize=1.5, color="#D55E00")
    for ax, what in zip(axes, ("Noise", "Density and data"), strict=True):
        ax.set(xlim=(-3.5, 3.5), ylim=(-3.5, 3.5), xticks=(-2, 0, 2), yticks=(-2, 0, 2))
        ax.set(xlabel="first coordinate", aspect="equal")
        ax.set_title(f"{what} after {layers} of 6 layers")
    axes[0].set_ylabel("second coordinate")


draw_stage()

# %% [markdown]
# The noise has been bent, but not torn: between the moons some density is left over.
#
# The same with a slider. **Scrub from 0 to 6:** which layers move points sideways, which up and
# down? Each noise point keeps its colour: which side of the noise ends up in which moon?

# %%
interactive(draw_stage, layers=(0, 6, 1))

# %% [markdown]
# Look both ways. Fresh data, walked to the noise, should be standard Normal; fresh noise, walked
# to the data, should have their mean and standard deviation:

# %%
fresh = torch.tensor(moons(4000, numpy_rng(1)), dtype=torch.float32, device=device)
z = walk(fresh, flow.layers)[0]
assert (flow.sample(z) - fresh).abs().max() < 1e-3  # there and back
x = flow.sample(torch.randn(4000, 2, generator=torch_generator(3)).to(device))
for name, y in {"data as noise": z, "data": fresh, "noise as data": x}.items():
    mean, sd = (" ".join(f"{v:5.2f}" for v in m.tolist()) for m in (y.mean(0), y.std(0)))
    print(f"{name:14s} mean {mean}   sd {sd}")
assert z.mean(0).abs().max() < 0.2 and (z.std(0) - 1).abs().max() < 0.2

# %% [markdown]
# A named mistake shows itself here at once: a stack whose halves never alternate. Whatever its
# weights are, one coordinate walks through untouched.

# %%
stuck = RealNVP().to(device)
for layer in stuck.layers:
    layer.swap = False
assert torch.equal(walk(fresh, stuck.layers)[0][:, 0], fresh[:, 0])

# %% [markdown]
# ## Another flow: one coordinate at a time
#
# In one dimension there is a flow for every density: the distribution function $F$ carries $X$ to
# uniform numbers, and the Normal's quantile function $\Phi^{-1}$ carries those to noise. So let
# $z_1 = \Phi^{-1}(F_1(x_1))$ and $z_2 = \Phi^{-1}(F_2(x_2 \mid x_1))$, where a network looks at
# $x_1$ and returns the parameters of $F_2$. This is an *autoregressive* flow: $z_i$ depends on
# $x_1, \dots, x_i$, its Jacobian is triangular again, and by line (3) the noise cancels:
#
# $$\log p(x) = \sum_i \log p_Z(z_i) + \log \frac{p_i(x_i \mid x_{<i})}{p_Z(z_i)}
#   = \sum_i \log p_i(x_i \mid x_{<i}) .$$
#
# Take mixtures of ten Normals for the $p_i$:


# %%
class AutoregressiveFlow(nn.Module):
    def __init__(self, parts=10, hidden=32):
        super().__init__()
        self.first, self.net = nn.Parameter(torch.randn(3 * parts)), network(1, 3 * parts, hidden)

    def conditionals(self, x):  # p(x1) and p(x2 | x1), batch shape (n, 2)
        raw = torch.stack([self.first.expand(len(x), -1), self.net(x[:, :1])], dim=1)
        weights, means, scales = raw.chunk(3, dim=-1)
        picks = torch.distributions.Categorical(logits=weights, validate_args=False)
        parts = Normal(2 * means, scales.exp(), validate_args=False)
        return torch.distributions.MixtureSameFamily(picks, parts, validate_args=False)

    def log_prob(self, x):
        return self.conditionals(x).log_prob(x).sum(-1)


# %% [markdown]
# The oracle is once more the Jacobian of the whole map. Above the diagonal it must be 0: $z_1$
# must not see $x_2$. An autoregressive network whose mask lets a coordinate see itself fails just
# here.

# %%
chain = AutoregressiveFlow().double()


def to_noise(x):  # (2,) -> (2,)
    return torch.special.ndtri(chain.conditionals(x[None]).cdf(x[None]))[0]


for row in torch.tensor([[0.3, -0.7], [1.9, 0.4]], dtype=torch.float64):
    J = torch.autograd.functional.jacobian(to_noise, row)
    by_flow = log_normal(to_noise(row)) + torch.linalg.slogdet(J).logabsdet
    assert J[0, 1] == 0 and torch.isclose(chain.log_prob(row[None])[0], by_flow)

# %% [markdown]
# Its density takes one pass. Its sampling takes one pass for each coordinate, since $x_2$ can be
# drawn only once $x_1$ is known; exercise 4 is about that.

# %% [markdown]
# ## Who wins?
#
# Two more data sets with a known density: nine round clusters, far apart, and a banana, where
# $x_1$ is standard Normal and $x_2$ is $x_1^2 - 1$ plus noise.

# %%
nine = np.array([(i, j) for i in (-2, 0, 2) for j in (-2, 0, 2)], dtype=float)


def clusters(n, rng):
    return nine[rng.integers(9, size=n)] + 0.2 * rng.standard_normal((n, 2))


def banana(n, rng):
    x, noise = rng.standard_normal((2, n))
    return np.stack([x, x**2 - 1 + 0.15 * noise], axis=1)


def banana_log_prob(x):
    return stats.norm.logpdf(x[:, 0]) + stats.norm.logpdf(x[:, 1], x[:, 0] ** 2 - 1, 0.15)


# %% [markdown]
# Before you see the table:

# %%
predict(
    "12-who-wins-on-moons",
    ...,
    ask="Two moons, 2000 points to learn from: whose NLL on new points is lowest?",
    choices=("Normal", "mixture of ten", "RealNVP"),
)

# %% [markdown]
# Every model learns from the same 2000 points and is scored on 10 000 new ones.

# %%
from sklearn.mixture import GaussianMixture


def log_probs(draw, oracle, flow=None):  # of each model at new points, and the flow
    x, new = draw(2000, numpy_rng(0)), draw(10_000, numpy_rng(1))
    torch.manual_seed(0)
    nets = {"RealNVP": flow or train(RealNVP(), batches(x))}
    nets["autoregressive"] = train(AutoregressiveFlow(), batches(x), steps=200, lr=0.03)
    normal, mixture = (GaussianMixture(k, n_init=3, random_state=0).fit(x) for k in (1, 10))
    rows = {"Normal": normal.score_samples(new), "mixture of ten": mixture.score_samples(new)}
    at = torch.tensor(new, dtype=torch.float32, device=device)
    rows |= {name: net.log_prob(at).double().cpu().numpy() for name, net in nets.items()}
    return rows | {"oracle": oracle(new)}, nets["RealNVP"]


# %% [markdown]
# All models meet the same points. So the standard error belongs to the *excess* over the oracle,
# point by point: it says how far other test points would move it.

# %%
truths = {
    "moons": (moons, lambda x: equal_mixture(x, centres, 0.1), flow),
    "clusters": (clusters, lambda x: equal_mixture(x, nine, 0.2)),
    "banana": (banana, banana_log_prob),
}
results = {name: log_probs(*pair) for name, pair in truths.items()}
excess = {}
print(f"{'':14s}" + "".join(f"{name:>24s}" for name in results))
for model in results["moons"][0]:
    text = f"{model:14s}"
    for name, (rows, _) in results.items():
        gap = rows["oracle"] - rows[model]
        excess[name, model] = gap.mean()
        text += f"{-rows[model].mean():8.3f} ({gap.mean():.3f} ± {gap.std() / 100:.3f})"
    print(text)

# %% [markdown]
# The trained numbers differ a little between machines. The order of mixture and RealNVP does not:

# %%
for name, better in {"moons": True, "clusters": True, "banana": False}.items():
    lead = excess[name, "RealNVP"] - excess[name, "mixture of ten"]
    assert abs(lead) > 0.02 and (lead > 0) == better, (name, lead)
reveal("12-who-wins-on-moons", "mixture of ten")

# %% [markdown]
# Answer b, on the moons and by far on the clusters: the ten Normals need only lie down along the
# arcs, or on one cluster each. The flow wins on the banana, which a single coupling with
# $t(x_1) = x_1^2 - 1$ fits exactly and ten Normals only piece by piece. The autoregressive flow,
# built from mixtures, is never far from the best. All four likelihoods are exact, and that says
# nothing about which is high: what counts is whose shapes the data have. More training brings
# RealNVP closer on the moons, not past the mixture; set `steps=1500` and see.

# %% [markdown]
# ## Bridges
#
# Why does the flow do so badly on nine clusters? A flow is continuous both ways. It can stretch
# and bend the plane, but not cut it: noise that is in one piece gives data in one piece. What lies
# between two clusters must be squeezed thin, and thin means a large $s$. Here is the line
# $x_2 = 0$ through three of the clusters:

# %% alt="Left: nine clusters joined by bridges. Right: log density on a line; flow above truth."
bent = results["clusters"][1]
fine, _ = plane(-3.5, 3.5, 120)
_, (left, right) = plt.subplots(1, 2, figsize=(9, 4.2))
image = bent.log_prob(fine).reshape(120, 120).T.cpu()
left.imshow(image, origin="lower", extent=(-3.5, 3.5) * 2, cmap="Blues", vmin=-7, vmax=0)
plot_data(*clusters(300, numpy_rng(2)).T, ax=left, markersize=1.5, color="#D55E00")
left.set(xlabel="first coordinate", ylabel="second coordinate", title="The flow's log density")
line = np.stack([np.linspace(-3, 3, 401), np.zeros(401)], axis=1)
on_line = bent.log_prob(torch.tensor(line, dtype=torch.float32, device=device)).cpu()
plot_curve(line[:, 0], on_line, ax=right, label="RealNVP")
plot_oracle(line[:, 0], truths["clusters"][1](line), ax=right, label="truth")
right.set(xlabel="first coordinate, second = 0", ylabel="log density", ylim=(-16, 2))
right.legend(loc="lower center")
_ = right.set_title("Along the middle row")

# %% [markdown]
# Between the clusters the truth falls to −12 and lower, and the flow's density stays far above it.
# The probability on the bridges is missing in the clusters. Texts praise flows for exact
# likelihoods and name invertibility as the price. This is the price: noise and data have the same
# number of dimensions and the same topology.

# %% [markdown]
# ## Whole numbers have no density
#
# Pixels are integers. A density fitted to integers can put a spike on each of them, and a spike
# has no upper limit. Take $K$ from a Binomial with 16 trials and probability 0.4, whose entropy
# is known, and a mixture of 17 Normals, one on each integer, with the true probabilities as
# weights. How large does its likelihood become as the spikes get narrower?
#
# The cure is *dequantisation*: add uniform noise $U$ from $[0, 1)$ to each integer, and model
# $K + U$. A density $p$ of that gives each integer a proper probability, and
#
# $$
# \begin{aligned}
# (8) && P(k) &= \textstyle\int_0^1 p(k + u)\, du = \mathrm{E}_U\, p(k + U) \\
# (9) && -\log P(k) &\le -\mathrm{E}_U \log p(k + U) \quad \text{(Jensen)} \\
# (10) && H &\le -\mathrm{E}_K \log P(K) \le -\mathrm{E} \log p(K + U) .
# \end{aligned}
# $$
#
# $H$ is the entropy of $K$; the first inequality of (10) is Gibbs': no code beats the entropy. In
# $d$ dimensions nothing changes. So a NLL on dequantised data is honest: it bounds the NLL of a
# discrete model from above.

# %%
k, u = np.arange(17), (np.arange(2000) + 0.5) / 2000
P = stats.binom.pmf(k, 16, 0.4)


def spikes(y, sd):  # log density of the mixture; the spikes stand in the middle of [k, k + 1)
    each = stats.norm.logpdf(y[..., None], k + 0.5, sd)
    return special.logsumexp(each + np.log(P), axis=-1)


# %% [markdown]
# For three widths, the mean NLL at the bare integers (moved by ½, to where the spikes stand), and
# the three sides of (10), by sums over $k$ and $u$:

# %% same=True
H = stats.entropy(P)
for sd in (1.0, 0.1, 0.01):
    between = spikes(k[:, None] + u, sd)  # (17, 2000): log p(k + u)
    bare, discrete = -P @ spikes(k + 0.5, sd), -P @ np.log(np.exp(between).mean(1))
    noisy = -P @ between.mean(1)
    assert discrete > H - 1e-9 and noisy >= discrete
    print(f"width {sd:4.2f}: integers {bare:5.2f}, (10): {H:.3f} <= {discrete:.3f} <= {noisy:.2f}")

# %% [markdown]
# On bare integers the NLL falls by $\log 10$ nats with each factor of ten, without end, although
# the model has learnt nothing. On dequantised data the same spikes are punished, and no model gets
# below $H$.

# %% [markdown]
# ## Digits, in bits per dimension
#
# The digits of scikit-learn have $8 \times 8$ pixels with 17 grey levels. The usual unit is *bits
# per dimension*, the NLL in nats over $d \log 2$: what a perfect code that uses the model spends
# on each pixel. It needs a statement about scale. If the model sees $(k + u) / 17$, its density is
# per range of all grey levels, and $\log_2 17$ bits must be added for each pixel to come back to
# "per grey level". That is also the bill of the simplest model, where each level is as likely as
# any other.

# %%
from course_utils.digits import digits

train_images, _, test_images, _ = digits(rng=numpy_rng(0))
k, k_test = (np.rint(16 * a.reshape(-1, 64)) for a in (train_images, test_images))
y, y_test = (a + numpy_rng(1).random(a.shape) for a in (k, k_test))  # in [0, 17)
counts = 0.5 + np.array([(k == level).sum(0) for level in range(17)])  # (17, 64)
each = np.log((counts / counts.sum(0))[k_test.astype(int), np.arange(64)])
rows = {"histogram of each pixel": each.sum(1)}  # discrete: no noise
for name, parts in {"Normal": 1, "mixture of ten": 10}.items():
    model = GaussianMixture(parts, reg_covar=0.1, random_state=0).fit(y)
    rows[name] = model.score_samples(y_test)

# %% [markdown]
# The flow sees $(y - 8.5) / 5$, so that $64 \log 5$ nats come off its log density:

# %%
pixels, dice = torch.tensor(k, dtype=torch.float32), torch_generator(1)


def noisy_batch():
    some = pixels[torch.randint(len(pixels), (200,), generator=dice)]
    return ((some + torch.rand(some.shape, generator=dice) - 8.5) / 5).to(device)


torch.manual_seed(0)
image_flow = train(RealNVP(dim=64, layers=4, hidden=64), noisy_batch, steps=160, lr=0.005)
at = torch.tensor((y_test - 8.5) / 5, dtype=torch.float32, device=device)
rows["RealNVP"] = image_flow.log_prob(at).double().cpu().numpy() - 64 * np.log(5)
bits = {name: -row / (64 * np.log(2)) for name, row in rows.items()}
for name, row in bits.items():
    print(f"{name:24s} {row.mean():.2f} ± {row.std() / len(row) ** 0.5:.2f} bits per pixel")

# %% [markdown]
# The histogram, which knows nothing of how pixels depend on each other, beats all three densities.
# Here is why:

# %% same=True
dark = (k_test == 0).mean()
print(
    f"share of pixels at level 0: {dark:.2f}; all levels alike: {np.log2(17):.2f} bits per pixel"
)
best = {name: row.mean() for name, row in bits.items()}
assert best["histogram of each pixel"] + 0.1 < best["mixture of ten"] < best["RealNVP"] - 0.05

# %% [markdown]
# Half of all pixels are black. A histogram gives level 0 its own bar, while a smooth density
# spills part of such a peak over the edge, below 0, where no data can be. Among the densities the
# mixture leads; RealNVP, with 1198 images to learn from, does about as well as the single Normal.
# A set this small favours the simple model. The spill can be mended by a fixed first layer, which
# is the subject of exercise 6.

# %% [markdown]
# ## Recap
#
# 1. Probability is moved, not made: $\log p_X(x) = \log p_Z(f(x)) + \log|\det J_f(x)|$, with $f$
#    from data to noise. Forgotten or with the wrong sign, the log-determinant leaves no density;
#    an integral shows it.
# 2. Coupling layers and autoregressive flows have triangular Jacobians, whose log-determinant is a
#    sum. Check it against `slogdet`, at values other than 0.
# 3. Alternate the halves, bound the log-scales, and undo the layers in the opposite order.
# 4. Answer b: an exact likelihood is not a high one. On moons and clusters ten Normals beat
#    RealNVP, on the banana it beats them. A flow cannot cut the plane, so it leaves bridges.
# 5. Integers have no density: dequantise. Then the NLL bounds that of a discrete model, and bits
#    per dimension mean something once the scale is stated.

# %% [markdown]
# ## An interview question
#
# *A colleague trains a flow on 8-bit pictures, scaled to $[0, 1]$, and reports −3.2 bits per
# dimension on the test set. A record?*
#
# <details>
# <summary>Answer</summary>
#
# No: by (10) the bits per dimension of dequantised data are at least the entropy of the pixels,
# and an entropy of whole numbers is never negative. First suspect: the scale. A density on
# $[0, 1]$ is per range, not per grey level, and $\log_2 256 = 8$ bits per dimension are missing;
# 4.8 would be an ordinary result. Then ask whether noise was added at all, to the test set too.
# Without it, any number can be reached. Last, check the log-determinants against `slogdet`.
# </details>

# %% [markdown]
# ## What to read next
#
# - L. Dinh, J. Sohl-Dickstein and S. Bengio, "Density estimation using Real NVP", *ICLR* (2017):
#   the coupling layer of this lesson, with convolutions and several scales.
# - G. Papamakarios and others, "Normalizing flows for probabilistic modeling and inference",
#   *Journal of Machine Learning Research* (2021): the whole field in one notation, universality
#   and topology included.
# - C. Durkan and others, "Neural spline flows", *NeurIPS* (2019): couplings whose map of one
#   coordinate is a spline instead of a line.
# - L. Theis, A. van den Oord and M. Bethge, "A note on the evaluation of generative models",
#   *ICLR* (2016): why dequantise, and why likelihood, samples and usefulness are three things.
# - R. Cornish and others, "Relaxing bijectivity constraints with continuously indexed normalising
#   flows", *ICML* (2020): what bridges cost, and one way around them.
#
# ## Your turn
#
# The assignment `12_flows` has six exercises, and none is a cell of this lesson:
#
# 1. the density of any increasing or falling transform of noise;
# 2. an affine coupling with a mask, both ways;
# 3. the log density of a stack with alternating masks;
# 4. draws from an autoregressive flow, and their density;
# 5. the integral of a log density over a box, in logarithms;
# 6. bits per dimension of dequantised images, through a logit.
