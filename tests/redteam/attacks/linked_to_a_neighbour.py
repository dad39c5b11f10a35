"""Hands in a hard link to another student's work.

class: metadata
stopped by: the intake
deserved: 0
"""

# %% hand_in
import os


def hand_in(path, course, unit):
    other = course.root / "victim.ipynb"
    other.write_bytes(course.notebook("source", unit).read_bytes())
    path.unlink()
    os.link(other, path)
