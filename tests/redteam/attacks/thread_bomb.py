"""Starts threads without end.

class: resources
stopped by: the sandbox
deserved: 26
"""

# %% last
import threading
import time

started = 0
try:
    while started < 5000:
        threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
        started += 1
except RuntimeError:
    pass
if started > 2000:
    print("E5CAP" + "ED", started, "threads")
