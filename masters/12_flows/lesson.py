# %% [markdown]
# # Normalizing flows
#
# Points lie on two interleaved half-moons, with a little noise. Three models learn their density
# from 2000 points: a Normal, described by 5 numbers; a mixture of ten Normals, 59 numbers; and a
# *normalizing flow*, an invertible network with 7116 numbers that bends Normal noise into the
# shape of the data. Each of them has an exact likelihood. **Which one finds 10 000 new points most
# likely?**

# %% [markdown]
# **After this lesson you can** derive the density of a transformed variable and catch a wrong
# log-determinant; build a RealNVP and prove that its density is one; say what a flow can and
# cannot bend; and score a density on integer data without fooling yourself.
#
# **You need** the NLL in nats (unit 01), the derivative of an inverse function, determinants, and
# what a mixture of Normals is. Reading takes about 55 minutes, running some 15 seconds. Symbols:
# [notation](00_start.ipynb#Notation).
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
from scipy import integrate, special, stats
from torch import nn

from course_utils.device import numpy_rng, one_thread, pick_device, torch_generator
from course_utils.plotting import plot_curve, plot_data, plot_oracle, use_course_style
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
    "12-most-likely-model",
    ...,
    ask="Two moons, 2000 points to learn from: who finds new points most likely?",
    choices=(
        "the Normal, with 5 numbers",
        "the mixture, with 59 numbers",
        "the flow, with 7116 numbers",
        "flow and mixture alike: either can fit any density",
    ),
)

# %% [markdown]
# ## One dimension: probability is moved, not made
#
# Let $Z$ be standard Normal noise, and let a delivery take $X = e^{Z/2}$ hours. The map $e^{z/2}$
# rises, so it keeps the order, and an interval of $x$ holds exactly the noise that the map moves
# there. Cut the noise into ten slices of probability 0.1 and look where they land: where the map
# is steep, a slice is stretched, and its tenth is spread thin. So the density of $X$ is the
# density of the noise, divided by the slope of the map, or times the slope of the way back, which
# is $f(x) = 2 \log x$. SciPy knows this $X$ as a log-normal.


# %%
def f(x):
    return 2 * np.log(x)


truth, x = stats.lognorm(0.5), np.linspace(0.02, 4, 400)
density = stats.norm.pdf(f(x)) * abs(2 / x)  # the noise's density, times the slope of f
assert np.allclose(density, truth.pdf(x))
mode = x[density.argmax()]
print(f"the density of X is highest at {mode:.2f}")

# %% hide=True alt="The map exp(z/2) carries ten slices of noise to x; density of x."
_, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
z = np.linspace(-2.6, 2.6, 200)
plot_curve(z, np.exp(z / 2), ax=left, label="x = exp(z / 2)")
for cut in stats.norm.ppf(np.arange(1, 10) / 10):
    left.plot([cut, cut, -2.6], [0, np.exp(cut / 2), np.exp(cut / 2)], color="#808080", lw=0.8)
left.set(xlabel="z (noise)", ylabel="x (hours)", xlim=(-2.6, 2.6), ylim=(0, 3.7))
left.set_title("Ten slices of noise, each 0.1, land on x")
draws = np.exp(numpy_rng(0).standard_normal(2000) / 2)
look = {"color": "#C0C0C0", "label": "2000 draws"}
right.hist(draws, bins=np.linspace(0, 4, 41), density=True, **look)
plot_curve(x, density, ax=right, label="noise times slope")
plot_oracle(x, truth.pdf(x), ax=right, label="log-normal")
right.set(
    xlabel="x (hours)", ylabel="density (per hour)", title="A steep map makes a thin density"
)
for ax in (left, right):
    ax.legend(loc="upper left" if ax is left else "upper right")

# %% [markdown]
# The noise is densest at $z = 0$, which lands on $x = 1$, but $X$ is densest at 0.78: a peak does
# not simply move with the map, since the slope has its say.
#
# In symbols, with an increasing, smooth $g$ from noise to data and its inverse $f$:
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
# can be computed **from data to noise**, (3), or **from noise to data**, (4). All four lines for
# our delivery:

# %%
a, b = 0.5, 1.7
mass = truth.cdf(b) - truth.cdf(a)
assert np.isclose(stats.norm.cdf(f(b)) - stats.norm.cdf(f(a)), mass)  # (1)
assert np.isclose(integrate.quad(lambda x: stats.norm.pdf(f(x)) * 2 / x, a, b)[0], mass)  # (2)
by_slope_of_g = stats.norm.pdf(f(x)) / (0.5 * np.exp(f(x) / 2))
assert np.allclose(density, by_slope_of_g)  # (3) = (4)

# %% [markdown] card="12-change-of-variables"
# f takes data to noise. What is the log-density of x?
#
# **Answer.** That of the noise at f(x), plus the log of the absolute slope of f there. Where the
# way from noise to data is steep, probability is spread thin.

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

# %% [markdown] fold="12-wrong-sign"
# ### Three integrals

# %% [markdown]
# Three versions, integrated numerically:

# %% same=True
x = np.linspace(-20, 22, 4201)
z = (x - 1) / 2
versions = {"minus log 2": -np.log(2), "log-det forgotten": 0.0, "plus log 2": np.log(2)}
for name, log_det in versions.items():
    integral = np.trapezoid(np.exp(stats.norm.logpdf(z) + log_det), x)
    print(f"{name:17s} integral {integral:.3f}")
