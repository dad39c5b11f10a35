"""Forecast the lesson's bikes beside peers in statsforecast and GluonTS.

Same record, same 28 days, same score, one after the other in one run, on one thread. What is
printed: seconds to learn and to forecast, the CRPS of an hour, and its difference to ours with
the standard error over records.
"""

__all__ = ["main"]

import argparse
import logging
import statistics
import sys
import tempfile
import time
import warnings

import numpy as np
import torch
from lessons import lesson

STEPS = 150  # as in the lesson
LEVELS = np.arange(1, 100, 2) / 100  # 50 quantiles in place of draws
WIDTHS = list(range(2, 100, 4))  # of the central intervals between them, in percent
START = "2024-01-01"  # a Monday, as in the lesson


def main(arguments=None):
    """Print a table; return 2 where the peers are not installed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5, help="how many records; default 5")
    seeds = parser.parse_args(arguments).seeds
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable(logging.INFO)
    try:
        import gluonts
        import statsforecast
    except ImportError as error:
        print(f"{error}: 'make bench-models' installs the peers", file=sys.stderr)
        return 2
    versions = f"GluonTS {gluonts.__version__}, statsforecast {statsforecast.__version__}"
    print(
        f"Bikes of 28 days: Python {sys.version.split()[0]}, torch {torch.__version__}, {versions}"
    )
    ways = {
        "ours": _ours,
        "DeepAR": _deepar,
        "MSTL + ETS": _mstl,
        "seasonal naive": _seasonal_naive,
        "oracle": _oracle,
    }
    runs = np.array([[way(seed) for way in ways.values()] for seed in range(seeds)])
    print(f"{'':15} {'seconds':>8} {'times ours':>11} {'CRPS':>7} {'minus ours':>17}")
    for name, (seconds, scores) in zip(ways, runs.transpose(1, 2, 0), strict=True):
        ratio = statistics.median(seconds / runs[:, 0, 0])
        off = scores - runs[:, 0, 1]
        error = off.std(ddof=1) / np.sqrt(seeds) if seeds > 1 else np.nan
        print(
            f"{name:15} {np.median(seconds):8.2f} {ratio:11.2f} {scores.mean():7.3f}"
            f" {off.mean():8.3f} ± {error:.3f}"
        )
    return 0


def _timed(forecast):
    """Make of seed -> score a function seed -> (seconds, score)."""

    def run(seed):
        start = time.perf_counter()
        score = forecast(seed)
        return time.perf_counter() - start, score

    return run


def _bikes(seed):
    """Return the lesson, a record of counts, the origins and what came: (days, hours)."""
    space = lesson("13", ("start", "WEEK", "origins"))
    y, _ = space["station"](seed)
    origins = space["origins"]
    return space, y, origins, y[origins[:, None] + np.arange(24)]


@_timed
def _ours(seed):
    space, y, origins, came = _bikes(seed)
    return space["crps"](space["paths_of"](space["learn"](seed, STEPS), y, origins, seed), came)


@_timed
def _oracle(seed):
    space, _, origins, came = _bikes(seed)
    mood = space["station"](seed)[1]
    draws = space["oracle_draws"](mood, origins, np.random.default_rng(seed))
    return space["crps"](draws, came)


@_timed
def _deepar(seed):
    """DeepAR, its sizes as they come, with the head for counts.

    Trained four times as long it learns its noise by heart: on the first record its CRPS is then
    4.3 in place of 3.6.
    """
    from gluonts.dataset.common import ListDataset
    from gluonts.torch import DeepAREstimator
    from gluonts.torch.distributions import NegativeBinomialOutput

    space, y, origins, came = _bikes(seed)
    torch.manual_seed(seed)
    past = ListDataset([{"target": y[: origins[0]], "start": START}], freq="h")
    options = {"max_epochs": 5, "accelerator": "cpu", "enable_model_summary": False}
    options |= {"logger": False, "enable_progress_bar": False}
    with tempfile.TemporaryDirectory() as folder:  # its checkpoints
        predictor = DeepAREstimator(
            freq="h",
            prediction_length=24,
            context_length=space["WEEK"],
            distr_output=NegativeBinomialOutput(),
            trainer_kwargs=options | {"default_root_dir": folder},
        ).train(past)
    known = [{"target": y[:origin], "start": START} for origin in origins]
    forecasts = predictor.predict(ListDataset(known, freq="h"), num_samples=200)
    draws = np.stack([forecast.samples for forecast in forecasts], axis=1)
    return space["crps"](draws, came)


@_timed
def _mstl(seed):
    from statsforecast.models import MSTL, AutoETS

    return _of_statsforecast(
        seed, MSTL(season_length=[24, 168], trend_forecaster=AutoETS(model="ZZN"))
    )


@_timed
def _seasonal_naive(seed):
    from statsforecast.models import SeasonalNaive

    return _of_statsforecast(seed, SeasonalNaive(season_length=168))


def _of_statsforecast(seed, model):
    """Return the CRPS of a model's quantiles, fitted anew at each origin; no count below 0."""
    _, y, origins, came = _bikes(seed)
    quantiles = np.empty((len(LEVELS), *came.shape))
    for day, origin in enumerate(origins):
        told = model.forecast(y=y[:origin].astype(float), h=24, level=WIDTHS)
        quantiles[:, day] = _ordered(told)
    return _crps_of_quantiles(np.maximum(quantiles, 0), came)


def _ordered(told):
    """Return quantiles from low to high, from the ends of central intervals."""
    low = [told[f"lo-{width}"] for width in reversed(WIDTHS)]
    return np.stack([*low, *(told[f"hi-{width}"] for width in WIDTHS)])


def _crps_of_quantiles(quantiles, came):
    """Return the mean of twice the pinball losses at LEVELS, the integral that the CRPS is."""
    error = came - quantiles
    level = LEVELS[:, None, None]
    return 2 * np.maximum(level * error, (level - 1) * error).mean()


if __name__ == "__main__":
    sys.exit(main())
