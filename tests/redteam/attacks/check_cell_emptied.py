"""Replaces the check cell by a number, which stock nbgrader takes for partial credit.

class: metadata
stopped by: the rebuild
deserved: 26
"""


# %% spoil
def cell(notebook, key):
    return next(c for c in notebook.cells if c.id == key)


def spoil(notebook):
    cell(notebook, "gaussian-nll").source = "4.0"
