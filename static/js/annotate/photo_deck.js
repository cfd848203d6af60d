// Loads photos before they are needed and shows one on the stage: the original bytes, never upscaled (annotate.css).
// Photos are loaded in the order of `prepare`, a few at a time, so that the next photo is loaded first on a slow
// connection. The next photos are also decoded, up to a limit of memory. The very next photo is painted behind the photo
// on the stage, because scaling some megapixels to the size of the stage takes longer than a frame. While the stage is
// empty, the photo for it has the connection and the processor almost for itself.

import { gettext } from "../texts.js";

const LOADING_AT_ONCE = 3; // the browser opens six connections, and claims and answers need some
const DECODED_PIXELS = 120_000_000; // 4 bytes each: about 480 MB
const MIN_DECODED = 2; // photos, of any size
const PAINT_AHEAD_AFTER = 100; // milliseconds, when the photo on the stage is painted

export class PhotoDeck {
  #stage;
  #backstage;
  #paintTimer = 0;
  #ahead = []; // prepared leases that were not shown yet, in their order
  #shown = new Set(); // shown leases that are still in memory; their pixels count too
  #loading = 0;

  // backstage: an element of the stage's size, hidden behind it.
  constructor(stage, backstage) {
    this.#stage = stage;
    this.#backstage = backstage;
  }

  // Queues the photo for loading. Resolves when it is loaded or has failed. `lease.decoded` resolves with whether it can
  // be shown; `lease.isReady` is true from then on.
  prepare(lease) {
    if (lease.decoded) return lease.loaded;
    const img = new Image(lease.width, lease.height);
    img.decoding = "async";
    img.alt = gettext("Photo to rate");
    img.draggable = false;
    lease.img = img;
    lease.isReady = lease.isStarted = lease.isLoaded = lease.isDecoding = lease.hasFailed = false;
    lease.loaded = new Promise((resolve) => (lease.onloaded = resolve));
    lease.decoded = new Promise((resolve) => (lease.ondecoded = resolve));
    this.#ahead.push(lease);
    this.#loadAhead();
    return lease.loaded;
  }

  // Resolves with true when the photo is shown, or with false when it cannot be shown or isCurrent() is false.
  async show(lease, isCurrent) {
    if (lease.hasFailed) this.forget(lease); // perhaps there was no connection: try again
    this.prepare(lease);
    this.#ahead = this.#ahead.filter((one) => one !== lease);
    this.#shown.add(lease);
    this.#load(lease);
    if (lease.isLoaded) this.#decode(lease);
    if (!lease.isReady) {
      this.#stage.replaceChildren();
      const isShowable = await lease.decoded;
      if (!isCurrent()) return false;
      if (!isShowable) {
        this.forget(lease); // so that it can be loaded again
        return false;
      }
    }
    this.#stage.replaceChildren(lease.img);
    this.#loadAhead();
    this.#paintAheadSoon();
    return true;
  }

  // Frees the memory. The photo can be prepared again, from the browser's cache.
  forget(lease) {
    this.#ahead = this.#ahead.filter((one) => one !== lease);
    this.#shown.delete(lease);
    lease.ondecoded?.(false);
    if (lease.img?.parentNode === this.#backstage) lease.img.remove();
    lease.img = lease.decoded = lease.loaded = null;
    lease.isReady = false;
    this.#loadAhead();
  }

  clear() {
    this.#stage.replaceChildren();
  }

  // [width, height] of the photo on the stage, in CSS pixels, or null.
  get shownSize() {
    const box = this.#stage.firstElementChild?.getBoundingClientRect();
    return box ? [Math.round(box.width), Math.round(box.height)] : null;
  }

  #loadAhead() {
    const isEmpty = !this.#stage.firstElementChild;
    for (const lease of this.#ahead) {
      if (this.#loading >= (isEmpty ? 1 : LOADING_AT_ONCE)) break;
      this.#load(lease);
    }
    if (isEmpty) return;
    let pixels = 0;
    for (const lease of this.#shown) pixels += lease.width * lease.height;
    for (const [place, lease] of this.#ahead.entries()) {
      pixels += lease.width * lease.height;
      if (place >= MIN_DECODED && pixels > DECODED_PIXELS) break;
      if (lease.isLoaded) this.#decode(lease);
    }
  }

  #paintAheadSoon() {
    clearTimeout(this.#paintTimer);
    this.#paintTimer = setTimeout(() => this.#paintAhead(), PAINT_AHEAD_AFTER);
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
      if (lease.img === img) this.#loadEnded(lease, isLoaded);
      this.#loadAhead();
    };
    img.onload = () => ended(true);
    img.onerror = () => ended(false);
    img.src = lease.url;
  }

  #loadEnded(lease, isLoaded) {
    lease.isLoaded = isLoaded;
    lease.hasFailed = !isLoaded;
    lease.onloaded();
    if (!isLoaded) lease.ondecoded(false);
    else if (this.#shown.has(lease)) this.#decode(lease); // `show` waits for it
  }

  #decode(lease) {
    if (lease.isDecoding) return;
    lease.isDecoding = true;
    const { img } = lease;
    const decoded = (isReady) => {
      if (lease.img !== img) return; // it was forgotten
      lease.isReady = isReady;
      lease.ondecoded(isReady);
      if (lease === this.#ahead[0]) this.#paintAheadSoon();
    };
    img.decode().then(() => decoded(true), () => decoded(false));
  }
}
