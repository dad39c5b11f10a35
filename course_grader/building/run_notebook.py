"""Execute the course's own notebooks (lessons, solutions) in a plain kernel; tidy the outputs."""

__all__ = ["run_notebook"]

import os

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from course_grader.project.course import PROJECT, CourseError
from course_grader.project.notebooks import ENVIRONMENT, KERNELSPEC

SECONDS = 120  # for one cell


def run_notebook(notebook, folder):
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
    client = NotebookClient(
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
