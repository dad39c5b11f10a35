"""A malformed master stops with file and line, what is wrong and what to do."""

import re

import pytest

from course_grader.authoring.masters import MasterError, read_master
from course_grader.project.course import CourseError

PLAIN = '# %% [markdown]\n# # Title\n\n# %% alt="a figure"\nx = 1\n'
EXERCISE = """# %% [markdown]
# Text.

# %% exercise="mean"
def mean(x):
    ### BEGIN SOLUTION
    return x.sum() / len(x)
    ### END SOLUTION

# %%
y = 2
"""
RIGHT = '# %% by-loop right="mean"\nx = 1\n\n'


@pytest.fixture
def stop(tmp_path):
    """Return a function that reads a broken master: (line, message) of its error."""

    def read(text, kind="assignment"):
        path = tmp_path / "masters" / "01_mean" / f"{kind}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        with pytest.raises(MasterError) as caught:
            read_master(path, kind)
        place = re.fullmatch(r"masters.01_mean.(\w+)\.py:(\d+): (.+)", str(caught.value), re.S)
        assert place and place[1] == kind, str(caught.value)
        return int(place[2]), place[3]

    return read


def line_of(text, words, last=False):
    """The line in which words stand, counted from 1."""
    lines = [i for i, line in enumerate(text.splitlines(), 1) if words in line]
    return lines[-1 if last else 0]


@pytest.mark.parametrize(
    ("text", "kind"),
    [(PLAIN, "lesson"), (EXERCISE, "assignment"), (RIGHT, "answers")],
    ids=["lesson", "assignment", "answers"],
)
def test_a_master_in_order_is_read_cell_by_cell(tmp_path, text, kind):
    path = tmp_path / "master.py"
    path.write_text(text, "utf-8")
    lines = [i for i, line in enumerate(text.splitlines(), 1) if line.startswith("# %%")]
    assert [cell.line for cell in read_master(path, kind).cells] == lines


@pytest.mark.parametrize("word", ["exercize", "point", "tag", "Alt"])
@pytest.mark.parametrize("kind", ["lesson", "assignment", "answers"])
def test_an_unknown_role_is_named_with_those_that_are_known(stop, kind, word):
    text = f"{PLAIN if kind == 'lesson' else '# %% [markdown]'}\n\n# %% {word}=1\nx = 1\n"
    line, message = stop(text, kind)
    assert line == line_of(text, f"{word}=1") and repr(word) in message and "knows" in message


@pytest.mark.parametrize("role", ['exercise="mean"', "points=1", 'hidden="mean"'])
def test_a_role_of_an_assignment_is_unknown_in_a_lesson(stop, role):
    assert "unknown role" in stop(f"# %% {role}\nx = 1\n", "lesson")[1]


MISSPELT = [
    "### BEGIN SOLUTIONS",
    "## BEGIN SOLUTION",
    "#### BEGIN SOLUTION",
    "### Begin Solution",
    "### begin solution",
    "###BEGIN SOLUTION",
    "### BEGIN  SOLUTION",
    "### BEGIN SOLUTION:",
    "### BEGIN_SOLUTION",
    "### BEGIN SOLUTOIN",
    "### START SOLUTION",
    "### END SOLUTIONS",
    "# END SOLUTION",
    "### BEGIN HIDDEN TEST",
    "### BEGIN HIDDEN TESTS",
    "### END HIDDEN TESTS",
    "### BEGIN MARK SCHEME",
    "### AUTOTEST mean(x)",
    "pass  ### BEGIN SOLUTION",
]


@pytest.mark.parametrize("marker", MISSPELT)
@pytest.mark.parametrize("place", ["    return x", "y = 2"], ids=["exercise", "other cell"])
def test_a_misspelt_marker_stops_at_its_line(stop, marker, place):
    indent = place[: len(place) - len(place.lstrip())]
    text = EXERCISE.replace(place, f"{indent}{marker}\n{place}")
    line, message = stop(text)
    assert line == text.splitlines().index(f"{indent}{marker}") + 1 and "SOLUTION" in message


