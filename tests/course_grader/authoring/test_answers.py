"""An exercise has enough answers of each kind, one oracle, and a hint for every wrong one."""

import pytest

from course_grader.authoring.answers import MIN_RIGHT, MIN_WRONG, read_answers
from course_grader.authoring.masters import MasterError
from course_grader.project.course import Unit


def right(number, oracle=False):
    return f'# %% right-{number} right="mean"{" oracle=True" if oracle else ""}\nx = {number}\n\n'


def wrong(number):
    return f'# %% wrong-{number} wrong="mean" fails="value, shape"\n# Hint {number}.\nx = 0\n\n'


def written(rights=MIN_RIGHT, wrongs=MIN_WRONG, oracles=1):
    cells = [right(i, oracle=i < oracles) for i in range(rights)]
    return "".join(cells + [wrong(i) for i in range(wrongs)])


@pytest.fixture
def read(tmp_path):
    def reader(text):
        folder = tmp_path / "01_mean"
        folder.mkdir(exist_ok=True)
        (folder / "answers.py").write_text(text, "utf-8")
        return read_answers(Unit(folder), {"mean": None})

    return reader


def test_five_wrong_and_three_right_are_enough(read):
    answers = read(written())["mean"]
    assert (len(answers.right), len(answers.wrong)) == (3, 5)
    assert answers.oracle.name == "right-0"


@pytest.mark.parametrize("count", [0, 4])
def test_too_few_wrong_answers_stop(stop, count):
    message = stop(written(wrongs=count))[1]
    assert "'mean'" in message and f"{count} wrong" in message and "at least 5" in message


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_right_answers_stop(stop, count):
    message = stop(written(rights=count))[1]
    assert "'mean'" in message and f"{count} right" in message and "at least 3" in message


@pytest.mark.parametrize("count", [0, 2, 3])
def test_there_is_exactly_one_oracle(stop, count):
    assert "exactly one" in stop(written(oracles=count))[1]


def test_a_wrong_answer_says_what_it_fails(stop, line_of):
    text = written() + wrong(9).replace(' fails="value, shape"', "")
    line, message = stop(text)
    assert line == line_of(text, "wrong-9") and 'fails="' in message


@pytest.mark.parametrize("start", ["", "x = 1  # ", "#"])
def test_a_wrong_answer_begins_with_its_hint(stop, start, line_of):
    text = written() + wrong(9).replace("# Hint 9.", f"{start}Hint" if start else "x = 1")
    line, message = stop(text)
    assert line == line_of(text, "wrong-9") and "hint" in message


@pytest.mark.parametrize("text", ["x = 1", "# Why.", "# `x = 2`", "# `x = 2`\n\nx = 1"])
def test_an_equivalent_mutant_is_a_comment_with_its_line_and_a_reason(stop, text, line_of):
    text = written() + f'# %% same equivalent="mean"\n{text}\n'
    line, message = stop(text)
    assert line == line_of(text, "same") and "its `line`, then the reason" in message


def test_two_mutants_of_one_operator_differ_by_their_lines(read, stop, line_of):
    one, other = (f'# %% same equivalent="mean"\n# `x = {n}`\n# Why.\n\n' for n in (1, 2))
    assert list(read(written() + one + other)["mean"].equivalent) == ["same: x = 1", "same: x = 2"]
    assert "duplicate" in stop(written() + one + one)[1]


@pytest.mark.parametrize("role", ["right", "equivalent", "exact", "wrong"])
def test_an_answer_to_an_unknown_exercise_is_told_which_there_are(stop, role, line_of):
    fails = ' fails="value"' if role == "wrong" else ""
    text = written() + f'# %% lost {role}="median"{fails}\n# `x = 1` Why.\nx = 1\n'
    line, message = stop(text)
    assert line == line_of(text, "lost") and "'median'" in message and "mean" in message


def test_hint_and_aspects_are_read(read):
    answer = read(written())["mean"].wrong[2]
    assert (answer.sentence, answer.fails) == ("Hint 2.", {"value", "shape"})


def test_a_hint_may_take_two_lines(read):
    text = written().replace("# Hint 2.\n", "# Hint 2,\n# with more.\n")
    assert read(text)["mean"].wrong[2].sentence == "Hint 2, with more."


def test_reasons_and_exact_laws_are_kept(read):
    more = '# %% same equivalent="mean"\n# `x = 1`\n# Why.\n\n# %% law exact="mean"\nexact = {}\n'
    answers = read(written() + more)["mean"]
    assert answers.equivalent == {"same: x = 1": "Why."} and answers.exact == "exact = {}"


def test_an_exercise_without_answers_stops(tmp_path):
    (tmp_path / "answers.py").write_text(written(), "utf-8")
    with pytest.raises(MasterError, match="'median' has 0 wrong"):
        read_answers(Unit(tmp_path), {"mean": None, "median": None})
