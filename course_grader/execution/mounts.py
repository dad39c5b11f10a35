"""What the sandbox shows of this machine, wherever the course and its Python lie.

Programs and libraries keep their places, for they know each other by them. course_utils has one
of its own inside, so that a student's code meets the same names whoever grades, and where.
"""

__all__ = [
    "HOME",
    "LIBRARY",
    "WRITABLE",
    "binds",
    "check_open",
    "library",
    "python",
    "shown",
    "ways",
]

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from course_grader.project.course import PROJECT, CourseError

HOME = "/home/student"
LIBRARY = "/run/library"
WRITABLE = (HOME, "/tmp", "/dev/shm")  # a student's own, inside
PARTS = (  # of a folder in which programs are installed: what else lies in it may be anybody's
    *("bin", "sbin", "lib", "lib32", "lib64", "libexec", "share", "include", "etc", "ssl"),
    "pyvenv.cfg",
)
SYSTEM = (
    *("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/alternatives", "/etc/fonts"),
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/nsswitch.conf", "/etc/passwd"),
)


def python() -> str:
    """Return the path of Python with no link on the way: .venv may be one, which is not inside."""
    program = Path(sys.executable)
    return str(program.parent.resolve() / program.name)


def library() -> str:
    """Return the folder that course_utils lies in, outside."""
    return str(PROJECT)


def shown() -> dict[str, str]:
    """Return {place inside: what lies there outside}, no place in another one.

    What the environment was made of is shown under its name and where it really lies: the
    environment knows it by the name, on which there may be a link.

    Raises
    ------
    CourseError
        If the course lies in one of them: students' code could read it.
    """
    base = os.path.abspath(sys.base_prefix)
    roots = ["/usr", "/usr/local", os.path.realpath(sys.prefix), base, os.path.realpath(base)]
    named = [*SYSTEM, *(os.path.join(root, part) for root in roots for part in PARTS)]
    there = [place for place in dict.fromkeys(named) if os.path.exists(place)]
    inner = {place for place in there for outer in there if place.startswith(f"{outer}/")}
    outside = {place: os.path.realpath(place) for place in there if place not in inner}
    for place, real in outside.items():
        if PROJECT.is_relative_to(real):
            raise CourseError(
                f"{PROJECT} lies in {place}, which students' code may read: move the course."
            )
    return outside | {f"{LIBRARY}/course_utils": str(PROJECT / "course_utils")}


def binds() -> list[str]:
    """Return the options that show all this read-only, below a student's own folders too."""
    places = shown()
    own = [f"{top}/" for top in WRITABLE]
    inner = [(p.removeprefix(top), top) for p in places for top in own if p.startswith(top)]
    tops = dict.fromkeys(top + rest.split("/")[0] for rest, top in inner)
    return [
        *(part for top in tops for part in ("--perms", "0755", "--tmpfs", top)),
        *ways(places),
        *(part for place, real in places.items() for part in ("--ro-bind", real, place)),
        *(part for top in tops for part in ("--remount-ro", top)),  # the ways are nobody's own
    ]


def ways(places: Iterable[str], mode: str = "0755") -> list[str]:
    """Make the folders on the way to some places: those bubblewrap makes are for root alone."""
    ways = dict.fromkeys(w for place in places for w in reversed(Path(place).parents))
    made = ("--perms", mode, "--dir")
    return [part for way in ways if way != Path("/") for part in (*made, str(way))]


def check_open(uid: int, files: Iterable[Path]) -> None:
    """Stop unless a user without privileges may read what it needs.

    Parameters
    ----------
    uid : int
        Of the user. Whoever is not root runs students' code as themselves, and may.
    files : iterable of Path
        Needed besides Python and course_utils.

    Raises
    ------
    CourseError
        With what to do.
    """
    packages = Path(sys.prefix, "lib")
    needed: list[str | Path] = [
        python(),
        packages,
        *packages.glob("python3*"),
        *packages.glob("*/site-packages"),
    ]
    needed += [PROJECT / "course_utils", PROJECT / "course_utils" / "__init__.py", *files]
    there = [path for path in needed if os.path.exists(path)]
    for path in there if os.getuid() == 0 else ():
        facts = os.stat(path)
        if not (facts.st_mode >> 6 if facts.st_uid == uid else facts.st_mode) & 4:
            raise CourseError(f"not everybody may read {path}: chmod -R a+rX the course and .venv")
