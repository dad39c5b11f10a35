// The page: two cards, one observation, one set of points.
const PAGE = JSON.parse(document.getElementById("data").textContent);
const state = { target: "real", observed: 2, seed: 1, kept: {} };

function drawLevels() {
  const next = uniform(state.seed);
  state.levels = Array.from({ length: DRAWS }, next);
  document.body.dataset.levels = JSON.stringify(state.levels);
}

// The target is the one that allows the least of what the two families promise.
function aim() {
  const order = Object.keys(TARGETS), families = cards.map(card => card.family);
  state.target = order[Math.max(...families.map(family => order.indexOf(family.target)))];
  const { low, high, step, observed, words } = TARGETS[state.target], width = high - low;
  const below = state.target !== "real" && families.some(one => one.range[0] === -Infinity);
  const edge = step === 1 ? 0.6 : 0.03 * width;
  state.view = [low - (below ? 0.3 * width : edge), high + edge];
  state.whole = between(low, high, Math.round(width)).map(Math.round);
  state.observed = state.kept[state.target] ??= observed;
  document.querySelector(".target").textContent = words;
  const shown = { symbol: "y", words: `observed: ${words}`, unit: Y_UNIT, key: "observed" };
  document.querySelector(".observed").replaceChildren(
    slider({ ...shown, low, high, step }, state.observed, value => {
      state.observed = state.kept[state.target] = value;
      draw();
    }));
  for (const card of cards) card.build();
}

function draw() {
  for (const card of cards) card.draw();
  points.draw();
}

// #normal,laplace in the address: the two families to begin with.
function asked() {
  const named = location.hash.slice(1).split(",").filter(name => Object.hasOwn(FAMILIES, name));
  return [named[0] ?? "normal", named[1] ?? (named[0] === "laplace" ? "normal" : "laplace")];
}

const cards = [...document.querySelectorAll(".card")].map((place, i) => {
  const card = new Card(place, asked()[i], state, what => {
    if (what === "family") {
      aim();
      draw();
    } else {
      card.draw();
      points.draw();
    }
  });
  return card;
});
const points = new Points(document.querySelector(".data"), state, cards);
document.querySelector("[name=redraw]").addEventListener("click", () => {
  state.seed += 1;
  drawLevels();
  draw();
});
window.addEventListener("hashchange", () => {
  cards.forEach((card, i) => { card.key = card.chosen.value = asked()[i]; });
  aim();
  draw();
});
drawLevels();
aim();
draw();
let width = document.body.clientWidth;
new ResizeObserver(() => {
  if (width !== document.body.clientWidth) draw();
  width = document.body.clientWidth;
}).observe(document.body);
