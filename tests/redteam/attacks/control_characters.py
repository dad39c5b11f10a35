"""Prints terminal codes, links and characters that turn the text round.

class: reader's browser
stopped by: passive outputs
deserved: 26
"""

# %% last
print("\x1b]8;;javascript:window.__owned=1\x1b\\click\x1b]8;;\x1b\\")
print(
    "\x1b[31m<b onclick='window.__owned = 2'>red</b>\x1b[0m \u202e\u2066 </pre><script>owned</script>"
)
raise type("<img src=x onerror='window.__owned = 3'>", (Exception,), {})(
    "</pre><svg onload=owned>"
)
