"""A record is replaced by a whole one, or stays."""

import errno
import json
from pathlib import Path

import pytest

from course_grader.gradebook.record import write_record


@pytest.fixture
def record(tmp_path):
    """The path of a record that says 3."""
    path = tmp_path / "records" / "01_x" / "ada.json"
    write_record(path, {"score": 3})
    return path


def fill_the_disk(path, text, encoding):
    """Write half of a text, as a disk does on which no more fits."""
    with open(path, "w", encoding=encoding) as file:
        file.write(text[: len(text) // 2])
    raise OSError(errno.ENOSPC, "No space left on device")


def no_name(path, target):
    raise OSError(errno.EACCES, "Permission denied")


@pytest.mark.parametrize("step", [("write_text", fill_the_disk), ("replace", no_name)])
def test_an_older_record_stands_until_the_new_one_is_whole(step, record, monkeypatch):
    monkeypatch.setattr(Path, *step)
    with pytest.raises(OSError):
        write_record(record, {"score": 5})
    monkeypatch.undo()
    assert json.loads(record.read_text("utf-8")) == {"score": 3}
    write_record(record, {"score": 5})
    assert json.loads(record.read_text("utf-8")) == {"score": 5}
