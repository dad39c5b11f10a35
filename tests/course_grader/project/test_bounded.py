"""The grader's own work on one submission ends, whatever that makes of it; no other is hurt."""

import resource
import signal
import threading

import pytest

from course_grader.gradebook import preprocessors
from course_grader.gradebook.grade import grade
from course_grader.intake import collect
from course_grader.intake.collect import intake
from course_grader.project import bounded as module
from course_grader.project.bounded import TookTooLong, bounded


def loop():
    while True:
        pass


def fill():
    return [bytearray(64 << 20) for _ in range(48)]  # 3 GiB, of which no page is touched twice


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(module, "CPU_SECONDS", 0.3)
    monkeypatch.setattr(module, "MEMORY", 256 << 20)


def test_time_and_memory_end_and_the_limits_are_as_before():
    before = resource.getrlimit(resource.RLIMIT_AS), signal.getsignal(signal.SIGPROF)
    with pytest.raises(TookTooLong, match=r"0\.3 s of CPU"), bounded():
        loop()
    with pytest.raises(MemoryError), bounded():
        fill()
    assert (resource.getrlimit(resource.RLIMIT_AS), signal.getsignal(signal.SIGPROF)) == before
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)


def test_beside_the_main_thread_memory_is_limited_and_time_is_not():
    seen = []

    def work():
        with bounded():
            seen.append(resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY)
            seen.append(signal.getitimer(signal.ITIMER_PROF)[0])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [True, 0.0]


def test_where_there_is_no_proc_time_is_limited(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "MAPPED", tmp_path / "nothing")
    with pytest.raises(TookTooLong), bounded():
        loop()


@pytest.fixture
def three(course, unit):
    """Three students, of whom eve breaks whatever a test says."""
    from course_grader.authoring.composer import Composer

    composer = Composer(course, unit)
    for student in ("ann", "eve", "zoe"):
        notebook, score = composer.compose()
        notebook.cells[-1].source += f"\n# {student}"
        composer.hand_in(student, notebook, score)
    return course


@pytest.mark.parametrize("work", [loop, fill])
def test_a_file_that_takes_too_much_to_read_scores_nothing(work, three, unit, monkeypatch):
    read = collect.read_submission
    monkeypatch.setattr(
        collect, "read_submission", lambda path: work() if "eve" in str(path) else read(path)
    )
    taken = {arrival.student: arrival.reason for arrival in intake(three, unit)}
    assert taken["ann"] == taken["zoe"] == ""
    assert taken["eve"] == f"not readable: {'TookTooLong' if work is loop else 'MemoryError'}"


@pytest.mark.parametrize("step", ["rebuild", "judge"])
def test_what_takes_too_long_to_rebuild_or_judge_scores_nothing(
    step, three, unit, monkeypatch, bubblewrap
):
    place, name = {
        "rebuild": (preprocessors, "rebuild"),
        "judge": (preprocessors.judged_notebook, "judge_notebook"),
    }[step]
    right = getattr(place, name)

    def slow(notebook, *others, **options):
        return loop() if "# eve" in str(notebook.cells) else right(notebook, *others, **options)

    monkeypatch.setattr(place, name, slow)
    records = {one.student: one.record for one in grade(three, unit, progress=False)}
    assert records["ann"]["score"] == records["zoe"]["score"] > 20
    assert records["eve"]["score"] == 0 and "TookTooLong" in records["eve"]["reason"]
