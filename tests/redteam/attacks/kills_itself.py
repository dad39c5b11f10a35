"""Kills its own process.

class: exit paths
stopped by: the limits
deserved: 26
"""

# %% last
import os
import signal

os.kill(os.getpid(), signal.SIGKILL)
