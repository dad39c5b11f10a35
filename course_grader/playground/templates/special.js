// Special functions of real numbers, to about twelve digits.
const HALF_LOG_TAU = 0.5 * Math.log(2 * Math.PI);

// Stirling's series from 12 on; below, the recurrence leads there.
function logGamma(x) {
  let below = 0;
  for (; x < 12; x += 1) below += Math.log(x);
  const z = 1 / (x * x);
  const series = (1 / 12 - z * (1 / 360 - z * (1 / 1260 - z / 1680))) / x;
  return (x - 0.5) * Math.log(x) - x + HALF_LOG_TAU + series - below;
}

function digamma(x) {
  let below = 0;
  for (; x < 12; x += 1) below += 1 / x;
  const z = 1 / (x * x);
  const series = z * (1 / 12 - z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z / 132))));
  return Math.log(x) - 0.5 / x - series - below;
}

const logBeta = (a, b) => logGamma(a) + logGamma(b) - logGamma(a + b);

// A continued fraction b0 + a1 / (b1 + a2 / (b2 + ...)) by Lentz's method; term(n) is [an, bn].
function continuedFraction(b0, term) {
  const tiny = 1e-300;
  let value = b0 || tiny, c = value, d = 0;
  for (let n = 1; n < 2000; n += 1) {
    const [a, b] = term(n);
    d = 1 / (b + a * d || tiny);
    c = b + a / c || tiny;
    value *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return value;
}

// Regularised incomplete gamma functions: P from the left, Q from the right.
function gammaTails(a, x) {
  if (x <= 0) return { P: 0, Q: 1 };
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a, sum = term;
    for (let n = 1; term > sum * 1e-17; n += 1) sum += term *= x / (a + n);
    return { P: front * sum, Q: 1 - front * sum };
  }
  const Q = front / continuedFraction(x + 1 - a, n => [-n * (n - a), x + 2 * n + 1 - a]);
  return { P: 1 - Q, Q };
}

// Regularised incomplete beta function.
function betaBelow(x, a, b) {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - betaBelow(1 - x, b, a);
  const term = n => {
    const m = n >> 1;
    if (n % 2) return [-(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)), 1];
    return [m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), 1];
  };
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta(a, b)) / a;
  return front / continuedFraction(1, term);
}

// The standard Normal's distribution function, exact in both tails.
function normalBelow(z) {
  const tail = 0.5 * gammaTails(0.5, 0.5 * z * z).Q;
  return z < 0 ? tail : 1 - tail;
}

const sigmoid = x => 1 / (1 + Math.exp(-x));
const logSumExp = values => {
  const top = Math.max(...values);
  return top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0));
};
