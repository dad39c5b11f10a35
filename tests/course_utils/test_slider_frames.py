"""Pictures are kept, and drawn ahead while nobody moves a slider."""

import asyncio
import threading

import pytest
from matplotlib import pyplot as plt
from matplotlib_inline import backend_inline

from course_utils import slider_frames
from course_utils.drawing import Drawing
from course_utils.slider_frames import Frames

SPANS = {"x": (0.0, 1.0, 0.25)}


@pytest.fixture
def frames(monkeypatch):
    """Frames that note what was drawn, and wait for nobody."""
    monkeypatch.setattr(slider_frames, "QUIET", 0.0)
    drawn = []

    def picture(values):
        drawn.append(values["x"])
        if values["x"] == 0.75:
            raise ValueError("none here")
        return b"picture at %a" % values["x"]

    return Frames(picture), drawn


def test_axes_stay_where_they_were_in_the_first_picture():
    places = []

    def draw(size=10):
        _, ax = plt.subplots(figsize=(2, 2))
        ax.set_ylabel("high", fontsize=size)
        places.append(ax)

    drawing = Drawing(draw)
    with plt.rc_context({"figure.constrained_layout.use": True}):
        for size in (10, 20):
            drawing({"size": size})
    first, second = (ax.get_position().bounds for ax in places)
    assert first == pytest.approx(second)


@pytest.fixture
def as_in_a_notebook():
    """Draw with the notebooks' backend, which keeps figures until a cell ends."""
    before = plt.get_backend()
    plt.switch_backend("module://matplotlib_inline.backend_inline")
    with plt.ion():
        yield backend_inline.show
    plt.switch_backend(before)


def test_no_figure_is_kept_once_its_picture_is_drawn(as_in_a_notebook):
    waiting = len(as_in_a_notebook._to_draw)
    Drawing(lambda size=1: plt.figure(figsize=(size, 1)))({"size": 2})
    assert len(as_in_a_notebook._to_draw) == waiting


def test_a_picture_is_drawn_once_and_found_again_beside_rounding(frames):
    kept, drawn = frames
    assert kept.at({"x": 0.3}) == kept.at({"x": 0.1 + 0.2}) == b"picture at 0.3"
    assert kept.has({"x": 0.3}) and not kept.has({"x": 0.4})
    assert drawn == [0.3]


def test_a_movement_in_another_thread_waits_for_the_cell_that_runs(frames):
    kept, drawn = frames
    slider_frames._begin_cell(None)
    moved = threading.Thread(target=kept.at, args=({"x": 0.5},))
    moved.start()
    moved.join(0.1)
    assert drawn == []
    slider_frames._end_cell(None)
    moved.join(5)
    assert drawn == [0.5]
    slider_frames._end_cell(None)  # that of the cell that was running when sliders came to be


def test_the_oldest_goes_when_there_are_too_many(frames, monkeypatch):
    monkeypatch.setattr(slider_frames, "KEPT", 2)
    kept, _ = frames
    for x in (0.1, 0.2, 0.3):
        kept.at({"x": x})
    assert [kept.has({"x": x}) for x in (0.1, 0.2, 0.3)] == [False, True, True]


async def rest():
    """Let what waits have many turns, however long one of them takes."""
    for _ in range(40):
        await asyncio.sleep(0.005)


def ahead(kept, *moves):
    async def play():
        for x in moves:
            kept.at({"x": x})
            kept.draw_ahead({"x": x}, SPANS)
        await rest()

    asyncio.run(play())


def test_neighbours_are_drawn_ahead_the_nearest_first(frames):
    kept, drawn = frames
    ahead(kept, 0.0)
    assert drawn == [0.0, 0.25, 0.5, 0.75, 1.0]  # an error at 0.75 is told when one comes there


def test_a_movement_turns_the_order(frames):
    kept, drawn = frames
    ahead(kept, 0.5, 1.0)
    assert drawn == [0.5, 1.0, 0.75, 0.25, 0.0]


def test_whole_numbers_stay_whole(monkeypatch):
    monkeypatch.setattr(slider_frames, "QUIET", 0.0)
    drawn = []

    def picture(values):
        drawn.append(values["x"])
        return b""

    kept = Frames(picture)

    async def play():
        kept.draw_ahead({"x": 3}, {"x": (1, 5, 2)})
        await rest()

    asyncio.run(play())
    assert sorted(drawn) == [1, 3, 5] and all(type(x) is int for x in drawn)


def test_a_script_without_a_loop_draws_nothing_ahead(frames):
    kept, drawn = frames
    kept.draw_ahead({"x": 0.0}, SPANS)
    assert drawn == []


def test_while_cells_run_nothing_is_drawn_ahead(frames, monkeypatch):
    kept, drawn = frames
    monkeypatch.setattr(slider_frames, "QUIET", 0.05)
    ran = [0]
    monkeypatch.setattr(slider_frames, "_ran", lambda: ran[0])
    found = []

    async def play():
        kept.draw_ahead({"x": 0.0}, SPANS)
        for _ in range(20):  # a cell in each hundredth of a second, as in Run All
            ran[0] += 1
            await asyncio.sleep(0.01)
            found.append(len(drawn))
        await asyncio.sleep(0.4)

    asyncio.run(play())
    assert set(found) == {0} and len(drawn) == 5


def test_while_a_slider_of_another_panel_moves_nothing_is_drawn_ahead(frames, monkeypatch):
    kept, drawn = frames
    monkeypatch.setattr(slider_frames, "QUIET", 0.05)
    other, found = Frames(lambda values: b""), []

    async def play():
        kept.draw_ahead({"x": 0.0}, SPANS)
        for x in range(20):  # a drag
            other.at({"x": x})
            await asyncio.sleep(0.01)
            found.append(len(drawn))
        await asyncio.sleep(0.4)

    asyncio.run(play())
    assert set(found) == {0} and len(drawn) == 5


def test_drawing_ahead_ends_when_its_time_is_spent(frames, monkeypatch):
    kept, drawn = frames
    monkeypatch.setattr(slider_frames, "SPARE", 0.0)
    ahead(kept, 0.0)
    assert drawn == [0.0]


def test_lines_of_all_sliders_are_drawn_the_nearest_steps_first(monkeypatch):
    monkeypatch.setattr(slider_frames, "QUIET", 0.0)
    drawn = []
    kept = Frames(lambda values: drawn.append(tuple(values.values())) or b"")

    async def play():
        kept.draw_ahead({"x": 0.0, "y": 2}, {"x": (0.0, 1.0, 0.5), "y": (1, 3, 1)})
        await rest()

    asyncio.run(play())
    assert drawn[0] == (0.0, 2) and set(drawn[1:4]) == {(0.5, 2), (0.0, 1), (0.0, 3)}
    assert drawn[4:] == [(1.0, 2)]
