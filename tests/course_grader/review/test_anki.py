"""make review TO=anki: a text file as Anki reads it, whose notes stay the same notes."""

import csv
import json

import pytest

from course_grader.__main__ import main
from course_grader.project.course import PROJECT, units
from course_grader.workspace import prepare_work

UNIT = units()[1]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose learner has read unit 01 to its end."""
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    monkeypatch.setattr("course_grader.learner_commands.PROJECT", tmp_path)
    for tree in ("notebooks", "release", "docs"):
        (tmp_path / tree).symlink_to(PROJECT / tree)
    prepare_work([UNIT], project=tmp_path, say=lambda words: None)
    return tmp_path


def read_on(project, **more):
    told = {"01-errors-behind-the-mean": {"ask": "?", "choice": "?", "right": True}}
    book = {"predictions": told, **more}
    (project / "work" / UNIT.name / "progress.json").write_text(json.dumps(book))


def exported(project):
    """Return headers and notes as an importer reads them: a CSV below lines that begin with #."""
    assert main(["review", "--to", "anki"]) == 0
    lines = (project / "work" / "review-anki.txt").read_text("utf-8").splitlines()
    head = dict(line[1:].split(":", 1) for line in lines if line.startswith("#"))
    assert head["separator"] == "tab"
    notes = list(csv.reader((line for line in lines if line[0] != "#"), delimiter="\t"))
    return head, notes


def test_each_card_is_a_note_with_a_guid_and_tags(project, capsys):
    read_on(project, mistakes={"gaussian-nll": {"sign-flipped": "Down, not <up>."}})
    head, notes = exported(project)
    assert "15 cards: work/review-anki.txt" in capsys.readouterr().out
    assert head["html"] == "true"
    places = {name: int(head[f"{name} column"]) - 1 for name in ("guid", "tags")}
    assert head["columns"].split("\t") == ["guid", "Front", "Back", "tags"]
    assert {len(note) for note in notes} == {4} and len(notes) == 15
    guids = [note[places["guid"]] for note in notes]
    assert len(set(guids)) == 15 and "pml-01-mean-and-median" in guids
    assert all(note[places["tags"]] == "pml unit-01" for note in notes)
    mistake = next(note for note in notes if "sign-flipped" in note[0])
    assert "Down, not &lt;up&gt;." in mistake[2]
    choice = next(note for note in notes if note[0] == "pml-01-errors-behind-the-mean")
    assert choice[1].count("<li>") == 3 and choice[2].startswith("Normal, all of one scale")


def test_an_edited_card_is_the_same_note(project):
    read_on(project)
    before = exported(project)[1]
    path = project / "work" / UNIT.name / "cards.json"
    known = json.loads(path.read_text("utf-8"))
    known["cards"][0]["ask"] = 'A tab\tand a "quote",\nand a line'
    path.write_text(json.dumps(known))
    after = exported(project)[1]
    assert [note[0] for note in after] == [note[0] for note in before]
    assert after[0][1] == "A tab and a &quot;quote&quot;, and a line"
    assert after[1:] == before[1:]


def test_without_a_card_nothing_is_written(project, capsys):
    assert main(["review", "--to", "anki"]) == 2
    assert "No card to export yet" in capsys.readouterr().err
    assert not (project / "work" / "review-anki.txt").exists()
