"""The judge gives points for numbers that agree, and for nothing else that a record may hold."""

import copy
import random

import nbformat
import pytest

from course_grader.judging.judge import judge, judge_record
from course_grader.judging.judged_notebook import judge_notebook, unjudged
from course_utils.checking.checks import MIME

NAME = "gaussian-nll"


@pytest.fixture
def entry(reference):
    return reference[NAME]


@pytest.fixture
def right(entry):
    return copy.deepcopy(entry["checks"])


def earned(record, entry):
    return judge(NAME, record, entry).earned


def test_the_reference_itself_earns_everything(right, entry):
    verdict = judge(NAME, right, entry)
    assert verdict.status == "passed" and verdict.earned == verdict.possible == 5


def test_points_and_rules_come_from_the_reference(right, entry):
    for check in right:
        check |= {"points": 1000, "aspect": "value", "call": "<b>", "hidden": False}
    assert earned(right, entry) == 5


@pytest.mark.parametrize("place", range(16))
def test_each_value_that_is_off_costs_its_aspect(place, right, entry):
    right[place]["got"] = {"dtype": "float64", "shape": [], "data": [12.34]}
    verdict = judge(NAME, right, entry)
    failed = [a.name for a in verdict.aspects if a.status != "passed"]
    assert failed == [entry["checks"][place]["aspect"]]


FORGED = {
    "nothing": None,
    "a word": "passed",
    "a number": 4.0,
    "an empty list": [],
    "true for each": [True] * 16,
    "no got": [{"kind": "value"}] * 16,
    "got is a word": [{"kind": "value", "got": "right"}] * 16,
    "got is empty": [{"kind": "value", "got": {}}] * 16,
    "a kind that is not compared": [{"kind": "draws", "got": {}}] * 16,
    "a law": [{"kind": "law", "law": "equal", "got": {"items": {}}}] * 16,
    "a state": [{"kind": "state", "got": {"items": {}}}] * 16,
    "points": [{"kind": "value", "got": {"points": 4, "status": "passed"}}] * 16,
    "a huge shape": [{"kind": "value", "got": {"dtype": "f", "shape": [10**9], "data": []}}] * 16,
    "all not-a-number": [
        {"kind": "value", "got": {"dtype": "float64", "shape": [], "data": ["nan"]}}
    ]
    * 16,
    "an error with a shape": [{"kind": "value", "got": {"error": "X", "message": "", "shape": 5}}]
    * 16,
    "nested without end": [{"kind": "value", "got": {"items": {"0": {"items": {}}}}}] * 16,
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_record_earns_nothing_and_breaks_nothing(name, entry):
    assert earned(FORGED[name], entry) == 0.0


def test_deep_nesting_breaks_nothing(entry):
    deep = {"dtype": "float64", "shape": [], "data": [1.0]}
    for _ in range(3000):
        deep = {"items": {"0": deep}}
    assert earned([{"kind": "value", "got": deep}] * 16, entry) == 0.0


def test_visible_values_alone_earn_nothing(right, entry):
    assert earned(right[: entry["visible"]], entry) == 0.0


def test_an_aspect_without_a_solid_hidden_value_is_shut(right, entry):
    assert earned(right, entry | {"solid": []}) == 0.0


def test_a_right_record_given_twice_or_for_another_exercise_is_none(right, entry):
    record = {"exercise": NAME, "checks": right}
    assert judge_record(NAME, [record], entry).earned == 5
    assert judge_record(NAME, [record, record], entry).earned == 0
    assert judge_record(NAME, [{"exercise": "other", "checks": right}], entry).earned == 0
    assert judge_record(NAME, [], entry).earned == 0


def test_hidden_values_are_never_shown(right, entry):
    for check in right:
        check["got"] = {"dtype": "float64", "shape": [], "data": [12.34]}
    verdict = judge(NAME, right, entry)
    shown = " ".join(aspect.finding for aspect in verdict.aspects)
    for check in entry["checks"][entry["visible"] :]:
        for value in check["got"].get("data", []):
            assert f"{value:.4g}" not in shown


def test_a_misconception_is_named_by_its_sentence(entry):
    hint = next(h for h in entry["hints"] if h["name"] == "variance-as-scale")
    record = [c | {"got": g} for c, g in zip(entry["checks"], hint["got"], strict=True)]
    verdict = judge(NAME, record, entry)
    assert verdict.hint == hint["sentence"] and verdict.status == "not yet"


def test_an_untouched_exercise_is_not_attempted(right, entry):
    verdict = judge(NAME, right, entry, attempted=False)
    assert verdict.status == "not attempted" and verdict.earned == 0


def test_a_stub_left_above_an_answer_that_gave_results_was_attempted(release, reference):
    """The answer stands in another cell: what the check recorded counts."""
    answered = copy.deepcopy(release)
    record = {"exercise": NAME, "checks": reference[NAME]["checks"]}
    show = {"output_type": "display_data", "metadata": {}, "data": {MIME: record}}
    next(c for c in answered.cells if c.id == NAME).outputs = [nbformat.from_dict(show)]
    assert judge_notebook(answered, release, reference).verdicts[NAME].earned == 5


def test_a_notebook_that_breaks_the_judge_scores_0_with_the_reason(release, reference):
    outcome = unjudged(copy.deepcopy(release), reference, "could not be judged: X")
    assert outcome.earned == 0
    assert {v.note for v in outcome.verdicts.values()} == {"could not be judged: X"}


def test_random_changes_of_a_right_record_win_nothing_and_raise_nothing(reference, release):
    rng = random.Random(0)
    junk = [None, 5, -1.0, "nan", True, [], {}, {"error": None}, {"items": {}}, [1e400], "x" * 50]
    for _ in range(400):
        entry = reference[NAME]
        record = {"exercise": NAME, "checks": copy.deepcopy(entry["checks"])}
        place = rng.randrange(entry["visible"], 16)
        check = record["checks"][place]
        key = rng.choice(["got", "kind", *check["got"]])
        target = check if key in check else check["got"]
        before, target[key] = target[key], rng.choice(junk)
        verdict = judge_record(NAME, [record], entry)
        passed = {a.name for a in verdict.aspects if a.status == "passed"}
        harmless = key in ("dtype", "message", "bases") or target[key] == before
        assert harmless or check["aspect"] not in passed
