"""Answers in words: a person grades them, nobody else's text or points are touched by that."""

import pytest
from nbgrader.api import Gradebook

from course_grader.authoring.composer import Composer, cell_of
from course_grader.authoring.exercises import read_assignment
from course_grader.gradebook.grade import grade
from course_grader.gradebook.saving import write_feedback
from course_grader.project import notebooks
from course_grader.project.course import Course, find_unit

UNIT = find_unit("05")
[WORDS] = read_assignment(UNIT).written
COURSE_ID = "probabilistic_ml"
ANSWER = "A base rate is calibrated, yet [useless](javascript:alert(1)). <script>alert(1)</script>"


@pytest.fixture(scope="module")
def answered(tmp_path_factory, shared_forkserver):
    """A class of two: one wrote an answer in words, one left the cell as it was."""
    course = Course.throwaway(tmp_path_factory.mktemp("words") / "course", UNIT)
    composer = Composer(course, UNIT)
    for student, words in (("writer", ANSWER), ("silent", None)):
        notebook, score = composer.compose()
        if words:
            cell_of(notebook, WORDS).source = words
        composer.hand_in(student, notebook, score)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("course_grader.execution.cache.preloading", shared_forkserver)
        graded = grade(course, UNIT, progress=False)
    return course, {result.student: result for result in graded}


def grade_of(course, student):
    with Gradebook(course.db_url, COURSE_ID) as gradebook:
        found = gradebook.find_grade(WORDS, UNIT.name, UNIT.name, student)
        return found.needs_manual_grade, found.score, found.max_score


def test_the_release_asks_and_tells_nothing():
    release = notebooks.load(Course().notebook("release", UNIT))
    cell = cell_of(release, WORDS)
    assert cell.source.strip() == "YOUR ANSWER HERE" and cell.cell_type == "markdown"
    assert "Rubric" not in str(release)
    solved = notebooks.load(Course().root / "solutions" / f"{UNIT.name}.ipynb")
    assert sum("**Rubric.**" in cell.source for cell in solved.cells) == 1


def test_only_written_words_wait_for_a_person(answered):
    course, graded = answered
    assert grade_of(course, "writer") == (True, 0, 3)
    assert grade_of(course, "silent") == (False, 0, 3)
    records = [result.record for result in graded.values()]
    assert {(one["score"], one["max_score"]) for one in records} == {(35, 35)}


def test_words_reach_the_reader_as_they_were_typed_and_run_nothing(answered):
    course, _ = answered
    write_feedback(course, UNIT)
    shown = cell_of(notebooks.load(course.notebook("autograded", UNIT, "writer")), WORDS).source
    assert ANSWER in shown and shown.startswith("```")
    page = course.notebook("feedback", UNIT, "writer").with_suffix(".html").read_text("utf-8")
    assert "A base rate is calibrated" in page and "<script>alert(1)" not in page
    assert 'href="javascript:' not in page


def test_points_given_by_hand_stay_when_the_class_is_graded_again(answered, shared_forkserver):
    course, _ = answered
    with Gradebook(course.db_url, COURSE_ID) as gradebook:
        gradebook.find_grade(WORDS, UNIT.name, UNIT.name, "writer").manual_score = 2
        gradebook.find_grade(WORDS, UNIT.name, UNIT.name, "writer").needs_manual_grade = False
        gradebook.db.commit()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("course_grader.execution.cache.preloading", shared_forkserver)
        grade(course, UNIT, progress=False)
    assert grade_of(course, "writer")[1:] == (2, 3)
    with Gradebook(course.db_url, COURSE_ID) as gradebook:
        assert gradebook.find_submission(UNIT.name, "writer").score == 37
