# %% last-layer-clamped-probability wrong="last-layer"
# Probabilities are kept away from 0 and 1: no examples, tau = 0.01, weight 1, new (-20): 2e-9
# becomes 1e-6.
def last_layer(features, weights, tau, new):
    p = torch.sigmoid(features @ weights)
    hessian = (features.T * (p * (1 - p))) @ features
    hessian = hessian + torch.eye(len(weights)).double() / tau**2
    sd = (new * torch.linalg.solve(hessian, new.T).T).sum(1).sqrt()
    answer = torch.sigmoid(new @ weights / torch.sqrt(1 + math.pi * sd**2 / 8))
    return sd, answer.clamp(1e-6, 1 - 1e-6)
