"""Deletes every check cell.

class: metadata
stopped by: the rebuild
deserved: 26
"""


# %% spoil
def spoil(notebook):
    notebook.cells = [c for c in notebook.cells if not c.metadata.get("nbgrader", {}).get("grade")]
