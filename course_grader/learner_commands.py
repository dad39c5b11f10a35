"""What a learner's commands do, in work/: each takes the parsed arguments.

A command imports what it needs, so that the others start quickly.
"""

__all__ = ["check_command", "interview_command", "progress_command", "work_command"]

from course_grader.project.course import PROJECT, find_unit, units


def check_command(arguments):
    """Judge the learner's own copy."""
    from course_grader.workspace import check_work

    print(check_work(find_unit(arguments.unit)))


def work_command(arguments):
    """Make the learner's own copy."""
    from course_grader.workspace import prepare_work

    prepare_work(units())


def progress_command(arguments):
    """Show where the learner stands."""
    from course_utils.progress import progress

    print(progress(PROJECT / "work"))


def interview_command(arguments):
    """Make a mock interview in work/; print where it lies there."""
    from course_grader.interview import prepare_interview

    print(prepare_interview(arguments.seed, project=PROJECT).relative_to(PROJECT / "work"))
