"""make review: by keyboard, by the command line, for sixty days, and when nothing is there."""

import datetime
import io
import json
import random
import re
import shutil
import subprocess
import sys

import fsrs
import pytest

from course_grader.__main__ import main
from course_grader.project.course import PROJECT, units
from course_grader.review import terminal
from course_grader.workspace import prepare_work
from course_utils.review import schedule

UNIT = units()[1]
START = datetime.date(2026, 11, 28)
OPENING = "01-errors-behind-the-mean"  # told last
BY_NAME = {"due": r"(\d+) cards? (?:is|are) due", "tomorrow": r"Due tomorrow: (\d+)"}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose work/ holds unit 01, at a day that a test may move."""
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    monkeypatch.setattr("course_grader.learner_commands.PROJECT", tmp_path)
    monkeypatch.setattr(schedule, "today", lambda: START)
    for tree in ("notebooks", "release", "docs"):
        (tmp_path / tree).symlink_to(PROJECT / tree)
    prepare_work([UNIT], project=tmp_path, say=lambda words: None)
    return tmp_path


def tells(project, *names, told=True, **more):
    """Commit to predictions of unit 01, and tell their answers."""
    kept = {
        name: {"ask": "?", "choice": "?"} | ({"right": False} if told else {}) for name in names
    }
    book = {"predictions": kept, **more}
    (project / "work" / UNIT.name / "progress.json").write_text(json.dumps(book))


def cards_of(project):
    known = json.loads((project / "work" / UNIT.name / "cards.json").read_text("utf-8"))
    return {card["name"]: card for card in known["cards"]}


def review(monkeypatch, capsys, *options, keys=""):
    """Run the command with lines on standard input; return its status, and what it printed."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(keys))
    status = main(["review", *options])
    shown = capsys.readouterr()
    return status, shown.out + shown.err


def said(what, shown):
    """Return a number that was shown, or 0."""
    found = re.search(BY_NAME[what], shown)
    return int(found[1]) if found else 0


class Learner:
    """Answers prompts as they come, by chance; notes the rating of each card."""

    def __init__(self, cards, chance):
        self.cards = {card["ask"]: card for card in cards.values()}
        self.chance, self.card, self.ratings = chance, None, {}

    def sits(self, work, **limits):
        """Answer what is due; return all that was shown, and keep the ratings."""
        self.ratings, self.heard = {}, []
        terminal.review(work, ask=self.ask, say=self.say, **limits)
        return "\n".join(self.heard)

    def say(self, line):
        self.heard.append(line)
        flat = " ".join(line.split())
        self.card = next((c for ask, c in self.cards.items() if ask == flat), self.card)

    def ask(self, prompt):
        if prompt.startswith("Enter shows"):
            return ""
        if prompt.startswith(("1 forgotten", "Known")):
            rating = self.chance.choices("1234" if prompt[0] == "1" else "0234", [0, 2, 5, 1])[0]
            rating = "1" if prompt[0] == "1" and self.chance.random() < 0.2 else rating
            self.ratings[self.card["name"]] = int(rating)
            return rating
        right = self.chance.random() < 0.7
        if not right:
            self.ratings[self.card["name"]] = schedule.AGAIN
        if "choices" in self.card:
            wrong = next(c for c in self.card["choices"] if c != self.card["right"])
            chosen = self.card["right"] if right else wrong
            return str(self.card["choices"].index(chosen) + 1)
        return str(self.card["number"] if right else self.card["number"] + 1e6)


def test_sixty_days_of_review_are_those_of_fsrs(project, monkeypatch):
    """What is due each day is what FSRS, asked directly, says; each day begins from the disk."""
    scheduler = fsrs.Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    cards, known = cards_of(project), {}
    learner = Learner(cards, random.Random(1))
    for number in range(60):
        day = START + datetime.timedelta(days=number)
        noon = datetime.datetime.combine(day, datetime.time(12), datetime.UTC)
        reached = OPENING if number >= 10 else "01-ten-times-narrower"
        tells(project, reached)
        met = [name for name, card in cards.items() if card["place"] <= cards[reached]["place"]]
        due = [name for name in met if name not in known or known[name].due <= noon]
        monkeypatch.setattr(schedule, "today", lambda day=day: day)
        heard = learner.sits(project / "work", cards=4)
        assert said("due", heard) == len(due), day
        assert set(learner.ratings) <= set(due) and len(learner.ratings) == min(4, len(due))
        for name, rating in learner.ratings.items():
            card = known.get(name, fsrs.Card(due=noon))
            known[name], _ = scheduler.review_card(card, fsrs.Rating(rating), noon)
        tomorrow = noon + datetime.timedelta(days=1)
        left = [name for name in met if name not in known or known[name].due <= tomorrow]
        assert not due or said("tomorrow", heard) == len(left)
    assert len(known) == len(cards)


def test_answers_are_typed_told_and_kept_and_q_stops(project, monkeypatch, capsys):
    tells(project, "01-steps-of-squared-error", mistakes={"gaussian-nll": {"sign": "It is up."}})
    keys = "\n3\n\n1\n0\n-1.38\n4\nq\n"
    status, told = review(monkeypatch, capsys, keys=keys)
    assert status == 0
    assert "8 cards are due, 8 for now" in told
    assert (
        "Shown in 01_loss_as_likelihood/01_lesson.ipynb, under 'From a density to a loss'" in told
    )
    assert "A hit costs least, but least is not nothing" in " ".join(told.split())
    assert "4 cards answered, 3 to be seen again soon. 4 cards still due" in told
    assert said("due", review(monkeypatch, capsys, keys="q\n")[1]) == 4