because = {1: "A density does, with the right term, which is -log 2."}
because |= {2: "So it is without any term: the wrong sign doubles it once more."}
reveal("12-wrong-sign", round(integral, 3), within=0.01, because=because)

# %% [markdown]
# $f$ has the slope ½, so the right term is $-\log 2$. Without it the integral is 2; with the wrong
# sign the mistake counts twice, and 4 comes out. Neither version crashes, and either reports a
# *better* NLL than the truth. An integral tells.

# %% [markdown] card="12-find-a-wrong-log-det"
# The sign of a log-determinant is wrong. Does training crash? Which test finds it?
#
# **Answer.** Nothing crashes, and the NLL may look better than the truth's. Integrate the density
# in few dimensions: it must come to 1. In many, compare with `slogdet` at values other than 0.

# %% [markdown]
# ### The order
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

# %% [markdown] card="12-order-of-the-maps"
# Two layers are applied in the wrong order. Does an integral show it?
#
# **Answer.** No: both orders are properly normalised. Compare draws with the density as well.

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

# %% [markdown] card="12-why-couplings"
# Why may the networks inside an affine coupling be of any kind, and what does its log-determinant
# cost?
#
# **Answer.** They are never inverted: they look at the half that stays. The Jacobian is
# triangular, so its log-determinant is minus the sum of the log-scales.

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
def train(model, batch, steps, lr=0.015):  # batch(): a random batch of data
    adam = torch.optim.Adam(model.to(device).parameters(), lr=lr, fused=True)
    fit(lambda: -model.log_prob(batch()).mean(), adam, steps=steps, decay=True, progress=False)
    return model.requires_grad_(False)


def batches(x, seed, size=300):  # x (n, d), an array
    x, generator = torch.tensor(x, dtype=torch.float32), torch_generator(seed)
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
# Train a flow on 2000 points. Data, first weights and batches all come from one seed:

# %%
import functools


@functools.cache
def flow_for(draw, seed, steps):  # a RealNVP that has learned from 2000 points
    torch.manual_seed(seed)
    return train(RealNVP(), batches(draw(2000, numpy_rng(seed)), seed), steps)


centres = arcs(np.pi * (np.arange(100) + 0.5) / 100).reshape(-1, 2)
flow = flow_for(moons, 0, 240)
print(sum(p.numel() for p in flow.parameters()), "numbers")

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
# Stop the walk after each layer. On the left stands the noise, each point coloured by its
# direction from the origin; in the middle the same points after some of the layers, each with its
# colour; on the right the density at that stage and the data, carried the rest of the way to it.

# %%
noise = torch.randn(400, 2, generator=torch_generator(2)).to(device)
hue = torch.atan2(noise[:, 1], noise[:, 0]).cpu()
mesh, _ = plane(-3.5, 3.5, 70)
some = torch.tensor(moons(300, numpy_rng(0)), dtype=torch.float32, device=device)


def walk(x, layers, inverse=False):  # through some layers of a flow, with the log-determinant
    total = torch.zeros(len(x), device=device)
    for layer in layers[::-1] if inverse else layers:
        x, log_det = layer(x, inverse=inverse)
        total = total + log_det
    return x, total


# %% [markdown]
# Stage 0 is the noise, stage 6 the model of the data:


# %% hide=True alt="Noise coloured by direction; the same points bent to moons; density and data."
def draw_stage(layers=6):
    before, after = flow.layers[: 6 - layers], flow.layers[6 - layers :]
    x, data = walk(noise, after, inverse=True)[0].cpu(), walk(some, before)[0].cpu()
    z, log_det = walk(mesh, after)
    density = (log_normal(z) + log_det).exp().reshape(70, 70).T.cpu()
    _, axes = plt.subplots(1, 3, figsize=(11, 4))
    look = {"c": hue, "cmap": "twilight", "vmin": -np.pi, "vmax": np.pi, "s": 9}
    look |= {"edgecolors": "0.4", "linewidths": 0.2}
    axes[0].scatter(*noise.cpu().T, **look)
    for name, place in {"right": (3, 0), "up": (0, 3), "left": (-3, 0), "down": (0, -3)}.items():
        axes[0].text(*place, name, ha="center", va="center")
    axes[1].scatter(*x.T, **look)
    axes[2].imshow(density, origin="lower", extent=(-3.5, 3.5) * 2, cmap="Blues", vmax=0.6)
    plot_data(*data.T, ax=axes[2], markersize=1.5, color="#D55E00")
    titles = "Stage 0: noise", f"After {layers} of 6 layers", "The density there, and data"
    for ax, title in zip(axes, titles, strict=True):
        ax.set(xlim=(-3.5, 3.5), ylim=(-3.5, 3.5), xticks=(-2, 0, 2), yticks=(-2, 0, 2))
        ax.set(xlabel="first coordinate", aspect="equal", title=title)
        ax.grid(False)
        ax.label_outer()
    axes[0].set_ylabel("second coordinate")
    if layers == 6:
        axes[1].set_title("After all layers: bent, not torn")


draw_stage()

