// Tables that are wider than their box can be scrolled by keyboard: such a box gets the focus and a name.

import { gettext } from "./texts.js";

/** Give boxes that scroll sideways a place in the order of the Tab key, and take it from those that do not scroll. */
function regionsMark() {
  for (const box of document.querySelectorAll(".table-scroll")) {
    const scrolls = box.scrollWidth > box.clientWidth + 1;
    box.toggleAttribute("data-wide", scrolls); // for the shadow at the end with more columns
    if (box.hasAttribute("tabindex") && !("region" in box.dataset)) continue; // the template gave it one
    if (scrolls === "region" in box.dataset) continue;
    if (scrolls) {
      Object.assign(box, { tabIndex: 0, role: "region", ariaLabel: nameOf(box) });
      box.dataset.region = "";
    } else {
      for (const name of ["tabindex", "role", "aria-label", "data-region"]) box.removeAttribute(name);
    }
  }
}

/** Return the name of a table: its caption, or the heading before it. */
function nameOf(box) {
  const text = box.querySelector("caption")?.textContent ?? box.closest("section, details, .card")?.querySelector("h2, h3, h4, summary")?.textContent;
  const name = gettext("Table: %(name)s", { name: (text ?? document.title).trim().replace(/\s+/g, " ").slice(0, 80) });
  // Tables below one heading are told apart by a number.
  const same = [...document.querySelectorAll("[data-region]")].filter((other) => other.ariaLabel.replace(/ \(\d+\)$/, "") === name);
  return same.length ? `${name} (${same.length + 1})` : name;
}

regionsMark();
addEventListener("resize", regionsMark);
document.addEventListener("htmx:afterSettle", regionsMark);
document.addEventListener("toggle", regionsMark, true); // a part that is opened; the event does not bubble
