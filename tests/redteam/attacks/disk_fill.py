"""Writes files until the disk is full.

class: resources
stopped by: the sandbox
deserved: 26
"""

# %% last
import os

total = 0
for place in ("/tmp", ".", "/dev/shm", "/run", "/var/tmp"):
    for number in range(13):
        try:
            with open(os.path.join(place, f"fill-{number}"), "wb") as file:
                file.truncate(0)
                total += file.write(b"x" * (100 << 20))
        except (OSError, MemoryError):
            break
if total > 3 << 30:
    print("E5CAP" + "ED", total)
