"""Answers from anywhere are tried in the sandbox: judged as deserved, and nothing is written."""

import contextlib
import hashlib
import io
import json
import os
import subprocess
from pathlib import Path

import pytest

from course_grader.__main__ import main
from course_grader.building.leaks import leaks_in, secrets_of
from course_grader.project.course import LIMITS, PROJECT, CourseError
from course_grader.proving import trial
from course_grader.proving.answers_file import MAX_BYTES
from tests.redteam.attack import ATTACKS
from tests.redteam.evidence import ESCAPED
from tests.redteam.harness import FIRST, WRONG

RIGHT = """def gaussian_nll(y, mu, sigma):
    if getattr(mu, "shape", ()) not in ((), y.shape):
        raise ValueError("shapes differ")
    return -torch.distributions.Normal(mu, sigma).log_prob(y).mean()
"""
SQUARED = RIGHT.replace("Normal(mu, sigma)", "Normal(mu, sigma**2)")
MARKED = '''"""
    # %% indented right="no-exercise"
"""
### BEGIN HIDDEN TESTS
### BEGIN SOLUTION
'''
UNPRINTABLE = "raise type('\\x1b[2J', (Exception,), {})('\\x1b]8;;x\\x07 \\u202e' + 'long ' * 999)"
PLACE = "import os\nraise OSError(os.getcwd(), os.path.exists(COURSE))"
DOOR = ["forged_in_the_check_cell", "reads_the_disk", "kills_itself", "sleeps", "patched_checks"]
FORGED = """kernel = get_ipython().kernel
kernel.session.send(kernel.iopub_socket, "display_data", content={}, parent=kernel.get_parent())
"""


def cell(name, source, claim="right", more=""):
    return f'# %% {name} {claim}="{FIRST}"{more}\n{source}\n'


def attack(name):
    """Return an attack as one answer; what it prints when it got through, it raises."""
    parts = [source for kind, source in ATTACKS[name].own("extra") if kind == "code"]
    parts += [ATTACKS[name].source("solution") or WRONG]
    parts += [source for kind, source in ATTACKS[name].own("last") if kind == "code"]
    told = "\n\n".join(parts).replace('print("E5CAP"', 'raise LookupError("E5CAP"')
    return cell(name, told, "wrong")


def strange_file():
    place = PLACE.replace("COURSE", repr(str(PROJECT / "masters")))
    cells = [cell("honest", RIGHT)]
    for name in DOOR:
        cells += [attack(name), cell("honest", f"{RIGHT}\n# after {name}")]
    cells += [
        cell("squared", SQUARED, "wrong", ' fails="value,gradient,shape"'),
        cell("squared-in-part", SQUARED, "wrong", ' fails="value"'),
        cell("squared-right", SQUARED),
        cell("no-mistake", RIGHT, "wrong"),
        cell("marked", f"{MARKED}{RIGHT}### END SOLUTION\ncheck.report()"),
        cell("broken", "def gaussian_nll(y, mu, sigma:", "wrong"),
        cell("forged-message", FORGED, "wrong"),
        cell("unprintable\x1b[31m", UNPRINTABLE, "wrong"),
        cell("place", place, "wrong"),
        f'# %% passed-over equivalent="{FIRST}"\n# `x = 1`\n# A mutant.\n',
        "# %% [markdown]\n# Some words.\n",
    ]
    return "\n".join(cells)


def hashes(*places):
    """Return {path: hash} of all files, but for caches and what is made anew."""
    passed = {".git", ".venv", "build", "__pycache__", ".pytest_cache", ".ruff_cache"}
    found = {}
    for top, folders, files in (step for place in places for step in os.walk(place)):
        folders[:] = [folder for folder in folders if folder not in passed]
        for path in (Path(top, file) for file in files):
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory, bubblewrap):
    """One run of a file full of honest and hostile answers, as JSON; what it left, and told."""
    folder = tmp_path_factory.mktemp("mail")
    (folder / "strange.py").write_text(strange_file(), "utf-8")
    before, out, err, kept = hashes(PROJECT, folder), io.StringIO(), io.StringIO(), []

    def try_answers(*places, **options):
        kept.extend(HONEST(*places, **options))
        return kept

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("course_grader.project.course.LIMITS", LIMITS | {"cell_seconds": 1})
        patch.setattr(trial, "try_answers", try_answers)
        patch.chdir(folder)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(["prove", "--unit", "01", "--answers", "strange.py", "--json"])
    assert hashes(PROJECT, folder) == before
    return status, json.loads(out.getvalue()), err.getvalue(), kept


HONEST = trial.try_answers


@pytest.fixture(scope="module")
def named(run):
    """What came of each answer, by name."""
    return {one["name"]: one for one in run[1]}


