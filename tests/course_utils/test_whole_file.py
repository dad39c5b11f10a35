"""A file is replaced whole, or not at all."""

import pytest

from course_utils.whole_file import replacing


def test_a_file_whose_writing_fails_stays_as_it_was_and_nothing_is_left(tmp_path):
    path = tmp_path / "book.json"
    with replacing(path) as part:
        part.write_text("first")
    with pytest.raises(ZeroDivisionError), replacing(path) as part:
        part.write_text("half of the sec")
        raise ZeroDivisionError
    assert path.read_text() == "first"
    assert [one.name for one in tmp_path.iterdir()] == ["book.json"]


def test_a_link_is_followed_and_stays(tmp_path):
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "book.json")
    with replacing(link) as part:
        part.write_text("whole")
    assert link.is_symlink() and (tmp_path / "book.json").read_text() == "whole"
