"""Make a new unit: a skeleton of masters that builds, is proven, and is ready to be rewritten."""

__all__ = ["new_unit"]

import re
import shutil
from pathlib import Path

from course_grader.project.course import PROJECT, CourseError, Unit

NAME = re.compile(r"\d\d_[a-z0-9]+(_[a-z0-9]+)*")


def new_unit(name: str, project: Path = PROJECT) -> Unit:
    """Copy masters/_skeleton to masters/<name> under names of its own.

    Parameters
    ----------
    name : str
        NN_topic, such as 02_output_distributions.

    Returns
    -------
    Unit

    Raises
    ------
    CourseError
        If the name has another form, or its number is taken.
    """
    if not NAME.fullmatch(name):
        raise CourseError(f"'{name}' is no unit's name: two digits and words, as in 02_my_topic")
    taken = sorted((project / "masters").glob(f"{name[:2]}_*"))
    if taken:
        raise CourseError(f"number {name[:2]} is taken by {taken[0].name}")
    unit = Unit(project / "masters" / name)
    shutil.copytree(project / "masters" / "_skeleton", unit.folder)
    topic = name[3:].replace("_", "-")
    for path in unit.folder.iterdir():
        text = path.read_text("utf-8").replace("00-skeleton", f"{name[:2]}-{topic}")
        path.write_text(text.replace("skeleton", topic), "utf-8")
    return unit
