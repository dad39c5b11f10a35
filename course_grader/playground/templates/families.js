// The families on real, positive and bounded numbers: the only place where their formulas stand.
//
// `law(p)` gives, for parameters p: log(y), the log of density or mass; below(y), the distribution
// function; slope(y), the derivative of -log(y) by the first parameter, the prediction; moments,
// which are mean, variance, skewness and excess kurtosis. NaN means that there is none.
const square = x => x * x;
const REAL = { target: "real", range: [-Infinity, Infinity], support: "all real numbers" };
const POSITIVE = { target: "positive", range: [0, Infinity], support: "y > 0", open: true };

const FAMILIES = {
  normal: {
    ...REAL, name: "Normal", constant: "the mean of the points",
    parameters: [centre("mu", "μ", "mean"), scale("σ", "standard deviation")],
    law: ({ mu, scale: s }) => ({
      log: y => -0.5 * square((y - mu) / s) - Math.log(s) - HALF_LOG_TAU,
      below: y => normalBelow((y - mu) / s),
      slope: y => (mu - y) / square(s),
      moments: [mu, square(s), 0, 0],
    }),
  },
  laplace: {
    ...REAL, name: "Laplace", constant: "the median of the points",
    parameters: [centre("mu", "μ", "centre"), scale("b", "scale, not an sd")],
    law: ({ mu, scale: b }) => ({
      log: y => -Math.abs(y - mu) / b - Math.log(2 * b),
      below: y => y < mu ? 0.5 * Math.exp((y - mu) / b) : 1 - 0.5 * Math.exp((mu - y) / b),
      slope: y => Math.sign(mu - y) / b,
      moments: [mu, 2 * square(b), 0, 3],
    }),
  },
  student: {
    ...REAL, name: "Student-t", constant: "a mean in which far points weigh less",
    parameters: [centre("mu", "μ", "centre"), scale("s", "scale, not an sd"),
      number("nu", "ν", "degrees of freedom", 0.5, 30, 0.5, 2)],
    law: ({ mu, scale: s, nu }) => {
      const rest = 0.5 * Math.log(nu) + logBeta(0.5 * nu, 0.5) + Math.log(s);
      const tail = z => 0.5 * betaBelow(nu / (nu + z * z), 0.5 * nu, 0.5);
      return {
        log: y => -0.5 * (nu + 1) * Math.log1p(square((y - mu) / s) / nu) - rest,
        below: y => y < mu ? tail((y - mu) / s) : 1 - tail((y - mu) / s),
        slope: y => (nu + 1) * (mu - y) / (nu * square(s) + square(mu - y)),
        moments: [nu > 1 ? mu : NaN, nu > 2 ? square(s) * nu / (nu - 2) : nu > 1 ? Infinity : NaN,
          nu > 3 ? 0 : NaN, nu > 4 ? 6 / (nu - 4) : nu > 2 ? Infinity : NaN],
      };
    },
  },
  huber: {
    ...REAL, name: "Huber", constant: "between mean and median: far points pull with equal force",
    parameters: [centre("mu", "μ", "centre"), scale("s", "scale, not an sd"),
      number("delta", "δ", "where squares end", 0.2, 4, 0.1, 1)],
    law: ({ mu, scale: s, delta: d }) => {
      const middle = Math.sqrt(2 * Math.PI) * (1 - 2 * normalBelow(-d)), edge = Math.exp(-0.5 * d * d);
      const Z = middle + 2 * edge / d;
      const left = z => z < -d ? Math.exp(d * z + 0.5 * d * d) / d
        : edge / d + Math.sqrt(2 * Math.PI) * (normalBelow(z) - normalBelow(-d));
      const second = (middle - 2 * d * edge + 2 * edge * (d + 2 / d + 2 / d ** 3)) / Z;
      const fourth = (3 * middle - 2 * (d ** 3 + 3 * d) * edge
        + 2 * edge * (d ** 3 + 4 * d + 12 / d + 24 / d ** 3 + 24 / d ** 5)) / Z;
      return {
        log: y => {
          const z = Math.abs(y - mu) / s;
          return -(z < d ? 0.5 * z * z : d * z - 0.5 * d * d) - Math.log(s * Z);
        },
        below: y => y < mu ? left((y - mu) / s) / Z : 1 - left((mu - y) / s) / Z,
        slope: y => Math.max(-d, Math.min(d, (mu - y) / s)) / s,
        moments: [mu, square(s) * second, 0, fourth / square(second) - 3],
      };
    },
  },
  humps: {
    ...REAL, name: "two Normals", constant: "where the two humps fit the points best",
    parameters: [centre("mu", "m", "midpoint of the humps"), scale("σ", "sd of each hump"),
      target => parameter("d", "d", "half the distance", Y_UNIT, 0, 50 * target.fine, target.fine,
        2 * target.spread),
      number("w", "w", "weight of the left one", 0.05, 0.95, 0.05, 0.5)],
    law: ({ mu, scale: s, d, w }) => {
      const part = (y, at) => -0.5 * square((y - at) / s) - Math.log(s) - HALF_LOG_TAU;
      const parts = y => [Math.log(w) + part(y, mu - d), Math.log(1 - w) + part(y, mu + d)];
      const v = w * (1 - w) * square(2 * d), all = square(s) + v;
      return {
        log: y => logSumExp(parts(y)),
        below: y => w * normalBelow((y - mu + d) / s) + (1 - w) * normalBelow((y - mu - d) / s),
        slope: y => {
          const [left, right] = parts(y), share = sigmoid(left - right);
          return (mu - y + d * (1 - 2 * share)) / square(s);
        },
        moments: [mu + (1 - 2 * w) * d, all, v * (2 * w - 1) * 2 * d / all ** 1.5,
          (3 * square(square(s)) + 6 * square(s) * v + v * (1 - 3 * w * (1 - w)) * square(2 * d))
            / square(all) - 3],
      };
    },
    reach: ([low, high], { d }) => [low - d, high + d],
  },
  lognormal: {
    ...POSITIVE, name: "log-normal", constant: "the geometric mean of the points",
    parameters: [centre("m", "m", "median, e^μ", true),
      number("sigma", "σ", "sd of log y", 0.1, 2, 0.05, 0.6)],
    law: ({ m, sigma }) => {
      const z = y => (Math.log(y) - Math.log(m)) / sigma, v = square(sigma), e = Math.exp(v);
      return {
        log: y => -0.5 * square(z(y)) - Math.log(y * sigma) - HALF_LOG_TAU,
        below: y => y > 0 ? normalBelow(z(y)) : 0,
        slope: y => -z(y) / (sigma * m),
        moments: [m * Math.exp(v / 2), square(m) * Math.expm1(v) * e,
          (e + 2) * Math.sqrt(Math.expm1(v)), e ** 4 + 2 * e ** 3 + 3 * e ** 2 - 6],
      };
    },
  },
  gamma: {
    ...POSITIVE, name: "Gamma", constant: "the mean of the points",
    parameters: [centre("mu", "μ", "mean", true),
      number("alpha", "α", "shape; 1 is the exponential", 0.2, 12, 0.1, 2)],
    law: ({ mu, alpha }) => ({
      log: y => alpha * Math.log(alpha / mu) - logGamma(alpha) + (alpha - 1) * Math.log(y)
        - alpha * y / mu,
      below: y => gammaTails(alpha, alpha * y / mu).P,
      slope: y => alpha * (mu - y) / square(mu),
      moments: [mu, square(mu) / alpha, 2 / Math.sqrt(alpha), 6 / alpha],
    }),
  },
  beta: {
    name: "Beta", target: "share", range: [0, 1], open: true, support: "0 < y < 1",
    constant: "the mean that makes the points' mean logit the expected one",
    parameters: [number("m", "m", "mean, a / (a + b)", 0.05, 0.95, 0.01, 0.3, Y_UNIT),
      number("kappa", "κ", "concentration, a + b", 0.5, 40, 0.5, 5)],
    law: ({ m, kappa }) => {
      const a = m * kappa, b = (1 - m) * kappa, v = m * (1 - m) / (kappa + 1);
      return {
        log: y => (a - 1) * Math.log(y) + (b - 1) * Math.log1p(-y) - logBeta(a, b),
        below: y => betaBelow(y, a, b),
        slope: y => kappa * (digamma(a) - digamma(b) - Math.log(y) + Math.log1p(-y)),
        moments: [m, v, 2 * (1 - 2 * m) / (kappa + 2) * Math.sqrt((kappa + 1) / (m * (1 - m))),
          6 * (square(a - b) * (kappa + 1) - a * b * (kappa + 2))
            / (a * b * (kappa + 2) * (kappa + 3))],
      };
    },
    reach: ([low, high]) => [Math.min(low, 0.5), Math.max(high, 0.5)],
  },
};
