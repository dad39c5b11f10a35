"""Gives the solution cell the check cell's grade id.

class: metadata
stopped by: the rebuild
deserved: 26
"""

# %% spoil
from course_grader.authoring.composer import cell_of


def spoil(notebook):
    cell_of(notebook, "gaussian-nll-solution").metadata.nbgrader["grade_id"] = "gaussian-nll"
