# %% [markdown]
# A right answer that fills a tensor in place: all that it gets is of one precision.


# %% filled-row-by-row right="count-density"
def count_log_prob(y, mean, variance):
    if (variance < mean).any():
        raise ValueError
    eq = variance == mean
    out = torch.zeros_like(variance)
    out[eq] = torch.distributions.Poisson(mean[eq]).log_prob(y[eq])
    m, v, k = mean[~eq], variance[~eq], y[~eq]
    r, logits = m * m / (v - m), torch.log((v - m) / m)
    law = torch.distributions.NegativeBinomial(r, logits=logits, validate_args=False)
    out[~eq] = law.log_prob(k)
    return out
