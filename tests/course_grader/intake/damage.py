"""Damages that honest notebooks suffer: what each does, and the points that are left."""

import base64
import dataclasses
import gzip
import io
import json
import random
import warnings
import zipfile
from collections.abc import Callable

import nbformat

FIRST, SECOND = "gaussian-nll", "laplace-mle"
DAMAGES = {}


@dataclasses.dataclass(frozen=True)
class Damage:
    """`change` alters the notebook's data in place, or returns the file's bytes.

    `loses` are the exercises whose points are gone, `reason` what is told where all are. `file`
    is where it lies under submitted/ if not in nbgrader's place; {unit} stands for the unit.
    """

    change: Callable
    loses: tuple = ()
    reason: str = ""
    file: str = ""


def damage(**facts):
    """Enter a function in the table under its own name."""

    def enter(function):
        DAMAGES[function.__name__.replace("_", "-").strip("-")] = Damage(function, **facts)
        return function

    return enter


def enter(changes, **facts):
    """Enter {name: change} in the table, all with the same facts."""
    DAMAGES.update({name: Damage(change, **facts) for name, change in changes.items()})


# --- helpers -------------------------------------------------------------------------------


def code(source, **more):
    """Return a code cell's data."""
    cell = {"cell_type": "code", "source": source, "metadata": {}, "outputs": []}
    return cell | {"execution_count": None} | more


def text(data, **options):
    """Return the notebook as JSON text."""
    return json.dumps(data, **options)


def place(data, key):
    """Return the place of the cell with this id."""
    return next(i for i, c in enumerate(data["cells"]) if c.get("id") == key)


def find(data, key):
    """Return the cell with this id."""
    return data["cells"][place(data, key)]


def solution(data, exercise=FIRST):
    """Return the solution cell of an exercise."""
    return find(data, f"{exercise}-solution")


def setup(data):
    """Return the provided cell with the imports."""
    return next(c for c in data["cells"] if c["cell_type"] == "code")


def remove(data, *keys):
    """Delete cells by id."""
    data["cells"] = [c for c in data["cells"] if c["id"] not in keys]


def insert(data, key, cell, shift=0):
    """Insert a cell before the one with this id, or after it with shift 1."""
    data["cells"].insert(place(data, key) + shift, cell)


def each(change):
    """Return a damage that changes each cell."""

    def all_cells(data):
        for cell in data["cells"]:
            change(cell)

    return all_cells


def without(cell, *keys):
    """Delete keys of a cell."""
    for key in keys:
        cell.pop(key, None)


def zipped(**members):
    """Return a zip file's bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name.replace("__", "/").replace("_ipynb", ".ipynb"), content)
    return file.getvalue()


def renamed_function(data):
    """Rename the first exercise's function in its cell; return the new text."""
    cell = solution(data)
    cell["source"] = cell["source"].replace("def gaussian_nll(", "def the_helper(", 1)
    return "def gaussian_nll(y, mu, sigma):\n    return the_helper(y, mu, sigma)"


# --- encodings and files -------------------------------------------------------------------


def with_words(data, words):
    """Put a comment in the first solution; return the text with all letters as they are."""
    solution(data)["source"] = f"# {words}\n" + solution(data)["source"]
    return text(data, ensure_ascii=False)


enter(
    {
        "utf-8-bom": lambda d: text(d).encode("utf-8-sig"),
        "utf-16": lambda d: with_words(d, "Größe \N{GREEK SMALL LETTER SIGMA}").encode("utf-16"),
        "utf-16-big-endian-no-bom": lambda d: text(d).encode("utf-16-be"),
        "utf-32": lambda d: text(d).encode("utf-32"),
        "latin-1": lambda d: with_words(d, "Größe").encode("latin-1"),
        "windows-1252": lambda d: with_words(d, "5 \N{EURO SIGN}, Größe").encode("cp1252"),
        "one-bad-byte": lambda d: with_words(d, "Größe").encode().replace(b"\xc3\x9f", b"\xc3"),
        "windows-line-ends": lambda d: text(d, indent=1).replace("\n", "\r\n"),
        "blank-lines-around": lambda d: f"\n\n  {text(d)}\n\n\n",
        "zipped-under-its-own-name": lambda d: zipped(work_ipynb=text(d)),
        "zipped-on-a-mac": lambda d: zipped(
            **{"work_ipynb": text(d), "__MACOSX__._work_ipynb": "x"}
        ),
    }
)
enter({"text-ending": text}, file="text-ending/{unit}/{unit}.ipynb.txt")
enter({"loose-text-ending": text}, file="loose-text-ending.ipynb.txt")
enter({"json-ending": text}, file="json-ending.ipynb.json")
enter({"capital-ending": text}, file="capital-ending.IPYNB")
enter({"other-name": text}, file="other-name/{unit}/Untitled7.ipynb")
enter({"deeper-folder": text}, file="deeper-folder/{unit}/my work/final/a.ipynb")
enter({"no-unit-folder": text}, file="no-unit-folder/work.ipynb")
enter({"loose-zip": lambda d: zipped(work_ipynb=text(d))}, file="loose-zip.zip")
enter({"zip-in-folder": lambda d: zipped(a_ipynb=text(d))}, file="zip-in-folder/{unit}/a.zip")

