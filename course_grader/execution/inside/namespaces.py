"""Namespaces, mounts and capabilities through libc: Python 3.11 has no functions for them."""

__all__ = [
    "bind",
    "cover",
    "die_with_parent",
    "drop_capabilities",
    "forbid_user_namespaces",
    "mount",
    "mount_read_only",
    "mounts",
    "separate",
]

import ctypes
import fcntl
import os
import re
import socket
import struct
from collections.abc import Iterable
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE = {  # flags of unshare(2)
    "mount": 0x00020000,
    "cgroup": 0x02000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}
READ_ONLY, NO_SUID, NO_DEV, NO_EXEC, REMOUNT, BIND, RECURSIVE = 1, 2, 4, 8, 32, 4096, 16384
PRIVATE = 1 << 18
FLAGS = {"nosuid": NO_SUID, "nodev": NO_DEV, "noexec": NO_EXEC}
SET_PARENT_DEATH_SIGNAL, DROP_FROM_BOUNDING_SET, NO_NEW_PRIVILEGES = 1, 24, 38  # prctl(2)
CAPABILITY_VERSION = 0x20080522
SET_INTERFACE_FLAGS, INTERFACE_UP = 0x8914, 1  # ioctl of netdevice(7)
SIGKILL = 9


def separate(uid: int, gid: int) -> None:
    """Give this process namespaces of its own; its children are in a new pid namespace.

    Parameters
    ----------
    uid, gid : int
        What the student's processes see as their own ids.
    """
    outside = os.getuid(), os.getgid()
    _call("unshare", sum(CLONE.values()))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {outside[0]} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {outside[1]} 1")
    _call("mount", None, b"/", None, PRIVATE | RECURSIVE, None)
    with socket.socket() as any_socket:  # processes of a container may talk to each other
        fcntl.ioctl(any_socket, SET_INTERFACE_FLAGS, struct.pack("16sh", b"lo", INTERFACE_UP))


def mount(kind: str, place: str, options: str = "") -> None:
    """Mount a fresh tmpfs, proc or devpts over a folder."""
    flags = NO_SUID | (NO_EXEC if kind == "proc" else 0) | (NO_DEV if kind != "devpts" else 0)
    _call("mount", kind.encode(), os.fsencode(place), kind.encode(), flags, options.encode())


def mounts() -> list[tuple[str, list[str]]]:
    """Return (place, options) of every mount that this process has, in the order of mounting."""
    text = os.fsdecode(Path("/proc/self/mountinfo").read_bytes())
    lines = [
        line.split(" ") for line in text.split("\n")[:-1]
    ]  # of all spaces this one is escaped
    octal = re.compile(r"\\(\d{3})")
    return [(octal.sub(lambda m: chr(int(m[1], 8)), w[4]), w[5].split(",")) for w in lines]


def cover(place: str, options: str) -> None:
    """Mount a fresh tmpfs over a folder; folders mounted just below it stay: they hold Python."""
    below = dict.fromkeys(p for p, _ in mounts() if os.path.dirname(p) == place)
    files = {path: os.open(path, os.O_PATH) for path in below}
    mount("tmpfs", place, options)
    for path, file in files.items():
        os.mkdir(path)
        bind(f"/proc/self/fd/{file}", path)
        os.close(file)


def bind(source: str, place: str) -> None:
    """Show a folder, with what is mounted in it, at a second place."""
    _call("mount", os.fsencode(source), os.fsencode(place), None, BIND | RECURSIVE, None)


def mount_read_only(*, but: Iterable[str] = ()) -> None:
    """Make every mount read-only except the fresh ones in `but`, which hide what is below."""
    for place, options in mounts():
        if not f"{place}/".startswith(tuple(f"{fresh}/" for fresh in but)):
            kept = sum(FLAGS.get(option, 0) for option in options)
            flags = REMOUNT | BIND | READ_ONLY | kept
            _call("mount", None, os.fsencode(place), None, flags, None)


def forbid_user_namespaces() -> None:
    """Let nobody below make a user namespace, in which it would be root."""
    Path("/proc/sys/user/max_user_namespaces").write_text("0")


def drop_capabilities() -> None:
    """Give up every capability for good, for this process and its children."""
    for capability in range(int(Path("/proc/sys/kernel/cap_last_cap").read_text()) + 1):
        _call("prctl", DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    _call("capset", header, (ctypes.c_uint32 * 6)())
    _call("prctl", NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def die_with_parent() -> None:
    """Have the kernel end this process when its parent ends."""
    _call("prctl", SET_PARENT_DEATH_SIGNAL, SIGKILL, 0, 0, 0)


def _call(name: str, *arguments: object) -> None:
    if getattr(LIBC, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}", str(arguments[:3]))
