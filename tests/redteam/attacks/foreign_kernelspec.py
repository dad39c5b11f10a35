"""Asks for another kernel and hides state in the notebook's metadata.

class: metadata
stopped by: the rebuild
deserved: 26
"""


# %% spoil
def spoil(notebook):
    notebook.metadata.kernelspec = {
        "name": "sh",
        "display_name": "<img src=x onerror=window.__owned=1>",
        "language": "bash",
    }
    notebook.metadata.language_info = {"name": "bash", "pygments_lexer": "../../../etc"}
    notebook.metadata.course = {"hash": "0"}
    notebook.metadata.execution = {"sandbox": "forged"}
    notebook.metadata.widgets = {"x": "window.__owned = 1"}
