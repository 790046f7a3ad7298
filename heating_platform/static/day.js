// The chart of one unit's day: temperatures, gaps with their causes, the promised 16 °C.

import { axis, endLabels, fitted, hatch, legendEntry, limit, number, roomFor, token } from "./chart.js";

const LINES = {
  supply_temp: { line: "s2", text: "s2", width: 1.5 },
  return_temp: { line: "s1", text: "s1", width: 1.5 },
  indoor_temp: { line: "s3", text: "s3-text", width: 2 },
  indoor_temp_setpoint: { line: "ink", text: "ink", width: 1.5, dash: [5, 4] },
  outdoor_temp: { line: "s6", text: "s6", width: 1.5 },
};
const SHANGHAI = { timeZone: "Asia/Shanghai" };
const HOUR = 3600;

const box = document.getElementById("day");

function span(seconds) {
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return box.dataset.minutes.replace("{m}", minutes);
  return box.dataset.hours.replace("{h}", Math.floor(minutes / 60)).replace("{m}", minutes % 60);
}

function clock(at) {
  const moment = new Date(at * 1000);
  const hour = moment.toLocaleTimeString("en-GB", { ...SHANGHAI, hour: "2-digit", minute: "2-digit" });
  if (hour !== "00:00") return hour;
  const [, month, day] = moment.toLocaleDateString("sv-SE", SHANGHAI).split("-");
  return `${month}-${day}`;
}

// Every three hours of Shanghai, six on a narrow screen; the zone is whole hours from UTC.
function hours(plot, _axis, from, to) {
  const step = (plot.width < 600 ? 6 : 3) * HOUR;
  const shift = 8 * HOUR;
  const marks = [];
  for (let at = Math.ceil((from + shift) / step) * step - shift; at <= to; at += step) marks.push(at);
  return marks;
}

function lastOf(values) {
  for (let n = values.length - 1; n >= 0; n--) if (values[n] !== null) return values[n];
  return null;
}

function options(data, width, height) {
  const labels = data.series
    .map((series) => ({ series, value: lastOf(series.values) }))
    .filter(({ value }) => value !== null)
    .map(({ series, value }) => ({
      value,
      text: `${series.short} ${number(value, series.digits)}`,
      colour: token(LINES[series.signal].text),
    }));
  return {
    width,
    height,
    padding: [12, roomFor(labels), 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    scales: { x: { time: true, range: [data.start, data.end] }, y: { range: rounded } },
    axes: [
      axis({ size: 30, splits: hours, values: (_plot, at) => at.map(clock) }),
      axis({
        size: 46,
        splits: (_plot, _n, low, high) => tens(low, high),
        values: (_plot, at) => at.map((v, n) => number(v, 0) + (n === at.length - 1 ? " °C" : "")),
      }),
    ],
    series: [
      {},
      ...data.series.map((series) => ({
        label: series.label,
        stroke: token(LINES[series.signal].line),
        width: LINES[series.signal].width,
        dash: LINES[series.signal].dash,
        spanGaps: false,
        points: { show: false },
      })),
    ],
    hooks: {
      drawClear: [
        (plot) => {
          for (const gap of data.gaps) {
            hatch(plot, gap.start, gap.end, `${gap.words} ${span(gap.end - gap.start)}`);
          }
        },
      ],
      draw: [
        (plot) => {
          if (data.limit !== null) limit(plot, data.limit, `${data.limit} °C`);
          endLabels(plot, labels);
        },
      ],
    },
  };
}

function stepOf(low, high) {
  return high - low > 70 ? 20 : high - low > 25 ? 10 : 5;
}

// The limits of the temperatures, out to the next mark.
function rounded(_plot, low, high) {
  if (low === null) return [0, 50];
  const step = stepOf(low, high);
  return [Math.floor(low / step) * step - 1, Math.ceil((high + 1) / step) * step];
}

function tens(low, high) {
  const step = stepOf(low, high);
  const marks = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) marks.push(at);
  return marks;
}

function legend(data) {
  const entries = data.series.map((series) =>
    legendEntry(series.label, token(LINES[series.signal].line), Boolean(LINES[series.signal].dash)),
  );
  if (data.gaps.length) {
    const gap = document.createElement("span");
    const band = document.createElement("i");
    band.className = "gap";
    gap.append(band, box.dataset.noData);
    entries.push(gap);
  }
  document.getElementById("legend").replaceChildren(...entries);
}

async function show() {
  const answer = await fetch(box.dataset.url, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const data = await answer.json();
  legend(data);
  if (!data.at.length) {
    box.textContent = box.dataset.empty;
    return;
  }
  const columns = [data.at, ...data.series.map((series) => series.values)];
  box.replaceChildren();
  fitted(box, 330, (width, height) => new window.uPlot(options(data, width, height), columns, box));
}

show();
