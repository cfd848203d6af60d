// Answering with a swipe across the photo: right is a watch, left is none, up asks why to skip. What will happen
// stands on the photo while the finger is down; moving back, or laying a second finger on, calls it off.

const NOTICED = 14; // CSS pixels from which a movement counts as the beginning of a swipe
const SHARE = 0.22; // of the photo's width to go until letting go means it
const FARTHEST = 110; // CSS pixels that are enough everywhere

export class Swipe {
  #frame;
  #hint = document.getElementById("swipe");
  #done;
  #isOn = false;
  #meant = ""; // right, left, up, or nothing yet

  // done(direction) is called when the finger was let go far enough.
  constructor(frame, done) {
    this.#frame = frame;
    this.#done = done;
  }

  begin() {
    this.#isOn = this.#frame.firstElementChild !== null;
    this.#meant = "";
  }

  move(dx, dy) {
    if (!this.#isOn) return;
    const direction = Math.abs(dx) > Math.abs(dy) ? (dx > 0 ? "right" : "left") : dy < 0 ? "up" : "";
    const distance = Math.max(Math.abs(dx), direction === "up" ? -dy : 0);
    if (this.#hint.hidden && distance < NOTICED) return;
    this.#meant = distance >= Math.min(FARTHEST, SHARE * this.#frame.clientWidth) ? direction : "";
    this.#hint.hidden = false;
    this.#hint.dataset.direction = direction;
    this.#hint.dataset.meant = this.#meant;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    this.#frame.style.transform = direction === "up" ? `translateY(${dy / 3}px)` : `translateX(${dx / 3}px)`;
  }

  // Returns whether the finger had swiped, far enough or not.
  end() {
    const direction = this.#meant;
    const hadBegun = !this.#hint.hidden;
    this.cancel();
    if (direction) this.#done(direction);
    return hadBegun;
  }

  cancel() {
    this.#isOn = false;
    this.#meant = "";
    this.#hint.hidden = true;
    this.#frame.style.transform = "";
  }
}
