"""Replaces the check cell by a number, which stock nbgrader takes for partial credit.

class: metadata
stopped by: the rebuild
deserved: 26
"""

# %% spoil
from course_grader.authoring.composer import cell_of


def spoil(notebook):
    cell_of(notebook, "gaussian-nll").source = "4.0"
