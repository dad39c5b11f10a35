"""Feedback goes to whom an LMS finds again, and whoever is left out is named."""

import zipfile

from course_grader.__main__ import main
from course_grader.intake.arrival_notes import tell_sender
from course_grader.intake.lms import Sender, sender_in

ENTRIES = {
    "doejane-7": "doejane_LATE_7_88_hw.ipynb.txt",
    "roeann-8": "roeann_8_text.html",  # typed into Canvas: there is no file to hang a page on
    "bo": "bo.ipynb",
}


CHOSEN = Sender("doe_4101_778_jane", "canvas", "9", file="hw.ipynb")  # her own choice


def test_a_typed_text_gets_no_page_that_canvas_would_drop_untold(course, unit, capsys):
    for student, entry in ENTRIES.items():
        tell_sender(course.aside(unit, student), sender_in(entry), entry)
        page = course.notebook("feedback", unit, student).with_suffix(".html")
        page.parent.mkdir(parents=True)
        page.write_text("<html>")
    tell_sender(course.aside(unit, "bo"), CHOSEN, "doe_4101_778_jane_9_88_hw.ipynb")
    words = ["feedback", "--to", "canvas", "--unit", "01", "--course", str(course.root)]
    assert main(words) == 0
    assert "not in this one: roeann-8" in capsys.readouterr().out
    with zipfile.ZipFile(course.root / "records" / "feedback-canvas-01.zip") as archive:
        assert set(archive.namelist()) == {
            "doejane_LATE_7_88_hw.html",
            "doe4101778jane_9_88_hw.html",
        }
