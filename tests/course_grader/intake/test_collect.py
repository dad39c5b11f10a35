"""Every arrival becomes one readable notebook, or the release with a reason; nothing is lost."""

import hashlib
import json
import os
import tracemalloc
import zipfile

import pytest

from course_grader.intake import archive as archive_module
from course_grader.intake.collect import intake
from course_grader.intake.lms import sender_in
from course_grader.intake.parse import MAX_BYTES, Unreadable, read_submission
from course_grader.project import notebooks
from course_grader.project.course import CourseError


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
    "a list": ("[1, 2]", "format list"),
    "an old format": ('{"nbformat": 3, "worksheets": []}', "format 3"),
    "no cells": ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}', "no cells"),
    "cells that are none": ('{"nbformat": 4, "cells": [7]}', "cell 1 is malformed"),
    "deep nesting": ("[" * 100_000, "not JSON"),
}


def kept(course, unit, student):
    """Return {name: bytes} of what intake set aside."""
    files = {p.name: p for p in course.aside(unit, student).iterdir() if p.name != "reason.txt"}
    return {name: path.read_bytes() for name, path in files.items() if not path.is_symlink()}


@pytest.mark.parametrize("name", BAD)
def test_an_unreadable_file_becomes_the_release_with_a_reason(
    name, hand_in, course, unit, release
):
    content, word = BAD[name]
    [arrival] = hand_in(content)
    assert word in arrival.reason and "\n" not in arrival.reason
    taken = notebooks.load(course.notebook("submitted", unit, "ann"))
    assert [c.source for c in taken.cells] == [c.source for c in release.cells]
    data = content if isinstance(content, bytes) else content.encode()
    assert kept(course, unit, "ann") == {f"{unit.name}.ipynb": data}
    assert course.reason(unit, "ann") == arrival.reason


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


ODD = {
    "a lone surrogate in a source": {"source": "x = '\ud800'"},
    "a lone surrogate in a grade id": {"metadata": {"nbgrader": {"grade_id": "\ud800"}}},
    "metadata that is a list": {"metadata": []},
    "metadata that is null": {"metadata": None},
    "outputs that are words": {"outputs": ["x"], "execution_count": "x"},
    "attachments that are words": {"attachments": "x"},
    "a cell type that is a list": {"cell_type": []},
    "an id with a slash": {"id": "../../x"},
    "an id that is taken": {"id": "gaussian-nll"},
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_cell_stops_nobody(name, course, unit, release):
    for student, change in {"ann": {}, "eve": ODD[name]}.items():
        data = json.loads(json.dumps(release))
        data["cells"][0] |= change
        path = course.notebook("submitted", unit, student)
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(data), "utf-8")
    assert [(a.student, a.reason) for a in intake(course, unit)] == [("ann", ""), ("eve", "")]
    assert len(notebooks.load(course.notebook("submitted", unit, "eve")).cells) == len(
        release.cells
    )


@pytest.mark.parametrize(
    "change", [{"metadata": None}, {"nbformat_minor": "x"}, {"more": "\ud800"}]
)
def test_odd_metadata_of_the_notebook_is_no_reason(change, hand_in, release):
    assert hand_in(text_of(release, **change))[0].reason == ""


def test_too_many_cells_and_too_much_text_are_refused(hand_in, release):
    many = text_of(release, cells=[{"cell_type": "code", "source": "1"}] * 30_000)
    assert "30000 cells" in hand_in(many)[0].reason
    long = text_of(release, cells=[{"cell_type": "code", "source": "0\n" * 300_000}])
    assert "600000 characters" in hand_in(long)[0].reason


def test_what_lies_beside_the_notebook_is_set_aside(course, unit, release, tmp_path):
    secret = tmp_path / "answers.py"
    secret.write_text("secret")
    path = course.notebook("submitted", unit, "eve")
    notebooks.save(release, path)
    path.with_name("notes.txt").symlink_to(secret)
    path.with_name("look.html").write_text("<script>")
    os.mkfifo(path.with_name("timestamp.txt"))
    intake(course, unit)
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert secret.read_text() == "secret"


