// The viewer over the grid. ← and → go on across the pages of the grid, Escape returns to the photo in the grid,
// i shows the facts, z zooms, x selects, Enter opens the page of the photo.

import { Zoomable } from "./zoomable.js";
import { gettext } from "../texts.js";

const AHEAD = [1, 2, -1]; // photos to load in advance
const SWIPE = 60; // CSS pixels

export class Lightbox {
  #id = null;
  #hasFacts = localStorage.getItem("lightbox-facts") === "yes";
  #facts = new Map(); // id → HTML
  #touchX = null;

  constructor(tiles, selection) {
    Object.assign(this, { tiles, selection });
    const dialog = (this.dialog = document.getElementById("lightbox"));
    const part = (name) => dialog.querySelector(`[data-lightbox-${name}]`);
    Object.assign(this, { stage: part("stage"), photo: part("photo"), panel: part("panel"), note: part("note"), tick: part("select") });
    this.zoomButton = part("zoom");
    this.factsButton = part("facts");
    this.page = part("page");
    this.place = part("place");
    this.zoom = new Zoomable(this.stage, this.photo, {
      wheel: true,
      changed: (isOn) => this.zoomButton.setAttribute("aria-pressed", String(isOn)),
    });
    this.zoomButton.addEventListener("click", () => this.zoom.toggle());
    this.factsButton.addEventListener("click", () => this.#factsShow(!this.#hasFacts));
    this.tick.addEventListener("change", () => this.selection.toggle(this.#id, this.tick.checked));
    part("close").addEventListener("click", () => dialog.close());
    for (const button of dialog.querySelectorAll("[data-step]")) button.addEventListener("click", () => this.step(Number(button.dataset.step)));
    dialog.addEventListener("close", () => this.#closed());
    dialog.addEventListener("keydown", (event) => this.#key(event));
    this.stage.addEventListener("pointerdown", (event) => (this.#touchX = event.pointerType === "touch" && event.isPrimary ? event.clientX : null));
    this.stage.addEventListener("pointerup", (event) => {
      const dx = this.#touchX === null || this.zoom.isOn ? 0 : event.clientX - this.#touchX;
      this.#touchX = null;
      if (Math.abs(dx) > SWIPE) this.step(dx < 0 ? 1 : -1);
    });
    // Photos and counts that come later can change the place, or make it known.
    for (const event of ["tiles:more", "htmx:afterSettle", "htmx:oobAfterSwap"]) document.addEventListener(event, () => this.#placeShow());
    document.addEventListener("htmx:afterSwap", ({ detail }) => {
      if (this.panel.contains(detail.elt)) this.#facts.delete(this.#id); // its tags have changed
    });
  }

  open(id) {
    this.dialog.showModal();
    this.#show(id);
    this.#factsShow(this.#hasFacts);
  }

  async step(step) {
    const from = this.#id;
    const there = await this.tiles.beside(from, step);
    if (this.#id !== from || !this.dialog.open) return; // a faster key has gone on
    if (there) this.#show(there);
    else this.note.textContent = step > 0 ? gettext("This is the last photo.") : gettext("This is the first photo.");
  }

  #show(id) {
    const link = this.tiles.link(id);
    this.#id = id;
    this.zoom.fit();
    const name = link.querySelector(".name").textContent;
    this.photo.src = link.dataset.original;
    this.photo.alt = gettext("The photo %(name)s", { name });
    this.dialog.querySelector("h2").textContent = name;
    this.#placeShow();
    this.page.href = link.href;
    this.tick.checked = this.selection.has(id);
    this.note.textContent = "";
    if (this.#hasFacts) this.#factsLoad();
    for (const step of AHEAD) this.tiles.beside(id, step).then((there) => there && this.#preload(there));
  }

  #placeShow() {
    const place = this.dialog.open ? this.tiles.place(this.#id) : null;
    this.place.hidden = !place;
    if (!place) return;
    const [number, total] = [place.number, place.total].map((value) => value.toLocaleString("en"));
    const words = place.isEstimate ? gettext("%(number)s of about %(total)s", { number, total }) : gettext("%(number)s of %(total)s", { number, total });
    if (this.place.textContent !== words) this.place.textContent = words; // the same words would be read out again
  }

  #preload(id) {
    const link = this.tiles.link(id);
    if (link) new Image().src = link.dataset.original;
  }

  #factsShow(isOn) {
    this.#hasFacts = isOn;
    localStorage.setItem("lightbox-facts", isOn ? "yes" : "no");
    this.panel.hidden = !isOn;
    this.factsButton.setAttribute("aria-pressed", String(isOn));
    if (isOn) this.#factsLoad();
  }

  async #factsLoad() {
    const id = this.#id;
    if (!this.#facts.has(id)) {
      this.panel.setAttribute("aria-busy", "true");
      try {
        const answer = await fetch(this.dialog.dataset.factsUrl.replace("/0/", `/${id}/`));
        if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
        this.#facts.set(id, await answer.text());
      } catch {
        // The next look at the photo asks again.
        if (this.#id !== id) return;
        const words = Object.assign(document.createElement("p"), { textContent: gettext("The facts could not be loaded.") });
        this.panel.replaceChildren(words);
        this.panel.removeAttribute("aria-busy");
        return;
      }
    }
    if (this.#id !== id) return;
    this.panel.removeAttribute("aria-busy");
    this.panel.innerHTML = this.#facts.get(id) ?? "";
    htmx.process(this.panel);
  }

  #closed() {
    const link = this.tiles.link(this.#id);
    this.photo.removeAttribute("src");
    link?.scrollIntoView({ block: "nearest" });
    link?.focus();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), select, textarea")) return;
    const pan = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
    const actions = {
      ArrowLeft: () => this.step(-1),
      ArrowRight: () => this.step(1),
      i: () => this.#factsShow(!this.#hasFacts),
      z: () => this.zoom.toggle(),
      x: () => this.tick.click(),
      "+": () => this.zoom.by(1.5),
      "-": () => this.zoom.by(1 / 1.5),
      0: () => this.zoom.fit(),
      Enter: () => !event.target.closest("button, a, summary") && this.page.click(),
    };
    const action = pan && this.zoom.isOn ? () => this.zoom.pan(...pan) : actions[event.key];
    if (!action) return;
    if (event.key !== "Enter" || !event.target.closest("button, a, summary")) event.preventDefault();
    action();
  }
}
