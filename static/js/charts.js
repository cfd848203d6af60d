// Draws every chart of the page: <div data-chart="id of its <script type=application/json>">.
// The data name stand-in colours; the tokens of site.css take their place, again after each change of theme.

const probe = document.createElement("span");
probe.hidden = true;
document.body.append(probe);

/** Return a token's colour as it stands in the present theme, as #rrggbb. */
function tokenColour(token) {
  probe.style.color = `var(${token})`;
  const [red, green, blue] = getComputedStyle(probe).color.match(/[\d.]+/g).map(Number);
  return `#${[red, green, blue].map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
}

async function draw(place) {
  const { item, palette } = JSON.parse(document.getElementById(place.dataset.chart).textContent);
  let text = JSON.stringify(item);
  for (const [standIn, token] of Object.entries(palette)) text = text.replaceAll(standIn, tokenColour(token));
  const views = await Bokeh.embed.embed_item({ ...JSON.parse(text), target_id: null }, fresh(place));
  place.dataset.drawn = "yes";
  return views;
}

/** Return an empty element in the chart's place, which keeps its height while it is drawn again. */
function fresh(place) {
  place.style.minHeight = `${place.offsetHeight}px`;
  const inner = document.createElement("div");
  place.replaceChildren(inner);
  return inner;
}

async function drawAll() {
  for (const place of document.querySelectorAll("[data-chart]")) {
    try {
      await draw(place);
    } catch (error) {
      place.textContent = "This chart could not be drawn; its figures are in the table below.";
      console.error(error);
    }
  }
}

new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
await drawAll();
