"""Drawing functions draw what they are handed, on the axes they are handed, and nothing else."""

import io
from itertools import combinations

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib import colors
from matplotlib import pyplot as plt

from course_utils.plotting import (
    plot_band,
    plot_curve,
    plot_data,
    plot_oracle,
    use_course_style,
)

matplotlib.use("Agg")

X = np.linspace(-2, 2, 7)
LINES = [plot_data, plot_curve, plot_oracle]


def unit_band(x, y, *, ax=None, **style):
    return plot_band(x, y - 1, y + 1, contains="y", level=0.9, ax=ax, **style)


@pytest.fixture(autouse=True)
def clean_figures(monkeypatch):
    """No test shows a figure, keeps one open, or changes the style of the next."""
    monkeypatch.setattr(plt, "show", lambda *args, **kwargs: pytest.fail("plt.show was called"))
    with plt.rc_context():
        yield
    plt.close("all")


@pytest.mark.parametrize("draw", [*LINES, unit_band])
def test_draws_on_the_axes_given_and_returns_them(draw):
    _, (left, right) = plt.subplots(1, 2)
    assert draw(X, X**2, ax=left) is left
    assert left.has_data() and not right.has_data()


@pytest.mark.parametrize("draw", [*LINES, unit_band])
def test_without_axes_the_current_ones_are_used(draw):
    _, ax = plt.subplots()
    assert draw(X, X**2) is ax
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("draw", LINES)
@pytest.mark.parametrize("make", [np.asarray, list, lambda a: torch.tensor(a, requires_grad=True)])
def test_a_line_holds_exactly_the_data(draw, make):
    before = X.copy()
    (line,) = draw(make(X), make(X**2)).lines
    assert np.array_equal(line.get_xydata(), np.column_stack([X, X**2]))
    assert np.array_equal(X, before)


@pytest.mark.parametrize("draw", LINES)
def test_the_caller_has_the_last_word_on_style_and_label(draw):
    (line,) = draw(X, X, color="C3", zorder=9, label="mine").lines
    assert (line.get_color(), line.get_zorder(), line.get_label()) == ("C3", 9, "mine")


def test_the_oracle_is_dashed_and_a_fit_is_not():
    oracle, curve = plot_curve(X, X, ax=plot_oracle(X, -X)).lines
    assert oracle.get_linestyle() == "--" and curve.get_linestyle() == "-"


def test_data_are_dots_without_a_line():
    (line,) = plot_data(X, X).lines
    assert line.get_linestyle() == "None" and line.get_marker() == "o"


def test_a_band_reaches_from_lower_to_upper_and_says_what_it_holds():
    ax = plot_band(X, X - 1, torch.tensor(X + 2), contains="f", level=0.95)
    corners = {tuple(point) for point in ax.collections[0].get_paths()[0].vertices}
    assert set(zip(X, X - 1, strict=True)) | set(zip(X, X + 2, strict=True)) <= corners
    assert ax.get_legend_handles_labels()[1] == ["0.95 band for f"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"contains": "data"}, "'y' or 'f'; got 'data'"),
        ({"level": 90}, r"\(0, 1\); got 90"),
        ({"upper": X - 2}, "lower exceeds upper at 7 of 7"),
    ],
)
def test_a_band_that_would_mislead_is_refused(change, message):
    band = {"lower": X - 1, "upper": X + 1, "contains": "y", "level": 0.9} | change
    with pytest.raises(ValueError, match=message):
        plot_band(X, **band)


# Machado, Oliveira and Fernandes (2009), full severity, on linear RGB.
PROTANOPIA = [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
]
DEUTERANOPIA = [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.011820, 0.042940, 0.968881],
]


def nearest(palette, seen_by):
    """Smallest distance of two colours of the palette, as this viewer sees them."""
    rgb = np.array([colors.to_rgb(c) for c in palette])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(seen_by), 0, 1) ** (1 / 2.2)
    return min(np.linalg.norm(a - b) for a, b in combinations(seen, 2))


@pytest.mark.parametrize("viewer", [np.eye(3), PROTANOPIA, DEUTERANOPIA])
def test_the_first_colours_stay_apart_for_every_viewer(viewer):
    use_course_style()
    palette = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    assert nearest(palette[:3], viewer) > 0.25
    assert nearest(palette, viewer) > 0.15


def test_the_colour_test_rejects_a_palette_that_fails_some_viewers():
    assert nearest(["#d62728", "#2ca02c"], DEUTERANOPIA) < 0.15


def test_a_full_figure_stays_small_enough_to_commit():
    use_course_style()
    rng = np.random.default_rng(0)
    x = np.linspace(0, 1, 400)
    ax = unit_band(x, np.sin(9 * x))
    plot_data(rng.random(500), rng.standard_normal(500), ax=ax)
    plot_oracle(x, np.sin(9 * x), ax=ax).legend()
    picture = io.BytesIO()
    ax.figure.savefig(picture, format="png")
    assert picture.tell() < 60_000
