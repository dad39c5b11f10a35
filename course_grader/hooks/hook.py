"""A private part of another library: reached by its name, or named where it is gone."""

__all__ = ["Hook", "HookGone"]

import contextlib
import dataclasses
import functools
import importlib
from collections.abc import Callable, Iterator
from importlib import metadata
from typing import Any

from course_grader.project.course import CourseError


class HookGone(CourseError):
    """A library has no longer a part that we lean on."""


@dataclasses.dataclass(frozen=True)
class Hook:
    """One part of a library.

    Parameters
    ----------
    library, read_in : str
        As it is installed by, and the version in which the part was read.
    place : str
        Module, or class in it, such as "nbgrader.api:Gradebook".
    name : str
        '' for the module itself.
    """

    library: str
    read_in: str
    place: str
    name: str = ""

    def owner(self) -> Any:
        """Return the module or the class that the part belongs to.

        Raises
        ------
        HookGone
            It is not there. So does whatever else reaches for the part.
        """
        module, _, within = self.place.partition(":")
        try:
            found = importlib.import_module(module)
            return functools.reduce(getattr, within.split(".") if within else (), found)
        except (ImportError, AttributeError) as error:
            raise self._gone() from error

    def get(self) -> Any:
        """Return the part."""
        return self.of(self.owner())

    def of(self, owner: Any) -> Any:
        """Return the part of an object."""
        try:
            return getattr(owner, self.name) if self.name else owner
        except AttributeError as error:
            raise self._gone() from error

    def replace(self, value: object) -> None:
        """Put something in its place, for good."""
        self.get()
        setattr(self.owner(), self.name, value)

    @contextlib.contextmanager
    def replaced(self, value: object) -> Iterator[None]:
        """Put something in its place, in the block."""
        owner, before = self.owner(), self.get()
        own = self.name in vars(owner)
        setattr(owner, self.name, value)
        try:
            yield
        finally:
            setattr(owner, self.name, before) if own else delattr(owner, self.name)

    def override(self, kind: type, method: Callable[..., Any]) -> None:
        """Let a subclass's method, of a name of ours, be called where the part would be."""
        self.of(kind)
        setattr(kind, self.name, method)

    def _gone(self) -> HookGone:
        part = f"{self.place}.{self.name}" if self.name else self.place
        return HookGone(
            f"{self.library} {metadata.version(self.library)} has no {part}, which grading uses; "
            f"it was read in {self.library} {self.read_in}: "
            f"pip install '{self.library}=={self.read_in}', or mend course_grader/hooks/"
        )