@pytest.fixture
def told(run, monkeypatch, capsys):
    """The same run, as it is told to people."""
    monkeypatch.setattr(trial, "try_answers", lambda *a, **k: run[3])
    assert main(["prove", "--unit", "01", "--answers", "strange.py"]) == 1
    return capsys.readouterr().out


def test_a_right_answer_gets_all_points(named):
    honest = named["honest"]
    assert (honest["claim"], honest["status"]) == ("right", "passed")
    assert honest["earned"] == honest["possible"] == 5
    assert honest["aspects"] == {"value": [2, 2, ""], "gradient": [2, 2, ""], "shape": [1, 1, ""]}
    assert honest["difference"] == honest["problem"] == honest["hint"] == ""


def test_a_wrong_answer_gets_its_points_by_aspect_and_its_misconception(named):
    squared = named["squared"]
    assert squared["earned"] == 0 and squared["difference"] == ""
    assert "expected 1.92459" in squared["aspects"]["value"][2]
    assert squared["aspects"]["shape"][:2] == [0, 1]
    assert squared["aspects"]["shape"][2].startswith("a further case is not as expected (wrong")
    assert squared["misconception"] == "variance-as-scale" and "sigma squared" in squared["hint"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("squared-in-part", "it says that it fails value; it fails value, gradient, shape"),
        ("squared-right", "it says right, but fails value, gradient, shape"),
        ("no-mistake", "it says wrong, but gets all points"),
    ],
)
def test_what_is_not_as_claimed_is_told_and_ends_with_1(run, named, told, name, words):
    assert run[0] == 1 and named[name]["difference"] == words
    assert f"not as claimed: {words}" in told
    assert told.splitlines()[-1].startswith(f"{len(named)} answers, 3 not as claimed: ")


@pytest.mark.parametrize("name", DOOR)
def test_an_attack_earns_nothing_and_learns_nothing(run, named, name):
    assert named[name]["earned"] == 0 and named[name]["status"] == "not yet"
    assert ESCAPED not in json.dumps(named[name])


def test_neighbours_of_attacks_are_unharmed_and_numbered(named):
    honest = [one for name, one in named.items() if name.startswith("honest")]
    assert [one["name"] for one in honest][1:] == [f"honest ({n + 2})" for n in range(len(DOOR))]
    assert all(one["status"] == "passed" and not one["problem"] for one in honest)


def test_no_hidden_value_is_told(run, unit, told):
    for text in (json.dumps(run[1]), told):
        assert leaks_in(text, secrets_of(unit)) == []


def test_a_process_that_ended_or_ran_too_long_is_told(named):
    assert named["kills_itself"]["problem"].startswith("ProcessEnded: ")
    assert named["sleeps"]["problem"] == "TookTooLong: stopped after 1 s"
    kind = named["broken"]["problem"].partition(": ")[0]
    assert kind in ("SyntaxError", "_IncompleteInputError")  # as 3.13 calls it


def test_a_message_that_cannot_be_read_costs_its_own_answer_only(named):
    assert named["forged-message"]["earned"] == 0
    assert named["forged-message"]["problem"].startswith("BadMessages: ")


def test_markers_and_reports_in_an_answer_do_not_matter(named):
    assert named["marked"]["status"] == "passed" and named["marked"]["problem"] == ""


def test_answers_run_in_the_sandbox(named):
    assert named["place"]["problem"].startswith("OSError: ")
    assert "/home/student" in named["place"]["problem"] and "False" in named["place"]["problem"]


def test_all_that_is_told_is_printable(named, told):
    assert all(line.isprintable() for line in told.splitlines())
    problem = named["unprintable?[31m"]["problem"]
    assert problem.startswith("?[2J: ?]8;;x? ?long") and len(problem) <= 300


def test_people_are_told_the_same(named, told):
    assert f"{FIRST}  honest (line 1, says right): 5/5, passed\n  value     2/2\n" in told
    assert f"  misconception: variance-as-scale: {named['squared']['hint']}\n" in told
    assert "  problem: TookTooLong: stopped after 1 s\n" in told


def test_what_is_passed_over_is_told_beside(run):
    assert "1 cells with the role equivalent or exact" in run[2] and "trying: 100%" in run[2]


