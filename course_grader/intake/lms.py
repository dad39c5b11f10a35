"""Read what the names of files and folders tell: who handed in, by which LMS, and when.

How Canvas names what it packs stands in its lib/content_zipper.rb: the sortable name in small
letters without what is no letter, LATE, the user's number, the file's number, the file's name.
How Moodle does, in mod/assign: full name, the participant's number in this assignment, and the
plugin that took the file. Blackboard: the assignment's title, the user name, "attempt", a time.
"""

__all__ = ["Sender", "free_id", "sender_in", "title_of", "word_of"]

import dataclasses
import itertools
import os
import re
import unicodedata
from collections.abc import Container, Sequence

MAX_NAME = 80  # bytes of a student's id
ENDING = r"\.(?:ipynb(?:\.(?:txt|json|zip))?|zip)"  # browsers and mail programs add some
PATTERNS = (
    (
        "moodle",
        r"(?P<name>[^_]+)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)",
    ),
    ("canvas", r"(?P<name>[^_]+)(?P<late>_LATE)?_(?P<number>\d+)_\d+_(?P<file>.+)"),
    ("canvas", r"(?P<name>[^_]+)(?P<late>_LATE)?_(?P<number>\d+)_(?P<file>(?:text|link)\.html)"),
    ("canvas", r"(?P<late>LATE_)?(?P<name>anon)_(?P<number>[A-Za-z0-9]+)_\d+_(?P<file>.+)"),
    (
        "blackboard",
        r".+?_(?P<name>[^_]+)_attempt_(?P<when>\d{4}(?:-\d\d){5})(?:_(?P<file>.*)|\.txt)",
    ),
)
PATTERNS = tuple((lms, re.compile(text, re.IGNORECASE | re.DOTALL)) for lms, text in PATTERNS)

BLACKBOARD = re.compile(r"(.+?)_attempt_(\d{4}(?:-\d\d){5})(?:_(.*)|\.txt)", re.I | re.S)


@dataclasses.dataclass(frozen=True)
class Sender:
    """What a name tells of who handed in.

    Attributes
    ----------
    name : str
        The student, as written there.
    lms : str
        canvas, moodle, blackboard; empty if somebody chose the name.
    number : str
        Canvas: the user's, the same everywhere. Moodle: the participant's, another one in each
        assignment.
    late : bool
        Canvas marks what came late; by how much, it does not say.
    when : str
        Blackboard: when the attempt was handed in, as 2026-11-01-12-00-00.
    file : str
        What the student called the file; empty for Moodle's folders, and for the page that
        Blackboard itself adds for each attempt.
    """

    name: str
    lms: str = ""
    number: str = ""
    late: bool = False
    when: str = ""
    file: str = ""

    @property
    def plain_id(self) -> str:
        """The id of a student whom the gradebook does not know by any of this."""
        numbered = self.lms == "canvas" or self.name.casefold() == "participant"
        return f"{word_of(self.name)}-{self.number}" if numbered else word_of(self.name)


def title_of(names: Sequence[str]) -> str:
    """Return what all names of Blackboard's files begin with, up to the user; '' for others."""
    before = [found[1] for name in names if (found := BLACKBOARD.match(name))]
    if len(before) < len(names) or len(set(before)) < 2:
        return ""
    return os.path.commonprefix(before).rpartition("_")[0]


def sender_in(name: str, title: str = "") -> Sender:
    """Return what the name of a file or folder tells; of Blackboard, with the assignment's title.

    Examples
    --------
    >>> sender_in("doejane_LATE_4101_778800_hw.ipynb").plain_id
    'doejane-4101'
    >>> sender_in("Jane Doe_311_assignsubmission_file_").plain_id
    'Jane-Doe'
    """
    if title and name.startswith(f"{title}_") and (found := BLACKBOARD.fullmatch(name)):
        return Sender(found[1][len(title) + 1 :], "blackboard", when=found[2], file=found[3] or "")
    for lms, pattern in PATTERNS:
        match = pattern.fullmatch(name)
        if match:
            told = {key: word or "" for key, word in match.groupdict().items()}
            return Sender(lms=lms, **(told | {"late": bool(told.get("late"))}))
    return Sender(re.sub(f"{ENDING}$", "", name, flags=re.IGNORECASE), file=name)


def word_of(name: str) -> str:
    """Return a name as an id: in letters, digits and . _ @ + - only, not too long."""
    clean = re.sub(r"[^\w.@+-]+", "-", unicodedata.normalize("NFC", name)).strip("-.")
    return clean.encode("utf-8", "ignore")[:MAX_NAME].decode("utf-8", "ignore") or "unnamed"


def free_id(student: str, taken: Container[str]) -> str:
    """Return an id, numbered if it is taken."""
    numbered = (f"{student}-{n}" for n in itertools.count(2))
    return next(one for one in itertools.chain([student], numbered) if one not in taken)
