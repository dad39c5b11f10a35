"""A pool of processes that execute notebooks: one that is killed costs its own notebook only."""

__all__ = ["Lost", "alone", "each", "warm_pool"]

import concurrent.futures
import multiprocessing
import os
import tempfile
import threading
from concurrent.futures.process import BrokenProcessPool

# Each worker has it from the start; what grades, which takes seconds to import, stays out of them.
import course_grader.execution.execute  # noqa: F401
from course_grader.project.course import CourseError

LONGEST = 75  # bytes; a socket's path holds 107, and 32 are added to this


class Lost(Exception):
    """The process that executed a notebook is gone."""

    def __str__(self):
        return "not executed: its process was ended, most likely for lack of memory"


def warm_pool(workers):
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
    options = {"mp_context": context, "initializer": _end_with_the_grader}
    pool = concurrent.futures.ProcessPoolExecutor(workers, **options)
    for _ in range(workers):
        pool.submit(_start)
    return pool


def _start():
    """Do nothing, in a worker that has by then imported what `execute` needs."""


def _end_with_the_grader():
    """End this worker when the grader is killed: it would wait for work for ever."""

    def wait():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def each(run, opened, todo, workers):
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


def alone(run, opened, notebook):
    """Run one notebook while nothing else runs; return it executed, or None, and the error."""
    with opened(1) as executor:
        return _outcome(executor.submit(run, notebook))


def _completed(executor, run, todo):
    futures = {executor.submit(run, notebook): key for key, notebook in list(todo.items())}
    try:
        for future in concurrent.futures.as_completed(futures):
            yield futures[future], *_outcome(future)
    except (KeyboardInterrupt, GeneratorExit):
        executor.shutdown(wait=False, cancel_futures=True)
        raise


def _outcome(future):
    """Return (executed notebook, None) or (None, what was raised)."""
    try:
        return future.result(), None
    except BrokenProcessPool:
        return None, Lost()
    except Exception as error:  # this submission's trouble is not the class's
        return None, error
