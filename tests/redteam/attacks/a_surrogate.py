"""Sends text that no file can hold.

class: forged messages
stopped by: the judge
deserved: 26
"""

# %% last
import json

get_ipython().kernel.session.pack = lambda content: json.dumps(content, default=str).encode()
print("\ud800")
