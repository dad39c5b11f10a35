"""Each defence, removed by hand, makes at least one attack succeed: the red team has teeth."""

import concurrent.futures
import contextlib

import pytest

from course_grader.execution import cache, pool, sandbox
from course_grader.gradebook import preprocessors
from course_grader.intake import collect, parse, sanitize
from course_grader.judging import judge, judged_notebook, output_sanitizer
from course_utils.checking.findings import findings
from tests.redteam.attack import ATTACKS
from tests.redteam.harness import attack_class


@pytest.fixture
def attacked(unit, tmp_path, forkserver, monkeypatch):
    """Return a function that grades one attack, in this process: a weakened defence counts."""
    monkeypatch.setattr(pool, "warm_pool", concurrent.futures.ThreadPoolExecutor)

    def run(name, *, sandboxed=True):
        place = contextlib.nullcontext(lambda: forkserver if sandboxed else None)
        monkeypatch.setattr(cache, "preloading", lambda *a, **k: place)
        reports, _ = attack_class({name: ATTACKS[name]}, unit, tmp_path, neighbours=False)
        return reports[name]

    return run


def visible_only(got, reference):
    """Find faults as the panel in the notebook does: in the visible cases."""
    wrong = findings(got, reference["checks"])
    return [w if i < reference["visible"] else None for i, w in enumerate(wrong)]


def told(got, reference):
    """Say what is wrong in hidden cases too."""
    return findings(got, reference["checks"])


def source_as_it_is(cell, released, submitted, claims):
    """Take the source's cell where the submission has none."""
    place = next((p for p, key in claims.items() if key == cell.id), None)
    fresh = sanitize.copy.deepcopy(cell)
    if sanitize._is_solution(cell) and place is not None:
        fresh.source = submitted[place].source
    return fresh


def submitted_texts(cell, released, submitted, claims):
    """Take provided texts from the submission."""
    place = next((p for p, key in claims.items() if key == cell.id), None)
    fresh = sanitize.copy.deepcopy(cell)
    if place is not None and not cell.metadata.get("nbgrader", {}).get("grade"):
        fresh.source = submitted[place].source
    return fresh


def trust_known_ids(notebook, *, trusted):
    """Leave the text of every cell as it is that is not the student's own."""
    known = {cell.id for cell in notebook.cells if not cell.id.startswith("extra-")}
    return output_sanitizer.sanitize_outputs(notebook, trusted=known)


def no_record_is_enough(exercise, outputs, reference, *, attempted=True):
    """Give points for a check cell that left no error, as stock nbgrader does."""
    checks = outputs[0].get("checks") if outputs else reference["checks"]
    return judge.judge(exercise, checks, reference, attempted=attempted)


def rules_of_the_record(exercise, record, reference, *, attempted=True, trouble=""):
    """Take what counts from the submission."""
    if isinstance(record, list) and attempted:
        pairs = zip(record, reference["checks"], strict=True)
        claimed = [{**c, "aspect": e["aspect"], "points": e["points"]} for c, e in pairs]
        reference = {**reference, "checks": claimed, "solid": range(len(claimed)), "exact": {}}
    return HONEST_JUDGE(exercise, record, reference, attempted=attempted, trouble=trouble)


HONEST_JUDGE = judge.judge
GAINS = {
    "the judge compares hidden cases": (
        "visible_cases_by_heart",
        lambda patch: patch(judge, "_findings", visible_only),
    ),
    "rules come from the reference": (
        "forged_in_the_check_cell",
        lambda patch: patch(judge, "judge", rules_of_the_record),
    ),
    "without a record there are no points": (
        "ends_in_the_check_cell",
        lambda patch: patch(judge, "judge_record", no_record_is_enough),
    ),
    "a missing solution cell becomes the stub": (
        "solution_cell_deleted",
        lambda patch: patch(sanitize, "_known", source_as_it_is),
    ),
    "intake follows no link": (
        "linked_to_source",
        lambda patch: (
            patch(parse, "_check_file", lambda path: None),
            patch(collect, "is_alone", lambda target, submission: False),
        ),
    ),
}
LEAKS = {
    "hidden findings are not told": (
        "visible_cases_by_heart",
        lambda patch: patch(judge, "_findings", told),
    ),
    "feedback leaves out what repeats checks": (
        "prints_what_ran",
        lambda patch: patch(preprocessors, "_telling", lambda line: []),
    ),
    "feedback shows released checks": (
        "a_true",
        lambda patch: patch(
            preprocessors.ReleasedChecks, "preprocess", lambda self, nb, resources: (nb, resources)
        ),
    ),
}
ACTIVE = {
    "outputs are made passive": (
        "script_in_an_output",
        lambda patch: patch(
            judged_notebook, "sanitize_outputs", lambda notebook, *, trusted: notebook
        ),
    ),
    "Markdown is shown as typed": (
        "script_in_markdown",
        lambda patch: patch(output_sanitizer, "_fenced", lambda text: text),
    ),
    "provided text comes from source, and is shown as typed where it does not": (
        "provided_text_changed",
        lambda patch: (
            patch(sanitize, "_known", submitted_texts),
            patch(judged_notebook, "sanitize_outputs", trust_known_ids),
        ),
    ),
}
WITHOUT_SANDBOX = ["reads_the_disk", "hidden_in_an_image", "reads_the_environment"]


@pytest.mark.parametrize("defence", GAINS)
def test_points_are_gained_without(defence, attacked, monkeypatch):
    name, weaken = GAINS[defence]
    weaken(monkeypatch.setattr)
    assert attacked(name).got > ATTACKS[name].deserved


@pytest.mark.parametrize("defence", LEAKS)
def test_secrets_leak_without(defence, attacked, monkeypatch):
    name, weaken = LEAKS[defence]
    weaken(monkeypatch.setattr)
    assert attacked(name).leaks


@pytest.mark.parametrize(
    "weakness",
    [
        (sanitize, "_known", submitted_texts),
        (judged_notebook, "sanitize_outputs", trust_known_ids),
    ],
)
def test_either_of_two_defences_keeps_a_changed_text_passive(weakness, attacked, monkeypatch):
    monkeypatch.setattr(*weakness)
    assert not attacked("provided_text_changed").active


@pytest.mark.parametrize("defence", ACTIVE)
def test_a_page_is_active_without(defence, attacked, monkeypatch):
    name, weaken = ACTIVE[defence]
    weaken(monkeypatch.setattr)
    assert attacked(name).active


@pytest.mark.parametrize("name", WITHOUT_SANDBOX)
def test_the_sandbox_alone_stops(name, attacked, monkeypatch):
    assert ATTACKS[name].only_sandbox
    monkeypatch.setattr(sandbox, "available", lambda: False)
    monkeypatch.setattr("tests.redteam.harness.UNSAFE", True)
    assert attacked(name, sandboxed=False).leaks
