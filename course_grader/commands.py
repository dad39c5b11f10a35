"""What an author's commands do: each takes the parsed arguments, returns a status or None.

A command imports what it needs, so that the others start quickly.
"""

__all__ = [
    "build_command",
    "bundle_command",
    "demo_command",
    "new_unit_command",
    "prove_command",
    "robustness_command",
    "site_command",
]

import argparse
import importlib.util
import sys
from pathlib import Path

from course_grader.project.course import PROJECT, CourseError, find_unit, units


def _chosen(arguments):
    return [find_unit(arguments.unit)] if arguments.unit else units()


def _several(arguments):
    words = filter(None, arguments.unit.replace(" ", "").split(","))
    chosen = {find_unit(word).name: find_unit(word) for word in words}
    return [chosen[name] for name in sorted(chosen)]


def build_command(arguments: argparse.Namespace) -> None:
    """Build the four trees, and the page of what the lessons print about the dial."""
    from course_grader.building.build import build, check_names
    from course_grader.building.leaks import check_others
    from course_grader.building.thread_page import THREAD_PAGE, thread_page

    check_names(units())
    for unit in _chosen(arguments):
        build(unit)
    check_others(_chosen(arguments), units())
    THREAD_PAGE.write_text(thread_page(), "utf-8")


def prove_command(arguments: argparse.Namespace) -> int | None:
    """Prove the checks of units; or try answers from a file."""
    from course_grader.building.readable import readable
    from course_grader.proving.proof import prove

    if arguments.answers is not None or arguments.json or arguments.unsafe:
        return _try_answers(arguments)
    problems = 0
    for unit in _chosen(arguments):
        released = PROJECT / "release" / unit.name
        if not released.is_dir():
            raise CourseError(f"{unit.name} was never built: 'make build UNIT={unit.name[:2]}'")
        paths = [PROJECT / "notebooks" / f"{unit.name}.ipynb", *sorted(released.iterdir())]
        for proof in prove(unit, texts=[readable(path) for path in paths if path.is_file()]):
            print(proof)
            print("".join(f"  {problem}\n" for problem in proof.problems), end="")
            problems += len(proof.problems)
    return 1 if problems else 0


def _try_answers(arguments):
    from course_grader.proving.trial import try_answers
    from course_grader.proving.trial_report import trial_as_json, trial_as_text

    if arguments.answers is None or not arguments.unit:
        raise CourseError("ANSWERS=file (--answers) needs UNIT; JSON and UNSAFE need ANSWERS.")
    tried = try_answers(find_unit(arguments.unit), arguments.answers, unsafe=arguments.unsafe)
    print((trial_as_json if arguments.json else trial_as_text)(tried))
    return 1 if any(one.difference for one in tried) else 0


def robustness_command(arguments: argparse.Namespace) -> int | None:
    """Rerun the claims of a lesson."""
    from course_grader.authoring.masters import read_master
    from course_grader.proving import robustness, robustness_report

    unit = find_unit(arguments.unit)
    master = read_master(unit.master("lesson"), "lesson")
    claims = robustness.claims_of(master, arguments.claim)
    if not claims:
        print(robustness_report.NONE.format(unit.name))
        return 0
    robustness.rerun(claims, robustness.enter(master), seeds=arguments.seeds)
    document = robustness_report.robustness_as_json(unit, master, claims)
    path = robustness_report.write_robustness(unit, document, arguments.claim)
    text = robustness_report.robustness_as_text(unit, claims)
    print(document if arguments.json else text)
    print(f"Written: {path}", file=sys.stderr)
    return 0 if all(claim.holds for claim in claims) else 1


def demo_command(arguments: argparse.Namespace) -> int:
    """Grade sample classes and compare every score."""
    from course_grader.demo.sample import run_demos

    return 1 if run_demos(_chosen(arguments)) else 0


def new_unit_command(arguments: argparse.Namespace) -> None:
    """Make the skeleton of a unit."""
    from course_grader.authoring.scaffold import new_unit

    unit = new_unit(arguments.name)
    print(f"{unit.folder} is ready: read docs/writing-a-unit.md, edit, then")
    print(f"  make build UNIT={unit.name[:2]}\n  make prove UNIT={unit.name[:2]}")


def bundle_command(arguments: argparse.Namespace) -> None:
    """Make the zip that a class gets: of the whole course, or of some units."""
    from course_grader.building.bundle import make_bundle

    path = make_bundle(only=_several(arguments))
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, scanned for leaks")


def site_command(arguments: argparse.Namespace) -> None:
    """Make the website that only wants to be looked at: of the whole course, or of some units."""
    if not importlib.util.find_spec("myst_nb"):
        install = '.venv/bin/python -m pip install -c constraints.txt -e ".[grader,site]"'
        raise CourseError(f"The site is built with Sphinx, which is not installed: {install}")
    from course_grader.site.make import make_site

    made = make_site(
        _several(arguments),
        target=Path(arguments.target),
        repository=arguments.repository,
        most=arguments.frames,
    )
    files = [path for path in made.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    print(f"{made / 'index.html'}: {len(files)} files, {size:.1f} MB, scanned for leaks")