def test_a_misspelt_marker_in_a_text_cell_stops_too(stop):
    text = EXERCISE.replace("# Text.", "# Text.\n#\n# ### BEGIN SOLUTIONS")
    assert stop(text)[0] == line_of(text, "SOLUTIONS")


def test_blank_lines_before_and_in_a_cell_do_not_move_the_line(stop):
    text = EXERCISE.replace("# %%\ny", "\n\n# %%\n\n\nz = 1\n\n### BEGIN SOLUTIONS\ny")
    assert stop(text)[0] == line_of(text, "SOLUTIONS")


@pytest.mark.parametrize(
    "comment", ["# The solution of a linear system", "# begin with zero", "### Means", "# tests"]
)
def test_an_ordinary_comment_is_no_marker(tmp_path, comment):
    path = tmp_path / "assignment.py"
    path.write_text(EXERCISE.replace("y = 2", f"{comment}\ny = 2"), "utf-8")
    assert comment in read_master(path, "assignment").cells[-1].source


@pytest.mark.parametrize("kind", ["assignment", "lesson", "answers"])
def test_a_solution_marker_belongs_in_an_exercise_only(stop, kind):
    role = 'by-loop right="mean"' if kind == "answers" else ""
    text = f"# %% [markdown]\n# Text.\n\n# %% {role}\nx = 1\n### BEGIN SOLUTION\ny = 2\n"
    line, message = stop(text, kind)
    assert line == line_of(text, "BEGIN") and "outside an exercise" in message


BEGIN, END = "    ### BEGIN SOLUTION\n", "    ### END SOLUTION\n"


@pytest.mark.parametrize(
    ("old", "new", "words", "last"),
    [
        (END, "", "BEGIN SOLUTION", False),
        (BEGIN, "", "END SOLUTION", False),
        (BEGIN, BEGIN + BEGIN, "BEGIN SOLUTION", True),
        (END, END + END, "END SOLUTION", True),
        (END, END + BEGIN, "BEGIN SOLUTION", True),
    ],
    ids=["no end", "no begin", "two begins", "two ends", "second region open"],
)
def test_unbalanced_markers_stop_at_the_one_too_many(stop, old, new, words, last):
    text = EXERCISE.replace(old, new)
    assert stop(text)[0] == line_of(text, words, last)


@pytest.mark.parametrize("magic", ["%time x = 1", "!ls", "%%bash", "# %time x = 1", "x = !ls"])
@pytest.mark.parametrize("kind", ["lesson", "assignment"])
def test_magics_stop_at_their_line(stop, kind, magic):
    text = PLAIN + f"\n# %%\nz = 0\n{magic}\n"
    line, message = stop(text, kind)
    assert line == line_of(text, magic) and "no magics" in message


def test_a_slip_of_syntax_stops_at_its_line(stop):
    text = PLAIN + "\n# %%\nz = 0\nz = = 1\n"
    assert stop(text)[0] == line_of(text, "z = = 1")


def test_await_at_the_top_of_a_cell_is_plain_python(tmp_path):
    path = tmp_path / "lesson.py"
    path.write_text("# %%\nawait f()\n", "utf-8")
    assert read_master(path, "lesson").cells


@pytest.mark.parametrize(
    "first", ["", "\n", "x = 1\n", '"""Lesson."""\n', "# ---\n# a: 1\n# ---\n"]
)
def test_the_first_line_starts_a_cell(stop, first):
    line, message = stop(first + ("# %%\nx = 1\n" if first else ""), "lesson")
    assert line == 1 and "first line" in message


@pytest.mark.parametrize("role", ["exercise", "checks", "hidden"])
def test_a_name_is_used_once_in_each_role(stop, role):
    text = f'# %% {role}="mean"\nx = 1\n\n# %%\ny = 1\n\n# %% {role}="mean"\nx = 2\n'
    line, message = stop(text)
    assert line == line_of(text, role, last=True) and "line 1" in message and role in message


