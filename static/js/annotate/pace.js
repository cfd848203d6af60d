// How many photos to hold ahead: enough that the next one is always here, few enough that the others get theirs.

const LEAST_AHEAD = 5; // photos waiting behind the one on the stage
const MOST_AHEAD = 18; // with the one on the stage at most 20 in a request, and two tabs stay below 50 leases
const AHEAD_PIXELS = 500_000_000; // of photos not decoded yet: some 250 MB of JPEG
const REMEMBERED = 12; // answers
const SAFETY = 2; // times the usual delay, because lines stutter
const SLOWEST = 60_000; // milliseconds between two answers; more is no pace but a pause
const WEIGHT = 0.3; // of the newest measurement in a running mean

const mean = (old, value) => (old === null ? value : old + WEIGHT * (value - old));

export class Pace {
  #lastAnswer = null;
  #intervals = []; // milliseconds between answers
  #claim = null; // milliseconds that a claim takes
  #load = null; // milliseconds from a claim's answer until one of its photos is here, the wait for others included
  #pixels = null; // of a photo
  #isShaky = false; // a request got no answer: the next time without a connection should find photos enough

  answered() {
    const now = performance.now();
    if (this.#lastAnswer !== null) this.#intervals.push(Math.min(now - this.#lastAnswer, SLOWEST));
    this.#lastAnswer = now;
    if (this.#intervals.length > REMEMBERED) this.#intervals.shift();
  }

  claimed(milliseconds) {
    this.#claim = mean(this.#claim, milliseconds);
  }

  loaded(milliseconds, pixels) {
    this.#load = mean(this.#load, milliseconds);
    this.#pixels = mean(this.#pixels, pixels);
  }

  failed() {
    this.#isShaky = true;
  }

  // Photos to have waiting after a claim.
  get ahead() {
    const most = Math.max(LEAST_AHEAD, Math.min(MOST_AHEAD, Math.floor(AHEAD_PIXELS / (this.#pixels ?? 1))));
    if (this.#isShaky) return most;
    if (this.#intervals.length < 3) return LEAST_AHEAD;
    // The quicker quarter: a burst of quick answers must not run dry.
    const interval = [...this.#intervals].sort((one, other) => one - other)[Math.floor(this.#intervals.length / 4)];
    const delay = (this.#claim ?? 0) + (this.#load ?? 0);
    const used = Math.ceil((SAFETY * delay) / Math.max(interval, 1)); // photos answered until the next ones are here
    return Math.max(LEAST_AHEAD, Math.min(most, used + 2));
  }

  // Photos left at which to claim again.
  get refillAt() {
    return this.ahead - Math.max(2, Math.floor(this.ahead / 3));
  }
}
