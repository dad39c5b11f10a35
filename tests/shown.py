"""What a notebook's cells show, but for the numbers in it: one form for all that run notebooks."""

import re

NUMBER = re.compile(r"0x[0-9a-f]+|[-+−]?\d+(\.\d+)?(e[-+]?\d+)?")

REWRITTEN = re.compile(r"[^\n]*\r| +$", re.MULTILINE)  # what a progress bar leaves on its line
WIDGET = "application/vnd.jupyter.widget-view+json"


def shown(cells):
    """Return what each code cell shows: kinds of output, and their text but for its numbers."""
    return [[_form(o) for o in c.get("outputs", [])] for c in cells if c["cell_type"] == "code"]


def as_text(cells):
    """Return the same without widgets: a form is the text that stands for it.

    ipywidgets cuts that text at 110 characters, and the numbers in it may have another length.
    What tells where a learner stands is left out, and what a progress bar leaves: spaces.
    """
    told = [cell for cell in cells if "progress(" not in "".join(cell["source"])]
    return [[_plain(*output) for output in cell if not _blank(*output)] for cell in shown(told)]


def _blank(kind, _data, text):
    return kind == "stream" and not REWRITTEN.sub("", text).strip()


def _plain(kind, data, text):
    data, text = [one for one in data if one != WIDGET], REWRITTEN.sub("", text)
    return kind, data, text[:80] if (kind, data) == ("display_data", ["text/plain"]) else text


def _form(output):
    data = output.get("data", {})
    text = output.get("text", "") or data.get("text/plain", "") or output.get("ename", "")
    return output["output_type"], sorted(data), NUMBER.sub("#", "".join(text))
