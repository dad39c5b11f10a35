"""What a lesson must show: predictions that nothing below spoils, and a picture before code.

A lesson that breaks a rule stops the build with file, line and what to do.
"""

__all__ = ["check_lesson"]

from nbformat import NotebookNode

from course_grader.authoring.masters import Master, MasterError
from course_grader.building.name_rules import taken_names
from course_grader.building.prediction_rules import folds, headings, opening, spoilers

FIRST_PICTURE = 10  # cells, counted from the top, among which a picture must be
CODE_ABOVE = 60  # visible lines of code above it
PICTURES = 5
HIDDEN_LINES = 30


def check_lesson(master: Master, notebook: NotebookNode) -> None:
    """Stop unless a lesson, executed, keeps the rules.

    Parameters
    ----------
    master : Master
        Of the lesson; its cells are those of the notebook, in order.
    notebook : NotebookNode
        Executed.

    Raises
    ------
    MasterError
        At the first cell that breaks a rule.
    """
    for rule in (folds, spoilers, opening, _pictures, _headings, _hidden):
        for place, message in rule(notebook.cells):
            raise MasterError(master.path, master.cells[place].line, message)
    for place, message in taken_names(master.cells):
        raise MasterError(master.path, master.cells[place].line, message)


def _pictures(cells):
    """A picture comes early, before formulas and code; there are several, each with its words."""
    places = [place for place, cell in enumerate(cells) if _has_picture(cell)]
    if len(places) < PICTURES:
        yield 0, f"{len(places)} pictures: a lesson has at least {PICTURES}"
        return
    above = cells[: places[0]]
    lines = sum(map(_visible_lines, above))
    if places[0] >= FIRST_PICTURE:
        yield places[0], f"the first picture is cell {places[0] + 1}: at most {FIRST_PICTURE}"
    elif any(cell.cell_type == "markdown" and "$$" in cell.source for cell in above):
        yield places[0], "a displayed formula stands above the first picture"
    elif lines > CODE_ABOVE:
        yield places[0], f"{lines} lines of code above the first picture: hide what only draws"
    for place in places:
        if not cells[place].metadata.get("alt"):
            yield place, 'a picture without words: # %% alt="What it shows."'


def _headings(cells):
    """A heading begins its cell: where a fold ends, JupyterLab opens the whole cell."""
    for place, cell in enumerate(cells):
        if any(found.start() for found in headings(cell)):
            yield place, "a heading in the middle of a cell: begin a new cell with it"


def _hidden(cells):
    for place, cell in enumerate(cells):
        lines = len(_lines(cell))
        if "hide-input" in cell.metadata.get("tags", []) and lines > HIDDEN_LINES:
            yield place, f"{lines} hidden lines: at most {HIDDEN_LINES}"


def _has_picture(cell):
    return any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))


def _visible_lines(cell):
    return 0 if "hide-input" in cell.metadata.get("tags", []) else len(_lines(cell))


def _lines(cell):
    code = cell.source if cell.cell_type == "code" else ""
    return [line for line in code.splitlines() if line.strip()]
