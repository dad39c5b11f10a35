"""The progress page says what the working copy's own files say, whatever state they are in."""

import json

import pytest

from course_utils.checking.records import MIME, plain
from course_utils.progress import progress
from course_utils.progress_file import keep_result

LESSON = """
predict("01-first", ..., ask="?")
predict(
    "01-second", 3, ask="?")
predict("01-first", 2, ask="again?")
reveal("01-third", 1)
"""


def check(got, *, aspect="value", points=2):
    return {"aspect": aspect, "kind": "value", "call": "f(1)", "points": points, "got": got}


def cell(source, *outputs, kind="code"):
    return {"cell_type": kind, "source": source, "outputs": list(outputs)}


def shown(exercise, *got):
    record = {"exercise": exercise, "checks": [check(plain(value)) for value in got]}
    return {"output_type": "display_data", "data": {MIME: record}}


def failed(exercise, error):
    checks = [check({"error": error, "message": ""})]
    return {"data": {MIME: {"exercise": exercise, "checks": checks}}}


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Return a function that writes one unit: its check cells' outputs and its predictions."""
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)

    def write(*outputs, name="01_first", predictions=None, exercises=("one", "two")):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        known = [check(plain(1.0)), check(plain(2.0), aspect="edge", points=1)]
        expected = {one: {"checks": known, "hints": []} for one in exercises}
        (folder / "checks.json").write_text(json.dumps(expected))
        lesson = [cell("# A title", kind="markdown"), cell(LESSON.splitlines(keepends=True))]
        (folder / "lesson.ipynb").write_text(json.dumps({"cells": lesson}))
        cells = [cell("", output) for output in outputs]
        (folder / f"{name}.ipynb").write_text(json.dumps({"cells": cells}))
        (folder / "progress.json").write_text(json.dumps({"predictions": predictions or {}}))
        return folder

    return write


def states(tmp_path):
    found = progress(tmp_path).units[0].exercises
    return [(one.name, one.status, one.points, one.possible) for one in found]


def test_each_exercise_has_the_state_that_its_panel_showed_last(work, tmp_path):
    work(shown("one", 1.0, 2.0), shown("two", 1.0, 7.0))
    assert states(tmp_path) == [("one", "passed", 3, 3), ("two", "not yet", 2, 3)]
    work(shown("one", 1.0, 2.0), shown("one", 0.0, 2.0))
    assert states(tmp_path) == [("one", "not yet", 1, 3), ("two", "not attempted", 0, 3)]
    work(failed("one", "NotImplementedError"))
    assert states(tmp_path)[0] == ("one", "not attempted", 0, 3)


def test_what_was_kept_outlives_the_outputs_the_name_and_a_failed_rerun(work, tmp_path):
    folder = work(failed("one", "NameError"))
    keep_result("one", "passed", 3, cases="visible", folder=folder)
    keep_result("one", "not yet", 1, cases="visible", folder=folder)
    keep_result("two", "not attempted", 0, cases="visible", folder=folder)
    expected = [("one", "passed", 3, 3), ("two", "not attempted", 0, 3)]
    assert states(tmp_path) == expected
    (folder / "01_first.ipynb").rename(folder / "of monday.ipynb")
    assert states(tmp_path) == expected
    (folder / "of monday.ipynb").write_text(json.dumps({"cells": []}))
    assert states(tmp_path) == expected


def test_a_result_with_all_cases_beats_one_with_the_visible_ones(work, tmp_path):
    folder = work(shown("one", 1.0, 2.0), shown("two", 1.0, 2.0))
    keep_result("one", "not yet", 2, cases="all", folder=folder)
    assert states(tmp_path)[0] == ("one", "not yet", 2, 3)
    told = str(progress(tmp_path))
    assert "one: not yet, 2 of 3 points" in told
    assert "two: passed in the visible cases, 3 of 3 points" in told
    keep_result("one", "passed", 3, cases="all", folder=folder)
    assert "one: passed in all cases, 3 of 3 points" in str(progress(tmp_path))


def test_a_renamed_lesson_is_found_by_its_questions(work, tmp_path):
    folder = work(predictions={"01-second": {"number": "3"}})
    (folder / "lesson.ipynb").rename(folder / "read on monday.ipynb")
    unit = progress(tmp_path).units[0]
    assert (unit.title, unit.predictions, unit.predicted) == ("A title", 2, 1)
    assert unit.lesson == "01_first/read on monday.ipynb"


def test_exercises_come_in_the_order_of_the_assignment(work, tmp_path):
    folder = work(exercises=("a", "b", "gone"))
    code = [cell('check = Checks("b")'), cell('check = Checks("a")')]
    (folder / "01_first.ipynb").write_text(json.dumps({"cells": code}))
    assert [name for name, *_ in states(tmp_path)] == ["b", "a", "gone"]


