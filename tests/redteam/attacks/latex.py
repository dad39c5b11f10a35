"""Displays LaTeX and MathJax whose macros make links and handlers.

class: reader's browser
stopped by: passive outputs
deserved: 26
"""

# %% [markdown] last
# $\href{javascript:window.__owned=1}{x}$ $\unicode{<img src=x onerror=window.__owned=2>}$
# $$\class{x" onmouseover="window.__owned=3}{y} \style{background:url(http://192.0.2.1/owned)}{z}$$

# %% last
from IPython.display import Latex, Math, display

display(Math(r"\href{javascript:window.__owned=4}{x}"))
display(Latex(r"$\require{html}\href{javascript:window.__owned=5}{x}$"))
print(r"$\href{javascript:window.__owned=6}{x}$")
