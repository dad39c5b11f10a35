"""Hands in a folder that is a link to the source's folder.

class: metadata
stopped by: the intake
deserved: 0
"""

# %% hand_in
import shutil


def hand_in(path, course, unit):
    shutil.rmtree(path.parent)
    path.parent.symlink_to(course.path("source", unit))
