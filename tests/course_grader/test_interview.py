"""The mock interview: from the command line into work/, answered, told and scored."""

import json
import math
import os
import re

import nbformat
import numpy as np
import pytest
import torch
from nbclient import NotebookClient
from scipy import stats

from course_grader.__main__ import main
from course_grader.interview import QUESTIONS, draw, prepare_interview, read_bank
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, CourseError, units
from course_utils.progress import progress

BANK = read_bank()
COSTS = {"few": 1.0, "many": 4.0}


def truth_of_smoothing():
    target = torch.full((10,), 0.01).double()
    target[0] = 0.91
    return torch.nn.functional.cross_entropy(target.log()[None], target[None])


def best_order():
    demand, orders = np.arange(1, 1001) / 1000, np.linspace(0, 1, 1001)
    short, left = np.maximum(demand - orders[:, None], 0), np.maximum(orders[:, None] - demand, 0)
    return orders[(COSTS["many"] * short + COSTS["few"] * left).mean(1).argmin()]


def days_for(power, effect=0.5):
    days = np.arange(2, 60, 0.01)
    z = stats.norm.ppf(0.975)
    found = stats.norm.sf(z - effect * days**0.5) + stats.norm.cdf(-z - effect * days**0.5)
    return days[np.argmax(found >= power)]


def narrowest():
    covariance = np.array([[1, 0.9], [0.9, 1]])
    return 1 / np.linalg.inv(covariance)[0, 0]


ORACLES = {
    "00-two-means": lambda: (torch.zeros(64, 1) - torch.zeros(64)).numel(),
    "01-metres-to-millimetres": lambda: (
        stats.norm.logpdf(0.7, 0, 2) - stats.norm.logpdf(700, 0, 2000)
    ),
    "02-newsvendor": best_order,
    "03-entropy-floor": truth_of_smoothing,
    "05-brier-and-log-loss": lambda: stats.bernoulli(0.99).logpmf(0) * -1,
    "05-reject": lambda: 1 - 2 / 50,
    "08-members": lambda: math.sqrt(np.mean(np.arange(-2, 3) ** 2 + 1.0)),
    "09-mean-field": narrowest,
    "12-bits": lambda: -3.2 + math.log2(256),
    "14-power": lambda: days_for(0.8),
}


@pytest.mark.parametrize("name", [name for name, q in BANK.items() if "number" in q])
def test_each_number_is_what_an_oracle_finds(name):
    question = BANK[name]
    assert float(ORACLES[name]()) == pytest.approx(
        question["number"], abs=question.get("within", 0) / 2 + 1e-4
    )
    tolerance = question.get("within", 0)
    for wrong in question["because"]:
        assert abs(float(wrong) - question["number"]) > 2 * tolerance, wrong


def test_every_unit_asks_and_every_answer_is_shown_in_its_lesson():
    names = {unit.name for unit in units()}
    assert {name[:2] for name in BANK} == {name[:2] for name in names}
    for question in BANK.values():
        unit, heading = question["see"]
        lesson = notebooks.load(PROJECT / "notebooks" / f"{unit}.ipynb")
        text = "\n".join(c.source for c in lesson.cells if c.cell_type == "markdown")
        assert re.search(rf"^#+ {re.escape(heading)}$", text, re.M), question["name"]


def test_the_same_seed_draws_the_same_and_others_draw_all():
    assert list(draw(BANK, 7)) == list(draw(BANK, 7))
    met = [set(draw(BANK, seed)) for seed in range(1, 41)]
    assert all(len(one) == sum(QUESTIONS.values()) == 10 for one in met)
    assert set.union(*met) == set(BANK)


@pytest.fixture
def project(tmp_path):
    (tmp_path / "masters").mkdir()
    (tmp_path / "masters" / "interview.toml").symlink_to(PROJECT / "masters" / "interview.toml")
    return tmp_path


def test_the_command_makes_ten_questions_and_never_touches_them_again(
    project, monkeypatch, capsys
):
    monkeypatch.setattr("course_grader.learner_commands.PROJECT", project)
    for expected in ("interview/1", "interview/2", "interview/7"):
        seed = ["--seed", "7"] if expected.endswith("7") else []
        assert main(["interview", *seed]) in (None, 0)
        assert capsys.readouterr().out.strip() == f"{expected}/interview.ipynb"
    notebook = project / "work" / "interview" / "7" / "interview.ipynb"
    asked = re.findall(r'ask\(\\"([^"]+)\\"\)', notebook.read_text("utf-8"))
    assert asked == list(draw(BANK, 7))
    notebook.write_text("mine")
    main(["interview", "--seed", "7"])
    assert notebook.read_text() == "mine"


def test_a_seed_that_is_none_and_a_damaged_bank_are_told(project):
    with pytest.raises(CourseError, match="SEED=0"):
        prepare_interview(0, project=project)
    (project / "masters" / "interview.toml").unlink()
    bank = project / "masters" / "interview.toml"
    bank.write_text('[[question]]\nname = "00-x"\nask = "?"\nnumber = 1\n')
    with pytest.raises(CourseError, match="00-x: because, see missing"):
        read_bank(project)


def answered(project, seed, answer):
    """Return what an interview's last cell shows, after answers typed into the notebook."""
    path = prepare_interview(seed, project=project)
    notebook = nbformat.read(path, 4)
    questions = json.loads((path.parent / "questions.json").read_text("utf-8"))
    for cell in notebook.cells:
        if match := re.fullmatch(r'ask\("(.+)"\)', cell.source):
            cell.source = f"ask({match[1]!r}, {answer(questions[match[1]])!r})"
    environment = os.environ | {"COURSE_PROGRESS": "on", "PYTHONPATH": str(PROJECT)}
    client = NotebookClient(
        notebook, timeout=60, resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute(env=environment)
    return "".join(o.get("text", "") or o.data["text/plain"] for o in notebook.cells[-1].outputs)


def right(question):
    return question.get("right", question.get("number", "words"))


def wrong(question):
    if "points" in question:
        return "words"
    first = next(iter(question["because"]))
    return first if "choices" in question else float(first)


def test_right_answers_score_and_wrong_ones_are_told_why(project, monkeypatch):
    told = answered(project, 3, right)
    assert told.count(": right") == 8
    assert "You said: words" in told and "8 of 10, with 10 answered" in told
    told = answered(project, 4, wrong)
    assert ": right" not in told and "0 of 10, with 10 answered" in told
    for question in draw(BANK, 4).values():
        if "because" in question:
            assert next(iter(question["because"].values())) in told
        else:
            assert question["why"] in told
        assert repr(question["see"][1]) in told
    kept = json.loads((project / "work" / "interview" / "4" / "progress.json").read_text("utf-8"))
    assert len(kept["predictions"]) == 10
    monkeypatch.setenv("COURSE_PROGRESS", "on")
    told = str(progress(project / "work"))
    assert "Interview 3: 10 of 10 answered, 8 right" in told
    assert "Interview 4: 10 of 10 answered, 0 right" in told
