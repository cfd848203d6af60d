// Answers by a swipe across the photo: right for watch, left for no watch, up for skip. The photo shows what the swipe
// will do while the finger is down. Moving back or adding a second finger cancels the swipe.

const START_DISTANCE = 14; // CSS pixels after which a movement is a swipe
const ANSWER_SHARE = 0.22; // share of the photo's width after which a swipe is an answer
const ANSWER_DISTANCE = 110; // CSS pixels after which a swipe is an answer on every screen

export class Swipe {
  #frame;
  #hint = document.getElementById("swipe");
  #onSwipe;
  #isOn = false;
  #chosen = ""; // "right", "left", "up", or "" while the swipe is too short

  // onSwipe(direction) is called when the finger is released after a long enough swipe.
  constructor(frame, onSwipe) {
    this.#frame = frame;
    this.#onSwipe = onSwipe;
  }

  begin() {
    this.#isOn = this.#frame.firstElementChild !== null;
    this.#chosen = "";
  }

  move(dx, dy) {
    if (!this.#isOn) return;
    const direction = Math.abs(dx) > Math.abs(dy) ? (dx > 0 ? "right" : "left") : dy < 0 ? "up" : "";
    const distance = Math.max(Math.abs(dx), direction === "up" ? -dy : 0);
    if (this.#hint.hidden && distance < START_DISTANCE) return;
    this.#chosen = distance >= Math.min(ANSWER_DISTANCE, ANSWER_SHARE * this.#frame.clientWidth) ? direction : "";
    this.#hint.hidden = false;
    this.#hint.dataset.direction = direction;
    this.#hint.dataset.chosen = this.#chosen;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    this.#frame.style.transform = direction === "up" ? `translateY(${dy / 3}px)` : `translateX(${dx / 3}px)`;
  }

  // Returns whether there was a swipe, long enough or not.
  end() {
    const direction = this.#chosen;
    const hadBegun = !this.#hint.hidden;
    this.cancel();
    if (direction) this.#onSwipe(direction);
    return hadBegun;
  }

  cancel() {
    this.#isOn = false;
    this.#chosen = "";
    this.#hint.hidden = true;
    this.#frame.style.transform = "";
  }
}
