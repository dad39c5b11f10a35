// Charts in SVG, drawn at the size that they have on the page.
const SPACE = "http://www.w3.org/2000/svg";
const MARGIN = { left: 46, right: 10, top: 10, bottom: 36 };

function shape(name, attributes = {}, text = null) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== null) made.textContent = text;
  return made;
}

// About n round places between two numbers.
function ticks(low, high, n) {
  const rough = (high - low) / n, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(one => one * power >= rough);
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

class Chart {
  // Axes from x[0] to x[1] and y[0] to y[1]; `told` is what a screen reader says.
  constructor(svg, { x, y, xlabel, ylabel, told, marks = null }) {
    const box = svg.getBoundingClientRect();
    Object.assign(this, { svg, x, y, width: Math.max(box.width, 200), height: box.height || 200 });
    svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    svg.setAttribute("aria-label", told);
    svg.replaceChildren();
    this.inner = [this.width - MARGIN.left - MARGIN.right, this.height - MARGIN.top - MARGIN.bottom];
    this.axes(xlabel, ylabel, marks ?? ticks(...x, this.inner[0] / 48));
    const [width, height] = this.inner;
    const clip = shape("svg", { x: MARGIN.left, y: MARGIN.top, width, height });
    clip.append(this.plot = shape("g", { transform: `translate(${-MARGIN.left} ${-MARGIN.top})` }));
    svg.append(clip);
  }

  right(x) { return MARGIN.left + (x - this.x[0]) / (this.x[1] - this.x[0]) * this.inner[0]; }
  down(y) { return MARGIN.top + (this.y[1] - y) / (this.y[1] - this.y[0]) * this.inner[1]; }
  left(px) { return this.x[0] + (px - MARGIN.left) / this.inner[0] * (this.x[1] - this.x[0]); }

  axes(xlabel, ylabel, marks) {
    const bottom = this.height - MARGIN.bottom, end = this.width - MARGIN.right;
    const add = (name, attributes, text) => this.svg.append(shape(name, attributes, text));
    const short = value => String(Number(value.toPrecision(6))).replace("-", "−");
    for (const at of marks) {
      add("text", { x: this.right(at), y: bottom + 14, class: "tick middle" }, short(at));
    }
    for (const at of ticks(...this.y, this.inner[1] / 32)) {
      const y = this.down(at);
      add("line", { x1: MARGIN.left, x2: end, y1: y, y2: y, class: "grid" });
      add("text", { x: MARGIN.left - 5, y: y + 4, class: "tick end" }, short(at));
    }
    add("line", { x1: MARGIN.left, x2: end, y1: bottom, y2: bottom, class: "axis" });
    add("text", { x: (MARGIN.left + end) / 2, y: this.height - 5, class: "name middle" }, xlabel);
    const middle = (MARGIN.top + bottom) / 2;
    add("text", { transform: `translate(11 ${middle}) rotate(-90)`, class: "name middle" }, ylabel);
  }

  // A line through pairs; it breaks where a value is not finite.
  line(pairs, kind) {
    let path = "", open = false;
    for (const [x, y] of pairs) {
      if (Number.isFinite(y)) {
        const far = Math.max(-2000, Math.min(2000, this.down(y)));
        path += `${open ? "L" : "M"}${this.right(x).toFixed(2)} ${far.toFixed(2)}`;
      }
      open = Number.isFinite(y);
    }
    this.plot.append(shape("path", { d: path, class: `line ${kind}` }));
  }

  // A bar from zero between two places.
  bar(from, to, height, kind) {
    const y = this.down(height), base = this.down(0);
    const size = { x: this.right(from), y, width: this.right(to) - this.right(from) };
    this.plot.append(shape("rect", { ...size, height: Math.max(0, base - y), class: kind }));
  }

  // A vertical line over the whole height.
  across(x, kind) {
    const at = this.right(x), ends = { y1: MARGIN.top, y2: this.height - MARGIN.bottom };
    this.plot.append(shape("line", { x1: at, x2: at, ...ends, class: `across ${kind}` }));
  }

  dot(x, y, kind, radius = 5) {
    const at = { cx: this.right(x), cy: this.down(y), r: radius, class: `dot ${kind}` };
    this.plot.append(shape("circle", at));
  }

  // Words inside the plot, in its upper corner.
  words(text) {
    const at = { x: MARGIN.left + 6, y: MARGIN.top + 14, class: "tick inside" };
    this.plot.append(shape("text", at, text));
  }
}
