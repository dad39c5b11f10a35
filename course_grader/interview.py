"""A mock interview in work/: ten questions of masters/interview.toml, drawn with a seed."""

__all__ = ["QUESTIONS", "draw", "prepare_interview", "read_bank"]

import json
import random
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbformat import v4

from course_grader.project import notebooks
from course_grader.project.course import PROJECT, CourseError

QUESTIONS = {"choices": 6, "number": 2, "points": 2}  # of each kind in one interview
FIELDS = {
    "choices": {"choices", "right", "because"},
    "number": {"number", "because"},
    "points": {"points", "popular", "why"},
}
TITLE = """# Interview {seed}

Ten questions from all units. Answer each as you would a person across the table, and commit: the
first answer stays. Some want a choice, some a number, some a few sentences of your own. Half an
hour is plenty. The last cell tells the answers, why the popular ones are wrong, where the course
shows it, and your score. Another seed is another interview: `make interview SEED=12`."""
SETUP = "from course_utils.interview import ask, score"
END = """## The answers

Run the cell below when you have answered. For answers in words, tick what yours said."""


def prepare_interview(seed: int | None = None, *, project: Path = PROJECT) -> Path:
    """Make an interview in work/, unless it is there already.

    Parameters
    ----------
    seed : int, optional
        What the questions are drawn with, 1 or larger. None: the first that is not there yet.
    project : Path

    Returns
    -------
    Path
        The notebook. Questions, answers and progress.json lie beside it.

    Raises
    ------
    CourseError
        The bank is damaged, or the seed is no such number.
    """
    folder = project / "work" / "interview"
    if seed is None:
        seed = next(n for n in range(1, 10**6) if not (folder / str(n)).exists())
    if seed < 1:
        raise CourseError(f"SEED={seed}: an interview's seed is a whole number, 1 or larger")
    notebook = folder / str(seed) / "interview.ipynb"
    if not notebook.exists():
        drawn = draw(read_bank(project), seed)
        notebook.parent.mkdir(parents=True, exist_ok=True)
        told = json.dumps(drawn, indent=1, ensure_ascii=False)
        (notebook.parent / "questions.json").write_text(told, "utf-8")
        notebooks.save(_as_notebook(drawn, seed), notebook)
    return notebook


def draw(bank: Mapping[str, dict[str, Any]], seed: int) -> dict[str, dict[str, Any]]:
    """Return ten questions, {name: question}, in an order of their own; a seed draws the same."""
    generator = random.Random(seed)
    drawn = []
    for kind, count in QUESTIONS.items():
        of_kind = [name for name, question in bank.items() if kind in question]
        drawn += generator.sample(of_kind, count)
    generator.shuffle(drawn)
    return {name: bank[name] for name in drawn}


def read_bank(project: Path = PROJECT) -> dict[str, dict[str, Any]]:
    """Return the questions, {name: question}, as masters/interview.toml has them.

    Raises
    ------
    CourseError
        The file is no TOML, or a question lacks something; the message says which and what.
    """
    path = project / "masters" / "interview.toml"
    try:
        listed = tomllib.loads(path.read_text("utf-8"))["question"]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise CourseError(f"{path}: {error}") from error
    for question in listed:
        if problem := _problem(question):
            raise CourseError(f"{path}: {question.get('name', question)}: {problem}")
    return {question["name"]: question for question in listed}


def _problem(question):
    kinds = [kind for kind in FIELDS if kind in question]
    if len(kinds) != 1:
        return f"one of {', '.join(FIELDS)} makes its kind; it has {kinds or 'none'}"
    missing = {"name", "ask", "see", *FIELDS[kinds[0]]} - question.keys()
    if missing:
        return f"{', '.join(sorted(missing))} missing"
    if "choices" in question:
        told = {question["right"], *question["because"]}
        if told != set(question["choices"]) or question["right"] in question["because"]:
            return "`because` has a sentence for each choice but the right one, and no other"
    return None


def _as_notebook(drawn, seed):
    cells = [v4.new_markdown_cell(TITLE.format(seed=seed)), v4.new_code_cell(SETUP)]
    for number, name in enumerate(drawn, 1):
        cells += [
            v4.new_markdown_cell(f"## Question {number}"),
            v4.new_code_cell(f'ask("{name}")'),
        ]
    cells += [v4.new_markdown_cell(END), v4.new_code_cell("score()")]
    return v4.new_notebook(cells=cells, metadata={"kernelspec": notebooks.KERNELSPEC})
