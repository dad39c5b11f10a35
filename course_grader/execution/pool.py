"""A pool of processes that execute notebooks: one that is killed costs its own notebook only."""

__all__ = ["Lost", "alone", "each", "warm_pool"]

import concurrent.futures
import contextlib
import multiprocessing
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool

from nbformat import NotebookNode

# Each worker has it from the start; what grades, which takes seconds to import, stays out of them.
import course_grader.execution.execute  # noqa: F401
from course_grader.project.course import CourseError

Run = Callable[[NotebookNode], NotebookNode]
Opened = Callable[[int], contextlib.AbstractContextManager[concurrent.futures.Executor]]
Done = tuple[NotebookNode | None, Exception | None]
LONGEST = 75  # bytes; a socket's path holds 107, and 32 are added to this


class Lost(Exception):
    """The process that executed a notebook is gone."""

    def __str__(self) -> str:
        return "not executed: its process was ended, most likely for lack of memory"


def warm_pool(workers: int) -> concurrent.futures.ProcessPoolExecutor:
    """Return an executor with that many processes, which begin to start at once.

    Parameters
    ----------
    workers : int

    Raises
    ------
    CourseError
        If sockets cannot lie where temporary files do: their paths are short.
    """
    place = tempfile.gettempdir()
    if len(os.fsencode(place)) > LONGEST:
        raise CourseError(f"{place}: too long a path for sockets; set TMPDIR to a shorter one.")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])  # imported once, not by each worker
    pool = concurrent.futures.ProcessPoolExecutor(
        workers, mp_context=context, initializer=_end_with_the_grader
    )
    for _ in range(workers):
        pool.submit(_start)
    return pool


def _start() -> None:
    """Do nothing, in a worker that has by then imported what `execute` needs."""


def _end_with_the_grader() -> None:
    """End this worker when the grader is killed: it would wait for work for ever."""

    def wait() -> None:
        if grader := multiprocessing.parent_process():
            grader.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def each(
    run: Run, opened: Opened, todo: Mapping[str, NotebookNode], workers: int
) -> Iterator[tuple[str, NotebookNode | None, Exception | None]]:
    """Run notebooks in an executor; yield (key, executed notebook or None, error or None).

    A worker that is killed takes its pool along: what was pending goes to a fresh one, and what
    is left after that is run alone, so that only the notebook at fault is lost.

    Parameters
    ----------
    run : callable
        Executes one notebook.
    opened : callable
        Gives, as a context, an executor with a number of workers.
    todo : dict
        {key: notebook}.
    workers : int
    """
    left = dict(todo)
    for _ in range(2):
        with opened(min(workers, max(1, len(left)))) as executor:
            for key, done, error in _completed(executor, run, left):
                if not isinstance(error, Lost):
                    del left[key]
                    yield key, done, error
        if not left:
            return
    for key, notebook in left.items():
        yield key, *alone(run, opened, notebook)


def alone(run: Run, opened: Opened, notebook: NotebookNode) -> Done:
    """Run one notebook while nothing else runs; return it executed, or None, and the error."""
    with opened(1) as executor:
        return _outcome(executor.submit(run, notebook))


def _completed(
    executor: concurrent.futures.Executor, run: Run, todo: Mapping[str, NotebookNode]
) -> Iterator[tuple[str, NotebookNode | None, Exception | None]]:
    futures = {executor.submit(run, notebook): key for key, notebook in list(todo.items())}
    try:
        for future in concurrent.futures.as_completed(futures):
            yield futures[future], *_outcome(future)
    except (KeyboardInterrupt, GeneratorExit):
        executor.shutdown(wait=False, cancel_futures=True)
        raise


def _outcome(future: concurrent.futures.Future[NotebookNode]) -> Done:
    """Return (executed notebook, None) or (None, what was raised)."""
    try:
        return future.result(), None
    except BrokenProcessPool:
        return None, Lost()
    except Exception as error:  # this submission's trouble is not the class's
        return None, error