# %% [markdown]
# The noise has been bent, but not torn: between the moons some density is left over.
#
# The same with a slider. **Scrub from 0 to 6:** which layers move points sideways, which up and
# down? Each point keeps its colour: which side of the noise ends up in which moon?

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

# %% [markdown] card="12-price-of-autoregression"
# An autoregressive flow: how many passes for a density, how many for a draw?
#
# **Answer.** One pass for the density; for a draw one for each coordinate, since a coordinate can
# be drawn only once those before it are known.

# %% [markdown]
# ### Names that you will meet
#
# *NICE* (2015) is a stack of couplings with $s = 0$: its log-determinant is 0, and it moves volume
# without stretching it. RealNVP adds the scales. *Glow* (2018) mixes the coordinates between
# couplings by learned matrices instead of swapping halves; the log-determinant of such a layer is
# a `slogdet`. The *masked autoregressive flow*, MAF, takes one Normal for each $p_i$, and stacks
# several such layers to make up for it. The *inverse autoregressive flow*, IAF, is the same layer
# run the other way: draws take one pass, and the density of a given point takes $d$. So MAF suits
# density estimation, and IAF the $q$ of a VAE.

# %% [markdown]
# ## Two shapes, four models
#
# Leave the moons for the end and take two other data sets with a known density: nine round
# clusters, far apart, and a banana, where $x_1$ is standard Normal and $x_2$ is $x_1^2 - 1$ plus
# noise.

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
# Every model learns from the same 2000 points and is scored on 10 000 new ones.

# %%
truths = {
    moons: lambda x: equal_mixture(x, centres, 0.1),
    clusters: lambda x: equal_mixture(x, nine, 0.2),
    banana: banana_log_prob,
}

# %% [markdown]
# Mixtures are fitted by scikit-learn, a Normal as a mixture of one:

# %%
from sklearn.mixture import GaussianMixture


@functools.cache
def mixture_for(draw, seed, parts):
    mixture = GaussianMixture(parts, n_init=3, random_state=seed)
    return mixture.fit(draw(2000, numpy_rng(seed)))


def log_probs(draw, seed, steps):  # of each model, at the same new points
    new = draw(10_000, numpy_rng(1000 + seed))
    models = {"Normal": 1, "mixture of ten": 10}
    rows = {name: mixture_for(draw, seed, k).score_samples(new) for name, k in models.items()}
    at = torch.tensor(new, dtype=torch.float32, device=device)
    rows["RealNVP"] = flow_for(draw, seed, steps).log_prob(at).double().cpu().numpy()
    return rows | {"oracle": truths[draw](new)}, at


# %% [markdown]
# All models meet the same points. So the standard error belongs to the *excess* over the oracle,
# point by point: it says how far other test points would move it.


# %%
def table(draw, seed=0):  # NLL and excess of each model; returns the excesses
    rows, at = log_probs(draw, seed, 240)
    torch.manual_seed(seed)
    x = draw(2000, numpy_rng(seed))
    chain = train(AutoregressiveFlow(), batches(x, seed), steps=150, lr=0.03)
    rows["autoregressive"] = chain.log_prob(at).double().cpu().numpy()
    gaps = {name: rows["oracle"] - row for name, row in rows.items() if name != "oracle"}
    print(f"{draw.__name__}: the oracle's NLL is {-rows['oracle'].mean():.3f}")
    for name, gap in gaps.items():
        print(f"  {name:14s} excess {gap.mean():.3f} ± {gap.std() / 100:.3f} nats")
    return {name: gap.mean() for name, gap in gaps.items()}


excess = {draw.__name__: table(draw) for draw in (clusters, banana)}

# %% hide=True alt="Clusters: RealNVP far above the mixture. Banana: RealNVP below. Normal last."
_, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
titles = "Nine clusters: ten Normals win", "Banana: RealNVP wins"
for ax, name, title in zip(axes, excess, titles, strict=True):
    ax.barh(list(excess[name]), excess[name].values(), color="C0")
    ax.set(xscale="log", xlabel="excess over the oracle (nats)", title=title, xlim=(0.005, 5))
    ax.grid(axis="y")
axes[0].invert_yaxis()

# %% [markdown]
# On the clusters one Normal is enough for each; the flow is far off. On the banana a single
# coupling with $t(x_1) = x_1^2 - 1$ is exact, and the ten Normals must lay it out piece by piece.
# The autoregressive flow, built from mixtures, does well on both, and nowhere perfectly. All these
# likelihoods are exact, which says nothing about how high they are: what counts is whether the
# data have a shape that the model can make with ease. The two orders as claims, on ten seeds:


# %% claim="On nine clusters, ten Normals beat RealNVP." steps=240
def ten_normals_win_on_clusters(seed, steps):
    rows, _ = log_probs(clusters, seed, steps)
    return (rows["mixture of ten"] - rows["RealNVP"]).mean()


assert excess["clusters"]["RealNVP"] > excess["clusters"]["mixture of ten"] + 0.1

# %% [markdown]
# And the other way round:


# %% claim="On the banana, RealNVP beats ten Normals." steps=240
def flow_wins_on_banana(seed, steps):
    rows, _ = log_probs(banana, seed, steps)
    return (rows["RealNVP"] - rows["mixture of ten"]).mean()


