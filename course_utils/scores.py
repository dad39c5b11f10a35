r"""Score predictions of a number by four measures, and print the thread's comparison table."""

__all__ = ["Scores", "score", "score_table"]

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

REACH, NODES = 8.0, 513  # the integral over t spans this many predictive deviations either side


class Scores(NamedTuple):
    """Mean scores of a prediction; the two that are proper come first."""

    nll: float
    """Negative log-likelihood, nats per point; lower is better."""
    crps: float
    """Continuous ranked probability score, in units of y; lower is better."""
    coverage: float
    """Share of y inside the central interval; best at its level."""
    width: float
    """Mean width of the central interval, in units of y: the sharpness."""


@torch.no_grad()
def score(
    prediction: torch.distributions.Distribution,
    y: npt.ArrayLike | torch.Tensor,
    *,
    level: float = 0.9,
) -> Scores:
    r"""Score n predictive distributions on the n values that occurred.

    .. math:: \mathrm{NLL} = -\log p(y), \qquad
              \mathrm{CRPS} = \int \left(F(t) - 1[y \le t]\right)^2 dt

    and, for the interval between the quantiles (1 - level)/2 and (1 + level)/2, the share of y
    inside and the width. Each is a mean over the n points.

    Parameters
    ----------
    prediction : torch.distributions.Distribution, batch shape (n,)
        Of a number, with `log_prob`, `cdf`, and a finite `mean` and `stddev`.
    y : array or tensor, shape (n,)
    level : float in (0, 1)

    Returns
    -------
    scores : Scores
        The NLL is exact; the others come from F at 513 points of t for each y, which is exact
        to three digits unless F has steps that are narrow against its standard deviation.

    Raises
    ------
    ValueError
        `level` is not in (0, 1), or `prediction` and `y` differ in shape.

    Examples
    --------
    >>> truth = torch.distributions.Normal(torch.zeros(2), torch.ones(2))
    >>> [round(value, 3) for value in score(truth, [0.0, 2.0])]
    [1.919, 0.843, 0.5, 3.29]

    References
    ----------
    Gneiting and Raftery (2007), Strictly proper scoring rules, prediction, and estimation.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be a probability in (0, 1); got {level!r}")
    mean, sd = prediction.mean, prediction.stddev
    y = torch.as_tensor(y, dtype=mean.dtype, device=mean.device)
    if not y.shape == mean.shape == (y.numel(),):
        got = f"{tuple(mean.shape)} and {tuple(y.shape)}"
        raise ValueError(f"prediction and y must have the same shape (n,); got {got}")
    z = torch.linspace(-REACH, REACH, NODES, dtype=mean.dtype, device=mean.device)
    t = mean + sd * z[:, None]
    F, F_y = prediction.cdf(t), prediction.cdf(y)
    tail = (1 - level) / 2
    return Scores(
        nll=-prediction.log_prob(y).mean().item(),
        crps=_crps(t, F, y, F_y).mean().item(),
        coverage=((tail <= F_y) & (F_y <= 1 - tail)).double().mean().item(),
        width=(_crossing(t, F, 1 - tail) - _crossing(t, F, tail)).mean().item(),
    )


def score_table(rows: Mapping[str, Sequence[Scores]], *, oracle: Sequence[Scores]) -> str:
    """Return the comparison table as text: mean ± standard error over seeds, oracle last.

    Parameters
    ----------
    rows : dict of str to sequence of Scores
        A name for each method, and its scores with each seed.
    oracle : sequence of Scores
        Those of the true distribution, on the same data.

    Returns
    -------
    table : str

    Raises
    ------
    ValueError
        A row holds no scores.

    Examples
    --------
    >>> runs = [Scores(1.0, 0.5, 0.9, 3.0), Scores(1.2, 0.5, 0.8, 3.0)]
    >>> print(score_table({"network": runs}, oracle=runs[:1]))  # doctest: +NORMALIZE_WHITESPACE
                        NLL             CRPS         coverage            width
    network  1.100 ± 0.100    0.500 ± 0.000    0.850 ± 0.050    3.000 ± 0.000
    oracle   1.000            0.500            0.900            3.000
    """
    rows = {**rows, "oracle": oracle}
    margin = max(map(len, rows))
    head = "".join(f"{name:>17}" for name in ("NLL", "CRPS", "coverage", "width"))
    return "\n".join(
        [" " * margin + head]
        + [f"{name:{margin}}{_row(name, runs)}" for name, runs in rows.items()]
    )


def _crps(t: torch.Tensor, F: torch.Tensor, y: torch.Tensor, F_y: torch.Tensor) -> torch.Tensor:
    """Integrate F² up to y and (1 - F)² from there on; F is monotone, so min(F, F(y)) suffices."""
    below = torch.trapezoid(F.minimum(F_y) ** 2, t.minimum(y), dim=0)
    above = torch.trapezoid((1 - F.maximum(F_y)) ** 2, t.maximum(y), dim=0)
    return below + above + (y - t[-1]).clamp(min=0) + (t[0] - y).clamp(min=0)


def _crossing(t: torch.Tensor, F: torch.Tensor, p: float) -> torch.Tensor:
    """Where F reaches p, linear between two nodes."""
    right = (p > F).sum(0, keepdim=True).clamp(1, len(t) - 1)
    (t0, t1), (F0, F1) = ((v.gather(0, right - 1), v.gather(0, right)) for v in (t, F))
    return (t0 + (p - F0) / (F1 - F0) * (t1 - t0)).squeeze(0)


def _row(name: str, runs: Sequence[Scores]) -> str:
    if not len(runs):
        raise ValueError(f"the row {name!r} holds no scores")
    values = np.asarray(runs, dtype=float)
    if len(runs) == 1:
        return "".join(f"{mean:9.3f}{'':8}" for mean in values[0])
    errors = values.std(axis=0, ddof=1) / np.sqrt(len(runs))
    pairs = zip(values.mean(axis=0), errors, strict=True)
    return "".join(f"{mean:9.3f} ± {error:.3f}" for mean, error in pairs)
