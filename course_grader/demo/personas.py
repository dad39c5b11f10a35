"""The members of the sample class: what each hands in."""

__all__ = ["GROUPS", "answers", "cells", "files", "running"]

import copy
import json
import os
import shutil

from nbformat.v4 import new_code_cell

from course_grader.authoring.composer import Composer, cell_of

NOISE = """import logging, sys, warnings
from tqdm import tqdm
warnings.warn("a warning")
logging.warning("a log record")
for _ in tqdm(range(3)):
    pass
print("words on stderr", file=sys.stderr)
"""


def answers(group: Composer) -> None:
    """Right answers of several structures, single misconceptions, mixes, an untouched stub."""
    for student, chosen in _choices(group).items():
        group.hand_in(student, *group.compose(chosen))


def _choices(group):
    a, b = group.first, group.second
    first, second = group.answers[a], group.answers[b]
    every = list(group.answers)
    return {
        "perfect": {},
        "right-library": {name: group.answers[name].right[0].name for name in every},
        "right-other": {name: group.answers[name].right[2].name for name in every},
        "right-oracle": {name: group.answers[name].oracle.name for name in every},
        "misconception-1": {a: first.wrong[1].name},
        "misconception-2": {b: second.wrong[1].name},
        "misconception-3": {a: first.wrong[3].name},
        "mix-1": {a: first.wrong[-1].name, b: second.wrong[0].name},
        "mix-2": {name: group.answers[name].wrong[0].name for name in every},
        "mix-3": {name: group.answers[name].wrong[2].name for name in every},
        "half-done": dict.fromkeys(every[len(every) // 2 :]),
        "untouched": dict.fromkeys(every),
    }


def cells(group: Composer) -> None:
    """Cells deleted, duplicated, split, retagged, and an import in the provided setup cell."""
    notebook, score = group.compose()
    gone = (f"{group.first}-solution", group.second)
    notebook.cells = [c for c in notebook.cells if c.id not in gone]
    group.hand_in("deleted-cells", notebook, score - group.full(group.first))

    notebook, score = group.compose()
    _insert_after(notebook, f"{group.first}-solution", "doubled = 1", same_metadata=True)
    group.hand_in("duplicated-cells", notebook, score)

    notebook, score = group.compose()
    solution = cell_of(notebook, f"{group.first}-solution")
    body, solution.source = solution.source, "half = 1"
    _insert_after(notebook, solution.id, body, same_metadata=True)
    group.hand_in("split-cells", notebook, score)

    notebook, score = group.compose({group.first: group.answers[group.first].wrong[0].name})
    for one in notebook.cells:
        one.metadata["tags"] = ["skip-execution", "raises-exception"]
        if one.metadata.get("nbgrader", {}).get("grade"):
            one.metadata.nbgrader.update(points=100, grade=False, locked=False)
    group.hand_in("retagged-cells", notebook, score)

    notebook, score = group.compose()
    setup = next(c for c in notebook.cells if c.cell_type == "code")
    setup.source += "\nimport numpy as extra_import"
    solution = cell_of(notebook, f"{group.second}-solution")
    solution.source = f"assert extra_import.zeros(1).size\n\n{solution.source}"
    group.hand_in("import-in-setup", notebook, score)


def running(group: Composer) -> None:
    """Noise on stderr, an exception, an endless loop, a dead process."""
    notebook, score = group.compose()
    solution = cell_of(notebook, f"{group.first}-solution")
    solution.source = f"{NOISE}\n{_with_first_line(solution.source, 'warnings.warn(str(1))')}"
    group.hand_in("noisy", notebook, score)
    lines = {
        "exception": "raise RuntimeError('a slip')",
        "endless-loop": "while True: pass",
        "dead-process": "import os; os._exit(1)",
    }
    for student, line in lines.items():
        notebook, score = group.compose()
        solution = cell_of(notebook, f"{group.first}-solution")
        solution.source = _with_first_line(solution.source, line)
        group.hand_in(student, notebook, score - group.full(group.first))


def files(group: Composer) -> None:
    """Resaved without metadata, an LMS file name, not JSON, no notebook, two notebooks, a link."""
    notebook, score = group.compose()
    path = group.hand_in("other-editor", notebook, score)
    _strip(path)
    group.hand_in(
        "lms-name-101", *group.compose(), file=f"lms-name_LATE_101_202_{group.unit.name}.ipynb"
    )
    path = group.hand_in("two-copies", notebook, score)
    shutil.copy(path, path.with_name("copy (1).ipynb"))
    for student in ("not-json", "two-notebooks", "a-link", "binary"):
        path = group.hand_in(student, group.compose()[0], 0.0)
        if student == "not-json":
            path.write_text('{"cells": [', "utf-8")
        elif student == "binary":
            path.write_bytes(bytes(range(256)) * 40)
        elif student == "two-notebooks":
            path.with_name("other.ipynb").write_bytes(path.read_bytes() + b"\n")
        else:
            path.unlink()
            os.symlink(group.course.notebook("source", group.unit), path)


def _insert_after(notebook, key, source, *, same_metadata):
    place = [c.id for c in notebook.cells].index(key)
    metadata = copy.deepcopy(notebook.cells[place].metadata) if same_metadata else {}
    notebook.cells.insert(place + 1, new_code_cell(source, metadata=metadata))


def _with_first_line(source, line):
    """Put a line at the start of the first function's body."""
    head, _, body = source.partition(":\n")
    return f"{head}:\n    {line}\n{body}"


def _strip(path):
    """Save as an editor does that knows neither ids nor metadata: format 4.4."""
    data = json.loads(path.read_text("utf-8"))
    data |= {"metadata": {}, "nbformat_minor": 4}
    for one in data["cells"]:
        one.pop("id")
        one["metadata"] = {}
    path.write_text(json.dumps(data), "utf-8")


GROUPS = (answers, cells, running, files)