assert excess["banana"]["RealNVP"] < excess["banana"]["mixture of ten"]

# %% [markdown]
# ## Bridges
#
# Why does the flow do so badly on nine clusters? A flow is continuous both ways. It can stretch
# and bend the plane, but not cut it: noise that is in one piece gives data in one piece. What lies
# between two clusters can only be squeezed thin, and thin means a large $s$.
#
# Draw 20 000 points from the flow that has learned the clusters. A point of the data lies farther
# than three standard deviations (0.6) from every centre with probability $e^{-9/2}$, one in
# ninety.

# %%
predict(
    "12-between-the-clusters",
    ...,
    ask="Which share of the flow's draws lies farther than 0.6 from every centre?",
    choices=("a hundredth, as it should be", "a twentieth", "a third or so"),
)

# %% [markdown] fold="12-between-the-clusters"
# ### Count them

# %% [markdown]
# The excess over the oracle is a KL divergence, and splits by the chain rule of unit 03. First ask
# only: near a centre or not? The divergence between the two answers is the price of the bridges.
# What is left is what the flow gets wrong within a cluster and within the rest. Both for our flow,
# and for one with three times the steps:


# %%
def off_centre(x):  # share of points farther than 0.6 from every centre
    return (torch.cdist(x.cpu(), torch.tensor(nine).float()).amin(1) > 0.6).double().mean().item()


def between(seed, steps):  # the flow's probability there, from 20 000 draws
    z = torch.randn(20_000, 2, generator=torch_generator(1000 + seed)).to(device)
    return off_centre(flow_for(clusters, seed, steps).sample(z))


for steps in (240, 720):
    rows, _ = log_probs(clusters, 0, steps)
    gap, (p, q) = (rows["oracle"] - rows["RealNVP"]).mean(), (np.exp(-4.5), between(0, steps))
    price = stats.entropy([p, 1 - p], [q, 1 - q])  # KL of the yes-or-no question
    print(f"{steps} steps: share {q:.3f} (truth {p:.3f}), excess {gap:.2f}, bridges {price:.2f}")

# %% [markdown]
# The numbers move a little from machine to machine; their order does not:

# %%
assert between(0, 240) > 0.2 and between(0, 720) > 5 * np.exp(-4.5)
because = {"a hundredth, as it should be": "A flow cannot cut, and squeezing takes large scales."}
because["a twentieth"] = "It may come to that with far more training; not after 240 steps."
reveal("12-between-the-clusters", "a third or so", because=because)

# %% [markdown]
# About half of the excess is the price of the bridges; the rest is that clusters are not round and
# have the wrong shares. Longer training lowers both, and ends neither.
#
# Here is the line $x_2 = 0$ through three of the clusters:

# %% hide=True alt="Nine clusters joined by bridges; on a line, the flow lies above the truth."
bent = flow_for(clusters, 0, 240)
fine, _ = plane(-3.5, 3.5, 120)
_, (left, right) = plt.subplots(1, 2, figsize=(9, 4.2))
image = bent.log_prob(fine).reshape(120, 120).T.cpu()
left.imshow(image, origin="lower", extent=(-3.5, 3.5) * 2, cmap="Blues", vmin=-7, vmax=0)
plot_data(*clusters(300, numpy_rng(2)).T, ax=left, markersize=1.5, color="#D55E00")
left.set(xlabel="first coordinate", ylabel="second coordinate")
left.set_title("The flow's log-density: one piece")
left.grid(False)
line = np.stack([np.linspace(-3, 3, 401), np.zeros(401)], axis=1)
on_line = bent.log_prob(torch.tensor(line, dtype=torch.float32, device=device)).cpu()
plot_curve(line[:, 0], on_line, ax=right, label="RealNVP")
plot_oracle(line[:, 0], truths[clusters](line), ax=right, label="truth")
right.set(xlabel="first coordinate, second = 0", ylabel="log density", ylim=(-16, 2))
right.legend(loc="lower center")
_ = right.set_title("Between clusters it is far too high")

# %% [markdown]
# Between the clusters the truth falls to −12 and lower, and the flow's density stays far above it.
# Whatever lies on the bridges has been taken from the clusters. Texts praise flows for exact
# likelihoods and name invertibility as the price. This is the price: noise and data have the same
# number of dimensions and the same topology. As a claim:


# %% claim="Between nine clusters, RealNVP puts over five times the true share." steps=240
def bridges_stay(seed, steps):
    return between(seed, steps) - 5 * np.exp(-4.5)


# %% [markdown] card="12-bridges"
# Why does a flow leave probability between two clusters that lie far apart?
#
# **Answer.** It is continuous both ways: noise in one piece gives data in one piece. What lies
# between can be squeezed thin, and not cut; longer training lowers it, and does not end it.

# %% [markdown]
# ## Flows in continuous time
#
# Let the layers become many and each of them small. In the limit a point moves with a velocity,
# $dx/dt = v(x, t)$, from noise at $t = 0$ to data at $t = 1$. A sum over layers becomes an
# integral over time, and the log-determinant of a small step $x + v\,dt$ becomes $dt$ times the
# *divergence* of $v$, the trace of its Jacobian:
#
# $$(8) \quad \tfrac{d}{dt} \log p(x(t)) = -\mathrm{tr}\, \tfrac{\partial v}{\partial x}$$
#
# A trace needs no triangle: $v$ may be any network. For a linear velocity $v = Ax$ the whole map
# is known, it is the matrix exponential $e^A$. Its log-determinant should be the trace:

