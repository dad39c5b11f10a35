"""Zips as Canvas, Moodle and Blackboard compose them, for tests.

Canvas: lib/content_zipper.rb (the sortable name in small letters without what is no word
character, LATE, the user's and the file's number, the file's name). Moodle: mod/assign (a folder
for each participant: full name, number in this assignment, assignsubmission_file).
Blackboard: what "Download Results" writes: title, user name, attempt, time, file, and a page of
its own for each attempt.
"""

import json
import re
import zipfile


def canvas_name(sortable, user, attachment, file, *, late=False):
    """Return the name of one submitted file in Canvas' zip."""
    parts = [sortable.lower(), *(["LATE"] if late else []), str(user)]
    letters = re.sub(r"\W", "", "_".join(parts))
    return f"{letters}_{attachment}_{file}"


def moodle_name(full_name, participant, file):
    """Return the name of one submitted file in Moodle's zip."""
    return f"{full_name}_{participant}_assignsubmission_file_/{file}"


def blackboard_name(title, user, when, file):
    """Return the name of one submitted file in Blackboard's zip; '' is its own page."""
    return f"{title}_{user}_attempt_{when}" + (f"_{file}" if file else ".txt")


def zipped(path, members):
    """Write {name: notebook, text or bytes} as a zip and return its path."""
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in members.items():
            raw = isinstance(content, str | bytes)
            packed.writestr(name, content if raw else json.dumps(content))
    return path
