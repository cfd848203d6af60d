// What the page says about itself: saved or not, how many ratings, how fast, and what needs the person.

const $ = (id) => document.getElementById(id);
const plural = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
const SETTLED = 1_500; // milliseconds of quiet before a screen reader hears of the saved state

export class StatusLine {
  #outbox;
  #claimError = null;
  #times = []; // of the answers on this page, milliseconds
  #skips = 0;
  #before = null; // own answers in the campaign when the page was opened
  #words = ""; // about the saved state, as the page shows them
  #announceTimer = 0;

  constructor(outbox) {
    this.#outbox = outbox;
    outbox.addEventListener("change", () => this.#render());
    $("trouble-dismiss").addEventListener("click", () => outbox.dismissRefused());
  }

  count(isSkip) {
    if (isSkip) this.#skips += 1;
    else this.#times.push(performance.now());
    this.#renderSession();
  }

  total = ({ own_answers: before }) => {
    this.#before = before - this.#times.length;
    this.#renderSession();
  };

  claimFailed(error) {
    this.#claimError = error;
    this.#render();
  }

  announce(words) {
    $("announce").textContent = words;
  }

  #renderSession() {
    const times = this.#times;
    const parts = [`${times.length} rated`];
    const minutes = (times.at(-1) - times[0]) / 60_000;
    if (times.length >= 5 && minutes > 0) parts.push(`${Math.round(((times.length - 1) / minutes) * 6) * 10}/h`);
    $("session").textContent = parts.join(" · ");
    const before = this.#before > 0 ? `; ${plural(this.#before, "rating")} before` : "";
    $("session").title = `${plural(times.length, "rating")} and ${plural(this.#skips, "skip")} on this page${before}`;
  }

  #render() {
    const { pending, kept, state, refused } = this.#outbox;
    const isStuck = kept > 0 && (state === "offline" || state === "login");
    const isRefused = !pending && refused.length;
    const words = isStuck ? `${kept} not sent yet` : pending ? `Saving ${pending}` : isRefused ? `${refused.length} not taken` : "Saved";
    this.#announceSettled(words);
    $("saved").textContent = words;
    $("saved").dataset.state = isStuck || refused.length ? "trouble" : pending ? "saving" : "saved";
    this.#renderTrouble(kept, state, refused);
  }

  // In a place of its own: it must not end what is being said about a photo. What was so when the page came is no news.
  #announceSettled(words) {
    if (words === this.#words) return;
    clearTimeout(this.#announceTimer);
    if (this.#words) this.#announceTimer = setTimeout(() => ($("announce-saved").textContent = words), SETTLED);
    this.#words = words;
  }

  // The page promises nothing of ratings that wait and are not in the log yet.
  #renderTrouble(kept, state, refused) {
    const ratings = `${plural(kept, "rating")} ${kept === 1 ? "is" : "are"} kept ${this.#outbox.isLasting ? "in this browser" : "on this page only, so leave it open"}`;
    const needsLogin = state === "login" || this.#claimError?.needsLogin;
    let words = "";
    if (this.#outbox.message && kept) words = `${this.#outbox.message} ${ratings}, for the one who gave ${kept === 1 ? "it" : "them"}.`;
    else if (needsLogin) words = kept ? `Log in again: ${ratings} and will be sent then.` : "Log in again to go on.";
    else if (kept && state === "offline") words = `No connection: ${ratings} and will be sent when it is back.`;
    else if (refused.length) words = `${plural(refused.length, "rating")} not taken by the server: ${refused[0].refused}`;
    $("trouble").hidden = !words;
    if ($("trouble-text").textContent !== words) $("trouble-text").textContent = words;
    $("trouble-login").hidden = !needsLogin;
    $("trouble-dismiss").hidden = needsLogin || !refused.length || (kept > 0 && state === "offline");
  }
}