# %% same=True
A = torch.randn(5, 5, generator=torch_generator(4), dtype=torch.float64)
log_det = torch.linalg.slogdet(torch.linalg.matrix_exp(A)).logabsdet
print(f"slogdet of exp(A) {log_det:.6f}, trace of A {A.trace():.6f}")
assert torch.isclose(log_det, A.trace())

# %% [markdown]
# Maximum likelihood would have to solve the differential equation in each step of training. *Flow
# matching* does without. Pair each data point $x_1$ with noise $x_0$ at random, walk the straight
# line between them at the speed $x_1 - x_0$, and regress that speed on the place and the time. The
# squared error ends in its conditional mean, and Lipman and others (2023) show that this
# averaged field carries the noise to the data. No determinant is ever computed.


# %%
def velocity_for(draw, seed, steps):
    x, generator = torch.tensor(draw(2000, numpy_rng(seed))).float(), torch_generator(seed)
    torch.manual_seed(seed)
    v = network(3, 2, hidden=64)

    def loss():
        x1 = x[torch.randint(2000, (500,), generator=generator)]
        x0, t = torch.randn(500, 2, generator=generator), torch.rand(500, 1, generator=generator)
        at = torch.cat([x0 + t * (x1 - x0), t], dim=1)
        return (v(at) - (x1 - x0)).square().sum(1).mean()

    fit(loss, torch.optim.Adam(v.parameters(), lr=0.01), steps=steps, decay=True, progress=False)
    return v.requires_grad_(False)


# %% [markdown]
# Fresh noise walks along the learned field, in 50 small steps:

# %%
v, path = velocity_for(clusters, 0, 800), [torch.randn(4000, 2, generator=torch_generator(6))]
for k in range(50):
    time = torch.full((4000, 1), (k + 0.5) / 50)
    path.append(path[-1] + v(torch.cat([path[-1], time], dim=1)) / 50)
path = torch.stack(path)  # (51, 4000, 2)
print(f"share of draws between the clusters: {off_centre(path[-1]):.3f}")
assert off_centre(path[-1]) < 0.5 * off_centre(path[0])

# %% hide=True alt="Noise moves on curved paths to nine clusters; a few points stop between them."
_, (left, right) = plt.subplots(1, 2, figsize=(9, 4.4), sharey=True)
for way in path[:, :60].transpose(0, 1):
    plot_curve(*way.T, ax=left, color="0.6", linewidth=0.8)
plot_data(*path[0, :60].T, ax=left, label="noise", color="C0")
plot_data(*path[-1, :60].T, ax=left, label="arrived", color="C1")
plot_data(*path[-1, :2000].T, ax=right, label="2000 draws", markersize=1.5, color="C1")
left.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), xlabel="first coordinate")
left.set(ylabel="second coordinate", title="Paths bend away from each other")
right.set(xlim=(-3.2, 3.2), xlabel="first coordinate", title="Where they end: bridges here, too")
_ = left.legend(loc="upper left"), right.legend(loc="upper left")

# %% [markdown]
# These draws, too, come from noise in one piece, and some stop on bridges; there are fewer here
# than in our RealNVP. Most of today's image generators are trained in this way or by a close
# relative, diffusion.

# %% [markdown]
# ## Whole numbers have no density
#
# Pixels are integers. What happens when a density is fitted to them as if they were not? Take $K$
# from a Binomial with 16 trials and probability 0.4, whose entropy is known, and a mixture of 17
# Normals, one on each integer, with the true probabilities as weights. Let all the Normals become
# narrower, with standard deviations of 1, 0.1, 0.01 and so on.

# %%
predict(
    "12-narrow-normals",
    ...,
    ask="The narrower the Normals, the mean NLL of the integers ...",
    choices=(
        "comes closer to the entropy of K, from above",
        "sinks below any bound",
        "rises, since narrow Normals miss",
    ),
)

# %% [markdown] fold="12-narrow-normals"
# ### Four widths

# %% [markdown]
# The Normals stand at $k + \frac12$, and so the integers are moved there, too:

# %% same=True
k, u = np.arange(17), (np.arange(2000) + 0.5) / 2000
P = stats.binom.pmf(k, 16, 0.4)
H = stats.entropy(P)


def spikes(y, sd):  # log density of the mixture; the spikes stand in the middle of [k, k + 1)
    each = stats.norm.logpdf(y[..., None], k + 0.5, sd)
    return special.logsumexp(each + np.log(P), axis=-1)


for sd in (1.0, 0.1, 0.01, 0.001):
    print(f"width {sd:5.3f}: NLL {-P @ spikes(k + 0.5, sd):6.2f}; the entropy is {H:.2f}")
because = {"comes closer to the entropy of K, from above": "That is the bound for probabilities."}
because["rises, since narrow Normals miss"] = "They stand on the integers, and hit each time."
reveal("12-narrow-normals", "sinks below any bound", because=because)

# %% [markdown]
# With each factor of ten the NLL falls by $\log 10$ nats, without end, although the model has
# learnt nothing.

