// The editor of a register map: two sheets (points, settings), checked by the platform while one
// types, kept as a draft, handed in.

import { at, make } from "./elements.js";
import { Sheet } from "./sheet.js";

const start = JSON.parse(at("start").textContent);
const said = at("texts").dataset;
const here = location.pathname;
const KEPT = `map ${here} ${document.body.dataset.user}`; // what was not saved, in this tab
const CHECK_AFTER = 300; // ms without a key
const SAVE_AFTER = 20_000;
let found = start.found;
let edits = start.edits;
let isSaved = true;

// --- the two sheets ---

function list(name, choices) {
  const id = `choices-${name}`;
  if (!at(id)) document.body.append(make("datalist", { id }, ...choices.map((text) => new Option(text))));
  return () => id;
}

const inWords = (n) => said.row.replace("{n}", n);
const settings = new Sheet(at("settings"), {
  columns: [
    { key: "check", kind: "check", head: said.check, tell: (r, rows) => verdict(r + 1, rows[r][1]) },
    { key: "name", kind: "mono", head: said.setting, tell: (r, rows) => `@${rows[r][0]}` },
    { key: "text", head: said.value, at: 1, choices: (r, rows) => settingChoices(rows[r][0]) },
    { key: "meaning", kind: "meaning", head: said.meaning, tell: (r, rows) => start.settingNames[rows[r][0]] ?? "" },
  ],
  rows: start.settings,
  blank: 2,
  limit: start.settings.length,
  grows: false,
  firstRow: () => 1,
  label: inWords,
});

function settingChoices(name) {
  const choices = start.settingChoices[name];
  return choices ? list(`setting-${name}`, choices)() : "";
}

const firstPoint = () => settings.rows.length + 2;
const shown = new Set(start.usual);

// The columns that are chosen or filled; what the platform says stands beside them.
function columns(rows) {
  const all = start.columns.map(({ key, head }, at) => ({ key, head, at }));
  for (const column of all) {
    if (start.choices[column.key]) column.choices = list(column.key, start.choices[column.key]);
    if (rows.some((row) => row[column.at])) shown.add(column.key);
  }
  const seen = all.filter(({ key }) => shown.has(key));
  const wire = { key: "wire", kind: "wire", head: said.wire, tell: (r, rows) => wireOf(r, rows) };
  const check = { key: "check", kind: "check", head: said.check };
  check.tell = (r, rows) => verdict(firstPoint() + r, !isBlank(rows[r]));
  const place = seen.findIndex(({ key }) => key === "address") + 1;
  return [check, ...seen.slice(0, place), wire, ...seen.slice(place)];
}

function wireOf(r, rows) {
  return found.wire[firstPoint() + r] ?? (isBlank(rows[r]) ? "" : "—");
}

function isBlank(row) {
  return !row || row.every((text) => !text);
}

// Beside a row: what is the matter with it, in a word.
function verdict(row, isThere) {
  const here = found.cells.filter(([number]) => number === row);
  const [first] = [...here.filter((cell) => cell[2] === "bad"), ...here];
  if (first) return make("span", { className: `st st-${first[2]}`, textContent: first[3], title: first[4] });
  if (!isThere) return "";
  const words = make("span", { className: "visually-hidden", textContent: said.good });
  return make("span", { className: "st st-ok bare" }, words);
}

const points = new Sheet(at("points"), {
  columns: columns(start.points),
  rows: start.points,
  blank: start.columns.length,
  limit: start.limit,
  grows: true,
  firstRow: firstPoint,
  label: inWords,
});

// --- what the platform found ---

function showFound(answer) {
  found = answer;
  const marks = { points: new Map(), settings: new Map() };
  for (const [row, column, kind, , reason] of found.cells) {
    const isSetting = column.startsWith("@");
    const r = isSetting ? settings.rows.findIndex(([name]) => `@${name}` === column) : row - firstPoint();
    const into = isSetting ? marks.settings : marks.points;
    const key = `${r} ${isSetting ? "text" : column}`;
    if (into.get(key)?.kind !== "bad") into.set(key, { kind, reason });
    if (!isSetting && start.columns.some(({ key }) => key === column) && !shown.has(column)) show(column);
  }
  points.mark(marks.points);
  settings.mark(marks.settings);
  points.paintTold();
  settings.paintTold();
  at("findings").innerHTML = found.findings;
  at("annex").innerHTML = found.annex;
  const wrong = [...marks.settings.values()].filter(({ kind }) => kind === "bad").length;
  at("settings-wrong").textContent = wrong ? `${said.mistakes} ${wrong}` : "";
  at("totals").replaceChildren(
    ...[["bad", said.mistakes, found.mistakes], ["warn", said.reminders, found.reminders]]
      .filter(([, , n]) => n)
      .map(([kind, words, n]) => make("span", { className: `st st-${kind}`, textContent: `${words} ${n}` })),
  );
  const button = at("hand-in");
  button.disabled = found.mistakes > 0;
  button.textContent = found.mistakes ? button.dataset.wrong.replace("{n}", found.mistakes) : button.dataset.ready;
}

