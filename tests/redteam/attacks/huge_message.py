"""Sends one message of 90 MB.

class: forged messages
stopped by: the limits
deserved: 26
"""

# %% last
print("x" * 90_000_000)
