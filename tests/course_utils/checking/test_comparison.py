"""A record is compared check by check; the hint that is shown is the one that fits."""

import json

import numpy as np
import pytest

from course_utils.checking.comparison import EXPECTED_FILE, expected_for, verdict
from course_utils.checking.findings import NOT_RECORDED, aspects_of, cases_told, findings
from course_utils.checking.hints import matching_hint, related_hints
from course_utils.checking.records import failure, plain


def check(aspect, value, kind="value", points=0, **more):
    got = value if isinstance(value, dict) else plain(value)
    return {"aspect": aspect, "kind": kind, "call": "f(x)", "points": points, **more, "got": got}


def answer(values):
    """The expected record with other values."""
    pairs = zip(EXPECTED, values, strict=False)
    return [{**e, "got": v if isinstance(v, dict) else plain(v)} for e, v in pairs]


EXPECTED = [
    check("value", 1.5, points=2),
    check("value", np.array([1.0, 2.0])),
    check("gradient", 0.25, kind="gradient", points=1),
    check("shape", failure(ValueError("secret")), points=1),
    check("value", [True, True], kind="state"),
    check("value", (0.5, 0.5), kind="law", law="equal"),
]
RIGHT = [1.5, np.array([1.0, 2.0]), 0.25, failure(ValueError("x")), [True, True], (0.5, 0.5)]
WRONG = [-1.5, np.array([1.0, 3.0]), 0.5, 1.0, [False, True], (7.0, 8.0)]


def hint(name, values):
    return {"name": name, "sentence": f"{name}.", "got": [c["got"] for c in answer(values)]}


def test_a_right_record_has_no_findings():
    assert findings(answer(RIGHT), EXPECTED) == [None] * len(EXPECTED)


@pytest.mark.parametrize("place", range(len(EXPECTED)))
def test_a_wrong_value_is_found_where_it_is(place):
    values = [*RIGHT[:place], WRONG[place], *RIGHT[place + 1 :]]
    found = findings(answer(values), EXPECTED)
    assert [i for i, sentence in enumerate(found) if sentence] == [place]
    assert "f(x)" in found[place]


def test_results_that_obey_a_law_must_be_right_as_well():
    found = findings(answer([*RIGHT[:5], (7.0, 7.0)]), EXPECTED)
    assert found[:5] == [None] * 5 and "obey the law, but are not as expected" in found[5]


@pytest.mark.parametrize("count", range(len(EXPECTED)))
def test_missing_checks_are_found(count):
    found = findings(answer(RIGHT)[:count], EXPECTED)
    assert found[:count] == [None] * count and all("not recorded" in f for f in found[count:])


def test_checks_beyond_the_expected_ones_are_ignored():
    assert findings([*answer(RIGHT), check("value", 1.0)], EXPECTED) == [None] * len(EXPECTED)


@pytest.mark.parametrize("kind", ["law", "draws", "state", None])
def test_a_check_of_another_kind_does_not_count(kind):
    got = answer(RIGHT)
    got[0]["kind"] = kind
    assert findings(got, EXPECTED)[0]


def test_draws_are_left_to_the_judge():
    expected = [check("value", 1.0, kind="draws")]
    assert findings([check("value", 2.0, kind="draws")], expected) == [None]


