// One family: its sliders, its charts and its numbers.
const DRAWS = 200;
const short = value => Number.isNaN(value) ? "not defined"
  : !Number.isFinite(value) ? (value > 0 ? "infinite" : "−infinite")
  : String(Number(value.toPrecision(4))).replace("-", "−");

function inside(family, y) {
  const [low, high] = family.range;
  if (family.whole && !Number.isInteger(y)) return false;
  return family.open ? low < y && y < high : low <= y && y <= high;
}

class Card {
  constructor(place, key, state, changed) {
    Object.assign(this, { place, key, state, changed, kept: {} });
    this.chosen = place.querySelector("select");
    for (const [name, family] of Object.entries(FAMILIES)) {
      this.chosen.append(new Option(family.name, name));
    }
    this.chosen.value = key;
    this.chosen.addEventListener("change", () => {
      this.key = this.chosen.value;
      changed("family");
    });
  }

  get family() { return FAMILIES[this.key]; }
  get law() { return this.family.law(this.values); }
  chart(name, settings) { return new Chart(this.place.querySelector(`[data-chart=${name}]`), settings); }

  // The parameter that the loss is drawn along.
  predicted() {
    const key = this.family.predicted?.(this.state.observed) ?? this.parameters[0].key;
    return this.parameters.find(one => one.key === key);
  }

  build() {
    const target = this.state.target;
    this.parameters = this.family.parameters.map(one => one(TARGETS[target]));
    const id = `${target}/${this.key}`;
    this.values = this.kept[id] ??= Object.fromEntries(
      this.parameters.map(one => [one.key, one.start]));
    this.place.querySelector(".sliders").replaceChildren(...this.parameters.map(one =>
      slider(one, this.values[one.key], value => {
        this.values[one.key] = value;
        this.changed("values");
      })));
    this.place.querySelector(".support").textContent = this.family.support;
    const lessons = PAGE.lessons[this.key].map(({ text, href }) => {
      const shown = document.createElement(href ? "a" : "span");
      if (href) shown.href = href;
      shown.textContent = text;
      return shown;
    });
    this.place.querySelector(".lessons").replaceChildren(
      ...lessons.flatMap((one, i) => i ? ["; ", one] : [one]));
  }

  tell(name, value, why = "") {
    const shown = this.place.querySelector(`[data-name=${name}]`);
    shown.dataset.value = value;
    shown.textContent = short(value);
    shown.title = Number.isFinite(value) ? "" : why;
    shown.classList.toggle("none", !Number.isFinite(value));
  }

  draw() {
    const law = this.law;
    this.numbers(law);
    this.shapes(law);
    this.loss(law);
  }

  numbers(law) {
    const { family, state } = this, y = state.observed, possible = inside(family, y);
    const why = family.none ?? "the integral that defines it does not converge";
    ["mean", "variance", "skewness", "kurtosis"].forEach((name, i) =>
      this.tell(name, law.moments[i], why));
    this.place.querySelector(".why").textContent =
      law.moments.every(Number.isFinite) ? "" : `Not defined or infinite: ${why}.`;
    for (const level of [0.05, 0.5, 0.95]) {
      this.tell(`q${level * 100}`, family.unordered ? NaN : quantile(family, law, level), why);
    }
    this.tell("p", possible ? Math.exp(law.log(y)) : 0);
    this.tell("below", family.unordered ? NaN : law.below(y), why);
    const outside = "this y is outside the support";
    this.tell("loss", possible ? -law.log(y) : Infinity, outside);
    this.tell("slope", possible ? law.slope(y) : NaN, outside);
    this.place.querySelector(".what").textContent = family.whole ? "probability" : "density";
    this.place.querySelector(".by").textContent = `slope by ${this.predicted().symbol}`;
    this.drawn = state.levels.map(level => quantile(family, law, level));
    const mean = this.drawn.reduce((sum, one) => sum + one, 0) / DRAWS;
    this.tell("drawn", family.none ? NaN : mean, why);
    this.place.dataset.draws = JSON.stringify(this.drawn);
    this.place.dataset.values = JSON.stringify(this.values);
  }

