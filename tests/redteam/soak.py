"""`make soak`: grade in a loop, attacks mixed in at random, graders killed at random.

Each round hands in honest students and some attacks, drawn by a seed, starts a grader, kills it
(SIGKILL) at a random moment, once or twice or not at all, and lets a last one finish. Every score
must then be right, and nothing may be left of the round: no process, mount, control group, key or
file.
"""

__all__ = ["Left", "main", "remains", "wrong_scores"]

import argparse
import ctypes
import dataclasses
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

from course_grader.execution import cgroups
from course_grader.project.course import find_unit
from tests.redteam.attack import ATTACKS
from tests.redteam.harness import HONEST_POINTS, hand_in_class, honest_names

PR_SET_CHILD_SUBREAPER = 36  # prctl(2): what a killed grader leaves behind becomes our child
UNIT = find_unit("01")
HONEST, HOSTILE = 12, 6
KILLS = (0, 1, 1, 2)
SOON = 0.5  # seconds in which workers see that their grader is gone
PATIENCE = 10  # seconds in which what was killed must have gone
OWN = set()  # process ids below us so far: others on this machine may kill graders, too


@dataclasses.dataclass(frozen=True)
class Left:
    """What there is of each kind, before a round or after it."""

    processes: frozenset
    mounts: frozenset
    groups: frozenset
    keys: frozenset
    files: frozenset

    @classmethod
    def now(cls):
        """Look at this process's descendants, and at what ended graders hold besides."""
        offered = cgroups.open_offer(Path("/"))
        ended = cgroups.abandoned(offered) if offered else ()
        return cls(
            processes=frozenset(_descendants(os.getpid())),
            mounts=frozenset(Path("/proc/self/mountinfo").read_text().splitlines()),
            groups=frozenset(group for group in ended if group.name.split("-")[2] in OWN),
            keys=frozenset(line.split()[0] for line in _lines("/proc/keys")),
            files=frozenset(Path(tempfile.gettempdir()).iterdir()),
        )

    def __sub__(self, other):
        """Return {kind: what is here and was not there}."""
        names = [field.name for field in dataclasses.fields(self)]
        return {n: sorted(map(str, getattr(self, n) - getattr(other, n))) for n in names}


def _lines(path):
    return Path(path).read_text().splitlines() if Path(path).is_file() else []


def _descendants(top):
    """Yield `number name` of each process below one, ended ones that nobody waited for too."""
    below = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = status.read_text().rpartition(")")
        except OSError:  # it has just ended
            continue
        below.setdefault(int(words[2].split()[1]), []).append(words[0].replace("(", ""))
    waiting = [*below.get(top, [])]
    while waiting:
        found = waiting.pop()
        yield found
        waiting += below.get(int(found.split()[0]), [])


def remains(before):
    """Wait until nothing is there that was not before; return what stays, by kind."""
    end = time.monotonic() + PATIENCE
    while True:
        _wait_for_the_ended()
        left = {kind: found for kind, found in (Left.now() - before).items() if found}
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.1)


def _wait_for_the_ended():
    """Do what a system's first process does: an ended one that nobody waits for still counts."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:  # there are no children
        pass


def main(arguments):
    """Soak for some minutes, or rounds; print a line for each, and return 0 if all held."""
    parser = argparse.ArgumentParser(prog="python -m tests.redteam.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20, help="default: 20")
    parser.add_argument("--rounds", type=int, help="at most so many")
    parser.add_argument("--seed", type=int, default=0, help="of attacks and kills; default: 0")
    parser.add_argument("--honest", type=int, default=HONEST, help="students of a round")
    parser.add_argument("--hostile", type=int, default=HOSTILE, help="attacks of a round")
    chosen = parser.parse_args(arguments)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as folder,
        mock.patch.multiple(tempfile, tempdir=folder),
    ):
        os.environ["TMPDIR"] = folder
        rounds, faults = _soaked(chosen)
    print(f"{rounds} rounds, {rounds * chosen.honest} honest students, {faults} with a fault")
    return int(faults > 0)


def _soaked(chosen):
    """Go through the rounds; return how many, and how many had a fault."""
    draw, end = random.Random(chosen.seed), time.monotonic() + 60 * chosen.minutes
    seconds, rounds, faults = _warm_up(chosen), 0, 0
    while time.monotonic() < end and rounds != chosen.rounds:
        rounds += 1
        told = _round(draw, chosen, seconds)
        print(f"round {rounds}: {told or 'held'}", flush=True)
        faults += bool(told)
    return rounds, faults


def _warm_up(chosen):
    """Grade a class in peace, so that what is made once is there; return the seconds it takes."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        course, _ = hand_in_class({}, UNIT, Path(folder), honest_names(ATTACKS, chosen.honest))
        _grade(course)
    return time.monotonic() - start


def _round(draw, chosen, seconds):
    """Hand in, grade, kill, grade to the end; return what is wrong afterwards, or ''."""
    names = sorted(draw.sample(sorted(ATTACKS), chosen.hostile))
    attacks = {name: ATTACKS[name] for name in names}
    moments = [draw.uniform(0, seconds) for _ in range(draw.choice(KILLS))]
    print(f"{' '.join(names)}; killed after {[round(m, 1) for m in moments]} s", flush=True)
    before = Left.now()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        honest = honest_names(attacks, chosen.honest)
        course, _ = hand_in_class(attacks, UNIT, Path(folder), honest)
        for moment in moments:
            _grade(course, moment)
        _grade(course)
        wrong = wrong_scores(course, {n: a.deserved for n, a in attacks.items()}, honest)
        parts = sorted(map(str, course.root.rglob("*.part")))
    left = remains(before) | ({"parts": parts} if parts else {})
    return "; ".join([*wrong, *(f"{kind} left: {found}" for kind, found in left.items())])


def _grade(course, kill_after=math.inf):
    """Run `make grade`'s command; kill it after so many seconds, or let it end."""
    command = [sys.executable, "-m", "course_grader", "grade", "--unit", UNIT.name[:2]]
    grader = subprocess.Popen(
        [*command, "--course", str(course.root)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + kill_after
    while grader.poll() is None and time.monotonic() < end:
        OWN.update(found.split()[0] for found in _descendants(os.getpid()))
        time.sleep(0.1)
    grader.kill()
    grader.wait()
    time.sleep(SOON)
    _wait_for_the_ended()


def wrong_scores(course, deserved, honest):
    """Return a sentence for each student whose score is not the one deserved."""
    due = deserved | dict.fromkeys(honest, HONEST_POINTS)
    found = {name: _score(course, name) for name in due}
    return [f"{n}: {found[n]} in place of {due[n]}" for n in due if found[n] != due[n]]


def _score(course, name):
    path = course.record(UNIT, name)
    return json.loads(path.read_text("utf-8"))["score"] if path.is_file() else "no record"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
