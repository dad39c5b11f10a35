"""A secret on a page is found, in coloured code, in an attribute or in the search's index."""

import html

import pytest

from course_grader.building.leaks import secrets_of
from course_grader.project.course import CourseError, units
from course_grader.site.scan import check_site, page_text

UNIT = units()[1]


def coloured(line):
    words = (f"<span class='n'>{html.escape(word)}</span>" for word in line.split(" "))
    return f"<pre>{' '.join(words)}</pre>"


def in_alt(line):
    return f'<img src="x.png" alt="{html.escape(line)}">'


def in_data(line):
    return f'<p data-facts="{html.escape(line)}"></p>'


def in_script(line):
    return f"<script>{line}</script>"


def in_comment(line):
    return f"<!-- {line} -->"


@pytest.fixture(scope="module")
def secret():
    """The longest line of a solution."""
    return max(secrets_of(UNIT).lines, key=len)


@pytest.mark.parametrize("plant", [coloured, in_alt, in_data, in_script, in_comment])
def test_a_planted_line_is_found(plant, secret, tmp_path):
    page = tmp_path / "lessons" / "x.html"
    page.parent.mkdir()
    page.write_text("<p>Nothing.</p>")
    check_site(tmp_path, [UNIT], [UNIT])
    page.write_text(plant(secret))
    with pytest.raises(CourseError, match=r"lessons/x\.html shows the line"):
        check_site(tmp_path, [UNIT], [UNIT])


def test_a_planted_line_is_found_in_another_file(secret, tmp_path):
    (tmp_path / "searchindex.js").write_text(secret)
    with pytest.raises(CourseError, match=r"searchindex\.js"):
        check_site(tmp_path, [UNIT], [UNIT])


def test_hidden_values_are_found_to_four_digits_on_a_page_of_their_unit(tmp_path):
    value = next(one for one in sorted(secrets_of(UNIT).values) if len(one) == 1)[0]
    path = tmp_path / f"{UNIT.name}.html"
    path.write_text(f"<p>{value:.3e}</p>")
    with pytest.raises(CourseError, match="hidden value"):
        check_site(tmp_path, [UNIT], [UNIT])


def test_what_is_drawn_is_not_read_as_numbers():
    assert page_text("<svg><path d='M1.234 5.678'/><text>1.2</text></svg><p>3.4</p>") == "3.4"
