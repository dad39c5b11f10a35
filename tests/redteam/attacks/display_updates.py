"""Displays one output many times, and replaces all of them by a large one.

class: resources
stopped by: the limits
deserved: 26
"""

# %% last
from IPython.display import display, update_display

for _ in range(500):
    display({"text/plain": "."}, raw=True, display_id="one")
update_display({"text/plain": "x" * 400_000}, raw=True, display_id="one")

# %% last
for _ in range(30):
    update_display({"text/plain": "x" * 400_000}, raw=True, display_id="one")
