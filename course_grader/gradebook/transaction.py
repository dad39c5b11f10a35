"""One transaction for each submission, in place of nbgrader's six: each is a wait for the disk."""

__all__ = ["one_transaction", "write_now"]

import contextlib
import types
from collections.abc import Iterator
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from course_grader.hooks.nbgrader import OPEN


@contextlib.contextmanager
def one_transaction(directory: CourseDirectory) -> Iterator[None]:
    """Let all that is written to a course's gradebook in the block be one transaction.

    Whoever opens the gradebook in the block gets the same session, whose commits do no more than
    let later queries see what was written. It is on the disk after `write_now` or at the end;
    where the block raises, what was not yet there is forgotten.

    Parameters
    ----------
    directory : nbgrader.coursedir.CourseDirectory
    """
    Gradebook(directory.db_url).close()  # as nbgrader opens it to save points, with no course
    with Gradebook(directory.db_url, directory.course_id) as gradebook:
        pending = _Pending(gradebook.db)
        held_open = types.SimpleNamespace(dispose=lambda: None)
        parts = vars(gradebook) | {"db": pending, "engine": held_open}
        with OPEN.replaced(lambda one, *place, **options: vars(one).update(parts)):
            yield
        pending.write()


def write_now(gradebook: Gradebook) -> None:
    """Write what an open gradebook's transaction holds so far to the disk."""
    (gradebook.db.write if isinstance(gradebook.db, _Pending) else gradebook.db.commit)()


class _Pending:
    """Stands for a gradebook's session: a commit only flushes, and has all be read anew."""

    def __init__(self, session):
        self._session, self.write = session, session.commit

    def commit(self):
        """Let later queries see what was written; computed columns, too."""
        self._session.flush()
        self._session.expire_all()

    remove = commit  # what is called to close it

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)
