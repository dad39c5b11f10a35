"""Displays an SVG, a PDF and a video with scripts in them.

class: reader's browser
stopped by: passive outputs
deserved: 26
"""

# %% last
from IPython.display import SVG, display

markup = """<svg xmlns="http://www.w3.org/2000/svg" onload="window.__owned = 1">
<script>window.__owned = 2</script><foreignObject><img src="x" onerror="window.__owned = 3"/>
</foreignObject></svg>"""
display(SVG(markup))
data = {"image/svg+xml": markup, "application/pdf": "owned", "text/markdown": markup}
display(data | {"application/javascript": "window.__owned = 4"}, raw=True)
