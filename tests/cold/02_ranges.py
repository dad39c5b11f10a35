# %% seq-nan-times-mask wrong="sequence-density"
# nan_to_num makes +-1.8e308 of infinities; a padded row [inf, -inf, 0] with token 1 gives -inf,
# and -inf * 0 is nan.
def sequence_log_prob(logits, tokens, lengths):
    T, K = logits.shape[1:]
    real = torch.arange(T - 1) < (lengths - 1)[:, None]
    log_p = torch.log_softmax(torch.nan_to_num(logits[:, :-1]), -1)
    picked = log_p.gather(-1, tokens[:, 1:].clamp(0, K - 1)[..., None])[..., 0]
    return (picked * real).sum(1)
