// The search over pages, campaigns, photos and documentation: Ctrl+K. A combobox with a list, as the WAI-ARIA practices
// describe it: the focus stays in the field, and aria-activedescendant names the chosen row.

import { gettext, ngettext } from "./texts.js";

const WAIT = 120; // milliseconds without another key, before the server is asked

let dialog = null;
let input = null;
let list = null;
let status = null;
let options = [];
let chosen = -1;
let timer = 0;
let request = null;
let shownFor = null;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function choose(place) {
  options[chosen]?.setAttribute("aria-selected", "false");
  chosen = options.length ? (place + options.length) % options.length : -1;
  const option = options[chosen];
  if (option) {
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  } else {
    input.removeAttribute("aria-activedescendant");
  }
}

function show(groups) {
  options = [];
  const parts = groups.map((group, number) => {
    const heading = element("h2", { id: `search-group-${number}`, role: "presentation" }, group.label);
    const rows = group.items.map((item) => {
      const note = item.note ? [element("span", { class: "note" }, item.note)] : [];
      const option = element(
        "a",
        { id: `search-option-${options.length}`, role: "option", href: item.url, tabindex: "-1", "aria-selected": "false" },
        element("span", {}, item.title),
        ...note,
      );
      options.push(option);
      return option;
    });
    return element("div", { role: "group", "aria-labelledby": heading.id }, heading, ...rows);
  });
  list.replaceChildren(...parts);
  input.setAttribute("aria-expanded", String(options.length > 0));
  choose(0);
}

function tell(sentence, isShown) {
  status.textContent = sentence;
  status.className = isShown ? "nothing" : "visually-hidden";
}

async function find() {
  const words = input.value.trim();
  request?.abort();
  request = new AbortController();
  const address = new URL(document.body.dataset.findUrl, location.href);
  address.searchParams.set("q", words);
  if (document.body.dataset.campaign) address.searchParams.set("campaign", document.body.dataset.campaign);
  try {
    const response = await fetch(address, { signal: request.signal, headers: { accept: "application/json" } });
    if (response.redirected) return location.reload(); // the session has ended
    if (!response.ok) throw new Error(response.status);
    const { groups } = await response.json();
    shownFor = words;
    show(groups);
    if (options.length) tell(ngettext("%(n)s result", "%(n)s results", options.length), false);
    else tell(gettext("Nothing found for “%(words)s”. Photos are found by the beginning of their name.", { words }), true);
  } catch (error) {
    if (error.name === "AbortError") return undefined;
    show([]);
    tell(gettext("The server does not answer. Try again in a moment."), true);
  }
  return undefined;
}

function keyPressed(event) {
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in steps) {
    event.preventDefault();
    choose(chosen + steps[event.key]);
  } else if (event.key === "Enter" && !event.isComposing) {
    event.preventDefault();
    go(event);
  } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    dialog.close();
  }
  event.stopPropagation(); // not keys of the page below
}

// Enter before the answer to the last key waits for it, so that it opens what the person has typed.
async function go(event) {
  if (shownFor !== input.value.trim()) {
    clearTimeout(timer);
    await find();
  }
  const option = options[chosen];
  if (!option) return;
  if (event.ctrlKey || event.metaKey) window.open(option.href, "_blank", "noopener");
  else location.assign(option.href);
}

function build() {
  const icon = document.querySelector("[data-search-open] .icon")?.cloneNode(true) ?? "";
  input = element("input", {
    type: "text", role: "combobox", "aria-label": gettext("Search pages, campaigns, photos and help"), "aria-autocomplete": "list",
    "aria-controls": "search-list", "aria-expanded": "false", autocomplete: "off", spellcheck: "false", maxlength: "100",
    placeholder: gettext("Page, campaign, photo or help…"), enterkeyhint: "go",
  });
  list = element("div", { id: "search-list", class: "search-results", role: "listbox", "aria-label": gettext("Results") });
  status = element("p", { role: "status", class: "visually-hidden" });
  const close = element("button", { type: "button", class: "quiet small" }, gettext("Close"));
  close.addEventListener("click", () => dialog.close());
  const keys = element("div", { class: "search-keys", "aria-hidden": "true" });
  for (const [key, does] of [["↑ ↓", gettext("choose")], ["Enter", gettext("open")], ["Esc", gettext("close")]]) {
    keys.append(element("span", {}, element("span", { class: "key" }, key), ` ${does}`));
  }
  dialog = element(
    "dialog", { class: "search", "aria-label": gettext("Search") },
    element("div", { class: "search-field" }, icon, input, close), list, status, keys,
  );
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(find, WAIT);
  });
  input.addEventListener("keydown", keyPressed);
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); }); // the backdrop
  list.addEventListener("pointermove", (event) => {
    const option = event.target.closest("[role='option']");
    if (option && option !== options[chosen]) choose(options.indexOf(option));
  });
  list.addEventListener("click", (event) => {
    if (event.target.closest("[role='option']")?.href.split("#")[0] === location.href.split("#")[0]) dialog.close();
  });
  document.body.append(dialog);
}

/** Open the search with what has been typed already. The browser returns the focus when it closes. */
export function open({ words, isEntered }) {
  if (!dialog) build();
  if (dialog.open) return;
  input.value = words;
  shownFor = null;
  dialog.showModal();
  input.focus();
  if (isEntered) go({});
  else find();
}
