// The cheapest threshold of the watch probability for a price of a missed watch, from the stored curve.
// training/evaluation/calibration/watch_curves.py computes the same for the table, which stays for those without JavaScript.

import { gettext } from "./texts.js";

const SAME = 1e-9;
const PER = 1000;

/**
 * Return the cheapest thresholds when a missed watch is as bad as `ratio` false alarms, and the cost of the one in use.
 * Costs are in false alarms for 1,000 photos. Of several equally cheap ranges, the one nearest to the one in use.
 */
export function cheapest(curve, ratio) {
  const { thresholds, missed, falseAlarms, photos, inUse } = curve;
  const cost = thresholds.map((_, place) => ((ratio * missed[place] + falseAlarms[place]) * PER) / photos);
  const used = Math.max(thresholds.findLastIndex((one) => one <= inUse), 0);
  const least = Math.min(...cost);
  const isCheap = (place) => cost[place] <= least + SAME;
  let place = thresholds.map((_, one) => one).filter(isCheap)
    .reduce((best, one) => (Math.abs(one - used) < Math.abs(best - used) ? one : best));
  let last = place;
  while (place > 0 && isCheap(place - 1)) place -= 1;
  while (last + 1 < thresholds.length && isCheap(last + 1)) last += 1;
  return {
    low: thresholds[place], high: thresholds[last + 1] ?? 1, missed: missed[last], falseAlarms: falseAlarms[last],
    cost: cost[last], costInUse: cost[used], isInUse: place <= used && used <= last,
  };
}

/** Return the ratio at a place of the slider: twenty steps for a factor of ten, rounded to two digits. */
export function ratioAt(step) {
  return Number((10 ** (step / 20)).toPrecision(2));
}

function question(ratio) {
  if (ratio === 1) return gettext("One missed watch is as bad as one false alarm.");
  if (ratio > 1) return gettext("One missed watch is as bad as %(ratio)s false alarms.", { ratio });
  return gettext("One false alarm is as bad as %(number)s missed watches.", { number: Number((1 / ratio).toPrecision(2)) });
}

function thresholdText(value) {
  const distance = Math.min(value, 1 - value);
  return String(Number(value.toFixed(distance < 0.01 ? 4 : distance < 0.1 ? 3 : 2)));
}

const count = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

function begin() {
  const part = document.querySelector("[data-cost][hidden]");
  if (!part) return;
  const curve = JSON.parse(document.getElementById("cost-curve").textContent);
  const slider = part.querySelector("input");
  const show = (name, text) => { part.querySelector(`[data-cost-${name}]`).textContent = text; };
  const update = () => {
    const ratio = ratioAt(slider.valueAsNumber), found = cheapest(curve, ratio);
    const range = `${thresholdText(found.low)}–${thresholdText(found.high)}`;
    slider.setAttribute("aria-valuetext", question(ratio));
    show("question", question(ratio));
    show("threshold", found.isInUse ? gettext("%(range)s, with the one in use", { range }) : range);
    show("missed", count.format(found.missed));
    show("alarms", count.format(found.falseAlarms));
    show("cost", count.format(found.cost));
    show("used", count.format(found.costInUse));
    mark((found.low + found.high) / 2);
  };
  slider.addEventListener("input", update);
  document.addEventListener("chart-drawn", update);
  part.hidden = false;
  document.querySelector("[data-cost-table]").open = false;
  update();
}

/** Move the line of the cheapest threshold in the chart of thresholds, which is on the scale of log-odds. */
function mark(threshold) {
  if (!window.Bokeh) return;
  const inside = Math.min(Math.max(threshold, 0.002), 0.998);
  for (const chart of Bokeh.documents) {
    const line = chart.get_model_by_name("cost-line");
    if (line) { line.location = Math.log(inside / (1 - inside)); line.visible = true; }
  }
}

document.addEventListener("htmx:afterSettle", begin);
begin();
