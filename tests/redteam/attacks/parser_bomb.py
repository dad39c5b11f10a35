"""Writes an answer that breaks a parser: nested brackets, null bytes.

class: metadata
stopped by: the rebuild
deserved: 26
"""

# %% spoil
import nbformat.v4


def spoil(notebook):
    bombs = ("(" * 5000 + ")" * 5000, "x = \x00", "-" * 50_000 + "1", "{" * 900)
    notebook.cells[3:3] = [nbformat.v4.new_code_cell(bomb) for bomb in bombs]