enter(
    {
        "truncated": lambda d: text(d, indent=1)[:2000],
        "trailing-comma": lambda d: text(d)[:-1] + ",}",
        "a-web-page": lambda d: "<!DOCTYPE html><html><body>Please log in</body></html>",
        "a-script": lambda d: "\n\n".join("".join(c["source"]) for c in d["cells"]),
        "python-not-json": lambda d: str(d),
        "merge-conflict": lambda d: f"<<<<<<< HEAD\n{text(d)}\n=======\n{text(d)}\n>>>>>>> b\n",
        "twice-in-one-file": lambda d: text(d) * 2,
        "zeros-after-a-crash": lambda d: bytes(5000),
        "gzipped": lambda d: gzip.compress(text(d).encode()),
        "a-pdf": lambda d: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj",
    },
    reason="not a notebook: the file is not JSON text",
)
enter({"empty": lambda d: b"", "blank": lambda d: b"\n \n"}, reason="the file is empty")
enter({"a-list": lambda d: text(d["cells"])}, reason="notebook format list")
enter({"json-null": lambda d: "null"}, reason="notebook format NoneType")
enter({"no-cells": lambda d: text(d | {"cells": []})}, reason="no cells")
enter({"zip-of-two": lambda d: zipped(a_ipynb=text(d), b_ipynb=text(d))}, reason="2 notebooks")
enter({"zip-of-none": lambda d: zipped(readme="x")}, reason="0 notebooks")
enter({"broken-zip": lambda d: zipped(a_ipynb=text(d))[:300]}, reason="cannot be unpacked")


# --- versions of the format ----------------------------------------------------------------


def as_minor(minor):
    """Return a damage that saves in format 4.minor; ids came with 4.5."""

    def change(data):
        data["nbformat_minor"] = minor
        if minor < 5:
            each(lambda cell: without(cell, "id"))(data)

    return change


enter({f"format-4-{minor}": as_minor(minor) for minor in range(6)})
enter({"format-4-99": as_minor(99)})


