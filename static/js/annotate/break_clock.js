// Says when a break is due: after some minutes of rating without a pause. The time is kept for the tab, over reloads.

const MIN_PAUSE = 5 * 60_000; // milliseconds without an answer that count as a break

export class BreakClock {
  #key;
  #after;
  #rating; // {since, last, count} of the rating time since the last break

  // minutes: 0 for never.
  constructor(campaign, minutes) {
    this.#key = `iqs-rating:${campaign}`;
    this.#after = minutes * 60_000;
    this.#rating = JSON.parse(sessionStorage.getItem(this.#key) ?? "null");
  }

  // Counts one answer. Returns null, or {minutes, count} when a break is due. Then the count starts again.
  answered(now = Date.now()) {
    const pause = now - (this.#rating?.last ?? -Infinity);
    if (!(pause >= 0 && pause < MIN_PAUSE)) this.#rating = { since: now, count: 0 }; // pause < 0: the clock was set back
    Object.assign(this.#rating, { last: now, count: this.#rating.count + 1 });
    const { since, count } = this.#rating;
    const isDue = this.#after > 0 && now - since >= this.#after;
    if (isDue) this.#rating = null;
    sessionStorage.setItem(this.#key, JSON.stringify(this.#rating));
    return isDue ? { minutes: Math.round((now - since) / 60_000), count } : null;
  }
}
