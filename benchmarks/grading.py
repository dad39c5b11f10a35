"""Time grading: stock nbgrader, two stock processes on halves, and ours.

Every round grades the same submissions of unit 01 in each way, one after the other, in a fresh
course folder; the table shows medians over the rounds. Run it on a machine that does nothing else.
"""

__all__ = ["Memory", "grade_in_a_process", "main", "make_class"]

import argparse
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Self

import psutil

from course_grader.authoring.composer import Composer
from course_grader.gradebook.register import register
from course_grader.gradebook.saving import write_feedback
from course_grader.project import notebooks
from course_grader.project.course import Course, Unit, find_unit

BARE = """
import json, sys, time
import matplotlib.pyplot, scipy.stats, torch
cells = json.load(sys.stdin)
for _ in range(2):
    space, start = {"__name__": "__main__"}, time.perf_counter()
    for cell in cells:
        try:
            exec(cell, space)
        except Exception as error:
            print(error)
print(time.perf_counter() - start)
"""
OURS = """
import sys
from pathlib import Path
from course_grader.hooks.jsonschema import leave_out_grammar
leave_out_grammar()  # as the command line does
from course_grader.project.course import Course, find_unit
from course_grader.gradebook.grade import grade
course, unit = Course(Path(sys.argv[1])), find_unit(sys.argv[2])
options = {"workers": int(sys.argv[3]), "db_url": sys.argv[4], "progress": False}
graded = grade(course, unit, **options)
assert all(result.record and not result.problem for result in graded)
"""
STOCK_CONFIG = "c = get_config()\nc.ExecutePreprocessor.timeout = 60\n"


def main(arguments=None):
    """Print the table."""
    options = _options(arguments)
    unit = find_unit(options.unit)
    ways = {
        "stock nbgrader": lambda course: _stock(course, unit, 1),
        "two stock processes on halves": lambda course: _stock(course, unit, 2),
        f"ours, {options.workers} workers": lambda course: _ours(course, unit, options.workers),
    }
    ways = {way: run for way, run in ways.items() if not options.ours or way.startswith("ours")}
    times, facts = {way: [] for way in ways}, []
    for _ in range(options.rounds):
        for way, run in ways.items():
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                course = make_class(Path(folder) / "course", unit, options.submissions)
                start = time.perf_counter()
                said = run(course)
                feedback = said[0] if said else 0.0
                times[way].append(time.perf_counter() - start - feedback)
                facts += [(*said, _bare(course, unit))] if said else []
    medians = {way: statistics.median(values) for way, values in times.items()}
    _print(options, medians, *(statistics.median(column) for column in zip(*facts, strict=True)))


def make_class(root: Path, unit: Unit, size: int, distinct: int | None = None) -> Course:
    """Hand in right answers of several structures; return the course.

    Parameters
    ----------
    root : Path
        Where it is to lie.
    unit : Unit
    size : int
        How many hand in.
    distinct : int, optional
        How many of their notebooks differ; default: all.
    """
    course = Course.throwaway(root, unit)
    composer = Composer(course, unit)
    for number in range(size):
        kind = number % (distinct or size)
        choice = {
            name: answers.right[kind % len(answers.right)].name
            for name, answers in composer.answers.items()
        }
        notebook, score = composer.compose(choice)
        notebook.cells[-1].source += f"\n# {kind}"
        composer.hand_in(f"student-{number:05}", notebook, score)
    return course


def grade_in_a_process(course: Course, unit: Unit, workers: int, db_url: str) -> None:
    """Grade a class as the command line does, start-up and all."""
    words = [str(course.root), unit.name, str(workers), db_url]
    subprocess.run([sys.executable, "-c", OURS, *words], check=True)


class Memory:
    """What this process and its descendants hold together in the block, looked at now and then.

    `looks` are pairs of a time and bytes (PSS).
    """

    def __enter__(self) -> Self:
        self.looks: list[tuple[float, int]] = []
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._watcher.join()

    def most(self, start: float = 0.0, end: float = math.inf) -> int:
        """Return the most bytes that were held between two times; 0 if nobody looked."""
        return max((held for at, held in self.looks if start <= at <= end), default=0)

    def _watch(self):
        me = psutil.Process()
        while not self._over.wait(2.0):  # each look costs what is being measured
            family = (me, *me.children(recursive=True))
            self.looks.append((time.time(), sum(map(_held, family))))


