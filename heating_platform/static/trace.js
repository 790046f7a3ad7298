// The live trace: stays at the newest frame while one looks at it, and drops the oldest rows.

const box = document.getElementById("frames-box");
const rows = document.getElementById("frames");
const MOST_ROWS = 2000;
const NEAR = 40;

const atEnd = () => box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
const toEnd = () => { box.scrollTop = box.scrollHeight; };
let follows = true;

toEnd();
box.addEventListener("scroll", () => { follows = atEnd(); });
rows.addEventListener("htmx:afterSwap", () => {
  if (rows.children.length) document.getElementById("no-frames")?.remove();
  while (rows.children.length > MOST_ROWS) rows.firstElementChild.remove();
  if (follows) toEnd();
});
