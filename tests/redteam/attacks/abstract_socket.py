"""Listens on an abstract socket for a student who is graded at the same time.

class: exfiltration
stopped by: the sandbox
deserved: 26
"""

# %% last
import socket

with open("/proc/net/unix") as file:
    theirs = {line.split()[-1] for line in file if "@" in line}
for name in theirs:
    try:
        socket.socket(socket.AF_UNIX).connect("\0" + name[1:])
        print("E5CAP" + "ED", name)
    except OSError:
        pass
mine = socket.socket(socket.AF_UNIX)
mine.bind("\0meeting-point")
mine.listen()
