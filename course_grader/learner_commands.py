"""What a learner's commands do, in work/: each takes the parsed arguments.

A command imports what it needs, so that the others start quickly.
"""

__all__ = [
    "check_command",
    "interview_command",
    "playground_command",
    "progress_command",
    "review_command",
    "work_command",
]

import argparse
import json
import sys
from pathlib import Path

from course_grader.project.course import PROJECT, find_unit, units


def check_command(arguments: argparse.Namespace) -> None:
    """Judge the learner's own copy, or one answer that comes on standard input."""
    from course_grader.authoring.staleness import tell_if_stale
    from course_grader.self_check import check_answer, check_work

    unit, work = find_unit(arguments.unit), Path(arguments.work).resolve()
    tell_if_stale(unit)
    if arguments.exercise:
        judged = [check_answer(unit, arguments.exercise, sys.stdin.read(), work=work)]
    else:
        judged = check_work(unit, work=work)
    print(_as_json(judged[0]) if arguments.json else _as_text(judged))


def _as_json(judged):
    told = {"status": judged.verdict.status, "text": judged.text(), "html": judged.html()}
    return json.dumps(told)


def _as_text(judged):
    earned = sum(one.verdict.earned for one in judged)
    possible = sum(one.verdict.possible for one in judged)
    score = f"{earned:g} of {possible:g} points; answers in words are read by a person"
    return "\n\n".join([*(one.text() for one in judged), score])


def work_command(arguments: argparse.Namespace) -> None:
    """Make the learner's own copy."""
    from course_grader.workspace import prepare_work

    prepare_work(units())


def progress_command(arguments: argparse.Namespace) -> None:
    """Show where the learner stands."""
    from course_utils.progress import progress

    print(progress(PROJECT / "work"))


def interview_command(arguments: argparse.Namespace) -> None:
    """Make a mock interview in work/; print where it lies there."""
    from course_grader.interview import prepare_interview

    print(prepare_interview(arguments.seed, project=PROJECT).relative_to(PROJECT / "work"))


def playground_command(arguments: argparse.Namespace) -> None:
    """Write the playground's page, open it where there is a browser, and tell its address."""
    from course_grader.playground.page import write_playground
    from course_grader.project.browser import show

    address = write_playground(PROJECT).as_uri()
    print(f"The playground, one page that needs no network:\n\n    {address}\n")
    show(address)


def review_command(arguments: argparse.Namespace) -> None:
    """Ask the cards that are due, or write those that were met for Anki."""
    from course_grader.review.anki import write_anki
    from course_grader.review.terminal import review
    from course_grader.workspace import prepare_cards

    work = PROJECT / "work"
    prepare_cards(units(), project=PROJECT)
    if arguments.to:
        path, count = write_anki(work)
        print(f"{count} cards: {path.relative_to(PROJECT)}. In Anki choose File, Import.")
    else:
        review(work, cards=arguments.cards, minutes=arguments.minutes)
