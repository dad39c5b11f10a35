"""A unit's points: as records/UNIT.csv, and what an adjustment or another set makes of them."""

__all__ = ["changes_told", "set_told", "write_points"]

from collections.abc import Mapping

from course_grader.gradebook.adjusting import in_force
from course_grader.gradebook.exercise_set import SetChange
from course_grader.gradebook.final_points import Standing
from course_grader.gradebook.one_submission import config_of
from course_grader.gradebook.people import people_of
from course_grader.gradebook.record import records_of
from course_grader.project.course import Course, Unit
from course_grader.reporting.table import aligned, missing_told, write_csv

JUDGES = "The judge's scores do not know that; 'make export' and the term's report count it."


def write_points(course: Course, unit: Unit) -> str:
    """Write records/UNIT.csv from the judge's records.

    Parameters
    ----------
    course : Course
    unit : Unit

    Returns
    -------
    str
        Who has handed in nothing, and what counts otherwise than it was graded.
    """
    directory = config_of(course).CourseDirectory
    people, records = people_of(directory), records_of(course, unit)
    missing = sorted(people.all.keys() - records.keys())
    kinds, told = in_force(unit, directory)
    write_csv(list(records.values()), course.root / f"records/{unit.name}.csv", missing, kinds)
    lines = [missing_told(missing, people), *told, JUDGES if told else ""]
    return "\n".join(filter(None, lines))


def changes_told(changes: Mapping[str, tuple[Standing, Standing]], *, written: bool) -> str:
    """Return a table of what an adjustment changes, and in a sentence how much that is.

    Parameters
    ----------
    changes : dict
        {student: (Standing before, Standing after)}.
    written : bool
        Whether it is being put in force.

    Examples
    --------
    >>> from course_grader.gradebook.final_points import Standing
    >>> print(changes_told({"ann": (Standing(3, 5), Standing(2, 4))}, written=False))
    student  points  points possible
    --------------------------------
    ann      3 -> 2  5 -> 4
    Points of 1 of 1 students change. Nothing was written; APPLY=1 writes.
    """
    rows = [
        [
            student,
            f"{before.points:g} -> {after.points:g}",
            f"{before.possible:g} -> {after.possible:g}",
        ]
        for student, (before, after) in changes.items()
    ]
    count = sum(before.points != after.points for before, after in changes.values())
    end = "Written." if written else "Nothing was written; APPLY=1 writes."
    told = f"Points of {count} of {len(changes)} students change. {end}"
    return "\n".join([aligned(["student", "points", "points possible"], rows), told])


def set_told(change: SetChange, unit: Unit, *, written: bool) -> str:
    """Say what another set of exercises means, with a table of what it changes.

    Parameters
    ----------
    change : SetChange
    unit : Unit
    written : bool
        Whether it was taken over.
    """
    lines = []
    for name, points in change.removed.items():
        lines.append(f"Removed: {name} ({points:g} points). It counts for nobody any more.")
        if count := change.by_hand.get(name):
            lines.append(f"  Points by hand for it, of {count}, are kept aside till it is back.")
    for name, points in change.added.items():
        count = sum(name in names for names in change.unasked.values())
        said = f"not asked of {count} who handed in before it" if count else "asked of everybody"
        lines.append(f"Added: {name} ({points:g} points), {said}.")
    lines.append(changes_told(change.standings, written=written))
    end = f"'make grade UNIT={unit.name[:2]}' grades by the new set." if written else ""
    return "\n".join(filter(None, [*lines, end]))
