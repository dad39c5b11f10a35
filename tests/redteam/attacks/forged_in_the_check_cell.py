"""Hands over a record that says of itself that it passed.

class: forged records
stopped by: the judge
deserved: 26
"""

# %% extra
from IPython.display import display

import course_utils.checking.checks as c

honest = c.Checks.report


def lie(self):
    if self.exercise != "gaussian-nll":
        return honest(self)
    truth = {"dtype": "bool", "shape": [], "data": [1]}
    more = {"passed": True, "points": 5, "kind": "state", "got": truth}
    record = {"exercise": self.exercise, "points": 5, "solid": [0], "checks": []}
    record["checks"] = [{**check, **more} for check in self.checks]
    display({c.MIME: record}, raw=True)


c.Checks.report = lie
