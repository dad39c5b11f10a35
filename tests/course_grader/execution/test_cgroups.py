"""Control groups: version 1 here where it can be had, version 2 in a tree made for the test."""

import os
import time

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course_grader.execution import cgroups
from course_grader.execution.execute import execute
from course_grader.project.course import LIMITS

BUFFERS = """
import socket, time
held = []
while len(held) < 400:
    pair = socket.socketpair()
    held.append(pair)
    for one in pair:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        one.setblocking(False)
        try:
            while True:
                one.send(b"x" * 65536)
        except OSError:
            pass
time.sleep(60)
"""
START = """
import subprocess, sys, time
for _ in range(9):
    subprocess.Popen([sys.executable, "-S", "-c", {attack!r}])
time.sleep(18)  # the group is ended long before, but for a busy machine
"""


@pytest.fixture
def system(tmp_path):
    """Return a function that makes a tree with what is read of /proc and /sys."""

    def made(cgroup, mounts, files):
        (tmp_path / "proc/self").mkdir(parents=True)
        (tmp_path / "proc/self/cgroup").write_text(cgroup)
        (tmp_path / "proc/self/mountinfo").write_text(mounts)
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return tmp_path

    return made


USER = "sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service"
SECOND = "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"


def test_version_2_takes_the_nearest_delegated_folder(system, monkeypatch):
    own = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/shell.scope\n"
    root = system(
        own,
        SECOND,
        {
            f"{USER}/app.slice/shell.scope/cgroup.subtree_control": "\n",
            f"{USER}/app.slice/cgroup.subtree_control": "memory pids\n",
            f"{USER}/app.slice/cgroup.procs": "",
            f"{USER}/cgroup.subtree_control": "cpu memory pids\n",
            f"{USER}/cgroup.procs": "",
        },
    )
    found = cgroups.open_offer(root)
    assert found == cgroups.Offer(2, {"": root / USER / "app.slice"})
    monkeypatch.setattr(cgroups, "offer", lambda: found)
    with cgroups.grouped(1 << 30, 256) as [procs]:
        folder = procs.parent
        assert (folder / "memory.max").read_text() == str((1 << 30) + cgroups.KERNELS_OWN)
        assert (folder / "pids.max").read_text() == "256"
        assert not (folder / "memory.swap.max").exists()  # where swap is not counted
        for file in list(folder.iterdir()):
            file.unlink()  # the kernel's files go with their folder
    assert not folder.exists()


@pytest.mark.parametrize("given", ["", "cpu memory", "cpu pids"])
def test_version_2_without_both_controllers_is_none(given, system):
    files = {f"{USER}/cgroup.subtree_control": given, f"{USER}/cgroup.procs": ""}
    own = "0::/user.slice/user-1000.slice/user@1000.service\n"
    assert cgroups.open_offer(system(own, SECOND, files)) is None


def test_version_1_needs_both_controllers(system):
    mounts = (
        "32 31 0:29 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
        "39 31 0:36 /box /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
    )
    files = {"sys/fs/cgroup/memory/a/tasks": "", "sys/fs/cgroup/pids/b/tasks": ""}
    root = system("5:pids:/box/b\n4:memory:/a\n", mounts, files)
    folders = {"memory": root / "sys/fs/cgroup/memory/a", "pids": root / "sys/fs/cgroup/pids/b"}
    assert cgroups.open_offer(root) == cgroups.Offer(1, folders)
    (root / "proc/self/cgroup").write_text("5:pids:/elsewhere\n4:memory:/a\n")
    assert cgroups.open_offer(root) is None


def test_without_proc_there_is_none_and_nothing_is_made(tmp_path, monkeypatch):
    assert cgroups.open_offer(tmp_path) is None
    monkeypatch.setattr(cgroups, "offer", lambda: None)
    with cgroups.grouped(1 << 30, 256) as files:
        assert files == []


@pytest.fixture(params=["preloaded", "alone"])
def room(request, forkserver):
    """Return the fork server's folder, and then None: a sandbox for each submission."""
    if cgroups.offer() is None:
        pytest.skip("no control groups can be made here")
    return forkserver if request.param == "preloaded" else None


def test_memory_of_no_process_is_counted(room, monkeypatch):
    highest, remove = [], cgroups._remove

    def note(folder):
        for name in ("memory.max_usage_in_bytes", "memory.peak"):
            highest.extend(int(p.read_text()) for p in [folder / name] if p.is_file())
        remove(folder)

    monkeypatch.setattr(cgroups, "_remove", note)
    small = LIMITS | {"memory_gib": 1.5, "cell_seconds": 20}  # torch alone may map 0.9 of it
    cells = [new_code_cell(START.format(attack=BUFFERS)), new_code_cell("1 + 1")]
    done = execute(new_notebook(cells=cells), limits=small, forkserver=room)
    whole = (3 << 29) + cgroups.KERNELS_OWN
    assert 0.95 * whole < max(highest) <= whole  # without a limit it would be some times as much
    assert "'2'" in str(done.cells[1].outputs)


def test_groups_are_gone_afterwards_and_those_of_a_killed_grader_too(room):
    execute(new_notebook(cells=[new_code_cell("1 + 1")]), forkserver=room)
    found = cgroups.offer()
    for folder in found.folders.values():
        assert list(folder.glob(f"{cgroups.PREFIX}-{os.getpid()}-*")) == []
        (folder / f"{cgroups.PREFIX}-999999999-0").mkdir()
    cgroups.offer.cache_clear()
    cgroups.offer()
    time.sleep(0.1)
    for folder in found.folders.values():
        assert not (folder / f"{cgroups.PREFIX}-999999999-0").exists()
