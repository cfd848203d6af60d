// The selected photos: some of those on the page, or all that match the filters except some. Space and x select.

import { ngettext } from "../texts.js";

export class Selection {
  #ids = new Set(); // selected; with `#isAll`, those that are not
  #isAll = false;
  #last = null; // where a range begins
  #removes = []; // the photos that a running withdrawal takes out of the grid

  constructor(tiles) {
    this.tiles = tiles;
    this.bar = document.querySelector("[data-bulk]");
    document.addEventListener("click", (event) => this.#click(event));
    document.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("tiles:more", () => this.#show());
    document.addEventListener("tiles:range", ({ detail }) => this.range(detail));
    document.addEventListener("htmx:afterSettle", ({ detail }) => {
      if (detail.target?.id === "gallery-results") this.clear();
      else this.#show();
    });
    document.addEventListener("htmx:configRequest", (event) => this.#send(event));
    document.addEventListener("photos-changed", () => this.#changed());
    for (const form of document.querySelectorAll("[data-bulk-form]")) {
      form.addEventListener("submit", () => {
        if (form.hasAttribute("hx-post")) form.closest("dialog").close();
        else this.#fill(form);
      });
    }
    this.#show();
  }

  get isAny() {
    return this.count > 0;
  }

  get total() {
    return Number(document.querySelector("[data-total]")?.dataset.total ?? this.tiles.all.length);
  }

  get count() {
    return this.#isAll ? Math.max(this.total - this.#ids.size, 0) : this.#ids.size;
  }

  has(id) {
    return this.#ids.has(id) !== this.#isAll;
  }

  toggle(id, isOn = !this.has(id)) {
    if (isOn !== this.#isAll) this.#ids.add(id);
    else this.#ids.delete(id);
    this.#last = id;
    this.#show();
  }

  // Selects every photo on the page from the one that was clicked last to this one.
  range(id) {
    const ids = this.tiles.ids;
    const from = Math.max(ids.indexOf(this.#last ?? id), 0);
    const to = ids.indexOf(id);
    for (const one of ids.slice(Math.min(from, to), Math.max(from, to) + 1)) {
      if (this.#isAll) this.#ids.delete(one);
      else this.#ids.add(one);
    }
    if (this.#last === null) this.#last = id;
    this.#show();
  }

  clear() {
    this.#ids.clear();
    this.#isAll = false;
    this.#last = null;
    this.#show();
  }

  #show() {
    for (const tile of this.tiles.all) {
      const isOn = this.has(tile.dataset.tile);
      tile.classList.toggle("selected", isOn);
      tile.querySelector("[data-select]").checked = isOn;
    }
    const { count, total } = this;
    this.tiles.grid?.toggleAttribute("data-selecting", count > 0);
    this.bar.hidden = count === 0;
    document.body.classList.toggle("selecting", count > 0);
    this.bar.querySelector("[data-selected]").textContent = count.toLocaleString("en");
    const all = this.bar.querySelector("[data-select-all]");
    all.hidden = this.#isAll || total <= count;
    all.querySelector("[data-all-count]").textContent = total.toLocaleString("en");
    const words = ngettext("%(n)s photo", "%(n)s photos", count);
    for (const place of document.querySelectorAll("[data-what]")) place.textContent = words;
  }

  #click(event) {
    const box = event.target.closest("[data-select]");
    if (box) {
      if (event.shiftKey) this.range(box.dataset.select);
      else this.toggle(box.dataset.select, box.checked);
    }
    if (event.target.closest("[data-clear]")) this.clear();
    if (event.target.closest("[data-select-all]")) {
      this.#isAll = true;
      this.#ids.clear();
      this.#show();
    }
    const opener = event.target.closest("[data-dialog]");
    if (opener) document.getElementById(opener.dataset.dialog).showModal();
    if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const link = event.target.closest?.(".tile figure > a");
    if (link && (event.key === " " || event.key === "x")) {
      event.preventDefault();
      this.toggle(this.tiles.idOf(link));
    }
    if (event.key === "Escape" && this.isAny && !event.target.closest?.("input, select, textarea")) this.clear();
  }

  get #fields() {
    const query = document.getElementById("gallery-results").dataset.query;
    return { ids: [...this.#ids].join(","), all: this.#isAll ? "1" : "", query };
  }

  #send({ target, detail }) {
    if (!target.matches?.("[data-bulk-form]")) return;
    for (const [name, value] of Object.entries(this.#fields)) detail.formData.set(name, value);
    this.#removes = target.hasAttribute("data-removes") ? this.tiles.ids.filter((id) => this.has(id)) : [];
    if (!target.hasAttribute("data-removes")) this.clear();
  }

  #fill(form) {
    for (const [name, value] of Object.entries(this.#fields)) form.elements[name].value = value;
    form.closest("dialog").close();
  }

  // An action has ended. Withdrawn photos leave the grid; after an undo, the grid is read again.
  #changed() {
    if (this.#removes.length) {
      for (const id of this.#removes) this.tiles.tile(id)?.remove();
      this.#removes = [];
      this.clear();
    } else if (document.querySelector("#bulk-status .bulk-action")?.dataset.kind === "restore") {
      htmx.ajax("GET", location.href, { target: "#gallery-results", swap: "outerHTML" });
    }
  }
}
