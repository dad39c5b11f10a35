"""Sleeps past the wall clock.

class: resources
stopped by: the limits
deserved: 26
"""

# %% last
import time

time.sleep(1000)
