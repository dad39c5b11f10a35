"""Links between the course's files become links between pages, or nothing that leads astray."""

import pytest

from course_grader.project.course import CourseError
from course_grader.site.launch import checked_repository, launch_links
from course_grader.site.links import Places, relinked

HERE = Places(frozenset({"01_loss"}), frozenset({"glossary"}))
FORGE = Places(HERE.units, HERE.pages, "https://github.com/owner/name")
SAME = {
    "[a](../notebooks/01_loss.ipynb)": "[a](/lessons/01_loss.ipynb)",
    "[a](01_loss.ipynb#The-dial:-data,-again)": "[a](/lessons/01_loss.ipynb#the-dial-data-again)",
    "[a](../release/01_loss/01_loss.ipynb)": "[a](/assignments/01_loss.ipynb)",
    "[a](../notebooks/02_other.ipynb#There)": "[a](/index.md)",
    '[a](../glossary.md "what it is")': '[a](/glossary.md "what it is")',
    "[a](https://example.org/x_(y).html)": "[a](https://example.org/x_(y).html)",
    "[a [b] c](01_loss.ipynb)": "[a [b] c](/lessons/01_loss.ipynb)",
    "[a](#My-Heading)": "[a](#my-heading)",
    "[a](instructor.md)": "a",
    "![a](images/x.png)": "![a](images/x.png)",
}


@pytest.mark.parametrize("text", SAME)
def test_a_link_leads_to_a_page_of_the_site(text):
    assert relinked(f"see {text}.", HERE) == f"see {SAME[text]}."


def test_what_is_no_page_leads_to_the_repository_where_there_is_one():
    assert relinked("[a](../docs/grading.md)", FORGE) == (
        "[a](https://github.com/owner/name/blob/HEAD/docs/grading.md)"
    )


def test_a_lesson_is_opened_where_a_repository_is_set_and_only_there():
    assert launch_links("01_loss", "") == ""
    words = launch_links("01_loss", checked_repository("https://github.com/owner/name.git"))
    assert "mybinder.org/v2/gh/owner/name/HEAD?labpath=notebooks/01_loss.ipynb" in words
    assert "colab.research.google.com/github/owner/name/" in words


def test_another_address_is_refused_with_what_to_write():
    with pytest.raises(CourseError, match="REPOSITORY=https://github.com/owner/name; got 'x'"):
        checked_repository("x")
