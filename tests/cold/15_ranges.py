# %% ward-centred-on-everybody wrong="ensemble-sds"
# Centres on one number for all before E[x^2] - E[x]^2: two patients at 0 and 1e7, spread 0.005,
# remain 5e6 off and cancel.
def ensemble_sds(mean, sd):
    n = mean.shape[1]
    mean = mean - mean.mean()
    each = (sd**2).mean(0) + ((mean**2).mean(0) - mean.mean(0) ** 2).clamp(min=0)
    members = mean.mean(1)
    shared = (members**2).mean() - members.mean() ** 2
    ward = (sd**2).mean(0).sum() / n**2 + shared.clamp(min=0)
    return each.sqrt(), ward.sqrt()
