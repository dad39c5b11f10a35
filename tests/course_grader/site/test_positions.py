"""A figure's sliders keep their start and ends, however few positions are left."""

import math

import pytest

from course_grader.site.positions import sliders_of, thinned


def draw(x=0.3, n=7, z=0.0):
    pass


def test_sliders_have_the_values_of_jupyters():
    x, n = sliders_of(draw, {"x": (0.1, 0.5, 0.1, "mass (kg)"), "n": (5, 10, 1)})
    assert (x.label, x.values, x.start) == ("mass (kg)", (0.1, 0.2, 0.3, 0.4, 0.5), 2)
    assert (n.label, n.values, n.start) == ("n", (5, 6, 7, 8, 9, 10), 2)
    assert all(isinstance(value, int) for value in n.values)


def test_a_start_between_two_steps_takes_the_place_of_the_nearest():
    (x,) = sliders_of(draw, {"x": (0.0, 1.0, 0.25)})
    assert x.values == (0.0, 0.3, 0.5, 0.75, 1.0) and x.start == 1


def test_a_range_that_its_step_does_not_divide_ends_before():
    (x,) = sliders_of(draw, {"x": (0.0, 1.0, 0.3)})
    assert x.values == (0.0, 0.3, 0.6, 0.9)


@pytest.mark.parametrize("most", [9, 20, 160, 10_000])
def test_fewer_positions_keep_ends_and_start_and_order(most):
    spans = {"x": (-1.0, 1.0, 0.1), "n": (1, 60, 1)}
    every = sliders_of(draw, spans)
    kept = thinned(every, most)
    assert math.prod(len(slider.values) for slider in kept) <= most
    for whole, slider in zip(every, kept, strict=True):
        assert slider.values[slider.start] == whole.values[whole.start]
        assert {whole.values[0], whole.values[-1]} <= set(slider.values) <= set(whole.values)
        assert list(slider.values) == sorted(set(slider.values))
