"""Allow the system calls that notebooks need, and no other, with libseccomp's filter.

Left out is what would hold memory that belongs to no process (memfd_create, System V's shared
memory and messages, shared memory without a file, POSIX queues), what has no namespace (keys,
AF_VSOCK), what would make new namespaces, and the kernel's less trodden parts. clone3, whose flags
a filter cannot read, fails as in a kernel that has none: libc takes clone.
"""

__all__ = ["allow_only_known", "prepare"]

import contextlib
import errno
import functools
from collections.abc import Iterator
from typing import Any

FILES = """
    access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat
    faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync
    fgetxattr flistxattr flock fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64
    getxattr ioctl lchown lgetxattr link linkat listxattr llistxattr lseek lstat mkdir mkdirat
    mknod mknodat newfstatat open openat openat2 pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev
    pwritev2 read readahead readlink readlinkat readv rename renameat renameat2 rmdir sendfile
    splice stat statfs statx symlink symlinkat tee truncate umask unlink unlinkat utime utimensat
    utimes write writev
"""
WAITING = """
    alarm clock_getres clock_gettime clock_nanosleep epoll_create epoll_create1 epoll_ctl
    epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 futex futex_waitv getitimer gettimeofday
    nanosleep pause poll ppoll pselect6 restart_syscall select setitimer signalfd signalfd4 time
    timerfd_create timerfd_gettime timerfd_settime
"""
PROCESSES = """
    arch_prctl capget capset execve execveat exit exit_group fork get_robust_list getcpu getegid
    geteuid getgid getgroups getpgid getpgrp getpid getppid getpriority getrandom getresgid
    getresuid getrlimit getrusage getsid gettid getuid kill membarrier pidfd_open
    pidfd_send_signal prctl prlimit64 rseq rt_sigaction rt_sigpending rt_sigprocmask
    rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo
    sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
    sched_getscheduler sched_setaffinity sched_yield set_robust_list set_tid_address setgid
    setgroups setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setuid
    sigaltstack sysinfo tgkill times tkill uname vfork wait4 waitid
"""
MEMORY = "brk get_mempolicy madvise mprotect mremap msync munmap"
SOCKETS = """
    accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg
    sendmmsg sendmsg sendto setsockopt shutdown
"""
NEW_NAMESPACES = 0x7E020000  # flags of clone(2)
SHARED_WITHOUT_FILE, WITHOUT_FILE, SHARED = 0x21, 0x20, 0x01  # flags of mmap(2)
FAMILIES = (1, 2, 10, 16)  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK (which lists interfaces)
INT = 0xFFFFFFFF
OTHER_ARCHITECTURE, SHAPE = 2, 8  # attributes of seccomp_attr_set(3)


@functools.cache
def prepare() -> Any:
    """Return the filter, whose making takes some milliseconds: once, before any fork.

    Raises
    ------
    OSError
        If libseccomp is not there.
    """
    try:
        import pyseccomp as seccomp
    except (ImportError, RuntimeError, OSError) as error:
        raise OSError(errno.ENOSYS, f"no filter of system calls: {error}") from error
    made = seccomp.SyscallFilter(seccomp.ERRNO(errno.ENOSYS))
    made.set_attr(OTHER_ARCHITECTURE, seccomp.ERRNO(errno.ENOSYS))
    with contextlib.suppress(OSError):
        made.set_attr(SHAPE, 2)  # a tree, in place of a line; older ones have none
    for name in " ".join((FILES, WAITING, PROCESSES, MEMORY, SOCKETS)).split():
        with contextlib.suppress(OSError, ValueError):  # libseccomp may be older than a call
            made.add_rule(seccomp.ALLOW, name)
    for name, *conditions in _conditions(seccomp):
        made.add_rule(seccomp.ALLOW, name, *conditions)
    return made


def _conditions(seccomp: Any) -> Iterator[tuple[str, Any]]:
    """Yield (name, condition) of calls that are allowed with some arguments only."""
    yield "clone", seccomp.Arg(0, seccomp.MASKED_EQ, NEW_NAMESPACES, 0)
    for flags in (WITHOUT_FILE, SHARED, 0):
        yield "mmap", seccomp.Arg(3, seccomp.MASKED_EQ, SHARED_WITHOUT_FILE, flags)
    for family in FAMILIES:
        yield "socket", seccomp.Arg(0, seccomp.MASKED_EQ, INT, family)
    yield "socketpair", seccomp.Arg(0, seccomp.MASKED_EQ, INT, FAMILIES[0])


def allow_only_known() -> None:
    """Have every other call fail with ENOSYS from now on, here and in every child.

    Raises
    ------
    OSError
        If libseccomp is not there, or the kernel has no filters.
    """
    prepare().load()
