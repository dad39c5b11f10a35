"""Containers of the preloaded sandbox: sound, apart from each other, and gone when they end."""

import concurrent.futures
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course_grader.execution import cgroups, identity, launch, probe, sandbox
from course_grader.execution.execute import NoSandbox, execute
from course_grader.execution.forkserver import ForkServer
from course_grader.execution.sandbox import PROGRAM
from course_grader.project.course import LIMITS, CourseError

LEAVE = """
import os, pathlib, subprocess, sys, torch, numpy, matplotlib
for place in (".", "/tmp", "/dev/shm"):
    pathlib.Path(place, "left").write_text("x")
os.environ["LEFT"] = "x"
torch.allclose = lambda *a, **k: True
matplotlib.rcParams["lines.linewidth"] = 77
numpy.random.seed(5); torch.manual_seed(5)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        sys.stdout = sys.stderr = None
        os.execvp("sleep", ["sleep", "1000"])
    os._exit(0)
"""
LOOK = """
import os, pathlib, torch, numpy, matplotlib
left = [place for place in (".", "/tmp", "/dev/shm") if pathlib.Path(place, "left").exists()]
left += [name for name in os.environ if name == "LEFT"]
left += ["patch"] * (torch.allclose(torch.ones(1), torch.zeros(1)))
left += ["style"] * (matplotlib.rcParams["lines.linewidth"] == 77)
left += ["process"] * (len([p for p in os.listdir("/proc") if p.isdigit()]) > 2)
left, float(numpy.random.rand()), torch.initial_seed()
"""
SPREAD = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        held = b"x" * (900 << 20)
        time.sleep(60)
        os._exit(0)
time.sleep(60)
"""
BOMB = """
import os
children = 0
try:
    while True:
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", "60"])
        children += 1
except BlockingIOError:
    pass
children
"""


def run(forkserver, *sources, **limits):
    """Execute cells in one container; return what each shows, and what is said of the run."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    done = execute(notebook, limits=LIMITS | limits, forkserver=forkserver)
    return [str(cell.outputs) for cell in done.cells], done.metadata.execution


TELL = probe._tell_what_is_not_counted


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch):
    """What is told is the same where there are control groups and where there are none."""
    monkeypatch.setattr(probe, "_tell_what_is_not_counted", lambda say: None)


WEAKENED = {
    "drop_capabilities": ("namespaces", "def drop_capabilities(): pass", "capabilities"),
    "mount_read_only": ("namespaces", "def mount_read_only(**but): pass", "write /run/data"),
    "forbid_user_namespaces": (  # the filter does, too
        "syscalls",
        "def allow_only_known(): pass\n"
        "from . import namespaces\n"
        "namespaces.forbid_user_namespaces = lambda: None",
        "new namespace",
    ),
    "limit": ("container", "def limit(**bounds): pass", "more memory"),
    "filter": (
        "syscalls",
        "def allow_only_known(): pass",
        "'uncounted shared memory'",
    ),
    "hide-containers": (
        "container",
        "mount = namespaces.mount\n"
        "namespaces.mount = lambda kind, at, *a: mount(kind, at, *a) if at != RUN else None",
        "other containers",
    ),
    "own-processes": (
        "container",
        "mount = namespaces.mount\n"
        "namespaces.mount = lambda kind, *a: mount(kind, *a) if kind != 'proc' else None",
        "processes",
    ),
}


def test_the_self_test_finds_nothing(forkserver):
    assert probe.problem_of(forkserver) == ""


@pytest.mark.parametrize("defence", WEAKENED)
def test_the_self_test_finds_a_missing_defence(defence, monkeypatch, tmp_path, forkserver):
    module, code, found = WEAKENED[defence]
    shutil.copytree(PROGRAM, tmp_path / "inside")
    with (tmp_path / "inside" / f"{module}.py").open("a") as file:
        file.write(f"\n\n{code}\n")
    monkeypatch.setattr("course_grader.execution.sandbox.PROGRAM", tmp_path / "inside")
    weak = ForkServer({})
    try:
        weak.wait()
        assert found in probe.problem_of(weak.folder)
    finally:
        weak.stop()


