// The card that is shown in place of a photo: it says why there is no photo and what to do.

const $ = (id) => document.getElementById(id);

export class StageCard {
  #onClick = () => {};

  constructor() {
    $("empty-again").addEventListener("click", () => this.#onClick());
  }

  // note: small text below the reason; button: its label; isFocused: whether the next Enter presses it.
  show({ title, reason, note = "", button = "Try again", onClick, isFocused = false }) {
    $("empty-title").textContent = title;
    $("empty-reason").textContent = reason;
    $("empty-note").textContent = note;
    $("empty-again").textContent = button;
    this.#onClick = onClick;
    $("empty").hidden = false;
    if (isFocused) $("empty-again").focus();
  }

  hide() {
    $("empty").hidden = true;
  }
}

// The contents of the cards, for `show`.
export const cards = {
  noPhotos: ({ error, emptyBecause }, onClick) => ({
    title: error ? "Photos could not be loaded" : "Nothing to do right now",
    reason: error?.message ?? emptyBecause,
    note: "This page checks for photos automatically.",
    onClick,
  }),
  practiceFailed: (error, onClick) => ({ title: "Practice photos could not be loaded", reason: error.message, onClick }),
  broken: (onClick) => ({
    title: "This photo could not be loaded",
    reason: navigator.onLine
      ? "Try again, or skip it to report it to the campaign's admin."
      : "There is no connection. The photo loads when the connection is back.",
    onClick,
  }),
  away: () => ({
    title: "Are you still there?",
    reason: "You were away for ten minutes, so your photos went back to the queue. Press any key to get new ones.",
    button: "Continue",
    onClick: () => {}, // every click on the stage ends the pause
  }),
  breakDue: ({ minutes, count }, onClick) => ({
    title: "Time for a break",
    reason: `You have rated ${count} photos in ${minutes} minutes. Rest your eyes: look into the distance, stretch, drink something.`,
    note: "Your answers are kept. Your photos went back to the queue. You get new ones when you continue.",
    button: "Continue",
    onClick,
    isFocused: true,
  }),
};
