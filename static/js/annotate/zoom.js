// The size of the photo on the stage: fitted, or 100 %, where one pixel of the photo is one pixel of the screen.
// It is never larger than 100 %. At 100 % the photo can be panned. The next photo is fitted again.

export class Zoom {
  isOn = false;
  #frame;
  #button = document.getElementById("zoom");
  #x = 0; // position of the zoomed photo's top left corner in the frame, in CSS pixels
  #y = 0;
  #zoomedAt = 0; // when the zoom began
  #zoomedBefore = 0; // milliseconds at 100 % before that, for this photo

  constructor(frame) {
    this.#frame = frame;
    addEventListener("resize", () => (this.isOn ? this.pan(0, 0) : this.fit())); // also when the pixel ratio changes
  }

  get #photo() {
    return this.#frame.firstElementChild;
  }

  // The photo's size at 100 %, in CSS pixels.
  get #full() {
    const { naturalWidth: width, naturalHeight: height } = this.#photo;
    return { width: width / devicePixelRatio, height: height / devicePixelRatio };
  }

  // Whether 100 % is larger than the size on the stage.
  get isLarger() {
    return this.#photo !== null && !this.isOn && this.#full.width > this.#photo.getBoundingClientRect().width + 1;
  }

  // Milliseconds for which this photo was shown at 100 %.
  get milliseconds() {
    return Math.round(this.#zoomedBefore + (this.isOn ? performance.now() - this.#zoomedAt : 0));
  }

  // Fits a new photo.
  fit() {
    this.leave();
    this.#zoomedBefore = 0;
    this.#limit();
  }

  // Zooms in on a point of the window {clientX, clientY}, or on the middle. Returns false when the photo is at 100 % already.
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
    this.#zoomedAt = performance.now();
    this.#frame.toggleAttribute("data-zoomed", true);
    this.#button.setAttribute("aria-pressed", "true");
    this.pan(0, 0);
    return true;
  }

  leave() {
    if (!this.isOn) return;
    this.#zoomedBefore = this.milliseconds;
    this.isOn = false;
    this.#frame.toggleAttribute("data-zoomed", false);
    this.#button.setAttribute("aria-pressed", "false");
    if (!this.#photo) return;
    Object.assign(this.#photo.style, { width: "", height: "", transform: "" });
    this.#limit();
  }

  // Moves the photo by CSS pixels, but not past its edges.
  pan(dx, dy) {
    if (!this.isOn) return;
    const { width, height } = this.#full;
    const { clientWidth, clientHeight } = this.#frame;
    const limited = (value, size, room) => (size <= room ? (room - size) / 2 : Math.min(Math.max(value, room - size), 0));
    this.#x = limited(this.#x + dx, width, clientWidth);
    this.#y = limited(this.#y + dy, height, clientHeight);
    // Use whole pixels of the screen, because the browser interpolates between them.
    const snapped = (value) => Math.round(value * devicePixelRatio) / devicePixelRatio;
    Object.assign(this.#photo.style, {
      width: `${width}px`,
      height: `${height}px`,
      transform: `translate(${snapped(this.#x)}px, ${snapped(this.#y)}px)`,
    });
  }

  // Pans by a tenth of the frame in the direction [dx, dy].
  step([dx, dy]) {
    const { clientWidth, clientHeight } = this.#frame;
    this.pan((dx * clientWidth) / 10, (dy * clientHeight) / 10);
  }

  // Keeps a small photo at 100 % on screens with several pixels to a CSS pixel.
  #limit() {
    if (!this.#photo) return;
    const { width, height } = this.#full;
    this.#photo.style.setProperty("--full-width", `${width}px`);
    this.#photo.style.setProperty("--full-height", `${height}px`);
    this.#frame.toggleAttribute("data-larger", this.isLarger);
  }
}
