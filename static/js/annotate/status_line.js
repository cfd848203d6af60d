// The page's status: whether answers are saved, and problems that need the person.

import { saveAnswers } from "./answer_file.js";
import { gettext, ngettext } from "../texts.js";

const $ = (id) => document.getElementById(id);
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
    const words = isStuck ? gettext("%(kept)s not sent yet", { kept }) : pending ? gettext("Saving %(pending)s", { pending }) : isRefused ? gettext("%(refused)s refused", { refused: refused.length }) : gettext("Saved");
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
    const ratings = this.#outbox.isPersistent
      ? ngettext("%(n)s rating is kept in this browser", "%(n)s ratings are kept in this browser", kept)
      : ngettext("%(n)s rating is kept on this page only, so leave it open", "%(n)s ratings are kept on this page only, so leave it open", kept);
    const needsLogin = state === "login" || this.#claimError?.needsLogin;
    let words = "";
    if (this.#outbox.message && kept) words = gettext("%(message)s %(ratings)s for the person who gave them.", { message: this.#outbox.message, ratings });
    else if (needsLogin) words = kept ? gettext("Log in again: %(ratings)s and will be sent then.", { ratings }) : gettext("Log in again to continue.");
    else if (kept && state === "offline") words = gettext("No connection: %(ratings)s and will be sent when the connection is back.", { ratings });
    else if (refused.length) words = ngettext("The server refused %(n)s rating: %(why)s", "The server refused %(n)s ratings: %(why)s", refused.length, { why: refused[0].refused });
    $("trouble").hidden = !words;
    if ($("trouble-text").textContent !== words) $("trouble-text").textContent = words;
    $("trouble-login").hidden = !needsLogin;
    const hasNoChoice = needsLogin || !refused.length || (kept > 0 && state === "offline");
    for (const id of ["trouble-again", "trouble-save", "trouble-dismiss"]) $(id).hidden = hasNoChoice;
  }
}
