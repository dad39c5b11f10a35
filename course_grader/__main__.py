"""The command line: python -m course_grader COMMAND --help."""

import argparse
import sys

from course_grader.course import CourseError, find_unit, units


def main(arguments=None):
    """Run one command; a mistake of the user's is one message, not a traceback."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    try:
        return chosen.run(chosen) or 0
    except CourseError as error:
        print(f"\n{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again: it goes on where it was.", file=sys.stderr)
        return 130


def _parser():
    parser = argparse.ArgumentParser(prog="python -m course_grader", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, text, options in COMMANDS:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        for flag, settings in options.items():
            command.add_argument(flag, **settings)
    return parser


def _chosen(arguments):
    return [find_unit(arguments.unit)] if arguments.unit else units()


def build_command(arguments):
    from course_grader.build import build, check_names

    check_names(units())
    for unit in _chosen(arguments):
        build(unit)


def prove_command(arguments):
    from course_grader.course import PROJECT
    from course_grader.leaks import readable
    from course_grader.proof import prove

    problems = 0
    for unit in _chosen(arguments):
        paths = [PROJECT / "notebooks" / f"{unit.name}.ipynb"]
        paths += sorted((PROJECT / "release" / unit.name).iterdir())
        for proof in prove(unit, texts=[readable(path) for path in paths if path.is_file()]):
            print(proof)
            print("".join(f"  {problem}\n" for problem in proof.problems), end="")
            problems += len(proof.problems)
    return 1 if problems else 0


UNIT = {"--unit": {"default": "", "help": "a unit's number or name; default: all"}}
COMMANDS = [
    ("build", build_command, "Build the four trees from the masters.", UNIT),
    ("prove", prove_command, "Run answers, mutants and empty hands through the judge.", UNIT),
]

if __name__ == "__main__":
    sys.exit(main())
