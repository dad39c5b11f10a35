# %% [markdown]
# # A new unit
#
# Start with one question that most readers answer wrongly today. For instance: you wait for a bus
# that comes, on average, every 10 minutes, but at random. **How long do you wait?**

# %% [markdown]
# **After this lesson you can** say three things, each a verb.
#
# **You need** what the reader must know already. Symbols: [notation](00_start.ipynb#Notation).

# %% [markdown]
# The setup looks the same in every lesson: imports, one device, one thread, one style.

# %%
import torch
from matplotlib import pyplot as plt

from course_utils.device import one_thread, pick_device
from course_utils.plotting import plot_curve, use_course_style
from course_utils.predictions import predict, reveal
from course_utils.widgets import interactive

device = pick_device()
one_thread()
use_course_style()

# %% [markdown]
# ## A prediction first
#
# Ask for a number before it is computed; the answer comes in a later cell.

# %%
predict("00-skeleton-wait", ..., ask="Mean waiting time, in minutes, for that bus?")

# %% [markdown]
# Every number is computed, and every fact asserted, against something written independently.

# %% same=True
bus = torch.distributions.Exponential(torch.tensor(0.1))  # rate per minute
wait = bus.mean
assert abs(bus.sample((200_000,)).mean() - wait) < 5 * bus.stddev / 200_000**0.5
print(f"mean waiting time: {wait:.0f} minutes")

# %% [markdown]
# Then the prediction is scored, never graded.

# %%
reveal("00-skeleton-wait", wait, within=0.5, unit="minutes")

# %% [markdown]
# ## A figure
#
# A plain function of plain numbers draws it, once directly and then with sliders.


# %% alt="The density of waiting times falls from its largest value at zero."
def draw_waits(rate=0.1):
    t = torch.linspace(0.01, 60, 200)  # minutes
    density = torch.exp(torch.distributions.Exponential(torch.tensor(rate)).log_prob(t))
    _, ax = plt.subplots()
    plot_curve(t, density, ax=ax)
    ax.set(
        xlabel="waiting time (minutes)", ylabel="density (per minute)", title=f"Rate {rate:.1f}"
    )
    return ax


ax = draw_waits()

# %% [markdown]
# One sentence reads the figure: short waits are the most likely, whatever the mean.

# %%
interactive(draw_waits, rate=(0.1, 1.0, 0.1))

# %% [markdown]
# ## Recap
#
# 1. Five lines at most.
#
# ## Your turn
#
# Point to the assignment.
