"""Hands over the record of another exercise as its own, and in a list.

class: forged records
stopped by: the judge
deserved: 26
"""

# %% extra
from IPython.display import display

import course_utils.checking.checks as c

honest = c.Checks.report


def report(self):
    if self.exercise == "gaussian-nll":
        self.checks = [{"aspect": "value", "kind": "state", "got": {}, "points": 99}] * 500
        display({c.MIME: [self._record()]}, raw=True)
        display({c.MIME: "gaussian-nll"}, raw=True)
    honest(self)


c.Checks.report = report
