"""The page of the dial's tables: what the lessons print, and nothing else."""

from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from course_grader.building.thread_page import THREAD_PAGE, _tables, thread_page
from tests.test_errata import headings

TABLE = "            NLL   CRPS  coverage\nnetwork    1.00  0.500     0.900\n"


def test_the_committed_page_is_that_of_the_committed_lessons():
    assert THREAD_PAGE.read_text("utf-8") == thread_page(), "'make build' writes it anew"


def test_every_link_leads_to_a_section():
    lines = [line for line in thread_page().splitlines() if line.startswith("## ")]
    assert [line[3:5] for line in lines] == ["01", "04", "06", "06", "07", "08", "09", "14"]
    for line in lines:
        path, section = line.split("](../notebooks/")[1].rstrip(")").split(".ipynb#")
        assert section in headings(path)


def test_a_table_stands_below_its_heading_and_other_outputs_are_left_out():
    outputs = [new_output("stream", text=text) for text in ("CRPS 0.5\n", TABLE)]
    cells = [new_markdown_cell("# A\n\ntext\n\n## B"), new_code_cell("", outputs=outputs)]
    assert list(_tables(cells)) == [("B", TABLE.rstrip())]
