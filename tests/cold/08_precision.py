# %% [markdown]
# A search that stops too soon, where the text asks for a tolerance of one's own.


# %% tolerance-of-brentq wrong="mixture-quantile"
def mixture_quantile(mu, sigma, q):
    ends = mu + sigma * special.ndtri(q)
    lo, hi = ends.min(), ends.max()
    if lo == hi:
        return lo
    return optimize.brentq(lambda t: special.ndtr((t - mu) / sigma).mean() - q, lo, hi)


# %% tolerance-of-ones-own right="mixture-quantile"
def mixture_quantile(mu, sigma, q):
    ends = mu + sigma * special.ndtri(q)
    lo, hi = ends.min(), ends.max()
    if lo == hi:
        return lo

    def above(t):
        return special.ndtr((t - mu) / sigma).mean() - q

    return optimize.brentq(above, lo, hi, xtol=1e-9 * (hi - lo), rtol=1e-14)
