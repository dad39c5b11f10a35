// What a target can be, and the sliders that parameters of a family get for it.

// Where the families of a page differ, the target that allows the least is taken: the last of two.
const TARGETS = {
  real: {
    words: "any real number", low: -6, high: 10, fine: 0.1, step: 0.1, centre: 0, spread: 1,
    observed: 2, points: [1.2, 1.3, 1.4, 1.5, 1.6, 2.4, 2.8, 3.2, 8],
  },
  positive: {
    words: "a positive number", low: 0, high: 12, fine: 0.1, step: 0.1, centre: 3, spread: 1.5,
    observed: 2, points: [0.4, 0.9, 1.3, 1.8, 2.6, 3.1, 7.5],
  },
  share: {
    words: "a share", low: 0, high: 1, fine: 0.01, step: 0.01, centre: 0.4, spread: 0.1,
    observed: 0.3, points: [0.05, 0.12, 0.2, 0.24, 0.31, 0.4, 0.72],
  },
  count: {
    words: "a count", low: 0, high: 20, fine: 0.1, step: 1, centre: 4, spread: 2,
    observed: 3, points: [0, 0, 1, 2, 3, 3, 5, 11],
  },
  answer: {
    words: "yes (1) or no (0)", low: 0, high: 1, fine: 0.01, step: 1, centre: 0.4, spread: 0.2,
    observed: 1, points: [0, 0, 1, 0, 1, 0, 0],
  },
  label: {
    words: "a label, 0 to 3", low: 0, high: 3, fine: 0.05, step: 1, centre: 1.5, spread: 0.8,
    observed: 2, points: [0, 1, 1, 1, 2, 3],
  },
};
const LABELS = [0, 1, 2, 3];
const Y_UNIT = "units of y", NO_UNIT = "no unit", LOGIT = "nats, a logit";

const parameter = (key, symbol, words, unit, low, high, step, start) =>
  ({ key, symbol, words, unit, low, high, step, start });

// A location, a mean, a rate: in the units of y.
const centre = (key, symbol, words, positive = false) => target => parameter(
  key, symbol, words, Y_UNIT, positive ? Math.max(target.low, target.fine) : target.low,
  target.high, target.fine, positive ? Math.max(target.centre, target.fine) : target.centre);

// A scale: in the units of y, above zero.
const scale = (symbol, words) => target => parameter(
  "scale", symbol, words, Y_UNIT, 2 * target.fine, 50 * target.fine, target.fine, target.spread);

const number = (key, symbol, words, low, high, step, start, unit = NO_UNIT) => () =>
  parameter(key, symbol, words, unit, low, high, step, start);
