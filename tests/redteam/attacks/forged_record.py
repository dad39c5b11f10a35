"""Displays a record beside its solution, with the visible value in every place.

class: forged records
stopped by: the judge
deserved: 26
"""

# %% last
from IPython.display import display

got = {"dtype": "float64", "shape": [], "data": [1.924585713764618]}
check = {"aspect": "value", "kind": "value", "points": 5, "got": got}
record = {"version": 1, "exercise": "gaussian-nll", "checks": [check] * 21}
display({"application/vnd.course.record+json": record}, raw=True)
