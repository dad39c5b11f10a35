"""Turns the check cell into Markdown: nothing runs, nothing fails.

class: metadata
stopped by: the rebuild
deserved: 26
"""

# %% spoil
import nbformat.v4


def spoil(notebook):
    place = [c.id for c in notebook.cells].index("gaussian-nll")
    old = notebook.cells[place]
    notebook.cells[place] = nbformat.v4.new_markdown_cell(
        old.source, id=old.id, metadata=old.metadata
    )
