// The card that stands on the stage in place of a photo: why there is none, and what to do about it.

const $ = (id) => document.getElementById(id);

export class StageCard {
  #act = () => {};

  constructor() {
    $("empty-again").addEventListener("click", () => this.#act());
  }

  get isShown() {
    return !$("empty").hidden;
  }

  // note: a small line below; button: its words; act: what it does; isFocused: the next Enter presses it.
  show({ title, reason, note = "", button = "Look again", act, isFocused = false }) {
    $("empty-title").textContent = title;
    $("empty-reason").textContent = reason;
    $("empty-note").textContent = note;
    $("empty-again").textContent = button;
    this.#act = act;
    $("empty").hidden = false;
    if (isFocused) $("empty-again").focus();
  }

  hide() {
    $("empty").hidden = true;
  }
}

// What there is to say, for `show`.
export const cards = {
  withoutPhotos: ({ error, emptyBecause }, act) => ({
    title: error ? "No photos for now" : "Nothing to do right now",
    reason: error?.message ?? emptyBecause,
    note: "This page looks again by itself.",
    act,
  }),
  withoutPractice: (error, act) => ({ title: "The practice photos do not load", reason: error.message, act }),
  broken: (act) => ({
    title: "This photo does not load",
    reason: navigator.onLine
      ? "Look again, or skip it so that the campaign's admin hears of it."
      : "There is no connection; it loads when the connection is back.",
    act,
  }),
  away: () => ({
    title: "Are you still there?",
    reason: "Nothing happened for ten minutes, so the photos waiting here went to the others. Any key brings you new ones.",
    button: "Go on",
    act: () => {}, // the click alone calls them
  }),
  breakDue: ({ minutes, count }, act) => ({
    title: "Time for a break",
    reason: `You have judged ${count} photos in ${minutes} minutes. Eyes tire before one notices: look into the distance, stretch, drink something.`,
    note: "Your answers are kept. The photos waiting here went to the others; new ones come when you go on.",
    button: "Go on",
    act,
    isFocused: true,
  }),
};