# %% [markdown]
# ### The cure
#
# *Dequantisation* adds uniform noise $U$ from $[0, 1)$ to each integer, and models $K + U$. A
# density $p$ of that gives each integer a proper probability, and
#
# $$
# \begin{aligned}
# (9) && P(k) &= \textstyle\int_0^1 p(k + u)\, du = \mathrm{E}_U\, p(k + U) \\
# (10) && -\log P(k) &\le -\mathrm{E}_U \log p(k + U) \quad \text{(Jensen)} \\
# (11) && H &\le -\mathrm{E}_K \log P(K) \le -\mathrm{E} \log p(K + U) .
# \end{aligned}
# $$
#
# $H$ is the entropy of $K$; the first inequality of (11) is Gibbs': no code beats the entropy. In
# $d$ dimensions nothing changes. So an NLL on dequantised data is honest: it bounds the NLL of a
# discrete model from above. The three sides of (11), by sums over $k$ and $u$, for many widths:

# %%
widths = np.geomspace(0.03, 3, 41)
bare = [-P @ spikes(k + 0.5, sd) for sd in widths]
by_noise = [spikes(k[:, None] + u, sd) for sd in widths]  # (17, 2000): log p(k + u)
discrete = [-P @ np.log(np.exp(b).mean(1)) for b in by_noise]
noisy = [-P @ b.mean(1) for b in by_noise]
assert (np.array(discrete) > H - 1e-9).all() and (np.array(noisy) >= discrete).all()

# %% hide=True alt="As widths fall, the NLL of bare integers falls, of dequantised ones rises."
_, ax = plt.subplots()
plot_curve(widths, bare, ax=ax, color="C1", label="bare integers")
plot_curve(widths, noisy, ax=ax, color="C0", label="dequantised, right of (11)")
plot_curve(widths, discrete, ax=ax, color="C2", label="discrete, middle of (11)")
ax.axhline(H, color="black", linestyle="--", label="entropy of K")
ax.set(xscale="log", xlabel="width of the spikes", ylabel="mean NLL (nats)", ylim=(-1.5, 6))
ax.set_title("Spikes win on bare integers and lose on dequantised ones")
_ = ax.legend()

# %% [markdown]
# On dequantised data the same spikes are punished, and no model gets below $H$.

# %% [markdown] card="12-dequantise"
# Why add uniform noise to whole numbers before a density is fitted, and what does the NLL bound
# then?
#
# **Answer.** Without it narrow spikes on the integers sink the NLL below any bound. With it, the
# expected NLL is at least that of a discrete model, which is at least the entropy.

# %% [markdown]
# ## Digits, in bits per dimension
#
# The digits of scikit-learn have $8 \times 8$ pixels with 17 grey levels. The usual unit is *bits
# per dimension*, the NLL in nats over $d \log 2$: what a perfect code that uses the model spends
# on each pixel. It needs a statement about scale. If the model sees $(k + u) / 17$, its density is
# per range of all grey levels, and $\log_2 17$ bits must be added for each pixel to come back to
# "per grey level". That is also the bill of the simplest model, where each level is as likely as
# any other.
#
# Three baselines: a histogram of each pixel by itself, which is discrete and needs no noise; a
# Normal; and a mixture of ten Normals. The noise $U$ alone has a variance of 1/12, so no variance
# of $K + U$ is smaller. Adding 1/12 to each fitted variance keeps small parts from collapsing.

# %%
from course_utils.digits import digits


@functools.cache
def digit_data(seed):  # levels k and dequantised y = k + u, of training and test digits
    images, _, test_images, _ = digits(rng=numpy_rng(seed))
    k = [np.rint(16 * a.reshape(-1, 64)) for a in (images, test_images)]
    return k, [a + numpy_rng(1000 + seed).random(a.shape) for a in k]


def digit_baselines(seed):  # mean bits per pixel of test digits
    (k, k_test), (y, y_test) = digit_data(seed)
    counts = 0.5 + np.array([(k == level).sum(0) for level in range(17)])  # (17, 64)
    log_p = np.log((counts / counts.sum(0))[k_test.astype(int), np.arange(64)]).sum(1)
    normal, ten = (GaussianMixture(n, reg_covar=1 / 12, random_state=seed) for n in (1, 10))
    scores = log_p.mean(), normal.fit(y).score(y_test), ten.fit(y).score(y_test)
    return [-s / (64 * np.log(2)) for s in scores]


# %% [markdown]
# The flow sees $(y - 8.5) / 5$, so that $64 \log 5$ nats come off its log-density. Each batch gets
# noise of its own:


# %%
@functools.cache
def digit_flow(seed, steps):  # mean bits per pixel of training and of test digits
    (k, _), both = digit_data(seed)
    pixels, dice = torch.tensor(k, dtype=torch.float32), torch_generator(seed)

    def batch():
        some = pixels[torch.randint(len(pixels), (200,), generator=dice)]
        return ((some + torch.rand(some.shape, generator=dice) - 8.5) / 5).to(device)

    torch.manual_seed(seed)
    image_flow = train(RealNVP(dim=64, layers=4, hidden=64), batch, steps, lr=0.005)
    at = [torch.tensor((y - 8.5) / 5, dtype=torch.float32, device=device) for y in both]
    log_p = [image_flow.log_prob(y).double().mean().item() - 64 * np.log(5) for y in at]
    return [-value / (64 * np.log(2)) for value in log_p]


