// Keeps the installer's page and its files, so that it opens without signal. It keeps nothing of
// anybody: what the server tells of households is never cached here.
const KEPT = "install-{{ version }}";
const PAGE = "{% url 'install' %}";
const FILES = {{ files|safe }};
const PATIENCE = 4000; // ms before a weak signal counts as none

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches.open(KEPT).then(async (cache) => {
      await cache.addAll(FILES);
      const page = await fetch(PAGE, { cache: "no-store" });
      if (page.ok && !page.redirected) await cache.put(PAGE, page);
      await self.skipWaiting();
    }),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys().then(async (names) => {
      const old = names.filter((name) => name.startsWith("install-") && name !== KEPT);
      await Promise.all(old.map((name) => caches.delete(name)));
      await self.clients.claim();
    }),
  );
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (event.request.mode === "navigate" && url.pathname === PAGE) {
    event.respondWith(freshPage(event.request));
  } else if (FILES.includes(url.pathname)) {
    event.respondWith(caches.match(event.request).then((kept) => kept ?? fetch(event.request)));
  }
});

async function freshPage(request) {
  const cache = await caches.open(KEPT);
  const kept = await cache.match(PAGE);
  try {
    const asked = fetch(request);
    const answer = await (kept ? Promise.race([asked, late()]) : asked);
    if (answer.ok && !answer.redirected) await cache.put(PAGE, answer.clone());
    return answer.status >= 500 && kept ? kept : answer;
  } catch (trouble) {
    if (kept) return kept;
    throw trouble;
  }
}

function late() {
  return new Promise((resolve, reject) => setTimeout(() => reject(new Error("late")), PATIENCE));
}
