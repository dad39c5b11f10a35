"""The first page: what this is, the map of the units, and each lesson with its assignment."""

__all__ = ["map_page"]

from collections.abc import Sequence

from course_grader.project.course import Unit
from course_utils.course_map import map_html

PAGE = """\
# Probabilistic machine learning, hands-on

To look around: every lesson with its figures; sliders move and predictions are answered here,
without Python. To work through it, take the course's folder and `make lab`: there cells run and
exercises grade themselves.

## Map

A box is a unit; lines come from what it builds on.

{map}

## Lessons and assignments

| unit | lesson | minutes | assignment |
| --- | --- | --- | --- |
{rows}

[Glossary](glossary.md): terms in a line each. [Errata](errata.md): what articles say, and what is
true. [Coverage](coverage.md): each topic with its section and its exercises. [The dial](dial.md):
every table about the data that runs through the course. <a href="playground.html">Playground</a>:
distributions to move.

## Your predictions

They stay in this browser, on this machine. <button type="button" class="forget">Forget my
predictions</button> <span class="told" role="status"></span>

```{{toctree}}
:hidden:
:caption: Lessons

{lessons}
```

```{{toctree}}
:hidden:
:caption: Look up

{reference}
```

```{{toctree}}
:hidden:
:caption: Assignments

{assignments}
```
"""
REFERENCE = ["Glossary <glossary>", "Errata <errata>", "Coverage <coverage>", "The dial <dial>"]


def map_page(units: Sequence[Unit]) -> str:
    """Return the page as MyST Markdown.

    Parameters
    ----------
    units : list of Unit
        Those that the site holds.
    """
    states = {unit.name[:2]: ("fresh", f"lessons/{unit.name}.html") for unit in units}
    entry = "{} {} <{}/{}>"
    facts = [(unit.name[:2], unit.facts["title"], unit.name) for unit in units]
    return PAGE.format(
        map=map_html(states),
        rows="\n".join(map(_row, units)),
        lessons="\n".join(entry.format(n, title, "lessons", name) for n, title, name in facts),
        assignments="\n".join(
            f"Assignment {number} <assignments/{name}>" for number, _, name in facts
        ),
        reference="\n".join(REFERENCE),
    )


def _row(unit):
    name, number, facts = unit.name, unit.name[:2], unit.facts
    lesson = f"[{facts['title']}](lessons/{name}.ipynb)"
    assignment = f"[assignment {number}](assignments/{name}.ipynb)"
    return f"| {number} | {lesson} | {facts['minutes']} | {assignment} |"
