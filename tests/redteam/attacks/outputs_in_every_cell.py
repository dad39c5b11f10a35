"""Says in each of many cells as much as one cell may.

class: resources
stopped by: the limits
deserved: 26
"""


# %% spoil
def spoil(notebook):
    from nbformat.v4 import new_code_cell

    notebook.cells += [new_code_cell(f"print('x' * 990_000)  # {n}") for n in range(60)]
