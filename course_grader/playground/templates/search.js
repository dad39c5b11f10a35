// Quantiles and minima of any family, by search.

// The smallest y whose distribution function reaches a level.
function quantile(family, law, level) {
  const [lowest, highest] = family.range;
  if (family.whole) {
    let y = lowest;
    while (y < highest && law.below(y) < level) y += 1;
    return y;
  }
  let low = lowest, high = highest, step = 1;
  if (low === -Infinity) for (low = -1; law.below(low) > level; low -= step *= 2);
  if (high === Infinity) for (high = 1; law.below(high) < level; high += step *= 2);
  let y = 0.5 * (low + high);
  for (let i = 0; i < 400 && high - low > 1e-13 * (Math.abs(low) + Math.abs(high)); i += 1) {
    const above = law.below(y) - level;
    if (above === 0) return y;
    if (above > 0) high = y; else low = y;
    // Newton's step where it stays inside and is not slow, else the middle.
    const next = y - above / Math.exp(law.log(y));
    const inside = next > low && next < high && i % 4 < 3;
    const close = Math.abs(next - y) <= 1e-14 * Math.abs(y);
    if (inside && close) return next;
    y = inside ? next : 0.5 * (low + high);
  }
  return y;
}

const between = (low, high, n) =>
  Array.from({ length: n + 1 }, (_, i) => low + (high - low) * i / n);

// Where a condition that holds at `yes` and not at `no` begins to hold.
function edge(holds, no, yes) {
  for (let i = 0; i < 70; i += 1) {
    const middle = 0.5 * (no + yes);
    if (holds(middle)) yes = middle; else no = middle;
  }
  return yes;
}

// How large slopes usually are, so that rounding is told from a slope.
function usual(slopes) {
  const sizes = slopes.map(Math.abs), ends = Math.min(sizes[0], sizes.at(-1));
  const sorted = sizes.filter(Number.isFinite).sort((a, b) => a - b);
  return Math.max(sorted[Math.floor(0.9 * sorted.length)], Number.isFinite(ends) ? ends : 0);
}

// All minima of a loss on an interval, the lowest first: where its slope turns from - to +. A flat
// bottom counts once, at its middle: that is how the median of an even number of values is meant.
function minima(loss, slope, low, high) {
  const places = between(low, high, 800), slopes = places.map(slope), found = [];
  const flat = 1e-11 * usual(slopes);
  const falls = x => slope(x) < -flat, rises = x => slope(x) > flat;
  let down = slopes[0] >= -flat ? 0 : null;
  slopes.forEach((value, i) => {
    if (value < -flat) down = i;
    if (value > flat && down !== null) {
      const last = slopes[down] < -flat ? edge(x => !falls(x), places[down], places[i]) : low;
      const first = i ? edge(rises, places[i - 1], places[i]) : low;
      found.push(0.5 * (Math.min(last, first) + first));
      down = null;
    }
  });
  if (down !== null) found.push(slopes[down] < -flat ? high : 0.5 * (places[down] + high));
  const ranked = found.map(at => ({ at, loss: loss(at) }));
  return ranked.sort((a, b) => a.loss - b.loss || a.at - b.at);
}

// A generator of numbers in (0, 1), the same for the same seed (a linear congruence modulo 2^31 - 1).
function uniform(seed) {
  let state = (seed * 48271 + 11) % 2147483647;
  const next = () => (state = state * 48271 % 2147483647) / 2147483647;
  for (let i = 0; i < 10; i += 1) next();
  return next;
}
