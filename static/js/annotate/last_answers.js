// The list of the last answers: each with its photo, and one click or key to give it again. The present photo and what
// was chosen for it stay as they are.
//
// Ten answers: a photo that comes a second time, to see how consistent people are, comes at least ten answers later. A
// longer list would show its first answer.

import { answerText } from "./answer.js";
import { request } from "./api.js";
import { revealElements } from "./reveal.js";
import { gettext } from "../texts.js";

const MOST = 10;

const $ = (id) => document.getElementById(id);

export class LastAnswers {
  #api;
  #answered;
  #open;
  #earlier = null; // items of answers that were given before this page was opened, newest first; null: not loaded
  #problem = "";
  #dialog = $("last");

  // answered(): the items of this page in the order of their answers; open(item): shows the item again.
  constructor({ api }, { answered, open }) {
    this.#api = api;
    this.#answered = answered;
    this.#open = open;
    $("last-list").addEventListener("keydown", (event) => this.#moved(event));
  }

  open() {
    this.#render();
    this.#dialog.showModal();
    $("last-list").querySelector("button")?.focus();
    if (this.#answered().length < MOST) this.#load();
  }

  get #items() {
    const own = this.#answered().slice(-MOST).reverse();
    const known = new Set(own.map((item) => item.lease.image_id));
    const earlier = (this.#earlier ?? []).filter((item) => !known.has(item.lease.image_id));
    return [...own, ...earlier].slice(0, MOST);
  }

  async #load() {
    try {
      const { answers } = await request(`${this.#api}/answers?count=${MOST}`);
      this.#earlier = answers.map(itemOf);
      this.#problem = "";
    } catch (error) {
      this.#problem = gettext("Earlier answers could not be loaded. %(message)s", { message: error.message });
    }
    if (this.#dialog.open) this.#render();
  }

  #render() {
    const focused = [...$("last-list").querySelectorAll("button")].indexOf(document.activeElement);
    const items = this.#items;
    $("last-list").replaceChildren(...items.map((item) => this.#row(item)));
    $("last-list").querySelectorAll("button")[Math.max(focused, 0)]?.focus();
    const isLoading = this.#earlier === null && !this.#problem && this.#answered().length < MOST;
    $("last-note").textContent = this.#problem || (items.length ? "" : isLoading ? gettext("Loading…") : gettext("No answers yet. The last ten appear here."));
    $("last-note").hidden = !$("last-note").textContent;
  }

  #row(item) {
    const { lease } = item;
    const thumbnail = Object.assign(new Image(), { src: lease.thumbnail ?? lease.url.replace(/original$/, "thumbnail"), alt: "", loading: "lazy" });
    thumbnail.addEventListener("error", () => thumbnail.replaceWith(element("span", "no-picture"))); // without a connection
    const words = element("span", "words", element("strong", "", item.skipReason ? gettext("Skipped") : answerText(item)), element("small", "", item.skipReason || lease.name));
    if (item.reveal) words.append(element("small", "reveal", ...revealElements(item.reveal)));
    const button = element("button", "", thumbnail, words);
    button.type = "button";
    button.addEventListener("click", () => {
      this.#dialog.close();
      this.#open(item);
    });
    return element("li", "", button);
  }

  // Arrow keys move in the list.
  #moved(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = [...$("last-list").querySelectorAll("button")];
    buttons[Math.min(Math.max(buttons.indexOf(document.activeElement) + step, 0), buttons.length - 1)]?.focus();
  }
}

// Returns an item for an answer of the server. It has no lease: the new answer belongs to the photo's first one.
function itemOf({ watch, score, skip_reason: skipReason, image_id, url, thumbnail, width, height, name }) {
  const lease = { image_id, lease_id: null, url, thumbnail, width, height, name, show_prediction: false };
  return { lease, watch, score, skipReason, inputs: {} };
}

function element(name, className, ...children) {
  const node = document.createElement(name);
  node.className = className;
  node.append(...children);
  return node;
}
