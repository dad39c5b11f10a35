"""The filter of system calls refuses what no limit counts, and nothing else."""

import subprocess
import sys

import pytest

from course_grader.execution.inside import syscalls

TRY = """
import ctypes, os, tempfile
from course_grader.execution.inside.syscalls import forbid_uncounted_memory
forbid_uncounted_memory()
libc = ctypes.CDLL(None, use_errno=True)
refused = [libc.shmget(0, 4096, 0o1600), libc.msgget(0, 0o1600)]
try:
    os.memfd_create("x")
except OSError as error:
    refused.append(-error.errno)
if os.fork() == 0:
    os._exit(7 if libc.shmget(0, 4096, 0o1600) == -1 else 0)
child = os.waitstatus_to_exitcode(os.wait()[1])
with tempfile.TemporaryFile() as file:
    file.write(b"x")
print(refused, child)
"""


def test_these_calls_fail_in_the_process_and_its_children_and_others_work():
    shown = subprocess.run([sys.executable, "-c", TRY], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[-1, -1, -38] 7"


@pytest.mark.parametrize(("asked", "other"), [("machine", "abacus"), ("system", "Darwin")])
def test_where_no_numbers_are_known_is_an_error(asked, other, monkeypatch):
    monkeypatch.setattr(syscalls.platform, asked, lambda: other)
    with pytest.raises(OSError, match=other):
        syscalls.forbid_uncounted_memory()


@pytest.mark.parametrize("machine", syscalls.NUMBERS)
def test_each_call_jumps_to_the_refusal(machine, monkeypatch):
    monkeypatch.setattr(syscalls.platform, "machine", lambda: machine)
    program = syscalls._program()
    architecture, calls = syscalls.NUMBERS[machine]
    assert all(run(program, architecture, n) == syscalls.REFUSE for n in calls.values())
    assert run(program, architecture, 1) == run(program, architecture, 318) == syscalls.ALLOW
    assert run(program, architecture, syscalls.SECOND_ABI | 319) == syscalls.REFUSE
    assert run(program, 0x40000003, 1) == syscalls.REFUSE  # 32-bit calls have other numbers


def run(program, architecture, number):
    """Interpret the filter as the kernel does."""
    place, held = 0, 0
    while True:
        operation, yes, no, operand = program[place]
        if operation == syscalls.RETURN:
            return operand
        if operation == syscalls.LOAD:
            held = {0: number, 4: architecture}[operand]
        elif operation == syscalls.EQUAL:
            place += yes if held == operand else no
        elif operation == syscalls.AT_LEAST:
            place += yes if held >= operand else no
        place += 1