@damage()
def format_3(data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        old = nbformat.convert(nbformat.from_dict(data), 3)
    return nbformat.v3.writes_json(old)


@damage()
def format_3_with_two_worksheets(data):
    old = json.loads(format_3(data))
    cells = old["worksheets"][0]["cells"]
    old["worksheets"] = [{"cells": cells[:9]}, {"cells": cells[9:], "metadata": {}}]
    return text(old)


@damage()
def format_2(data):
    for cell in data["cells"]:
        without(cell, "id")
        if cell["cell_type"] == "code":
            cell["input"] = cell.pop("source")
    return text({"nbformat": 2, "metadata": {}, "worksheets": [{"cells": data["cells"]}]})


enter({"format-5": lambda d: text(d | {"nbformat": 5})}, reason="notebook format 5")
enter({"no-format": lambda d: d.pop("nbformat") and None}, reason="notebook format None")
enter({"format-3-empty": lambda d: text({"nbformat": 3, "worksheets": []})}, reason="format 3")
enter(
    {
        "sources-as-text": each(lambda c: c.update(source="".join(c["source"]))),
        "sources-as-lines": each(lambda c: c.update(source=c["source"].splitlines(True))),
        "sources-as-letters": each(lambda c: c.update(source=list(c["source"]))),
        "crlf-in-sources": each(lambda c: c.update(source=c["source"].replace("\n", "\r\n"))),
        "cr-in-sources": each(lambda c: c.update(source=c["source"].replace("\n", "\r"))),
        "a-cell-without-source": lambda d: d["cells"].insert(3, {"cell_type": "code"}),
        "a-cell-with-null": lambda d: d["cells"].insert(3, code(None)),
    }
)


# --- metadata, ids and other editors -------------------------------------------------------


def other_editor(minor=4, *, own=None, keeps_grading=True, ids=None):
    """Return a damage as an editor does it that saves cells with metadata of its own."""

    def change(data):
        data |= {"nbformat_minor": minor, "metadata": {"language_info": {"name": "python"}}}
        for number, cell in enumerate(data["cells"]):
            kept = cell["metadata"].get("nbgrader") if keeps_grading else None
            cell["metadata"] = (own or {}) | ({"nbgrader": kept} if kept else {})
            without(cell, "id")
            if ids:
                cell["id"] = ids(number)

    return change


DEEPNOTE = {"cell_id": "00000-4c1c", "deepnote_cell_type": "code", "output_cleared": False}
KAGGLE = {"_uuid": "8f2839f25d", "trusted": True, "execution": {"iopub.status.busy": "2026"}}
enter(
    {
        "colab": other_editor(0, own={"id": "Xc5T", "colab": {"base_uri": "x"}}),
        "colab-without-grading": other_editor(0, own={"id": "Xc5T"}, keeps_grading=False),
        "vs-code": other_editor(2, own={"vscode": {"languageId": "python"}}),
        "vs-code-new-ids": other_editor(5, ids=lambda n: f"#VSC-{n:08x}"),
        "kaggle": other_editor(4, own=KAGGLE),
        "deepnote": other_editor(0, own=DEEPNOTE, keeps_grading=False),
        "nteract": other_editor(4, own={"inputHidden": False, "outputHidden": True}),
        "no-ids": each(lambda c: without(c, "id")),
        "no-ids-no-metadata": each(lambda c: without(c, "id", "metadata")),
        "all-ids-equal": each(lambda c: c.update(id="same")),
        "ids-are-numbers": lambda d: (
            [c.update(id=n) for n, c in enumerate(d["cells"])][:0] or None
        ),
        "ids-are-too-long": each(lambda c: c.update(id=f"{c['id']} {'x' * 90}")),
        "ids-are-null": each(lambda c: c.update(id=None)),
        "no-metadata": lambda d: d.pop("metadata") and None,
        "null-metadata": lambda d: d.update(metadata=None),
        "null-cell-metadata": each(lambda c: c.update(metadata=None)),
        "null-grading": each(lambda c: c["metadata"].update(nbgrader=None)),
        "grading-of-an-old-schema": each(
            lambda c: c["metadata"].get("nbgrader", {}).update(schema_version=1)
        ),
        "another-kernel": lambda d: d["metadata"].update(kernelspec={"name": "ir"}),
        "attachments": lambda d: d["cells"][0].update(
            attachments={"a.png": {"image/png": base64.b64encode(bytes(99)).decode()}}
        ),
        "attachments-in-code": lambda d: setup(d).update(attachments={"a.png": {}}),
    }
)


# --- outputs -------------------------------------------------------------------------------


def printed(size):
    """Return a damage that gives the first solution cell so many characters of output."""
    stream = {"output_type": "stream", "name": "stdout", "text": "x" * size}
    return lambda data: solution(data).update(outputs=[stream])


enter(
    {
        "no-outputs-key": each(lambda c: without(c, "outputs", "execution_count")),
        "null-outputs": each(lambda c: c.update(outputs=None)),
        "counts-are-stars": each(lambda c: c.update(execution_count="*", prompt_number="*")),
        "outputs-are-words": each(lambda c: c.update(outputs=["42"])),
        "nan-in-outputs": each(lambda c: c.update(outputs=[{"data": float("nan")}])),
        "19-megabytes-of-outputs": printed(19_000_000),
    }
)
enter({"40-megabytes-of-outputs": printed(40_000_000)}, reason="40 MB; at most 20 MB are read")


# --- cells ---------------------------------------------------------------------------------


@damage()
def solution_cell_copied(data):
    insert(data, f"{FIRST}-solution", json.loads(text(solution(data))), 1)


@damage()
def stub_copied_below_the_answer(data):
    insert(data, f"{FIRST}-solution", code(STUB), 1)


@damage()
def stub_copied_with_its_metadata(data):
    copied = code(STUB, id=f"{FIRST}-solution", metadata=solution(data)["metadata"])
    insert(data, f"{FIRST}-solution", copied)


@damage()
def answer_above_the_stub(data):
    answer, solution(data)["source"] = solution(data)["source"], STUB
    insert(data, f"{FIRST}-solution", code(answer))


@damage()
def answer_below_the_stub(data):
    answer, solution(data)["source"] = solution(data)["source"], STUB
    insert(data, f"{FIRST}-solution", code(answer), 1)


@damage()
def answer_in_the_next_exercise(data):
    solution(data, SECOND)["source"] += "\n\n\n" + solution(data)["source"]
    remove(data, f"{FIRST}-solution", FIRST)
    data["cells"].reverse()
    data["cells"].sort(key=lambda c: c.get("id") == SECOND)


DAMAGES["answer-in-the-next-exercise"] = dataclasses.replace(
    DAMAGES["answer-in-the-next-exercise"], loses=(FIRST,)
)  # it is defined after the check that needs it, as a run from top to bottom shows


@damage()
def answer_in_the_exercise_before(data):
    solution(data)["source"] += "\n\n\n" + solution(data, SECOND)["source"]
    remove(data, f"{SECOND}-solution")


@damage()
def answer_in_the_setup_cell(data):
    setup(data)["source"] += "\n\n\n" + solution(data)["source"]
    remove(data, f"{FIRST}-solution")


@damage(loses=(FIRST,))
def solution_deleted(data):
    remove(data, f"{FIRST}-solution")


@damage(loses=(FIRST, SECOND))
def two_solutions_emptied(data):
    solution(data)["source"] = solution(data, SECOND)["source"] = ""


enter(
    {
        "check-deleted": lambda d: remove(d, FIRST),
        "setup-deleted": lambda d: remove(d, setup(d)["id"]),
        "text-deleted": lambda d: d.update(
            cells=[c for c in d["cells"] if c["cell_type"] == "code"]
        ),
        "only-solutions-left": lambda d: d.update(
            cells=[c for c in d["cells"] if c["id"].endswith("-solution")]
        ),
        "solution-retyped-to-text": lambda d: solution(d).update(cell_type="markdown"),
        "solution-retyped-to-raw": lambda d: solution(d).update(cell_type="raw"),
        "check-retyped-to-text": lambda d: find(d, FIRST).update(cell_type="markdown"),
        "text-retyped-to-code": lambda d: d["cells"][0].update(cell_type="code"),
        "a-type-nobody-knows": lambda d: d["cells"][0].update(cell_type="heading", level=1),
        "check-edited": lambda d: find(d, FIRST).update(source="print('passed')"),
        "text-edited": lambda d: d["cells"][0].update(source="My homework"),
        "reversed": lambda d: d["cells"].reverse(),
        "shuffled": lambda d: random.Random(7).shuffle(d["cells"]),
        "checks-first": lambda d: d["cells"].sort(
            key=lambda c: not c["metadata"].get("nbgrader", {}).get("grade")
        ),
    }
)


@damage()
def merged_with_its_check(data):
    solution(data)["source"] += "\n\n" + find(data, FIRST)["source"]
    remove(data, FIRST)


@damage()
def merged_with_the_next_solution(data):
    solution(data)["source"] += "\n\n\n" + solution(data, SECOND)["source"]
    remove(data, FIRST, f"{SECOND}-solution")


@damage()
def all_code_merged(data):
    cells = [c for c in data["cells"] if c["cell_type"] == "code"]
    data["cells"] = [code("\n\n\n".join(c["source"] for c in cells), id=cells[0]["id"])]


@damage(loses=(FIRST,))
def merged_with_the_text_above(data):
    above = data["cells"][place(data, f"{FIRST}-solution") - 1]
    above["source"] += "\n\n" + solution(data)["source"]
    remove(data, f"{FIRST}-solution")


def split(data, **more):
    """Split the first solution into a helper and the function that is asked for."""
    rest = renamed_function(data)
    insert(data, f"{FIRST}-solution", code(rest, **more), 1)


enter(
    {
        "split": split,
        "split-with-its-metadata": lambda d: split(
            d, metadata=solution(d)["metadata"], id=f"{FIRST}-solution"
        ),
        "split-after-a-comment": lambda d: (
            (
                insert(d, f"{FIRST}-solution", code(solution(d)["source"]), 1),
                solution(d).update(source="# my answer"),
            )[:0]
            or None
        ),
    }
)


@damage(loses=(FIRST,))
def split_inside_the_function(data):
    head, _, body = solution(data)["source"].partition("\n")
    solution(data)["source"] = head
    insert(data, f"{FIRST}-solution", code(body), 1)


# --- extra cells that the answer needs -----------------------------------------------------


def with_helper(where, shift=0):
    """Return a damage that moves the work to a helper in a cell of its own."""

    def change(data):
        rest = renamed_function(data)
        helper, solution(data)["source"] = solution(data)["source"], rest
        insert(data, where, code(helper), shift)

    return change


@damage()
def helper_before_everything(data):
    with_helper(data["cells"][0]["id"])(data)


@damage()
def helper_without_any_metadata(data):
    with_helper(f"{FIRST}-solution")(data)
    each(lambda cell: without(cell, "id", "metadata"))(data)


@damage()
def imports_moved_to_the_solution(data):
    solution(data)["source"] = setup(data)["source"] + "\n\n\n" + solution(data)["source"]
    remove(data, setup(data)["id"])


def uses(words):
    """Return a damage that makes the first solution depend on a name."""

    def change(data):
        solution(data)["source"] = f"assert {words}\n\n\n{solution(data)['source']}"

    return change


def with_import(add):
    """Return a damage: an import that the first answer needs stands elsewhere."""

    def change(data):
        uses("numerics.zeros(1).size")(data)
        add(data)

    return change


NUMPY = "import numpy as numerics"
enter(
    {
        "helper-before-the-solution": with_helper(f"{FIRST}-solution"),
        "helper-after-the-solution": with_helper(f"{FIRST}-solution", 1),
        "import-in-an-extra-cell": with_import(
            lambda d: insert(d, f"{FIRST}-solution", code(NUMPY))
        ),
        "import-in-the-setup": with_import(
            lambda d: setup(d).update(source=f"{setup(d)['source']}\n{NUMPY}")
        ),
        "import-in-a-cell-on-top": with_import(lambda d: d["cells"].insert(0, code(NUMPY))),
        "timed": lambda d: solution(d).update(source=f"%%time\n{solution(d)['source']}"),
        "indented-by-tabs": lambda d: solution(d).update(
            source=solution(d)["source"].replace("    ", "\t")
        ),
        "a-drive-is-mounted": lambda d: d["cells"].insert(
            0, code("from google.colab import drive\ndrive.mount('/content')")
        ),
        "a-question-to-the-reader": lambda d: d["cells"].insert(2, code("input('name? ')")),
        "an-extra-cell-fails": lambda d: d["cells"].insert(2, code("1 / 0")),
        "a-hundred-empty-cells": lambda d: d["cells"].extend(code("") for _ in range(100)),
    }
)
enter({"helper-after-the-check": with_helper(FIRST, 1)}, loses=(FIRST,))


# --- names of learning management systems --------------------------------------------------

enter({"moodle": text}, file="moodle_4711_assignsubmission_file_/work.ipynb")
enter({"moodle-flat": text}, file="moodle-flat_4712_assignsubmission_file_work.ipynb")
enter({"canvas-101": text}, file="canvas_101_202_work.ipynb")
enter({"canvas-late-103": text}, file="canvas-late_LATE_103_204_work-2.ipynb")
enter({"canvas-text-105": text}, file="canvas-text_105_206_work.ipynb.txt")
enter(
    {"blackboard": text},
    file="Assignment 1_blackboard_attempt_2026-11-01-12-00-00_work.ipynb",
)
enter({"Müller-Ann": text}, file="Müller, Ann.ipynb")
enter({"downloaded-1": text}, file="downloaded (1).ipynb")

STUB = ""  # the released text of the first solution; set by `hand_in`


def hand_in(course, unit, notebook, release):
    """Write one submission with each damage under submitted/."""
    global STUB
    STUB = next(c.source for c in release.cells if c.id == f"{FIRST}-solution")
    for name, one in DAMAGES.items():
        data = json.loads(json.dumps(notebook))
        content = one.change(data)
        content = text(data) if content is None else content
        file = (one.file or f"{name}/{{unit}}/{{unit}}.ipynb").format(unit=unit.name)
        path = course.root / "submitted" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
