// Loads photos before they are needed and puts one on the stage. Original bytes, never upscaled (annotate.css).
// Photos load in the order in which they were prepared, few at a time, so that on a slow line the next one comes
// first. Those that are next are decoded too, as far as the memory for pixels reaches, and the very next one is painted
// behind the one on the stage: bringing some megapixels to the size of the stage takes longer than a frame lasts.

const LOADING_AT_ONCE = 3; // the browser opens six connections; claims and answers need some
const DECODED_PIXELS = 120_000_000; // 4 bytes each: some 480 MB
const DECODED_ALWAYS = 2; // photos, however large
const PAINT_AHEAD_AFTER = 100; // milliseconds, when the one on the stage is on the screen

export class PhotoDeck {
  #stage;
  #backstage;
  #painting = 0; // timer
  #ahead = []; // prepared and not shown yet, in their order
  #shown = new Set(); // shown and not forgotten yet; their pixels count too
  #loading = 0;

  // backstage: an element of the stage's size that nobody sees.
  constructor(stage, backstage) {
    this.#stage = stage;
    this.#backstage = backstage;
  }

  // Queues the photo; `lease.decoded` resolves with whether it can be shown, `lease.isReady` says it at once.
  // Resolves when its bytes are here, or will not come.
  prepare(lease) {
    if (lease.decoded) return lease.loaded;
    const img = new Image(lease.width, lease.height);
    img.decoding = "async";
    img.alt = "The photo to judge";
    img.draggable = false;
    lease.img = img;
    lease.isReady = lease.isStarted = lease.isLoaded = lease.isDecoding = lease.hasFailed = false;
    lease.loaded = new Promise((resolve) => (lease.onloaded = resolve));
    lease.decoded = new Promise((resolve) => (lease.ondecoded = resolve));
    this.#ahead.push(lease);
    this.#goOn();
    return lease.loaded;
  }

  // Resolves when the photo stands there; with false when it cannot be shown or is not wanted any more.
  async show(lease, isWanted) {
    if (lease.hasFailed) this.forget(lease); // without a connection, perhaps: once more
    this.prepare(lease);
    this.#ahead = this.#ahead.filter((one) => one !== lease);
    this.#shown.add(lease);
    this.#load(lease);
    if (lease.isLoaded) this.#decode(lease);
    if (!lease.isReady) {
      this.#stage.replaceChildren();
      const isShowable = await lease.decoded;
      if (!isWanted()) return false;
      if (!isShowable) {
        this.forget(lease); // another attempt may succeed
        return false;
      }
    }
    this.#stage.replaceChildren(lease.img);
    this.#goOn();
    this.#paintAheadSoon();
    return true;
  }

  // Lets go of the memory; the photo can be prepared again, from the browser's cache.
  forget(lease) {
    this.#ahead = this.#ahead.filter((one) => one !== lease);
    this.#shown.delete(lease);
    lease.ondecoded?.(false);
    if (lease.img?.parentNode === this.#backstage) lease.img.remove();
    lease.img = lease.decoded = lease.loaded = null;
    lease.isReady = false;
    this.#goOn();
  }

  clear() {
    this.#stage.replaceChildren();
  }

  // Width and height at which the photo stands on the stage, in CSS pixels.
  get shownSize() {
    const box = this.#stage.firstElementChild?.getBoundingClientRect();
    return box ? [Math.round(box.width), Math.round(box.height)] : null;
  }

  #goOn() {
    for (const lease of this.#ahead) {
      if (this.#loading >= LOADING_AT_ONCE) break;
      this.#load(lease);
    }
    let pixels = 0;
    for (const lease of this.#shown) pixels += lease.width * lease.height;
    for (const [place, lease] of this.#ahead.entries()) {
      pixels += lease.width * lease.height;
      if (place >= DECODED_ALWAYS && pixels > DECODED_PIXELS) break;
      if (lease.isLoaded) this.#decode(lease);
    }
  }

  #paintAheadSoon() {
    clearTimeout(this.#painting);
    this.#painting = setTimeout(() => this.#paintAhead(), PAINT_AHEAD_AFTER);
  }

  #paintAhead() {
    const next = this.#ahead[0];
    if (!next?.isReady || !this.#stage.firstElementChild) return;
    this.#backstage.style.setProperty("--full-width", `${next.width / devicePixelRatio}px`);
    this.#backstage.style.setProperty("--full-height", `${next.height / devicePixelRatio}px`);
    if (next.img.parentNode !== this.#backstage) this.#backstage.replaceChildren(next.img);
  }

  #load(lease) {
    if (lease.isStarted) return;
    lease.isStarted = true;
    this.#loading += 1;
    const { img } = lease;
    const ended = (isLoaded) => {
      this.#loading -= 1;
      if (lease.img === img) this.#arrived(lease, isLoaded);
      this.#goOn();
    };
    img.onload = () => ended(true);
    img.onerror = () => ended(false);
    img.src = lease.url;
  }

  #arrived(lease, isLoaded) {
    lease.isLoaded = isLoaded;
    lease.hasFailed = !isLoaded;
    lease.onloaded();
    if (!isLoaded) lease.ondecoded(false);
    else if (this.#shown.has(lease)) this.#decode(lease); // somebody is waiting for it
  }

  #decode(lease) {
    if (lease.isDecoding) return;
    lease.isDecoding = true;
    const { img } = lease;
    const decoded = (isReady) => {
      if (lease.img !== img) return; // forgotten meanwhile
      lease.isReady = isReady;
      lease.ondecoded(isReady);
      if (lease === this.#ahead[0]) this.#paintAheadSoon();
    };
    img.decode().then(() => decoded(true), () => decoded(false));
  }
}
