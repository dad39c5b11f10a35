# %% em-hard-far-points wrong="careful-em"
# Where all densities underflow the point goes wholly to the nearest: x = [0], mu = [-100, 100],
# var = 1, pi = [0.6, 0.4]: 0.6 and 0.4 are right.
def careful_em_step(x, pi, mu, var, c, s2):
    z2 = (x[:, None] - mu) ** 2 / var
    density = pi * torch.exp(-0.5 * z2) / var.sqrt()
    total = density.sum(1, keepdim=True)
    z2 = torch.where(pi > 0, z2, torch.full_like(z2, math.inf))
    hard = torch.nn.functional.one_hot(z2.argmin(1), len(pi)).to(x.dtype)
    r = torch.where(total > 0, density / total.clamp(min=1e-320), hard)
    count = r.sum(0)
    used = count > 0
    safe = torch.where(used, count, torch.ones_like(count))
    centre = torch.where(used, (r * x[:, None]).sum(0) / safe, mu)
    spread = ((r * (x[:, None] - centre) ** 2).sum(0) + c * s2) / (safe + c)
    idle = torch.full_like(var, s2) if c > 0 else var
    return count / len(x), centre, torch.where(used, spread, idle)


# %% draw-one-maximum-for-all wrong="mixture-draws"
# The largest logit of the whole table is subtracted: rows (800, 0) and (-800, -790): the second
# underflows to 0 / 0.
def draw(logits, mu, sigma, tau, u, z):
    if len(u) == 0:
        return mu.sum(1) + z
    scaled = logits / tau
    raised = (scaled - scaled.max()).exp()
    cumulative = (raised / raised.sum(1, keepdim=True)).cumsum(1)
    index = (cumulative <= u[:, None]).sum(1, keepdim=True).clamp(max=logits.shape[1] - 1)
    return mu.gather(1, index)[:, 0] + math.sqrt(tau) * sigma.gather(1, index)[:, 0] * z
