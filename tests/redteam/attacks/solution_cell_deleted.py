"""Deletes the solution cell, in the hope that the source's own takes its place.

class: metadata
stopped by: the rebuild
deserved: 26
"""


# %% spoil
def spoil(notebook):
    notebook.cells = [c for c in notebook.cells if c.id != "gaussian-nll-solution"]
