// The line between photo and buttons: what was answered last, what the others and the model say, and what to do next.

import { saying } from "./answer.js";
import { revealElements } from "./reveal.js";

const FIRST_STEPS = "Rate the photo: both answers in any order";
const FIRST_SWIPES = "Swipe right for watch, left for no watch, up to skip; tap a score";

function element(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

export class AnswerBar {
  #line = document.getElementById("previous");
  #undo = document.getElementById("undo");
  #keys;
  #leave;

  // leave() leaves an earlier answer as it is.
  constructor(keys, leave) {
    this.#keys = keys;
    this.#leave = leave;
  }

  get #firstSteps() {
    return matchMedia("(pointer: coarse)").matches ? FIRST_SWIPES : FIRST_STEPS;
  }

  practising({ number, total }) {
    this.#undo.disabled = true;
    this.#undo.removeAttribute("data-hint");
    this.#line.replaceChildren(element("span", {}, element("strong", {}, `Practice ${number} of ${total}`), ": nothing is kept"));
  }

  // item: what is on the stage; revising: whether it was answered before; last: the item answered last;
  // canUndo: whether there is one before.
  render({ item, revising, last, canUndo }) {
    this.#undo.disabled = !canUndo;
    const hint = revising ? "" : (last?.hint ?? "");
    this.#undo.toggleAttribute("data-hint", Boolean(hint));
    if (revising) return this.#line.replaceChildren(`Answered before: ${saying(item)}`, this.#leaveButton());
    if (item?.lease.show_prediction) return this.#line.replaceChildren(...this.#own(last, hint), ...revealElements(item.reveal));
    if (!last) return this.#line.replaceChildren(this.#firstSteps);
    this.#line.replaceChildren(...this.#own(last, hint), ...revealElements(last.reveal));
  }

  #own(last, hint) {
    if (!last) return [];
    const own = element("span", {}, "last: ", element("strong", {}, saying(last)));
    if (!hint) return [own];
    return [own, element("span", { className: "hint" }, `${hint} Undo brings it back.`)];
  }

  #leaveButton() {
    const cap = element("kbd", { className: "key", ariaHidden: "true" }, this.#keys.nameOf("keep"));
    const button = element("button", { type: "button", className: "quiet" }, "Leave it ", cap);
    button.addEventListener("click", this.#leave);
    return button;
  }
}
