"""Forbid system calls that hold memory which no limit counts, with a filter of the kernel's.

What memfd_create and System V shared memory or messages hold belongs to no process: neither
RLIMIT_DATA nor the container's guard sees it, and the tmpfs folders' sizes do not bound it.
"""

__all__ = ["forbid_uncounted_memory"]

import ctypes
import errno
import platform
import struct

LIBC = ctypes.CDLL(None, use_errno=True)
NUMBERS = {  # machine: (AUDIT_ARCH, the calls' numbers), as in linux/audit.h and asm/unistd.h
    "x86_64": (0xC000003E, {"memfd_create": 319, "shmget": 29, "msgget": 68}),
    "aarch64": (0xC00000B7, {"memfd_create": 279, "shmget": 194, "msgget": 186}),
}
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06  # instructions of classic BPF
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.ENOSYS  # seccomp(2)
SECOND_ABI = 0x40000000  # x32's numbers, the same calls once more
NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER = 38, 22, 2  # prctl(2)


def forbid_uncounted_memory():
    """Have these calls fail with ENOSYS from now on, here and in every child.

    Raises
    ------
    OSError
        If the kernel or the machine's architecture does not allow it.
    """
    program = _program()
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    header = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code))
    for call in ((NO_NEW_PRIVILEGES, 1, 0, 0, 0), (SET_SECCOMP, FILTER, header, 0, 0)):
        if LIBC.prctl(*call) != 0:
            raise OSError(ctypes.get_errno(), "the filter of system calls was refused")


def _program():
    """Return the filter: instructions (operation, jump if true, jump if false, operand)."""
    if platform.system() != "Linux" or platform.machine() not in NUMBERS:
        where = f"{platform.system()} on {platform.machine()}"
        raise OSError(errno.ENOSYS, f"no filter is known for {where}")
    architecture, calls = NUMBERS[platform.machine()]
    return [
        (LOAD, 0, 0, 4),  # the architecture that is called by
        (EQUAL, 0, len(calls) + 3, architecture),
        (LOAD, 0, 0, 0),  # the call's number
        (AT_LEAST, len(calls) + 1, 0, SECOND_ABI),
        *((EQUAL, len(calls) - i, 0, number) for i, number in enumerate(calls.values())),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, REFUSE),
    ]
