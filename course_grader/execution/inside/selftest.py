"""Try what must fail in a sandbox, from within: `escapes()` names what did not fail."""

__all__ = ["escapes"]

import ctypes
import functools
import mmap
import os
import platform
import resource
import socket
from collections.abc import Callable, Iterable
from pathlib import Path

PLACES = ("/", "/usr", "/etc", "/dev", "/run", "/run/containers", "/run/data")
HOME = "/home/student"
NEW_USER_NAMESPACE = 0x10000000
KEYCTL = (219 if platform.machine() == "aarch64" else 250, 0)  # its number; KEYCTL_GET_KEYRING_ID


def escapes(shown: Iterable[str] = (HOME,)) -> list[str]:
    """Return the names of the attempts that succeeded; a sandbox is sound if there are none.

    Parameters
    ----------
    shown : iterable of str
        What is there on purpose: in somebody's home this may be Python, but nothing beside it.
    """
    attempts: dict[str, Callable[[], object]] = {
        f"write {place}": functools.partial(_write, place) for place in PLACES
    }
    attempts |= {
        "network": lambda: socket.create_connection(("192.0.2.1", 80), timeout=0.5),
        "interfaces": _other_interfaces,
        "new namespace": _unshare,
        "mount": lambda: _libc("mount", b"x", b"/tmp", b"tmpfs", 0, None),
        "other uid": lambda: os.setuid(0),
        "more memory": lambda: _raise_limit(resource.RLIMIT_DATA),
        "more processes": lambda: _raise_limit(resource.RLIMIT_NPROC),
        "capabilities": _has_capabilities,
        "memory of process 1": lambda: os.close(os.open(f"{_guard()}/mem", os.O_RDONLY)),
        "surroundings of process 1": lambda: Path(_guard(), "environ").read_bytes(),
        "other processes": _other_processes,
        "other containers": lambda: _find(os.listdir("/run/containers")),
        "homes": lambda: _find(_beside({HOME, *shown}, ("/home", "/root"))),
        "settings of the system": lambda: _find(p for p in _files("/proc/sys") if _opens(p)),
        "settings of the kernel": lambda: os.close(os.open("/proc/sysrq-trigger", os.O_WRONLY)),
        "keys": lambda: _libc_returns("syscall", *KEYCTL, -3, 0),  # the session's keyring
        "host's sockets": lambda: socket.socket(40, socket.SOCK_STREAM),  # AF_VSOCK: no namespace
        "uncounted memory": lambda: os.memfd_create("planted"),
        "uncounted memory, shared": lambda: mmap.mmap(-1, 1 << 20).close(),
        "tables of pages": lambda: mmap.mmap(
            -1, 1 << 38, mmap.MAP_PRIVATE, mmap.PROT_READ
        ).close(),
        "uncounted shared memory": lambda: _libc_returns("shmget", 0, 1 << 20, 0o1600),
        "chroot": lambda: os.chroot("/tmp"),
    }
    return [name for name, attempt in attempts.items() if _succeeds(attempt)]


def _succeeds(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (OSError, ValueError):
        return False
    return True


def _write(place: str) -> None:
    Path(place, "planted").write_text("x")


def _files(top: str) -> list[str]:
    return [os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names]


def _opens(path: str) -> bool:
    """Tell whether a file can be opened for writing, which changes nothing."""
    try:
        os.close(os.open(path, os.O_WRONLY))
    except OSError:
        return False
    return True


def _unshare() -> None:
    """Make a user namespace in a process of its own: one with threads may not."""
    child = os.fork()
    if child == 0:
        try:
            _libc("unshare", NEW_USER_NAMESPACE)
        except OSError:
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise OSError("refused")


def _libc(name: str, *arguments: object) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), name)


def _libc_returns(name: str, *arguments: object) -> None:
    """Call what returns a number of its own, or -1."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)


def _raise_limit(which: int) -> None:
    hard = resource.getrlimit(which)[1]
    if hard == resource.RLIM_INFINITY:
        return
    resource.setrlimit(which, (hard + 1, hard + 1))


def _has_capabilities() -> None:
    status = Path("/proc/self/status").read_text().split()
    after = dict(zip(status, status[1:], strict=False))
    held = {name for name in ("CapEff:", "CapPrm:", "CapBnd:") if int(after[name], 16)}
    _find(held | ({"new ones"} if after["NoNewPrivs:"] != "1" else set()))


def _guard() -> str:
    """Return the folder of process 1, unless the student is that process itself."""
    _find({1} - {os.getpid()})
    return "/proc/1"


def _beside(shown: set[str], tops: Iterable[str]) -> set[str]:
    """Return what lies in folders neither on the way to what is shown nor in it."""
    found, left = set(), [top for top in tops if os.path.isdir(top)]
    while left:
        for entry in os.scandir(left.pop()):
            if entry.path in shown:
                continue
            if any(place.startswith(f"{entry.path}/") for place in shown):
                left.append(entry.path)
            else:
                found.add(entry.path)
    return found


def _other_processes() -> None:
    _find(set(filter(str.isdigit, os.listdir("/proc"))) - {"1", str(os.getpid())})


def _other_interfaces() -> None:
    _find({name for _, name in socket.if_nameindex()} - {"lo"})


def _find(things: Iterable[object]) -> None:
    """Fail, as an attempt should, if there is nothing to find."""
    if not list(things):
        raise ValueError("nothing found")