@pytest.mark.parametrize("name", ["Mean", "mean_of", "-mean", "mean-", "2nd", "a b", "a/b", ""])
@pytest.mark.parametrize("role", ["exercise", "checks", "hidden"])
def test_a_bad_name_is_shown_with_the_form_it_needs(stop, role, name):
    line, message = stop(f'# %% [markdown]\n# Text.\n\n# %% {role}="{name}"\nx = 1\n')
    assert line == 4 and repr(name) in message and "lower-case" in message


def test_a_name_that_is_no_text_is_bad(stop):
    assert "exercise=3" in stop("# %% exercise=3\nx = 1\n")[1]


@pytest.mark.parametrize("second", ['right="mean"', 'wrong="mean" fails="value"'])
def test_two_answers_to_one_exercise_have_two_names(stop, second):
    text = f"{RIGHT}# %% by-loop {second}\n# Hint.\nx = 2\n"
    if "wrong" in second:
        text = text.replace('right="mean"', 'wrong="mean" fails="value"').replace(
            "x = 1", "# Hint.\nx = 1"
        )
    line, message = stop(text, "answers")
    assert line == line_of(text, "by-loop", last=True) and "line 1" in message


@pytest.mark.parametrize(
    "marker", ["# %%", "# %% by-loop", '# %% right="a"', "# %% t oracle=True"]
)
def test_an_answer_has_a_title_and_one_role(stop, marker):
    line, message = stop(f"{RIGHT}{marker}\nx = 1\n", "answers")
    assert line == line_of(f"{RIGHT}{marker}", marker, last=True) and "titled" in message


def test_a_missing_master_says_which_three_a_unit_needs(tmp_path):
    with pytest.raises(CourseError, match=r"lesson\.py is missing.*assignment and answers"):
        read_master(tmp_path / "lesson.py", "lesson")


CLAIM = """# %% claim="With data, it's better: an NLL [nats] of 0.1, say, is gained." steps=100
from math import pi


def gains(seed, steps):
    def helper(x):
        return x * pi

    return helper(seed + steps)


assert gains(0, 100) > 0
"""


def test_a_claim_holds_its_sentence_and_its_steps(tmp_path):
    path = tmp_path / "lesson.py"
    path.write_text(CLAIM, "utf-8")
    roles = read_master(path, "lesson").cells[0].roles
    assert roles["steps"] == 100 and roles["claim"].startswith("With data, it's better: an NLL")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (" steps=100", "", "with both"),
        (
            'claim="With data, it\'s better: an NLL [nats] of 0.1, say, is gained." ',
            "",
            "with both",
        ),
        ("is gained.", "is gained", "full stop"),
        ("steps=100", "steps=0", "steps=0"),
        ("steps=100", "steps=1.5", "steps=1.5"),
        ("steps=100", 'steps="100"', "steps='100'"),
        ("steps=100", "steps=true", "steps=True"),
        ("seed, steps", "seed", "found gains(seed)"),
        ("seed, steps", "steps, seed", "found gains(steps, seed)"),
        ("seed, steps", "seed, *, steps", "found gains(seed, *, steps)"),
        ("seed, steps", "seed, steps, lr=0.1", "found gains(seed, steps, lr=0.1)"),
        ("def gains(", "async def gains(", "found gains(async seed, steps)"),
        ("assert gains(0, 100) > 0", "def more(x):\n    return x", "more(x)"),
    ],
)
def test_a_malformed_claim_stops_at_its_cell(stop, old, new, words):
    assert old in CLAIM
    line, message = stop("# %%\nx = 1\n\n" + CLAIM.replace(old, new, 1), "lesson")
    assert line == 4 and words in message


def test_a_claim_without_function_stops_at_its_cell(stop):
    assert "found none" in stop('# %% claim="It is." steps=3\nx = 1\n', "lesson")[1]


def test_a_claim_is_code(stop):
    line, message = stop('# %% [markdown] claim="It is." steps=3\n# Text.\n', "lesson")
    assert line == 1 and "code cell" in message


def test_two_claims_have_two_names(stop):
    text = f"{CLAIM}\n{CLAIM}"
    line, message = stop(text, "lesson")
    assert line == line_of(text, "claim=", last=True) and "line 1" in message


def test_claims_stand_in_lessons_only(stop):
    assert "unknown role" in stop(CLAIM, "assignment")[1]
