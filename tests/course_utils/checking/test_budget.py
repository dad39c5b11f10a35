"""A call that uses up its CPU seconds ends; nothing else notices that there was a budget."""

import signal
import threading
import time

import pytest

from course_utils.checking.budget import OutOfTime, cpu_budget

needs_timer = pytest.mark.skipif(not hasattr(signal, "SIGPROF"), reason="no SIGPROF here")


def spin(seconds=5.0):
    start = time.process_time()
    while time.process_time() - start < seconds:
        pass


@needs_timer
def test_an_endless_loop_ends_soon_and_the_seconds_are_told():
    with pytest.raises(OutOfTime, match="0.1 s.*endless loop"), cpu_budget(0.1) as timer:
        spin()
    assert 0.05 < timer.seconds < 1


@needs_timer
def test_a_student_cannot_catch_it_by_accident():
    with pytest.raises(OutOfTime), cpu_budget(0.05):
        try:
            spin()
        except Exception:
            pytest.fail("caught")


@needs_timer
def test_it_rings_again_when_the_first_ring_is_swallowed():
    with pytest.raises(OutOfTime), cpu_budget(0.05):
        try:
            spin()
        except BaseException:
            spin()


SLOW = """
import time
start = time.process_time()
while time.process_time() - start < 0.4:
    pass
"""


@needs_timer
def test_an_import_is_not_counted_and_ends(tmp_path, monkeypatch):
    (tmp_path / "slow_to_import.py").write_text(SLOW)
    monkeypatch.syspath_prepend(tmp_path)
    with cpu_budget(0.1) as timer:
        import slow_to_import
    assert slow_to_import.time and timer.seconds < 0.1
    with pytest.raises(OutOfTime), cpu_budget(0.1):
        spin()


def test_waiting_costs_nothing():
    with cpu_budget(0.1) as timer:
        time.sleep(0.2)
    assert timer.seconds < 0.1


@needs_timer
@pytest.mark.parametrize("error", [None, KeyError, KeyboardInterrupt])
def test_handler_and_timer_are_as_before_whatever_happens(error):
    before = signal.getsignal(signal.SIGPROF)
    try:
        with cpu_budget(5):
            if error:
                raise error
    except (KeyError, KeyboardInterrupt):
        pass
    assert signal.getsignal(signal.SIGPROF) == before
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)


def test_what_the_block_raises_comes_out_with_the_seconds_used():
    with pytest.raises(KeyError), cpu_budget(5) as timer:
        spin(0.05)
        raise KeyError
    assert timer.seconds >= 0.05


def test_outside_the_main_thread_the_block_runs_without_a_budget():
    done = []

    def work():
        with cpu_budget(0.02) as timer:
            spin(0.1)
        done.append(timer.seconds)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done and done[0] >= 0.1
