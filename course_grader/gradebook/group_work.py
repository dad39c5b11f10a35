"""Which students hand in a unit together: in a table of ours, as the instructor says."""

__all__ = ["GROUPS", "groups_of", "set_groups"]

from collections.abc import Mapping

import sqlalchemy as sa
from traitlets.config import Config

from course_grader.gradebook.people import OWN, opened, rows_in

GROUPS = sa.Table(
    "course_group",
    OWN,
    sa.Column("assignment", sa.String(128), primary_key=True),
    sa.Column("student", sa.String(128), primary_key=True),
    sa.Column("name", sa.String(128), nullable=False),
)


def groups_of(directory: Config, assignment: str) -> dict[str, str]:
    """Return {student: group} of an assignment; empty where each works alone.

    Parameters
    ----------
    directory : traitlets.config.Config
        `CourseDirectory` of the course's configuration.
    assignment : str
    """
    with opened(directory, ours=False) as gradebook:
        rows = rows_in(gradebook.db, GROUPS, GROUPS.c.assignment == assignment)
    return {row["student"]: row["name"] for row in rows}


def set_groups(directory: Config, assignment: str, groups: Mapping[str, str]) -> None:
    """Replace an assignment's groups.

    Parameters
    ----------
    directory : traitlets.config.Config
    assignment : str
    groups : dict
        {student: group}.
    """
    rows = [
        {"assignment": assignment, "student": student, "name": group}
        for student, group in groups.items()
    ]
    with opened(directory) as gradebook:
        gradebook.db.execute(sa.delete(GROUPS).where(GROUPS.c.assignment == assignment))
        if rows:
            gradebook.db.execute(sa.insert(GROUPS), rows)
