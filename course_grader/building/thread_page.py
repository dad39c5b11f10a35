"""The thread of the course on one page: every table of scores on the dial's data."""

__all__ = ["THREAD_PAGE", "thread_page"]

import re

from course_grader.project import notebooks
from course_grader.project.course import PROJECT, units

THREAD_PAGE = PROJECT / "docs" / "dial.md"
TABLE = re.compile(r"^(?:model)?\s*NLL.*CRPS.*coverage")  # its head, the first line of an output
INTRODUCTION = """\
# The dial, unit by unit

One simulated data set runs through the course: a dial is turned to x, and y is read off with
noise that grows with x
([what it is](../notebooks/01_loss_as_likelihood.ipynb#The-dial:-data-whose-truth-is-known)). These
are the tables that the lessons print about it; how many points a model learns from stands beside
each. NLL in nats and CRPS in units of y, lower is better; coverage and width of intervals that
promise 0.9; ± one standard error over data sets. Oracle and truth know the law of the data.

`make build` writes this page anew.
"""


def thread_page() -> str:
    """Return the page as Markdown, from the committed lessons."""
    parts = [INTRODUCTION]
    for unit in units():
        lesson = notebooks.load(PROJECT / "notebooks" / f"{unit.name}.ipynb")
        for heading, table in _tables(lesson.cells):
            link = f"../notebooks/{unit.name}.ipynb#{heading.replace(' ', '-')}"
            parts.append(f"## {unit.name[:2]}: [{heading}]({link})\n\n```text\n{table}\n```\n")
    return "\n".join(parts)


def _tables(cells):
    """Yield (heading above it, text) of each output that is a table of scores."""
    heading = ""
    for cell in cells:
        if cell.cell_type == "markdown":
            found = re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE)
            heading = found[-1] if found else heading
        else:
            texts = [output.get("text", "") for output in cell.outputs]
            yield from ((heading, text.rstrip()) for text in texts if TABLE.match(text))