def test_it_says_that_other_cases_are_left(work, tmp_path):
    work(shown("one", 1.0, 2.0))
    found = progress(tmp_path)
    assert "visible cases" in str(found) and "visible cases" in found._repr_html_()


def test_predictions_are_counted_once_each_with_those_that_were_right(work, tmp_path):
    kept = {"01-second": {"number": "3", "right": True}, "01-gone": {"number": "1"}}
    work(predictions=kept)
    unit = progress(tmp_path).units[0]
    assert (unit.predictions, unit.predicted, unit.right) == (2, 1, 1)
    assert unit.title == "A title"
    assert "predictions: 1 of 2 made, 1 right" in str(progress(tmp_path))


def test_a_prediction_that_is_not_revealed_yet_is_not_wrong(work, tmp_path):
    work(predictions={"01-second": {"number": "3"}, "01-first": {"number": "2", "right": False}})
    assert "2 of 2 made, 0 right, 1 not yet revealed" in str(progress(tmp_path))


def test_it_says_what_to_do_next(work, tmp_path):
    assert "make lab" in progress(tmp_path).advice
    work(name="01_first")
    work(name="02_second")
    assert progress(tmp_path).advice == "Next: read 01_first/lesson.ipynb"
    work(name="02_second", predictions={"01-second": {"number": "3"}})
    assert progress(tmp_path).advice.startswith("Next: read on in 02_second/lesson.ipynb")
    work(shown("one", 1.0, 2.0), name="02_second")
    assert progress(tmp_path).advice == "Next: exercise two in 02_second/02_second.ipynb"
    both = shown("one", 1.0, 2.0), shown("two", 1.0, 2.0)
    work(*both, name="02_second")
    assert progress(tmp_path).advice == "Next: read 01_first/lesson.ipynb"
    work(*both, name="01_first")
    assert progress(tmp_path).advice.startswith("Next: check all cases of one in 01_first/")
    for name in ("01_first", "02_second"):
        for exercise in ("one", "two"):
            keep_result(exercise, "passed", 3, cases="all", folder=tmp_path / name)
    assert "make interview" in progress(tmp_path).advice


def test_where_the_course_has_no_commands_none_is_named(work, tmp_path, monkeypatch):
    monkeypatch.setattr("course_utils.progress.MAKEFILE", tmp_path / "Makefile")
    found = [progress(tmp_path)]
    work(shown("one", 1.0, 2.0), shown("two", 1.0, 2.0), predictions={})
    found.append(progress(tmp_path))
    assert found[1].advice == "Every exercise has passed in the visible cases: hand your work in"
    for one in found:
        told = str(one) + one._repr_html_()
        assert "make " not in told and "Check all cases" not in told
        assert "more run when your work is graded" in told


def test_a_class_s_bundle_is_read_too(work, tmp_path):
    folder = work(shown("one", 1.0, 2.0), predictions={"01-second": {"number": "3"}})
    (tmp_path / "lessons").mkdir()
    (folder / "lesson.ipynb").rename(tmp_path / "lessons" / "01_first.ipynb")
    (folder / "progress.json").rename(tmp_path / "lessons" / "progress.json")
    (tmp_path / "assignments").mkdir()
    folder.rename(tmp_path / "assignments" / "01_first")
    unit = progress(tmp_path).units[0]
    assert (unit.title, unit.predictions, unit.predicted) == ("A title", 2, 1)
    assert states(tmp_path)[0] == ("one", "passed", 3, 3)
    assert (unit.lesson, unit.assignment) == (
        "lessons/01_first.ipynb",
        "assignments/01_first/01_first.ipynb",
    )


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": [{"cell_type": "code"', None])
def test_a_half_saved_or_missing_notebook_counts_as_nothing_done(content, work, tmp_path):
    notebook = work(shown("one", 1.0, 2.0)) / "01_first.ipynb"
    notebook.unlink() if content is None else notebook.write_text(content)
    assert [status for _, status, _, _ in states(tmp_path)] == ["not attempted"] * 2


def test_the_page_escapes_what_it_shows_and_says_what_the_text_says(work, tmp_path):
    work(shown("one", 1.0, 2.0))
    lesson = tmp_path / "01_first" / "lesson.ipynb"
    lesson.write_text(json.dumps({"cells": [cell("# <img src=x>", kind="markdown")]}))
    found = progress(tmp_path)
    assert "<img" not in found._repr_html_() and "&lt;img" in found._repr_html_()
    for words in ("one: passed in the visible", "two: not attempted", "no predictions"):
        assert words in str(found) and words in found._repr_html_()
