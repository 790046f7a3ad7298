// The installer's page: his list, what waits to be sent, and the way in and out of the form.

import { at, make } from "./elements.js";
import { Form } from "./entry.js";
import * as queue from "./queue.js";

const app = document.getElementById("app");
const urls = { work: app.dataset.work, entries: app.dataset.entries };
const words = JSON.parse(document.getElementById("words").textContent);
const RETRY_MS = 20000;
const BUSY_MS = 2000;

function say(word, values = {}) {
  return words[word].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

const page = {
  user: null, // the account whose list and entries these are
  work: null,
  entries: [],
  drafts: [],
  trouble: "", // why the last attempt to send stopped
  busy: false,
  order: "village",
  here: null,
};
const form = new Form({ say, onLeave: () => go(""), onKeep: kept, onSave: saved });

// -- small parts ----------------------------------------------------------------------------

function note(kind, text, ...acts) {
  const row = make("div", { className: `note ${kind}` }, make("p", { textContent: text }));
  if (acts.length) row.append(make("div", { className: "acts-row" }, ...acts));
  return row;
}

function button(text, act, className = "btn btn-plain") {
  const element = make("button", { type: "button", className, textContent: text });
  element.addEventListener("click", act);
  return element;
}

const waiting = () => page.entries.filter((entry) => entry.state === "waiting");
const refused = () => page.entries.filter((entry) => entry.state === "refused");

// -- notes on top: what this browser cannot do, what happened ----------------------------------

let news = null; // the newest thing that happened, until the next

function tell(kind, text, ...acts) {
  news = note(kind, text, ...acts);
  showNotes();
}

function showNotes() {
  const rows = [];
  const n = page.entries.length;
  if (page.trouble === "sign_in") {
    const link = make("a", { className: "btn btn-plain", textContent: say("sign_in_act") });
    link.href = `${app.dataset.signIn}?next=${encodeURIComponent(location.pathname)}`;
    rows.push(note("warn", say("sign_in", { n }), link));
  } else if (["forbidden", "other_user", "failed", "full"].includes(page.trouble)) {
    rows.push(note("bad", say(page.trouble)));
  }
  if (news) rows.push(news);
  if (!form.isOpen) {
    if (/MicroMessenger/i.test(navigator.userAgent)) rows.push(note("warn", say("wechat")));
    else if (!window.isSecureContext) rows.push(note("warn", say("insecure")));
    else if (!("serviceWorker" in navigator)) rows.push(note("warn", say("no_worker")));
  }
  at("notes").replaceChildren(...rows);
}

function showNet() {
  const isOnline = navigator.onLine && page.trouble !== "offline";
  const parts = [say(isOnline ? "online" : "offline")];
  if (refused().length) parts.push(say("refused_n", { n: refused().length }));
  if (waiting().length) parts.push(say("waiting", { n: waiting().length }));
  if (!page.entries.length) parts.push(say("all_sent"));
  const text = parts.join("　");
  if (at("net").textContent !== text) at("net").textContent = text;
}

// -- the list -------------------------------------------------------------------------------

function metresTo(home) {
  if (!page.here || home.latitude === null) return Infinity;
  const north = (home.latitude - page.here.latitude) * 111195;
  const middle = (home.latitude * Math.PI) / 180;
  return Math.hypot(north, (home.longitude - page.here.longitude) * 111195 * Math.cos(middle));
}

function distance(home) {
  const metres = metresTo(home);
  if (!Number.isFinite(metres)) return "";
  if (metres < 1000) return say("metres", { n: Math.round(metres / 10) * 10 });
  return say("kilometres", { n: (metres / 1000).toFixed(1) });
}

function stateOf(number, home) {
  const entry = page.entries.find((one) => one.number === number);
  if (entry) {
    const isBad = entry.state === "refused";
    return ["st-wait", "st-bad"][+isBad] + "|" + say(isBad ? "state_refused" : "state_waiting");
  }
  if (page.drafts.some((one) => one.number === number)) return `st-run|${say("state_draft")}`;
  return home ? `${home.shape}|${home.label}` : "st-wait|";
}

function row(home) {
  const [shape, label] = stateOf(home.number, home).split("|");
  const open = make(
    "button",
    { type: "button", className: "house" },
    make("b", { textContent: `${home.number}　${home.name}` }),
    make("span", { textContent: `${home.place} ${home.door}` }),
  );
  open.addEventListener("click", () => go(home.number));
  const right = make("div", { className: "r" }, make("span", { className: `st ${shape}`, textContent: label }));
  if (home.phone) right.append(phone(home));
  if (page.order === "distance") right.append(make("span", { textContent: distance(home) }));
  return make("li", {}, open, right);
}

// The number is masked until asked for; asking is recorded by the server.
function phone(home) {
  const box = make("span", { className: "phone" }, `${home.phone} `);
  const show = button(say("show"), () => reveal(home, box), "aslink");
  show.setAttribute("aria-label", `${say("show")} ${home.number}`);
  box.append(show);
  return box;
}

async function reveal(home, box) {
  const url = app.dataset.phone.replace("00-00-00000", home.number);
  try {
    const headers = { "HX-Request": "true", "X-CSRFToken": (await csrfToken()) ?? "" };
    const answer = await fetch(url, { method: "POST", headers, redirect: "manual" });
    if (!answer.ok) throw new Error(answer.status);
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    box.replaceChildren(...found.body.childNodes);
  } catch {
    box.replaceChildren(make("span", { className: "wrong", textContent: say("not_shown") }));
  }
}

function showList() {
  const homes = [...(page.work?.households ?? [])];
  if (page.order === "distance") homes.sort((one, other) => metresTo(one) - metresTo(other));
  homes.sort((one, other) => (one.stage === "done") - (other.stage === "done")); // still to do first
  const listed = new Set(homes.map((home) => home.number));
  const kept = [...page.entries, ...page.drafts].filter((one) => !listed.has(one.number));
  at("houses").replaceChildren(...homes.map(row));
  at("houses").hidden = !homes.length;
  at("kept").replaceChildren(...kept.map((one) => row({ ...one.home, number: one.number, phone: "" })));
  at("kept").hidden = !kept.length;
  at("none").hidden = Boolean(homes.length || kept.length);
  at("none").textContent = say(page.work ? "none" : "none_yet");
  at("clear").hidden = !page.entries.length && !page.drafts.length;
  const read = page.work ? new Date(page.work.at).toLocaleString("sv").slice(0, 16) : "";
  const told = [say("households", { n: homes.length }), say("as_of", { at: read })];
  if (page.work?.more) told.push(say("more"));
  at("as-of").textContent = page.work ? told.join("　") : "";
  showOrder();
}

function showOrder() {
  const chips = ["village", "distance"].map((name) => {
    const isOn = page.order === name;
    const chip = button(say(`by_${name}`), () => order(name), `chip${isOn ? " on" : ""}`);
    chip.setAttribute("aria-pressed", isOn);
    return chip;
  });
  at("chips").replaceChildren(...chips);
  at("chips").hidden = !window.isSecureContext || !page.work?.households.length;
}

function order(name) {
  page.order = name;
  showList();
  if (name === "village" || page.here) return;
  navigator.geolocation?.getCurrentPosition(
    (found) => {
      page.here = found.coords;
      showList();
    },
    () => tell("warn", say("not_allowed")),
  );
}

function showActs() {
  const n = waiting().length;
  const primary = at("primary");
  const canSend = n > 0 && navigator.onLine && !page.busy;
  const word = page.busy ? "sending" : !n ? "nothing_to_send" : canSend ? "send" : "send_later";
  primary.textContent = say(word, { n });
  primary.disabled = !canSend;
  primary.onclick = () => send();
  at("left").textContent = say("refresh");
  at("left").onclick = () => refresh();
  at("right").textContent = say("leave");
  at("right").onclick = () => askToLeave();
}

function show() {
  const isForm = form.isOpen;
  at("list").hidden = isForm;
  at("back").hidden = at("who").hidden = !isForm;
  at("form").hidden = !isForm;
  if (!isForm) {
    showList();
    showActs();
  }
  showNet();
  showNotes();
}

// -- sending and fetching -------------------------------------------------------------------

async function reload() {
  page.user = await queue.owner();
  page.work = page.user ? ((await queue.workOf(page.user)) ?? null) : null;
  page.entries = await queue.entriesOf(page.user);
  page.drafts = (await queue.draftsOf(page.user)).filter(
    (draft) => !page.entries.some((entry) => entry.number === draft.number),
  );
}

// Asks who is signed in and what he has to do; somebody else's list and entries go out of sight.
async function refresh({ quietly = false } = {}) {
  const answer = await queue.fetchWork(urls.work, { quietly });
  page.trouble = answer.state ?? "";
  await reload();
  if (!form.isOpen) show();
  else showNet();
  if (page.trouble) showNotes();
  return !page.trouble;
}

async function send() {
  if (page.busy || !page.user || !waiting().length) return;
  page.busy = true;
  show();
  const outcome = await queue.flush(page.user, urls, heard);
  page.busy = false;
  page.trouble = ["sent", "busy"].includes(outcome) ? "" : outcome;
  if (outcome === "busy") setTimeout(again, BUSY_MS); // another tab, or this page's last moment
  await reload();
  if (outcome === "sent") await refresh({ quietly: true });
  show();
}

function heard(entry, answer) {
  const said = { number: entry.number };
  if (answer.state === "refused") {
    tell("bad", say("refused", said));
    form.showMessages(entry.number, answer.messages);
  } else {
    const more = answer.reminders ?? [];
    tell(more.length ? "warn" : "ok", [say("stored", said), ...more].join(" "));
  }
}

async function again() {
  if (document.hidden || page.busy || !waiting().length) return;
  if (["forbidden", "other_user"].includes(page.trouble)) return;
  await send();
}

// -- the form -------------------------------------------------------------------------------

function go(number) {
  if (location.hash.slice(1) === number) open();
  else location.hash = number;
}

async function open() {
  const number = decodeURIComponent(location.hash.slice(1));
  const home = page.work?.households.find((one) => one.number === number);
  const entry = page.entries.find((one) => one.number === number);
  const draft = page.user ? await queue.draftOf(page.user, number) : null;
  const known = home ?? (entry ?? draft)?.home;
  if (number && known && page.user) {
    news = null;
    form.open({ ...known, number }, page.work?.models ?? [], entry ?? draft ?? null);
  } else {
    form.close();
  }
  show();
  at("main").scrollTop = 0;
}

// Whether the phone had room for it.
async function kept(number, draft) {
  if (!page.user) return true;
  try {
    await queue.keepDraft(page.user, number, draft);
  } catch {
    tell("bad", say("full"));
    return false;
  }
  await reload();
  if (!form.isOpen) show();
  return true;
}

async function saved(entry) {
  try {
    await queue.keepEntry({ ...entry, owner: page.user, state: "waiting", messages: {}, made: Date.now() });
  } catch {
    tell("bad", say("full")); // the form stays as it is
    at("main").scrollTop = 0;
    return;
  }
  form.done();
  await queue.dropDraft(page.user, entry.number);
  await reload();
  tell("ok", say("queued", { number: entry.number }));
  go("");
  await send();
}

// -- leaving --------------------------------------------------------------------------------

function askToLeave() {
  const n = page.entries.length;
  if (!n) return leave();
  const go_on = button(say("leave_anyway"), leave, "btn btn-danger-plain");
  const stay = button(say("stay"), () => { news = null; showNotes(); });
  tell("warn", say("ask_leave", { n }), go_on, stay);
  at("main").scrollTop = 0;
}

// Without the server nobody is signed out: whoever opens the page next would still be him.
async function leave() {
  if (!(await signedOut())) {
    tell("bad", say("not_left"));
    at("main").scrollTop = 0;
    return;
  }
  await queue.leave();
  location.assign(app.dataset.signIn);
}

async function signedOut() {
  const answer = await queue.fetchWork(urls.work, { quietly: true });
  if (answer.state === "sign_in") return true;
  const body = new URLSearchParams({ csrfmiddlewaretoken: (await csrfToken()) ?? "" });
  const asked = { method: "POST", body, redirect: "manual" };
  const done = await fetch(app.dataset.signOut, asked).catch(() => null);
  return done?.type === "opaqueredirect";
}

async function csrfToken() {
  const answer = await fetch(urls.work, { headers: { "X-Polled": "1" } }).catch(() => null);
  return answer?.ok ? (await answer.json()).csrf : null;
}

at("clear").addEventListener("click", () => {
  const n = page.entries.length;
  const anyway = button(say("clear_anyway"), async () => {
    await queue.clear(page.user);
    await reload();
    tell("ok", say("cleared"));
    show();
  }, "btn btn-danger-plain");
  const stay = button(say("back"), () => { news = null; showNotes(); });
  tell("bad", say("ask_clear", { n }), anyway, stay);
  at("main").scrollTop = 0;
});

// -- beginning ------------------------------------------------------------------------------

async function begin() {
  try {
    await reload();
  } catch {
    at("notes").replaceChildren(note("bad", say("no_store")));
    return;
  }
  await open();
  if (await refresh()) await open();
  await send();
  navigator.storage?.persist?.();
  if ("serviceWorker" in navigator) {
    await navigator.serviceWorker.register(app.dataset.worker).catch(() => null);
  }
}

window.addEventListener("hashchange", open);
window.addEventListener("online", async () => {
  page.trouble = "";
  if (await refresh()) await send();
});
window.addEventListener("offline", () => show());
document.addEventListener("visibilitychange", again);
setInterval(again, RETRY_MS);
at("back").addEventListener("click", () => form.leave());

begin();
