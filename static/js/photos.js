// The gallery: applies a filter when it is selected, leaves empty filters out of the URL, and moves the focus between
// photos with the arrow keys.

const form = document.querySelector("[data-gallery-form]");

form?.addEventListener("change", (event) => {
  if (event.target.matches("select")) form.requestSubmit();
});

form?.addEventListener("submit", () => {
  for (const field of form.elements) {
    if (field.value === "" || (field.name === "order" && field.value === "newest")) field.disabled = true;
  }
});

// After the back button the fields may still be disabled.
addEventListener("pageshow", () => {
  for (const field of form?.elements ?? []) field.disabled = false;
});

const grid = document.querySelector("[data-gallery]");

function columns() {
  return getComputedStyle(grid).gridTemplateColumns.split(" ").length;
}

grid?.addEventListener("keydown", (event) => {
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns() };
  const step = steps[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const photos = [...grid.querySelectorAll("figure a")];
  const here = photos.indexOf(document.activeElement);
  const there = photos[here + step];
  if (here < 0 || !there) return;
  event.preventDefault();
  there.focus();
});
