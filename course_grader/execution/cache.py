"""Execute a class's notebooks: each once, in parallel, here or on a cluster, kept as they come."""

__all__ = ["Executions", "data_files", "key_of", "needed_early", "stand_in"]

import contextlib
import functools
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Self

from nbformat import NotebookNode

from course_grader.execution import pool, scratch
from course_grader.execution.execute import execute, fault_in, refused
from course_grader.execution.probe import preloading
from course_grader.execution.remote import cluster, execute_remotely
from course_grader.execution.slow_imports import slow_imports
from course_grader.intake.sanitize import untouched
from course_grader.project import notebooks
from course_grader.project.course import Course, Unit
from course_grader.project.faults import OurFault, reason_for
from course_utils.whole_file import replacing

Place = tuple[pool.Run, pool.Opened]  # what runs one notebook, and what opens an executor


def key_of(notebook: NotebookNode) -> str:
    """Return the key of an execution: what runs, and the reference's code that it runs with."""
    cells = [[cell.cell_type, cell.id, cell.source] for cell in notebook.cells]
    reason = notebook.metadata.get("unreadable", "")
    text = json.dumps([notebook.metadata.course.hash, cells, reason])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def data_files(course: Course, unit: Unit) -> dict[str, Path]:
    """Return {name: path} of what lies beside the assignment, notebooks aside."""
    folder = course.path("source", unit)
    return {p.name: p.resolve() for p in folder.iterdir() if p.suffix != ".ipynb"}


def needed_early(course: Course, unit: Unit) -> list[str]:
    """Return what the assignment needs imported that most do not: it takes seconds."""
    return slow_imports(course.notebook("source", unit).read_text("utf-8"))


def stand_in(course: Course, unit: Unit) -> NotebookNode:
    """Return the rebuilt notebook of the untouched release, which no student has a hand in."""
    paths = [course.notebook(step, unit) for step in ("source", "release")]
    return untouched(*map(notebooks.load, paths))


class Executions:
    """The executed notebooks of one unit, kept under build/ by the hash of what ran.

    A context: what executes begins to start with it, which takes seconds, and ends with it.
    """

    def __init__(
        self,
        course: Course,
        unit: Unit,
        *,
        unsafe: bool = False,
        workers: int | None = None,
        scheduler: str | None = None,
    ) -> None:
        """Say where to execute: in `workers` processes here, or on a dask scheduler's workers."""
        self.course, self.unit = course, unit
        self.unsafe, self.scheduler = unsafe, scheduler
        self.workers = workers or os.cpu_count() or 1
        self.files, self.also = data_files(course, unit), needed_early(course, unit)
        self.folder = course.root / "build" / "executed" / unit.name
        self.folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        self._open = contextlib.ExitStack()
        self._pool: Executor | None = None
        if not self.scheduler:
            scratch.gather()
            self._sandbox = self._open.enter_context(  # first: it takes longest
                preloading(self.files, say=_tell, also=self.also, unsafe=self.unsafe)
            )
            self._pool = self._open.enter_context(pool.warm_pool(self.workers))
        return self

    def __exit__(self, kind: type[BaseException] | None, *raised: Any) -> bool | None:
        if kind and self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
        return self._open.__exit__(kind, *raised)

    def path(self, key: str) -> Path:
        """Return where the executed notebook of this key lies, if it was made."""
        return self.folder / f"{key}.ipynb"

    def all(self, jobs: Mapping[Any, NotebookNode]) -> Iterator[tuple[Any, str]]:
        """Execute rebuilt notebooks, {student: notebook}; yield (student, problem) as they end.

        A student may be any key, such as the place of an answer that is tried.

        Equal notebooks are executed once. One that ran out of wall-clock time is run once more,
        alone, when the others are done; then, too, it is found out whose fault an exception is.
        A problem is a fault of ours, in words: the notebook could not be executed, or kept.
        """
        groups: dict[str, list[Any]] = {}
        odd: dict[str, tuple[NotebookNode | None, Exception | None]] = {}
        for student, notebook in jobs.items():
            groups.setdefault(key_of(notebook), []).append(student)
        todo = {key: jobs[groups[key][0]] for key in groups if not self.path(key).is_file()}
        yield from ((student, "") for key in groups if key not in todo for student in groups[key])
        if not todo:
            return
        place = self._place()
        for key, done, error in pool.each(*place, todo, self.workers):
            fault = error or fault_in(done)
            if done is None or fault or done.metadata.execution["too_long"]:
                odd[key] = done, fault
                continue
            problem = self._keep(key, done)
            yield from ((student, problem) for student in groups[key])
        for key, (done, fault) in odd.items():
            problem = self._once_more(place, key, todo[key], done, fault, groups[key])
            yield from ((student, problem) for student in groups[key])
            self.path(key).unlink(missing_ok=True)  # the next run may have time, or be mended

    def _once_more(
        self,
        place: Place,
        key: str,
        notebook: NotebookNode,
        done: NotebookNode | None,
        fault: Exception | None,
        students: list[Any],
    ) -> str:
        """Run again, alone, what ran out of time; decide on what failed; return the problem."""
        if not fault:
            done, error = pool.alone(*place, notebook)
            fault = error or fault_in(done)
        if isinstance(fault, pool.Lost):
            return str(fault)
        try:
            if fault:
                again = functools.partial(self._execute_stand_in, place)
                why = reason_for("not executed", ", ".join(map(str, students)), fault, again)
                done = done or refused(notebook, why)
        except OurFault as ours:
            return str(ours)
        assert done is not None  # or there was a fault
        return self._keep(key, done)

    @functools.cached_property
    def _stand_in(self) -> NotebookNode:
        return stand_in(self.course, self.unit)

    def _execute_stand_in(self, place: Place) -> None:
        """Execute the untouched release alone; raise what goes wrong."""
        done, error = pool.alone(*place, self._stand_in)
        if fault := error or fault_in(done):
            raise fault

    def _place(self) -> Place:
        """Return what runs one notebook, and what opens an executor with that many workers."""
        options: Any = {"limits": self.unit.limits, "without_sandbox": self.unsafe}
        if self.scheduler:
            executor = self._open.enter_context(cluster(self.scheduler))
            contents = {name: path.read_bytes() for name, path in self.files.items()}
            options |= {"contents": contents, "also": self.also}
            run = functools.partial(execute_remotely, **options)
            return run, lambda workers: contextlib.nullcontext(executor)
        options |= {"files": self.files, "forkserver": self._sandbox()}
        run = functools.partial(execute, **options)
        warm = [self._pool] if self._pool else []

        def opened(workers: int) -> contextlib.AbstractContextManager[Executor]:
            """Give the warm pool once: a broken one is not used again."""
            return contextlib.nullcontext(warm.pop()) if warm else pool.warm_pool(workers)

        return run, opened

    def _keep(self, key: str, done: NotebookNode) -> str:
        """Keep an executed notebook; return what went wrong, or ''."""
        try:
            self._keep_file(key, done)
        except OSError as error:
            return f"not kept: {error}"
        return ""

    def _keep_file(self, key: str, done: NotebookNode) -> None:
        with replacing(self.path(key)) as waiting:
            notebooks.save_line(done, waiting)


def _tell(words: str) -> None:
    print(words, file=sys.stderr)
