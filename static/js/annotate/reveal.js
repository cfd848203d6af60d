// Shows the prediction of the model and the answers of other annotators to a photo. In the chart, the model is an
// outline and the other annotators are filled columns.

import { request } from "./api.js";
import { gettext } from "../texts.js";

// Resolves with the response of the server, or with null if the request fails. Rating continues without a prediction.
export async function fetchReveal(api, imageId) {
  try {
    return await request(`${api}/photos/${imageId}/reveal`);
  } catch {
    return null;
  }
}

function othersText({ mean, n, simulated }) {
  const values = { mean: mean.toFixed(1), n, simulated };
  return simulated ? gettext("others %(mean)s (n\u00a0=\u00a0%(n)s, %(simulated)s simulated)", values) : gettext("others %(mean)s (n\u00a0=\u00a0%(n)s)", values);
}

function text(className, content) {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = content;
  return span;
}

// Parses the text as XML, so scripts in it do not run.
function chartElements(svg) {
  const root = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  return root.localName === "svg" ? [document.importNode(root, true)] : [];
}

// Returns the elements for the answer bar. The list is empty if there is nothing to show.
export function revealElements(reveal) {
  const { prediction, others, drawing } = reveal ?? {};
  const elements = [];
  if (prediction) {
    const spread = `${prediction.quality_mean.toFixed(1)} ± ${prediction.quality_std.toFixed(1)}`;
    const watch = gettext("watch %(value)s\u00a0%", { value: Math.round(100 * prediction.watch_probability) });
    elements.push(text("mark-model", gettext("model %(spread)s, %(watch)s", { spread, watch })));
  }
  if (others) {
    elements.push(others.n ? text("mark-people", othersText(others)) : text("", gettext("no other answers yet")));
  }
  return drawing ? [...elements, ...chartElements(drawing)] : elements;
}
