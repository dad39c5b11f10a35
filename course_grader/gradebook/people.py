"""Who takes the course: nbgrader's table of students, and a table of what it has no column for."""

__all__ = [
    "enter_people",
    "extension_of",
    "grant_until",
    "learn",
    "people_in",
    "people_of",
    "rows_in",
]

import contextlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from nbgrader.api import Gradebook, MissingEntry, Student
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError
from traitlets.config import Config

from course_grader.gradebook.converters import Unavailable
from course_grader.gradebook.repeats import without_repeats
from course_grader.intake.people import People, Person

OVERTAKEN = (
    "somebody else changed the same in the gradebook at the same time, and that stands: nothing "
    "of this was written. Run the same command again to see what is left to do"
)
OWN = sa.MetaData()
DETAILS = sa.Table(
    "course_student",
    OWN,
    sa.Column("id", sa.String(128), primary_key=True),
    sa.Column("login", sa.String(128), nullable=False),
    sa.Column("sis_id", sa.String(128), nullable=False),
    sa.Column("section", sa.String(128), nullable=False),
)
EXTENSIONS = sa.Table(
    "course_extension",
    OWN,
    sa.Column("student", sa.String(128), primary_key=True),
    sa.Column("assignment", sa.String(128), primary_key=True),
    sa.Column("until", sa.DateTime, nullable=False),  # UTC, as nbgrader keeps due dates
)


@contextlib.contextmanager
def opened(directory: Config, *, ours: bool = True) -> Iterator[Gradebook]:
    """Open the gradebook of nbgrader's course directory, with our own tables in it.

    Without `ours` they are not made where they are missing: who only looks writes nothing.

    Raises
    ------
    Unavailable
        If it is locked, its server refuses, or somebody else changed the same at the same time.
    """
    try:
        with without_repeats(), Gradebook(directory.db_url, directory.course_id) as gradebook:
            if ours:
                OWN.create_all(gradebook.db.connection())
            yield gradebook
            gradebook.db.commit()
    except sa.exc.OperationalError as error:
        told = str(error.orig).strip().splitlines()[-1]
        raise Unavailable(f"the gradebook cannot be used: {told}. Nothing is lost") from error
    except (sa.exc.IntegrityError, StaleDataError) as error:
        raise Unavailable(OVERTAKEN) from error


def rows_in(session: Session, table: Any, *conditions: Any) -> Any:
    """Return rows of a table of ours in a gradebook, which may be one that we never opened."""
    if not sa.inspect(session.connection()).has_table(table.name):
        return []
    return session.execute(sa.select(table).where(*conditions)).mappings().all()


def people_of(directory: Config) -> People:
    """Return everybody whom the gradebook knows.

    Parameters
    ----------
    directory : traitlets.config.Config
        `CourseDirectory` of the course's configuration.

    Returns
    -------
    People
    """
    with opened(directory, ours=False) as gradebook:
        return People(people_in(gradebook.db))


def people_in(session: Session) -> list[Person]:
    """Return the persons of an open gradebook, which may be one that we never opened before."""
    known = sa.inspect(session.connection()).has_table(DETAILS.name)
    rows = session.execute(sa.select(DETAILS)).mappings() if known else []
    details = {row["id"]: row for row in rows}
    return [_person(one, details.get(one.id, {})) for one in session.query(Student)]


def _person(student, details):
    """Join what stands in the two tables."""
    names = {key: getattr(student, key) or "" for key in ("first_name", "last_name", "email")}
    more = {key: details.get(key, "") for key in ("login", "sis_id", "section")}
    return Person(student.id, **names, lms_id=student.lms_user_id or "", **more)


def enter_people(directory: Config, people: Iterable[Person]) -> None:
    """Write persons into both tables; what a person has no word for stays as it is.

    Parameters
    ----------
    directory : traitlets.config.Config
    people : iterable of Person
    """
    with opened(directory) as gradebook:
        for person in people:
            _enter(gradebook.db, person)


def _enter(session, person):
    names = {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "email": person.email,
        "lms_user_id": person.lms_id,
    }
    student = session.get(Student, person.id) or Student(id=person.id)
    for key, word in names.items():
        if word:
            setattr(student, key, word)
    session.add(student)
    more = {"login": person.login, "sis_id": person.sis_id, "section": person.section}
    known = session.execute(sa.select(DETAILS).where(DETAILS.c.id == person.id)).mappings().first()
    if known:
        said = {key: word or known[key] for key, word in more.items()}
        session.execute(sa.update(DETAILS).where(DETAILS.c.id == person.id).values(**said))
    else:
        session.execute(sa.insert(DETAILS).values(id=person.id, **more))


def learn(directory: Config, arrivals: Iterable[Any]) -> None:
    """Keep what the names of submissions told: Canvas' numbers, Blackboard's user names.

    Parameters
    ----------
    directory : traitlets.config.Config
    arrivals : list of Arrival
    """
    told = [_told(arrival) for arrival in arrivals if arrival.sender and arrival.taken]
    enter_people(directory, [person for person in told if person])


def _told(arrival):
    sender = arrival.sender
    if sender.lms == "canvas" and sender.name != "anon":
        return Person(arrival.student, lms_id=sender.number)
    return Person(arrival.student, login=sender.name) if sender.lms == "blackboard" else None


def grant_until(directory: Config, student: str, assignment: str, until: datetime | None) -> None:
    """Let one student hand in until a date of their own; None takes it back.

    Parameters
    ----------
    directory : traitlets.config.Config
    student, assignment : str
    until : datetime or None
        With a time zone.
    """
    here = (EXTENSIONS.c.student == student) & (EXTENSIONS.c.assignment == assignment)
    with opened(directory) as gradebook:
        gradebook.db.execute(sa.delete(EXTENSIONS).where(here))
        if until is None:
            with contextlib.suppress(MissingEntry):
                gradebook.find_submission(assignment, student).extension = None
            return
        until = until.astimezone(UTC).replace(tzinfo=None)
        row = {"student": student, "assignment": assignment, "until": until}
        gradebook.db.execute(sa.insert(EXTENSIONS).values(**row))


def extension_of(session: Session, student: str, assignment: str) -> datetime | None:
    """Return until when a student may hand in, UTC; None if no time of its own was granted."""
    here = (EXTENSIONS.c.student == student) & (EXTENSIONS.c.assignment == assignment)
    if not sa.inspect(session.connection()).has_table(EXTENSIONS.name):
        return None  # nobody has opened this gradebook through us yet
    return session.execute(sa.select(EXTENSIONS.c.until).where(here)).scalar()
