// The wall: fits its screen, takes new figures in place once a minute, and says when they are old.

const MINUTE = 60_000;
let missed = 0;

function fit() {
  const wall = document.getElementById("wall");
  wall.style.zoom = Math.min(innerWidth / 1920, innerHeight / 1080);
}

async function refresh() {
  try {
    const answer = await fetch(location.href, { headers: { "X-Polled": "1" }, redirect: "error", referrerPolicy: "no-referrer" });
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.getElementById("wall").replaceChildren(...page.getElementById("wall").childNodes);
    missed = 0;
  } catch {
    missed += 1;
    if (missed >= 2) document.getElementById("stale").hidden = false;
  }
}

fit();
addEventListener("resize", fit);
setInterval(refresh, MINUTE);
