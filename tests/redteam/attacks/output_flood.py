"""Prints without end.

class: resources
stopped by: the limits
deserved: 26
"""

# %% last
while True:
    print("x" * 10_000)
