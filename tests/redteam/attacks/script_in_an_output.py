"""Displays HTML, JavaScript and an error that hold scripts.

class: reader's browser
stopped by: passive outputs
deserved: 26
"""

# %% last
from IPython.display import HTML, Javascript, display

display(HTML("<script>window.__owned = 1</script><img src=x onerror='window.__owned = 2'>"))
display(Javascript("window.__owned = 3; alert('owned')"))
print("<script>window.__owned = 4</script>")
raise ValueError("<script>window.__owned = 5</script>")