# %% [markdown]
# There are 1198 digits to learn from. Train the flow for 400 steps, and for 1200:

# %%
predict(
    "12-three-times-as-long",
    ...,
    ask="1200 steps instead of 400: bits per pixel on test digits?",
    choices=("fewer, as on training digits", "no difference to speak of", "more of them"),
)

# %% [markdown] fold="12-three-times-as-long"
# ### Both, beside the baselines

# %% [markdown]
# All in bits per pixel; for the flows, training digits first:

# %%
bits = dict(zip(("histogram", "Normal", "mixture of ten"), digit_baselines(0), strict=True))
for steps in (400, 1200):
    seen, new = digit_flow(0, steps)
    bits[f"RealNVP, {steps}"] = new
    print(f"RealNVP, {steps:4d} steps: {seen:.2f} on training digits, {new:.2f} on test digits")
for name in list(bits)[:3]:
    print(f"{name:23s} {bits[name]:.2f} on test digits")
print(f"{'all levels alike':23s} {np.log2(17):.2f}")
assert bits["RealNVP, 1200"] > bits["RealNVP, 400"] > bits["mixture of ten"] > bits["histogram"]
because = {"fewer, as on training digits": "The training NLL falls; on new digits it turns."}
because["no difference to speak of"] = "A flow with so many numbers learns 1198 digits by heart."
reveal("12-three-times-as-long", "more of them", because=because)

# %% hide=True alt="Bits per pixel: with more steps training falls, test rises; baselines below."
lengths = [100, 400, 1200]
runs = np.array([digit_flow(0, steps) for steps in lengths])
_, ax = plt.subplots()
for row, name in zip(runs.T, ("training digits", "test digits"), strict=True):
    plot_curve(lengths, row, ax=ax, marker="o", label=f"RealNVP, {name}")
for name, style in {"Normal": ":", "mixture of ten": "-.", "histogram": "--"}.items():
    ax.axhline(bits[name], color="0.4", linestyle=style, label=f"{name}, test digits")
ax.set(xscale="log", xlabel="steps of training", ylabel="bits per pixel", xticks=lengths)
ax.set_xticklabels(lengths)
ax.minorticks_off()
ax.set_title("Longer training: fewer bits in training, more on new digits")
ax.set_ylim(1.6, 3.2)
_ = ax.legend(fontsize=9, loc="lower left")

# %% [markdown]
# The flow passes the single Normal and then turns: it learns 1198 digits by heart. To stop at the
# right step is part of the method here, and needs a third set of digits, for validation. At none
# of these lengths does it reach the mixture; and neither reaches the histogram, which knows
# nothing of how pixels depend on each other. (For the densities it is the bound on the right of
# (11) that is compared.) As claims:


# %% claim="On 1198 digits, three times the steps give RealNVP more bits on test digits." steps=400
def learns_by_heart(seed, steps):
    return digit_flow(seed, 3 * steps)[1] - digit_flow(seed, steps)[1]


# %% [markdown]
# The mixture is the better density:


# %% claim="On test digits, a mixture of ten Normals takes fewer bits than RealNVP." steps=400
def ten_normals_win_on_digits(seed, steps):
    return digit_flow(seed, steps)[1] - digit_baselines(seed)[2]


# %% [markdown]
# And the histogram beats both:


# %% claim="On test digits, a histogram of each pixel takes fewer bits than either." steps=400
def histogram_wins_on_digits(seed, steps):
    histogram, _, ten = digit_baselines(seed)
    return min(digit_flow(seed, steps)[1], ten) - histogram


# %% [markdown]
# ### Why a histogram wins
#
# One number explains it:

# %% same=True
print(f"share of pixels at level 0: {(digit_data(0)[0][1] == 0).mean():.2f}")

# %% [markdown]
# Half of all pixels are at level 0, the background. A histogram gives that level its own bar,
# while a smooth density spills part of such a peak over the edge, below 0, where no data can be.
# The spill can be mended by a fixed first layer, which is the subject of exercise 6.

# %% [markdown]
# ## A high density is no certificate
#
# A model of densities looks like a detector of strange inputs: what it finds unlikely does not
# belong. Put this to a test in 64 dimensions, with a model that is exactly right: the data are
# standard Normal noise, and so is the model. Then come inputs of another kind, noise with half the
# standard deviation.

# %%
predict(
    "12-strange-inputs",
    ...,
    ask="Inputs with half the standard deviation: their log density, beside that of the data?",
    choices=("lower, nearly always", "about the same", "above it, nearly always"),
)

# %% [markdown] fold="12-strange-inputs"
# ### A thousand of each

# %% [markdown]
# A thousand of each kind, and the origin:

# %%
data = torch.randn(1000, 64, generator=torch_generator(7))
kinds = {"data": data, "half the deviation": data / 2, "origin": torch.zeros(1, 64)}
for name, points in kinds.items():
    value = log_normal(points)
    print(f"{name:18s} {value.mean():6.1f}, from {value.min():6.1f} to {value.max():6.1f} nats")
