"""Gives the solution cell the check cell's grade id.

class: metadata
stopped by: the rebuild
deserved: 26
"""


# %% spoil
def cell(notebook, key):
    return next(c for c in notebook.cells if c.id == key)


def spoil(notebook):
    cell(notebook, "gaussian-nll-solution").metadata.nbgrader["grade_id"] = "gaussian-nll"
