// The calibration page: links beside the filters follow them, and the report for print is opened out and light.

/** Give the links for print and CSV the filters of the figures that are shown. */
function followFilters() {
  const query = document.getElementById("calibration")?.dataset.query;
  if (!query) return;
  for (const link of document.querySelectorAll("[data-follows-filters]")) {
    const address = new URL(link.href);
    const view = address.searchParams.get("view");
    address.search = query + (view ? `&view=${view}` : "");
    link.href = address.href;
  }
}

document.addEventListener("htmx:afterSettle", followFilters);

const print = document.querySelector("[data-print]");
if (print) {
  // Paper is white. charts.js draws again when the theme changes.
  document.documentElement.dataset.theme = "light";
  for (const part of document.querySelectorAll("details")) part.open = true;
  for (const image of document.images) image.loading = "eager";
  print.addEventListener("click", () => window.print());
}
