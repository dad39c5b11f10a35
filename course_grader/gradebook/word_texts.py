"""What a student wrote in a cell for words: the text that was graded, before it is fenced."""

__all__ = ["released_words", "text_of"]

import functools
import json

import nbformat

from course_grader.gradebook.preprocessors import rebuilt
from course_grader.project import notebooks
from course_grader.project.course import Course, Unit
from course_grader.project.faults import words_of


def text_of(course: Course, unit: Unit, student: str, question: str) -> str:
    """Return the text of a student's answer, exactly as typed.

    A file that is gone or damaged since it was graded is told in place of the text.

    Parameters
    ----------
    course : Course
    unit : Unit
    student, question : str
    """
    try:
        return _words_in(course, unit, student, question)
    except Exception as error:  # others' answers can still be graded
        return f"(not to be read in submitted/ any more: {words_of(error)}; grade again)"


@functools.cache
def released_words(course: Course, unit: Unit, question: str) -> str:
    """Return what stands in the cell when nobody has written in it."""
    release = notebooks.load(course.notebook("release", unit))
    return next(cell.source for cell in release.cells if cell.id == question)


def _words_in(course, unit, student, question):
    path = course.notebook("submitted", unit, student)
    cells = json.loads(path.read_text("utf-8"))["cells"]
    found = next((cell for cell in cells if _grade_id(cell) == question), None)
    if found is None:  # an editor dropped the ids: found as grading finds it, which takes longer
        notebook = rebuilt(nbformat.read(path, as_version=4), course, unit, student)
        found = next(cell for cell in notebook.cells if cell.id == question)
    return "".join(found["source"])


def _grade_id(cell):
    return cell["metadata"].get("nbgrader", {}).get("grade_id")
