// Mouse, keys and fingers for the zoom: the button in the bar, the buttons on the zoomed photo, double-click, pinch.

import { Gestures } from "./gestures.js";
import { gettext } from "../texts.js";

const $ = (id) => document.getElementById(id);

export class ZoomControls {
  #zoom;
  #keys;
  #note;
  #isShown;
  #gestures;

  // isShown(): whether there is a photo on the stage.
  constructor({ zoom, keys, note, isShown, frame, swipe }) {
    this.#zoom = zoom;
    this.#keys = keys;
    this.#note = note;
    this.#isShown = isShown;
    const [toggle, change] = [(point) => this.toggle(point), (direction, point) => this.change(direction, point)];
    this.#gestures = new Gestures(frame, { zoom, swipe, toggle, change });
    this.#onClick("zoom", () => this.toggle(null));
    this.#onClick("zoom-in", () => this.change(1));
    this.#onClick("zoom-out", () => this.change(-1));
    this.#onClick("zoom-fit", () => zoom.isOn && this.toggle(null));
  }

  // Last position of the mouse on the photo, or null.
  get pointer() {
    return this.#gestures.pointer;
  }

  // Zooms to 100 % at a point of the window, or back to the whole photo.
  toggle(point) {
    if (!this.#isShown()) return;
    if (this.#zoom.isOn) {
      this.#zoom.leave();
      return this.#note.show(gettext("The photo fits the screen"));
    }
    if (!this.#zoom.enter(point)) return this.#note.show(this.#isTouch ? gettext("This photo is already shown at 100 %, pinch to enlarge it") : gettext("This photo is already shown at 100 %, + enlarges it"));
    this.#explain();
  }

  // Zooms in (1) or out (-1) by one level.
  change(direction, point = null) {
    if (!this.#isShown()) return;
    if (!this.#zoom.change(direction, point)) return this.#zoom.isLargest && this.#note.show(gettext("400 % is the largest zoom"));
    if (this.#zoom.isOn) this.#explain();
    else this.#note.show(gettext("The photo fits the screen"));
  }

  get #isTouch() {
    return matchMedia("(pointer: coarse)").matches;
  }

  #explain() {
    const level = this.#zoom.levelText;
    this.#note.show(this.#isTouch ? gettext("%(level)s · drag to pan, double-tap to fit", { level }) : gettext("%(level)s · drag or arrow keys to pan, + and − to zoom, %(key)s to fit", { level, key: this.#keys.nameOf("zoom") }));
  }

  #onClick(id, act) {
    $(id).addEventListener("click", (event) => {
      act();
      if (event.pointerType) $(id).blur(); // Space then skips the photo; it does not press the button again
    });
  }
}
