"""The command line: python -m course_grader COMMAND --help."""

import argparse
import sys
from collections.abc import Sequence

from course_grader import class_commands, commands, learner_commands, lms_commands
from course_grader.hooks.jsonschema import leave_out_grammar
from course_grader.project.course import PROJECT, CourseError
from course_grader.project.surroundings import find_programs, have_home


def main(arguments: Sequence[str] | None = None) -> int | None:
    """Run one command; a mistake of the user's is one message, not a traceback."""
    find_programs()
    have_home()
    leave_out_grammar()
    parser = _parser()
    chosen = parser.parse_args(arguments)
    try:
        return chosen.run(chosen) or 0
    except CourseError as error:
        print(f"\n{error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"\n{error}: nothing that was there before is lost", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        goes_on = ": it goes on where it was" if chosen.run is class_commands.grade_command else ""
        print(f"\nStopped. Run the same command again{goes_on}.", file=sys.stderr)
        return 130


def _parser():
    parser = argparse.ArgumentParser(prog="python -m course_grader", description=__doc__)
    added = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, text, options in COMMANDS:
        command = added.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        for flag, settings in options.items():
            command.add_argument(flag, **settings)
    return parser


UNIT = {"--unit": {"default": "", "help": "a unit's number or name; default: all"}}
UNITS = {"--unit": {"default": "", "help": "units, such as 03 or 01,02,03; default: all"}}
ONE_UNIT = {"--unit": {"required": True, "help": "a unit's number or name"}}
UNIT_OR_TERM = {"--unit": {"default": "", "help": "a unit's number or name; default: the term"}}
NEW_NAME = {"--name": {"required": True, "help": "NN_topic, such as 02_output_distributions"}}
ORIGIN = {
    "--origin": {"default": None, "help": "a folder or a zip to take in; default: submitted/"},
    "--course": {"default": PROJECT, "help": "the course folder; default: the project itself"},
    "--unsafe": {"action": "store_true", "help": "run students' code without a sandbox"},
    "--workers": {"default": None, "help": "processes; default: one for each core"},
    "--preview": {"action": "store_true", "help": "show what would change, write nothing"},
    "--scheduler": {"default": None, "help": "a dask scheduler, tcp://host:8786, to execute on"},
}
ANSWERS = {
    "--answers": {"default": None, "help": "a file whose answers to try, and nothing else"},
    "--json": {"action": "store_true", "help": "print what came of the answers as JSON"},
    "--unsafe": ORIGIN["--unsafe"],
}
ROBUSTNESS = {
    "--seeds": {"type": int, "default": 10, "help": "how many seeds: 0, 1, ...; default: 10"},
    "--claim": {"default": "", "help": "the name of one claim's function; default: all"},
    "--json": {"action": "store_true", "help": "print what came of the claims as JSON"},
}
COURSE = {"--course": ORIGIN["--course"]}
CHECK = {
    "--work": {"default": PROJECT / "work", "help": "the working copy; by default work/"},
    "--exercise": {"help": "only this one; its answer comes on standard input"},
    "--json": {"action": "store_true", "help": "with --exercise: print one JSON document"},
}
EXPORT = {
    "--to": {
        "required": True,
        "choices": ["canvas", "moodle", "moodle-worksheet", "blackboard"],
        "help": "whose format",
    },
    "--missing": {"default": "", "help": "what stands where nothing was handed in, such as 0"},
    **UNIT,
    **COURSE,
}
FEEDBACK = {
    "--to": {"required": True, "choices": ["canvas", "moodle"], "help": "who takes it back"},
    **ONE_UNIT,
    **COURSE,
}
WORDS = {
    "--port": {"type": int, "default": 0, "help": "of this machine alone; default: a free one"},
    "--all": {"action": "store_true", "help": "also those who left the cell as it was"},
    **ONE_UNIT,
    **COURSE,
}
ROSTER = {
    "--origin": {"required": True, "help": "Canvas' gradebook, Moodle's participants, or a CSV"},
    **COURSE,
}
GROUPS = {
    "--origin": {
        "default": "",
        "help": "a CSV file: student,group; none ends them; default: show who is in which",
    },
    **ONE_UNIT,
    **COURSE,
}
DUE = {
    "--when": {
        "default": "",
        "help": "day and hour; none takes it back; default: show what is set",
    },
    "--student": {"default": "", "help": "this one only: id, login, email or name"},
    **ONE_UNIT,
    **COURSE,
}
WITHDRAW = {
    "--student": {"required": True, "help": "id, login, email or name"},
    "--apply": {"action": "store_true", "help": "withdraw; default: show what that removes"},
    **ONE_UNIT,
    **COURSE,
}
ADJUST = {
    "--exercise": {"default": "", "help": "which; default: show the adjustments in force"},
    "--as": {"default": "", "help": "void, full, or none, which takes an adjustment back"},
    "--apply": {"action": "store_true", "help": "write; default: show what would change"},
    **ONE_UNIT,
    **COURSE,
}
EXERCISES = {
    "--apply": {"action": "store_true", "help": "take it over; default: show what would change"},
    **ONE_UNIT,
    **COURSE,
}
SITE = {
    "--repository": {"default": "", "help": "https://github.com/owner/name, for links to run"},
    "--frames": {"type": int, "default": 160, "help": "of a figure, at most; default: 160"},
    "--target": {
        "default": PROJECT / "build" / "site",
        "help": "where it is made; default: build/site",
    },
    **UNITS,
}
REVIEW = {
    "--to": {"choices": ["anki"], "help": "write all cards that you met, for Anki; ask nothing"},
    "--cards": {"type": int, "default": 20, "help": "after how many to stop; default: 20"},
    "--minutes": {"type": int, "default": 5, "help": "after how many to stop; default: 5"},
}
COMMANDS = [
    ("build", commands.build_command, "Build the four trees from the masters.", UNIT),
    (
        "prove",
        commands.prove_command,
        "Prove the checks, or try answers from anywhere.",
        UNIT | ANSWERS,
    ),
    (
        "robustness",
        commands.robustness_command,
        "Rerun a lesson's claims on ten seeds, as long as the lesson and three times as long.",
        ONE_UNIT | ROBUSTNESS,
    ),
    ("demo", commands.demo_command, "Grade a sample class of each unit under build/demo.", UNIT),
    (
        "grade",
        class_commands.grade_command,
        "Grade submitted/, a folder or an LMS zip.",
        ONE_UNIT | ORIGIN,
    ),
    ("words", class_commands.words_command, "Grade answers in words in a browser.", WORDS),
    ("roster", lms_commands.roster_command, "Enter who takes the course.", ROSTER),
    ("groups", lms_commands.groups_command, "Set or show who hands in together.", GROUPS),
    ("due", lms_commands.due_command, "Set or show when a unit is due.", DUE),
    (
        "adjust",
        class_commands.adjust_command,
        "Void an exercise, or give its points to all.",
        ADJUST,
    ),
    (
        "exercises",
        class_commands.exercises_command,
        "Take over a changed set of exercises after submissions.",
        EXERCISES,
    ),
    ("withdraw", class_commands.withdraw_command, "Take back one submission.", WITHDRAW),
    ("export", lms_commands.export_command, "Write the gradebook as an LMS imports it.", EXPORT),
    (
        "feedback",
        lms_commands.feedback_command,
        "Write a zip of feedback that an LMS takes back.",
        FEEDBACK,
    ),
    (
        "class-report",
        class_commands.class_report_command,
        "Show a graded class, or its whole term, on a page.",
        UNIT_OR_TERM | COURSE,
    ),
    (
        "check",
        learner_commands.check_command,
        "Judge your own copy in work/ with all cases.",
        ONE_UNIT | CHECK,
    ),
    ("work", learner_commands.work_command, "Copy lessons and assignments into work/.", {}),
    ("progress", learner_commands.progress_command, "Show where you stand in your own copy.", {}),
    (
        "interview",
        learner_commands.interview_command,
        "Make a mock interview of ten questions in work/.",
        {"--seed": {"type": int, "help": "what they are drawn with; the same again: the same"}},
    ),
    (
        "playground",
        learner_commands.playground_command,
        "Open a page to play with distributions, without code.",
        {},
    ),
    (
        "review",
        learner_commands.review_command,
        "Ask what you have met, when you are about to forget it.",
        REVIEW,
    ),
    (
        "new-unit",
        commands.new_unit_command,
        "Make masters/NN_topic, a skeleton that builds.",
        NEW_NAME,
    ),
    ("bundle", commands.bundle_command, "Write what a class gets, whole or by units.", UNITS),
    ("site", commands.site_command, "Make the website: lessons to look at, no kernel.", SITE),
]

if __name__ == "__main__":
    sys.exit(main())
