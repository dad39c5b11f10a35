"""Writes the host's settings: where core dumps go, how much memory may be promised.

class: resources
stopped by: the sandbox
deserved: 26
"""

# %% last
import os

for folder, _, names in os.walk("/proc/sys"):
    for name in names:
        try:
            os.close(os.open(os.path.join(folder, name), os.O_WRONLY))
            print("E5CAP" + "ED", folder, name)
        except OSError:
            pass
for name in ("sysrq-trigger", "kcore", "kmsg", "irq/default_smp_affinity"):
    try:
        os.close(os.open(os.path.join("/proc", name), os.O_WRONLY))
        print("E5CAP" + "ED", name)
    except OSError:
        pass
