"""The learner's own copy under work/: made once, never overwritten, checked with all checks."""

__all__ = ["check_work", "prepare_work"]

import os
import re
import shutil
from pathlib import Path

from course_grader.gradebook.grade import grade
from course_grader.project import notebooks
from course_grader.project.course import PROJECT, Course, CourseError
from course_utils.checking.comparison import EXPECTED_FILE

LINK = re.compile(r"\]\((\d\d_\w+)\.ipynb")  # from one lesson to another


def prepare_work(units, *, project=PROJECT, say=print):
    """Copy lessons and assignments into work/; what is there stays as it is.

    A newer release of an assignment that is already in work/ lands beside it, in a folder
    named after its hash, and a message says so.
    """
    for unit in units:
        _copy_lesson(unit, project, say)
        _copy_assignment(unit, project, say)


def check_work(unit, *, project=PROJECT):
    """Grade the learner's own notebook with all checks, hidden ones too, in a throw-away course.

    Returns
    -------
    str
        The judge's panels as text, and the score.
    """
    mine = project / "work" / unit.name / f"{unit.name}.ipynb"
    if not mine.is_file():
        raise CourseError(f"{mine} is missing: 'make lab' puts it there")
    course = Course.throwaway(project / "build" / "check", unit, project)
    target = course.notebook("submitted", unit, "me")
    target.parent.mkdir(parents=True)
    shutil.copy(mine, target)
    [graded] = grade(course, unit, unsafe=True, progress=False)
    return _told(course, unit, graded)


def _told(course, unit, graded):
    if graded.problem:
        raise CourseError(graded.problem)
    judged = notebooks.load(course.notebook("autograded", unit, "me"))
    panels = [c.outputs[0].data["text/plain"] for c in judged.cells if _is_check(c)]
    score = f"{graded.record['score']:g} of {graded.record['max_score']:g} points"
    return "\n\n".join([*panels, score])


def _is_check(cell):
    return bool(cell.metadata.get("nbgrader", {}).get("locked"))


def _copy_lesson(unit, project, say):
    target = project / "work" / unit.name / "lesson.ipynb"
    if not os.path.lexists(target):
        committed = notebooks.load(project / "notebooks" / f"{unit.name}.ipynb")
        lesson = notebooks.close_folds(committed)
        for cell in lesson.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
            else:  # each unit has a folder of its own here
                cell.source = LINK.sub(r"](../\1/lesson.ipynb", cell.source)
        notebooks.save(lesson, target)
        say(f"new: {target.relative_to(project)}")


def _copy_assignment(unit, project, say):
    folder = project / "work" / unit.name
    mine, release = folder / f"{unit.name}.ipynb", project / "release" / unit.name
    released = _hash(release / f"{unit.name}.ipynb")
    if not os.path.lexists(mine):
        _copy(release, folder)
        say(f"new: {mine.relative_to(project)}")
    elif _hash(mine) != released and not (folder / f"release-{released}").exists():
        _copy(release, folder / f"release-{released}")
        say(
            f"{unit.name} was released anew. Your work is untouched; the new version lies in "
            f"{(folder / f'release-{released}').relative_to(project)}"
        )


def _copy(release, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for path in filter(Path.is_file, release.iterdir()):
        shutil.copy(path, folder / path.name)
    assert (folder / EXPECTED_FILE).is_file()


def _hash(path):
    try:
        return notebooks.load(path).metadata.get("course", {}).get("hash", "unknown")
    except Exception:  # a half-saved file is the learner's: it is kept, and counts as old
        return "unknown"
