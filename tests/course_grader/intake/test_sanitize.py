"""From a submission come solution cells and extra cells; everything else comes from source."""

import copy
import time

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from course_grader.intake.sanitize import attempts, rebuild, untouched

FIRST, SECOND = "gaussian-nll-solution", "bce-from-logits-solution"


@pytest.fixture
def work(release):
    """A submission in which both solution cells are filled."""
    notebook = copy.deepcopy(release)
    cell(notebook, FIRST).source = "def gaussian_nll(y, mu, sigma):\n    return 1"
    cell(notebook, SECOND).source = "def bce_from_logits(z, y):\n    return 2"
    return notebook


def cell(notebook, key):
    return next(c for c in notebook.cells if c.id == key)


def ids(notebook):
    return [c.id for c in notebook.cells]


def built(work, source, release):
    return rebuild(work, source, release).notebook


def test_a_faithful_submission_becomes_source_with_its_solutions(work, source, release):
    notebook = built(work, source, release)
    assert ids(notebook) == ids(source)
    for made, master in zip(notebook.cells, source.cells, strict=True):
        theirs = master.metadata.get("nbgrader", {}).get("solution")  # code, or words
        expected = cell(work, made.id).source if theirs else master.source
        assert made.source == expected


def test_a_missing_solution_cell_becomes_the_stub_not_the_solution(work, source, release):
    work.cells = [c for c in work.cells if c.id != FIRST]
    made = rebuild(work, source, release)
    assert made.missing == [FIRST]
    assert cell(made.notebook, FIRST).source == cell(release, FIRST).source


def test_missing_and_changed_check_cells_are_restored(work, source, release):
    work.cells = [c for c in work.cells if c.id != "gaussian-nll"]
    cell(work, "bce-from-logits").source = "print('passed')"
    notebook = built(work, source, release)
    for key in ("gaussian-nll", "bce-from-logits"):
        assert cell(notebook, key).source == cell(source, key).source
    assert "print('passed')" not in [c.source for c in notebook.cells]


def test_a_changed_provided_cell_is_restored_and_its_version_follows(work, source, release):
    setup = next(c for c in work.cells if c.cell_type == "code")
    setup.source += "\nimport numpy"
    notebook = built(work, source, release)
    place = ids(notebook).index(setup.id)
    assert notebook.cells[place].source == cell(source, setup.id).source
    assert notebook.cells[place + 1].source == setup.source


def test_extra_cells_keep_their_place_and_lose_their_metadata(work, source, release):
    place = ids(work).index(FIRST)
    work.cells.insert(place, new_code_cell("helper = 1", metadata={"tags": ["skip-execution"]}))
    work.cells.append(new_markdown_cell("a note"))
    notebook = built(work, source, release)
    extra = notebook.cells[ids(notebook).index(FIRST) - 1]
    assert extra.source == "helper = 1" and extra.metadata == {}
    assert notebook.cells[-1].source == "a note"


@pytest.mark.parametrize("key", [FIRST, SECOND])
def test_of_several_cells_with_one_id_the_first_counts(work, source, release, key):
    twin = copy.deepcopy(cell(work, key))
    twin.source = "second = 2"
    work.cells.insert(ids(work).index(key) + 1, twin)
    notebook = built(work, source, release)
    place = ids(notebook).index(key)
    assert "return" in notebook.cells[place].source
    assert notebook.cells[place + 1].source == "second = 2"


def test_no_tag_and_no_metadata_of_the_submission_survives(work, source, release):
    for one in work.cells:
        one.metadata["tags"] = ["skip-execution"]
        one.metadata["nbgrader"] = {**one.metadata.get("nbgrader", {}), "points": 1000}
    work.metadata = {"kernelspec": {"name": "evil"}, "execution": {}, "course": {}}
    notebook = built(work, source, release)
    assert notebook.metadata == source.metadata
    assert all(
        c.metadata == cell(source, c.id).metadata for c in notebook.cells if c.id in ids(source)
    )


def strip_metadata(notebook):
    for one in notebook.cells:
        one.metadata = {}


def strip_everything(notebook):
    strip_metadata(notebook)
    for place, one in enumerate(notebook.cells):
        one.id = f"other-{place}"


