// The frame around every page: dialogs instead of the browser's own, the search, the menu of the user, and the tabs.

import "./closed_dialogs.js";
import "./dialogs.js";
import "./scroll_regions.js";

const DOCUMENT_KEYS = { k: true, K: true };

// The search is loaded when it is opened for the first time. What is typed before it is there belongs to it already, not to
// the page below, where a letter can be a shortcut. A field out of sight takes it, because only the browser knows what a key
// writes: AltGr, dead keys, input methods, a pasted text.
let early = null; // {field, before, isEntered} while the search is loaded; before: what has had the focus

function earlyStart() {
  const field = document.createElement("input");
  field.className = "visually-hidden early-search";
  field.maxLength = 100;
  field.autocomplete = "off";
  field.spellcheck = false;
  field.setAttribute("aria-label", document.querySelector("[data-search-open]")?.textContent.trim() ?? "");
  early = { field, before: document.activeElement, isEntered: false };
  document.body.append(field);
  field.focus({ preventScroll: true });
}

// Gives the focus back first: the dialog of the search remembers who has it, and returns it when it closes.
function earlyEnd() {
  const { field, before } = early;
  early = null;
  field.remove();
  if (before?.isConnected) before.focus({ preventScroll: true });
}

async function searchOpen() {
  if (!document.body.dataset.findUrl || early) return; // nobody is logged in, or it comes
  earlyStart();
  const mine = early;
  try {
    const { open } = await import("./search.js");
    if (early !== mine) return; // called off
    earlyEnd();
    open({ words: mine.field.value, isEntered: mine.isEntered });
  } finally {
    if (early === mine) earlyEnd(); // it could not be loaded
  }
}

function earlyKey(event) {
  event.stopImmediatePropagation();
  const isShortcut = (event.ctrlKey || event.metaKey) && !event.altKey && event.key in DOCUMENT_KEYS;
  if (event.isComposing) return;
  if (event.key === "Escape") earlyEnd();
  else if (event.key === "Enter") early.isEntered = true;
  else if (event.key !== "Tab" && !isShortcut) return;
  event.preventDefault();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-search-open]")) searchOpen();
  for (const menu of document.querySelectorAll("details.user-menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (early) return earlyKey(event);
  if (event.defaultPrevented) return;
  const isShortcut = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key in DOCUMENT_KEYS;
  if (isShortcut && document.body.dataset.findUrl && !document.querySelector("dialog[open]:not(.search)")) {
    event.preventDefault();
    searchOpen();
  }
  const menu = event.key === "Escape" && document.querySelector("details.user-menu[open]");
  if (!menu) return;
  event.stopPropagation();
  menu.open = false;
  menu.querySelector("summary").focus();
}, true);
// The menu closes when the focus leaves it by Tab.
document.addEventListener("focusout", (event) => {
  const menu = event.target.closest("details.user-menu[open]");
  if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
});

// The key of the shortcut as this keyboard names it.
if (/Mac|iPhone|iPad/.test(navigator.platform)) {
  for (const key of document.querySelectorAll(".header-search .key")) key.textContent = "⌘ K";
}

// Tabs: the present one is in sight, and an edge fades where there are more.
function edgesShow(tabs) {
  tabs.classList.toggle("more-left", tabs.scrollLeft > 4);
  tabs.classList.toggle("more-right", tabs.scrollLeft + tabs.clientWidth < tabs.scrollWidth - 4);
}
for (const tabs of document.querySelectorAll(".nav-pages")) {
  const present = tabs.querySelector("[aria-current]");
  if (present) tabs.scrollLeft = present.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - present.offsetWidth) / 2;
  tabs.addEventListener("scroll", () => edgesShow(tabs), { passive: true });
  new ResizeObserver(() => edgesShow(tabs)).observe(tabs);
}

// A table that is wider than its place is scrolled by keyboard too: then its place takes the focus.
function scrollersFind() {
  for (const place of document.querySelectorAll(".table-scroll")) {
    if (place.dataset.scrolls !== "yes" && place.tabIndex >= 0) continue; // the template has given it the focus
    const scrolls = place.scrollWidth > place.clientWidth;
    place.dataset.scrolls = scrolls ? "yes" : "no";
    if (scrolls) place.tabIndex = 0;
    else place.removeAttribute("tabindex");
  }
}
scrollersFind();
addEventListener("resize", scrollersFind);
document.addEventListener("toggle", scrollersFind, true);
document.addEventListener("htmx:afterSettle", scrollersFind);
