// What all charts share on top of uPlot: tokens, end labels, hatched gaps, marks with names.

const styles = getComputedStyle(document.documentElement);

export function token(name) {
  return styles.getPropertyValue(`--${name}`).trim();
}

export const font = `12px ${styles.getPropertyValue("--sans")}`;
export const ratio = () => window.devicePixelRatio || 1;

export function number(value, digits) {
  const text = value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return text.replace("-", "−");
}

// A legend entry in the look's own markup.
export function legendEntry(text, colour, dashed) {
  const entry = document.createElement("span");
  const line = document.createElement("i");
  line.className = dashed ? "ln dash" : "ln";
  line.style.color = line.style.borderTopColor = colour;
  entry.append(line, text);
  return entry;
}

// The names of lines at their right ends, moved apart where they would meet.
export function endLabels(plot, labels) {
  const { ctx, bbox } = plot;
  const gap = 16 * ratio();
  const top = bbox.top + gap / 2;
  const placed = labels
    .map((label) => ({ ...label, y: plot.valToPos(label.value, "y", true) }))
    .sort((a, b) => a.y - b.y);
  placed.forEach((label, n) => {
    label.y = Math.max(label.y, n ? placed[n - 1].y + gap : top);
  });
  const bottom = bbox.top + bbox.height;
  for (let n = placed.length - 1; n >= 0; n--) {
    const limit = n === placed.length - 1 ? bottom : placed[n + 1].y - gap;
    placed[n].y = Math.min(placed[n].y, limit);
  }
  ctx.save();
  ctx.font = `600 ${12 * ratio()}px ${token("sans")}`;
  ctx.textBaseline = "middle";
  for (const label of placed) {
    const x = label.x === undefined ? bbox.left + bbox.width : plot.valToPos(label.x, "x", true);
    ctx.textAlign = "left";
    ctx.fillStyle = "rgba(255,255,255,.85)";
    const width = ctx.measureText(label.text).width;
    ctx.fillRect(x + 3 * ratio(), label.y - gap / 2, width + 6 * ratio(), gap);
    ctx.fillStyle = label.colour;
    ctx.fillText(label.text, x + 6 * ratio(), label.y);
  }
  ctx.restore();
}

// How much room the names of lines take at the right.
export function roomFor(labels) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `600 12px ${token("sans")}`;
  return Math.ceil(Math.max(0, ...labels.map((label) => pen.measureText(label.text).width))) + 12;
}

// A grey hatched band from `start` to `end` with its cause on top.
export function hatch(plot, start, end, words) {
  const { ctx, bbox } = plot;
  const left = Math.max(plot.valToPos(start, "x", true), bbox.left);
  const right = Math.min(plot.valToPos(end, "x", true), bbox.left + bbox.width);
  if (right - left < 1) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, bbox.top, right - left, bbox.height);
  ctx.clip();
  ctx.fillStyle = "#F4F6F8";
  ctx.fillRect(left, bbox.top, right - left, bbox.height);
  ctx.strokeStyle = "#C9D2DA";
  ctx.lineWidth = ratio();
  ctx.beginPath();
  for (let x = left - bbox.height; x < right; x += 6 * ratio()) {
    ctx.moveTo(x, bbox.top + bbox.height);
    ctx.lineTo(x + bbox.height, bbox.top);
  }
  ctx.stroke();
  ctx.restore();
  if (words) written(plot, words, (left + right) / 2, bbox.top + 12 * ratio());
}

// Text on a white ground, kept inside the plot.
function written(plot, words, middle, y) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.font = `${12 * ratio()}px ${token("sans")}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  const half = ctx.measureText(words).width / 2 + 4 * ratio();
  const x = Math.min(Math.max(middle, bbox.left + half), bbox.left + bbox.width - half);
  ctx.fillStyle = "rgba(255,255,255,.85)";
  ctx.fillRect(x - half, y - 9 * ratio(), 2 * half, 18 * ratio());
  ctx.fillStyle = token("ink-2");
  ctx.fillText(words, x, y);
  ctx.restore();
}

// A horizontal limit, dotted and named.
export function limit(plot, value, words) {
  const { ctx, bbox } = plot;
  const y = plot.valToPos(value, "y", true);
  if (y < bbox.top || y > bbox.top + bbox.height) return;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = token("warn");
  ctx.lineWidth = 1.5 * ratio();
  ctx.setLineDash([2 * ratio(), 3 * ratio()]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = `${12 * ratio()}px ${token("sans")}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.fillText(words, bbox.left + 4 * ratio(), y + 4 * ratio());
  ctx.restore();
}

// A vertical line with its name on top; names that would meet stand on two rows.
export function milestones(plot, marks) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.font = `${12 * ratio()}px ${token("sans")}`;
  ctx.textAlign = "center";
  let before = -Infinity;
  for (const mark of [...marks].sort((a, b) => a.at - b.at)) {
    const x = plot.valToPos(mark.at, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    const row = x - before < 48 * ratio() ? 18 * ratio() : 4 * ratio();
    before = x;
    ctx.strokeStyle = token("ink-2");
    ctx.lineWidth = ratio();
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillStyle = token("ink-2");
    ctx.fillText(mark.words, x, bbox.top - row);
  }
  ctx.restore();
}

// Draw once the room is known and again when it changes.
export function fitted(box, height, draw) {
  const plot = draw(box.clientWidth, height);
  new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height })).observe(box);
  return plot;
}

export const axis = (more) => ({
  stroke: token("ink-2"),
  font,
  grid: { stroke: "#E6EBEF", width: 1 },
  ticks: { show: false },
  ...more,
});
