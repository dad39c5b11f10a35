"""Computes for ever in its function.

class: resources
stopped by: the limits
deserved: 26
"""


# %% solution
def gaussian_nll(*a, **k):
    while True:
        pass
