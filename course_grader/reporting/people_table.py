"""Tell an instructor who is in a class, and who hands in together."""

__all__ = ["groups_told", "people_table"]

from collections.abc import Mapping, Sequence

from course_grader.intake.people import People, Person
from course_grader.project.course import Unit
from course_grader.reporting.table import aligned


def people_table(people: Sequence[Person]) -> str:
    """Return a table of persons: id, name, and what an LMS knows them by.

    Parameters
    ----------
    people : list of Person
    """
    head = ["student", "name", "LMS id", "login", "school's number", "email", "section"]
    rows = [
        [
            one.id,
            " ".join(filter(None, [one.first_name, one.last_name])),
            one.lms_id,
            one.login,
            one.sis_id,
            one.email,
            one.section,
        ]
        for one in people
    ]
    return aligned(head, rows)


def groups_told(groups: Mapping[str, str], people: People, unit: Unit) -> str:
    """Say who hands in a unit together, a line for each group, and who is in none.

    Parameters
    ----------
    groups : dict
        {student: group}.
    people : People
    unit : Unit
    """
    if not groups:
        return f"{unit.name}: there are no groups; everybody hands in alone."
    shown = {one: people.all[one].shown if one in people.all else one for one in groups}
    lines = [
        f"{group}: {', '.join(shown[one] for one, its in groups.items() if its == group)}"
        for group in sorted(set(groups.values()))
    ]
    alone = [person.shown for key, person in people.all.items() if key not in groups]
    return "\n".join([*lines, *([f"In no group: {', '.join(alone)}"] if alone else [])])
