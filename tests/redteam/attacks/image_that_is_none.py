"""Displays a PNG whose text leaves its attribute, and metadata of its own.

class: reader's browser
stopped by: passive outputs
deserved: 26
"""

# %% last
from IPython.display import display

broken = 'AA" onerror="window.__owned = 1"><script>window.__owned = 2</script>'
size = {"width": '1" onload="window.__owned = 3', "height": "1", "alt": '" onerror="owned'}
display({"image/png": broken, "text/plain": "x"}, metadata={"image/png": size}, raw=True)