@pytest.mark.parametrize("level", ["student", "unit"])
def test_a_link_to_another_student_costs_that_student_nothing(level, course, unit, release):
    victim = course.notebook("submitted", unit, "zoe")
    notebooks.save(release, victim)
    place = course.path("submitted", unit, "eve")
    place = place.parent if level == "student" else place
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(victim.parents[1] if level == "student" else victim.parent)
    reasons = {a.student: a.reason for a in intake(course, unit)}
    assert "link" in reasons["eve"] and reasons["zoe"] == ""
    there = notebooks.load(victim).cells
    assert [c.source for c in there] == [c.source for c in release.cells]


def test_a_students_own_reason_is_not_heard(hand_in, release, course, unit):
    words = "=HYPERLINK() full marks\x1b[31m"
    assert hand_in(text_of(release, metadata={"intake": words}))[0].reason == ""
    assert words not in course.notebook("submitted", unit, "ann").read_text("utf-8")


def test_students_of_one_name_are_kept_apart(tmp_path, course, unit, release):
    archive = tmp_path / "lms.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for number in (101, 102):
            packed.writestr(f"smithjohn_{number}_7_work.ipynb", text_of(release))
    students = [a.student for a in intake(course, unit, archive)]
    assert len(set(students)) == 2 and all(s.startswith("smithjohn-") for s in students)


NAMES = {
    "A1_bob_attempt_2026-11-01-12-00-00_x_alice_attempt_2026-11-01-12-00-00_.ipynb": "bob",
    "王伟_1_assignsubmission_file_": "王伟",
    "Müller.ipynb": "Müller",
    "ann_12345_67890_01_loss_as_likelihood.ipynb": "ann-12345",
    "ann_LATE_12345_67890_01_loss-1.ipynb": "ann-12345",
    "01_loss_ann_attempt_2026-11-01-12-00-00_work.ipynb": "ann",
    "Ann Example_4711_assignsubmission_file_": "Ann-Example",
    "ann.ipynb": "ann",
    "../../evil": "evil",
    "[ab]*?": "ab",
    "": "unnamed",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_students_id_is_read_from_an_lms_name(name):
    assert sender_in(name).plain_id == NAMES[name]


def test_an_lms_zip_is_taken_in_and_stays_inside(tmp_path, course, unit, release):
    archive = tmp_path / "lms.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(f"ann_1_2_{unit.name}.ipynb", text_of(release))
        packed.writestr("Bo Example_3_assignsubmission_file_/work.ipynb", text_of(release))
        packed.writestr("../../../escaped.ipynb", text_of(release))
    taken = intake(course, unit, archive)
    assert [a.student for a in taken if not a.reason][:1] == ["Bo-Example"]
    assert course.notebook("submitted", unit, "ann-1").is_file()
    assert not (course.root.parent / "escaped.ipynb").exists()


def test_moodles_folder_of_words_is_a_submission_only_where_there_is_no_file(
    tmp_path, course, unit, release
):
    archive = tmp_path / "moodle.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for kind, name in (("file", "work.ipynb"), ("onlinetext", "onlinetext.html")):
            packed.writestr(f"Ann Example_1_assignsubmission_{kind}/{name}", text_of(release))
        packed.writestr("Bo Example_2_assignsubmission_onlinetext/onlinetext.html", "see mail")
    taken = intake(course, unit, archive)
    assert students(taken) == [("Ann-Example", False), ("Bo-Example", True)]


def students(arrivals):
    return [(arrival.student, bool(arrival.reason)) for arrival in arrivals]


def test_long_names_and_broken_members_of_a_zip_cost_only_themselves(
    tmp_path, course, unit, release
):
    archive = tmp_path / "lms.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(f"eve_1_2_{'a' * 300}.ipynb", text_of(release))
        packed.writestr(f"{'b' * 300}.ipynb", text_of(release))
        packed.writestr("zoe.ipynb", text_of(release))
    taken = intake(course, unit, archive)
    assert ("zoe", False) in students(taken) and len(taken) == 3
    assert not any(arrival.reason for arrival in taken)
    assert len(intake(course, unit)) == 3


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED])
def test_a_bomb_in_a_zip_costs_only_itself(kind, tmp_path, course, unit, release):
    """In the LMS's zip, and as a student's own; of the class's the small ones are read first."""
    archive, own = tmp_path / "lms.zip", tmp_path / "own.zip"
    with zipfile.ZipFile(own, "w", kind) as packed:
        packed.writestr("work.ipynb", b" " * 60_000_000)
    with zipfile.ZipFile(archive, "w", kind) as packed:
        packed.writestr("bo.ipynb", b" " * 60_000_000)
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("ann.ipynb", text_of(release))
        packed.writestr("eve.zip", own.read_bytes())
    tracemalloc.start()
    taken = {arrival.student: arrival.reason for arrival in intake(course, unit, archive)}
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken.keys() == {"ann", "bo", "eve"} and taken["ann"] == "" != taken["bo"]
    unusual = "packed in an unusual way" if kind != zipfile.ZIP_DEFLATED else "more than 20 MB"
    assert unusual in taken["eve"]
    assert peak < 50_000_000


