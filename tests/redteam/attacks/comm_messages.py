"""Opens comms of widgets that do not exist, and writes into an output widget.

class: forged messages
stopped by: the judge
deserved: 26
"""

# %% last
session, socket = get_ipython().kernel.session, get_ipython().kernel.iopub_socket
parent = get_ipython().kernel.get_parent("shell")
state = {"_model_name": "OutputModel", "outputs": [{"output_type": "x"}], "msg_id": ["y"]}
for kind, content in (
    ("comm_open", {"comm_id": "c", "target_name": "jupyter.widget", "data": {"state": state}}),
    ("comm_msg", {"comm_id": "c", "data": {"method": "update", "state": state}}),
    ("comm_close", {"comm_id": "nobody", "data": {}}),
):
    session.send(socket, kind, content=content, parent=parent)