@pytest.mark.parametrize("strip", [strip_metadata, strip_everything])
def test_a_resave_without_metadata_is_recognised(work, source, release, strip):
    wanted = built(copy.deepcopy(work), source, release)
    strip(work)
    assert [c.source for c in built(work, source, release).cells] == [
        c.source for c in wanted.cells
    ]


def test_a_swap_of_grade_ids_gives_each_cell_what_its_id_says(work, source, release):
    a, b = cell(work, FIRST), cell(work, SECOND)
    a.metadata.nbgrader.grade_id, b.metadata.nbgrader.grade_id = SECOND, FIRST
    notebook = built(work, source, release)
    assert "bce_from_logits" in cell(notebook, FIRST).source
    assert ids(notebook) == ids(source)


def test_a_solution_under_a_check_cells_id_is_not_a_check(work, source, release):
    cell(work, FIRST).metadata.nbgrader.grade_id = "gaussian-nll"
    notebook = built(work, source, release)
    assert cell(notebook, "gaussian-nll").source == cell(source, "gaussian-nll").source


def test_rebuilding_the_release_gives_stubs_and_hidden_checks(source, release):
    notebook = untouched(source, release)
    assert cell(notebook, FIRST).source == cell(release, FIRST).source
    assert "HIDDEN" in cell(notebook, "gaussian-nll").source
    assert not any(attempts(notebook, release).values())


def test_white_space_is_no_attempt_and_a_word_is(work, source, release):
    work = copy.deepcopy(release)
    cell(work, FIRST).source += "\n\n   "
    cell(work, SECOND).source += "\npass"
    tried = attempts(built(work, source, release), release)
    assert tried == dict.fromkeys(tried, False) | {"bce-from-logits": True}


def test_cell_ids_stay_unique(work, source, release):
    before = len(work.cells)
    work.cells += [new_code_cell(f"x = {n}", id="extra-1") for n in range(5)]
    made = ids(built(work, source, release))
    assert len(set(made)) == len(made) == before + 5


def test_a_missing_solution_that_another_cell_answers_stays_empty(work, source, release):
    """Both answers in one cell, an alias, setup and answer merged: the stub must not overwrite."""
    for change in (both_in_one, an_alias, merged_with_the_setup):
        notebook = copy.deepcopy(work)
        change(notebook)
        made = built(notebook, source, release)
        assert cell(made, SECOND).source == "" or "return 2" in cell(made, SECOND).source
        assert attempts(made, release)["bce-from-logits"]


def both_in_one(notebook):
    cell(notebook, FIRST).source += "\n\n" + cell(notebook, SECOND).source
    notebook.cells = [c for c in notebook.cells if c.id != SECOND]


def an_alias(notebook):
    place = ids(notebook).index(SECOND)
    mine = new_code_cell(
        "%matplotlib inline\ndef mine(z, y):\n    return 2\n\nbce_from_logits = mine"
    )
    notebook.cells[place] = mine


def merged_with_the_setup(notebook):
    setup = next(c for c in notebook.cells if c.cell_type == "code")
    setup.source += "\n\n" + cell(notebook, SECOND).source
    notebook.cells = [c for c in notebook.cells if c.id != SECOND]


@pytest.mark.parametrize(
    "text", ["-" * 100_000 + "1", "+".join(["1"] * 20_000), "\x00", "def f(:"]
)
def test_text_that_breaks_a_parser_breaks_nothing(text, work, source, release):
    work.cells.append(new_code_cell(text))
    next(c for c in work.cells if c.cell_type == "code").source += f"\n{text}"
    made = built(work, source, release)
    assert attempts(made, release)["gaussian-nll"]


def test_magics_by_the_thousand_are_read_in_no_time(work, source, release):
    """IPython would read the cell once for each of them: a minute and more."""
    work.cells.append(new_code_cell("'''\n'''\n" + "a = %time 1\n" * 3_000))
    start = time.thread_time()
    built(work, source, release)
    assert time.thread_time() - start < 5


def test_a_few_magics_hide_no_definition(work, source, release):
    work.cells = [c for c in work.cells if c.id != FIRST]
    body = "%matplotlib inline\n!ls\nx = %pwd\ndef gaussian_nll(y, mu, sigma):\n    return 3"
    work.cells.append(new_code_cell(body))
    assert cell(built(work, source, release), FIRST).source == body
