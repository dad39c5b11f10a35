"""What README, docs, `make help` and the parser promise exists, is read, and has its test."""

import ast
import inspect
import re

import pytest

from course_grader import class_commands, commands, learner_commands, lms_commands
from course_grader.__main__ import COMMANDS
from course_grader.project.course import PROJECT

MAKEFILE = (PROJECT / "Makefile").read_text("utf-8")
TEXTS = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
FUNCTIONS = {
    node.name: node
    for module in (class_commands, commands, learner_commands, lms_commands)
    for node in ast.parse(inspect.getsource(module)).body
    if isinstance(node, ast.FunctionDef)
}
WORDS = {"the", "is"}  # "make the environment" is no command

# Target: where it is shown to do what it says, by a test that goes in by the command line.
EVIDENCE = {
    "help": "course_grader/test_cli.py::test_make_help_explains_every_target",
    "env": "course_grader/execution/test_mounts.py"
    "::test_a_linked_environment_is_never_installed_into",
    "demo": "course_grader/demo/test_sample.py"
    "::test_the_command_grades_a_class_and_compares_every_score",
    "build": "course_grader/execution/test_mounts.py::test_a_build_changes_nothing",
    "prove": "course_grader/proving/test_trial.py::test_make_hands_everything_on",
    "grade": "course_grader/gradebook/test_faults.py"
    "::test_a_fault_of_ours_costs_nobody_a_point_and_is_told",
    "regrade": "course_grader/gradebook/test_exporters.py"
    "::test_regrade_names_what_would_change_and_writes_nothing",
    "adjust": "course_grader/gradebook/test_adjust.py"
    "::test_void_takes_the_points_from_all_and_from_those_possible",
    "export": "course_grader/gradebook/test_exporters.py"
    "::test_canvas_gets_points_possible_and_a_column_for_each_assignment",
    "roster": "course_grader/gradebook/test_term.py::test_every_student_of_a_zip_is_found_again",
    "exercises": "course_grader/gradebook/test_exercise_set.py"
    "::test_numbers_follow_everywhere_and_come_back",
    "groups": "course_grader/gradebook/test_group_work.py"
    "::test_one_hand_in_counts_for_each_member_and_a_second_is_told",
    "withdraw": "course_grader/gradebook/test_term.py"
    "::test_what_is_withdrawn_is_as_if_nothing_had_been_handed_in",
    "due": "course_grader/gradebook/test_late.py::test_a_due_date_is_set_shown_and_extended",
    "feedback": "course_grader/gradebook/test_term.py::test_feedback_goes_back_to_who_sent",
    "class-report": "course_grader/gradebook/test_faults.py"
    "::test_an_error_is_marked_in_table_csv_report_and_export",
    "robustness": "course_grader/proving/test_robustness.py"
    "::test_each_claim_is_shown_with_its_sentence_and_its_numbers",
    "new-unit": "course_grader/authoring/test_scaffold.py::test_a_new_unit_builds_and_is_proven",
    "bundle": "course_grader/building/test_leaks.py"
    "::test_the_bundle_is_clean_complete_and_the_same_each_time",
    "site": "browser/test_site.py::test_each_slider_is_moved_by_keyboard_and_its_figure_follows",
    "test-site": "browser/test_site.py::test_the_table_tries_every_page_and_names_what_is_wrong",
    "lab": "browser/test_student.py"
    "::test_a_wrong_answer_is_named_a_right_one_passes_and_progress_shows_it",
    "check": "course_grader/test_workspace.py"
    "::test_checking_uses_hidden_checks_and_the_same_judge",
    "progress": "browser/test_student.py"
    "::test_a_wrong_answer_is_named_a_right_one_passes_and_progress_shows_it",
    "interview": "course_grader/test_interview.py"
    "::test_the_command_makes_ten_questions_and_never_touches_them_again",
    "playground": "course_grader/playground/test_page.py"
    "::test_the_command_writes_it_opens_it_and_tells_where",
    "review": "course_grader/review/test_terminal.py"
    "::test_answers_are_typed_told_and_kept_and_q_stops",
    "words": "course_grader/gradebook/test_words.py"
    "::test_points_reach_gradebook_feedback_and_export_and_stay",
    "formgrader": "browser/test_instructor.py"
    "::test_formgrader_lists_the_class_and_keeps_points_for_words",
    "soak": "redteam/test_soak.py::test_a_round_with_an_attack_and_a_killed_grader_holds",
    "redteam": "redteam/test_redteam.py::test_points_are_what_the_honest_part_deserves",
    "test": "course_grader/test_cli.py::test_ci_calls_the_readmes_test_command",
    "test-processors": "course_grader/building/test_processors.py"
    "::test_expected_values_and_verdicts_are_the_same",
    "test-browser": "browser/test_lessons.py"
    "::test_a_lesson_runs_and_every_slider_changes_its_figure",
    "gpu": "test_benchmarks.py::test_without_a_gpu_it_refuses",
    "bench-grading": "test_benchmarks.py::test_each_explains_itself",
    "bench-growth": "test_benchmarks.py::test_a_small_class_is_graded_in_parts",
    "bench-models": "test_benchmarks.py::test_each_explains_itself",
}


