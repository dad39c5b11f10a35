"""Writes scripts in a raw cell, which a page may show as it is.

class: reader's browser
stopped by: passive outputs
deserved: 26
"""

# %% [raw] last
# <script>window.__owned = 1</script><img src=x onerror="window.__owned = 2">
# <svg onload="window.__owned = 3"></svg><link rel="stylesheet" href="http://192.0.2.1/owned.css">
