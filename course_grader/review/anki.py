"""Cards as a text file that Anki imports: tab separated, with columns for guid and tags."""

__all__ = ["write_anki"]

from pathlib import Path

from course_grader.project.course import CourseError
from course_utils import progress_file
from course_utils.progress import units_in
from course_utils.review.cards import as_html, met_cards

NAME = "review-anki.txt"
# https://docs.ankiweb.net/importing/text-files.html
HEAD = (
    "#separator:tab",
    "#html:true",
    "#notetype:Basic",
    "#deck:Probabilistic machine learning",
    "#columns:guid\tFront\tBack\ttags",
    "#guid column:1",
    "#tags column:4",
)


def write_anki(work: Path) -> tuple[Path, int]:
    """Write the cards that a learner has met as Anki's text format; return the path.

    A card's guid is made from its name, so that an import anew changes notes and keeps their
    history.

    Parameters
    ----------
    work : Path
        The working copy, where the file is written.

    Returns
    -------
    (Path, int)
        The file, and how many cards it holds.

    Raises
    ------
    CourseError
        No card has been met yet, or COURSE_PROGRESS is off.
    """
    if progress_file.is_off():
        raise CourseError("COURSE_PROGRESS is off: nobody can say which cards you met; unset it")
    cards = met_cards(units_in(work), work)
    if not cards:
        raise CourseError("No card to export yet: they come in with the sections that you read")
    lines = ["\t".join(map(_field, _columns(card))) for card in cards]
    path = work / NAME
    path.write_text("\n".join([*HEAD, *lines]) + "\n", "utf-8")
    return path, len(cards)


def _columns(card):
    """Return guid, front, back and tags of a card; texts are escaped here, for HTML."""
    choices = "".join(f"<li>{as_html(choice)}</li>" for choice in card.choices)
    front = as_html(card.ask) + (f"<ul>{choices}</ul>" if choices else "")
    why = "".join(f"<br>{_wrong(wrong)}: {as_html(why)}" for wrong, why in card.because)
    back = (
        f"{as_html(card.solution)}{why}<br><small>{as_html(f'{card.title}: {card.see}')}</small>"
    )
    return f"pml-{card.name}", front, back, f"pml unit-{card.name[:2]}"


def _wrong(answer):
    return as_html(answer) if isinstance(answer, str) else f"{answer:g}"


def _field(text):
    """Return a text without what would end a field or a note."""
    return " ".join(text.split())
