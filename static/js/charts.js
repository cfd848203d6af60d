// Draws every chart of the page: <div data-chart="id of its <script type=application/json>">.
// The data contain placeholder colours. They are replaced by the tokens of site.css, again after each change of theme.

import { offerChart, offerDrawings } from "./chart_downloads.js";
import { gettext } from "./texts.js";

const probe = document.createElement("span");
probe.hidden = true;
document.body.append(probe);

/** Return a token's colour in the current theme, as #rrggbb. */
function tokenColour(token) {
  probe.style.color = `var(${token})`;
  const [red, green, blue] = getComputedStyle(probe).color.match(/[\d.]+/g).map(Number);
  return `#${[red, green, blue].map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
}

/** Return the chart with its text and its height as large as the text of the page is: site.css enlarges it on large screens. */
function scaled(text) {
  const scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  const size = (pixels) => Math.round(pixels * scale);
  return text.replace(/"(\d+)px"/g, (_, pixels) => `"${size(pixels)}px"`).replace(/"height":(\d+)(?=[,}])/g, (_, pixels) => `"height":${size(pixels)}`);
}

async function draw(place) {
  const { item, palette, columns } = JSON.parse(document.getElementById(place.dataset.chart).textContent);
  let text = JSON.stringify(item);
  for (const [placeholder, token] of Object.entries(palette)) text = text.replaceAll(placeholder, tokenColour(token));
  text = scaled(text);
  const views = await Bokeh.embed.embed_item({ ...JSON.parse(text), target_id: null }, emptied(place));
  offerChart(place, views.roots[0], columns);
  place.dataset.drawn = "yes";
  place.dispatchEvent(new CustomEvent("chart-drawn", { bubbles: true }));
}

/** Replace the chart by an empty element. Its place keeps its height, so that the page does not jump. */
function emptied(place) {
  place.style.minHeight = `${place.offsetHeight}px`;
  const inner = document.createElement("div");
  place.replaceChildren(inner);
  return inner;
}

// The charts are drawn one after another, also when the theme changes meanwhile, as it does for the report for print:
// two drawings of one chart at once would remove each other's place.
let drawn = Promise.resolve();

function drawAll() {
  drawn = drawn.then(drawEach);
  return drawn;
}

async function drawEach() {
  offerDrawings();
  for (const place of document.querySelectorAll("[data-chart]")) {
    try {
      if (place.isConnected) await draw(place);
    } catch (error) {
      if (!place.isConnected) continue; // htmx has replaced it
      place.textContent = gettext("This chart could not be drawn. Its data are in the table below.");
      console.error(error);
    }
  }
}

/** Draw the charts of a part that htmx has loaded. */
document.addEventListener("htmx:afterSettle", () => {
  offerDrawings();
  if (document.querySelector("[data-chart]:not([data-drawn])")) drawAll();
});

new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
await drawAll();
