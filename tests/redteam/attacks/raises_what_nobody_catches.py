"""Raises an exception whose text, class and traceback raise.

class: exit paths
stopped by: the judge
deserved: 26
"""


# %% solution
class Nasty(BaseException):
    def __str__(self):
        raise Nasty

    __repr__ = __str__

    @property
    def __traceback__(self):
        raise KeyboardInterrupt


def gaussian_nll(*a, **k):
    raise Nasty
