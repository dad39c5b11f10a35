"""Adds a second cell with the check cell's grade id, after and before it.

class: metadata
stopped by: the rebuild
deserved: 26
"""

# %% spoil
import nbformat.v4


def spoil(notebook):
    place = [c.id for c in notebook.cells].index("gaussian-nll")
    metadata = notebook.cells[place].metadata
    for where, key in ((place + 1, "after"), (place, "before")):
        copied = nbformat.v4.new_code_cell("5.0", id=key, metadata=metadata)
        notebook.cells.insert(where, copied)
