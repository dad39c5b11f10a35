"""Sends messages that no kernel sends.

class: forged messages
stopped by: the judge
deserved: 26
"""

# %% last
session, socket = get_ipython().kernel.session, get_ipython().kernel.iopub_socket
session.send(socket, "display_data", content={"data": [], "metadata": 5})
session.send(socket, "comm_msg", content={"comm_id": "x", "data": 5})
session.send(socket, "stream", content={"name": ["stderr"], "text": {}})
session.send(socket, "error", content={"traceback": 7})
