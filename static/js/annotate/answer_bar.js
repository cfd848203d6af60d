// The line between the photo and the buttons: the last answer, the model's prediction and what to do next.

import { answerText } from "./answer.js";
import { revealElements } from "./reveal.js";
import { gettext } from "../texts.js";

const FIRST_STEPS = gettext("Answer both questions, in any order");
const FIRST_SWIPES = gettext("Swipe right for watch, left for no watch, up to skip. Tap a score.");

function element(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

export class AnswerBar {
  #line = document.getElementById("previous");
  #undo = document.getElementById("undo");
  #keys;
  #keep;

  // keep() leaves an earlier answer unchanged.
  constructor(keys, keep) {
    this.#keys = keys;
    this.#keep = keep;
  }

  get #firstSteps() {
    return matchMedia("(pointer: coarse)").matches ? FIRST_SWIPES : FIRST_STEPS;
  }

  // isDone: whether the page shows the result of the round.
  renderPractice({ number, total }, isDone) {
    this.#undo.disabled = true;
    this.#undo.removeAttribute("data-hint");
    const place = isDone ? gettext("Practice, %(total)s photos", { total }) : gettext("Practice %(number)s of %(total)s", { number, total });
    this.#line.replaceChildren(element("span", {}, element("strong", {}, place), ` · ${gettext("not saved")}`));
  }

  // item: the item on the stage; isRevising: whether it has an answer already; last: the item answered last;
  // canUndo: whether undo has an item to go back to.
  render({ item, isRevising, last, canUndo }) {
    this.#undo.disabled = !canUndo;
    const hint = isRevising ? "" : (last?.hint ?? "");
    this.#undo.toggleAttribute("data-hint", Boolean(hint));
    if (isRevising) return this.#line.replaceChildren(gettext("Earlier answer: %(answer_text)s", { answer_text: answerText(item) }), this.#keepButton());
    if (item?.lease.show_prediction) return this.#line.replaceChildren(...this.#lastAnswer(last, hint), ...revealElements(item.reveal));
    if (!last) return this.#line.replaceChildren(element("span", { className: "first-steps" }, this.#firstSteps));
    this.#line.replaceChildren(...this.#lastAnswer(last, hint), ...revealElements(last.reveal));
  }

  #lastAnswer(last, hint) {
    if (hint) return [element("span", { className: "hint" }, hint)];
    return last ? [element("span", {}, gettext("Last:"), " ", element("strong", {}, answerText(last)))] : [];
  }

  #keepButton() {
    const cap = element("kbd", { className: "key", ariaHidden: "true" }, this.#keys.nameOf("keep"));
    const button = element("button", { type: "button", className: "quiet" }, gettext("Keep it"), " ", cap);
    button.addEventListener("click", this.#keep);
    return button;
  }
}
