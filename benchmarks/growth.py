"""Grade a large class and look whether its last students cost more than its first.

Some distinct submissions of unit 01 are handed in again and again; each distinct one is executed
once, so what is timed is the grader's own work: judging, nbgrader, gradebook, records. With --dask
a smaller class, all distinct, is executed by two dask workers and by the local pool besides.
"""

__all__ = ["main"]

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from grading import held

from course_grader.authoring.composer import Composer
from course_grader.gradebook.grade import grade
from course_grader.project.course import Course, find_unit

GRADE = """
import sys
from pathlib import Path
from course_grader.hooks.jsonschema import leave_out_grammar
leave_out_grammar()  # as the command line does
from course_grader.project.course import Course, find_unit
from course_grader.gradebook.grade import grade
graded = grade(Course(Path(sys.argv[1])), find_unit("01"), db_url=sys.argv[2], progress=False)
assert all(result.record and not result.problem for result in graded)
"""
PARTS = 10
FLAT = 1.10  # the last part against the median one


def main(arguments: list[str] | None = None) -> None:
    """Print the table; exit with an error where it is not flat."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="growth-") as folder:
        course = _class(Path(folder) / "course", options.submissions, options.distinct)
        paces, memory = _graded(course, options.database or course.db_url)
    _print(options, paces, memory)
    if options.dask:
        _print_dask(options)
    if paces[-1] > FLAT * statistics.median(paces):
        raise SystemExit("the last part is slower than the others")


def _options(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=2000, help="how many; default 2000")
    parser.add_argument("--distinct", type=int, default=60, help="of these; default 60")
    parser.add_argument("--database", help="the gradebook's address; default: SQLite")
    parser.add_argument("--dask", action="store_true", help="compare two dask workers, too")
    return parser.parse_args(arguments)


def _class(root, size, distinct):
    """Hand in right answers of several structures; every so many are alike."""
    course, unit = Course.throwaway(root, find_unit("01")), find_unit("01")
    composer = Composer(course, unit)
    for number in range(size):
        kind = number % distinct
        answers = composer.answers.items()
        choice = {name: known.right[kind % len(known.right)].name for name, known in answers}
        notebook, score = composer.compose(choice)
        notebook.cells[-1].source += f"\n# {kind}"
        composer.hand_in(f"student-{number:05}", notebook, score)
    return course


def _graded(course, database):
    """Grade a class; return the seconds for each submission and the most memory, by parts."""
    process = subprocess.Popen([sys.executable, "-c", GRADE, str(course.root), database])
    looks, over = [], threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, looks, over))
    watcher.start()
    try:
        if process.wait():
            raise SystemExit("not graded")
    finally:
        over.set()
        watcher.join()
    records = course.record(find_unit("01"), "any").parent.glob("*.json")
    saved = sorted(path.stat().st_mtime for path in records)
    ends = [saved[len(saved) * part // PARTS - 1] for part in range(1, PARTS + 1)]
    starts = [saved[0], *ends]
    paces = [(b - a) * PARTS / len(saved) for a, b in zip(starts, ends, strict=False)]
    memory = [
        max((bytes_ for at, bytes_ in looks if a <= at <= b), default=0)
        for a, b in zip(starts, ends, strict=False)
    ]
    return paces, memory


def _watch(pid, looks, over):
    """Note the time and what a process and its descendants hold together, now and then."""
    while not over.wait(2.0):  # each look costs what is being measured
        try:
            top = psutil.Process(pid)
            family = (top, *top.children(recursive=True))
        except psutil.NoSuchProcess:
            return
        looks.append((time.time(), sum(map(held, family))))


def _print(options, paces, memory):
    where = "SQLite" if not options.database else options.database.split(":")[0]
    print(f"{options.submissions} submissions, {options.distinct} distinct, into {where}\n")
    print(f"{'part':>6} {'seconds each':>13} {'memory, MiB':>12}")
    for part, (pace, most) in enumerate(zip(paces, memory, strict=True), 1):
        print(f"{part:6} {pace:13.3f} {most / 2**20:12.0f}")


def _print_dask(options):
    from distributed import LocalCluster

    seconds = {}
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        for way, more in {
            "local": {"workers": 2},
            "dask": {"scheduler": cluster.scheduler_address},
        }.items():
            with tempfile.TemporaryDirectory(prefix="growth-") as folder:
                course = _class(Path(folder) / "course", options.distinct, options.distinct)
                start = time.perf_counter()
                grade(course, find_unit("01"), progress=False, **more)
                seconds[way] = time.perf_counter() - start
    print(
        f"\n{options.distinct} distinct: local pool {seconds['local']:.1f} s, two dask workers ",
        end="",
    )
    print(f"{seconds['dask']:.1f} s")


if __name__ == "__main__":
    main()
