# %% [markdown]
# # Answers
#
# At least three right answers of different structure, one of them an oracle that shares no line
# with the solution, and at least five wrong ones: real misconceptions, each with its sentence.


# %% by-distribution right="skeleton-nll"
def exponential_nll(y, rate):
    return -torch.distributions.Exponential(rate).log_prob(y).mean()


# %% by-terms right="skeleton-nll"
def exponential_nll(y, rate):
    rate = rate * torch.ones_like(y)
    return (rate * y - rate.log()).mean()


# %% by-survival right="skeleton-nll" oracle=True
def exponential_nll(y, rate):
    # the density is minus the derivative of the survival function exp(-rate t), by autograd
    t = y.detach().clone().requires_grad_()
    survival = torch.exp(-rate * t)
    slope = torch.autograd.grad(survival.sum(), t, create_graph=True)[0]
    return -torch.log(-slope).mean()


# %% by-survival.swap-function equivalent="skeleton-nll"
# `survival = torch.expm1(-rate * t)`
# exp and expm1 differ by a constant, and only the derivative is used.


# %% solution.detach-input equivalent="skeleton-nll"
# `y = y.detach()`
# y is data: no gradient with respect to it is asked for.


# %% rate-as-scale wrong="skeleton-nll" fails="value,gradient"
# The rate is one over the mean waiting time, not the mean itself.
def exponential_nll(y, rate):
    return -torch.distributions.Exponential(1 / torch.as_tensor(rate)).log_prob(y).mean()


# %% sum-over-batch wrong="skeleton-nll" fails="value,gradient"
# This is the sum over the elements; the text asks for the mean.
def exponential_nll(y, rate):
    return -torch.distributions.Exponential(rate).log_prob(y).sum()


# %% log-likelihood wrong="skeleton-nll" fails="value,gradient"
# The sign is flipped: this is the log-likelihood.
def exponential_nll(y, rate):
    return torch.distributions.Exponential(rate).log_prob(y).mean()


# %% log-dropped wrong="skeleton-nll" fails="value,gradient"
# The term log rate is missing: without it, a rate of zero always looks best.
def exponential_nll(y, rate):
    return (torch.as_tensor(rate) * y).mean()


# %% detached wrong="skeleton-nll" fails="gradient"
# .item() and .detach() cut the gradient: return the tensor itself.
def exponential_nll(y, rate):
    return -torch.distributions.Exponential(rate).log_prob(y).mean().item()
