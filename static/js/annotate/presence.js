// Whether somebody uses the page. Event: "away" after ten minutes without input.

const AWAY_AFTER = 10 * 60_000; // milliseconds
const CHECK_EVERY = 15_000;

export class Presence extends EventTarget {
  #last = performance.now();
  isAway = false;

  constructor() {
    super();
    for (const kind of ["pointermove", "pointerdown", "wheel"]) addEventListener(kind, () => (this.#last = performance.now()), { passive: true });
    setInterval(() => {
      if (this.isAway || performance.now() - this.#last < AWAY_AFTER) return;
      this.isAway = true;
      this.dispatchEvent(new Event("away"));
    }, CHECK_EVERY);
  }

  // Call for each key and click. Returns whether the person was away before it.
  notice() {
    const wasAway = this.isAway;
    this.#last = performance.now();
    this.isAway = false;
    return wasAway;
  }
}