ALONE = {
    "root's nobody": (identity, "become", list, "'other uid'", "root"),
    "a /proc to read only": (
        sandbox,
        "read_only",
        lambda *places: [],
        "'settings of the system'",
        "",
    ),
    "a filter of calls": (launch, "CONFINED", "open", "'keys'", ""),
    "limits": (sandbox, "limits_prefix", lambda *bounds: [], "'more memory'", ""),
}


def test_the_self_test_finds_nothing_in_a_sandbox_for_one(bubblewrap):
    assert probe.problem_of(None) == ""


@pytest.mark.parametrize("defence", ALONE)
def test_the_self_test_finds_a_missing_defence_of_a_sandbox_for_one(
    defence, monkeypatch, bubblewrap
):
    module, name, weak, found, who = ALONE[defence]
    if who and os.getuid():
        pytest.skip("only where the grader is root")
    monkeypatch.setattr(module, name, weak)
    assert found in probe.problem_of(None)


def test_a_sandbox_for_one_ends_with_its_grader_even_if_that_is_killed(bubblewrap):
    program = (
        "from nbformat.v4 import new_code_cell, new_notebook\n"
        "from course_grader.execution.execute import execute\n"
        'cell = \'import os, time; os.execlp("sleep", "sleep-until-killed", "55.5")\'\n'
        "execute(new_notebook(cells=[new_code_cell(cell)]))"
    )
    grader = subprocess.Popen([sys.executable, "-c", program])
    wait_until(lambda: "sleep-until-killed" in command_lines())
    grader.kill()
    grader.wait()
    wait_until(lambda: "sleep-until-killed" not in command_lines())


