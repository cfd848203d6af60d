// The dialog that asks why to skip a photo, with a comment for the admins of the campaign.

const $ = (id) => document.getElementById(id);

export class SkipMenu {
  #dialog = $("skip");
  #item = null; // the item for which the dialog is open

  // skip(item, reason, comment) is called with the reason; comment(item) when the person wants to write without skipping.
  constructor(skip, comment) {
    this.#dialog.addEventListener("keydown", (event) => this.#pressed(event));
    this.#dialog.addEventListener("close", () => {
      const { returnValue: reason } = this.#dialog;
      if (reason) skip(this.#item, reason, $("skip-comment").value);
    });
    $("skip-to-comment").addEventListener("click", () => {
      this.#dialog.close("");
      comment(this.#item);
    });
  }

  open(item) {
    this.#item = item;
    this.#dialog.returnValue = "";
    $("skip-comment").value = "";
    this.#dialog.showModal();
  }

  #pressed(event) {
    if (event.target.id === "skip-comment") {
      if (event.key !== "Enter" || event.isComposing) return event.stopPropagation(); // digits are part of the text
      // The browser would press the first button, which is the wrong reason.
      event.preventDefault();
      return $("skip-other").click();
    }
    const reason = this.#dialog.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!reason) return;
    event.stopPropagation(); // the digit must not score the next photo
    event.preventDefault();
    reason.click();
  }
}
