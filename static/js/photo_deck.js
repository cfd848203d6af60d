// Loads photos before they are needed and puts one on the stage. Original bytes, never upscaled (annotate.css).

export class PhotoDeck {
  #stage;

  constructor(stage) {
    this.#stage = stage;
  }

  // Starts loading; `lease.decoded` resolves with whether the photo can be shown, `lease.isReady` says it at once.
  prepare(lease) {
    if (lease.decoded) return;
    const img = new Image(lease.width, lease.height);
    img.decoding = "async";
    img.alt = "The photo to judge";
    img.draggable = false;
    img.src = lease.url;
    lease.img = img;
    lease.isReady = false;
    lease.decoded = img.decode().then(() => (lease.isReady = true), () => false);
  }

  // Resolves when the photo stands there; with false when it cannot be shown or is not wanted any more.
  async show(lease, isWanted) {
    this.prepare(lease);
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
    return true;
  }

  // Lets go of the memory; the photo can be prepared again, from the browser's cache.
  forget(lease) {
    lease.img = lease.decoded = null;
    lease.isReady = false;
  }

  clear() {
    this.#stage.replaceChildren();
  }

  // Width and height at which the photo stands on the stage, in CSS pixels.
  get shownSize() {
    const box = this.#stage.firstElementChild?.getBoundingClientRect();
    return box ? [Math.round(box.width), Math.round(box.height)] : null;
  }
}
