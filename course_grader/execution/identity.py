"""As whom students' code runs: the grader's own user, or, where that is root, one of nobody's.

A user namespace that root makes would map the student to root: what the kernel decides by the
user id alone, such as who may write /proc/sys, would be open, and no limit on processes would
hold. So root makes no user namespace, and becomes somebody else before students' code starts.
"""

__all__ = [
    "become",
    "bubblewrap",
    "first_process",
    "namespaces",
    "no_more_namespaces",
    "unused_id",
]

import functools
import os
import pwd
import shutil
import subprocess

IDS = range(64999, 63999, -1)  # below what a container's map ends with, above people's numbers


def bubblewrap() -> list[str]:
    """Return the program, without an environment, which /proc/1/environ would show."""
    return ["/usr/bin/env", "-i", shutil.which("bwrap") or "bwrap"]


def namespaces() -> list[str]:
    """Share nothing with the outside: no network, no processes, no user."""
    shared = ("--die-with-parent", "--new-session", "--clearenv", "--hostname", "sandbox")
    if os.getuid() == 0:
        unshared = [f"--unshare-{what}" for what in ("pid", "ipc", "net", "uts", "cgroup-try")]
        return [*unshared, *shared]
    return [*("--unshare-all", *shared), *("--cap-drop", "ALL", "--uid", "1000", "--gid", "1000")]


def first_process() -> list[str]:
    """Say who is process 1 inside: root's bubblewrap, which nobody can trace, else the student.

    What nobody does, bubblewrap, which has no capabilities by then, could not end.
    """
    return ["--as-pid-1"] if os.getuid() else []


def become() -> list[str]:
    """Return what a command of root's begins with to run as nobody, with no way back."""
    if os.getuid():
        return []
    user = str(unused_id())
    return [
        *("setpriv", "--reuid", user, "--regid", user, "--clear-groups"),
        *("--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"),
    ]


@functools.cache
def no_more_namespaces() -> list[str]:
    """Keep a student from being root in a namespace of their own; bubblewrap 0.8 can do it.

    Root has no user namespace to forbid it in: there the filter of system calls does.
    """
    known = subprocess.run(["bwrap", "--help"], capture_output=True, text=True, check=False).stdout
    able = "--disable-userns" in known and os.getuid()
    return ["--unshare-user", "--disable-userns"] if able else []


def unused_id() -> int:
    """Return a user id that no account has, another one for each process of the grader's.

    What the kernel counts for each user (processes, descriptors in flight, keys) is then not
    shared by students who are graded at the same time, where each has a sandbox of its own.
    """
    place = os.getpid() % len(IDS)
    free: int = next(number for number in [*IDS[place:], *IDS[:place]] if not _is_known(number))
    return free


def _is_known(number: int) -> bool:
    try:
        pwd.getpwuid(number)
    except KeyError:
        return False
    return True