  shapes(law) {
    const { family, state } = this, [low, high] = state.view, whole = family.whole;
    const places = whole ? state.whole.filter(y => inside(family, y))
      : between(low, high, 480).map(y => y + (high - low) / 960).filter(y => inside(family, y));
    const density = y => Math.exp(law.log(y));
    const spread = quantile(family, law, 0.95) - quantile(family, law, 0.05);
    const top = 1.1 * Math.min(whole ? 1 : 12 / spread, Math.max(...places.map(density)));
    const axes = { x: [low, high], xlabel: "y", marks: TARGETS[state.target].step === 1 && high < 8
      ? state.whole : null };
    const first = this.chart("density", { ...axes, y: [0, top],
      ylabel: whole ? "probability" : "density per unit of y",
      told: `${whole ? "Probabilities" : "Density"} of ${family.name}, and ${DRAWS} draws` });
    this.histogram(first);
    if (whole) {
      for (const y of places) {
        first.line([[y, 0], [y, density(y)]], "stem");
        first.dot(y, density(y), "", 4);
      }
    } else first.line(places.map(y => [y, density(y)]), "");
    first.across(state.observed, "observed");
    const missed = this.drawn.filter(y => y < low || y > high).length;
    if (missed) first.words(`${missed} of ${DRAWS} draws lie outside`);
    const second = this.chart("below", { ...axes, y: [0, 1.05], ylabel: "F(y)",
      told: `Distribution function of ${family.name}` });
    if (family.unordered) return second.words("none: labels have no order");
    const steps = whole ? between(low, high, 960) : [low, ...places, high];
    second.line(steps.map(y => [y, y < family.range[0] ? 0 : y > family.range[1] ? 1
      : law.below(whole ? Math.floor(y) : y)]), "");
    return second.across(state.observed, "observed");
  }

  histogram(chart) {
    const { family, state: { view: [low, high] } } = this, bins = new Map();
    const width = family.whole ? 1 : (high - low) / 40;
    for (const y of this.drawn) {
      const bin = family.whole ? y : Math.floor(y / width);
      bins.set(bin, (bins.get(bin) ?? 0) + 1);
    }
    for (const [bin, count] of bins) {
      const from = family.whole ? bin - 0.35 : bin * width;
      chart.bar(from, from + width * (family.whole ? 0.7 : 0.94), count / DRAWS / width, "drawn");
    }
  }

  loss(law) {
    const { family, state } = this, y = state.observed, along = this.predicted();
    const now = this.values[along.key];
    const curves = between(along.low, along.high, 480).map(value => {
      const other = family.law({ ...this.values, [along.key]: value });
      return inside(family, y) ? [value, -other.log(y), other.slope(y)] : [value, NaN, NaN];
    });
    const axes = { x: [along.low, along.high],
      xlabel: `prediction ${along.symbol} (${along.unit})` };
    const losses = curves.map(one => one[1]).filter(Number.isFinite);
    const low = losses.length ? Math.min(...losses) : 0;
    const high = losses.length ? Math.min(Math.max(...losses), low + 15) : 1;
    const room = 0.08 * (high - low || 1);
    const first = this.chart("loss", { ...axes, y: [low - room, high + room],
      ylabel: "loss −log p(y) (nats)", told: `Loss of ${family.name} along ${along.symbol}` });
    first.line(curves.map(([x, value]) => [x, value]), "");
    const sizes = curves.map(one => Math.abs(one[2])).filter(Number.isFinite).sort((a, b) => a - b);
    const most = sizes.length ? 1.15 * Math.min(sizes.at(-1), 3 * sizes[Math.floor(sizes.length * 0.75)]) : 1;
    const second = this.chart("slope", { ...axes, y: [-(most || 1), most || 1],
      ylabel: "its slope", told: `Slope of that loss along ${along.symbol}` });
    second.line([[along.low, 0], [along.high, 0]], "zero");
    second.line(curves.map(([x, , value]) => [x, value]), "");
    if (!inside(family, y)) return first.words("y is outside the support: infinite");
    const [at, slope] = [-law.log(y), law.slope(y)], reach = 0.12 * (along.high - along.low);
    first.line([[now - reach, at - slope * reach], [now + reach, at + slope * reach]], "tangent");
    first.dot(now, at, "");
    return second.dot(now, slope, "");
  }
}

// A labelled slider, with its range and its unit.
function slider({ symbol, words, unit, low, high, step, key }, value, moved) {
  const made = document.getElementById("slider").content.firstElementChild.cloneNode(true);
  const [input, number] = [made.querySelector("input"), made.querySelector("output")];
  const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
  const tell = () => {
    number.textContent = Number(input.value).toFixed(digits).replace("-", "−");
    input.setAttribute("aria-valuetext", `${number.textContent} ${unit}`);
  };
  made.querySelector(".symbol").textContent = symbol;
  made.querySelector(".words").textContent = words;
  made.querySelector(".span").textContent =
    `${low} to ${high}, ${unit}`.replaceAll("-", "−");
  Object.assign(input, { min: low, max: high, step, value, name: key });
  tell();
  input.addEventListener("input", () => {
    tell();
    moved(Number(input.value));
  });
  return made;
}
