"""Forks as often as it can.

class: resources
stopped by: the sandbox
deserved: 26
"""

# %% last
import os
import time

children = 0
try:
    while children < 2000:
        if os.fork() == 0:
            time.sleep(2)
            os._exit(0)
        children += 1
except OSError:
    pass
if children > 1000:
    print("E5CAP" + "ED", children, "processes")
