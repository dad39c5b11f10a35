"""Sliders call the drawing function with plain numbers, and a broken one fails at once."""

import ipywidgets
import pytest

from course_utils.widgets import interactive


@pytest.fixture
def drawn():
    """A drawing function that notes what it was called with, and the notes."""
    calls = []

    def draw(height=1.0, count=3, title="plain"):
        calls.append((height, count, title))

    return draw, calls


def sliders(box):
    return {child.description: child for child in box.children[:-1]}


def test_draws_once_from_the_defaults(drawn):
    draw, calls = drawn
    interactive(draw, height=(0.0, 2.0, 0.5), count=(1, 5, 1))
    assert calls == [(1.0, 3, "plain")]


def test_a_moved_slider_draws_again_with_all_values(drawn):
    draw, calls = drawn
    box = interactive(draw, height=(0.0, 2.0, 0.5), count=(1, 5, 1))
    sliders(box)["height"].value = 1.5
    sliders(box)["count"].value = 5
    assert calls[1:] == [(1.5, 3, "plain"), (1.5, 5, "plain")]


def test_sliders_keep_range_kind_and_wait_for_release(drawn):
    draw, _ = drawn
    made = sliders(interactive(draw, height=(0.0, 2.0, 0.5), count=(1, 5, 2)))
    assert isinstance(made["height"], ipywidgets.FloatSlider)
    assert isinstance(made["count"], ipywidgets.IntSlider)
    assert [(s.min, s.max, s.step) for s in made.values()] == [(0.0, 2.0, 0.5), (1, 5, 2)]
    assert not any(s.continuous_update for s in made.values())


def test_a_number_without_fraction_does_not_make_an_integer_slider():
    made = sliders(interactive(lambda height=1: None, height=(0, 2, 0.5)))
    assert isinstance(made["height"], ipywidgets.FloatSlider)


def test_without_a_front_end_the_text_says_what_is_missing(drawn):
    draw, _ = drawn
    box = interactive(draw, height=(0.0, 2.0, 0.5), count=(1, 5, 1))
    text = "Sliders for height, count: run this notebook in Jupyter to move them"
    assert repr(box) == text
    assert box._repr_mimebundle_()["text/plain"] == text


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({"width": (0.0, 1.0, 0.1)}, "no parameter 'width'; it has height, count, bare"),
        ({"bare": (0.0, 1.0, 0.1)}, "'bare' of draw needs a default"),
        ({"height": (2.0, 3.0, 0.1)}, "height starts at 1.0, outside its range 2.0 to 3.0"),
        ({"height": (0.0, 2.0)}, r"height must be \(low, high, step\); got \(0.0, 2.0\)"),
        ({"height": 2.0}, r"height must be \(low, high, step\); got 2.0"),
        ({"height": (2.0, 0.0, 0.1)}, "height needs low < high"),
        ({"height": (0.0, 2.0, 0.0)}, "height needs low < high"),
    ],
)
def test_a_slider_that_cannot_be_made_is_refused(ranges, message):
    def draw(height=1.0, count=3, *, bare):
        pytest.fail("draw was called")

    with pytest.raises(ValueError, match=message):
        interactive(draw, **ranges)


def test_a_broken_drawing_function_fails_the_cell():
    def draw(height=1.0):
        raise KeyError("broken on purpose")

    with pytest.raises(KeyError, match="broken on purpose"):
        interactive(draw, height=(0.0, 2.0, 0.5))


def test_it_fails_the_cell_where_the_output_widget_swallows_the_error(monkeypatch):
    monkeypatch.setattr(ipywidgets.Output, "__exit__", lambda self, *error: True)

    def draw(height=1.0):
        raise KeyError("broken on purpose")

    with pytest.raises(KeyError, match="broken on purpose"):
        interactive(draw, height=(0.0, 2.0, 0.5))
