"""What one submission is confined to: its own folders, limits, and an init that guards them."""

__all__ = ["HOME", "RUN", "enter", "furnish", "guard", "limit"]

import os
import resource
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from . import namespaces

HOME, RUN, DATA = "/home/student", "/run/containers", "/run/data"
MIB = 1 << 20
MAPPED_BESIDES = (
    2 << 30
)  # threads' stacks and files; a table of pages is a 512th of what is mapped
WATCH_SECONDS = 0.1


def enter(groups: Iterable[int]) -> None:
    """Enter control groups by their open files; what starts from here on is in them."""
    for file in groups:
        os.write(file, b"0")
        os.close(file)
    Path("/proc/self/oom_score_adj").write_text("500")  # the preloaded process is to outlive it


def furnish() -> None:
    """Mount what this submission sees: empty folders, its data, and nothing of anyone else."""
    namespaces.mount("tmpfs", RUN, "size=4k,mode=0555")
    for place, size in ((HOME, 1024), ("/tmp", 1024), ("/dev/shm", 256)):
        namespaces.cover(place, f"size={size}m,nr_inodes=64k,mode=0777")
    namespaces.mount("devpts", "/dev/pts", "newinstance,ptmxmode=0666,mode=0620")
    namespaces.mount("proc", "/proc")
    namespaces.forbid_user_namespaces()
    shutil.copytree(DATA, HOME, dirs_exist_ok=True)
    namespaces.mount_read_only(but={HOME, "/tmp", "/dev/shm"})


def limit(*, memory: int, cpu_seconds: float, processes: int = 256, files: int = 512) -> None:
    """Limit this process and its children; `memory` is bytes of data for each process."""
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    bounds = {
        "DATA": memory,
        "AS": mapped + memory + MAPPED_BESIDES,
        "CPU": int(cpu_seconds) + 1,
        "NPROC": processes,
        "NOFILE": files,
        "FSIZE": 256 * MIB,
        "CORE": 0,
    }
    for name, bound in bounds.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (bound, bound))


def guard(shell: int, *, memory: float) -> int:
    """Be the init of the container until the shell ends; return the shell's exit status.

    Reaps orphans, and ends a container whose processes hold more than `memory` bytes together,
    which no limit on each one can do.

    Parameters
    ----------
    shell : int
        Process id.
    memory : float
        Bytes.
    """
    while _held() <= memory:
        ended = _reap(shell)
        if ended is not None:
            return ended
        time.sleep(WATCH_SECONDS)
    return -9  # leaving ends every process of the container


def _reap(shell: int) -> int | None:
    """Collect ended processes; return the shell's exit status if it is among them."""
    while True:
        process, status = os.waitpid(-1, os.WNOHANG)
        if process == shell:
            return os.waitstatus_to_exitcode(status)
        if process == 0:
            return None


def _held() -> int:
    """Return how many bytes of memory the processes of this container hold, files not counted."""
    return sum(_held_by(entry) for entry in Path("/proc").glob("[0-9]*") if entry.name != "1")


def _held_by(entry: Path) -> int:
    try:
        lines = (entry / "status").read_text().splitlines()
    except OSError:  # it has ended meanwhile
        return 0
    kinds = ("RssAnon:", "RssShmem:")
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith(kinds))
