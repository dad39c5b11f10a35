"""The filter of system calls allows what notebooks need, and refuses what no limit counts."""

import json
import subprocess
import sys
import types

import pytest

from course_grader.execution.inside import syscalls

TRY = """
import ctypes, json, mmap, multiprocessing, os, platform, socket, subprocess, tempfile, threading
from course_grader.execution.inside.syscalls import allow_only_known
import torch  # before the filter, as in the preloaded sandbox
allow_only_known()
libc = ctypes.CDLL(None, use_errno=True)
known = platform.machine() == "x86_64"
refused = {}

def attempt(name, call):
    try:
        refused[name] = call() == -1 and ctypes.get_errno()
    except OSError as error:
        refused[name] = error.errno

attempt("shmget", lambda: libc.shmget(0, 4096, 0o1600))
attempt("msgget", lambda: libc.msgget(0, 0o1600))
attempt("memfd_create", lambda: os.memfd_create("x"))
attempt("shared memory of no file", lambda: mmap.mmap(-1, 4096).close())
attempt("AF_VSOCK", lambda: socket.socket(40, socket.SOCK_STREAM).close())
attempt("AF_ALG", lambda: socket.socket(38, socket.SOCK_SEQPACKET).close())
attempt("unshare", lambda: libc.unshare(0x10000000))
attempt("mq_open", lambda: libc.mq_open(b"/x", os.O_CREAT | os.O_RDWR, 0o600, None))
attempt("inotify", lambda: libc.inotify_init())
if known:
    for name, number in {"add_key": 248, "request_key": 249, "keyctl": 250, "memfd_secret": 447,
                         "io_uring_setup": 425, "userfaultfd": 323, "bpf": 321, "ptrace": 101,
                         "perf_event_open": 298, "mount": 165, "setns": 308}.items():
        attempt(name, lambda: libc.syscall(number, 0, 0, 0, 0, 0))
    attempt("clone, new user namespace", lambda: libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0))
if os.fork() == 0:
    os._exit(7 if libc.shmget(0, 4096, 0o1600) == -1 else 0)
child = os.waitstatus_to_exitcode(os.wait()[1])

works = []
with tempfile.TemporaryFile() as file:
    file.write(b"x" * 4096)
    file.flush()
    mmap.mmap(file.fileno(), 4096).close()  # shared, of a file
    works.append("files")
thread = threading.Thread(target=works.append, args=["threads"])
thread.start()
thread.join()
works.append(subprocess.run(["echo", "programs"], capture_output=True, text=True).stdout.strip())
a, b = socket.socketpair()
socket.send_fds(a, [b"x"], [0])
works.append("sockets")
from torch.utils.data import DataLoader
data = DataLoader(torch.arange(8.0), batch_size=4, num_workers=2)
works.append(float(sum(batch.sum() for batch in data)))
print(json.dumps([refused, child, works]))
"""


def test_these_calls_fail_in_the_process_and_its_children_and_others_work():
    done = subprocess.run([sys.executable, "-c", TRY], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    refused, child, works = json.loads(done.stdout)
    assert {name: number for name, number in refused.items() if number != 38} == {}
    assert child == 7
    assert works == ["files", "threads", "programs", "sockets", 28.0]


def test_every_name_is_listed_once_and_known():
    import pyseccomp

    lists = (syscalls.FILES, syscalls.WAITING, syscalls.PROCESSES, syscalls.MEMORY)
    names = " ".join((*lists, syscalls.SOCKETS)).split()
    assert len(names) == len(set(names))
    unknown = [n for n in names if pyseccomp.resolve_syscall(pyseccomp.system_arch(), n) == -1]
    assert set(unknown) <= {"fchmodat2"}  # younger than some libseccomps


def test_without_libseccomp_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyseccomp", None)
    syscalls.prepare.cache_clear()
    with pytest.raises(OSError, match="no filter of system calls"):
        syscalls.allow_only_known()


def test_an_older_libseccomp_leaves_out_what_it_does_not_know(monkeypatch):
    added = []

    class Older:
        def __init__(self, action):
            pass

        def set_attr(self, attribute, value):
            if attribute == syscalls.SHAPE:
                raise OSError("unknown attribute")

        def add_rule(self, action, name, *conditions):
            if name == "fchmodat2":
                raise OSError("unknown call")
            added.append(name)

    fake = types.SimpleNamespace(
        SyscallFilter=Older, ERRNO=int, ALLOW=0, MASKED_EQ=7, Arg=lambda *parts: parts
    )
    monkeypatch.setitem(sys.modules, "pyseccomp", fake)
    syscalls.prepare.cache_clear()
    assert isinstance(syscalls.prepare(), Older)
    assert "read" in added and added.count("mmap") == 3 and "fchmodat2" not in added
    syscalls.prepare.cache_clear()
