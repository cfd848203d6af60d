// When a break is due: after so many minutes of rating without a pause. Kept for the tab, over reloads.

const PAUSE = 5 * 60_000; // milliseconds without an answer that are a break by themselves

export class BreakClock {
  #key;
  #after;
  #rating; // {since, last, count} of this stretch of rating

  // minutes: 0 for never.
  constructor(slug, minutes) {
    this.#key = `iqs-rating:${slug}`;
    this.#after = minutes * 60_000;
    this.#rating = JSON.parse(sessionStorage.getItem(this.#key) ?? "null");
  }

  // Counts one answer. Returns null, or {minutes, count} when a break is due; rating begins anew after that.
  answered(now = Date.now()) {
    const pause = now - (this.#rating?.last ?? -Infinity);
    if (!(pause >= 0 && pause < PAUSE)) this.#rating = { since: now, count: 0 }; // also when the clock was set back
    Object.assign(this.#rating, { last: now, count: this.#rating.count + 1 });
    const { since, count } = this.#rating;
    const isDue = this.#after > 0 && now - since >= this.#after;
    if (isDue) this.#rating = null;
    sessionStorage.setItem(this.#key, JSON.stringify(this.#rating));
    return isDue ? { minutes: Math.round((now - since) / 60_000), count } : null;
  }
}
