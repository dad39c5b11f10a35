"""Writes Markdown with scripts, handlers, links and a way out of its fence.

class: reader's browser
stopped by: passive outputs
deserved: 26
"""

# %% [markdown] last
# <script>window.__owned = 1</script><img src=x onerror="window.__owned = 2">
# [a link](javascript:window.__owned=3) <a href="javascript:window.__owned=4">b</a>
# ```
# <iframe srcdoc="<script>parent.__owned = 5</script>"></iframe>
# ````
# <details open ontoggle="window.__owned = 6">c</details>
# <base href="http://192.0.2.1/owned/"><meta http-equiv="refresh" content="0;url=javascript:owned">