share = (log_normal(data / 2)[:, None] > log_normal(data)).double().mean().item()
print(f"a strange input beats a point of the data in {share:.3f} of pairs")
assert share > 0.99 and log_normal(data).max() < log_normal(data / 2).mean()
because = {"lower, nearly always": "They lie nearer to the centre, where the density is highest."}
because["about the same"] = "Each of the 64 coordinates adds its share to the difference."
reveal("12-strange-inputs", "above it, nearly always", because=because)

# %% [markdown]
# The origin has the highest density of all, and no data point comes near it: there is hardly any
# volume. Data live where density times volume is large, not where the density is. Nalisnick and
# others (2019) found the same in flows trained on photographs, which give house numbers a higher
# likelihood than the photographs of their own test set. A detector has to ask whether a
# log-density is *typical*, too high included, and even that catches only some.

# %% [markdown] card="12-dense-is-not-typical"
# In 64 dimensions, inputs nearer to the centre than any data have a higher density than the data.
# How can that be?
#
# **Answer.** Data lie where density times volume is large, and near the centre there is hardly any
# volume. A detector must ask whether a log-density is typical: too high is strange as well.

# %% [markdown]
# ## Back to the opening question
#
# Two moons, 2000 points to learn from, 10 000 new ones: Normal, mixture, or flow?

# %% [markdown] fold="12-most-likely-model"
# ### The answer

# %% [markdown]
# The table for the moons:

# %%
excess["moons"] = table(moons)
assert excess["moons"]["mixture of ten"] + 0.05 < excess["moons"]["RealNVP"]
normal, ten, deep, alike = (
    "the Normal, with 5 numbers",
    "the mixture, with 59 numbers",
    "the flow, with 7116 numbers",
    "flow and mixture alike: either can fit any density",
)
because = {normal: "One Normal covers both moons and all that lies between."}
because |= {
    deep: "Numbers are not the point: bridges cost it more than the arcs cost ten Normals."
}
because[alike] = "With unlimited data, numbers and training, perhaps; here they differ clearly."
reveal("12-most-likely-model", ten, because=because)

# %% [markdown]
# The ten Normals need only lie down along the arcs. The flow has to bend one piece of noise into
# two, and a bridge between them remains. On ten seeds, three times the training brings it closer,
# not past the mixture:


# %% claim="On the moons, ten Normals beat RealNVP." steps=240
def ten_normals_win_on_moons(seed, steps):
    rows, _ = log_probs(moons, seed, steps)
    return (rows["mixture of ten"] - rows["RealNVP"]).mean()


# %% [markdown]
# ## Recap
#
# 1. Probability is moved, not made: $\log p_X(x) = \log p_Z(f(x)) + \log|\det J_f(x)|$, with $f$
#    from data to noise. With the log-determinant left out or its sign wrong it is no density; an
#    integral shows it.
# 2. Coupling layers and autoregressive flows have triangular Jacobians, whose log-determinant is a
#    sum; in continuous time it is the integral of a trace. Check it against `slogdet`, at values
#    other than 0.
# 3. Alternate the halves, bound the log-scales, and undo the layers in the opposite order.
# 4. An exact likelihood is not a high one. On moons and clusters ten Normals beat RealNVP, on the
#    banana it beats them. A flow cannot cut the plane, so it leaves bridges.
# 5. Integers have no density: dequantise. Then the NLL bounds that of a discrete model, and bits
#    per dimension mean something once the scale is stated.
# 6. A point of high density need not be typical.

# %% [markdown]
# ## An interview question
#
# *A colleague trains a flow on 8-bit pictures, scaled to $[0, 1]$, and reports −3.2 bits per
# dimension on the test set. A record?*
#
# <details>
# <summary>Answer</summary>
#
# No: by (11) the bits per dimension of dequantised data are at least the entropy of the pixels,
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
# - G. Papamakarios, T. Pavlakou and I. Murray, "Masked autoregressive flow for density
#   estimation", *NeurIPS* (2017); D. P. Kingma and others, "Improved variational inference with
#   inverse autoregressive flow", *NeurIPS* (2016): one layer, run in its two directions.
# - D. J. Rezende and S. Mohamed, "Variational inference with normalizing flows", *ICML* (2015):
#   flows as the $q$ of a variational bound.
# - D. P. Kingma and P. Dhariwal, "Glow: generative flow with invertible 1x1 convolutions",
#   *NeurIPS* (2018): couplings at the scale of photographs.
# - R. T. Q. Chen and others, "Neural ordinary differential equations", *NeurIPS* (2018): formula
#   (8); Y. Lipman and others, "Flow matching for generative modeling", *ICLR* (2023): training
#   without solving the equation.
# - E. Nalisnick and others, "Do deep generative models know what they don't know?", *ICLR* (2019):
#   why a likelihood does not detect strange inputs.

# %% [markdown]
# ## Your turn
#
# The assignment `12_flows` has six exercises in code and one in words:
#
# 1. the density of any increasing or falling transform of noise;
# 2. an affine coupling with a mask, both ways;
# 3. the log-density of a stack with alternating masks;
# 4. draws from an autoregressive flow, and their density;
# 5. the integral of a log-density over a box, in logarithms;
# 6. bits per dimension of dequantised images, through a logit;
# 7. in words: a picture that is too probable.
