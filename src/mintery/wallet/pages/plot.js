// Plots as SVG beside plain text: the words around a plot say what it shows, and a table holds the same figures.
import { el, svg } from "./ui.js";

const WIDTH = 1000;
const HEIGHT = 300;
const PAD = 12;

const share = (value, low, high) => (high === low ? 0.5 : Number(((value - low) * 10000n) / (high - low)) / 10000);

// lines: [{points: [[unixSeconds, BigInt]], second}]; each value holds until the next one. `label` turns a value into text.
export function stepPlot(title, lines, until, label, edge) {
  const all = lines.flatMap((line) => line.points);
  const values = all.map((point) => point[1]);
  const low = values.reduce((a, b) => (a < b ? a : b));
  const high = values.reduce((a, b) => (a > b ? a : b));
  const from = Math.min(...all.map((point) => point[0]));
  const end = Math.max(until, from + 1);
  const x = (time) => ((time - from) / (end - from)) * WIDTH;
  const y = (value) => HEIGHT - PAD - share(value, low, high) * (HEIGHT - 2 * PAD);
  const paths = lines.map(({ points, second }) => {
    const first = points[0];
    const steps = points.slice(1).map(([time, value]) => `H${x(time).toFixed(1)}V${y(value).toFixed(1)}`).join("");
    return svg("path", { d: `M${x(first[0]).toFixed(1)} ${y(first[1]).toFixed(1)}${steps}H${WIDTH}`, class: second ? "second" : "" });
  });
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": title }, ...paths);
  const marks = low === high ? [label(high)] : [label(high), label(low)];
  return el("figure", { className: "plot" },
    el("div", { className: "plot-body" }, el("div", { className: "plot-y", "aria-hidden": "true" }, marks.map((mark) => el("span", {}, mark))), drawing),
    el("div", { className: "plot-x", "aria-hidden": "true" }, el("span", {}, edge(from)), el("span", {}, edge(end))));
}

// bars: [{name, value: BigInt}], one for each day, oldest first.
export function barPlot(title, bars, label) {
  const high = bars.reduce((most, bar) => (bar.value > most ? bar.value : most), 1n);
  const step = WIDTH / bars.length;
  const drawn = bars.map(({ value }, at) => {
    const height = value > 0n ? Math.max(2, share(value, 0n, high) * (HEIGHT - PAD)) : 0;
    return svg("rect", { x: (at * step + step * 0.12).toFixed(1), width: (step * 0.76).toFixed(1), y: (HEIGHT - height).toFixed(1), height: height.toFixed(1) });
  });
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": title }, ...drawn);
  return el("figure", { className: "plot" },
    el("div", { className: "plot-body" }, el("div", { className: "plot-y", "aria-hidden": "true" }, el("span", {}, label(high)), el("span", {}, label(0n))), drawing),
    el("div", { className: "plot-x", "aria-hidden": "true" }, el("span", {}, bars[0].name), el("span", {}, bars.at(-1).name)));
}

// How much of a limit is used, in percent.
export function meter(title, percent) {
  const wide = Math.min(100, Math.max(0, percent));
  const kind = percent >= 100 ? "bad" : percent >= 80 ? "warn" : "";
  const drawing = svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("rect", { width: String(wide), height: "10" }));
  return el("div", { className: `bar ${kind}`, role: "meter", "aria-label": title, "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": String(wide) }, drawing);
}
