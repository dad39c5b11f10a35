"""Hands in text that Pygments takes minutes to colour.

class: resources
stopped by: the limits
deserved: 26
"""


# %% spoil
def spoil(notebook):
    from nbformat.v4 import new_code_cell

    texts = ["a." * 30_000, (" " * 49 + "\\n") * 1_200, "a." * 1_900, "{" * 3_900]
    notebook.cells += [new_code_cell(f"{text}# {n}") for n, text in enumerate(texts * 3)]
