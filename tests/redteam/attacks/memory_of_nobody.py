"""Holds memory that belongs to no process: files in memory, shared segments, message queues.

class: resources
stopped by: the sandbox
deserved: 26
"""

# %% last
import ctypes
import os

libc, held, block = ctypes.CDLL(None), 0, bytes(64 << 20)
try:
    for number in range(8):
        file = os.memfd_create(f"held-{number}")
        held += os.write(file, block)
except (OSError, AttributeError):
    pass
held += sum((64 << 20) * (libc.shmget(0, 64 << 20, 0o1600) >= 0) for _ in range(4))
held += sum((64 << 10) * (libc.msgget(0, 0o1600) >= 0) for _ in range(4))
if held:
    print("E5CAP" + "ED", held)
