"""Where a student's shell runs: bubblewrap, holding Python and this assignment's data.

The sandbox is an allow-list: what is not named here does not exist inside. The course folder,
home, gradebook, other submissions and the network are therefore not hidden but absent.
"""

__all__ = [
    "GIB",
    "HOME",
    "PROCESSES",
    "PROGRAM",
    "available",
    "command",
    "environment",
    "font_cache",
    "fresh",
    "kind",
    "limits_prefix",
    "program",
    "programs",
    "read_only",
    "variables",
]

import functools
import importlib
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import matplotlib

from course_grader.execution import identity, mounts
from course_grader.execution.mounts import HOME

PROGRAM = Path(__file__).resolve().with_name("inside")
GIB = 1 << 30
MAPPED_BESIDES = 4  # GiB: libraries, threads' stacks, files
PROCESSES = 256  # and threads, of a submission


def kind(forkserver: Path | None = None) -> str:
    """Return the name of the sandbox in use: preloaded bubblewrap, bubblewrap or none."""
    if forkserver:
        return "preloaded bubblewrap"
    return "bubblewrap" if available() else "none"


@functools.cache
def available() -> bool:
    """Tell whether bubblewrap is installed and may create its namespaces here."""
    if not shutil.which("bwrap"):
        return False
    probe = [*identity.namespaces(), *fresh(), *mounts.binds(), *identity.become(), "true"]
    probe = [*identity.bubblewrap(), *probe]
    return subprocess.run(probe, capture_output=True, timeout=20, check=False).returncode == 0


def command(
    inner: list[str], *, files: Mapping[str, Path], memory_gib: float, cpu_seconds: float
) -> tuple[list[str], list[str]]:
    """Return bubblewrap's options for a shell's sandbox, and the command that it runs inside.

    The options name places of this machine: hand them over as a file, or /proc/1 tells them.

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
    everything = {**files, **font_cache()}
    mounts.check_open(identity.unused_id(), [*programs(), *everything.values()])
    data = [part for n, p in everything.items() for part in ("--ro-bind", str(p), f"{HOME}/{n}")]
    options = [
        *identity.namespaces(),
        *identity.no_more_namespaces(),
        *identity.first_process(),
        *fresh(),
        *variables(environment() | {"PYTHONPATH": f"{mounts.LIBRARY}:/run/program"}),
        *(part for place in (HOME, "/tmp") for part in _sized(GIB, place)),
        *mounts.binds(),
        *program(),
        *mounts.ways([f"{HOME}/{name}" for name in everything], "0777"),
        *data,
        *read_only("/", "/dev", "/proc"),  # what may be written to has a size
        *("--chdir", HOME),
    ]
    return options, [*limits_prefix(memory_gib, cpu_seconds), *identity.become(), *inner]


def read_only(*places: str) -> list[str]:
    """Make what is mounted at some places read-only."""
    return [part for place in places for part in ("--remount-ro", place)]


def limits_prefix(memory_gib: float, cpu_seconds: float) -> list[str]:
    """Return the command prefix that limits memory, processes, file size and core dumps."""
    if not shutil.which("prlimit"):
        return []
    return [
        "prlimit",
        f"--data={int(memory_gib * GIB)}",
        f"--as={int((memory_gib + MAPPED_BESIDES) * GIB)}",
        f"--nproc={PROCESSES}",
        f"--fsize={GIB // 4}",
        "--core=0",
        "--nofile=512",
        f"--cpu={int(cpu_seconds) + 1}",
    ]


def environment() -> dict[str, str]:
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


def variables(values: Mapping[str, str]) -> list[str]:
    """Set these environment variables."""
    return [part for pair in values.items() for part in ("--setenv", *pair)]


def programs() -> list[Path]:
    """Return folder and files of what runs inside."""
    return [PROGRAM, *PROGRAM.glob("*.py")]


def program() -> list[str]:
    """Show what runs inside; nothing else of the grader is there."""
    return [
        *mounts.ways(["/run/program/inside"]),
        "--ro-bind",
        str(PROGRAM),
        "/run/program/inside",
    ]


def font_cache() -> dict[str, Path]:
    """Return matplotlib's list of fonts, which takes each shell a second to make."""
    folder = Path(matplotlib.get_cachedir())
    if not any(folder.glob("fontlist-*.json")):
        importlib.import_module("matplotlib.font_manager")  # makes it
    return {f".cache/matplotlib/{path.name}": path for path in folder.glob("fontlist-*.json")}


def fresh() -> list[str]:
    """Make fresh /proc, /dev and /dev/shm."""
    return ["--proc", "/proc", "--dev", "/dev", *_sized(GIB // 4, "/dev/shm")]


def _sized(size: int, place: str) -> list[str]:
    """Mount an empty folder of at most that many bytes, which anybody may write to."""
    return ["--perms", "0777", "--size", str(size), "--tmpfs", place]
