"""An exercise that lacks a part, or whose points do not sum, stops at its line."""

import pytest

from course_grader.authoring.check_calls import check_calls
from course_grader.authoring.exercises import read_assignment
from course_grader.project.course import Unit

HEADING = """# %% [markdown]
# ## Exercise {n}. The mean (10 min, 3 points)

"""
SOLUTION = """# %% exercise="{name}"
def mean(x):
    ### BEGIN SOLUTION
    return x.mean()
    ### END SOLUTION

"""
WHY = """# %% [markdown] why="{name}"
# The mean is the sum, divided by how many there are.

"""
CHECKS = """# %% checks="{name}" points=3
check = Checks("{name}")
check.value("value", lambda: mean(1), points=2)
check.value("shape", lambda: mean(2), points=1)
check.report()

"""
HIDDEN = """# %% hidden="{name}"
check.value("value", lambda: mean(3), case="three")
check.value("shape", lambda: mean(4), case="four")

"""
PARTS = (HEADING, SOLUTION, WHY, CHECKS, HIDDEN)
ROLES = [(WHY, "[markdown] why"), (CHECKS, "checks"), (HIDDEN, "hidden")]
MEAN = "".join(PARTS).format(name="mean", n=1)


@pytest.fixture
def read(tmp_path):
    """Return a function that reads an assignment from its text."""

    def reader(text):
        folder = tmp_path / "01_mean"
        folder.mkdir(exist_ok=True)
        (folder / "assignment.py").write_text(text, "utf-8")
        (folder / "unit.toml").write_text('title = "Means"', "utf-8")
        return read_assignment(Unit(folder))

    return reader


def assemble(*parts):
    return "".join(parts).format(name="mean", n=1)


def test_exercises_in_order_are_read_with_their_points(read):
    text = MEAN + "".join(PARTS).format(name="other", n=2)
    exercises = read(text).exercises
    assert list(exercises) == ["mean", "other"]
    assert [e.points for e in exercises.values()] == [3, 3]


@pytest.mark.parametrize(("part", "role"), ROLES)
def test_an_exercise_without_a_part_says_what_to_add(stop, part, role, line_of):
    text = assemble(*(p for p in PARTS if p != part))
    line, message = stop(text)
    assert line == line_of(text, "exercise=") and f"# %% {role}='mean'" in message


@pytest.mark.parametrize(("part", "role"), ROLES)
def test_checks_without_an_exercise_stop_at_their_line(stop, part, role, line_of):
    text = MEAN + part.format(name="median")
    line, message = stop(text)
    assert line == line_of(text, f'{role}="median"') and "'median'" in message


@pytest.mark.parametrize(
    "parts",
    [
        (HEADING, CHECKS, SOLUTION, WHY, HIDDEN),
        (HEADING, SOLUTION, WHY, HIDDEN, CHECKS),
        (HEADING, SOLUTION, CHECKS, WHY, HIDDEN),
    ],
    ids=["checks first", "hidden before checks", "why too late"],
)
def test_the_order_is_exercise_why_checks_hidden(stop, parts, line_of):
    text = assemble(*parts)
    line, message = stop(text)
    assert line == line_of(text, "exercise=") and "order" in message


def test_an_assignment_has_an_exercise(stop):
    assert stop("# %%\nx = 1\n")[0] == 1


WORDS = """# %% [markdown]
# ## Exercise 2. In words (5 min, 2 points)

# %% [markdown] written="why" points=2
# ### BEGIN SOLUTION
# Because.
#
# **Rubric.** One point for each word.
# ### END SOLUTION
"""
BROKEN_WORDS = {  # old text, new text, a word of the message
    "no points": (" points=2", "", "points=3"),
    "other points": ("points=2", "points=4", "4 points"),
    "a code cell": ("[markdown] written", "written", "looks like a marker"),
    "no rubric": ("**Rubric.** One", "One", "Rubric"),
    "no model answer": ("### BEGIN SOLUTION", "", "END SOLUTION"),
    "an exercise's name": ('"why"', '"mean"', "already"),
    "no name": ('"why"', '"Why not"', "no name"),
}


def test_an_answer_in_words_adds_its_points(read):
    found = read(MEAN + WORDS)
    assert list(found.written) == ["why"] and list(found.exercises) == ["mean"]
    assert found.points == 5


@pytest.mark.parametrize("name", BROKEN_WORDS)
def test_broken_words_stop_and_say_why(stop, name):
    old, new, words = BROKEN_WORDS[name]
    assert WORDS.count(old) >= 1
    assert words in stop(MEAN + WORDS.replace(old, new))[1]


