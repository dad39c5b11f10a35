# %% [markdown]
# Right answers that a library's own entropy, which sums to 1 what it gets, must not spoil.

# %% entropy-of-scipy right="entropy-parts"
import scipy.stats


def entropy_parts(p):
    H = scipy.stats.entropy(p, axis=2).mean(0)
    T = scipy.stats.entropy(p.mean(0), axis=1)
    return T, H, T - H


# %% entropy-of-torch right="entropy-parts"
import torch


def entropy_parts(p):
    t, C = torch.tensor(p), torch.distributions.Categorical
    T = C(probs=t.mean(0)).entropy()
    H = C(probs=t).entropy().mean(0)
    return T, H, T - H


# %% summed-to-one-again right="entropy-parts"
def entropy_parts(p):
    p = p / p.sum(-1, keepdims=True)
    total = special.entr(p.mean(axis=0)).sum(axis=-1)
    aleatoric = special.entr(p).sum(axis=-1).mean(axis=0)
    return total, aleatoric, total - aleatoric
