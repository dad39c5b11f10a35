"""Markers are cut out as nbgrader does it, and whatever resembles one is reported."""

import nbformat
import pytest
from nbgrader.preprocessors import ClearSolutions

from course_grader.authoring.markers import BEGIN, END, defined_names, problems, solved, stub

CELLS = {
    "function": f"def f(x):\n    {BEGIN}\n    y = x\n    return y\n    {END}",
    "two functions": f"def f():\n    {BEGIN}\n    pass\n    {END}\n\n\n"
    f"def g():\n    {BEGIN}\n    pass\n    {END}",
    "part of a body": f"def f(x):\n    y = x\n    {BEGIN}\n    y += 1\n    {END}\n    return y",
    "top level": f"{BEGIN}\nx = 1\n{END}",
    "method": f"class A:\n    def f(self):\n        {BEGIN}\n        pass\n        {END}",
    "no marker": "x = 1\n# a comment",
}


@pytest.mark.parametrize("source", CELLS.values(), ids=CELLS)
def test_the_stub_is_the_one_that_nbgrader_releases(source):
    cell = nbformat.v4.new_code_cell(source, metadata={"nbgrader": {"solution": True}})
    ClearSolutions()._replace_solution_region(cell, "python")
    assert stub(source) == cell.source


@pytest.mark.parametrize("source", CELLS.values(), ids=CELLS)
def test_a_solved_cell_has_every_line_but_the_markers(source):
    kept = [line for line in source.split("\n") if "SOLUTION" not in line]
    assert solved(source).split("\n") == kept


@pytest.mark.parametrize("source", CELLS.values(), ids=CELLS)
def test_what_is_in_order_has_no_problems(source):
    assert problems(source, in_solution=True) == []


@pytest.mark.parametrize("source", [CELLS[k] for k in CELLS if k != "no marker"])
def test_outside_an_exercise_every_marker_is_a_problem(source):
    lines = [i for i, line in enumerate(source.split("\n"), 1) if "SOLUTION" in line]
    assert [offset for offset, _ in problems(source, in_solution=False)] == lines


@pytest.mark.parametrize(
    ("lines", "offsets"),
    [
        ((BEGIN, "x"), [1]),
        (("x", END), [2]),
        ((BEGIN, "x", BEGIN, END), [3]),
        ((BEGIN, END, END), [3]),
        ((END, BEGIN), [1, 2]),
        ((BEGIN, END, BEGIN, END), []),
        ((f"   {BEGIN}  ", f"{END}\t"), []),
    ],
)
def test_each_unbalanced_marker_is_reported_at_its_line(lines, offsets):
    assert [offset for offset, _ in problems("\n".join(lines), in_solution=True)] == offsets


@pytest.mark.parametrize("marker", [BEGIN, END])
def test_any_marker_with_one_letter_wrong_is_reported(marker):
    for place in range(4, len(marker)):
        slips = (marker[:place] + marker[place + 1 :], marker[:place] + "x" + marker[place + 1 :])
        for slip in slips:
            assert problems(slip, in_solution=True), slip


@pytest.mark.parametrize("in_solution", [True, False])
def test_what_nbgrader_would_take_for_a_marker_is_one_or_is_reported(in_solution):
    for line in (f"x = 1  {BEGIN}", f"# {BEGIN}", f"{END} of the exercise", f"#{BEGIN}"):
        assert problems(line, in_solution=in_solution), line


def test_names_are_those_defined_at_the_top():
    source = (
        "import a\nx = 1\ndef f():\n    def g(): pass\nclass B:\n    pass\nasync def h(): pass"
    )
    assert defined_names(source) == ["f", "B", "h"]
    assert defined_names("def f(:") == []
