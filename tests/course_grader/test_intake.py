"""Every arrival becomes one readable notebook, or the release with a reason; nothing is lost."""

import json
import os
import zipfile

import pytest

from course_grader import notebooks
from course_grader.course import CourseError
from course_grader.intake import intake, student_in
from course_grader.submissions import MAX_BYTES, Unreadable, read_submission


@pytest.fixture
def hand_in(course, unit, release):
    """Return a function that writes one student's file and takes it in."""

    def write(content, name=None, student="ann"):
        path = course.notebook("submitted", unit, student)
        path = path.with_name(name) if name else path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return intake(course, unit)

    return write


def text_of(notebook, **changes):
    return json.dumps(json.loads(json.dumps(notebook)) | changes)


BAD = {
    "broken JSON": ('{"cells": [', "not JSON"),
    "binary garbage": (bytes(range(256)) * 9, "not JSON"),
    "an empty file": ("", "not JSON"),
    "a list": ("[1, 2]", "format 'list'"),
    "an old format": ('{"nbformat": 3, "worksheets": []}', "format 3"),
    "no cells": ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}', "no cells"),
    "cells that are none": ('{"nbformat": 4, "cells": [7]}', "cell 1 is malformed"),
    "deep nesting": ("[" * 100_000, "not JSON"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_unreadable_file_becomes_the_release_with_a_reason(
    name, hand_in, course, unit, release
):
    content, word = BAD[name]
    [arrival] = hand_in(content)
    assert word in arrival.reason and "\n" not in arrival.reason
    taken = notebooks.load(course.notebook("submitted", unit, "ann"))
    assert [c.source for c in taken.cells] == [c.source for c in release.cells]
    kept = list((course.root / "submitted" / ".originals" / "ann" / unit.name).iterdir())
    data = content if isinstance(content, bytes) else content.encode()
    assert [path.read_bytes() for path in kept] == [data]


def test_taking_in_again_changes_nothing(hand_in, course, unit):
    first = hand_in("no JSON")
    before = {p: p.read_bytes() for p in (course.root / "submitted").rglob("*") if p.is_file()}
    assert intake(course, unit) == first
    after = {p: p.read_bytes() for p in (course.root / "submitted").rglob("*") if p.is_file()}
    assert after == before


def test_a_later_good_file_replaces_an_unreadable_one(hand_in, release):
    assert hand_in("no JSON")[0].reason
    assert hand_in(text_of(release))[0].reason == ""


def test_a_large_file_is_refused_before_it_is_parsed(tmp_path):
    path = tmp_path / "large.ipynb"
    with path.open("wb") as file:
        file.truncate(3 * MAX_BYTES)
    with pytest.raises(Unreadable, match="60 MB; at most 20 MB"):
        read_submission(path)


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_linked_notebook_is_refused(link, course, unit):
    path = course.notebook("submitted", unit, "eve")
    path.parent.mkdir(parents=True)
    link(course.notebook("source", unit), path)
    [arrival] = intake(course, unit)
    assert "link" in arrival.reason
    taken = notebooks.load(course.notebook("submitted", unit, "eve"))
    assert "SOLUTION" not in str(taken)
    assert course.notebook("source", unit).is_file()


@pytest.mark.parametrize("level", ["student", "unit"])
def test_a_linked_folder_is_refused(level, course, unit):
    place = course.path("submitted", unit, "eve")
    place = place.parent if level == "student" else place
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(course.path("source", unit), target_is_directory=True)
    [arrival] = intake(course, unit)
    assert "link" in arrival.reason
    assert "SOLUTION" in course.notebook("source", unit).read_text("utf-8")


def test_a_pipe_is_refused_and_does_not_hang(course, unit):
    path = course.notebook("submitted", unit, "eve")
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    assert "not a regular file" in intake(course, unit)[0].reason


def test_two_notebooks_are_refused_by_name(hand_in, release):
    hand_in(text_of(release))
    [arrival] = hand_in(text_of(release), name="copy.ipynb")
    assert arrival.reason.startswith("2 notebooks") and "copy.ipynb" in arrival.reason


def test_a_folder_without_a_notebook_is_told(course, unit):
    course.path("submitted", unit, "ann").mkdir(parents=True)
    assert intake(course, unit)[0].reason == "no notebook"


@pytest.mark.parametrize("spec", [{}, {"kernelspec": {"name": "ir", "display_name": "R"}}])
def test_foreign_or_missing_metadata_is_no_reason(spec, hand_in, release):
    assert hand_in(text_of(release, metadata=spec))[0].reason == ""


NAMES = {
    "ann_12345_67890_01_loss_as_likelihood.ipynb": "ann",
    "ann_LATE_12345_67890_01_loss-1.ipynb": "ann",
    "01_loss_ann_attempt_2026-11-01-12-00-00_work.ipynb": "ann",
    "Ann Example_4711_assignsubmission_file_": "Ann-Example",
    "ann.ipynb": "ann",
    "../../evil": "evil",
    "[ab]*?": "ab",
    "": "unnamed",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_students_id_is_read_from_an_lms_name(name):
    assert student_in(name) == NAMES[name]


def test_an_lms_zip_is_taken_in_and_stays_inside(tmp_path, course, unit, release):
    archive = tmp_path / "lms.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(f"ann_1_2_{unit.name}.ipynb", text_of(release))
        packed.writestr("Bo Example_3_assignsubmission_file_/work.ipynb", text_of(release))
        packed.writestr("../../../escaped.ipynb", text_of(release))
    taken = intake(course, unit, archive)
    assert [a.student for a in taken if not a.reason][:1] == ["Bo-Example"]
    assert course.notebook("submitted", unit, "ann").is_file()
    assert not (course.root.parent / "escaped.ipynb").exists()


@pytest.mark.parametrize("origin", ["missing", "not-a-zip"])
def test_a_wrong_origin_is_told(origin, tmp_path, course, unit):
    path = tmp_path / origin
    if origin == "not-a-zip":
        path.write_text("no zip")
    with pytest.raises(CourseError, match=origin):
        intake(course, unit, path)
