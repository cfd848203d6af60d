// The photos of the grid that are on the page, in their order, and the next ones from the server.

export class Tiles {
  #loading = {}; // 1 or -1 → promise of the present request

  constructor() {
    document.addEventListener("keydown", (event) => this.#move(event));
  }

  get grid() {
    return document.querySelector("[data-gallery]");
  }

  get all() {
    return this.grid ? [...this.grid.querySelectorAll("[data-tile]")] : [];
  }

  get ids() {
    return this.all.map((tile) => tile.dataset.tile);
  }

  tile(id) {
    return this.grid?.querySelector(`[data-tile="${id}"]`) ?? null;
  }

  link(id) {
    return this.tile(id)?.querySelector("figure > a") ?? null;
  }

  idOf(element) {
    return element.closest("[data-tile]").dataset.tile;
  }

  // The place of the photo among all photos of the filters, as {number, total, isEstimate}. null where it is not known: the
  // page began in the middle, so how many photos come before it is unknown. Asks nothing of the server.
  place(id) {
    const number = this.ids.indexOf(id) + 1;
    if (!number || this.grid.querySelector(".load-more[data-earlier]")) return null;
    if (!this.grid.querySelector(".load-more[data-more]")) return { number, total: this.all.length, isEstimate: false };
    const counts = document.getElementById("gallery-total"), counted = counts?.querySelector("[data-total]");
    if (!counted) return null; // the counts come a moment later
    // More photos can have come since they were counted.
    const total = Math.max(Number(counted.dataset.total), this.all.length + 1);
    return { number, total, isEstimate: counts.hasAttribute("data-estimate") };
  }

  // The id of the photo `step` places further (1 or -1), null at the end. Loads more photos when it needs them.
  async beside(id, step) {
    const found = this.#besideNow(id, step);
    if (found !== null) return found;
    return (await this.#load(step)) ? this.#besideNow(id, step) : null;
  }

  #besideNow(id, step) {
    const ids = this.ids;
    const here = ids.indexOf(id);
    return here < 0 ? null : (ids[here + step] ?? null);
  }

  // Loads photos after or before those on the page; resolves to whether there were any. Callers at the same time share
  // one request.
  #load(step) {
    const way = Math.sign(step);
    this.#loading[way] ??= this.#request(way).finally(() => delete this.#loading[way]);
    return this.#loading[way];
  }

  async #request(step) {
    const part = this.grid?.querySelector(step > 0 ? ".load-more[data-more]" : ".load-more[data-earlier]");
    if (!part) return false;
    const before = this.all.length;
    if (part.classList.contains("htmx-request")) {
      // The photos are on their way, because this part came into view. Its event comes to the document when it is gone.
      await new Promise((resolve) => document.addEventListener("htmx:afterSettle", resolve, { once: true }));
    } else {
      await this.#replace(part);
    }
    return this.all.length > before;
  }

  // Puts the photos in the place of this part. Not by `htmx.ajax`, whose promise can end before the photos are there.
  async #replace(part) {
    const address = part.querySelector("a").href;
    part.classList.add("htmx-request");
    const answer = await fetch(address, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!part.isConnected) return;
    part.classList.remove("htmx-request");
    if (!answer?.ok || answer.redirected) return;
    const template = document.createElement("template");
    template.innerHTML = await answer.text();
    const parts = [...template.content.children];
    part.replaceWith(template.content);
    for (const one of parts.filter((each) => each.matches(".load-more"))) htmx.process(one);
    document.dispatchEvent(new CustomEvent("tiles:more"));
  }

  // Arrow keys move the focus from photo to photo.
  #move(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const link = event.target.closest?.(".tile figure > a");
    if (!link) return;
    const columns = getComputedStyle(this.grid).gridTemplateColumns.split(" ").length;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    if (!step) return;
    const ids = this.ids;
    const there = ids[ids.indexOf(this.idOf(link)) + step];
    if (!there) return;
    event.preventDefault();
    this.link(there).focus();
    if (event.shiftKey) document.dispatchEvent(new CustomEvent("tiles:range", { detail: there }));
  }
}
