"""Nothing of a student's is active on a grader's page; what comes from source stays as it is."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from course_grader.judging.output_sanitizer import sanitize_outputs

HOSTILE = "<script>alert(1)</script> ```` [a](javascript:b)"


@pytest.mark.parametrize("make", [new_raw_cell, new_markdown_cell])
def test_a_students_text_becomes_a_code_block(make):
    [cell] = sanitize_outputs(new_notebook(cells=[make(HOSTILE, id="own")]), trusted=set()).cells
    assert cell.cell_type == "markdown"
    assert cell.source == f"`````text\n{HOSTILE}\n`````"


def test_text_of_the_course_is_left_alone():
    [cell] = sanitize_outputs(
        new_notebook(cells=[new_markdown_cell("# A", id="a")]), trusted={"a"}
    ).cells
    assert cell.source == "# A"


def test_an_output_keeps_text_and_png_only():
    data = {"text/html": HOSTILE, "text/plain": "words", "image/svg+xml": HOSTILE}
    shown = new_code_cell("", outputs=[new_output("display_data", data=data)])
    [cell] = sanitize_outputs(new_notebook(cells=[shown]), trusted=set()).cells
    assert cell.outputs[0].data == {"text/plain": "words"}