def read_by(name, seen=()):
    """Return the options that a command's function, or one that it names, reads."""
    nodes = list(ast.walk(FUNCTIONS[name]))
    found = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    found |= {node.value for node in nodes if isinstance(node, ast.Constant)}
    named = {node.id for node in nodes if isinstance(node, ast.Name)} & FUNCTIONS.keys()
    for other in named - {name, *seen}:
        found |= read_by(other, (*seen, name))
    return found


@pytest.mark.parametrize(("name", "run", "options"), [(n, r, o) for n, r, _, o in COMMANDS])
def test_every_option_that_the_parser_knows_is_read(name, run, options):
    known = {option.removeprefix("--").replace("-", "_") for option in options}
    assert known - read_by(run.__name__) == set()


def test_a_function_that_no_command_reaches_is_found():
    reached = {run.__name__ for _, run, *_ in COMMANDS}
    for name in list(reached):
        reached |= {
            node.id
            for node in ast.walk(FUNCTIONS[name])
            if isinstance(node, ast.Name) and node.id in FUNCTIONS
        }
    assert FUNCTIONS.keys() - reached == set()


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_every_command_that_a_text_names_is_a_target(path):
    named = set(re.findall(r"\bmake ([a-z][a-z-]+)", path.read_text("utf-8"))) - WORDS
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, flags=re.MULTILINE))
    assert named - targets == set()


@pytest.mark.parametrize("target", sorted(EVIDENCE))
def test_every_promise_has_its_evidence(target):
    file, _, test = EVIDENCE[target].partition("::")
    assert f"def {test}(" in (PROJECT / "tests" / file).read_text("utf-8")
    assert re.search(rf"^{target}:.*## .{{20}}", MAKEFILE, flags=re.MULTILINE)


def test_every_target_is_in_the_table():
    explained = set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, flags=re.MULTILINE))
    assert explained - EVIDENCE.keys() == {"lint", "screenshots", "clean"}


def test_every_module_that_the_readme_places_lies_there():
    text = TEXTS[0].read_text("utf-8")
    rows = text[text.index("| package | what lives there |") :].split("\n\n")[0].splitlines()[2:]
    for row in rows:
        _, packages, words, _ = row.split("|")
        names = re.findall(r"`([\w/]+)`", packages)
        tops = [PROJECT / ("" if n.startswith("course_utils") else "course_grader") for n in names]
        places = [top / name for top, name in zip(tops, names, strict=True)]
        for module in re.findall(r"`([^`]+)`", words):
            files = [list(place.rglob(f"{module.rstrip('/')}.py")) for place in places]
            alone = [place.with_suffix(".py").is_file() for place in places]
            folder = [(place / module).is_dir() for place in places]
            assert any(files) or any(alone) or any(folder), f"{module} is not in {names}"
    assert len(rows) > 10
