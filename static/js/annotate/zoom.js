// The size of the photo on the stage: fitted, or 100, 200 or 400 %. At 100 % one pixel of the photo is one pixel of the
// screen; at 200 % it is exactly two by two pixels, without smoothing. A zoomed photo can be panned. Without zoom a photo
// is never larger than 100 %, and the next photo is fitted again.

const LEVELS = [1, 2, 4]; // pixels of the screen, on one side, for a pixel of the photo
const FITTED = -1; // index in LEVELS

const percent = (level) => `${100 * level} %`;

export class Zoom {
  #frame;
  #button = document.getElementById("zoom");
  #steps = document.getElementById("zoom-steps");
  #place = FITTED; // index in LEVELS
  #x = 0; // position of the zoomed photo's top left corner in the frame, in CSS pixels
  #y = 0;
  #zoomedAt = 0; // when the zoom began
  #zoomedBefore = 0; // milliseconds at 100 % or more before that, for this photo
  #largest = 0; // level that this photo had

  constructor(frame) {
    this.#frame = frame;
    addEventListener("resize", () => (this.isOn ? this.pan(0, 0) : this.fit())); // also when the pixel ratio changes
  }

  get isOn() {
    return this.#place !== FITTED;
  }

  get isLargest() {
    return this.#place === LEVELS.length - 1;
  }

  // Text such as "200 %".
  get levelText() {
    return percent(LEVELS[this.#place]);
  }

  get #photo() {
    return this.#frame.firstElementChild;
  }

  // The photo's size at a level, in CSS pixels.
  #sizeAt(level) {
    const { naturalWidth: width, naturalHeight: height } = this.#photo;
    return { width: (width * level) / devicePixelRatio, height: (height * level) / devicePixelRatio };
  }

  // Whether 100 % is larger than the size on the stage.
  get isLarger() {
    return this.#photo !== null && !this.isOn && this.#sizeAt(1).width > this.#photo.getBoundingClientRect().width + 1;
  }

  // Milliseconds for which this photo was shown at 100 % or more.
  get milliseconds() {
    return Math.round(this.#zoomedBefore + (this.isOn ? performance.now() - this.#zoomedAt : 0));
  }

  // The largest level that this photo was zoomed to: 0 without zoom, 1, 2 or 4.
  get largest() {
    return this.#largest;
  }

  // Fits a new photo.
  fit() {
    this.leave();
    this.#zoomedBefore = this.#largest = 0;
    this.#limit();
  }

  // Zooms to 100 % at a point of the window {clientX, clientY}, or at the middle. Returns false when the photo is at
  // 100 % already.
  enter(point = null) {
    return this.isLarger && this.#zoomTo(0, point);
  }

  // Zooms in (1) or out (-1) by one level at a point of the window, or at the middle. Returns whether the level changed.
  change(direction, point = null) {
    if (!this.#photo) return false;
    // A photo that is fitted at 100 % goes on with 200 %.
    const from = !this.isOn && !this.isLarger ? 0 : this.#place;
    const to = from + direction;
    if (to >= LEVELS.length || (direction < 0 && !this.isOn)) return false;
    const isFitted = to === FITTED || (to === 0 && direction < 0 && this.#isFittedAt100());
    if (!isFitted) return this.#zoomTo(to, point);
    this.leave();
    return true;
  }

  leave() {
    if (!this.isOn) return;
    this.#zoomedBefore = this.milliseconds;
    this.#place = FITTED;
    this.#showState();
    if (!this.#photo) return;
    Object.assign(this.#photo.style, { width: "", height: "", transform: "" });
    this.#limit();
  }

  // Moves the photo by CSS pixels, but not past its edges.
  pan(dx, dy) {
    if (!this.isOn || !this.#photo) return;
    const { width, height } = this.#sizeAt(LEVELS[this.#place]);
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

  // Shows the level LEVELS[place]; the point of the photo under `point` stays there.
  #zoomTo(place, point) {
    const before = this.#photo.getBoundingClientRect();
    const frame = this.#frame.getBoundingClientRect();
    const at = point ?? { clientX: frame.left + frame.width / 2, clientY: frame.top + frame.height / 2 };
    const { width, height } = this.#sizeAt(LEVELS[place]);
    const share = (value, start, length) => Math.min(Math.max((value - start) / length, 0), 1);
    this.#x = at.clientX - frame.left - share(at.clientX, before.left, before.width) * width;
    this.#y = at.clientY - frame.top - share(at.clientY, before.top, before.height) * height;
    if (!this.isOn) this.#zoomedAt = performance.now();
    this.#place = place;
    this.#largest = Math.max(this.#largest, LEVELS[place]);
    this.#showState();
    this.pan(0, 0);
    return true;
  }

  #isFittedAt100() {
    const { width, height } = this.#sizeAt(1);
    return width <= this.#frame.clientWidth && height <= this.#frame.clientHeight;
  }

  #showState() {
    this.#frame.toggleAttribute("data-zoomed", this.isOn);
    this.#frame.toggleAttribute("data-pixels", this.#place > 0);
    this.#button.setAttribute("aria-pressed", String(this.isOn));
    this.#steps.hidden = !this.isOn;
    if (this.isOn) document.getElementById("zoom-level").textContent = this.levelText;
    document.getElementById("zoom-in").disabled = this.isLargest;
  }

  // Keeps a small photo at 100 % on screens with several pixels to a CSS pixel.
  #limit() {
    if (!this.#photo) return;
    const { width, height } = this.#sizeAt(1);
    this.#photo.style.setProperty("--full-width", `${width}px`);
    this.#photo.style.setProperty("--full-height", `${height}px`);
    this.#frame.toggleAttribute("data-larger", this.isLarger);
  }
}
