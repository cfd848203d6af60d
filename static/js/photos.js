// The gallery: filters that apply at once, the size of the tiles, the viewer, and actions on many photos.

import { Lightbox } from "./gallery/lightbox.js";
import { Selection } from "./gallery/selection.js";
import { Tiles } from "./gallery/tiles.js";
import { menusClose } from "./gallery/menus.js";
import { gettext } from "./texts.js";

const YEAR = 31_536_000; // seconds
const form = document.querySelector("[data-gallery-form]");
const results = () => document.getElementById("gallery-results");

menusClose();

// --- Filters ---

const isDefault = (name, value) => value === "" || (name === "order" && value === "newest");

// Empty fields stay out of the address.
document.addEventListener("htmx:configRequest", ({ target, detail }) => {
  if (target !== form) return;
  for (const [name, value] of [...detail.formData.entries()]) if (isDefault(name, value)) detail.formData.delete(name);
});
form?.addEventListener("submit", () => {
  if (form.hasAttribute("hx-get")) return;
  for (const field of form.elements) if (field.value && !isDefault(field.name, field.value)) continue; else field.disabled = true;
});
addEventListener("pageshow", () => {
  for (const field of form?.elements ?? []) field.disabled = false; // after the back button
});

// Numbers beside the choices. They come with the results, or a moment later.
function countsPlace() {
  for (const from of document.querySelectorAll("#gallery-counts [data-for]")) {
    const place = document.getElementById(from.dataset.for);
    if (place) place.replaceChildren(...[...from.cloneNode(true).childNodes]);
  }
}

function resultsCame() {
  const part = results();
  if (!part) return;
  countsPlace();
  const query = part.dataset.query;
  for (const link of document.querySelectorAll("a[data-keeps-query]")) {
    const more = [query, link.dataset.keepsQuery].filter(Boolean).join("&");
    link.setAttribute("href", link.getAttribute("href").split("?")[0] + (more ? `?${more}` : ""));
  }
  for (const field of document.querySelectorAll("[data-current-query]")) field.value = query;
  const count = Number(part.dataset.filters);
  const opener = document.querySelector("[data-open-filters]");
  if (!opener) return;
  opener.textContent = gettext("Filters");
  if (count) {
    const badge = Object.assign(document.createElement("span"), { className: "badge accent", textContent: count });
    opener.append(" ", badge);
  }
}

document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.target?.id === "gallery-results" || detail.elt?.id === "gallery-results") resultsCame();
});
document.addEventListener("htmx:oobAfterSwap", countsPlace);
resultsCame();

function fieldClear(name) {
  for (const field of form.elements) {
    if (field.name !== name) continue;
    if (field.type === "radio") field.checked = field.value === "";
    else field.value = "";
  }
  form.dispatchEvent(new Event("change", { bubbles: true }));
}

document.addEventListener("click", (event) => {
  const chip = event.target.closest("a[data-clears]");
  if (chip && form?.hasAttribute("hx-get") && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    fieldClear(chip.dataset.clears);
  }
  const tag = event.target.closest("button[data-tag]");
  if (tag) {
    const field = form.elements.tag;
    field.value = field.value === tag.dataset.tag ? "" : tag.dataset.tag;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
  if (event.target.closest("[data-dismiss]")) event.target.closest(".bulk-action").remove();
});

document.addEventListener("htmx:responseError", ({ detail }) => {
  const line = results()?.querySelector(".gallery-line");
  if (line && detail.xhr.status === 400) line.textContent = detail.xhr.responseText;
});
// The session has ended: the login page must not appear inside the page.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, target } = event.detail;
  if (target?.id !== "gallery-results" || xhr.responseText.includes('id="gallery-results"') || xhr.status >= 400) return;
  event.detail.shouldSwap = false;
  location.reload();
});

const side = document.querySelector("[data-filters]");
const opener = document.querySelector("[data-open-filters]");
function filtersShow(isOpen) {
  side.toggleAttribute("data-open", isOpen);
  opener.setAttribute("aria-expanded", String(isOpen));
  (isOpen ? form.elements.name : opener).focus();
}
opener?.addEventListener("click", () => filtersShow(!side.hasAttribute("data-open")));
document.querySelector("[data-close-filters]")?.addEventListener("click", () => filtersShow(false));

// --- Sizes ---

for (const button of document.querySelectorAll("[data-size]")) {
  button.addEventListener("click", () => {
    const { size } = button.dataset;
    document.cookie = `gallery-size=${size}; path=/; max-age=${YEAR}; samesite=lax`;
    const grid = document.querySelector("[data-gallery]");
    if (grid) grid.dataset.tileSize = size;
    for (const other of document.querySelectorAll("[data-size]")) other.setAttribute("aria-pressed", String(other === button));
  });
}

// --- Photos ---

if (document.querySelector("[data-bulk]")) {
  const tiles = new Tiles();
  const selection = new Selection(tiles);
  const lightbox = new Lightbox(tiles, selection);
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".tile figure > a");
    if (!link || event.ctrlKey || event.metaKey || event.altKey || event.button) return;
    event.preventDefault();
    const id = tiles.idOf(link);
    if (event.shiftKey) selection.range(id);
    else if (selection.isAny) selection.toggle(id);
    else lightbox.open(id);
  });
}
document.querySelector("[data-print]")?.addEventListener("click", () => print());
