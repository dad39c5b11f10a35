"""Breaks the format without breaking JSON: odd types, unknown cells, doubled ids.

class: metadata
stopped by: the intake
deserved: 26
"""

# %% hand_in
import json


def hand_in(path, course, unit):
    data = json.loads(path.read_text("utf-8"))
    data["nbformat_minor"] = 99
    data["metadata"] = {"kernelspec": 5, "nbgrader": [], "__class__": "dict"}
    for one in data["cells"]:
        one["source"] = one["source"] if isinstance(one["source"], list) else [one["source"]]
        one["attachments"] = {"a": {"text/html": "<script>window.__owned = 1</script>"}}
    ids = data["cells"][0].get("id")
    for odd in (
        {"cell_type": "code", "source": "5.0", "id": ids, "metadata": []},
        {"cell_type": "heading", "source": ["x"], "metadata": {"nbgrader": 7}},
        {"cell_type": ["code"], "source": "1", "id": {}, "outputs": "none"},
    ):
        data["cells"].insert(0, odd)
    path.write_text(json.dumps(data), "utf-8")
