// How many photos this browser loads ahead, as the person has chosen on this device: a phone on a train needs more than
// a desktop. Without a choice the page decides (pace.js).

export const CHOICES = [0, 25, 50, 100, 200]; // 0: automatic

export class PhotoBuffer extends EventTarget {
  #key;

  constructor({ annotator }) {
    super();
    this.#key = `iqs-ahead:${annotator}`;
  }

  // Photos to hold in all, with the one on the stage; 0 for automatic.
  get count() {
    const count = Number(localStorage.getItem(this.#key));
    return CHOICES.includes(count) ? count : 0;
  }

  set count(count) {
    if (count) localStorage.setItem(this.#key, count);
    else localStorage.removeItem(this.#key);
    this.dispatchEvent(new Event("change"));
  }
}