def test_a_zip_that_unpacks_to_too_much_leaves_out_what_is_largest(
    tmp_path, course, unit, release, monkeypatch
):
    text = text_of(release)
    monkeypatch.setattr(archive_module, "MAX_ZIP_BYTES", 2 * len(text) + 100_000)
    archive = tmp_path / "lms.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("eve.ipynb", b" " * 19_000_000)
        packed.writestr("ann.ipynb", text)
        packed.writestr("zoe.ipynb", text)
    taken = students(intake(course, unit, archive))
    assert taken == [("ann", False), ("eve", True), ("zoe", False)]


def test_names_that_are_no_utf8_stop_nobody(course, unit, release):
    folder = course.root / "submitted"
    folder.mkdir()
    for raw in (b"M\xfcller.ipynb", b"M\xf6ller.ipynb", b"ann.ipynb"):
        with open(os.path.join(os.fsencode(folder), raw), "w") as file:
            file.write(text_of(release))
    taken = students(intake(course, unit))
    assert len({student for student, _ in taken}) == 3 and ("ann", False) in taken


def test_an_id_that_is_forged_takes_nobodys_place(course, unit, release):
    folder = course.root / "submitted"
    folder.mkdir()
    code = hashlib.sha256(b"Ann Example.ipynb").hexdigest()[:6]
    for name in ("Ann Example", "Ann-Example", f"Ann-Example-{code}"):
        (folder / f"{name}.ipynb").write_text(text_of(release), "utf-8")
    assert len(students(intake(course, unit))) == 3


@pytest.mark.parametrize("name", ["Ann Example_4711_assignsubmission_file_", "Ann Example", "ann"])
def test_taking_in_a_folder_twice_makes_no_new_student(name, course, unit, release):
    path = course.root / "submitted" / name / "work.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(text_of(release), "utf-8")
    first = intake(course, unit)
    assert len(first) == 1 and intake(course, unit) == first


def test_a_loose_file_takes_the_place_of_earlier_work(course, unit, release):
    folder = course.root / "submitted"
    folder.mkdir()
    for words in ("first", "second"):
        release.cells[0].source = words
        (folder / "ann.ipynb").write_text(text_of(release), "utf-8")
        assert students(intake(course, unit)) == [("ann", False)]
    there = notebooks.load(course.notebook("submitted", unit, "ann"))
    assert there.cells[0].source == "second"


def test_a_zip_with_one_folder_around_everything_is_unwrapped(tmp_path, course, unit, release):
    archive = tmp_path / "lms.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("Class/ann.IPYNB", text_of(release))
        packed.writestr("Class/bo.ipynb", text_of(release))
    assert students(intake(course, unit, archive)) == [("ann", False), ("bo", False)]


@pytest.mark.parametrize("origin", ["missing", "not-a-zip"])
def test_a_wrong_origin_is_told(origin, tmp_path, course, unit):
    path = tmp_path / origin
    if origin == "not-a-zip":
        path.write_text("no zip")
    with pytest.raises(CourseError, match=origin):
        intake(course, unit, path)


@pytest.mark.parametrize(
    ("text", "stays"), [("2026-11-20 09:00:00 UTC", True), ("<script>", False), ("1" * 200, False)]
)
def test_a_timestamp_stays_if_nbgrader_can_read_it(text, stays, course, unit, release):
    path = course.notebook("submitted", unit, "ann")
    notebooks.save(release, path)
    path.with_name("timestamp.txt").write_text(text)
    intake(course, unit)
    intake(course, unit)
    assert path.with_name("timestamp.txt").exists() == stays
