// What was typed is not lost when a session ends: it waits in this tab until the same person is
// back at the same page. Never passwords or files; gone at signing out.

const KEY = "kept";
const body = document.body;

function forms() {
  return [...document.forms].filter((form) => form.getAttribute("method") === "post" && !form.closest(".topbar, .languages, .door"));
}

function typed(form) {
  return [...form.elements].filter((field) => field.name && !field.disabled && !["password", "hidden", "file", "submit", "button", "fieldset"].includes(field.type));
}

function differs(field) {
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.tagName === "SELECT") return [...field.options].some((option) => option.selected !== option.defaultSelected);
  return field.value !== field.defaultValue;
}

function values(field) {
  if (field.type === "checkbox" || field.type === "radio") return { on: field.checked, value: field.value };
  if (field.multiple && field.options) return { all: [...field.selectedOptions].map((option) => option.value) };
  return { value: field.value };
}

// Keep every form of the page in which something was typed; `sent` counts as typed in.
export function keep(sent) {
  const touched = forms().filter((form) => form === sent || typed(form).some(differs));
  const kept = touched.map((form) => ({
    action: form.getAttribute("action") || "",
    order: forms().filter((one) => one.getAttribute("action") === form.getAttribute("action")).indexOf(form),
    fields: typed(form).map((field) => ({ name: field.name, type: field.type, ...values(field) })),
  }));
  if (!kept.length) return;
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ user: body.dataset.user, page: location.pathname + location.search, forms: kept }));
  } catch {
    // A full or forbidden store keeps nothing; signing in goes on without.
  }
}

export function forget() {
  sessionStorage.removeItem(KEY);
}

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}

function put(field, was) {
  if (was.on !== undefined) field.checked = was.on;
  else if (was.all) for (const option of field.options) option.selected = was.all.includes(option.value);
  else field.value = was.value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

function fits(field, was) {
  return field.name === was.name && field.type === was.type && (was.on === undefined || field.value === was.value);
}

// Put the texts back; answers those whose place is no more.
function restore(kept) {
  const homeless = [];
  for (const one of kept.forms) {
    const form = forms().filter((each) => (each.getAttribute("action") || "") === one.action)[one.order];
    const used = new Set();
    for (const was of one.fields) {
      const field = form && typed(form).find((each) => !used.has(each) && fits(each, was));
      if (field) {
        used.add(field);
        put(field, was);
      } else if (was.on === undefined && was.value) homeless.push(was.value);
    }
  }
  return homeless;
}

function tell(homeless) {
  const note = document.getElementById("texts-are-back").content.cloneNode(true).firstElementChild;
  if (homeless.length) note.querySelector("[data-homeless]").append(homeless.join("；"));
  else note.querySelector("[data-homeless]").remove();
  document.getElementById("main").prepend(note);
}

const kept = read();
if (kept && !body.dataset.user) {
  // On the way through signing in.
  sessionStorage.setItem(KEY, JSON.stringify({ ...kept, met: true }));
} else if (kept && (!kept.met || kept.user !== body.dataset.user)) {
  forget();
} else if (kept && kept.page === location.pathname + location.search) {
  forget();
  tell(restore(kept));
}

document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-signs-out]")) forget();
  else if (body.dataset.user && forms().includes(event.target)) keep(event.target);
}, true);

// Parts of a page that refresh themselves keep no session alive. When it is over, several of them
// are told to lead to sign in: the first does, and until the page is left no other leads (it would
// break off the going, and a slow line would never arrive) or asks. Whoever is still here after
// that (Esc, no network) is led again.
const LEAVES_WITHIN = 10_000; // ms
let leftAt = -Infinity;
const isLeaving = () => performance.now() - leftAt < LEAVES_WITHIN;

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.triggeringEvent?.isTrusted) return;
  event.detail.headers["X-Polled"] = "1";
  if (isLeaving()) event.preventDefault();
});
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { xhr, elt } = event.detail;
  const redirects = xhr.getResponseHeader("HX-Redirect");
  if (redirects) keep(elt.closest("form"));
  else if (elt.matches("form") && xhr.status < 400) forget();
  if (!redirects && !xhr.getResponseHeader("HX-Refresh")) return;
  if (isLeaving()) event.preventDefault();
  else leftAt = performance.now();
});
