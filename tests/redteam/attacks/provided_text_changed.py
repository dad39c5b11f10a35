"""Writes a script into the provided text, which is trusted.

class: reader's browser
stopped by: the rebuild
deserved: 26
"""


# %% spoil
def spoil(notebook):
    notebook.cells[0].source += "\n\n<script>window.__owned = 1</script>"
    notebook.cells[0].source += "<img src=x onerror='window.__owned = 2'>"
