"""Sends files through sockets and never takes them out, until the user's number is used up.

class: resources
stopped by: the sandbox
deserved: 26
"""

# %% last
import os
import socket
import time

held = []
for _ in range(6):
    if os.fork() == 0:
        try:
            while True:
                pair = socket.socketpair()
                held.append(pair)
                socket.send_fds(pair[0], [b"x"], [0] * 250)
        except OSError:
            pass
        time.sleep(4)
        os._exit(0)
time.sleep(2)
