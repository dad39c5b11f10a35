"""Ignores interrupts and alarms, and loops.

class: resources
stopped by: the limits
deserved: 26
"""

# %% last
import signal

for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPROF, signal.SIGALRM, signal.SIGXCPU):
    signal.signal(number, signal.SIG_IGN)
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
