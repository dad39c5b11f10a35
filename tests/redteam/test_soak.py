"""The soak: a round holds; a wrong score, a process or a file that stays is told."""

import subprocess
import sys
import tempfile

from course_grader.execution.cgroups import Offer
from course_grader.project.course import PROJECT, Course
from tests.redteam import soak
from tests.redteam.soak import Left, remains, wrong_scores

SHORT = ["--rounds", "1", "--honest", "2", "--hostile", "1", "--seed", "5"]  # killed once


def test_a_round_with_an_attack_and_a_killed_grader_holds(bubblewrap):
    command = [sys.executable, "-m", "tests.redteam.soak", *SHORT]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "round 1: held" in done.stdout and "killed after [" in done.stdout
    assert "1 rounds, 2 honest students, 0 with a fault" in done.stdout


def test_a_wrong_score_is_told(tmp_path):
    course = Course(tmp_path)
    for name, score in {"a": 3.0, "b": 31.0, "c": 30.0}.items():
        path = course.record(soak.UNIT, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{{"score": {score}}}')
    told = wrong_scores(course, {"a": 3.0, "hostile": 0.0}, ["b", "c"])
    assert told == ["hostile: no record in place of 0.0", "c: 30.0 in place of 31.0"]


def test_a_process_and_a_file_that_stay_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(soak, "PATIENCE", 0)
    before = Left.now()
    assert remains(before) == {}
    sleeper = subprocess.Popen(["sleep", "60"])
    (tmp_path / "left").touch()
    try:
        found = remains(before)
    finally:
        sleeper.kill()
        sleeper.wait()
    assert found == {"processes": [f"{sleeper.pid} sleep"], "files": [str(tmp_path / "left")]}


def test_a_group_of_ours_that_stays_is_told_and_not_that_of_another_grader(tmp_path, monkeypatch):
    ended = [subprocess.Popen(["true"]) for _ in range(2)]
    for process in ended:
        process.wait()
        (tmp_path / f"course-grader-{process.pid}-0").mkdir()
    monkeypatch.setattr(soak.cgroups, "open_offer", lambda _: Offer(2, {"": tmp_path}))
    monkeypatch.setattr(soak, "OWN", {str(ended[0].pid)})
    assert Left.now().groups == {tmp_path / f"course-grader-{ended[0].pid}-0"}
