// How many photos to load ahead: enough that the next photo is always ready, and few enough to leave some for others.

const MIN_AHEAD = 5; // photos after the one on the stage
const MAX_AHEAD = 18; // plus the one on the stage: at most 20 in a request, and two tabs stay below 50 leases
const AHEAD_PIXELS = 500_000_000; // of photos that are loaded: about 250 MB of JPEG
const MAX_INTERVALS = 12; // of the latest answers
const SAFETY = 2; // factor on the mean delay, because connections vary
const MAX_INTERVAL = 60_000; // milliseconds between two answers; a longer interval is a pause
const WEIGHT = 0.3; // of the newest measurement in the running mean

const mean = (old, value) => (old === null ? value : old + WEIGHT * (value - old));

export class Pace {
  #lastAnswer = null;
  #intervals = []; // milliseconds between answers
  #claim = null; // milliseconds that a claim takes
  #load = null; // milliseconds from a claim's answer until a photo is loaded, with the wait for other photos
  #pixels = null; // of a photo
  #hasFailed = false; // a request got no answer: load more photos in case the connection fails again

  answered() {
    const now = performance.now();
    if (this.#lastAnswer !== null) this.#intervals.push(Math.min(now - this.#lastAnswer, MAX_INTERVAL));
    this.#lastAnswer = now;
    if (this.#intervals.length > MAX_INTERVALS) this.#intervals.shift();
  }

  claimed(milliseconds) {
    this.#claim = mean(this.#claim, milliseconds);
  }

  loaded(milliseconds, pixels) {
    this.#load = mean(this.#load, milliseconds);
    this.#pixels = mean(this.#pixels, pixels);
  }

  failed() {
    this.#hasFailed = true;
  }

  // The number of photos that should wait after a claim.
  get ahead() {
    const max = Math.max(MIN_AHEAD, Math.min(MAX_AHEAD, Math.floor(AHEAD_PIXELS / (this.#pixels ?? 1))));
    if (this.#hasFailed) return max;
    if (this.#intervals.length < 3) return MIN_AHEAD;
    // The first quartile, so that there are enough photos for some quick answers in a row.
    const interval = [...this.#intervals].sort((one, other) => one - other)[Math.floor(this.#intervals.length / 4)];
    const delay = (this.#claim ?? 0) + (this.#load ?? 0);
    const used = Math.ceil((SAFETY * delay) / Math.max(interval, 1)); // photos answered until new ones are loaded
    return Math.max(MIN_AHEAD, Math.min(max, used + 2));
  }

  // The number of waiting photos at which to claim again.
  get refillAt() {
    return this.ahead - Math.max(2, Math.floor(this.ahead / 3));
  }
}
