// What an installer's phone keeps until the server has it: entries, half-filled forms, his list.
//
// Everything lies in IndexedDB under the account's own key; nobody else's is ever read or sent.
// An entry has a uid from its first letter on, so that sending it twice stores it once.

const NAME = "installing";
const STORES = { entries: "uid", drafts: "key", work: "user", meta: "key" };

let opened;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      for (const [name, keyPath] of Object.entries(STORES)) {
        const store = request.result.createObjectStore(name, { keyPath });
        if (name === "entries" || name === "drafts") store.createIndex("owner", "owner");
      }
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
  });
  return opened;
}

// Runs `act` on one store and waits until what it wrote is safe.
async function within(name, mode, act) {
  const db = await database();
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(name, mode);
    const request = act(transaction.objectStore(name));
    transaction.oncomplete = () => resolve(request?.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

const get = (name, key) => within(name, "readonly", (store) => store.get(key));
const put = (name, row) => within(name, "readwrite", (store) => store.put(row));
const drop = (name, key) => within(name, "readwrite", (store) => store.delete(key));
const ofOwner = (name, owner) =>
  within(name, "readonly", (store) => store.index("owner").getAll(owner));

// A UUID of version 7; crypto.randomUUID is missing over plain HTTP.
export function newUid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let time = Date.now();
  for (let n = 5; n >= 0; n -= 1) {
    bytes[n] = time % 256;
    time = Math.floor(time / 256);
  }
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

// -- who it belongs to ----------------------------------------------------------------------

// The account that was signed in when the server was last reached.
export const owner = async () => (await get("meta", "owner"))?.user ?? null;

// Keeps the list of this account, and forgets those of all others; their entries stay.
export async function keepWork(work) {
  const { csrf, ...kept } = work;
  await within("work", "readwrite", (store) => {
    store.clear();
    return store.put(kept); // where there is no room for it, the former one stays
  });
  await put("meta", { key: "owner", user: work.user });
  localStorage.setItem("installing", "1"); // other pages ask before they sign out
}

// Where there is no room: his own former list will do, nobody else's stays in sight.
async function isKept(work) {
  try {
    await keepWork(work);
  } catch {
    if ((await owner()) === work.user) return true;
    await leave();
    return false;
  }
  return true;
}

export const workOf = (user) => get("work", user);

// Somebody leaves: his list goes with him, what he has not sent stays for him.
export async function leave() {
  await within("work", "readwrite", (store) => store.clear());
  await drop("meta", "owner");
  localStorage.removeItem("installing");
}

// -- entries and drafts ---------------------------------------------------------------------

export async function entriesOf(user) {
  const rows = user ? await ofOwner("entries", user) : [];
  return rows.sort((one, other) => one.made - other.made);
}

export const keepEntry = (entry) => put("entries", entry);
export const dropEntry = (uid) => drop("entries", uid);

export const draftOf = (user, number) => get("drafts", `${user} ${number}`);
export const draftsOf = (user) => (user ? ofOwner("drafts", user) : []);
export const keepDraft = (user, number, draft) =>
  put("drafts", { ...draft, owner: user, number, key: `${user} ${number}` });
export const dropDraft = (user, number) => drop("drafts", `${user} ${number}`);

export async function clear(user) {
  for (const entry of await entriesOf(user)) await dropEntry(entry.uid);
  for (const draft of await draftsOf(user)) await dropDraft(user, draft.number);
}

// -- sending --------------------------------------------------------------------------------

// The newest list from the server; {state} where there is none: offline, failed, sign_in,
// forbidden, or full where the phone has no room to keep it.
export async function fetchWork(url, { quietly = false } = {}) {
  const headers = quietly ? { "X-Polled": "1" } : {};
  const response = await ask(url, { headers });
  if (response.state) return response;
  const work = await response.json().catch(() => ({ state: "offline" }));
  return !work.user || (await isKept(work)) ? work : { state: "full" };
}

// Sends what waits, oldest first. Answers "sent" when nothing waits any more, or why it stopped:
// "offline", "failed", "full", "sign_in", "other_user", "forbidden". `told` hears of every entry
// that changed. One at which the server fails does not hold up those behind it.
export async function flush(user, urls, told) {
  if (navigator.locks) {
    return navigator.locks.request("installing", { ifAvailable: true }, (lock) =>
      lock ? sendAll(user, urls, told) : "busy",
    );
  }
  return sendAll(user, urls, told);
}

async function sendAll(user, urls, told) {
  const waiting = (await entriesOf(user)).filter((entry) => entry.state === "waiting");
  if (!waiting.length) return "sent";
  const work = await fetchWork(urls.work, { quietly: true }); // trying again keeps nobody signed in
  if (work.state) return work.state;
  if (work.user !== user) return "other_user";
  let outcome = "sent";
  for (const entry of waiting) {
    const answer = await send(entry, urls.entries, work.csrf);
    if (["stored", "refused"].includes(answer.state)) {
      await settle(entry, answer);
      told(entry, answer);
    } else if (answer.state === "failed") outcome = "failed";
    else return answer.state;
  }
  return outcome;
}

async function settle(entry, answer) {
  const now = (await get("entries", entry.uid)) ?? entry;
  if (now.made !== entry.made) return; // changed while it was on its way: sent again as it is now
  if (answer.state === "stored") await dropEntry(entry.uid);
  else await keepEntry({ ...entry, state: "refused", messages: answer.messages });
}

async function send(entry, url, csrf) {
  const body = new FormData();
  for (const name of ["owner", "uid", "number", "reason"]) body.append(name, entry[name] ?? "");
  body.append("values", JSON.stringify(entry.values));
  entry.photos.forEach((photo, n) => body.append("photo", photo.blob, `photo-${n + 1}.jpg`));
  const response = await ask(url, { method: "POST", body, headers: { "X-CSRFToken": csrf } });
  if (response.state) return response;
  return response.json().catch(() => ({ state: "offline" }));
}

// A response that the server meant for a script, or {state} where it did not get so far.
async function ask(url, options) {
  let response;
  try {
    response = await fetch(url, { ...options, redirect: "manual", cache: "no-store" });
  } catch {
    return { state: "offline" };
  }
  const isOurs = response.headers.get("Content-Type")?.startsWith("application/json");
  if (response.type === "opaqueredirect" || response.status === 401) return { state: "sign_in" };
  if (response.status === 403) return { state: isOurs ? "forbidden" : "offline" };
  if (response.status === 413) return { state: "refused", messages: { photo: ["413"] } };
  if (response.status === 500) return { state: "failed" };
  return isOurs && response.status < 500 ? response : { state: "offline" };
}
