// A comment on a photo for the admins of the campaign. It takes the same way as an answer: into the log of this browser,
// then to the server, once.

import { newId } from "./answer.js";

const $ = (id) => document.getElementById(id);

export class CommentBox {
  #outbox;
  #url;
  #sent;
  #item = null; // the item that the open dialog is about
  #dialog = $("comment");

  // sent(item) is called after a comment.
  constructor(outbox, { api }, sent) {
    this.#outbox = outbox;
    this.#url = `${api}/comments`;
    this.#sent = sent;
    $("comment-form").addEventListener("submit", (event) => this.#submitted(event));
    $("comment-text").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      $("comment-form").requestSubmit();
    });
  }

  // A text that was not sent stays for the same photo.
  open(item) {
    if (item !== this.#item) $("comment-text").value = "";
    this.#item = item;
    $("comment-photo").textContent = item.lease.name;
    this.#dialog.showModal();
    $("comment-text").focus();
  }

  // Sends a comment. Returns whether there was one.
  send(item, text) {
    const words = text.trim();
    if (!words) return false;
    this.#outbox.add(this.#url, { client_id: newId(), image_id: item.lease.image_id, text: words });
    return true;
  }

  #submitted(event) {
    event.preventDefault();
    if (!this.send(this.#item, $("comment-text").value)) return $("comment-text").focus();
    const item = this.#item;
    this.#item = null;
    $("comment-text").value = "";
    this.#dialog.close();
    this.#sent(item);
  }
}
