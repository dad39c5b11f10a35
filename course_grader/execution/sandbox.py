"""Where a student's shell runs: bubblewrap, holding Python and this assignment's data.

The sandbox is an allow-list: what is not named here does not exist inside. The course folder,
home, gradebook, other submissions and the network are therefore not hidden but absent.
"""

__all__ = [
    "GIB",
    "HOME",
    "PROGRAM",
    "available",
    "command",
    "environment",
    "font_cache",
    "fresh",
    "kind",
    "limits_prefix",
    "namespaces",
    "no_more_namespaces",
    "program",
    "programs",
    "variables",
]

import functools
import importlib
import os
import shutil
import subprocess
from pathlib import Path

import matplotlib

from course_grader.execution import mounts
from course_grader.execution.mounts import HOME

PROGRAM = Path(__file__).resolve().with_name("inside")
GIB = 1 << 30


def kind(forkserver=None):
    """Return the name of the sandbox in use: preloaded bubblewrap, bubblewrap or none."""
    if forkserver:
        return "preloaded bubblewrap"
    return "bubblewrap" if available() else "none"


@functools.cache
def available():
    """Tell whether bubblewrap is installed and may create its namespaces here."""
    if not shutil.which("bwrap"):
        return False
    probe = [*namespaces(), *fresh(), *mounts.binds(), "/usr/bin/env", "true"]
    return subprocess.run(probe, capture_output=True, timeout=20, check=False).returncode == 0


def command(inner, *, files, memory_gib, cpu_seconds):
    """Return the command that runs a shell inside the sandbox.

    Parameters
    ----------
    inner : list of str
        The shell's own command.
    files : dict
        {name: path} of data files that lie, read-only, beside the notebook.
    memory_gib : float
        Data segment of each process, in GiB.
    cpu_seconds : float
        CPU time of each process.

    Raises
    ------
    CourseError
        If root, without its privileges, may not read what is needed.
    """
    everything = files | font_cache()
    mounts.check_open(os.getuid(), [*programs(), *everything.values()])
    data = [part for n, p in everything.items() for part in ("--ro-bind", str(p), f"{HOME}/{n}")]
    return [
        *namespaces(),
        *no_more_namespaces(),
        *("--as-pid-1",),  # else bubblewrap's own process, which a student could trace, is inside
        *fresh(),
        *variables(environment() | {"PYTHONPATH": f"{mounts.LIBRARY}:/run/program"}),
        *("--size", str(GIB), "--tmpfs", "/tmp", "--size", str(GIB), "--tmpfs", HOME),
        *mounts.binds(),
        *program(),
        *data,
        *("--remount-ro", "/", "--remount-ro", "/dev"),  # what may be written to has a size
        *("--chdir", HOME, "--"),
        *limits_prefix(memory_gib, cpu_seconds),
        *inner,
    ]


def limits_prefix(memory_gib, cpu_seconds):
    """Return the command prefix that limits memory, processes, file size and core dumps."""
    if not shutil.which("prlimit"):
        return []
    return [
        "prlimit",
        f"--data={int(memory_gib * GIB)}",
        "--nproc=512",
        f"--fsize={GIB // 4}",
        "--core=0",
        f"--cpu={int(cpu_seconds) + 1}",
    ]


def environment():
    """Return a student shell's whole environment: nothing of the instructor's comes along."""
    return {
        "PATH": f"{Path(mounts.python()).parent}:/usr/bin:/bin",
        "HOME": HOME,
        "USER": "student",
        "LOGNAME": "student",
        "LANG": "C.UTF-8",
        "PYTHONPATH": mounts.library(),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "COURSE_DEVICE": "cpu",
        "COURSE_PROGRESS": "off",
        "TQDM_DISABLE": "1",
        "NBGRADER_EXECUTION": "autograde",
    }


def variables(values):
    """Set these environment variables."""
    return [part for pair in values.items() for part in ("--setenv", *pair)]


def programs():
    """Return folder and files of what runs inside."""
    return [PROGRAM, *PROGRAM.glob("*.py")]


def program():
    """Show what runs inside; nothing else of the grader is there."""
    return [
        *mounts.ways(["/run/program/inside"]),
        "--ro-bind",
        str(PROGRAM),
        "/run/program/inside",
    ]


def font_cache():
    """Return matplotlib's list of fonts, which takes each shell a second to make."""
    folder = Path(matplotlib.get_cachedir())
    if not any(folder.glob("fontlist-*.json")):
        importlib.import_module("matplotlib.font_manager")  # makes it
    return {f".cache/matplotlib/{path.name}": path for path in folder.glob("fontlist-*.json")}


def namespaces():
    """Share nothing with the outside: no network, no processes, no user."""
    return [
        *("/usr/bin/env", "-i", shutil.which("bwrap") or "bwrap"),  # /proc/1/environ is readable
        "--unshare-all",
        "--die-with-parent",
        "--new-session",
        "--clearenv",
        *("--cap-drop", "ALL", "--hostname", "sandbox", "--uid", "1000", "--gid", "1000"),
    ]


@functools.cache
def no_more_namespaces():
    """Keep a student from being root in a namespace of their own; bubblewrap 0.8 can do it."""
    known = subprocess.run(["bwrap", "--help"], capture_output=True, text=True, check=False).stdout
    return ["--unshare-user", "--disable-userns"] if "--disable-userns" in known else []


def fresh():
    """Make fresh /proc, /dev and /dev/shm."""
    memory = ("--perms", "0777", "--size", str(GIB // 4), "--tmpfs", "/dev/shm")
    return ["--proc", "/proc", "--dev", "/dev", *memory]
