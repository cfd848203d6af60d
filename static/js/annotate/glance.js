// A kind word when answers come faster than a glance. It stands on the photo for a moment, does not stop the work and
// counts nothing against the person.
//
// One second: people need about 0.4 s to see a photo and decide, and 0.2 s for each of the two keys. Below one second no
// time is left to look at sharpness and noise. The page Annotator quality has the same limit. One quick answer means
// nothing, because some photos are obvious; eight in a row are a habit.

import { gettext } from "../texts.js";

const GLANCE = 1_000; // milliseconds from showing a photo to its answer
const IN_A_ROW = 8;
const PAUSE = 10 * 60_000; // milliseconds between two words
const MOST = 3; // on one page: who has read it three times knows it

export const GLANCE_WORDS = gettext("Quick work! Take all the time you need, nobody is waiting.");

export class Glance {
  #row = 0;
  #said = 0;
  #last = -Infinity;

  // Returns whether to say the word. milliseconds: of a first answer, or null.
  answered(milliseconds, now = performance.now()) {
    this.#row = milliseconds !== null && milliseconds < GLANCE ? this.#row + 1 : 0;
    if (this.#row < IN_A_ROW || this.#said >= MOST || now - this.#last < PAUSE) return false;
    this.#row = 0;
    this.#said += 1;
    this.#last = now;
    return true;
  }
}
