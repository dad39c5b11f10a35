"""Execute on other machines: dask hands them the work, each has a sandbox of its own."""

__all__ = ["cluster", "execute_remotely"]

import concurrent.futures
import contextlib
import functools
import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from nbformat import NotebookNode

from course_grader.execution.execute import execute
from course_grader.execution.probe import shared
from course_grader.project.course import CourseError, Limits

CONNECT_SECONDS = 20


@contextlib.contextmanager
def cluster(address: str) -> Iterator[concurrent.futures.Executor]:
    """Give an executor of a dask scheduler, such as tcp://10.0.0.5:8786.

    Raises
    ------
    CourseError
        If dask is not installed, nothing answers there, or no worker is connected.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise CourseError(
            f"SCHEDULER={address} needs dask: pip install 'distributed' -c constraints.txt"
        ) from error
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise CourseError(
            f"no dask scheduler answers at {address}: start one with 'dask scheduler'"
        ) from error
    with client:
        if not client.scheduler_info()["workers"]:
            raise CourseError(
                f"the scheduler at {address} has no workers: 'dask worker {address}'"
            )
        yield client.get_executor(pure=False, retries=2)


def execute_remotely(
    notebook: NotebookNode,
    *,
    contents: Mapping[str, bytes],
    also: Iterable[str],
    limits: Limits,
    without_sandbox: bool,
) -> NotebookNode:
    """Execute a notebook in this worker's own sandbox.

    Parameters
    ----------
    notebook : NotebookNode
    contents : dict
        {name: bytes} of data files: paths of the grader's machine mean nothing here.
    also : iterable of str
        Modules that the sandbox imports beforehand.
    limits : dict
    without_sandbox : bool
    """
    files = _unpacked(tuple(sorted(contents.items())))
    return execute(
        notebook,
        files=files,
        limits=limits,
        forkserver=shared(files, say=print, also=also, unsafe=without_sandbox),  # worker's log
        without_sandbox=without_sandbox,
    )


@functools.cache
def _unpacked(contents: tuple[tuple[str, bytes], ...]) -> dict[str, Path]:
    """Write data files once for each worker process; return {name: path}."""
    key = hashlib.sha256(repr(contents).encode()).hexdigest()[:12]
    folder = Path(tempfile.mkdtemp(prefix=f"data-{key}-"))
    for name, content in contents:
        (folder / name).write_bytes(content)
    return {name: folder / name for name, _ in contents}
