// Recognises gestures of fingers, pens and mice on the photo: double tap or double click, drag of the zoomed photo,
// swipe across the fitted photo, pinch. Zoom and Swipe carry them out.

const TAP_PAUSE = 350; // milliseconds between the two taps
const TAP_REACH = 32; // CSS pixels that a finger may move during a tap
const PINCH = 1.25; // ratio by which two fingers must move apart to zoom to 100 %, or together to zoom out
const PINCH_MORE = 1.6; // ratio to the next levels, which a single movement must not run through
const EDGE = 24; // CSS pixels at the sides of the screen that the system uses for its own swipes

export class Gestures {
  #frame;
  #zoom;
  #swipe;
  #down = new Map(); // pointer id → where it started and where it is now
  #lastTap = null;
  #pinchStart = 0;
  pointer = null; // last position of the mouse, for the zoom key

  // toggle(point) zooms to 100 % or out at a point of the window; change(direction, point) by one level.
  constructor(frame, { zoom, swipe, toggle, change }) {
    this.#frame = frame;
    this.#zoom = zoom;
    this.#swipe = swipe;
    this.toggle = toggle;
    this.change = change;
    frame.addEventListener("pointerdown", (event) => this.#pressed(event));
    frame.addEventListener("pointermove", (event) => this.#moved(event));
    frame.addEventListener("pointerup", (event) => this.#released(event));
    frame.addEventListener("pointercancel", (event) => this.#cancelled(event));
    frame.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && (this.pointer = null));
    // Without this the browser sees a fling at the end of a swipe, and ignores a tap that follows at once.
    frame.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    frame.addEventListener("wheel", (event) => this.#wheeled(event), { passive: false });
  }

  #pressed(event) {
    if (event.button !== 0) return;
    this.#frame.setPointerCapture(event.pointerId); // the finger may leave the photo
    const { clientX, clientY } = event;
    this.#down.set(event.pointerId, { startX: clientX, startY: clientY, clientX, clientY });
    if (this.#down.size > 1) {
      this.#swipe.cancel();
      this.#pinchStart = this.#spread();
      return;
    }
    const isAtEdge = clientX < EDGE || clientX > innerWidth - EDGE;
    if (event.pointerType !== "mouse" && !this.#zoom.isOn && !isAtEdge) this.#swipe.begin();
  }

  #moved(event) {
    const { clientX, clientY } = event;
    if (event.pointerType === "mouse") this.pointer = { clientX, clientY };
    const finger = this.#down.get(event.pointerId);
    if (!finger) return;
    const [dx, dy] = [clientX - finger.clientX, clientY - finger.clientY];
    Object.assign(finger, { clientX, clientY });
    if (this.#down.size > 1) return this.#pinched();
    if (this.#zoom.isOn) this.#zoom.pan(dx, dy);
    else this.#swipe.move(clientX - finger.startX, clientY - finger.startY);
  }

  #released(event) {
    const finger = this.#down.get(event.pointerId);
    this.#down.delete(event.pointerId);
    if (!finger || this.#down.size) return (this.#lastTap = null);
    const kind = event.pointerType;
    const isTap = Math.hypot(finger.clientX - finger.startX, finger.clientY - finger.startY) < TAP_REACH / (kind === "mouse" ? 4 : 1);
    if (this.#swipe.end() || !isTap) return (this.#lastTap = null);
    const tap = { clientX: finger.startX, clientY: finger.startY, time: event.timeStamp };
    const last = this.#lastTap;
    this.#lastTap = tap;
    if (!last || tap.time - last.time > TAP_PAUSE) return;
    if (Math.hypot(tap.clientX - last.clientX, tap.clientY - last.clientY) > TAP_REACH) return;
    this.#lastTap = null;
    this.toggle(tap);
  }

  #cancelled(event) {
    this.#down.delete(event.pointerId);
    this.#lastTap = null;
    this.#swipe.cancel();
  }

  #pinched() {
    const spread = this.#spread() / this.#pinchStart;
    const ratio = this.#zoom.isOn && spread > 1 ? PINCH_MORE : PINCH;
    if (spread < ratio && spread > 1 / ratio) return;
    this.#pinchStart = this.#spread();
    this.change(spread > 1 ? 1 : -1, this.#middle());
  }

  #spread() {
    const [one, other] = [...this.#down.values()];
    return Math.max(Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY), 1);
  }

  #middle() {
    const [one, other] = [...this.#down.values()];
    return { clientX: (one.clientX + other.clientX) / 2, clientY: (one.clientY + other.clientY) / 2 };
  }

  #wheeled(event) {
    if (event.ctrlKey || !this.#zoom.isOn) return; // Ctrl and wheel is the browser's own zoom
    event.preventDefault();
    this.#zoom.pan(-event.deltaX, -event.deltaY);
  }
}
