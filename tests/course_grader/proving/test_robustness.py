"""A lesson's claims are rerun by the command line: which hold, which not, and why."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from course_grader.project.course import PROJECT

LESSON = """# %% [markdown]
# # A lesson

# %%
import numpy as np
from matplotlib import pyplot as plt

from course_utils.predictions import predict

print("a lesson's own output")
predict("01-sum", 3, ask="What is 1 + 1?")
plt.plot([1, 2])
count = [0]


def noise(seed):
    return np.random.default_rng(seed).normal()


# %% claim="The mean is better than the first value." steps=100
def mean_is_better(seed, steps):
    print("a claim's own output")
    return 1 + 0.1 * noise(seed)


# %% claim="Four seeds in five will do." steps=1
def only_some(seed, steps):
    return -1.0 if seed in (3, 7) else 10 + 0.1 * noise(seed)


# %% claim="The sum is less than nothing." steps=20
def is_false(seed, steps):
    return -1 + 0.1 * noise(seed)


# %% claim="Early stopping wins." steps=30
def short_only(seed, steps):
    return 1 + 0.1 * noise(seed) - 2 * (steps > 30)


# %% claim="It never fails." steps=5
def sometimes_raises(seed, steps):
    return 1 / (seed - 4) ** 2


# %% claim="It is always finite." steps=5
def sometimes_nan(seed, steps):
    return {2: float("nan"), 6: float("inf")}.get(seed, 1.0 + seed)


# %% claim="It needs no seed." steps=5
def unseeded(seed, steps):
    count[0] += 1
    return 1 + count[0] / 1000


# %%
assert mean_is_better(0, 100) > 0
"""
NAMES = "mean_is_better only_some is_false short_only sometimes_raises sometimes_nan unseeded"
NONE = "# %% [markdown]\n# # A lesson\n\n# %%\nx = 1\n"
LESSONS = {
    "01_planted": LESSON,
    "02_without": NONE,
    "03_malformed": f'{NONE}\n# %% claim="It is." steps=0\ndef f(seed, steps):\n    return 1.0\n',
    "04_failing": f'{NONE}\n# %% claim="It is." steps=1\ndef f(seed, steps):\n    return 1\n\n\n'
    "assert x == 2\n",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with planted lessons and this one's programs."""
    folder = tmp_path_factory.mktemp("project")
    for tree in ("course_grader", "course_utils"):
        shutil.copytree(PROJECT / tree, folder / tree, ignore=shutil.ignore_patterns("__py*"))
    for name, text in LESSONS.items():
        unit = folder / "masters" / name
        unit.mkdir(parents=True)
        (unit / "unit.toml").write_text('title = "Planted"\n', "utf-8")
        (unit / "lesson.py").write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def run(project):
    """Return a function that runs the command in the planted project."""

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "course_grader", "robustness", *arguments],
            cwd=project,
            env=os.environ | {"PYTHONPATH": str(project)},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


@pytest.fixture(scope="module")
def told(run):
    """The planted lesson's claims, by name, and what the command showed and returned."""
    done = run("--unit", "01")
    claims = dict(p.split(": ", 1) for p in done.stdout.split("\n\n") if ": " in p.split("\n")[0])
    return done, claims


def test_each_claim_is_shown_with_its_sentence_and_its_numbers(told):
    done, claims = told
    assert [name for name in NAMES.split() if name in claims] == NAMES.split()
    lines = claims["mean_is_better"].splitlines()
    assert lines[:2] == ["HOLDS", "  The mean is better than the first value."]
    for line, steps in zip(lines[2:], (100, 300), strict=True):
        assert line.split()[:2] == [str(steps), "steps"] and line.endswith("10/10 positive")
        assert 0.9 < float(line.split()[2]) < 1.1 and 0.02 < float(line.split()[4]) < 0.15
    assert "own output" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("only_some", "8/10 positive"),
        ("is_false", "0/10 positive"),
        ("sometimes_raises", "seed 4 raises ZeroDivisionError: division by zero"),
        ("sometimes_nan", "seed 2: nan, which is not finite"),
        ("sometimes_nan", "seed 6: inf, which is not finite"),
        ("unseeded", "seed 0 gives another number when it is called again"),
    ],
)
def test_a_claim_that_does_not_hold_is_named_with_the_reason(told, name, words):
    done, claims = told
    assert claims[name].startswith("DOES NOT HOLD\n") and words in claims[name]
    assert done.returncode == 1 and name in done.stdout.splitlines()[-1]


def test_a_claim_that_longer_training_undoes_does_not_hold(told):
    _, claims = told
    first, _, short, long = claims["short_only"].splitlines()
    assert first == "DOES NOT HOLD"
    assert short.endswith("10/10 positive") and long.endswith("0/10 positive")


def test_an_error_is_told_with_the_lessons_own_line(told):
    _, claims = told
    line = next(i for i, t in enumerate(LESSON.splitlines(), 1) if "1 / (seed - 4)" in t)
    assert f'lesson.py", line {line}, in sometimes_raises' in claims["sometimes_raises"]
    assert claims["sometimes_raises"].count("Traceback") == 2  # at both numbers of steps


def test_the_results_are_kept_with_date_and_versions(told, project):
    kept = json.loads((project / "build/robustness/01_planted.json").read_text("utf-8"))
    assert {"date", "versions", "unit", "master", "claims"} <= kept.keys()
    assert kept["versions"].keys() == {"torch", "numpy", "python"}
    held = {claim["name"]: claim["holds"] for claim in kept["claims"]}
    assert held == dict.fromkeys(NAMES.split(), False) | {"mean_is_better": True}
    [short, long] = kept["claims"][0]["series"]
    assert (short["steps"], long["steps"]) == (100, 300) and len(short["differences"]) == 10
    assert not (project / "progress.json").exists()


def test_one_claim_on_fewer_seeds_as_json(run, project):
    done = run("--unit", "01", "--claim", "mean_is_better", "--seeds", "3", "--json")
    [claim] = json.loads(done.stdout)["claims"]
    assert done.returncode == 0 and claim["holds"] and claim["series"][0]["seeds"] == 3
    assert (project / "build/robustness/01_planted.mean_is_better.json").is_file()
    assert "mean_is_better" in done.stderr  # the progress bar


def test_a_lesson_without_claims_says_how_to_write_one(run):
    done = run("--unit", "02")
    assert done.returncode == 0 and 'claim="One true sentence." steps=1500' in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--unit", "03"], "lesson.py:7: steps=0"),
        (["--unit", "04"], "lesson.py:7: this cell fails when executed"),
        (["--unit", "01", "--claim", "nothing"], "it has mean_is_better, only_some"),
        (["--unit", "01", "--claim", "is_false", "--seeds", "1"], "at least 2 seeds"),
        (["--unit", "09"], "01_planted"),
    ],
    ids=["malformed", "failing", "no claim", "seeds", "no unit"],
)
def test_a_mistake_gets_one_message(run, arguments, words):
    done = run(*arguments)
    assert done.returncode == 2 and words in done.stderr and done.stdout == ""