def test_what_is_no_answer_is_asked_again(project, monkeypatch, capsys):
    tells(project, OPENING)
    folder = project / "work" / UNIT.name
    cards = {n: c for n, c in cards_of(project).items() if n in (OPENING, "01-softmax-twice")}
    (folder / "cards.json").write_text(json.dumps({"title": "T", "cards": [*cards.values()]}))
    number, choice = cards["01-softmax-twice"], cards[OPENING]
    place = choice["choices"].index(choice["right"]) + 1
    keys = f"many\n{number['number']}\n1\n\n0\n4\n{place}\n5\n4\n"
    status, told = review(monkeypatch, capsys, keys=keys)
    assert status == 0 and "2 cards answered, 0 to be seen again" in told
    assert "the answer is a number" in told and "got 'many'; q stops" in told
    assert "'0' is none of 1, 2, 3; q stops" in told and "'5' is none of 2, 3, 4" in told
    assert "'1' is none of 2, 3, 4; q stops" in told  # right is right: it is not forgotten
    stability = {n: s["stability"] for n, s in schedule.read(folder).items()}
    assert stability["01-softmax-twice"] < stability[OPENING]  # good, and easy


def test_limits_end_it_and_are_told_if_they_are_none(project, monkeypatch, capsys):
    tells(project, OPENING)
    _, told = review(monkeypatch, capsys, "--cards", "1", keys="\n4\n")
    assert "14 cards are due, 1 for now" in told and "13 cards still due today" in told
    for option in ("cards", "minutes"):
        status, told = review(monkeypatch, capsys, f"--{option}", "0")
        assert status == 2 and f"{option.upper()}=0" in told and "Traceback" not in told


def test_nothing_due_and_no_work_are_told(project, monkeypatch, capsys, tmp_path):
    assert "Nothing is due" in review(monkeypatch, capsys)[1]
    monkeypatch.setattr("course_grader.learner_commands.PROJECT", tmp_path / "elsewhere")
    status, told = review(monkeypatch, capsys)
    assert status == 0 and "no work/ yet: 'make lab'" in told
    assert not (tmp_path / "elsewhere").exists()
    monkeypatch.setenv("COURSE_PROGRESS", "off")
    status, told = review(monkeypatch, capsys)
    assert status == 2 and "COURSE_PROGRESS is off" in told


def test_a_damaged_history_is_kept_aside_told_and_begun_anew(project, monkeypatch, capsys):
    tells(project, "01-ten-times-narrower")
    path = project / "work" / UNIT.name / schedule.FILE
    path.write_text("{")
    with pytest.warns(UserWarning, match=r"kept as review\.damaged-1\.json"):
        review(monkeypatch, capsys, keys="\n3\nq\n")
    assert path.with_name("review.damaged-1.json").read_text() == "{"
    assert len(schedule.read(path.parent)) == 1


def test_new_cards_take_the_place_of_old_ones(project, monkeypatch, capsys):
    path = project / "work" / UNIT.name / "cards.json"
    tells(project, "01-ten-times-narrower")
    whole = path.read_text("utf-8")
    path.write_text('{"cards": []}')
    review(monkeypatch, capsys)
    assert path.read_text("utf-8") == '{"cards": []}'  # newer than what it is made from
    path.unlink()
    assert "cards are due" in review(monkeypatch, capsys)[1]
    assert path.read_text("utf-8") == whole


def test_progress_names_what_is_due_and_the_page_that_asks(project, capsys):
    tells(project, "01-ten-times-narrower")
    assert main(["progress"]) == 0
    assert "Review: 3 cards are due; 'make review' asks them" in capsys.readouterr().out
    assert (project / "work" / "review.ipynb").is_file()


def test_make_hands_everything_on():
    given = ["TO=anki", "CARDS=7", "MINUTES=3"]
    done = subprocess.run(
        ["make", "-n", "--no-print-directory", "review", *given],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert 'review --to "$TO" --cards "$CARDS" --minutes "$MINUTES"' in done.stdout


def test_make_asks_in_a_clone_and_what_was_answered_outlives_the_process(project, monkeypatch):
    """With the day of the machine, and keys on standard input."""
    for folder in ("course_grader", "course_utils"):
        shutil.copytree(PROJECT / folder, project / folder)
    for name in ("masters", "Makefile"):
        (project / name).symlink_to(PROJECT / name)
    python, link = project / "environment" / "bin" / "python", project / ".venv"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (project / "environment" / ".complete").touch()
    link.symlink_to(project / "environment")
    tells(project, "01-ten-times-narrower")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    told = [
        subprocess.run(
            ["make", "review"], cwd=project, input=keys, capture_output=True, text=True, check=True
        ).stdout
        for keys in ("\n3\n\n4\n", "q\n")
    ]
    assert [said("due", one) for one in told] == [3, 1]
    assert "2 cards answered, 0 to be seen again soon" in told[0]