def test_without_a_sandbox_it_is_refused(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("course_grader.execution.sandbox.available", lambda: False)
    (tmp_path / "a.py").write_text(cell("a", RIGHT), "utf-8")
    assert main(["prove", "--unit", "01", "--answers", str(tmp_path / "a.py")]) == 2
    refused = capsys.readouterr()
    assert "bubblewrap" in refused.err and "UNSAFE=1" in refused.err and refused.out == ""


@pytest.fixture
def lost(monkeypatch):
    """Let every execution end as where a worker was killed; return how they were asked for."""
    asked = []

    class Lost:
        def __init__(self, course, unit, **options):
            asked.append(options)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

        def path(self, key):
            return Path(key)

        def all(self, jobs):
            return ((place, "not executed: \x1b no memory") for place in jobs)

    monkeypatch.setattr(trial, "Executions", Lost)
    return asked


def test_unsafe_is_handed_on_and_what_was_not_executed_is_no_zero(
    lost, monkeypatch, capsys, tmp_path
):
    monkeypatch.setattr("course_grader.execution.sandbox.available", lambda: False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.py").write_text(cell("a", SQUARED, "wrong"), "utf-8")
    assert main(["prove", "--unit", "01", "--answers", "~/a.py", "--unsafe", "--json"]) == 1
    [one] = json.loads(capsys.readouterr().out)
    assert lost[0]["unsafe"] is True
    assert (one["status"], one["earned"], one["aspects"]) == ("error", None, {})
    assert one["problem"] == "not executed: ? no memory" and one["difference"]
    assert main(["prove", "--unit", "01", "--answers", "~/a.py", "--unsafe"]) == 1
    assert f"{FIRST}  a (line 1, says wrong): -, error\n  problem: " in capsys.readouterr().out


BAD = {
    "is empty": (b"", 1, "must start a cell"),
    "is a notebook": (b'{"cells": []}', 1, "must start a cell"),
    "is UTF-16": ("# %% a".encode("utf-16"), 1, "UTF-8"),
    "is Latin-1": (cell("a", "# caf\xe9").encode("latin-1"), 2, "UTF-8"),
    "is binary": (cell("a", "x = 1\n\0").encode(), 3, "null byte"),
    "holds words only": (b"# %% [markdown]\n# Words", 1, "no answer"),
    "answers nothing": (
        b'\xef\xbb\xbf# %% a right="kl"\r\n',
        1,
        f"'kl'; the assignment has {FIRST}",
    ),
    "has no name": (f'# %% right="{FIRST}"'.encode(), 1, "has a name"),
    "has no role": (f"{cell('a', '')}# %%\nx = 1".encode(), 3, "in a string too"),
    "has two roles": (cell("a", "", more=f' wrong="{FIRST}"').encode(), 1, "right or wrong"),
    "answers in words": (f'# %% [markdown] a right="{FIRST}"'.encode(), 1, "code cell"),
    "has a role misspelt": (b'# %% a rihgt="x"', 1, "'rihgt'; an answer knows right, wrong"),
    "has an open quote": (f'{cell("a", "")}# %% b right="{FIRST}'.encode(), 3, "no marker"),
    "is code in a marker": (b'# %% a right=__import__("os").abort()', 1, "no marker"),
    "has no end of a marker": (b"# %% a " + b'x="' * 9999, 1, "no marker"),
    "fails another aspect": (cell("a", "", "wrong", ' fails="vlaue"').encode(), 1, "value, grad"),
    "is right and fails": (cell("a", "", more=' fails="value"').encode(), 1, "fails nothing"),
    "has terminal codes": (b'# %% a right="\x1b[31m"', 1, "'?[31m'"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_file_that_is_malformed_gets_one_message(what, capsys, tmp_path):
    content, line, words = BAD[what]
    path = tmp_path / "bad.py"
    path.write_bytes(content)
    assert main(["prove", "--unit", "01", "--answers", str(path)]) == 2
    message = capsys.readouterr().err.strip()
    assert message.startswith(f"{path}:{line}: ") and words in message
    assert len(message.splitlines()) == 1 and message.isprintable()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.py", "No such file"),
        (".", "no regular file"),
        ("", "no regular file"),
        ("fifo", "no regular file"),
        ("~nobody-of-this-name/a.py", "home directory"),
        ("a\0b", "embedded null"),
        ("x" * 300, "too long"),
        ("large", "3.0 MB; at most 2 MB"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(name, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    Path("large").write_bytes(b"#" * (MAX_BYTES + 1_000_000))
    assert main(["prove", "--unit", "01", "--answers", name]) == 2
    message = capsys.readouterr().err.strip()
    assert words in message and message.isprintable() and "Traceback" not in message


@pytest.mark.parametrize(
    "options", [["--answers", "a.py"], ["--unit", "01", "--json"], ["--unsafe"]]
)
def test_options_that_belong_together_are_told(options, capsys):
    assert main(["prove", *options]) == 2
    assert "needs UNIT" in capsys.readouterr().err


def test_a_unit_that_has_to_be_built_is_told(edit, tmp_path):
    (tmp_path / "a.py").write_text(cell("a", RIGHT), "utf-8")
    with pytest.raises(CourseError, match="make build UNIT=01"):
        trial.try_answers(edit("assignment", "0.77, 1.9", "0.77, 1.8"), tmp_path / "a.py")


def test_make_hands_everything_on():
    given = ["UNIT=01", "ANSWERS=a b.py", "JSON=1", "UNSAFE=1"]
    done = subprocess.run(
        ["make", "-n", "prove", *given], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert '--unit "$UNIT" --answers "$ANSWERS" --json --unsafe' in done.stdout
