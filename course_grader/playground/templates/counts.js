// The families on counts and labels, in the same form as those on real numbers.
const COUNT = {
  target: "count", range: [0, Infinity], whole: true, support: "whole numbers from 0 on",
};
const LABEL = {
  target: "label", range: [0, LABELS.length - 1], whole: true, support: "the labels 0, 1, 2, 3",
};
const logFactorial = y => logGamma(y + 1);

Object.assign(FAMILIES, {
  bernoulli: {
    name: "Bernoulli", target: "answer", range: [0, 1], whole: true, support: "0 and 1",
    constant: "the share of ones",
    parameters: [number("p", "p", "probability of 1", 0.01, 0.99, 0.01, 0.3)],
    law: ({ p }) => ({
      log: y => y ? Math.log(p) : Math.log1p(-p),
      below: y => y < 0 ? 0 : y < 1 ? 1 - p : 1,
      slope: y => y ? -1 / p : 1 / (1 - p),
      moments: [p, p * (1 - p), (1 - 2 * p) / Math.sqrt(p * (1 - p)),
        (1 - 6 * p * (1 - p)) / (p * (1 - p))],
    }),
  },
  categorical: {
    ...LABEL, name: "Categorical", constant: "the share of each label",
    parameters: LABELS.map(k => number(`z${k}`, `z${"₀₁₂₃"[k]}`, `logit of label ${k}`, -4, 4, 0.1,
      [0.5, 1.5, 0, -1][k], LOGIT)),
    // The prediction is the logit of the label that came.
    predicted: y => `z${y}`,
    law: p => {
      const logits = LABELS.map(k => p[`z${k}`]), total = logSumExp(logits);
      return {
        log: y => logits[y] - total, slope: y => Math.exp(logits[y] - total) - 1,
        // For draws alone, which need some order.
        below: y => LABELS.reduce((sum, k) => sum + (k <= y ? Math.exp(logits[k] - total) : 0), 0),
        moments: [NaN, NaN, NaN, NaN],
      };
    },
    unordered: true, none: "labels are names: they have no order and no distances",
  },
  ordinal: {
    ...LABEL, name: "ordinal", constant: "the η that makes the points most probable",
    parameters: [number("eta", "η", "how far up", -6, 6, 0.1, 0, LOGIT),
      number("gap", "Δ", "gap of the cuts −Δ, 0, Δ", 0.2, 4, 0.1, 1.5, LOGIT)],
    law: ({ eta, gap }) => {
      const upto = y => y < 0 ? 0 : y >= 3 ? 1 : sigmoid(gap * (y - 1) - eta);
      return {
        log: y => Math.log(upto(y) - upto(y - 1)), below: y => upto(Math.floor(y)),
        slope: y => 1 - upto(y) - upto(y - 1), moments: [NaN, NaN, NaN, NaN],
      };
    },
    reach: () => [-6, 6], apart: "η",
    none: "labels in order have no distances",
  },
  poisson: {
    ...COUNT, name: "Poisson", constant: "the mean of the points",
    parameters: [centre("rate", "λ", "rate, mean and variance", true)],
    law: ({ rate }) => ({
      log: y => (y ? y * Math.log(rate) : 0) - rate - logFactorial(y),
      below: y => y < 0 ? 0 : gammaTails(Math.floor(y) + 1, rate).Q,
      slope: y => y ? 1 - y / rate : 1,
      moments: [rate, rate, 1 / Math.sqrt(rate), 1 / rate],
    }),
  },
  negative: {
    ...COUNT, name: "negative binomial", constant: "the mean of the points",
    parameters: [centre("mu", "μ", "mean", true),
      number("r", "r", "count; variance is μ + μ²/r", 0.2, 20, 0.1, 2)],
    law: ({ mu, r }) => {
      const p = r / (r + mu);
      return {
        log: y => logGamma(y + r) - logGamma(r) - logFactorial(y) + r * Math.log(p)
          + (y ? y * Math.log1p(-p) : 0),
        below: y => y < 0 ? 0 : betaBelow(p, r, Math.floor(y) + 1),
        slope: y => y ? r * (mu - y) / (mu * (r + mu)) : r / (r + mu),
        moments: [mu, mu + mu * mu / r, (2 - p) / Math.sqrt(r * (1 - p)),
          6 / r + p * p / ((1 - p) * r)],
      };
    },
  },
  inflated: {
    ...COUNT, name: "zero-inflated Poisson", constant: "the rate of those that are not always zero",
    parameters: [centre("rate", "λ", "rate where it is open", true),
      number("pi", "π", "share of extra zeros", 0.01, 0.95, 0.01, 0.3)],
    law: ({ rate, pi }) => {
      const open = 1 - pi, zero = pi + open * Math.exp(-rate);
      const [m1, m2] = [open * rate, open * (rate + rate ** 2)];
      const m3 = open * (rate + 3 * rate ** 2 + rate ** 3);
      const m4 = open * (rate + 7 * rate ** 2 + 6 * rate ** 3 + rate ** 4);
      const v = m2 - m1 ** 2;
      return {
        log: y => y ? Math.log(open) + y * Math.log(rate) - rate - logFactorial(y) : Math.log(zero),
        below: y => y < 0 ? 0 : pi + open * gammaTails(Math.floor(y) + 1, rate).Q,
        slope: y => y ? 1 - y / rate : open * Math.exp(-rate) / zero,
        moments: [m1, v, (m3 - 3 * m1 * m2 + 2 * m1 ** 3) / v ** 1.5,
          (m4 - 4 * m1 * m3 + 6 * m1 ** 2 * m2 - 3 * m1 ** 4) / v ** 2 - 3],
      };
    },
    reach: (_, __, points) => [points.reduce((sum, y) => sum + y, 0) / points.length,
      Math.max(...points)],
  },
});
