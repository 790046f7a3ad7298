// The progress chart: works done and accepted against the backward schedule.

import { axis, endLabels, fitted, milestones, number, ratio, roomFor, token } from "./chart.js";

const box = document.getElementById("curves");
const at = (day) => Date.parse(`${day}T00:00:00Z`) / 1000;

function months(_plot, _axis, from, to) {
  const marks = [];
  const day = new Date(from * 1000);
  day.setUTCDate(1);
  for (; day.getTime() / 1000 <= to; day.setUTCMonth(day.getUTCMonth() + 1)) {
    if (day.getTime() / 1000 >= from) marks.push(day.getTime() / 1000);
  }
  return marks;
}

function month(seconds) {
  const locale = document.documentElement.lang.startsWith("zh") ? "zh-CN" : "en-GB";
  const name = new Date(seconds * 1000).toLocaleDateString(locale, { timeZone: "UTC", month: "short" });
  return name.replace("月", " 月");
}

// At the pace of the last fortnight: dotted from today to the day on which all is done.
function forecast(plot, data, from) {
  const { ctx } = plot;
  const [x0, y0] = [plot.valToPos(at(data.today), "x", true), plot.valToPos(from, "y", true)];
  const [x1, y1] = [plot.valToPos(at(data.forecast), "x", true), plot.valToPos(data.task, "y", true)];
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = token("s2");
  ctx.lineWidth = 2 * ratio();
  ctx.setLineDash([2 * ratio(), 3 * ratio()]);
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
  ctx.font = `${12 * ratio()}px ${token("sans")}`;
  ctx.textAlign = "right";
  ctx.fillText(`${box.dataset.forecast} ${data.forecast.slice(5)}`, x1, y1 - 6 * ratio());
  ctx.restore();
}

function options(data, width, height) {
  // A forecast of the next year would press the curves into a corner.
  const near = data.forecast !== null && at(data.forecast) < at(data.days.at(-1)) + 60 * 86400;
  const days = data.days.map(at);
  const last = near ? at(data.forecast) : 0;
  const now = data.days.indexOf(data.today);
  const names = ["complete", "accepted"];
  const colours = { complete: "s1", accepted: "s3-text" };
  const labels = names
    .filter((name) => now >= 0 && data[name][now] !== null)
    .map((name) => ({
      x: days[now],
      value: data[name][now],
      text: `${box.dataset[name]} ${number(data[name][now], 0)}`,
      colour: token(colours[name]),
    }));
  const marks = [
    { at: at(data.today), words: box.dataset.today },
    { at: at(data.works_done_by), words: data.works_done_by.slice(5) },
  ];
  return {
    width,
    height,
    padding: [34, roomFor(labels), 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    scales: { x: { time: true, range: [days[0], Math.max(days.at(-1), last)] }, y: { range: (_plot, _low, high) => [0, Math.max(high, 1) * 1.05] } },
    axes: [
      axis({ size: 30, splits: months, values: (_plot, all) => all.map(month), grid: { show: false } }),
      axis({ size: 46, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 300, 500, 1000, 2000, 5000], values: (_plot, all) => all.map((value) => number(value, 0)) }),
    ],
    series: [
      {},
      { stroke: token("ink"), width: 1.5, dash: [6, 4], points: { show: false } },
      { stroke: token("s1"), width: 2.5, points: { show: false } },
      { stroke: token("s3"), width: 1.5, points: { show: false } },
    ],
    hooks: {
      draw: [
        (plot) => {
          milestones(plot, marks);
          endLabels(plot, labels);
          if (near) forecast(plot, data, data.complete[now]);
        },
      ],
    },
  };
}

async function show() {
  const answer = await fetch(box.dataset.url, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const data = await answer.json();
  const columns = [data.days.map(at), data.due, data.complete, data.accepted];
  box.replaceChildren();
  fitted(box, 262, (width, height) => new window.uPlot(options(data, width, height), columns, box));
}

show();
