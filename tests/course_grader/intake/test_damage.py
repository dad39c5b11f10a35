"""A damaged but honest notebook gets the points of what it holds, or one line that says why."""

import pytest
from nbgrader.api import Gradebook

from course_grader.authoring.composer import Composer
from course_grader.gradebook.grade import grade
from course_grader.project.course import Course
from tests.course_grader.intake.damage import DAMAGES, hand_in


@pytest.fixture(scope="module")
def graded(tmp_path_factory, unit, bubblewrap):
    """Grade all damaged notebooks as one class; return (course, composer, score, results)."""
    course = Course.throwaway(tmp_path_factory.mktemp("damage") / "course", unit)
    composer = Composer(course, unit)
    last = list(composer.master.exercises)[-1]  # answered wrongly by all: full points show nothing
    notebook, score = composer.compose({last: composer.answers[last].wrong[0].name})
    hand_in(course, unit, notebook, composer.release)
    results = grade(course, unit, workers=2, progress=False)
    return course, composer, score, {result.student: result for result in results}


def deserved(graded, one):
    _, composer, score, _ = graded
    return 0.0 if one.reason else score - sum(composer.full(name) for name in one.loses)


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_notebook_gets_the_points_of_its_content(name, graded):
    result = graded[3][name]
    assert result.problem == ""
    assert (result.record["score"], result.record["reason"]) == (
        deserved(graded, DAMAGES[name]),
        result.record["reason"] if DAMAGES[name].reason else "",
    )


@pytest.mark.parametrize("name", [name for name, one in DAMAGES.items() if one.reason])
def test_what_cannot_be_graded_says_why_in_one_line(name, graded):
    reason = graded[3][name].record["reason"]
    assert DAMAGES[name].reason in reason
    assert "\n" not in reason and len(reason) <= 200


def test_everybody_is_in_the_gradebook_with_that_score_and_nobody_else(graded, unit):
    with Gradebook(graded[0].db_url) as gradebook:
        found = {s.student.id: s.score for s in gradebook.assignment_submissions(unit.name)}
    assert found == {name: deserved(graded, one) for name, one in DAMAGES.items()}


def test_what_was_handed_in_is_kept_where_it_was_not_graded(graded, unit):
    """The 40 MB too: it is moved aside, not copied."""
    for name in (name for name, one in DAMAGES.items() if one.reason):
        kept = [p for p in graded[0].aside(unit, name).iterdir() if p.name != "reason.txt"]
        assert len(kept) == 1, name


def test_there_are_many_damages_of_each_kind():
    assert len(DAMAGES) >= 64
    assert sum(bool(one.reason) for one in DAMAGES.values()) < len(DAMAGES) / 3
