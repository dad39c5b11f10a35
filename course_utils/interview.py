"""A mock interview: questions one by one, answers kept, and everything told at the end."""

__all__ = ["ask", "score"]

import json
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets
from IPython.display import display

from course_utils.predictions import predict, reveal
from course_utils.progress_file import answer_in, is_off, read, write

FILE = "questions.json"  # beside the notebook: {name: question}


def ask(name: str, answer: Any = ...) -> None:
    """Ask one of the interview's questions, and keep the first answer to it.

    Parameters
    ----------
    name : str
        As in questions.json, which lies beside the notebook.
    answer : ..., number or str
        With `...` a form asks. Anything else is the answer, as typed.

    Raises
    ------
    KeyError
        The interview has no such question.
    """
    question = _questions()[name]
    words = "points" in question
    predict(name, answer, ask=question["ask"], choices=question.get("choices"), words=words)


def score() -> None:
    """Tell every answer, why the popular ones are wrong, and how many were right.

    A choice or a number counts 1 if it was right. For an answer in words the learner ticks what
    it said: it counts the share of what a good one says. Ticks are kept in progress.json.
    """
    questions, total = _questions(), ipywidgets.HTML()
    for number, (name, question) in enumerate(questions.items(), 1):
        print(f"Question {number}. {question['ask']}")
        if "points" in question:
            _tell_words(name, question, total)
        else:
            _tell(name, question)
        _tell_where(*question["see"])
    total.value = f"<b>{escape(_sum(questions))}</b>"
    print(_sum(questions)) if is_off() else display(total)


def _tell_where(unit: str, heading: str) -> None:
    """Name the section that shows the answer; in work/interview/7/ it is a link."""
    lesson = next(iter(sorted(Path("../..", unit).glob("*lesson.ipynb"))), Path("../..", unit))
    place = f"{lesson.as_posix()}#{heading.replace(' ', '-')}"
    told = {
        "text/markdown": f"Shown in unit {unit[:2]}: [{heading}](<{place}>)",
        "text/plain": f"Shown in unit {unit}, under {heading!r}.\n",
    }
    display(told, raw=True)


def _questions() -> dict[str, dict[str, Any]]:
    questions: dict[str, dict[str, Any]] = json.loads(Path(FILE).read_text("utf-8"))
    return questions


def _tell(name: str, question: dict[str, Any]) -> None:
    if "choices" in question:
        reveal(name, question["right"], because=question["because"])
        return
    because = {float(number): why for number, why in question["because"].items()}
    within, unit = question.get("within", 0.0), question.get("unit", "")
    reveal(name, question["number"], within=within, unit=unit, because=because)


def _tell_words(name: str, question: dict[str, Any], total: Any) -> None:
    """Show an answer in words beside what a good one says, each point with a box to tick."""
    kept = read().get("predictions", {}).get(name)
    print(f"You said: {answer_in(kept)}" if kept else "No answer was kept for this question.")
    print(f"A popular answer: {question['popular']}\nWhat it lacks: {question['why']}")
    if kept is None or is_off():
        print("A good answer says:", *question["points"], sep="\n- ")
        return
    ticks = kept.get("said", [])
    boxes = [_box(point, number in ticks) for number, point in enumerate(question["points"])]

    def tick(_change: object) -> None:
        said = [number for number, box in enumerate(boxes) if box.value]
        _keep_ticks(name, said, len(boxes))
        total.value = f"<b>{escape(_sum(_questions()))}</b>"

    for box in boxes:
        box.observe(tick, "value")
    display(ipywidgets.VBox([ipywidgets.Label("Tick what your answer said:"), *boxes]))


def _box(point: str, ticked: bool) -> Any:
    return ipywidgets.Checkbox(ticked, description=point, indent=False, layout={"width": "98%"})


def _keep_ticks(name: str, said: list[int], of: int) -> None:
    book = read()
    book["predictions"][name] |= {"said": said, "of": of, "right": 2 * len(said) > of}
    write(book)


def _sum(questions: dict[str, dict[str, Any]]) -> str:
    """Return the score in one sentence."""
    kept = read().get("predictions", {})
    shares = [_share(kept.get(name, {})) for name in questions]
    answered = sum(name in kept for name in questions)
    return f"{sum(shares):.3g} of {len(questions)}, with {answered} answered."


def _share(entry: dict[str, Any]) -> float:
    return len(entry["said"]) / entry["of"] if "said" in entry else float(entry.get("right", 0))
