"""Execute a class's notebooks: each once, in parallel, here or on a cluster, kept as they come."""

__all__ = ["Executions"]

import concurrent.futures
import contextlib
import functools
import multiprocessing
import os
import sys
import threading
from concurrent.futures.process import BrokenProcessPool

from course_grader import notebooks
from course_grader.execute import execute
from course_grader.preload import preloaded
from course_grader.preprocessors import data_files, key_of
from course_grader.remote import cluster, execute_remotely

LOST = "not executed: its process was ended, most likely for lack of memory"


class Executions:
    """The executed notebooks of one unit, kept under build/ by the hash of what ran.

    A context: what executes is started when there is something to execute, and ends with it.
    """

    def __init__(self, course, unit, *, unsafe=False, workers=None, scheduler=None):
        """Say where to execute: in `workers` processes here, or on a dask scheduler's workers."""
        self.unit, self.unsafe, self.scheduler = unit, unsafe, scheduler
        self.workers = workers or os.cpu_count() or 1
        self.files = data_files(course, unit)
        self.folder = course.root / "build" / "executed" / unit.name
        self.folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self):
        self._open, self._pool = contextlib.ExitStack(), None
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
        for key, done, problem in _map(*place, todo, self.workers) if todo else ():
            if done is not None and done.metadata.execution["too_long"]:
                again.append(key)
                continue
            problem = problem or self._keep(key, done)
            yield from ((student, problem) for student in groups[key])
        for key in again:
            done, problem = _alone(*place, todo[key])
            problem = problem or self._keep(key, done)
            yield from ((student, problem) for student in groups[key])
            self.path(key).unlink(missing_ok=True)  # the next run may have time

    def _place(self):
        """Return what runs one notebook, and what opens an executor with that many workers."""
        options = {"limits": self.unit.limits, "without_sandbox": self.unsafe}
        if self.scheduler:
            executor = self._open.enter_context(cluster(self.scheduler))
            contents = {name: path.read_bytes() for name, path in self.files.items()}
            run = functools.partial(execute_remotely, contents=contents, **options)
            return run, lambda workers: contextlib.nullcontext(executor)
        self._pool = self._open.enter_context(_pool(self.workers))
        for _ in range(self.workers):
            self._pool.submit(_import_all)  # while the sandbox starts
        zygote = self._open.enter_context(preloaded(self.files, say=_tell))
        run = functools.partial(execute, files=self.files, zygote=zygote, **options)
        ready = iter([contextlib.nullcontext(self._pool)])  # a broken one is not used again
        return run, lambda workers: next(ready, None) or _pool(workers)

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


def _import_all():
    """Do nothing, in a worker that has by then imported what `execute` needs."""


def _pool(workers):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])  # imported once, not by each worker
    options = {"mp_context": context, "initializer": _end_with_the_grader}
    return concurrent.futures.ProcessPoolExecutor(workers, **options)


def _end_with_the_grader():
    """End this worker when the grader is killed: it would wait for work for ever."""

    def wait():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _map(run, opened, todo, workers):
    """Run notebooks in an executor; yield (key, executed notebook or None, problem).

    A worker that is killed takes its pool along: what was pending goes to a fresh one, and what
    is left after that is run alone, so that only the notebook at fault is lost.
    """
    left = dict(todo)
    for _ in range(2):
        with opened(min(workers, max(1, len(left)))) as executor:
            for key, done, problem in _completed(executor, run, left):
                if problem != LOST:
                    del left[key]
                    yield key, done, problem
        if not left:
            return
    for key, notebook in left.items():
        yield key, *_alone(run, opened, notebook)


def _completed(executor, run, todo):
    futures = {executor.submit(run, notebook): key for key, notebook in list(todo.items())}
    try:
        for future in concurrent.futures.as_completed(futures):
            yield futures[future], *_outcome(future)
    except (KeyboardInterrupt, GeneratorExit):
        executor.shutdown(wait=False, cancel_futures=True)
        raise


def _alone(run, opened, notebook):
    with opened(1) as executor:
        return _outcome(executor.submit(run, notebook))


def _outcome(future):
    """Return (executed notebook, '') or (None, what went wrong)."""
    try:
        return future.result(), ""
    except BrokenProcessPool:
        return None, LOST
    except Exception as error:  # this submission's trouble is not the class's
        return None, f"not executed: {error}"


def _tell(words):
    print(words, file=sys.stderr)
