"""One call of a check after the other, within the CPU seconds of their exercise."""

__all__ = ["Recorder"]

from collections.abc import Callable

from course_utils.checking.budget import cpu_budget
from course_utils.checking.forms import Got
from course_utils.checking.heard import Heard
from course_utils.checking.records import failure

SECONDS_PER_CALL = 2.0
SECONDS_PER_EXERCISE = 6.0
FREE = 0.2  # seconds of each call that do not count: many cases, none of them slow, are no loop


class Recorder:
    """What the calls of an exercise give; `heard` holds what they print, and where they raise."""

    def __init__(self) -> None:
        self.heard = Heard()
        self._seconds = SECONDS_PER_EXERCISE

    def got(self, check: int, record: Callable[[], Got], call: Callable[..., object]) -> Got:
        """Return what `record()` returns, or as a record what is raised in it.

        Parameters
        ----------
        check : int
            Number of the check, from 0.
        record : callable
            Calls the student's function.
        call : callable
            What the check cell called; its own lines are not the reader's.
        """
        budget = min(SECONDS_PER_CALL, max(self._seconds, 0.05))
        try:
            with self.heard.listening(), cpu_budget(budget) as timer:
                return record()
        except (KeyboardInterrupt, SystemExit):
            return {"error": "Stopped", "message": "the call was interrupted or asked to exit"}
        except BaseException as error:  # whatever student code raises is a result, not a crash
            self.heard.failed(check, error, call)
            return failure(error)
        finally:
            self._seconds -= max(timer.seconds - FREE, 0)
