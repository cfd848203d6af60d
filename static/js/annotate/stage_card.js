// The card that is shown in place of a photo: it says why there is no photo and what to do.

import { gettext } from "../texts.js";

const $ = (id) => document.getElementById(id);

export class StageCard {
  #onClick = () => {};

  constructor() {
    $("empty-again").addEventListener("click", () => this.#onClick());
  }

  // note: small text below the reason; figure: an element; links: [{href, text, isPrimary}]; button: its label;
  // isFocused: whether the next Enter presses it; isIdle: whether there is nothing to answer, so that the page hides the
  // questions.
  show({ title, reason, note = "", figure = null, links = [], button = gettext("Try again"), onClick, isFocused = false, isIdle = false }) {
    $("empty-title").textContent = title;
    $("empty-reason").textContent = reason;
    $("empty-note").textContent = note;
    $("empty-figure").replaceChildren(...(figure ? [figure] : []));
    $("empty-links").replaceChildren(...links.map(linkElement));
    $("empty-again").textContent = button;
    $("empty-again").classList.toggle("primary", !links.some(({ isPrimary }) => isPrimary));
    this.#onClick = onClick;
    $("empty").hidden = false;
    document.querySelector(".annotate").toggleAttribute("data-idle", isIdle);
    if (isFocused) $("empty-again").focus();
  }

  hide() {
    $("empty").hidden = true;
    document.querySelector(".annotate").removeAttribute("data-idle");
  }
}

function linkElement({ href, text, isPrimary = false }) {
  return Object.assign(document.createElement("a"), { href, textContent: text, className: `button${isPrimary ? " primary" : ""}` });
}

// The contents of the cards, for `show`. `EndScreen` has that of a page without photos.
export const cards = {
  practiceFailed: (error, onClick) => ({ title: gettext("Practice photos could not be loaded"), reason: error.message, onClick }),
  broken: (onClick) => ({
    title: gettext("This photo could not be loaded"),
    reason: navigator.onLine
      ? gettext("Try again, or skip it to report it to the campaign's admin.")
      : gettext("There is no connection. The photo loads when the connection is back."),
    onClick,
  }),
  // summary: sentences; figure: a picture of all answers.
  practiceDone: ({ summary, figure }, onClick) => ({
    title: gettext("Practice done"),
    reason: summary,
    figure,
    note: gettext("Practice answers are not saved. From now on your answers are."),
    button: gettext("Start rating"),
    onClick,
    isFocused: true,
    isIdle: true,
  }),
  away: () => ({
    title: gettext("Are you still there?"),
    reason: gettext("You were away for ten minutes, so your photos went back to the queue. Press any key to get new ones."),
    button: gettext("Continue"),
    onClick: () => {}, // every click on the stage ends the pause
  }),
  // isKept: whether the page still has its photos, because there is no connection.
  breakDue: ({ minutes, count }, isKept, onClick) => ({
    title: gettext("Time for a break"),
    reason: gettext("You have rated %(count)s photos in %(minutes)s minutes. Rest your eyes: look into the distance, stretch, drink something.", { count, minutes }),
    note: isKept
      ? gettext("Your answers and the photos on this page are kept.")
      : gettext("Your answers are kept. Your photos went back to the queue. You get new ones when you continue."),
    button: gettext("Continue"),
    onClick,
    isFocused: true,
  }),
};
