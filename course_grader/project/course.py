"""Where things lie: the project, its units, and an nbgrader course folder."""

__all__ = ["PROJECT", "Course", "CourseError", "Limits", "Unit", "find_unit", "units"]

import dataclasses
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import course_utils

Limits = Mapping[str, float]
PROJECT = Path(course_utils.__file__).resolve().parents[1]
# Seconds of wall-clock time: what a check cell may use of CPU time, in many calls and imports,
# takes twice as long where all cores are busy, and an answer cannot help that.
LIMITS = {"cell_seconds": 30, "submission_seconds": 60, "memory_gib": 4}


class CourseError(Exception):
    """Something a user can mend; the message says what was received and what to do."""


@dataclasses.dataclass(frozen=True)
class Unit:
    """One unit: a folder of masters named NN_topic, with its unit.toml."""

    folder: Path

    @property
    def name(self) -> str:
        """The unit's name, NN_topic: also the assignment's and the notebook's."""
        return self.folder.name

    @property
    def facts(self) -> dict[str, Any]:
        """What unit.toml says: title, minutes, topics."""
        path = self.folder / "unit.toml"
        try:
            return tomllib.loads(path.read_text("utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise CourseError(f"{path}: {error}; write title, minutes and topics") from error

    @property
    def limits(self) -> Limits:
        """Seconds per cell and per submission, GiB of memory: unit.toml's [limits] may raise."""
        return LIMITS | self.facts.get("limits", {})

    def master(self, kind: str) -> Path:
        """Return the path of lesson.py, assignment.py or answers.py."""
        return self.folder / f"{kind}.py"


@dataclasses.dataclass(frozen=True)
class Course:
    """An nbgrader course folder: the project itself, or a copy such as the sample class."""

    root: Path = PROJECT

    @classmethod
    def throwaway(cls, root: Path, unit: Unit, project: Path = PROJECT) -> Self:
        """Make a course folder of its own, with source and release of one unit; replaces it."""
        shutil.rmtree(root, ignore_errors=True)
        course = cls(Path(root))
        for step in ("source", "release"):
            shutil.copytree(project / step / unit.name, course.path(step, unit))
        shutil.copy(project / "nbgrader_config.py", course.root)
        return course

    def path(self, step: str, unit: Unit, student: str = ".") -> Path:
        """Return the folder of a step (source, release, submitted, ...) for a unit."""
        return self.root / step / student / unit.name

    def notebook(self, step: str, unit: Unit, student: str = ".") -> Path:
        """Return the notebook of a step (source, release, submitted, ...) for a unit."""
        return self.path(step, unit, student) / f"{unit.name}.ipynb"

    def aside(self, unit: Unit, student: str) -> Path:
        """Return where intake keeps a student's files that it replaced, and why."""
        return self.root / "submitted" / ".originals" / student / unit.name

    def reason(self, unit: Unit, student: str) -> str:
        """Return why a submission could not be read; '' if it could."""
        path = self.aside(unit, student) / "reason.txt"
        ours = path.is_file() and not path.is_symlink()
        return path.read_text("utf-8").partition("\n")[0].strip() if ours else ""

    def record(self, unit: Unit, student: str) -> Path:
        """Return the path of the judge's JSON record for a submission."""
        return self.root / "records" / unit.name / f"{student}.json"

    @property
    def db_url(self) -> str:
        """The SQLite gradebook's address."""
        return f"sqlite:///{self.root / 'gradebook.db'}"


def units(project: Path = PROJECT) -> list[Unit]:
    """Return all units in order."""
    folders = sorted(path.parent for path in (project / "masters").glob("[0-9]*/unit.toml"))
    return [Unit(folder) for folder in folders]


def find_unit(word: str, project: Path = PROJECT) -> Unit:
    """Return the unit that a number or a name means: 01, 1, 01_loss_as_likelihood.

    Raises
    ------
    CourseError
        If there is none; the message lists the units.
    """
    exact = project / "masters" / word
    if word[:1].isdigit() and exact.name == word and (exact / "unit.toml").is_file():
        return Unit(exact)  # what asks for each submission names it in full
    known = units(project)
    meant = f"{int(word):02d}" if word.isdecimal() else word.rstrip("/")  # as a shell completes
    found = [unit for unit in known if meant in (unit.name, unit.name.split("_")[0])]
    if len(found) == 1:
        return found[0]
    names = "\n".join(f"  {unit.name}  {unit.facts.get('title', '')}" for unit in known)
    raise CourseError(f"No unit is called '{word}'. The units are:\n{names}")
