// The page of one photo: ← and → open the previous and next photo of the gallery, Escape returns to the gallery, and
// z or a click on the photo zooms.

import { Zoomable } from "./gallery/zoomable.js";

const LINKS = { ArrowLeft: "a[rel='prev']", ArrowRight: "a[rel='next']", Escape: "a[data-gallery-link]" };
const stage = document.querySelector("[data-stage]");
const button = document.querySelector("[data-zoom-button]");
const zoom = stage && new Zoomable(stage, stage.querySelector("img"), {
  changed: (isOn) => button.setAttribute("aria-pressed", String(isOn)),
});
button?.addEventListener("click", () => zoom.toggle());

function scrollsSideways(target) {
  const box = target.closest?.(".table-scroll");
  return box !== null && box !== undefined && box.scrollWidth > box.clientWidth;
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.isComposing) return;
  if (event.target.matches?.("input, textarea, select")) return;
  const pan = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
  if (zoom?.isOn && (pan || event.key === "Escape")) {
    event.preventDefault();
    if (pan) zoom.pan(...pan);
    else zoom.fit();
    return;
  }
  if (zoom && event.key === "z") zoom.toggle();
  if (event.key !== "Escape" && scrollsSideways(event.target)) return;
  const link = LINKS[event.key] && document.querySelector(LINKS[event.key]);
  if (!link) return;
  event.preventDefault();
  link.click();
});
