// The page's status: whether answers are saved, and problems that need the person.

import { saveAnswers } from "./answer_file.js";

const $ = (id) => document.getElementById(id);
const plural = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
const ANNOUNCE_AFTER = 1_500; // milliseconds without a change before a screen reader hears the saved state

export class StatusLine {
  #outbox;
  #claimError = null;
  #savedText = ""; // the saved state as the page shows it
  #announceTimer = 0;

  constructor(outbox) {
    this.#outbox = outbox;
    outbox.addEventListener("change", () => this.#render());
    $("trouble-dismiss").addEventListener("click", () => outbox.dismissRefused());
    $("trouble-again").addEventListener("click", () => outbox.sendRefused());
    $("trouble-save").addEventListener("click", () => saveAnswers(outbox.refused));
  }

  claimFailed(error) {
    this.#claimError = error;
    this.#render();
  }

  announce(words) {
    $("announce").textContent = words;
  }

  #render() {
    const { pending, kept, state, refused } = this.#outbox;
    const isStuck = kept > 0 && (state === "offline" || state === "login");
    const isRefused = !pending && refused.length;
    const words = isStuck ? `${kept} not sent yet` : pending ? `Saving ${pending}` : isRefused ? `${refused.length} refused` : "Saved";
    this.#announceSaved(words);
    $("saved").textContent = words;
    $("saved").dataset.state = isStuck || refused.length ? "trouble" : pending ? "saving" : "saved";
    this.#renderTrouble(kept, state, refused);
  }

  // Uses its own live region, so that it does not interrupt what is said about a photo. The first state is not announced.
  #announceSaved(words) {
    if (words === this.#savedText) return;
    clearTimeout(this.#announceTimer);
    if (this.#savedText) this.#announceTimer = setTimeout(() => ($("announce-saved").textContent = words), ANNOUNCE_AFTER);
    this.#savedText = words;
  }

  // Does not count ratings that are still being written to the log: the page must not promise to keep them.
  #renderTrouble(kept, state, refused) {
    const ratings = `${plural(kept, "rating")} ${kept === 1 ? "is" : "are"} kept ${this.#outbox.isPersistent ? "in this browser" : "on this page only, so leave it open"}`;
    const needsLogin = state === "login" || this.#claimError?.needsLogin;
    let words = "";
    if (this.#outbox.message && kept) words = `${this.#outbox.message} ${ratings} for the person who gave ${kept === 1 ? "it" : "them"}.`;
    else if (needsLogin) words = kept ? `Log in again: ${ratings} and will be sent then.` : "Log in again to continue.";
    else if (kept && state === "offline") words = `No connection: ${ratings} and will be sent when the connection is back.`;
    else if (refused.length) words = `The server refused ${plural(refused.length, "rating")}: ${refused[0].refused}`;
    $("trouble").hidden = !words;
    if ($("trouble-text").textContent !== words) $("trouble-text").textContent = words;
    $("trouble-login").hidden = !needsLogin;
    const hasNoChoice = needsLogin || !refused.length || (kept > 0 && state === "offline");
    for (const id of ["trouble-again", "trouble-save", "trouble-dismiss"]) $(id).hidden = hasNoChoice;
  }
}
