// One session of rating in a campaign: how many photos, and the time for each. It is kept in this browser, so that it
// survives a reload and counts the answers of all tabs. After half an hour without an answer a new session begins.

const MAX_PAUSE = 30 * 60_000; // milliseconds; longer than a break, shorter than lunch
const MAX_TIMES = 50; // of the latest answers, for the time of a photo

export class Session extends EventTarget {
  #key;
  #goal;

  constructor({ annotator, campaign, sessionGoal }) {
    super();
    this.#key = `iqs-session:${annotator}:${campaign}`;
    this.#goal = sessionGoal;
    addEventListener("storage", ({ key }) => key === this.#key && this.#changed());
  }

  // Photos of the session, 0 for no goal.
  get goal() {
    return this.#goal;
  }

  set goal(photos) {
    this.#goal = photos;
    this.#changed();
  }

  get rated() {
    return this.#state.rated;
  }

  get skipped() {
    return this.#state.skipped;
  }

  // Median seconds from showing a photo to its answer, or null while there are fewer than five answers.
  get secondsPerPhoto() {
    const times = [...this.#state.times].sort((one, other) => one - other);
    return times.length < 5 ? null : times[Math.floor(times.length / 2)] / 1000;
  }

  // Counts one photo. milliseconds: from showing it to the answer, or null. Returns whether it was the last of the goal.
  count(isSkip, milliseconds) {
    const state = this.#state;
    if (isSkip) state.skipped += 1;
    else state.rated += 1;
    if (!isSkip && milliseconds !== null) state.times = [...state.times, milliseconds].slice(-MAX_TIMES);
    localStorage.setItem(this.#key, JSON.stringify({ ...state, last: Date.now() }));
    this.#changed();
    return !isSkip && this.#goal > 0 && state.rated === this.#goal;
  }

  startAgain() {
    localStorage.removeItem(this.#key);
    this.#changed();
  }

  get #state() {
    const empty = { rated: 0, skipped: 0, times: [] };
    try {
      const { last, ...state } = JSON.parse(localStorage.getItem(this.#key));
      const pause = Date.now() - last; // below 0: the clock was set back
      return pause < MAX_PAUSE ? { ...empty, ...state } : empty;
    } catch {
      return empty; // nothing is stored, or another version has stored it
    }
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
