"""Sliders call the drawing function with plain numbers, and a broken one fails at once."""

import ipywidgets
import pytest
from matplotlib import pyplot as plt

from course_utils.drawing import Drawing
from course_utils.widgets import interactive


@pytest.fixture
def drawn():
    """A drawing function that notes what it was called with, and the notes."""
    calls = []

    def draw(height=1.0, count=3, title="plain"):
        calls.append((height, count, title))
        plt.subplots(figsize=(1, 1))[1].plot([0, height])

    return draw, calls


def sliders(box):
    return {child.description: child for child in box.children[:-2]}


def picture(box):
    return box.children[-2].value


def line(box):
    return box.children[-1].value


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


def test_the_picture_follows_and_a_value_seen_before_is_not_drawn_again(drawn):
    draw, calls = drawn
    box = interactive(draw, height=(0.0, 2.0, 0.5))
    first = picture(box)
    assert bytes(first).startswith(b"\x89PNG")
    sliders(box)["height"].value = 1.5
    assert picture(box) != first
    sliders(box)["height"].value = 1.0
    assert picture(box) == first
    assert len(calls) == 2
    assert plt.get_fignums() == []


def test_sliders_keep_range_and_kind_and_move_the_picture_during_a_drag(drawn):
    draw, _ = drawn
    made = sliders(interactive(draw, height=(0.0, 2.0, 0.5), count=(1, 5, 2)))
    assert isinstance(made["height"], ipywidgets.FloatSlider)
    assert isinstance(made["count"], ipywidgets.IntSlider)
    assert [(s.min, s.max, s.step) for s in made.values()] == [(0.0, 2.0, 0.5), (1, 5, 2)]
    assert all(s.continuous_update for s in made.values())


def test_tracks_have_one_length_and_a_label_may_name_the_unit(drawn):
    draw, _ = drawn
    box = interactive(draw, height=(0.0, 2.0, 0.5, "height of the wall (m)"), count=(1, 5, 1))
    looks = {(s.layout.width, s.style.description_width) for s in sliders(box).values()}
    assert list(sliders(box)) == ["height of the wall (m)", "count"]
    assert len(looks) == 1


def test_an_error_on_the_way_is_told_and_the_last_picture_stays():
    def draw(height=1.0):
        plt.subplots(figsize=(1, 1))
        if height == 2.0:
            raise KeyError("two <b>")

    box = interactive(draw, height=(0.0, 2.0, 0.5))
    first = picture(box)
    sliders(box)["height"].value = 2.0
    assert picture(box) == first
    assert "No picture here: KeyError: &#x27;two &lt;b&gt;" in line(box)
    assert plt.get_fignums() == []
    sliders(box)["height"].value = 0.5
    assert line(box) == ""


@pytest.mark.parametrize("figures", [0, 2])
def test_a_drawing_function_leaves_one_figure(figures):
    def draw(height=1.0):
        for _ in range(figures):
            plt.figure(figsize=(1, 1))

    with pytest.raises(ValueError, match=f"must leave one open figure; it left {figures}"):
        interactive(draw, height=(0.0, 2.0, 0.5))
    assert plt.get_fignums() == []


def test_a_figure_that_is_open_already_stays_open_and_out_of_the_picture(drawn):
    draw, _ = drawn
    mine = plt.figure(figsize=(1, 1)).number
    assert Drawing(draw)({"height": 1.0}).startswith(b"\x89PNG")
    assert plt.get_fignums() == [mine]
    plt.close(mine)


def test_a_number_without_fraction_does_not_make_an_integer_slider():
    made = sliders(interactive(lambda height=1: plt.figure(), height=(0, 2, 0.5)))
    assert isinstance(made["height"], ipywidgets.FloatSlider)


def test_without_a_front_end_the_text_says_what_is_missing(drawn):
    draw, _ = drawn
    box = interactive(draw, height=(0.0, 2.0, 0.5), count=(1, 5, 1))
    text = "Sliders for height, count: run this notebook in Jupyter to move them"
    assert repr(box) == text
    assert box._repr_mimebundle_()["text/plain"] == text


def test_a_sentence_stands_where_an_earlier_sessions_sliders_were(drawn, capsys):
    draw, _ = drawn
    interactive(draw, height=(0.0, 2.0, 0.5), count=(1, 5, 1))
    words = "Sliders for height, count: run the cells above, then this one, to move them."
    assert capsys.readouterr().out.strip() == words


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
