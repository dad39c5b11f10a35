"""Hands in a check cell that already shows a panel and full points.

class: metadata
stopped by: the rebuild
deserved: 26
"""

# %% spoil
import nbformat.v4

from course_grader.authoring.composer import cell_of


def spoil(notebook):
    out = nbformat.v4.new_output
    record = {"version": 1, "exercise": "gaussian-nll", "checks": []}
    cell_of(notebook, "gaussian-nll").outputs = [
        out("execute_result", data={"text/plain": "5.0"}, execution_count=1),
        out("display_data", data={"application/vnd.course.record+json": record}),
        out("display_data", data={"text/html": "<script>window.__owned = 1</script>"}),
    ]