FORGED = {
    "None": None,
    "number": 5,
    "text": "error",
    "list": [],
    "empty": {},
    "error without name": {"error": None},
    "error and items": {"error": "E", "items": 5},
    "items number": {"items": 5},
    "items list": {"items": [1]},
    "items of numbers": {"items": {"0": 5, "1": None}},
    "no data": {"dtype": "float", "shape": []},
    "huge": {"dtype": "float", "shape": [], "data": [10**400]},
    "infinite shape": {"dtype": "float", "shape": json.loads("[1e400]"), "data": [1.0]},
    "infinite shape in a law": {
        "items": {"0": {"dtype": "float", "shape": json.loads("[1e400]"), "data": [1.0]}}
    },
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_forged_result_is_found_and_never_raises(forged):
    got = [{**e, "got": forged} for e in EXPECTED]
    assert all(findings(got, EXPECTED))


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_forged_result_matches_no_hint(forged):
    for known, value in zip(EXPECTED, answer(WRONG), strict=True):
        near = {"name": "a", "got": [value["got"]]}
        assert matching_hint([{**known, "got": forged}], [known], ["wrong"], [near]) is None


def found_hint(values, hints):
    got = answer(values)
    hinted = matching_hint(got, EXPECTED, findings(got, EXPECTED), hints)
    return hinted["name"] if hinted else None


MIXED = [*WRONG[:2], *RIGHT[2:]]
LEVEL = [*WRONG[:2], *RIGHT[2:4], *WRONG[4:]]  # wrong in all checks of one aspect


def test_a_hint_that_matches_everything_comes_first():
    assert found_hint(MIXED, [hint("part", WRONG), hint("whole", MIXED)]) == "whole"


def test_a_hint_that_matches_all_failed_aspects_is_given_and_no_part_of_one():
    assert found_hint(LEVEL, [hint("level", WRONG)]) == "level"
    slope = [9.0, *RIGHT[1:2], WRONG[2], *RIGHT[3:]]
    assert found_hint(slope, [hint("level", WRONG)]) is None


def test_a_hint_that_matches_too_few_numbers_may_be_chance():
    values = [*RIGHT[:2], WRONG[2], *RIGHT[3:]]
    assert found_hint(values, [hint("slope", WRONG)]) is None


def test_two_hints_that_match_the_same_aspect_are_both_withheld():
    assert (
        found_hint(LEVEL, [hint("one", WRONG), hint("other", [*WRONG[:3], 8.0, *WRONG[4:]])])
        is None
    )


def test_an_aspect_that_passed_gives_no_hint():
    values = [9.0, *RIGHT[1:]]
    assert found_hint(values, [hint("slope", [*WRONG[:2], *RIGHT[2:]])]) is None


def test_a_hint_does_not_match_a_part_of_an_aspect():
    values = [WRONG[0], *RIGHT[1:]]
    assert found_hint(values, [hint("whole value", WRONG)]) is None


def test_an_error_is_no_match_by_its_class_alone():
    failing = [failure(TypeError("no gradient"))] * len(EXPECTED)
    other = [failure(TypeError("log() of a float"))] * len(EXPECTED)
    assert found_hint(failing, [hint("float", other)]) is None
    assert found_hint(failing, [hint("detached", failing)]) == "detached"


def test_an_error_that_is_right_does_not_make_a_hint_match():
    values = [*RIGHT[:2], failure(TypeError("one")), *RIGHT[3:]]
    near = [*RIGHT[:2], failure(TypeError("two")), *RIGHT[3:]]
    assert found_hint(values, [hint("two", near)]) is None


def test_related_hints_fail_where_the_answer_fails_and_the_nearest_comes_first():
    slope = [*RIGHT[:2], 0.5, *RIGHT[3:]]
    hints = [hint("all", WRONG), hint("slope", slope), hint("form", [*RIGHT[:3], 1.0])]
    wrong = findings(answer([*RIGHT[:2], 0.75, *RIGHT[3:]]), EXPECTED)
    assert related_hints(EXPECTED, wrong, hints) == ("slope.", "all.")
    assert related_hints(EXPECTED, wrong, hints, but=hints[1]) == ("all.",)
    assert related_hints(EXPECTED, [None] * len(EXPECTED), hints) == ()


def test_at_most_five_related_hints_are_given():
    hints = [hint(str(n), [n, *WRONG[1:]]) for n in range(9)]
    assert len(related_hints(EXPECTED, findings(answer(WRONG), EXPECTED), hints)) == 5


def test_a_record_that_ends_early_matches_no_hint_of_the_rest():
    assert found_hint(WRONG[:2], [hint("a", WRONG)]) is None


def test_points_of_an_aspect_are_summed_in_the_order_of_the_checks():
    points = aspects_of(EXPECTED)
    assert list(points) == ["value", "gradient", "shape"]
    assert sum(points.values()) == sum(c["points"] for c in EXPECTED)


def test_the_verdict_passes_only_what_agrees():
    values = [*RIGHT[:2], WRONG[2], *RIGHT[3:]]
    shown = verdict("mean", answer(values), EXPECTED, [])
    statuses = {a.name: a.status for a in shown.aspects}
    assert statuses == {"value": "passed", "gradient": "not yet", "shape": "passed"}
    assert shown.status == "not yet" and shown.earned is None


def test_the_verdict_on_a_right_record_is_passed():
    shown = verdict("mean", answer(RIGHT), EXPECTED, [hint("a", WRONG)], note="More.")
    assert (shown.status, shown.hint, shown.note) == ("passed", "", "More.")


def test_the_verdict_carries_the_sentence_of_the_hint():
    assert verdict("mean", answer(WRONG), EXPECTED, [hint("a", WRONG)]).hint == "a."


def test_a_stub_is_not_attempted():
    stub = [failure(NotImplementedError())] * len(EXPECTED)
    shown = verdict("mean", answer(stub), EXPECTED, [])
    assert {shown.status, *(a.status for a in shown.aspects)} == {"not attempted"}


def test_an_empty_record_is_not_yet():
    assert verdict("mean", [], EXPECTED, []).status == "not yet"


def write(folder, **known):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / EXPECTED_FILE).write_text(json.dumps(known), "utf-8")


