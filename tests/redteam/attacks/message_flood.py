"""Sends thousands of small messages.

class: forged messages
stopped by: the limits
deserved: 26
"""

# %% last
from IPython.display import display

for number in range(4_000):
    display({"text/plain": str(number % 10)}, raw=True)