function showSides() {
  const used = points.rows.filter((row) => !isBlank(row)).length;
  at("count").textContent = said.rows.replace("{n}", used);
  const of = Object.fromEntries(settings.rows);
  const words = Object.entries(start.inWords).map(([name, known]) => known[of[name]] ?? (of[name] || known[""]));
  at("settings-line").textContent = [`${of.baud || 9600} ${of.parity || "N"} ${of.stop_bits || 1}`, ...words].join("，");
  const select = at("signal");
  const chosen = select.value;
  const signal = start.columns.findIndex(({ key }) => key === "signal");
  select.replaceChildren(
    ...points.rows
      .map((row, r) => [row[signal], firstPoint() + r])
      .filter(([name]) => name)
      .map(([name, row]) => new Option(`${start.signalNames[name] ?? name}（${inWords(row)}）`, row)),
  );
  if ([...select.options].some((option) => option.value === chosen)) select.value = chosen;
}

function show(key) {
  shown.add(key);
  points.columns = columns(points.rows);
  points.render();
  columnMenu();
}

function columnMenu() {
  at("columns").replaceChildren(
    ...start.columns.map(({ key, head }, place) => {
      const box = make("input", { type: "checkbox", className: "form-check-input", checked: shown.has(key) });
      box.disabled = points.rows.some((row) => row[place]) || ["signal", "address"].includes(key);
      box.addEventListener("change", () => {
        if (box.checked) return show(key);
        shown.delete(key);
        points.columns = columns(points.rows);
        points.render();
      });
      return make("label", { className: "check" }, box, make("span", { textContent: head }));
    }),
  );
}

// --- asking the platform ---

function sheet() {
  const rows = points.rows.slice();
  while (rows.length && isBlank(rows.at(-1))) rows.pop();
  return { settings: settings.rows, points: rows };
}

async function ask(what, more = {}) {
  const headers = { "Content-Type": "application/json", ...JSON.parse(document.body.getAttribute("hx-headers")) };
  const body = JSON.stringify({ ...sheet(), ...more });
  const answer = await fetch(`${here}${what}/`, { method: "POST", headers, body, redirect: "manual" }).catch(() => null);
  if (!answer) return { trouble: said.lost };
  if (answer.type === "opaqueredirect" || answer.status === 403) return { trouble: said.signedout };
  if (!answer.headers.get("Content-Type")?.includes("json")) {
    return answer.ok ? { html: await answer.text() } : { trouble: said.lost };
  }
  const told = await answer.json();
  return answer.ok ? told : { trouble: told.error, edits: told.edits };
}

let asked = 0;
async function check() {
  showSides();
  const mine = (asked += 1);
  const answer = await ask("check");
  if (mine !== asked) return; // somebody typed on meanwhile
  if (answer.trouble) return tellTrouble(answer, true);
  if (isPassing) at("trouble").hidden = true;
  showFound(answer);
}

let saving = null;
async function save() {
  if (saving) await saving;
  if (isSaved) return true;
  clearTimeout(saveLater);
  at("saved").textContent = said.saving;
  const sent = JSON.stringify(sheet());
  saving = ask("save", { edits });
  const answer = await saving;
  saving = null;
  if (answer.trouble) {
    at("saved").textContent = said.unsaved;
    tellTrouble(answer);
    return false;
  }
  edits = answer.edits;
  at("submit").elements.edits.value = edits;
  isSaved = sent === JSON.stringify(sheet());
  at("saved").textContent = isSaved ? answer.said : said.unsaved;
  at("trouble").hidden = true;
  if (isSaved) sessionStorage.removeItem(KEPT);
  return true;
}

