# %% shapes-parameters-stripped-first wrong="foretell-shapes"
# Splits loc and scale before they broadcast: scale (5, 3) with 3 event dims keeps (5,); loc (2,
# 4, 5, 3) then raises.
def foretell_shapes(loc, scale, event_dims, sample, value):
    loc, scale = tuple(loc), tuple(scale)
    batch = tuple(
        np.broadcast_shapes(loc[: len(loc) - event_dims], scale[: len(scale) - event_dims])
    )
    full = tuple(np.broadcast_shapes(loc, scale))
    event = full[len(full) - event_dims :]
    both = tuple(np.broadcast_shapes(value, full))
    return batch, event, tuple(sample) + full, both[: len(both) - event_dims]
