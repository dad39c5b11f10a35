"""Execute the course's own notebooks (lessons, solutions) in a plain kernel; tidy the outputs."""

__all__ = ["GLANCE", "looking_again", "run_notebook"]

import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from queue import Empty
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from course_grader.project.course import PROJECT, CourseError
from course_grader.project.notebooks import ENVIRONMENT, KERNELSPEC

SECONDS = 120  # for one cell
GLANCE = 0.5  # seconds between two looks for a reply


def run_notebook(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Execute a notebook in place and return it, with outputs that do not change from run to run.

    Parameters
    ----------
    notebook : NotebookNode
    folder : Path
        The working directory of its kernel.

    Raises
    ------
    CourseError
        If a cell fails; the message holds the cell and the error.
    """
    client = _Client(
        notebook,
        timeout=SECONDS,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute(env=os.environ | ENVIRONMENT | {"PYTHONPATH": _path()})
    except CellExecutionError as error:
        master = notebook.metadata.course.master
        raise CourseError(f"{master}: a cell fails when executed:\n{error}") from error
    return _tidy(notebook)


class _Client(NotebookClient):
    """A client that looks for replies twice a second, not only when its socket is woken.

    An output widget makes the client send on the shell channel. Sending swallows the wake-up of
    a reply that arrives meanwhile, and the client would wait for it until the cell's time is up.
    """

    async def async_start_new_kernel_client(self):
        kernel_client = await super().async_start_new_kernel_client()
        channel = kernel_client.shell_channel
        channel.get_msg = looking_again(channel.get_msg)
        return kernel_client


def looking_again(get_message: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return a channel's get_msg that asks again every GLANCE seconds, until its time is up."""

    async def get(timeout=None):
        end = time.monotonic() + (float("inf") if timeout is None else timeout)
        while True:
            try:
                return await get_message(timeout=max(0, min(GLANCE, end - time.monotonic())))
            except Empty:
                if time.monotonic() >= end:
                    raise

    return get


def _path():
    """Return the kernel's PYTHONPATH: the environment may know another clone's course_utils."""
    return os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))


def _tidy(notebook):
    notebook.metadata.pop("widgets", None)
    notebook.metadata.kernelspec = KERNELSPEC
    notebook.metadata.language_info = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            _describe_image(cell, output)
    return notebook


def _describe_image(cell, output):
    """Give a figure its alt text where front ends and forges look for it."""
    if "alt" in cell.metadata and "image/png" in output.get("data", {}):
        output.metadata["image/png"] = {"alt": cell.metadata.alt}
