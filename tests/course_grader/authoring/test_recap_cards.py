"""A lesson's cards: a question, an answer, a name that stays; in no notebook."""

import pytest

from course_grader.authoring import as_notebook
from course_grader.authoring.masters import MasterError, read_master
from course_grader.authoring.recap_cards import without_cards
from course_grader.project.course import PROJECT, units

CARD = """# %% [markdown] card="01-a-name"
# What is asked?
#
# **Answer.** What is said.

"""
LESSON = """# %% [markdown]
# # A lesson

# %%
predict("01-asked", ..., ask="?")

"""
END = "# %% [markdown]\n# ## An end\n"


def read(text, tmp_path):
    path = tmp_path / "lesson.py"
    path.write_text(text, "utf-8")
    return read_master(path, "lesson")


def test_a_card_is_read_with_its_place_and_stands_in_no_notebook(tmp_path, unit):
    master = read(LESSON + CARD + END, tmp_path)
    [card] = master.cards
    assert (card.name, card.ask, card.answer) == ("01-a-name", "What is asked?", "What is said.")
    assert card.place == 2 and len(master.cells) == 3
    assert "What is said" not in as_notebook.lesson(unit, master).cells[2].source


@pytest.mark.parametrize("after", [END, ""])
def test_to_write_or_edit_a_card_changes_no_hash(after, tmp_path):
    before = as_notebook.digest(read((LESSON + after).rstrip("\n") + "\n", tmp_path))
    for card in (CARD, CARD + CARD.replace("a-name", "another"), CARD.replace("said", "told")):
        text = (LESSON + card + after).rstrip("\n") + "\n"
        assert as_notebook.digest(read(text, tmp_path)) == before
    assert as_notebook.digest(read(LESSON + "# %%\nx = 1\n", tmp_path)) != before


def test_a_text_without_cards_stays_as_it_is():
    for unit in units():
        text = unit.master("assignment").read_text("utf-8")
        assert without_cards(text) == text


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("**Answer.** What is said.", "What is said.", "has no answer"),
        ("What is said.", "", "has no answer"),
        ("What is asked?", "", "has no question"),
        ("01-a-name", "a-name", "is no name"),
        ("01-a-name", "01_a", "is no name"),
        ("01-a-name", "01-asked", "is taken"),
        ("[markdown] card", "card", "is Markdown"),
        ('"01-a-name"', '"01-a-name" alt="x"', "no other role"),
        ("What is said.", "It is $x$.", "formulas as text"),
        ("What is asked?", "## What is asked?", "no heading"),
    ],
)
def test_a_malformed_card_stops_at_its_cell(old, new, words, tmp_path):
    text = LESSON + CARD.replace(old, new, 1) + END
    with pytest.raises(MasterError, match=r"lesson\.py:7: ") as told:
        read(text, tmp_path)
    assert words in str(told.value)


def test_a_name_is_given_once(tmp_path):
    with pytest.raises(MasterError, match=r"lesson\.py:12: .*is taken"):
        read(LESSON + CARD + CARD, tmp_path)


def test_every_unit_and_the_skeleton_have_cards_of_their_own_number():
    for folder in [unit.folder for unit in units()] + [PROJECT / "masters" / "_skeleton"]:
        cards = read_master(folder / "lesson.py", "lesson").cards
        number = folder.name[:2].replace("_s", "00")
        assert len(cards) >= (1 if number == "00" else 4)
        assert all(card.name.startswith(f"{number}-") for card in cards)
