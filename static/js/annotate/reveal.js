// What the model and the others say about a photo, beside each other: outlined for the model, filled for people.

import { request } from "./api.js";

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

// Parses as XML: no script in the text would run.
function drawn(svg) {
  const root = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  return root.localName === "svg" ? [document.importNode(root, true)] : [];
}

// Elements for the answer bar; none when there is nothing to tell.
export function revealElements(reveal) {
  const { prediction, others, drawing } = reveal ?? {};
  const elements = [];
  if (prediction) {
    const spread = `${prediction.quality_mean.toFixed(1)} ± ${prediction.quality_std.toFixed(1)}`;
    const watch = `watch ${Math.round(100 * prediction.watch_probability)} %`;
    elements.push(text("mark-model", `model ${spread}, ${watch}`));
  }
  if (others) {
    elements.push(others.n ? text("mark-people", `others ${others.mean.toFixed(1)} (n ${others.n}${others.simulated ? `, ${others.simulated} simulated` : ""})`) : text("", "no other answer yet"));
  }
  return drawing ? [...elements, ...drawn(drawing)] : elements;
}
