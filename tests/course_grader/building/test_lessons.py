"""Prose prints computed numbers only; a lesson keeps its shape and solves no exercise."""

import ast
import dataclasses
import functools
import re
import textwrap

import pytest

from course_grader.authoring.exercises import read_assignment
from course_grader.authoring.markers import defined_names
from course_grader.authoring.masters import read_master
from course_grader.judging.judge import judge
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, units
from course_grader.proving.answer_runner import ExerciseContext, run_answers
from course_grader.proving.reference import reference_for
from course_utils.checking.findings import findings

UNITS = units()
DECIMAL = re.compile(r"(?<![\w.])-?\d+\.\d{2,}(?![\d.])")
DEFINITIONS = (ast.FunctionDef, ast.ClassDef)
CITATION = re.compile(r"\((?:[12]\d{3})\)|arXiv|https?://")


def sentences_with_numbers(notebook):
    """Yield (number as printed, sentence) for numbers with two or more decimals in prose."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = cell.source.replace("−", "-").replace("$", "")
            for sentence in re.split(r"(?<=[.:?!])\s|\n\n", text):
                for number in DECIMAL.findall(sentence):
                    yield number, sentence


def computed_numbers(notebook):
    """Return every number in outputs and code of a notebook."""
    code = [c for c in notebook.cells if c.cell_type == "code"]
    texts = [c.source for c in code]
    texts += [
        str(o.get("text", "")) + str(dict(o.get("data", {})).get("text/plain", ""))
        for c in code
        for o in c.outputs
    ]
    return [float(word) for text in texts for word in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", text)]


@pytest.mark.parametrize("tree", ["notebooks", "solutions"])
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_every_number_in_prose_is_computed_in_the_notebook(unit, tree):
    notebook = notebooks.load(PROJECT / tree / f"{unit.name}.ipynb")
    known = computed_numbers(notebook)
    for number, sentence in sentences_with_numbers(notebook):
        places = len(number.split(".")[1])
        hit = any(round(abs(value), places) == abs(float(number)) for value in known)
        assert hit or CITATION.search(sentence), f"{number} is computed nowhere: {sentence}"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_no_function_of_the_lesson_solves_an_exercise(unit):
    assert solving(unit, code_of_lesson(unit)) == []


def test_a_function_of_the_lesson_that_solves_an_exercise_is_told():
    unit = next(unit for unit in UNITS if unit.name == "01_loss_as_likelihood")
    solution = read_assignment(unit).exercises["gaussian-nll"].solution.source
    code = [*code_of_lesson(unit), solution.replace("def gaussian_nll", "def half_of_it")]
    assert ("half_of_it", "gaussian-nll", "value") in solving(unit, code)


def code_of_lesson(unit):
    lesson = read_master(unit.master("lesson"), "lesson")
    return [cell.source for cell in lesson.cells if cell.kind == "code"]


def solving(unit, code):
    """Return (function, exercise, aspect) wherever a function of these cells earns an aspect."""
    assignment, reference, earned = read_assignment(unit), reference_for(unit), []
    head, found = functions(code)
    for name, exercise in assignment.exercises.items():
        wanted = defined_names(exercise.solution.source)[0]
        answers = [f"{source}\n\n{wanted} = {function}" for source, function in found]
        stage = ExerciseContext.of(assignment, exercise)
        stage = dataclasses.replace(stage, setup=(*stage.setup, head))
        enough = functools.partial(every_aspect_fails, reference[name]["checks"])
        records = run_answers(stage, answers, enough=enough)
        for (_, function), record in zip(found, records, strict=True):
            aspects = judge(name, record, reference[name]).aspects
            earned += [(function, name, a.name) for a in aspects if a.status == "passed"]
    return earned


def every_aspect_fails(expected, record):
    wrong = findings(record, expected[: len(record)])
    failing = {check["aspect"] for check, why in zip(expected, wrong, strict=False) if why}
    return failing == {check["aspect"] for check in expected}


def functions(cells):
    """Return what stands before each function of a lesson, and (source, name) of each.

    Before it stand imports, definitions and constants of the lesson; nothing is trained.
    """
    nodes = [node for cell in cells for node in ast.parse(cell).body]
    head = "import contextlib\n" + "\n".join(map(tried, filter(is_cheap, nodes)))
    return head, [(ast.unparse(node), node.name) for node in nodes if is_definition(node)]


def is_definition(node):
    return isinstance(node, DEFINITIONS)


def is_cheap(node):
    constant = isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    return constant or is_definition(node) or isinstance(node, ast.Import | ast.ImportFrom)


def tried(node):
    """Return a statement that may fail, where it needs what was not computed."""
    lines = textwrap.indent(ast.unparse(node), "    ")
    return f"with contextlib.suppress(NameError):\n{lines}"


def prose_of(unit):
    lesson = read_master(unit.master("lesson"), "lesson")
    return "\n".join(cell.source for cell in lesson.cells if cell.kind == "markdown")


def test_the_first_lesson_draws_the_map_and_asks_a_question_of_every_unit():
    lesson = read_master(UNITS[0].master("lesson"), "lesson")
    assert any("course_map.COURSE.items()" in cell.source for cell in lesson.cells)
    asked = re.findall(r"^\| (\d\d) \| .+\?", prose_of(UNITS[0]), flags=re.MULTILINE)
    assert asked == [unit.name[:2] for unit in UNITS[1:]]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_lessons_link_the_notation_and_no_missing_page(unit):
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", prose_of(unit))
    assert unit is UNITS[0] or links[0] == "00_start.ipynb#Notation"
    assert all((PROJECT / "notebooks" / link.split("#")[0]).is_file() for link in links)
    assert "## Notation\n" in prose_of(UNITS[0])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_lessons_keep_their_shape(unit):
    lesson = read_master(unit.master("lesson"), "lesson")
    titles = [
        line
        for c in lesson.cells
        if c.kind == "markdown"
        for line in c.source.splitlines()
        if line.startswith("# ")
    ]
    assert len(titles) == 1
    for before, cell in zip([None, *lesson.cells], lesson.cells, strict=False):
        if cell.kind == "code" and not cell.roles.get("hide"):  # what only draws may be longer
            lines = [line for line in cell.source.splitlines() if line.strip()]
            assert len(lines) <= 15, f"line {cell.line}: {len(lines)} lines in one cell"
            assert before is not None and before.kind == "markdown", (
                f"no prose above line {cell.line}"
            )
