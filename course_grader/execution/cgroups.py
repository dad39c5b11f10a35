"""A control group for each submission: what the kernel holds for it, counted and limited.

Page tables, socket buffers and shared pages that nobody maps belong to no process, so that no
limit on processes bounds them; a control group's does, where the grader may make one: as root
with version 1, or in a subtree of version 2 that is delegated to the grader.
"""

__all__ = ["Offer", "abandoned", "grouped", "offer", "open_offer"]

import atexit
import contextlib
import dataclasses
import functools
import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path

KERNELS_OWN = 256 << 20  # bytes besides what a submission may hold: stacks, page tables
PREFIX = "course-grader"
NUMBERS = itertools.count()
FILES = {  # version: {controller: {file: which limit}}; those with ? are not everywhere
    1: {
        "memory": {"memory.limit_in_bytes": "memory", "?memory.memsw.limit_in_bytes": "memory"},
        "pids": {"pids.max": "processes"},
    },
    2: {"": {"memory.max": "memory", "?memory.swap.max": "none", "pids.max": "processes"}},
}


@dataclasses.dataclass(frozen=True)
class Offer:
    """Where groups can be made: the version, and {controller: folder}; version 2 has one, ''."""

    version: int
    folders: dict[str, Path]


@functools.cache
def offer() -> Offer | None:
    """Return where this process may make groups, or None; those of ended graders go.

    They go again when this process ends: what a killed one had started ends a little later.
    """
    found = open_offer(Path("/"))
    if found:
        _remove_abandoned(found)
        atexit.register(_remove_abandoned, found)
    return found


def abandoned(offered: Offer) -> Iterator[Path]:
    """Yield the groups of graders that have ended."""
    for folder in offered.folders.values():
        for group in folder.glob(f"{PREFIX}-*"):
            if not Path("/proc", group.name.split("-")[2]).exists():
                yield group


def _remove_abandoned(offered: Offer) -> None:
    for group in abandoned(offered):
        _remove(group, patience=0)


def open_offer(root: Path) -> Offer | None:
    """Find folders of control groups in which the grader may make its own.

    Parameters
    ----------
    root : Path
        The system's root, or a copy of what is read of it.

    Returns
    -------
    Offer or None
    """
    try:
        own = _own_groups((root / "proc/self/cgroup").read_text())
        mounted = list(_mounted((root / "proc/self/mountinfo").read_text()))
    except OSError:
        return None
    first = {}
    for kind, top, place, options in mounted:
        for controller in {"memory", "pids"} & set(options) if kind == "cgroup" else ():
            path = _below(root, place, top, own.get(controller))
            if path and os.access(path, os.W_OK):
                first[controller] = path
    if len(first) == 2:
        return Offer(1, first)
    for kind, top, place, _ in mounted:
        path = _below(root, place, top, own.get("")) if kind == "cgroup2" else None
        while path and path.is_relative_to(root / place.lstrip("/")):
            if _delegated(path):
                return Offer(2, {"": path})
            path = path.parent
    return None


@contextlib.contextmanager
def grouped(memory: float, processes: int) -> Iterator[list[Path]]:
    """Make a group, give the files by which a process enters it, and remove it afterwards.

    Parameters
    ----------
    memory : float
        Bytes of all that belongs to it, files in memory included.
    processes : int
        And threads.
    """
    found = offer()
    values = {"memory": int(memory) + KERNELS_OWN, "processes": processes, "none": 0}
    name = f"{PREFIX}-{os.getpid()}-{next(NUMBERS)}"
    made = [folder / name for folder in found.folders.values()] if found else []
    try:
        for folder, files in zip(
            made, FILES[found.version].values() if found else (), strict=True
        ):
            folder.mkdir()
            for file, which in files.items():
                _limit(folder, file, str(values[which]))
        yield [folder / "cgroup.procs" for folder in made]
    finally:
        for folder in made:
            _remove(folder)


def _limit(folder: Path, file: str, value: str) -> None:
    path = folder / file.removeprefix("?")
    if path.exists() or not file.startswith("?"):
        path.write_text(value)


def _remove(folder: Path, patience: float = 2.0) -> None:
    """Remove a group when its last process is gone; one that stays is left to the next run."""
    end = time.monotonic() + patience
    while folder.is_dir():
        with contextlib.suppress(OSError):
            return folder.rmdir()
        if time.monotonic() > end:
            return None
        time.sleep(0.01)
    return None


def _own_groups(text: str) -> dict[str, str]:
    """Return {controller: this process's group}; version 2 is ''."""
    lines = (line.split(":", 2) for line in text.splitlines())
    return {name: path for _, names, path in lines for name in names.split(",")}


def _mounted(text: str) -> Iterator[tuple[str, str, str, list[str]]]:
    """Yield (kind, its part that is mounted, place, options) of each mount of control groups."""
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ")[:3]
        if kind.startswith("cgroup"):
            yield kind, before.split(" ")[3], before.split(" ")[4], options.split(",")


def _below(root: Path, place: str, top: str, own: str | None) -> Path | None:
    """Return the folder of a group, or None where it is not below what is mounted."""
    if own is None or not Path(own).is_relative_to(top):
        return None
    path = root / place.lstrip("/") / Path(own).relative_to(top)
    return path if path.is_dir() else None


def _delegated(folder: Path) -> bool:
    """Tell whether version 2 lets this user make groups with both controllers in a folder."""
    try:
        given = (folder / "cgroup.subtree_control").read_text().split()
    except OSError:
        return False
    files = (folder, folder / "cgroup.procs")
    return {"memory", "pids"} <= set(given) and all(os.access(one, os.W_OK) for one in files)
