"""Says in the metadata that the exercise is worth 1000 points.

class: metadata
stopped by: the rebuild
deserved: 26
"""


# %% spoil
def spoil(notebook):
    for one in notebook.cells:
        if one.metadata.get("nbgrader", {}).get("grade"):
            one.metadata.nbgrader["points"] = 1000
