// Predictions: asked, kept in this browser, compared where the answer is told.
"use strict";
const SHELF = "course-predictions";
const quoted = (words) => (words.includes("'") && !words.includes('"') ? `"${words}"`
  : `'${words.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`);

function book() {
  try {
    return JSON.parse(localStorage.getItem(SHELF)) ?? {};
  } catch {
    return {}; // no storage here, or not ours
  }
}

function keep(name, answer) {
  try {
    localStorage.setItem(SHELF, JSON.stringify({...book(), [name]: answer}));
    return "(kept)";
  } catch {
    return "(not kept: this browser refuses to)";
  }
}

// Six digits, as Python's format "g" writes them.
function six(x) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  if (x === 0) return Object.is(x, -0) ? "-0" : "0";
  const [digits, power] = x.toExponential(5).split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 6) {
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return `${String(Number(digits))}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  const fixed = x.toFixed(Math.max(0, 5 - exponent));
  return fixed.includes(".") ? fixed.replace(/\.?0+$/, "") : fixed;
}

function number(text) {
  const word = text.trim().toLowerCase().replace(/(?<=\d)_(?=\d)/g, "");
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(word)) return Number(word);
  if (/^[+-]?nan$/.test(word)) return NaN;
  const infinite = /^([+-]?)inf(inity)?$/.exec(word);
  return infinite ? (infinite[1] === "-" ? -Infinity : Infinity) : undefined;
}

const shown = (kind, answer) => (kind === "number" ? six(number(answer)) : quoted(answer));

function verdict(facts, guess) {
  if (facts.kind !== "number") return guess === facts.truth ? "right" : "not this time";
  const [is, truth] = [number(guess), number(facts.truth)];
  if (is === truth || (Number.isNaN(is) && Number.isNaN(truth))) return "right";
  if (!Number.isFinite(is - truth)) return "not this time";
  const off = Math.abs(is - truth);
  if (off <= facts.within) return `right within ${six(facts.within)}`;
  return `off by ${six(off)}${is * truth < 0 ? ", on the other side of zero" : ""}`;
}

// The sentence that belongs to a wrong answer, or "".
function why(facts, guess) {
  const near = ([wrong]) => {
    if (facts.kind !== "number") return wrong === guess;
    const [a, b] = [number(guess), number(wrong)];
    return a === b || Math.abs(a - b) <= Math.max(facts.within, 0.02 * Math.abs(b));
  };
  return facts.because.find(near)?.[1] ?? "";
}

function tell(name) {
  const guess = book()[name];
  for (const place of document.querySelectorAll(`.reveal[data-name="${name}"]`)) {
    const facts = JSON.parse(place.dataset.facts);
    const answer = `${facts.shown} ${facts.unit}`.trimEnd();
    if (guess === undefined) continue;
    const how = verdict(facts, guess);
    const sentence = how.startsWith("right") ? "" : why(facts, guess);
    place.textContent = `You predicted ${shown(facts.kind, guess)}; the answer is ${answer}: `
      + `${how}.${sentence && "\n" + sentence}`;
    place.classList.add("compared");
  }
}

function open(name) {
  for (const fold of document.querySelectorAll(`details.fold[data-fold="${name}"]`)) {
    fold.open = true;
  }
}

function commit(form, told) {
  const {name, kind} = form.dataset;
  const field = form.querySelector("input:checked, input[type=text], textarea");
  const answer = field?.value.trim() ?? "";
  const wanted = {
    choice: answer ? "" : "choose one of the answers",
    number: number(answer) === undefined ? "the answer is a number, such as 0.35 or 1e-3" : "",
    words: answer ? "" : "the answer is in words of your own",
  }[kind];
  if (wanted) {
    told.textContent = `Not yet: ${wanted}${answer && `; got '${answer}'`}.`;
    return;
  }
  const how = keep(name, answer);
  settle(form, answer);
  told.textContent = `Your prediction: ${shown(kind, answer)} ${how}`;
  if (how === "(kept)") tell(name);
  open(name);
}

// The first answer stays: what was committed cannot be changed.
function settle(form, answer) {
  for (const field of form.querySelectorAll("input, textarea")) {
    if (field.type !== "radio") field.value = answer;
    else field.checked = field.value === answer;
  }
  form.querySelector("fieldset").disabled = true;
}

for (const form of document.querySelectorAll("form.prediction")) {
  const told = form.querySelector(".told");
  const kept = book()[form.dataset.name];
  if (kept !== undefined) {
    settle(form, kept);
    told.textContent = `Your prediction: ${shown(form.dataset.kind, kept)}`;
    tell(form.dataset.name);
    open(form.dataset.name);
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    commit(form, told);
  });
}

for (const button of document.querySelectorAll("button.forget")) {
  button.addEventListener("click", () => {
    localStorage.removeItem(SHELF);
    button.parentElement.querySelector(".told").textContent = "Forgotten.";
  });
}

// Printing opens what is folded.
addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("details:not([open])")) {
    fold.dataset.printed = "";
    fold.open = true;
  }
});
addEventListener("afterprint", () => {
  for (const fold of document.querySelectorAll("details[data-printed]")) {
    delete fold.dataset.printed;
    fold.open = false;
  }
});
