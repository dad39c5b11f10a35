"""Execute a class's notebooks: each once, in parallel, here or on a cluster, kept as they come."""

__all__ = ["Executions"]

import contextlib
import functools
import os
import sys

from course_grader import notebooks, pool
from course_grader.execute import execute
from course_grader.jobs import also_imported, data_files, key_of
from course_grader.preload import preloading
from course_grader.remote import cluster, execute_remotely


class Executions:
    """The executed notebooks of one unit, kept under build/ by the hash of what ran.

    A context: what executes begins to start with it, which takes seconds, and ends with it.
    """

    def __init__(self, course, unit, *, unsafe=False, workers=None, scheduler=None):
        """Say where to execute: in `workers` processes here, or on a dask scheduler's workers."""
        self.unit, self.unsafe, self.scheduler = unit, unsafe, scheduler
        self.workers = workers or os.cpu_count() or 1
        self.files, self.also = data_files(course, unit), also_imported(course, unit)
        self.folder = course.root / "build" / "executed" / unit.name
        self.folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self):
        self._open, self._pool = contextlib.ExitStack(), None
        if not self.scheduler:
            self._pool = self._open.enter_context(pool.warm_pool(self.workers))
            self._sandbox = self._open.enter_context(
                preloading(self.files, say=_tell, also=self.also)
            )
        return self

    def __exit__(self, kind, error, traceback):
        if kind and self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
        return self._open.__exit__(kind, error, traceback)

    def path(self, key):
        """Return where the executed notebook of this key lies, if it was made."""
        return self.folder / f"{key}.ipynb"

    def all(self, jobs):
        """Execute rebuilt notebooks, {student: notebook}; yield (student, problem) as they end.

        Equal notebooks are executed once. One that ran out of wall-clock time is run once more,
        alone, when the others are done.
        """
        groups, again = {}, []
        for student, notebook in jobs.items():
            groups.setdefault(key_of(notebook), []).append(student)
        todo = {key: jobs[groups[key][0]] for key in groups if not self.path(key).is_file()}
        yield from ((student, "") for key in groups if key not in todo for student in groups[key])
        place = self._place() if todo else None
        for key, done, problem in pool.each(*place, todo, self.workers) if todo else ():
            if done is not None and done.metadata.execution["too_long"]:
                again.append(key)
                continue
            problem = problem or self._keep(key, done)
            yield from ((student, problem) for student in groups[key])
        for key in again:
            done, problem = pool.alone(*place, todo[key])
            problem = problem or self._keep(key, done)
            yield from ((student, problem) for student in groups[key])
            self.path(key).unlink(missing_ok=True)  # the next run may have time

    def _place(self):
        """Return what runs one notebook, and what opens an executor with that many workers."""
        options = {"limits": self.unit.limits, "without_sandbox": self.unsafe}
        if self.scheduler:
            executor = self._open.enter_context(cluster(self.scheduler))
            contents = {name: path.read_bytes() for name, path in self.files.items()}
            more = {"contents": contents, "also": self.also}
            run = functools.partial(execute_remotely, **more, **options)
            return run, lambda workers: contextlib.nullcontext(executor)
        run = functools.partial(execute, files=self.files, zygote=self._sandbox(), **options)
        ready = iter([contextlib.nullcontext(self._pool)])  # a broken one is not used again
        return run, lambda workers: next(ready, None) or pool.warm_pool(workers)

    def _keep(self, key, done):
        """Keep an executed notebook; return what went wrong, or ''."""
        try:
            self._keep_file(key, done)
        except OSError as error:
            return f"not kept: {error}"
        return ""

    def _keep_file(self, key, done):
        waiting = self.path(key).with_suffix(".tmp")
        notebooks.save(done, waiting)
        waiting.replace(self.path(key))


def _tell(words):
    print(words, file=sys.stderr)
