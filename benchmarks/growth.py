"""Grade a large class and look whether its last students cost more than its first.

Some distinct submissions of unit 01 are handed in again and again; each distinct one is executed
once, so what is timed is the grader's own work: judging, nbgrader, gradebook, records. With --dask
a smaller class, all distinct, is executed by two dask workers and by the local pool besides.
"""

__all__ = ["main"]

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from grading import Memory, grade_in_a_process, make_class

from course_grader.gradebook.grade import grade
from course_grader.project.course import find_unit

UNIT = find_unit("01")
PARTS = 10
FLAT = 1.10  # the last part against the median one


def main(arguments: list[str] | None = None) -> None:
    """Print the table; exit with an error where it is not flat."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="growth-") as folder:
        course = make_class(Path(folder) / "course", UNIT, options.submissions, options.distinct)
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


def _graded(course, database):
    """Grade a class; return the seconds for each submission and the most memory, by parts."""
    with Memory() as memory:
        grade_in_a_process(course, UNIT, os.cpu_count() or 1, database)
    records = course.record(UNIT, "any").parent.glob("*.json")
    saved = sorted(path.stat().st_mtime for path in records)
    ends = [saved[len(saved) * part // PARTS - 1] for part in range(1, PARTS + 1)]
    spans = list(zip([saved[0], *ends], ends, strict=False))
    paces = [(end - start) * PARTS / len(saved) for start, end in spans]
    return paces, [memory.most(*span) for span in spans]


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
                course = make_class(Path(folder) / "course", UNIT, options.distinct)
                start = time.perf_counter()
                grade(course, UNIT, progress=False, **more)
                seconds[way] = time.perf_counter() - start
    told = ", ".join(f"{way} {spent:.1f} s" for way, spent in seconds.items())
    print(f"\n{options.distinct} distinct, two workers: {told}")


if __name__ == "__main__":
    main()