// What a check could not ask is over with the next one that could; the rest stays to be read.
let isPassing = false;
function tellTrouble({ trouble, edits: theirs }, passes = false) {
  if (passes && !at("trouble").hidden && !isPassing) return;
  isPassing = passes;
  const note = at("trouble");
  note.querySelector("span").textContent = trouble;
  note.hidden = false;
  for (const button of note.querySelectorAll("button")) button.hidden = theirs === undefined;
  note.querySelector("[data-overwrite]").onclick = async () => {
    edits = theirs;
    await save();
  };
  note.querySelector("[data-reload]").onclick = () => {
    sessionStorage.removeItem(KEPT);
    location.reload();
  };
}

let checkLater = 0;
let saveLater = 0;
function changed() {
  isSaved = false;
  at("saved").textContent = said.unsaved;
  try {
    sessionStorage.setItem(KEPT, JSON.stringify({ edits, ...sheet() }));
  } catch {
    // A full or forbidden store keeps nothing; what is on the page stays there.
  }
  clearTimeout(checkLater);
  checkLater = setTimeout(check, CHECK_AFTER);
  clearTimeout(saveLater);
  saveLater = setTimeout(save, SAVE_AFTER);
}

points.addEventListener("change", changed);
points.addEventListener("full", () => tellTrouble({ trouble: said.full.replace("{n}", start.limit) }));
settings.addEventListener("change", () => {
  // A setting that the platform does not have goes when it is emptied.
  const left = settings.rows.filter(([name, text]) => text || name in start.settingNames);
  if (left.length < settings.rows.length && !settings.isTyping) {
    settings.rows = left;
    settings.render();
    points.render();
  }
  changed();
});

// --- buttons ---

at("save").addEventListener("click", save);
addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
    event.preventDefault();
    save();
  }
});
for (const button of document.querySelectorAll("[data-tool]")) {
  const act = { undo: "undo", redo: "redo", insert: "insert", remove: "remove", copy: "double" }[button.dataset.tool];
  button.addEventListener("click", () => points[act]());
}
for (const link of document.querySelectorAll("[data-save-first]")) {
  link.addEventListener("click", async (event) => {
    if (isSaved) return;
    event.preventDefault();
    if (await save()) location.href = link.href;
  });
}
at("submit").addEventListener("submit", async (event) => {
  if (isSaved) return;
  event.preventDefault();
  if (await save()) at("submit").submit();
});
for (const form of document.querySelectorAll("[data-sure]")) {
  form.addEventListener("submit", (event) => {
    if (!confirm(form.dataset.sure)) event.preventDefault();
    else sessionStorage.removeItem(KEPT);
  });
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-row]");
  if (!link) return;
  event.preventDefault();
  const { row, column } = link.dataset;
  const isSetting = Number(row) < firstPoint();
  const into = isSetting ? settings : points;
  if (isSetting) at("settings").closest("details").open = true;
  const c = into.columns.findIndex(({ key }) => key === (isSetting ? "text" : column));
  into.go(Number(row) - into.firstRow(), Math.max(c, 0));
});

let decodeLater = 0;
async function decode() {
  const words = at("words").value;
  const answer = words.trim() ? await ask("decode", { row: Number(at("signal").value), words }) : { html: "" };
  at("decoded").innerHTML = answer.html ?? "";
  if (answer.trouble) at("decoded").textContent = answer.trouble;
}
for (const field of [at("signal"), at("words")]) {
  field.addEventListener("input", () => {
    clearTimeout(decodeLater);
    decodeLater = setTimeout(decode, CHECK_AFTER);
  });
}

// --- the beginning ---

showSides();
showFound(found);
columnMenu();
// What was not saved is put back; where somebody else saved meanwhile, only if it is wished.
function restore(kept) {
  settings.rows = kept.settings;
  points.columns = columns(kept.points);
  points.rows = kept.points;
  settings.render();
  points.render();
  changed();
}

const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
if (kept) {
  const note = at("restored");
  const isApart = kept.edits !== edits;
  note.querySelector("[data-back]").hidden = isApart;
  note.querySelector("[data-apart]").hidden = !isApart;
  note.hidden = false;
  if (!isApart) restore(kept);
  note.querySelector("[data-restore]").addEventListener("click", () => {
    restore(kept);
    note.hidden = true;
  });
  note.querySelector("[data-forget]").addEventListener("click", () => {
    sessionStorage.removeItem(KEPT);
    location.reload();
  });
}
document.body.dataset.ready = "yes";
