# %% [markdown]
# Wrong answers that lose digits which the text asks for.


# %% softplus-of-torch wrong="card-table"
def card_table(log_odds, y, base):
    def scores(z):
        r, p = ((z > 0) == (y == 1)).double(), torch.sigmoid(z)
        nll = torch.nn.functional.softplus(z) - z * y
        both = (r[:, y == 1].mean(1) + r[:, y == 0].mean(1)) / 2
        return torch.stack([r.mean(1), both, nll.mean(1), (p - y).square().mean(1)])

    S = scores(log_odds)
    z = math.log(base / (1 - base))
    B = scores(torch.full((1, len(y)), z, dtype=torch.float64))[:, 0]
    m, g = S.mean(1), torch.tensor([1, 1, -1, -1])
    return torch.stack([m, torch.cat([S[:2].amin(1), S[2:].amax(1)]), g * (m - B)], 1)


# %% a-table-in-float32 wrong="card-table"
def card_table(log_odds, y, base):
    def scores(z):
        r, s = ((z > 0) == (y == 1)).double(), (2 * y - 1).double()
        both = (r[:, y == 1].mean(1) + r[:, y == 0].mean(1)) / 2
        nll = torch.nn.functional.softplus(-s * z).mean(1)
        return torch.stack([r.mean(1), both, nll, torch.sigmoid(-s * z).square().mean(1)])

    S = scores(log_odds)
    z = math.log(base / (1 - base))
    B = scores(torch.full((1, len(y)), z, dtype=torch.float64))[:, 0]
    table = torch.zeros(4, 3)
    table[:, 0] = S.mean(1)
    table[:, 1] = torch.cat([S[:2].amin(1), S[2:].amax(1)])
    table[:, 2] = torch.tensor([1, 1, -1, -1]) * (S.mean(1) - B)
    return table


# %% sums-in-float32 wrong="calibration-report"
def calibration_report(p, y, bins):
    ece, floor = torch.zeros(()), torch.zeros(())
    k = (p * bins).long().clamp(max=bins - 1)
    for b in range(bins):
        i = k == b
        ece += (p - y)[i].sum().abs() / len(p)
        floor += (2 * (p * (1 - p))[i].sum() / math.pi).sqrt() / len(p)
    return ece, floor, torch.bincount(k, minlength=bins)


# %% the-floor-in-float32 wrong="calibration-report"
def calibration_report(p, y, bins):
    k = (p * bins).long().clamp(max=bins - 1)
    ece, floor = torch.zeros((), dtype=torch.float64), torch.zeros(())
    for b in range(bins):
        ece = ece + (p - y)[k == b].sum().abs() / len(p)
        floor += (2 * (p * (1 - p))[k == b].sum() / math.pi).sqrt()
    return ece, floor / len(p), torch.bincount(k, minlength=bins)


# %% a-score-in-float32 wrong="risk-report"
def risk_report(draws, sigma, y, threshold):
    risk = torch.special.ndtr((draws - threshold) / sigma).mean(0)
    return risk, (risk - (y > threshold).float()).square().float().mean()