def test_expected_values_lie_beside_the_notebook(tmp_path):
    write(tmp_path / "work", mean="here")
    write(tmp_path / "release" / "01_a", mean="there", other="there")
    assert expected_for("mean", tmp_path / "work") == "here"
    assert expected_for("other", tmp_path / "work") == "there"


def test_a_missing_file_says_what_to_copy_where(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"'mean'.*copy {EXPECTED_FILE}"):
        expected_for("mean", tmp_path)


def test_a_wrong_gradient_is_called_a_gradient():
    expected = check("slope", 2.0, kind="gradient")
    [finding] = findings([check("slope", 3.0, kind="gradient")], [expected])
    assert finding.startswith(f"the gradient of {expected['call']} gave 3")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("one", "wrong for 'one row'; right for 'no row', 'many rows'"),
        ("one no", "wrong for 'no row', 'one row'; right for 'many rows'"),
        ("one no many", "wrong in each of 3 cases"),
        ("", ""),
    ],
)
def test_it_is_told_in_words_which_cases_are_wrong_and_which_right(wrong, told):
    cases = {"no": "no row", "one": "one row", "many": "many rows"}
    expected = [check("value", 1.0, case=words) for words in cases.values()]
    expected.append(check("value", 1.0))  # a case without words, which is wrong
    found = ["wrong" if name in wrong.split() else None for name in cases]
    assert cases_told(expected, [*found, "wrong"]) == told


def test_a_case_that_is_wrong_once_is_wrong():
    expected = [check("value", 1.0, case="a tie"), check("value", 2.0, case="a tie")]
    assert cases_told(expected, [None, "wrong"]) == "wrong for 'a tie'"


def test_a_case_that_never_ran_is_not_called_wrong():
    expected = [check("value", float(n), case=case) for n, case in enumerate(["a tie", "no data"])]
    wrong = findings(expected[:1], expected)
    assert wrong == [None, NOT_RECORDED] and cases_told(expected, wrong) == ""


def test_the_panel_names_the_case_that_is_wrong():
    expected = [
        check("value", 1.0, points=1, case="one row"),
        check("value", 2.0, case="no row"),
    ]
    got = [check("value", 1.0), check("value", 3.0)]
    [aspect] = verdict("mean", got, expected, []).aspects
    assert aspect.finding.endswith("(wrong for 'no row'; right for 'one row')")
