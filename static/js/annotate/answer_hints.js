// Asks again after "unsure" with a top score: a photo that looks so good usually shows clearly whether there is a watch.
// Also after a score that is unusual for the person, which the server says after it has stored the answer.
// The hint stands beside the last answer and does not stop the work. A person who ignores it a few times sees it no more.

import { gettext } from "../texts.js";

const TOP_SHARE = 0.85; // of the way from the lowest to the highest score: 9 and 10 on a scale of 1-10
const MAX_HINTS = 3;

export class AnswerHints {
  #top;
  #shown = 0; // hints since the last one that the person followed

  constructor({ lowest, highest }) {
    this.#top = lowest + TOP_SHARE * (highest - lowest);
  }

  // Returns the text of the hint for a new answer, or "".
  hint({ watch, score, skipReason }) {
    if (skipReason || watch !== "unsure" || score < this.#top) return "";
    return this.#unlessIgnored(gettext("Unsure, score %(score)s. Undo?", { score }));
  }

  // Returns the text of the hint for the response of the server to an answer, or "".
  unusual({ score }, reveal) {
    // Another number is that of another answer, for example of the first one to a photo that is shown again.
    return reveal?.unusual === score ? this.#unlessIgnored(gettext("Score %(score)s is unusual for you. Undo?", { score })) : "";
  }

  #unlessIgnored(text) {
    if (this.#shown >= MAX_HINTS) return "";
    this.#shown += 1;
    return text;
  }

  // The person followed a hint, so hints are useful.
  reset() {
    this.#shown = 0;
  }
}
