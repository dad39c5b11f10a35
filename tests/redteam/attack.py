"""One attack: a file of student code whose header says what it tries and deserves."""

__all__ = ["ATTACKS", "Attack", "read_attack"]

import ast
import dataclasses
import re
from pathlib import Path

import jupytext

FOLDER = Path(__file__).with_name("attacks")
HEADER = re.compile(r"^(class|stopped by|deserved): (.+)$", re.M)


@dataclasses.dataclass(frozen=True)
class Attack:
    """What a hostile student hands in, and the points that the honest part of it deserves."""

    name: str
    tries: str
    kind: str
    only_sandbox: bool
    deserved: float
    cells: tuple

    def source(self, role):
        """Return the text of the cell with this role, or None."""
        return next((source for title, _, source in self.cells if title == role), None)

    def own(self, role):
        """Return [(cell type, source)] of the student's cells with this role."""
        return [(kind, source) for title, kind, source in self.cells if title == role]

    def function(self, name):
        """Return the function of this name that changes the notebook or the file, or None."""
        scope = {}
        exec(self.source(name) or "", scope)
        return scope.get(name)


def read_attack(path):
    """Read one attack.

    Its docstring's first line says what it tries; `class:`, `stopped by:` and `deserved:` follow.
    Cells: `solution` (of the first exercise; a wrong one stands in), `extra` (after the setup
    cell), `last` (at the end), `spoil` (changes the notebook) and `hand_in` (changes the file).
    """
    text = path.read_text("utf-8")
    opening = ast.get_docstring(ast.parse(text.split("# %%")[0]))
    facts = dict(HEADER.findall(opening))
    cells = [
        (cell.metadata.get("title", ""), cell.cell_type, cell.source)
        for cell in jupytext.reads(text, fmt="py:percent").cells[1:]
    ]
    return Attack(
        name=path.stem,
        tries=opening.splitlines()[0].rstrip("."),
        kind=facts["class"],
        only_sandbox=facts["stopped by"] == "the sandbox",
        deserved=float(facts["deserved"]),
        cells=tuple(cells),
    )


ATTACKS = {path.stem: read_attack(path) for path in sorted(FOLDER.glob("*.py"))}
