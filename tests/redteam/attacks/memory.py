"""Takes memory until there is none.

class: resources
stopped by: the limits
deserved: 26
"""

# %% last
held = []
for _ in range(64):
    held.append(bytearray(1 << 30))
    if len(held) > 8:
        print("E5CAP" + "ED", len(held), "GiB")
        break
