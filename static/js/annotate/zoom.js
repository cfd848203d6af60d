// How large the photo stands on the stage: fitted, or 1:1, one pixel of the photo on one pixel of the screen.
// Never larger than that. Only the part that is looked at moves; leaving the photo fits the next one.

export class Zoom {
  isOn = false;
  #frame;
  #button = document.getElementById("zoom");
  #x = 0; // where the zoomed photo's corner lies in the frame, CSS pixels
  #y = 0;
  #since = 0; // when it was zoomed
  #before = 0; // milliseconds zoomed before that, on this photo

  constructor(frame) {
    this.#frame = frame;
    addEventListener("resize", () => (this.isOn ? this.pan(0, 0) : this.fit())); // also when the pixel ratio changes
  }

  get #photo() {
    return this.#frame.firstElementChild;
  }

  // Size at 1:1, in CSS pixels.
  get #full() {
    const { naturalWidth: width, naturalHeight: height } = this.#photo;
    return { width: width / devicePixelRatio, height: height / devicePixelRatio };
  }

  // Whether there is more to see at 1:1.
  get isLarger() {
    return this.#photo !== null && !this.isOn && this.#full.width > this.#photo.getBoundingClientRect().width + 1;
  }

  // Milliseconds for which the photo has been looked at in 1:1.
  get milliseconds() {
    return Math.round(this.#before + (this.isOn ? performance.now() - this.#since : 0));
  }

  // For a photo that has just come.
  fit() {
    this.leave();
    this.#before = 0;
    this.#limit();
  }

  // Zooms in on a point of the window (clientX, clientY), or on the middle. Returns false when all is to be seen already.
  enter(point = null) {
    if (!this.isLarger) return false;
    const photo = this.#photo;
    const fitted = photo.getBoundingClientRect();
    const frame = this.#frame.getBoundingClientRect();
    const at = point ?? { clientX: frame.left + frame.width / 2, clientY: frame.top + frame.height / 2 };
    const { width, height } = this.#full;
    const share = (value, start, length) => Math.min(Math.max((value - start) / length, 0), 1);
    this.#x = at.clientX - frame.left - share(at.clientX, fitted.left, fitted.width) * width;
    this.#y = at.clientY - frame.top - share(at.clientY, fitted.top, fitted.height) * height;
    this.isOn = true;
    this.#since = performance.now();
    this.#frame.toggleAttribute("data-zoomed", true);
    this.#button.setAttribute("aria-pressed", "true");
    this.pan(0, 0);
    return true;
  }

  leave() {
    if (!this.isOn) return;
    this.#before = this.milliseconds;
    this.isOn = false;
    this.#frame.toggleAttribute("data-zoomed", false);
    this.#button.setAttribute("aria-pressed", "false");
    if (!this.#photo) return;
    Object.assign(this.#photo.style, { width: "", height: "", transform: "" });
    this.#limit();
  }

  // Moves the photo by CSS pixels, as far as there is something to see.
  pan(dx, dy) {
    if (!this.isOn) return;
    const { width, height } = this.#full;
    const { clientWidth, clientHeight } = this.#frame;
    const within = (value, size, room) => (size <= room ? (room - size) / 2 : Math.min(Math.max(value, room - size), 0));
    this.#x = within(this.#x + dx, width, clientWidth);
    this.#y = within(this.#y + dy, height, clientHeight);
    // On whole pixels of the screen, else the browser would interpolate.
    const whole = (value) => Math.round(value * devicePixelRatio) / devicePixelRatio;
    Object.assign(this.#photo.style, {
      width: `${width}px`,
      height: `${height}px`,
      transform: `translate(${whole(this.#x)}px, ${whole(this.#y)}px)`,
    });
  }

  // A tenth of what is seen, in the direction [dx, dy].
  step([dx, dy]) {
    const { clientWidth, clientHeight } = this.#frame;
    this.pan((dx * clientWidth) / 10, (dy * clientHeight) / 10);
  }

  // On a screen with several pixels to a CSS pixel a small photo stands smaller, rather than blown up.
  #limit() {
    if (!this.#photo) return;
    const { width, height } = this.#full;
    this.#photo.style.setProperty("--full-width", `${width}px`);
    this.#photo.style.setProperty("--full-height", `${height}px`);
    this.#frame.toggleAttribute("data-larger", this.isLarger);
  }
}