def _options(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unit", default="01", help="a unit's number or name")
    parser.add_argument("--submissions", type=int, default=60, help="how many; default 60")
    parser.add_argument("--rounds", type=int, default=3, help="how often; default 3")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="default: cores")
    parser.add_argument("--ours", action="store_true", help="leave stock nbgrader out")
    return parser.parse_args(arguments)


def _stock(course, unit, processes):
    (course.root / "nbgrader_config.py").write_text(STOCK_CONFIG)
    register(course, unit, course.db_url)
    students = sorted(path.name for path in (course.root / "submitted").iterdir())
    running = []
    for part in range(processes):
        root = course.root if processes == 1 else _half(course, students[part::processes], part)
        command = [sys.executable, "-m", "nbgrader", "autograde", unit.name]
        running.append(subprocess.Popen(command, cwd=root, stderr=subprocess.DEVNULL))
    for process in running:
        process.wait()
    done = list(course.root.rglob(f"autograded/*/{unit.name}/{unit.name}.ipynb"))
    assert len(done) == len(students), f"stock graded {len(done)} of {len(students)}"


def _half(course, students, part):
    """A course folder with some of the students: SQLite has one writer."""
    root = course.root / f"part-{part}"
    for name in ("source", "release"):
        shutil.copytree(course.root / name, root / name)
    for name in ("nbgrader_config.py", "gradebook.db"):
        shutil.copy(course.root / name, root)
    for student in students:
        shutil.copytree(course.root / "submitted" / student, root / "submitted" / student)
    return root


def _ours(course, unit, workers):
    """Grade and write feedback; return (feedback seconds, peak memory, pace of each half)."""
    with Memory() as memory:
        grade_in_a_process(course, unit, workers, course.db_url)
    start = time.perf_counter()
    write_feedback(course, unit)
    return time.perf_counter() - start, memory.most(), *_paces(course, unit)


def _paces(course, unit):
    """Return the seconds for each submission in the first and in the second half of a class."""
    records = course.record(unit, "any").parent.glob("*.json")
    saved = sorted(path.stat().st_mtime for path in records)
    middle, last = max(1, len(saved) // 2), len(saved) - 1
    first, second = saved[middle] - saved[0], saved[last] - saved[middle]
    return first / middle, second / max(1, last - middle)


def _bare(course, unit):
    """Return the seconds that the cells of a right submission take in a warm interpreter."""
    source = notebooks.load(course.notebook("source", unit))
    cells = [cell.source for cell in source.cells if cell.cell_type == "code"]
    program = [sys.executable, "-c", BARE]
    run = subprocess.run(
        program,
        input=json.dumps(cells),
        cwd=course.path("source", unit),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(run.stdout.split()[-1])


def _held(process):
    """Return a process's share of memory; the sum that Linux keeps costs least to read."""
    try:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended meanwhile
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _print(options, medians, feedback, peak, first, second, cells):
    stock = next(iter(medians.values())) if not options.ours else float("nan")
    print(f"{options.submissions} submissions of unit {options.unit}, {options.rounds} rounds")
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.platform()}\n")
    print(f"{'way':32} {'seconds':>8} {'each':>7} {'times stock':>12}")
    for way, seconds in medians.items():
        each = seconds / options.submissions
        print(f"{way:32} {seconds:8.1f} {each:7.2f} {stock / seconds:12.1f}")
    ours = list(medians.values())[-1] / options.submissions
    print(f"\nbare execution of the cells: {cells:.2f} s for each submission")
    both = {"stock": stock / options.submissions, "ours": ours}
    for way, each in both.items() if not options.ours else ():
        print(f"overhead over it, {way}: {each - cells / _parallel(way, options):.2f} s")
    print(f"feedback, not in the times above: {feedback / options.submissions:.2f} s each")
    print(f"pace of ours: {first:.3f} s each in the first half, {second:.3f} s in the second")
    print(f"memory of ours, all processes: {peak / 2**20:.0f} MiB")


def _parallel(way, options):
    return options.workers if way == "ours" else 1


if __name__ == "__main__":
    main()
