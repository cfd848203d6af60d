// A few words on the stage for a moment. Screen readers hear them too.

export class Note {
  #status;
  #timer = 0;
  #element = document.getElementById("note");

  constructor(status) {
    this.#status = status;
  }

  show(words, milliseconds = 2_500) {
    this.#status.announce(words);
    this.#element.textContent = words;
    this.#element.hidden = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.hide(), milliseconds);
  }

  hide() {
    this.#element.hidden = true;
  }
}
