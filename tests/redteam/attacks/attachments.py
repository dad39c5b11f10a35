"""Shows an attachment that is no image, and images from elsewhere.

class: reader's browser
stopped by: passive outputs
deserved: 26
"""

# %% spoil
import nbformat.v4


def spoil(notebook):
    text = "![a](attachment:a.png) ![b](http://192.0.2.1/owned.png) ![c](data:text/html,owned)"
    page = {
        "a.png": {"text/html": "<script>window.__owned = 1</script>", "image/svg+xml": "<svg/>"}
    }
    notebook.cells.append(nbformat.v4.new_markdown_cell(text, attachments=page))