BROKEN = {  # old text, new text, the line that is blamed, a word of the message
    "sum too small": ("points=2)", "points=1)", "checks=", "sum to 2"),
    "sum too large": ("points=2)", "points=2.5)", "checks=", "sum to 3.5"),
    "cell says more": ("points=3\n", "points=4\n", "checks=", "points=4"),
    "no points": (" points=3\n", "\n", "checks=", "points=3"),
    "hidden with points": ("mean(3),", "mean(3), points=1,", "hidden=", "no points"),
    "aspect without hidden": (
        'check.value("shape", lambda: mean(4), case="four")\n',
        "",
        "hidden=",
        "'shape' has no hidden",
    ),
    "hidden without visible": (
        'case="three")',
        'case="three")\ncheck.value("sign", f)',
        "hidden=",
        "'sign'",
    ),
    "aspect without points": (
        "points=2)\ncheck",
        'points=2)\ncheck.value("sign", f)\ncheck',
        "hidden=",
        "'sign'",
    ),
    "heading without minutes": ("(10 min, 3 points)", "(3 points)", "exercise=", "10 min"),
    "heading without points": ("(10 min, 3 points)", "(10 min)", "exercise=", "3 points"),
    "heading with other points": ("3 points)", "4 points)", "exercise=", "3 points"),
    "no start": ('check = Checks("mean")\n', "x = 1\n", "checks=", "starts with"),
    "start of another": ('Checks("mean")', 'Checks("median")', "checks=", "starts with"),
    "no end": ("check.report()\n", "", "checks=", "check.report()"),
    "end too early": ("check.report()\n", "check.report()\nx = 1\n", "checks=", "check.report()"),
    "text over lines": (
        "mean(1)",
        'mean("""one\ntwo""")',
        "checks=",
        "several lines",
    ),
    "keeps unannounced": (
        "check.report()\n",
        'check.keeps("value", mean, 1)\ncheck.report()\n',
        "# %% [markdown]",
        "global random generators",
    ),
    "no markers": (
        "    ### BEGIN SOLUTION\n    return x.mean()\n    ### END SOLUTION\n",
        "    return 0\n",
        "exercise=",
        "BEGIN SOLUTION",
    ),
    "no function": (
        "def mean(x):\n    ### BEGIN SOLUTION\n    return x.mean()\n    ### END SOLUTION\n",
        "### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n",
        "exercise=",
        "function",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_exercise_stops_at_the_cell_to_blame(stop, name, line_of):
    old, new, place, words = BROKEN[name]
    assert MEAN.count(old) >= 1
    text = MEAN.replace(old, new, 1)
    line, message = stop(text)
    assert line == line_of(text, place) and words in message


def test_an_aspect_is_worth_points(stop, line_of):
    text = MEAN.replace(", points=1)", ")").replace("points=2)", "points=3)")
    line, message = stop(text)
    assert line == line_of(text, "checks=") and "'shape' has no points" in message


def test_an_empty_check_cell_stops_at_its_line(stop, line_of):
    text = assemble(HEADING, SOLUTION, WHY, '# %% checks="{name}" points=3\n\n', HIDDEN)
    assert stop(text)[0] == line_of(text, "checks=")


@pytest.mark.parametrize("call", ['"value", f, points=1 + 1', "name, f, points=2", "f'a', f"])
def test_aspects_and_points_are_written_out(stop, call, line_of):
    text = MEAN.replace('"value", lambda: mean(1), points=2', call)
    assert stop(text)[0] in (line_of(text, "checks="), line_of(text, call))


def test_the_heading_of_an_earlier_exercise_does_not_count(stop, line_of):
    text = MEAN + assemble(SOLUTION, CHECKS, HIDDEN).replace('"mean"', '"other"')
    assert stop(text)[0] == line_of(text, 'exercise="other"')


def test_without_any_text_above_the_heading_is_asked_for(stop):
    assert "heading" in stop(assemble(SOLUTION, WHY, CHECKS, HIDDEN))[1]


def test_only_calls_on_check_count():
    source = 'check.value("a", f, points=2)\nother.value("b", f, points=1)\ncheck.report()\nf("c")'
    assert check_calls(source) == [("a", 2)]


def test_the_first_unit_is_in_order(assignment):
    for exercise in assignment.exercises.values():
        assert sum(points for _, points in check_calls(exercise.checks.source)) == exercise.points


@pytest.mark.parametrize("left", ["mean(4))", 'mean(4), case="")', 'mean(4), case=f"{4}")'])
def test_a_hidden_check_says_its_case_in_words(stop, left, line_of):
    text = MEAN.replace('mean(4), case="four")', left)
    line, told = stop(text)
    assert 'hidden check in line 2 does not say its case: case="one row"' in told
    assert line == line_of(text, "hidden=")
