"use strict";
// What students wrote is shown by textContent alone: it is never HTML.
const page = JSON.parse(document.getElementById("data").textContent);
const answers = page.answers;
const find = id => document.getElementById(id);
const [points, comment, told, together] = ["points", "comment", "told", "together"].map(find);
const ticks = [...document.querySelectorAll(".tick")];
// What turns the direction of writing is shown, so that the text reads as it was typed.
const plain = text => text.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
  sign => `⟨U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
const typing = element => element.matches("textarea, input[type=number]");
let at = 0, saving = false;

// A draft is what stands in the form and is not saved.
const fresh = answer => ({
  ticks: ticks.map(() => false), points: answer.points ?? "", comment: answer.comment,
  together: false, changed: false,
});
const draft = () => answers[at].draft ??= fresh(answers[at]);
const alike = answer => answers.filter(one => one.text.trim() === answer.text.trim());

function tell(words, warn = false, choices = {}) {
  told.className = warn ? "warn" : "";
  told.textContent = words;
  for (const [name, act] of Object.entries(choices)) {
    const button = document.createElement("button");
    button.textContent = name;
    button.onclick = act;
    told.append(button);
  }
  told.querySelector("button")?.focus();
}

function state(answer) {
  if (answer.waits) return answer.points === null ? "waits" : `had ${answer.points}, text changed`;
  return answer.points === null ? "left empty" : `${answer.points} of ${page.possible}`;
}

function show(place) {
  at = Math.max(0, Math.min(answers.length - 1, place));
  const answer = answers[at], written = draft(), same = alike(answer);
  find("which").textContent = `Answer ${at + 1}`;
  find("text").textContent = plain(answer.text);
  find("text").scrollTop = 0;
  ticks.forEach((box, i) => { box.checked = written.ticks[i]; });
  points.value = written.points;
  comment.value = written.comment;
  together.checked = written.together;
  find("alike").hidden = same.length < 2;
  find("alike").querySelector("span").textContent =
    `${same.length} wrote exactly this: grade them together`;
  overview();
}

function overview() {
  const answer = answers[at], same = alike(answer);
  const done = answers.filter(one => !one.waits).length;
  find("count").textContent = `${done} of ${answers.length} graded`;
  [find("bar").max, find("bar").value] = [answers.length, done];
  find("state").textContent = state(answer);
  find("state").classList.toggle("done", !answer.waits);
  find("who").textContent = find("names").checked ? answer.name : "";
  answers.forEach((one, i) => {
    const mark = find("strip").children[i];
    mark.classList.toggle("done", !one.waits);
    mark.classList.toggle("draft", Boolean(one.draft?.changed));
    mark.classList.toggle("same", same.length > 1 && same.includes(one));
    mark.toggleAttribute("aria-current", i === at);
    mark.title = `Answer ${i + 1}: ${state(one)}`;
    mark.setAttribute("aria-label", mark.title);
  });
  find("strip").children[at].scrollIntoView({ block: "nearest" });
}

function note(event) {
  const written = draft();
  written.ticks = ticks.map(box => box.checked);
  if (ticks.includes(event?.target)) {
    const sum = page.lines.reduce((total, line, i) => total + line * written.ticks[i], 0);
    points.value = Math.min(page.possible, sum);
  }
  Object.assign(written, { points: points.value, comment: comment.value });
  Object.assign(written, { together: together.checked, changed: true });
  tell("");
  overview();
}

function tick(number) {
  if (number === 0) {
    ticks.forEach(box => { box.checked = false; });
    points.value = 0;
    note();
  } else {
    ticks[number - 1]?.click();
  }
}

async function save() {
  const answer = answers[at], chosen = together.checked ? alike(answer) : [answer];
  if (saving) return;
  if (points.value === "" || !points.checkValidity()) {
    tell(`Points from 0 to ${page.possible}, in halves: tick a line, or press 0 for none.`, true);
    return;
  }
  saving = true;
  const seen = Object.fromEntries(chosen.map(one => [one.key, one.seen]));
  const sent = { question: page.question, seen, comment: comment.value };
  sent.points = points.valueAsNumber;
  try {
    const got = await fetch("save", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Token": page.token },
      body: JSON.stringify(sent),
    });
    settle(got.status, await got.json());
  } catch {
    tell("Nothing was saved: nobody answers. Is `make words` still running?", true);
  } finally {
    saving = false;
  }
}

function settle(status, { now = [], problem }) {
  if (status === 409) overtaken(now);
  else if (status !== 200) tell(`Nothing was saved: ${problem}`, true);
  else {
    const ticked = draft().ticks;
    now.map(take).forEach(one => { one.draft = { ...fresh(one), ticks: [...ticked] }; });
    const waits = [...answers.keys()].filter(i => answers[i].waits);
    const next = waits.find(i => i > at) ?? waits[0] ?? at + 1;
    document.activeElement?.blur();
    const many = now.length > 1 ? ` for ${now.length} answers` : "";
    const words = `Saved: ${now[0].points} of ${page.possible}${many}.`;
    show(next);
    tell(waits.length ? words : `${words} All ${answers.length} are graded.`);
  }
}

function take(saved) {
  const answer = answers.find(one => one.key === saved.key);
  return Object.assign(answer, saved, { draft: undefined });
}

function overtaken(now) {
  const other = now.filter(one => one.seen !== answers.find(a => a.key === one.key).seen);
  const reread = other.some(one => one.text !== answers.find(a => a.key === one.key).text);
  if (!other.length || reread) {
    other.forEach(one => Object.assign(answers.find(a => a.key === one.key), one));
    show(at);
    tell(other.length ? "Not saved: the student handed in another text, shown now. Read it again."
      : "Not saved: this answer is no longer in the gradebook. Load the page again.", true);
    return;
  }
  const { points: theirs, comment: words } = other[0];
  const given = theirs === null ? "took the points away" : `gave ${theirs} of ${page.possible}`;
  tell(`Not saved: somebody else ${given}${words ? `, and wrote “${words}”` : ""}.`, true, {
    "Keep theirs": () => { other.forEach(take); show(at); tell("Kept theirs."); },
    "Save mine": () => {
      other.forEach(one => { answers.find(a => a.key === one.key).seen = one.seen; });
      save();
    },
  });
}

const keys = {
  j: () => show(at + 1), ArrowRight: () => show(at + 1),
  k: () => show(at - 1), ArrowLeft: () => show(at - 1),
  ArrowDown: pane => pane.scrollBy(0, 60), ArrowUp: pane => pane.scrollBy(0, -60),
  c: () => comment.focus(), p: () => points.select(),
  n: () => find("names").click(), m: () => find("model").toggleAttribute("open"),
  g: () => find("alike").hidden || together.click(),
};

function pressed(event) {
  const { key, target } = event;
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (key === "Escape") target.blur();
  else if (key === "Enter" && !event.shiftKey && !target.matches("button, summary, a")) {
    if (!event.repeat) save();  // a key held down grades nobody by accident
  }
  else if (typing(target) && !(target === points && "cjkgmn".includes(key))) return;
  else if (/^[0-9]$/.test(key)) tick(Number(key));
  else if (keys[key]) keys[key](target.closest("#asked") ?? find("text"));
  else return;
  event.preventDefault();
}

function start() {
  if (!answers.length) {
    find("desk").textContent = "Nobody has answered in words yet, or nothing was graded yet.";
    return;
  }
  answers.forEach((_, i) => {
    const mark = document.createElement("button");
    Object.assign(mark, { type: "button", tabIndex: -1, onclick: () => show(i) });
    find("strip").append(mark);
  });
  find("form").oninput = note;
  find("form").onsubmit = event => { event.preventDefault(); save(); };
  together.oninput = note;
  find("names").oninput = overview;
  document.addEventListener("keydown", pressed);
  window.addEventListener("beforeunload", event => {
    if (answers.some(one => one.draft?.changed)) event.preventDefault();
  });
  show(0);
}

start();
