// The visitor's points, and the constant that each family predicts for them.
const MOST = 60;

// The prediction that makes points most probable, the other parameters as the sliders stand.
function fitted(card, points) {
  const { family, values, parameters: [first] } = card;
  const outside = [...new Set(points.filter(y => !inside(family, y)))];
  if (!points.length || outside.length) return { outside, minima: [] };
  if (family.predicted) {
    const share = k => points.filter(y => y === k).length / points.length;
    return { outside, minima: [], shares: LABELS.map(share) };
  }
  const at = value => family.law({ ...values, [first.key]: value });
  const total = (value, what) => {
    const law = at(value);
    return points.reduce((sum, y) => sum + what(law, y), 0);
  };
  const loss = value => total(value, (law, y) => -law.log(y));
  const slope = value => total(value, (law, y) => law.slope(y));
  const hull = [Math.min(...points), Math.max(...points)];
  const [low, high] = family.reach?.(hull, values, points) ?? hull;
  return { outside, loss, minima: minima(loss, slope, low, high) };
}

class Points {
  constructor(place, state, cards) {
    Object.assign(this, { place, state, cards, next: 0, chosen: null, held: false, kept: {} });
    this.strip = place.querySelector("[data-chart=points]");
    this.strip.addEventListener("pointerdown", event => this.press(event));
    this.strip.addEventListener("pointermove", event => this.held && this.move(event));
    this.strip.addEventListener("pointerup", () => { this.held = false; });
    this.strip.addEventListener("pointercancel", () => this.scrolled());
    // A finger on a point drags it; anywhere else it may scroll the page.
    this.strip.addEventListener("touchstart", event => {
      if (event.target.closest("[data-id]")) event.preventDefault();
    }, { passive: false });
    this.strip.addEventListener("keydown", event => this.key(event));
    this.strip.addEventListener("focusin", event => this.choose(event.target));
    const buttons = { add: () => this.add(this.state.observed), remove: () => this.remove(),
      empty: () => this.set([]), again: () => this.set(TARGETS[this.state.target].points) };
    for (const [name, act] of Object.entries(buttons)) {
      place.querySelector(`[name=${name}]`).addEventListener("click", act);
    }
  }

  get all() {
    const { target } = this.state;
    return this.kept[target] ??= TARGETS[target].points.map(y => this.made(y));
  }

  made(y) { return { y, id: String(this.next += 1) }; }

  set(values) {
    this.kept[this.state.target] = values.map(y => this.made(y));
    this.chosen = null;
    this.draw();
  }

  snapped(y) {
    const { low, high, step } = TARGETS[this.state.target];
    const near = Math.round((Math.min(high, Math.max(low, y)) - low) / step);
    return Number((low + near * step).toFixed(6));
  }

  add(y) {
    if (this.all.length >= MOST) return false;
    const point = this.made(this.snapped(y));
    this.all.push(point);
    this.chosen = point.id;
    this.draw();
    return true;
  }

  remove() {
    this.kept[this.state.target] = this.all.filter(one => one.id !== this.chosen);
    this.chosen = this.all.at(-1)?.id ?? null;
    this.draw();
  }

  choose(element) {
    const id = element.closest("[data-id]")?.dataset.id;
    if (!id || id === this.chosen) return;
    this.chosen = id;
    for (const one of this.strip.querySelectorAll("[data-id]")) {
      one.classList.toggle("chosen", one.dataset.id === id);
    }
  }

  where(event) {
    return this.chart.left(event.clientX - this.strip.getBoundingClientRect().left);
  }

  // A press on a point takes it; anywhere else it makes one. Either can be dragged on.
  press(event) {
    if (event.button) return;
    const taken = event.target.closest("[data-id]");
    if (taken) this.choose(event.target);
    else if (!this.add(this.where(event))) return;
    [this.held, this.fresh] = [true, !taken];
    this.strip.setPointerCapture(event.pointerId);
    event.preventDefault();
    this.focus();
  }

  // The browser took the finger's movement for a scroll: what its touch added was not meant.
  scrolled() {
    if (this.held && this.fresh) this.remove();
    this.held = false;
  }

  move(event) { this.shift(this.where(event)); }

  shift(y) {
    const point = this.all.find(one => one.id === this.chosen), to = this.snapped(y);
    if (!point || point.y === to) return;
    point.y = to;
    this.draw();
  }

