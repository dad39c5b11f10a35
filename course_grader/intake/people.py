"""Who is who: a person of the gradebook, found by what an LMS writes of a submission."""

__all__ = ["People", "Person"]

import collections
import dataclasses
import difflib
import unicodedata
from collections.abc import Iterable

from course_grader.intake.lms import Sender
from course_grader.project.course import CourseError


@dataclasses.dataclass(frozen=True)
class Person:
    """A student as the gradebook knows him or her; only `id` is always there.

    Attributes
    ----------
    id : str
        Ours, and nbgrader's: it never changes.
    first_name, last_name, email : str
    lms_id : str
        The LMS's own number: Canvas' ID.
    login : str
        What the student logs in with: Canvas' SIS Login ID, Moodle's username.
    sis_id : str
        The school's number: Canvas' SIS User ID, Moodle's ID number.
    section : str
    """

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_id: str = ""
    login: str = ""
    sis_id: str = ""
    section: str = ""

    @property
    def shown(self) -> str:
        """How people are told who is meant."""
        name = " ".join(filter(None, [self.first_name, self.last_name]))
        return f"{name} ({self.id})" if name else self.id


class People:
    """Everybody whom the gradebook knows.

    Parameters
    ----------
    people : iterable of Person
    """

    def __init__(self, people: Iterable[Person] = ()) -> None:
        self.all = {person.id: person for person in people}
        self.groups = {}  # student: group, of who hands in this unit together
        self.participants = {}  # Moodle's number in this assignment: id of who came by it before
        self._by_number = _index(self.all.values(), lambda one: [one.lms_id])
        self._by_word = _index(self.all.values(), _words)
        self._by_name = _index(self.all.values(), _names)

    @property
    def are_named(self) -> bool:
        """Whether somebody has entered a roster: ids alone come from earlier submissions."""
        return any(one.last_name or one.first_name or one.email for one in self.all.values())

    def find(self, sender: Sender) -> Person | None:
        """Return the one person whom a name means for certain; None if there is none.

        Canvas' number is certain. A name is, if one person has it alone, and has not another
        number; a login, an address or an id are.

        Parameters
        ----------
        sender : Sender
        """
        if sender.lms == "canvas":
            known = self.numbered(sender.number)
            return known or self._by_name_alone(sender.name, numbered=False)
        if sender.lms == "moodle":  # a group's name may stand before, with a hyphen
            parts = [sender.name.split("-", n)[-1] for n in range(sender.name.count("-") + 1)]
            found = (self._by_name_alone(part, numbered=True) for part in parts)
            return next(filter(None, found), None)
        return self.all.get(sender.name) or self._by_word.get(_squashed(sender.name))

    def numbered(self, number: str) -> Person | None:
        """Return the person who has a number of Canvas', or None."""
        return self._by_number.get(number)

    def meant(self, word: str) -> Person:
        """Return the one person whom an instructor means by id, login, email or name.

        Raises
        ------
        CourseError
            If nobody is, or several are.
        """
        found = [self.all.get(word) or self._by_word.get(_squashed(word))]
        found = [one for one in found if one] or self.named(word)
        if len(found) == 1:
            return found[0]
        like = self.likeliest(word)
        hint = f"; most like {like.shown}" if like else ""
        several = ", ".join(one.shown for one in found) or f"nobody{hint}"
        raise CourseError(f"'{word}' means {several}: give an id, a login or an email address")

    def named(self, name: str) -> list[Person]:
        """Return all persons of a name, whichever way round it is written."""
        return [one for one in self.all.values() if name and _letters(name) in _names(one)]

    def _by_name_alone(self, name, *, numbered):
        person = self._by_name.get(_letters(name))
        if not numbered and not self.are_named:  # ids of the first terms were names alone
            person = person or self.all.get(name)
        return person if person and (numbered or not person.lms_id) else None

    def likeliest(self, name: str) -> Person | None:
        """Return the person whose name is most like a name; None if none is like it."""
        known = {key: one for one in self.all.values() for key in _names(one) or _words(one)}
        close = difflib.get_close_matches(_letters(name), [_letters(key) for key in known], n=1)
        return next((one for key, one in known.items() if _letters(key) in close), None)


def _words(person):
    return [person.id, person.login, person.email, person.sis_id, person.lms_id]


def _names(person):
    """Return a person's whole name both ways round, in letters only."""
    both = person.first_name, person.last_name
    return [_letters("".join(both)), _letters("".join(reversed(both)))] if any(both) else []


def _index(people, keys):
    """Return {key: person} of all keys that one person has alone."""
    pairs = {(_squashed(key), one) for one in people for key in keys(one) if key}
    counts = collections.Counter(key for key, _ in pairs)
    return {key: one for key, one in pairs if counts[key] == 1}


def _squashed(word):
    return unicodedata.normalize("NFKC", word).casefold().strip()


def _letters(name):
    """Return a name as Canvas writes it: small letters with their marks, digits, nothing else."""
    return "".join(c for c in _squashed(name) if unicodedata.category(c)[0] in "LNM")
