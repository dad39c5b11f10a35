"""Another set of exercises after submissions: what it changes; nothing is written here."""

__all__ = ["SetChange", "cell_sets", "check_same_set", "set_change"]

import dataclasses
from typing import Any

import sqlalchemy as sa
from nbgrader import utils
from nbgrader.api import BaseCell, Grade, GradeCell, MissingEntry, SolutionCell, SourceCell
from traitlets.config import Config

from course_grader.gradebook.adjustments import adjustments_in
from course_grader.gradebook.final_points import stakes_of, standings_of
from course_grader.gradebook.people import opened
from course_grader.gradebook.standings import is_there
from course_grader.gradebook.unasked import contained
from course_grader.project import notebooks
from course_grader.project.course import Course, CourseError, Unit

CHANGED = (
    "{0}: an exercise was added, removed or renamed after submissions were graded, and nbgrader "
    "keeps their points by these names. 'make exercises UNIT={1}' shows what the new set changes "
    "(APPLY=1 takes it over); or put the old one back. A changed check or text is fine."
)


@dataclasses.dataclass
class SetChange:
    """What another set of exercises means.

    Attributes
    ----------
    added, removed : dict
        {exercise: points}.
    unasked : dict
        {student: names of added exercises} that their notebook has not.
    by_hand : dict
        {removed exercise: how many have points by hand for it}.
    standings : dict
        {student: (Standing before, Standing after)}.
    """

    added: dict
    removed: dict
    unasked: dict
    by_hand: dict
    standings: dict


def set_change(course: Course, unit: Unit, directory: Config) -> "SetChange | None":
    """Return what the built assignment changes in the gradebook's set; nothing is written.

    Parameters
    ----------
    course : Course
    unit : Unit
    directory : traitlets.config.Config
        `CourseDirectory` of the course's configuration.

    Returns
    -------
    SetChange or None
        None if the set is the same, or nothing was graded yet.
    """
    if not is_there(directory.db_url):
        return None
    with opened(directory, ours=False) as gradebook:
        try:
            assignment = gradebook.find_assignment(unit.name)
            gradebook.find_notebook(unit.name, unit.name)
        except MissingEntry:
            return None
        if not assignment.submissions or not _differs(assignment, course, unit):
            return None
        return _change(gradebook, assignment, course, unit)


def check_same_set(course: Course, unit: Unit, directory: Config) -> None:
    """Stop if the built assignment has another set of exercises than the gradebook."""
    if set_change(course, unit, directory):
        raise CourseError(CHANGED.format(unit.name, unit.name[:2]))


def cell_sets(
    notebook: Any, course: Course, unit: Unit
) -> dict[Any, tuple[dict[str, Any], set[str]]]:
    """Return {kind of cell: ({name: facts} as it was built, names in the gradebook)}.

    Parameters
    ----------
    notebook : nbgrader.api.Notebook
    course : Course
    unit : Unit
    """
    known = {
        GradeCell: notebook.grade_cells,
        SolutionCell: notebook.solution_cells,
        SourceCell: notebook.source_cells,
    }
    wanted = _wanted(course, unit)
    return {kind: (wanted[kind], {cell.name for cell in cells}) for kind, cells in known.items()}


def _change(gradebook, assignment, course, unit):
    old = stakes_of(assignment)
    new = {name: cell["max_score"] for name, cell in _wanted(course, unit)[GradeCell].items()}
    added = {name: points for name, points in new.items() if name not in old}
    removed = {name: points for name, points in old.items() if name not in new}
    students = [one.student_id for one in assignment.submissions]
    lying = [path.parent.name for path in (course.root / "submitted").glob(f"[!.]*/{unit.name}")]
    missing = {one: added.keys() - contained(course, unit, one) for one in [*students, *lying]}
    kinds = adjustments_in(gradebook.db).get(assignment.name, {})
    before = standings_of(gradebook, assignment)
    after = standings_of(gradebook, assignment, kinds | dict.fromkeys(removed, "void"))
    asked = {one: sum(added[n] for n in added.keys() - missing[one]) for one in students}
    both = {
        one: (before[one], dataclasses.replace(after[one], possible=after[one].possible + more))
        for one, more in asked.items()
    }
    unasked = {student: names for student, names in missing.items() if names}
    return SetChange(added, removed, unasked, _by_hand(gradebook, assignment, removed), both)


def _by_hand(gradebook, assignment, names):
    """Return {name: how many} have points by hand for cells of these names."""
    given = Grade.manual_score.is_not(None) | Grade.extra_credit.is_not(None)
    [notebook] = assignment.notebooks
    chosen = (
        sa.select(BaseCell.name, sa.func.count())
        .join(Grade, Grade.cell_id == BaseCell.id)
        .where(BaseCell.notebook_id == notebook.id, BaseCell.name.in_(names), given)
        .group_by(BaseCell.name)
    )
    return dict(gradebook.db.execute(chosen).all())


def _differs(assignment, course, unit):
    [notebook] = assignment.notebooks
    sets = cell_sets(notebook, course, unit).values()
    return any(wanted.keys() != known for wanted, known in sets)


def _wanted(course, unit):
    """Return {kind of cell: {name: facts}} of the built assignment, as nbgrader enters them."""
    source = notebooks.load(course.notebook("source", unit))
    cells = {c.metadata.nbgrader["grade_id"]: c for c in source.cells if "nbgrader" in c.metadata}
    graded = {name: cell for name, cell in cells.items() if utils.is_grade(cell)}
    return {
        GradeCell: {
            name: {
                "max_score": float(cell.metadata.nbgrader["points"]),
                "cell_type": cell.cell_type,
            }
            for name, cell in graded.items()
        },
        SolutionCell: {name: {} for name, cell in cells.items() if utils.is_solution(cell)},
        SourceCell: {name: {"cell_type": cell.cell_type} for name, cell in cells.items()},
    }
