// What the model and the others say about a photo, set beside each other: outlined for the model, filled for people.

import { request } from "./api.js";

const SVG = "http://www.w3.org/2000/svg";
const BAR = 8; // width of a bar, in drawing units
const HEIGHT = 26;

// Resolves with the answer of the server, or with null: a missing prediction never disturbs the work.
export async function fetchReveal(api, imageId) {
  try {
    return await request(`${api}/photos/${imageId}/reveal`);
  } catch {
    return null;
  }
}

function text(className, words) {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = words;
  return span;
}

function bars(shares, className, inset) {
  const highest = Math.max(...shares, Number.EPSILON);
  return shares.map((share, index) => {
    const height = Math.round((share / highest) * (HEIGHT - 2));
    const bar = document.createElementNS(SVG, "rect");
    bar.setAttribute("class", className);
    bar.setAttribute("x", index * BAR + inset);
    bar.setAttribute("y", HEIGHT - height - 0.5);
    bar.setAttribute("width", BAR - 2 * inset);
    bar.setAttribute("height", height);
    return bar;
  });
}

function chart({ prediction, others }) {
  const bins = (prediction?.distribution ?? others?.histogram ?? []).length;
  if (bins < 2 || bins > 20) return null;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${bins * BAR} ${HEIGHT}`);
  svg.setAttribute("aria-hidden", "true"); // the words beside it say the same
  if (others?.histogram) svg.append(...bars(others.histogram, "people-bar", 2.5));
  if (prediction?.distribution) svg.append(...bars(prediction.distribution, "model-bar", 1));
  return svg;
}

// Elements for the answer bar; none when there is nothing to tell.
export function revealElements(reveal) {
  const { prediction, others } = reveal ?? {};
  const elements = [];
  if (prediction) {
    const spread = `${prediction.quality_mean.toFixed(1)} ± ${prediction.quality_std.toFixed(1)}`;
    const watch = `watch ${Math.round(100 * prediction.watch_probability)} %`;
    elements.push(text("mark-model", `model ${spread}, ${watch}`));
  }
  if (others) {
    elements.push(others.n ? text("mark-people", `others ${others.mean.toFixed(1)} (n ${others.n}${others.simulated ? `, ${others.simulated} simulated` : ""})`) : text("", "no other answer yet"));
  }
  const drawing = elements.length ? chart(reveal) : null;
  return drawing ? [...elements, drawing] : elements;
}
