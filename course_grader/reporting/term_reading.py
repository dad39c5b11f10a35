"""A term as it was handed in and graded: records and gradebook, student by student."""

__all__ = ["Cell", "Term", "read_term"]

import dataclasses
import functools
import json
from importlib import resources

import jsonschema

from course_grader.gradebook.record import read_record
from course_grader.gradebook.standings import read_standings
from course_grader.gradebook.term_policy import drop_lowest
from course_grader.project.course import Course, CourseError


@dataclasses.dataclass(frozen=True)
class Cell:
    """What one student has of one unit.

    Points are the gradebook's where it has the submission (`final`), and else the judge's; None
    where they are not known. `note` is "error" (a fault of ours), "unreadable" (what they handed
    in), "broken" (our record) or empty.
    """

    points: float | None
    possible: float | None
    note: str = ""
    penalty: float = 0.0
    waits: bool = False
    final: bool = False
    record: dict | None = None

    @property
    def share(self) -> float | None:
        """The share of the unit's points, or None."""
        return None if self.points is None or not self.possible else self.points / self.possible


@dataclasses.dataclass
class Term:
    """All that is known: `cells` by (student, unit), `names` by student.

    `possible` is {unit: its points}, in order, `gradebook` says whether one was read, `problems`
    is what could not be read, a line each, `drop` how many units each total leaves out.
    """

    possible: dict
    names: dict
    cells: dict
    gradebook: bool
    problems: list[str]
    drop: int = 0

    @property
    def units(self) -> list[str]:
        """Their names, in order."""
        return list(self.possible)

    @property
    def students(self) -> list[str]:
        """Their ids, in the order of their names."""
        return sorted(self.names, key=lambda one: (self.names[one].casefold(), one))

    def cell(self, student: str, unit: str) -> Cell | None:
        """Return what a student has of a unit; None if nothing was handed in."""
        return self.cells.get((student, unit))


def read_term(course: Course) -> Term:
    """Read all records of a course and its gradebook; what is broken is told, and left out.

    Parameters
    ----------
    course : Course

    Returns
    -------
    Term

    Raises
    ------
    CourseError
        If nothing was graded yet, or what a total leaves out is not understood.
    """
    records, problems = _records(course)
    names, standings = _standings(course, problems)
    keys = records.keys() | standings.keys()
    if not keys:
        told = "".join(f"\n{problem}" for problem in problems)
        raise CourseError(f"No records yet; 'make grade UNIT=...' makes them{told}")
    cells = {(s, u): _cell(records.get((u, s), {}), standings.get((u, s))) for u, s in keys}
    possible = {unit: _possible(cells, unit) for unit in sorted({unit for unit, _ in keys})}
    everybody = {student: student for student, _ in cells} | (names or {})
    return Term(possible, everybody, cells, names is not None, problems, _drop(course))


def _possible(cells, unit):
    """Return a unit's points: the gradebook's where it has any submission, else the judge's."""
    its = [cell for (_, name), cell in cells.items() if name == unit]
    final = [cell for cell in its if cell.final]
    return max((cell.possible or 0.0 for cell in final or its), default=0.0)


def _records(course):
    """Return {(unit, student): record or None, if it is broken}, and what is wrong with those."""
    records, problems = {}, []
    for path in sorted((course.root / "records").glob("*/*.json")):
        place = path.parent.name, path.stem
        try:
            records[place] = _checked(read_record(path), path.stem)
        except (OSError, ValueError, TypeError, RecursionError) as error:
            records[place] = None
            problems.append(_line(f"{path.relative_to(course.root)}: not a record: {error}"))
    return records, problems


def _checked(record, student):
    """Return a record that follows its schema and is of this student."""
    error = jsonschema.exceptions.best_match(_validator().iter_errors(record))
    if error is not None:
        raise ValueError(f"{error.json_path}: {error.message}")
    if record["student"] != student:
        raise ValueError(f"it is of {record['student']!r}")
    return record


@functools.cache
def _validator():
    path = resources.files("course_grader.gradebook") / "record.schema.json"
    return jsonschema.Draft202012Validator(json.loads(path.read_text("utf-8")))


def _standings(course, problems):
    """Read the gradebook; one that cannot be read is a problem, and the judge's points stand."""
    try:
        return read_standings(course)
    except Exception as error:  # the configuration is a program, the database anybody's
        problems.append(_line(f"gradebook: not read: {error}"))
        return None, {}


def _drop(course):
    """Return how many units each total leaves out; none if the configuration cannot be read."""
    try:
        return drop_lowest(course)
    except CourseError:
        raise
    except Exception:  # it is a program; that the gradebook was not read is told already
        return 0


def _line(words):
    """Return one short line without what a terminal would obey."""
    line = " ".join(words.split())
    line = "".join(c if c.isprintable() else "?" for c in line)
    return line if len(line) <= 160 else f"{line[:157]}..."


def _cell(record, standing):
    """Join a record ({}: there is none; None: it is broken) and what the gradebook says."""
    note = "broken" if record is None else _note(record)
    record = record or None
    if standing:
        found = standing.points, standing.possible, note, standing.penalty, standing.waits, True
        return Cell(*found, record)
    if not record:
        return Cell(None, None, note)
    return Cell(record["score"], record["max_score"], note, record=record)


def _note(record):
    if record.get("status") == "error":
        return "error"
    return "unreadable" if record.get("reason") else ""
