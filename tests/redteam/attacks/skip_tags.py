"""Tags every cell so that stock nbgrader would skip it.

class: metadata
stopped by: the rebuild
deserved: 26
"""


# %% spoil
def spoil(notebook):
    for one in notebook.cells:
        one.metadata["tags"] = ["skip-execution", "raises-exception", "remove-cell"]