def command_lines():
    """Return the words by which every process was started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            found += path.read_text(errors="replace").split("\0")
    return found


def wait_until(holds, seconds=20):
    """Wait for something to become true."""
    for _ in range(seconds * 10):
        if holds():
            return
        time.sleep(0.1)
    pytest.fail("it did not come about in time")


def test_where_no_sandbox_holds_grading_is_refused_unless_the_files_are_trusted(
    monkeypatch, bubblewrap
):
    def refuse(files, also):
        raise OSError(12, "Cannot allocate memory")

    told = []
    monkeypatch.setattr(probe, "ForkServer", refuse)
    monkeypatch.setattr(probe, "problem_of", lambda folder: "its self-test gave ['network']")
    monkeypatch.setattr(probe, "SHARED", {})
    with probe.preloading({}, say=told.append) as ready, pytest.raises(NoSandbox, match="network"):
        ready()
    for _ in range(2):
        with pytest.raises(NoSandbox, match="say UNSAFE=1"):
            probe.shared({}, say=told.append)
    with probe.preloading({}, say=told.append, unsafe=True) as ready:
        assert ready() is None
    assert "UNSAFE=1 goes on" in told[-1]


def test_nothing_goes_from_one_room_to_the_next(forkserver):
    assert "Error" not in run(forkserver, LEAVE)[0][0]
    first, second = run(forkserver, LOOK)[0][0], run(forkserver, LOOK)[0][0]
    assert "([], " in first and "([], " in second
    assert first != second  # numpy's global generator is not the same in all containers


def test_processes_together_cannot_hold_more_memory_than_one_may(forkserver):
    start = time.monotonic()
    shown, facts = run(forkserver, SPREAD, "1 + 1", memory_gib=2, cell_seconds=20)
    assert "ProcessEnded" in shown[0] and "'2'" in shown[1] and len(facts["died"]) == 1
    assert time.monotonic() - start < 10


def test_a_fork_bomb_ends_at_the_limit(forkserver):
    shown, _ = run(forkserver, BOMB, cell_seconds=50)
    assert any(f"'{count}'" in shown[0] for count in range(100, 256))


def test_a_message_too_large_ends_its_cell_and_no_other(forkserver):
    shown, facts = run(forkserver, "print('x' * 100_000_000)", "1 + 1", cell_seconds=3)
    assert "TooLarge" in shown[0] and "'2'" in shown[1] and len(facts["died"]) == 1


def test_without_a_sound_sandbox_there_is_none_and_it_is_said(monkeypatch, forkserver):
    told = []
    said = "its self-test gave ['network']"
    monkeypatch.setattr(probe, "problem_of", lambda folder: said if folder else "")
    with probe.preloading({}, say=told.append) as ready:
        assert ready() is None
    assert len(told) == 1 and "network" in told[0] and "slower" in told[0]


def test_where_there_are_no_control_groups_it_is_said(monkeypatch, forkserver):
    told = []
    monkeypatch.setattr(probe, "_tell_what_is_not_counted", TELL)
    monkeypatch.setattr(cgroups, "offer", lambda: None)
    with probe.preloading({}, say=told.append) as ready:
        assert ready() and len(told) == 1 and "socket buffers, is not limited" in told[0]


def test_where_the_system_refuses_to_start_one_there_is_none_and_it_is_said(
    monkeypatch, bubblewrap
):
    def refuse(files, also):
        raise OSError(12, "Cannot allocate memory")

    told = []
    monkeypatch.setattr(probe, "ForkServer", refuse)
    with probe.preloading({}, say=told.append) as ready:
        assert ready() is None
    assert len(told) == 1 and "Cannot allocate memory" in told[0]
    monkeypatch.setattr(probe, "SHARED", {})
    assert probe.shared({}, say=told.append) is None and len(told) == 2


def test_one_that_does_not_start_says_why(monkeypatch, bubblewrap):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(CourseError, match=r"did not start: .*nowhere/python"):
        ForkServer({}).wait()


def test_a_shared_one_is_started_again_after_it_died(forkserver):
    first = probe.shared({}, say=print)
    assert probe.shared({}, say=print) == first
    mine = next(one for one in probe.SHARED.values() if one and one.folder == first)
    mine.process.kill()
    mine.process.wait()
    second = probe.shared({}, say=print)
    assert second != first and "'2'" in run(second, "1 + 1")[0][0]
    next(one for one in probe.SHARED.values() if one and one.folder == second).stop()


def test_a_preloaded_process_that_was_killed_is_there_again_and_no_cell_is_blamed(
    bubblewrap, tmp_path
):
    """Twelve honest notebooks, and a process that is killed twice while they run."""
    told, done = [], []
    slow = [new_code_cell(f"import time; time.sleep(0.3); {n}") for n in range(4)]
    with probe.preloading({}, say=told.append) as ready:
        folder = ready() or pytest.skip(str(told))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            jobs = [
                pool.submit(execute, new_notebook(cells=slow), forkserver=folder)
                for _ in range(12)
            ]
            for _ in range(2):
                time.sleep(1)
                for process in preloaded_in(folder):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)
            done = [job.result(120) for job in jobs]
    for one in done:
        assert [c.outputs[0].data["text/plain"] for c in one.cells] == ["0", "1", "2", "3"]
        assert one.metadata.execution["died"] == one.metadata.execution["too_long"] == []


def preloaded_in(folder):
    """Return the ids of the processes that serve in a folder."""
    lines = [
        (int(path.parent.name), path.read_text(errors="replace"))
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if path.exists()
    ]
    return [process for process, line in lines if str(folder) in line]


def test_it_ends_with_the_grader_even_if_that_is_killed(forkserver):
    program = (
        "from course_grader.execution.forkserver import ForkServer; import time\n"
        "z = ForkServer({}); print(z.process.pid, flush=True); time.sleep(60)"
    )
    grader = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    child = Path("/proc", grader.stdout.readline().strip())
    assert child.exists()
    grader.kill()
    grader.wait()
    grader.stdout.close()
    for _ in range(200):
        if not child.exists() or "(zombie)" in (child / "status").read_text():
            return
        time.sleep(0.1)
    pytest.fail("the preloaded process outlives its grader")
