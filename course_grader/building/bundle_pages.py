"""What a bundle says about itself: README, and files that name its one extra, Validate."""

__all__ = ["environment_file", "project_file", "readme"]

import re

from course_grader.playground.page import HEADS
from course_grader.project.course import Unit

KEPT = ("[build-system]", "[project]", "[tool.setuptools.")  # sections of pyproject.toml
README = """# Probabilistic machine learning

| unit | lesson | assignment |
| --- | --- | --- |
{rows}

Lessons are to be read and run, assignments to be solved. Words are explained in
[glossary.md](glossary.md).{played}

## Install, once

You need Python 3.11 to 3.13. Open a terminal in this folder. On Linux and macOS:

    python3 -m venv .venv
    .venv/bin/python -m pip install -c constraints.txt -e ".[validate]"

On Windows, in PowerShell:

    py -m venv .venv
    .venv\\Scripts\\python -m pip install -c constraints.txt -e ".[validate]"

`py -3.13 -m venv .venv` chooses among several Pythons. With conda, on any of them:
`conda env create -f environment.yml`, then `conda activate probabilistic-ml`.

## Open

    .venv/bin/python -m jupyterlab          # Linux, macOS
    .venv\\Scripts\\python -m jupyterlab      # Windows
    jupyter lab                             # conda

Choose a notebook in the list on the left; Shift+Enter runs a cell. On a JupyterHub it is open
already: there the second line of the installation is all you need, with `python` for
`.venv/bin/python`, unless your instructor has run it.

In an assignment write your answer where it says `YOUR CODE HERE`, and run the check cell under it:
the panel says what your function returned, what was expected, and a hint if your mistake is a
known one. The cases that you see are a sample; more run when your work is graded. Leave
`checks.json` beside the notebook: the panel reads it. Where you stand, a cell in any lesson tells:

    from course_utils.progress import progress
    progress()

## Review

Five minutes a day keep what you have learnt. Open `review.ipynb` in this folder and run its cell:
it asks what you have met, when you are about to forget it. The files `cards.json` and
`review.json` beside an assignment belong to it.

## Validate

The button **Validate** above an open assignment runs it from the top in a fresh kernel and names
each check cell that does not pass: so you see what works only because of a cell that you ran
earlier. An answer in words counts as missing until something is written there. Validate knows the
visible cases only, so its success is not full points yet. In a terminal:

    .venv/bin/python -m nbgrader validate {example}

On Windows begin with `.venv\\Scripts\\python`. You need nothing else of what the menu Nbgrader
offers.

## Hand in

Save the assignment and hand in its notebook, such as `{example}`: this
one file, with or without outputs.

## When the next zip comes

Unpacked over this folder it brings its units, and touches no notebook of another unit. But a zip
cannot know what you have begun: one with a unit that is here already puts a fresh assignment in
the place of yours. So rename your notebook before (it may be handed in under any name), or unpack
elsewhere and copy what is new.
"""
PLAYED = """ Open [playground.html](playground.html) in a browser to play with
output distributions and their losses; it needs nothing else."""


def readme(units: list[Unit]) -> str:
    """Return the README of a bundle of these units."""
    rows = "\n".join(map(_row, units))
    name = units[0].name
    played = PLAYED if HEADS in {unit.name for unit in units} else ""
    return README.format(rows=rows, played=played, example=f"assignments/{name}/{name}.ipynb")


def _row(unit):
    name, number = unit.name, unit.name[:2]
    assignment = f"[assignment {number}](assignments/{name}/{name}.ipynb)"
    return f"| {number} | [{unit.facts['title']}](lessons/{name}.ipynb) | {assignment} |"


def project_file(text: str) -> str:
    """Return pyproject.toml without what a class has not; its one extra is `validate`."""
    sections = re.split(r"^(?=\[)", text, flags=re.MULTILINE)
    kept = "".join(section for section in sections if section.startswith(KEPT))
    kept = kept.replace(', "course_grader*"', "")
    kept = re.sub(r"^course_grader = .*\n", "", kept, flags=re.MULTILINE)
    nbgrader = re.search(r'"nbgrader\b[^"]*"', text)[0]
    return f"{kept.rstrip()}\n\n[project.optional-dependencies]\nvalidate = [{nbgrader}]\n"


def environment_file(text: str) -> str:
    """Return environment.yml with the bundle's extra."""
    return text.replace("-e .[grader]", "-e .[validate]")
