// The dialog with the instructions and the keys. It opens by itself at the first visit, after a change of the
// instructions, and from the account page (#keys).

import { gettext } from "../texts.js";

const $ = (id) => document.getElementById(id);

export class HelpDialog {
  #dialog = $("help");
  #key;
  #instructions;

  // instructions: a digest of the text, which changes with it.
  constructor({ campaign, instructions }) {
    this.#key = `iqs-instructions:${campaign}`;
    this.#instructions = instructions;
    this.#dialog.addEventListener("close", () => {
      this.#seen();
      $("help-close").textContent = gettext("Close");
    });
    // The form loads the page again, without closing the dialog.
    $("reread")?.addEventListener("submit", () => this.#seen());
  }

  openIfNew() {
    const isNew = localStorage.getItem(this.#key) !== this.#instructions;
    if (isNew) $("help-close").textContent = gettext("Begin");
    if (isNew || location.hash === "#keys") this.open();
  }

  open() {
    this.#dialog.returnValue = "";
    this.#dialog.showModal();
    $("help-close").focus({ preventScroll: true }); // also where the browser ignores autofocus
  }

  close() {
    this.#dialog.close();
  }

  #seen() {
    localStorage.setItem(this.#key, this.#instructions);
  }
}
