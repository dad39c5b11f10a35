"""Fills cells with magics, each of which makes IPython's reader begin anew.

class: resources
stopped by: intake
deserved: 26
"""


# %% spoil
def spoil(notebook):
    from nbformat.v4 import new_code_cell

    text = "a = %time 1\n" * 3_000
    notebook.cells += [new_code_cell(f"%%script false\n# {n}\n{text}") for n in range(4)]
    notebook.cells += [new_code_cell(f"'''\n'''\n# {n}\n{text}") for n in range(2)]
