"""Hands in 30 MB of attachments.

class: metadata
stopped by: the intake
deserved: 0
"""

# %% hand_in
import json


def hand_in(path, course, unit):
    data = json.loads(path.read_text("utf-8"))
    data["cells"][0]["attachments"] = {"a.png": {"image/png": "A" * 30_000_000}}
    path.write_text(json.dumps(data), "utf-8")