  key(event) {
    const point = this.all.find(one => one.id === event.target.closest("[data-id]")?.dataset.id);
    const { step } = TARGETS[this.state.target], { key } = event;
    const moves = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 };
    if (point && key in moves) this.shift(point.y + moves[key] * step);
    else if (point && ["Delete", "Backspace"].includes(key)) {
      this.remove();
      this.focus();
    } else return;
    event.preventDefault();
  }

  focus() {
    this.strip.querySelector(`[data-id="${this.chosen}"]`)?.focus({ preventScroll: true });
  }

  draw() {
    const focused = this.strip.contains(document.activeElement);
    const points = this.all.map(one => one.y);
    const fits = this.cards.map(card => fitted(card, points));
    this.curves(fits);
    this.dots(fits);
    fits.forEach((fit, i) => this.told(fit, i));
    const sorted = [...points].sort((a, b) => a - b), n = points.length;
    const mean = points.reduce((sum, y) => sum + y, 0) / n;
    const median = 0.5 * (sorted[(n - 1) >> 1] + sorted[n >> 1]);
    this.place.querySelector(".summary").textContent =
      n ? `${n} points${n === MOST ? ", as many as fit" : ""}: mean ${short(mean)}, median ${short(median)}.` : "No points yet.";
    this.place.dataset.points = JSON.stringify(points);
    this.place.querySelector("[name=remove]").disabled = !this.all.some(one => one.id === this.chosen);
    if (focused) this.focus();
  }

  curves(fits) {
    const { state } = this, svg = this.place.querySelector("[data-chart=total]");
    const shown = fits.some((fit, i) => fit.minima.length && !this.cards[i].family.apart);
    svg.classList.toggle("empty", !shown);
    const chart = new Chart(svg, {
      x: state.view, y: [-0.4, 10], xlabel: "one prediction for all points",
      ylabel: "NLL above its minimum (nats)", told: "Sum of the losses of all points, per family" });
    fits.forEach((fit, i) => {
      const { family } = this.cards[i], [best] = fit.minima;
      if (!best || family.apart) return;
      chart.line(between(...state.view, 300).map(x => [x, fit.loss(x) - best.loss]), "ab"[i]);
      chart.across(best.at, "ab"[i]);
      for (const { at, loss } of fit.minima) chart.dot(at, loss - best.loss, "ab"[i]);
    });
  }

  dots(fits) {
    const { state } = this, target = TARGETS[state.target], height = 3.2;
    this.chart = new Chart(this.strip, { x: state.view, y: [0, 1e-9 + height], xlabel: "y",
      ylabel: "points", told: "Your points",
      marks: target.step === 1 && target.high < 8 ? state.whole : null });
    this.strip.querySelectorAll(".grid, .end").forEach(one => one.remove());
    fits.forEach((fit, i) => fit.minima.length && !this.cards[i].family.apart
      && this.chart.across(fit.minima[0].at, "ab"[i]));
    const placed = [];
    for (const { y, id } of [...this.all].sort((a, b) => a.y - b.y)) {
      const x = this.chart.right(y);
      let level = 0;
      while (placed.some(one => one.level === level && Math.abs(one.x - x) < 15)) level += 1;
      placed.push({ x, level });
      const up = this.chart.height - MARGIN.bottom - 10 - level * Math.min(16, 90 / this.levels());
      const dot = shape("g", { "data-id": id, tabindex: 0, role: "slider", "aria-label": "point",
        "aria-valuenow": y, "aria-valuemin": target.low, "aria-valuemax": target.high,
        class: id === this.chosen ? "point chosen" : "point" });
      dot.append(shape("circle", { cx: x, cy: up, r: 14, class: "reach" }),
        shape("circle", { cx: x, cy: up, r: 7, class: "seen" }));
      this.strip.append(dot);
    }
  }

  // How many points stand above each other at most, roughly.
  levels() {
    const counts = new Map();
    for (const { y } of this.all) counts.set(y, (counts.get(y) ?? 0) + 1);
    return Math.max(6, ...counts.values());
  }

  told(fit, i) {
    const place = this.place.querySelectorAll(".fit")[i], { family, parameters } = this.cards[i];
    const symbol = family.apart ?? parameters[0].symbol, [best, ...others] = fit.minima;
    const more = others.length ? ` Other minima: ${others.map(o => short(o.at)).join(", ")}.` : "";
    place.querySelector("b").textContent = family.name;
    place.querySelector("span").textContent = fit.outside.length
      ? ` gives ${fit.outside.map(short).join(", ")} probability zero: its support is ${family.support}.`
      : fit.shares ? ` predicts ${fit.shares.map(short).join(", ")}: ${family.constant}.`
      : best ? ` predicts ${symbol} = ${short(best.at)}: ${family.constant}.${more}` : " has nothing to predict.";
    place.dataset.fit = JSON.stringify({ outside: fit.outside, shares: fit.shares ?? null,
      minima: fit.minima.map(one => one.at), loss: best?.loss ?? null });
  }
}
