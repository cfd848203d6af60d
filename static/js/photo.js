// The page of one photo: ← and → open the previous and next photo of the gallery, Escape returns to the gallery.

const LINKS = { ArrowLeft: "a[rel='prev']", ArrowRight: "a[rel='next']", Escape: "a[data-gallery-link]" };

function scrollsSideways(target) {
  const box = target.closest?.(".table-scroll");
  return box !== null && box !== undefined && box.scrollWidth > box.clientWidth;
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.isComposing) return;
  if (event.target.matches?.("input, textarea, select")) return;
  if (event.key !== "Escape" && scrollsSideways(event.target)) return;
  const link = LINKS[event.key] && document.querySelector(LINKS[event.key]);
  if (!link) return;
  event.preventDefault();
  link.click();
});
