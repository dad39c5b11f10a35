"""Train the lessons' RealNVP and VAE beside their peers in zuko, normflows and Pyro.

Same data, layers, width, batches, optimiser and steps, one after the other in one run, on one
thread. What is printed: seconds of a step, as a ratio to ours, and the test NLL or ELBO with the
standard error of the difference to ours over seeds.
"""

__all__ = ["main"]

import argparse
import statistics
import sys
import time

import numpy as np
import torch
from lessons import lesson
from torch import nn

from course_utils.digits import digits

LAYERS, WIDTH, FLOW_STEPS = 6, 32, 300
LATENTS, HIDDEN, VAE_STEPS, TEST_DRAWS = 8, 64, 600, 100


def main(arguments=None):
    """Print two tables; return 2 where the peers are not installed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5, help="how many runs of each; default 5")
    seeds = parser.parse_args(arguments).seeds
    torch.set_num_threads(1)
    try:
        flows, vaes = _flows(), _vaes()
    except ImportError as error:
        print(f"{error}: 'make bench-models' installs the peers", file=sys.stderr)
        return 2
    print(f"Python {sys.version.split()[0]}, torch {torch.__version__}, one thread, {seeds} seeds")
    _table(f"RealNVP, two moons, {LAYERS} couplings of width {WIDTH}", "test NLL", flows, seeds)
    _table(f"VAE, binary digits, {LATENTS} latents, width {HIDDEN}", "test -ELBO", vaes, seeds)
    return 0


def _table(title, score, ways, seeds):
    """Run each way with each seed in turn, and print a line for each."""
    names = list(ways)
    runs = np.array([[ways[name](seed) for name in names] for seed in range(seeds)])
    print(
        f"\n{title}\n{'':12} {'ms a step':>10} {'times ours':>11} {score:>11} {'minus ours':>18}"
    )
    for column, name in enumerate(names):
        seconds, values = runs[:, column].T
        ratio = statistics.median(seconds / runs[:, 0, 0])
        off = values - runs[:, 0, 1]
        error = off.std(ddof=1) / np.sqrt(seeds) if seeds > 1 else np.nan
        print(
            f"{name:12} {1000 * np.median(seconds):10.2f} {ratio:11.2f} {values.mean():11.4f}"
            f" {off.mean():9.4f} ± {error:.4f}"
        )


def _flows():
    """Return {name: seed -> (seconds of a step, test NLL in nats)}."""
    import normflows
    import zuko

    ours = lesson("12")

    def of_zuko():
        return _Zuko(zuko.flows.RealNVP(2, transforms=LAYERS, hidden_features=(WIDTH, WIDTH)))

    def of_normflows():
        layers = []
        for _ in range(LAYERS):
            net = normflows.nets.MLP([1, WIDTH, WIDTH, 2], init_zeros=True)
            layers += [normflows.flows.AffineCouplingBlock(net, scale_map="exp")]
            layers += [normflows.flows.Permute(2, mode="swap")]
        base = normflows.distributions.DiagGaussian(2, trainable=False)
        return normflows.NormalizingFlow(base, layers)

    def trained(make):
        def run(seed):
            rng = np.random.default_rng(seed)
            data, test = (ours["moons"](n, rng) for n in (2000, 5000))
            torch.manual_seed(seed)
            model, batch = make(), ours["batches"](data)
            start = time.perf_counter()
            ours["train"](model, batch, steps=FLOW_STEPS)
            seconds = (time.perf_counter() - start) / FLOW_STEPS
            nll = -model.log_prob(torch.tensor(test, dtype=torch.float32)).mean()
            return seconds, nll.item()

        return run

    makers = {
        "ours": lambda: ours["RealNVP"](2, layers=LAYERS, hidden=WIDTH),
        "zuko": of_zuko,
        "normflows": of_normflows,
    }
    return {name: trained(make) for name, make in makers.items()}


class _Zuko(nn.Module):
    """A flow of zuko's with the face of ours."""

    def __init__(self, flow):
        super().__init__()
        self.flow = flow

    def log_prob(self, x):
        return self.flow().log_prob(x)


def _vaes():
    """Return {name: seed -> (seconds of a step, test -ELBO in nats per digit)}."""
    import pyro
    import pyro.distributions as dist

    ours = lesson("11")
    images, _, test_images, _ = digits(rng=np.random.default_rng(0))
    train_x, test_x = (torch.tensor(x > 0.5).float().flatten(1) for x in (images, test_images))

    def loss_of_pyro(vae):
        def model(x):
            with pyro.plate("data", len(x)):
                noise = dist.Normal(x.new_zeros(len(x), LATENTS), 1.0).to_event(1)
                z = pyro.sample("z", noise)
                pixels = dist.Bernoulli(logits=vae.decoder(z), validate_args=False)
                pyro.sample("x", pixels.to_event(1), obs=x)

        def guide(x):
            with pyro.plate("data", len(x)):
                mu, log_var = vae.encoder(x).chunk(2, dim=-1)
                pyro.sample("z", dist.Normal(mu, (0.5 * log_var).exp()).to_event(1))

        bound = pyro.infer.TraceMeanField_ELBO()
        return lambda x: bound.differentiable_loss(model, guide, x) / len(x)

    def loss_of_ours(vae):
        return lambda x: -ours["elbo"](vae, x, torch.randn(len(x), LATENTS))[0].mean()

    def trained(make_loss):
        def run(seed):
            torch.manual_seed(seed)
            vae = ours["VAE"](64, LATENTS, hidden=HIDDEN, likelihood="bernoulli")
            loss = make_loss(vae)
            free = [*vae.encoder.parameters(), *vae.decoder.parameters()]
            start = time.perf_counter()
            ours["fit"](
                lambda: loss(train_x[torch.randint(len(train_x), (200,))]),
                torch.optim.Adam(free, lr=0.01),
                steps=VAE_STEPS,
                decay=True,
                progress=False,
            )
            seconds = (time.perf_counter() - start) / VAE_STEPS
            with torch.no_grad():
                bounds = [loss_of_ours(vae)(test_x).item() for _ in range(TEST_DRAWS)]
            return seconds, statistics.mean(bounds)

        return run

    return {"ours": trained(loss_of_ours), "Pyro": trained(loss_of_pyro)}


if __name__ == "__main__":
    sys.exit(main())
