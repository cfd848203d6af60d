// The two questions below the photo: their buttons, the slider and the number field.

const $ = (id) => document.getElementById(id);

// Returns the kind of input of a click. A button pressed with the keyboard has no pointer.
export function inputOf(event) {
  return event.pointerType || "keys";
}

export class Controls {
  #middle;
  #lastInput = "slider"; // what set the number in the slider's form: "slider" or "keys"

  // choose(kind, value, input) is called with an answer.
  constructor({ lowest, highest }, choose) {
    this.#middle = Math.round((lowest + highest) / 2);
    $("slider-range")?.addEventListener("input", () => this.#slid());
    $("slider-range")?.addEventListener("pointerup", () => this.#slid()); // a tap on the thumb is an answer too
    $("slider-number")?.addEventListener("input", ({ target }) => {
      this.#lastInput = "keys";
      $("slider-range").value = target.value || this.#middle;
      this.#markSet(target.value !== "");
    });
    $("slider")?.addEventListener("submit", (event) => {
      event.preventDefault();
      document.activeElement.blur();
      choose("score", Number($("slider-number").value), this.#lastInput);
    });
  }

  // Shows the answers of the item on the stage. item: may be null.
  render(item) {
    for (const button of document.querySelectorAll("[data-watch]")) {
      button.setAttribute("aria-pressed", String(button.dataset.watch === item?.watch));
    }
    for (const button of document.querySelectorAll("[data-score]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.score) === item?.score));
    }
    if (!$("slider")) return;
    const isSet = item != null && item.score !== null;
    $("slider-range").value = isSet ? item.score : this.#middle;
    $("slider-number").value = isSet ? item.score : "";
    $("slider-set").setAttribute("aria-pressed", String(isSet));
    this.#markSet(isSet);
  }

  enable() {
    this.#setDisabled(false);
  }

  // For a stage without a photo. canSkip: whether the photo can be skipped all the same.
  disable({ canSkip = false } = {}) {
    this.#setDisabled(true);
    $("skip-open").disabled = !canSkip;
  }

  #setDisabled(isDisabled) {
    for (const control of [...$("questions").querySelectorAll("button, input"), $("skip-open")]) control.disabled = isDisabled;
  }

  // Empties the number field and gives it the focus; the browser then types the digit. Returns whether there is a field.
  beginNumber() {
    if (!$("slider")) return false;
    $("slider-number").value = "";
    $("slider-number").focus();
    return true;
  }

  // The number that was typed but not set when a letter key gives the other answer, or null.
  get typedScore() {
    const field = $("slider-number");
    return field && document.activeElement === field && field.value && field.checkValidity() ? Number(field.value) : null;
  }

  #slid() {
    this.#lastInput = "slider";
    $("slider-number").value = $("slider-range").value;
    this.#markSet(true);
  }

  // A slider that nobody has moved is no answer, so its style is different.
  #markSet(isSet) {
    $("slider").toggleAttribute("data-set", isSet);
  }
}
