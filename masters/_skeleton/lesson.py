# %% [markdown]
# # A new unit
#
# Start with one question that most readers answer wrongly today, and that your words determine.
# For instance: buses come at random, independently of each other, on average one in 10 minutes.
# You come to the stop at a time of your choice. **How long do you wait, on average?**

# %% [markdown]
# **After this lesson you can** say three things, each a verb.
#
# **You need** what the reader must know already. Symbols: [notation](00_start.ipynb#Notation).
# Reading takes about 50 minutes.

# %% [markdown]
# The setup looks the same in every lesson: imports, one device, one thread, one style. If
# `course_utils` is missing, run `%pip install` with the path of the course's folder.

# %%
import torch
from matplotlib import pyplot as plt
from torch.distributions import Exponential, Gamma

from course_utils.device import one_thread, pick_device
from course_utils.plotting import plot_curve, use_course_style
from course_utils.predictions import predict, reveal
from course_utils.widgets import interactive

device = pick_device()
one_thread()
use_course_style()

# %% [markdown]
# Commit to an answer before you read on. It is kept, compared with the truth at the end, and
# never graded.

# %%
predict(
    "00-skeleton-wait",
    ...,
    ask="Your mean wait, compared with the mean gap between two buses?",
    choices=("half of the mean gap", "the mean gap", "twice the mean gap"),
)

# %% [markdown]
# ## A picture first
#
# Before any formula: three hours at the stop. Code that only draws is hidden; a reader opens it
# with a click.

# %% hide=True alt="Twenty buses in three hours: some gaps are long, many are short."
torch.manual_seed(0)
gaps = Exponential(torch.tensor(0.1)).sample((20_000,))  # minutes
buses = gaps.cumsum(0)
_, ax = plt.subplots(figsize=(6, 1.2))
ax.vlines(buses[:20], 0, 1, color="C0")
ax.set(xlabel="time (minutes)", yticks=[], title="Random buses come in bunches")
_ = ax.set_xlim(0, buses[19])

# %% [markdown]
# One sentence reads the figure: you are likelier to arrive in one of the long gaps.
#
# A picture has the finding in its title, and a table that compares has a picture.

# %% alt="The density of gaps falls from its largest value at zero."
_, ax = plt.subplots()
t = torch.linspace(0.01, 60, 200)  # minutes
plot_curve(t, Exponential(torch.tensor(0.1)).log_prob(t).exp(), ax=ax)
_ = ax.set(xlabel="gap (minutes)", ylabel="density (per minute)", title="Short gaps are common")

# %% [markdown]
# ## A prediction, folded
#
# Ask, then fold: a Markdown cell with one heading and nothing else is the fold, and it ends at the
# next heading of its level or a higher one. A sentence for a wrong answer stands in `reveal`.

# %%
predict("00-skeleton-median", ..., ask="The median gap, in minutes?")

# %% [markdown] fold="00-skeleton-median"
# ### The middle of the gaps

# %% [markdown]
# Every number is computed, and asserted against something written independently.

# %% same=True
median = Exponential(torch.tensor(0.1)).icdf(torch.tensor(0.5))
assert abs(gaps.median() - median) < 0.3
print(f"median gap: {median:.2f} minutes")
because = {10: "That is the mean, which the long gaps pull up."}
reveal("00-skeleton-median", round(median.item(), 2), within=0.5, because=because)

# %% [markdown]
# ### The gap that you meet
#
# Which gap is yours? The picture of 20 000 gaps beside those that 20 000 people meet who come at
# any time. Guess its mean first.

# %%
predict("00-skeleton-met", ..., ask="The mean of the gaps that people meet, in minutes?")

# %% [markdown] fold="00-skeleton-met"
# ### Gaps as people meet them

# %% [markdown]
# A gap is met in proportion to its length, so its mean is $\mathrm{E}\,g^2 / \mathrm{E}\,g$.

# %% alt="The gaps that people meet are longer: few are short, and their mean is twice as large."
met = gaps[torch.searchsorted(buses, buses[-1] * torch.rand(20_000))]
assert abs(met.mean() - (gaps**2).mean() / gaps.mean()) < 0.5
_, ax = plt.subplots()
for name, values in {"all gaps": gaps, "gaps that people meet": met}.items():
    ax.hist(values, bins=60, range=(0, 60), density=True, alpha=0.6, label=name)
ax.set(xlabel="gap (minutes)", ylabel="density", title="You meet the long gaps")
_ = ax.legend()
reveal("00-skeleton-met", round(met.mean().item()), within=2, unit="minutes")

# %% [markdown] card="00-skeleton-long-gaps"
# Why is the mean of the gaps that people meet larger than the mean gap?
#
# **Answer.** A gap is met in proportion to its length. (Four to eight such cards in a lesson, each
# below the section that shows its answer: they stand in no notebook, `make review` asks them.)

# %% [markdown]
# ### Figures that follow the hand
#
# A plain function of plain numbers draws; it is called once, then wrapped. The gaps of buses with
# a timetable vary less: a Gamma density with a larger shape.


# %% alt="With a larger shape the gaps vary less, and you wait little more than half of the mean."
def draw_gaps(shape=4.0):
    gap = Gamma(torch.tensor(shape), torch.tensor(shape / 10))  # mean 10 minutes
    _, ax = plt.subplots()
    plot_curve(t, gap.log_prob(t).exp(), ax=ax)
    wait = (gap.variance + gap.mean**2) / (2 * gap.mean)
    ax.set(xlabel="gap (minutes)", ylabel="density", title=f"Mean wait {wait:.1f} minutes")
    return ax


ax = draw_gaps()

# %%
interactive(draw_gaps, shape=(1.0, 20.0, 0.5))

# %% [markdown]
# ### Broken on purpose
#
# Show a named mistake, and that it breaks. Which share of people waits longer than 20 minutes?

# %%
predict("00-skeleton-long", ..., ask="The share of people who wait more than 20 minutes?")

# %% [markdown] fold="00-skeleton-long"
# ### Very long waits

# %% alt="The share of people who still wait falls exponentially; after 20 minutes it is 0.14."
wait = Exponential(torch.tensor(0.1))
share = 1 - wait.cdf(torch.tensor(20.0))
_, ax = plt.subplots()
plot_curve(t, 1 - wait.cdf(t), ax=ax)
ax.set(xlabel="minutes", ylabel="share still waiting", title="Some wait very long")
reveal("00-skeleton-long", round(share.item(), 3), within=0.02)

# %% [markdown]
# ## Back to the opening question

# %% [markdown] fold="00-skeleton-wait"
# ### The answer

# %% same=True
mean_wait = (gaps**2).mean() / (2 * gaps.mean())
assert abs(mean_wait - wait.mean) < 0.5
print(f"mean wait: {wait.mean:.0f} minutes, as long as a gap")
because = {
    "half of the mean gap": "That holds for a timetable: here you meet the long gaps more often.",
    "twice the mean gap": "That is the mean of the gap that you meet; you come in its middle.",
}
reveal("00-skeleton-wait", "the mean gap", because=because)

# %% [markdown]
# ## Recap
#
# 1. Five lines at most.

# %% [markdown]
# ## Your turn
#
# Point to the assignment.
