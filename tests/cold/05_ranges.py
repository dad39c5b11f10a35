# %% table-truncated-ones wrong="reliability-table"
# k = int(share * c) truncates: one 1 among 49 gives int(0.9999999999999999) = 0 ones in the
# interval.
from scipy import stats


def reliability_table(p, y, groups, level):
    z = stats.norm.isf((1 - level) / 2)
    rows = []
    for members in np.array_split(np.argsort(p), groups):
        c, share = len(members), y[members].mean()
        k = int(share * c)
        middle = (k + z**2 / 2) / (c + z**2)
        half = z / (c + z**2) * np.sqrt(k * (c - k) / c + z**2 / 4)
        rows.append([c, p[members].mean(), share, middle - half, middle + half])
    return np.array(rows)
