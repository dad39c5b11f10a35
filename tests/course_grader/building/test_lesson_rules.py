"""A lesson that spoils a prediction, or hides its first picture below code, stops at its line."""

import copy

import pytest

from course_grader.authoring import as_notebook
from course_grader.authoring.masters import MasterError, read_master
from course_grader.authoring.scaffold import new_unit
from course_grader.building.build import build
from course_grader.building.lesson_rules import check_lesson
from course_grader.building.prediction_rules import questions
from course_grader.project import notebooks
from course_grader.project.course import PROJECT

WAIT, MEDIAN = "03-wait-wait", "03-wait-median"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with one unit, the skeleton, built."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "masters").mkdir()
    (folder / "masters" / "_skeleton").symlink_to(PROJECT / "masters" / "_skeleton")
    build(new_unit("03_wait", folder), project=folder, say=lambda words: None)
    return folder


@pytest.fixture
def lesson(project):
    """The master of its lesson, and the executed notebook, to be spoilt."""
    master = read_master(project / "masters" / "03_wait" / "lesson.py", "lesson")
    return master, notebooks.load(project / "notebooks" / "03_wait.ipynb")


def refused(master, notebook):
    with pytest.raises(MasterError) as told:
        check_lesson(master, notebook)
    return str(told.value)


def test_the_skeleton_keeps_every_rule(lesson):
    check_lesson(*lesson)


def test_a_fold_hides_what_follows_to_the_next_heading_of_its_level(lesson):
    _, notebook = lesson
    question = questions(notebook.cells)[MEDIAN]
    assert question.asked + 1 == question.fold < question.revealed < question.end
    assert notebook.cells[question.end].source.startswith("### The gap that you meet")


def between(notebook, name):
    """Return an open Markdown cell between a question and its fold."""
    question = questions(notebook.cells)[name]
    places = range(question.asked + 1, question.fold)
    return next(i for i in places if notebook.cells[i].source.startswith("## A picture first"))


@pytest.mark.parametrize("words", ["So it is the mean gap.", "`answer = 'The mean gap'`"])
def test_a_choice_that_stands_open_above_its_fold_is_found(lesson, words):
    master, notebook = lesson
    place = between(notebook, WAIT)
    notebook.cells[place].source += f"\n\n{words}"
    told = refused(master, notebook)
    assert f"lesson.py:{master.cells[place].line}:" in told
    assert f"the mean gap', the answer to '{WAIT}': fold it" in told.lower()


@pytest.mark.parametrize("where", ["source", "output", "markdown"])
@pytest.mark.parametrize("number", ["6.93", "6.9", "6.930", "6.93e0"])
def test_a_number_is_found_in_any_open_cell_however_it_is_rounded(lesson, where, number):
    master, notebook = lesson
    question = questions(notebook.cells)[MEDIAN]
    new = nbformat_cell(where, number)
    notebook.cells.insert(question.fold, new)
    master.cells.insert(question.fold, master.cells[question.fold])
    assert f"the answer to '{MEDIAN}'" in refused(master, notebook)


def nbformat_cell(where, number):
    if where == "markdown":
        return as_notebook.new_markdown_cell(f"It is {number} minutes.")
    cell = as_notebook.new_code_cell(f"x = {number}" if where == "source" else "x")
    if where == "output":
        cell.outputs = [notebooks.nbformat.v4.new_output("stream", text=f"{number}\n")]
    return cell


@pytest.mark.parametrize("number", ["7.01", "69.3", "5", "0.0693", "-6.93"])
def test_other_numbers_are_no_answer(lesson, number):
    master, notebook = lesson
    question = questions(notebook.cells)[MEDIAN]
    notebook.cells.insert(question.fold, as_notebook.new_markdown_cell(f"Not {number}."))
    master.cells.insert(question.fold, master.cells[question.fold])
    check_lesson(master, notebook)


def test_what_is_folded_may_tell_everything(lesson):
    master, notebook = lesson
    question = questions(notebook.cells)[MEDIAN]
    notebook.cells[question.fold + 1].source += "\nIt is 6.93, and in the end the mean gap."
    check_lesson(master, notebook)


def without_fold(cells):
    del cells[questions(cells)[MEDIAN].fold].metadata["fold"]


def reveal_outside(cells):
    question = questions(cells)[MEDIAN]
    cells[question.end], cells[question.revealed] = (
        copy.deepcopy(cells[question.revealed]),
        copy.deepcopy(cells[question.end]),
    )


def without_question(cells):
    cells[questions(cells)[MEDIAN].asked].source = "pass"


def opening_later(cells):
    cells.insert(9, cells.pop(questions(cells)[WAIT].asked))


def pictures_gone(cells):
    for cell in [cell for cell in cells if cell.get("outputs")][:3]:
        cell.outputs = []


def much_code(cells):
    cells[3].source += "\nx = 1" * 60


def formula_above(cells):
    cells[1].source += "\n\n$$\n1 + 1\n$$"


def no_words(cells):
    del next(cell for cell in cells if "alt" in cell.metadata).metadata["alt"]


def heading_inside(cells):
    cells[0].source += "\n\n## In the middle\n\nmore"


def much_hidden(cells):
    next(c for c in cells if "hide-input" in c.metadata.get("tags", [])).source += "\nx = 1" * 30


BROKEN = {
    without_fold: "is not folded",
    reveal_outside: "outside of the fold",
    without_question: "needs its predict() above",
    opening_later: "among the first 6 cells",
    pictures_gone: "pictures: a lesson has at least 5",
    much_code: "lines of code above the first picture",
    formula_above: "a displayed formula stands above",
    no_words: "a picture without words",
    heading_inside: "a heading in the middle of a cell",
    much_hidden: "hidden lines: at most 30",
}


@pytest.mark.parametrize("change", BROKEN, ids=lambda change: change.__name__)
def test_each_rule_stops_the_build_and_says_what_to_do(lesson, change):
    master, notebook = lesson
    change(notebook.cells)
    assert BROKEN[change] in refused(master, notebook)


def test_a_spoiler_in_a_master_stops_the_build_and_nothing_is_written(project, tmp_path):
    own = new_unit_in(tmp_path)
    path = own.folder / "lesson.py"
    text = path.read_text("utf-8").replace("# ## A picture first", "# ## As long as the mean gap")
    path.write_text(text, "utf-8")
    line = text[: text.index("# ## As long")].count("\n")
    with pytest.raises(MasterError, match=rf"lesson\.py:{line}: shows 'the mean gap'"):
        build(own, project=tmp_path, say=lambda words: None)
    assert not (tmp_path / "notebooks").exists()


def new_unit_in(folder):
    (folder / "masters").mkdir()
    (folder / "masters" / "_skeleton").symlink_to(PROJECT / "masters" / "_skeleton")
    return new_unit("03_wait", folder)
