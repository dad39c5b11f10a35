"""What a learner is shown of an exercise in the notebook, and what is kept of it as progress."""

__all__ = ["shown_to_learner"]

import dataclasses

from course_utils.checking import panel
from course_utils.checking.comparison import expected_for, verdict
from course_utils.checking.findings import findings
from course_utils.checking.forms import Check
from course_utils.checking.heard import Heard
from course_utils.checking.panel import Verdict
from course_utils.checking.worked import worked_solution
from course_utils.progress_file import keep_result
from course_utils.review.mistakes import keep_mistake

GRADED = "These are the visible cases; more cases run when graded."
AT_HAND = "These are the visible cases; the button below runs all cases."


def shown_to_learner(
    exercise: str, checks: list[Check], heard: Heard, *, at_hand: bool
) -> tuple[Verdict, str, str]:
    """Compare the visible cases; keep the result, and a mistake that is told, beside the notebook.

    Parameters
    ----------
    exercise : str
    checks : list of dict
        As recorded.
    heard : Heard
        What the answer printed, and where it failed.
    at_hand : bool
        Whether all cases can be run here.

    Returns
    -------
    (Verdict, str, str)
        The verdict, and the panel as text and as HTML.
    """
    known, note = expected_for(exercise), AT_HAND if at_hand else GRADED
    found = verdict(exercise, checks, known["checks"], known["hints"], note=note)
    place = _place(checks, known["checks"], heard.places)
    outcome = dataclasses.replace(found, printed=heard.printed, place=place)
    points = sum(aspect.points for aspect in outcome.aspects if aspect.status == "passed")
    keep_result(exercise, outcome.status, points, cases="visible")
    keep_mistake(exercise, known["hints"], outcome.hint)
    solution = worked_solution(exercise)
    return outcome, panel.text(outcome, solution), panel.html(outcome, solution)


def _place(got: list[Check], expected: list[Check], places: dict[int, str]) -> str:
    """Return where the first error was raised that should not have been; '' if none was."""
    wrong = findings(got, expected)
    unwanted = [
        i for i, why in enumerate(wrong) if why and i < len(got) and "error" in got[i]["got"]
    ]
    return places.get(unwanted[0], "") if unwanted else ""
