"""Put this process's memory into huge pages: a fork copies a table of pages, 4 kB or 2 MB each."""

__all__ = ["ASKED_EARLY", "collapse"]

import ctypes
import os
import re
from pathlib import Path

ASKED_EARLY = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}  # what is allocated so need not move
HUGE = 2 << 20
MADV_COLLAPSE = 25  # Linux 6.1; an older one says no
MAPS = Path("/proc/self/maps")  # Linux has it; elsewhere nothing happens
OWN = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0 *(?:\[heap\])?\n")  # backed by no file


def collapse() -> None:
    """Ask the kernel for huge pages wherever this process has 2 MB of its own in one piece.

    What was asked for by the environment holds for this process, not for those that it starts.
    """
    for name, value in ASKED_EARLY.items():
        if os.environ.get(name) == value:  # another is somebody's own
            del os.environ[name]
    libc = ctypes.CDLL(None)
    for start, end in OWN.findall(MAPS.read_text() if MAPS.is_file() else ""):
        first, last = -(-int(start, 16) // HUGE) * HUGE, int(end, 16) // HUGE * HUGE
        if last > first:
            libc.madvise(ctypes.c_void_p(first), ctypes.c_size_t(last - first), MADV_COLLAPSE)
