// The two questions below the photo: which answer is pressed, and what people press, slide or type there.

const $ = (id) => document.getElementById(id);

// The kind of input of a click; a button pressed by the keyboard has no pointer.
export function inputOf(event) {
  return event.pointerType || "keys";
}

export class Controls {
  #middle;
  #lastSet = "slider"; // with what the number in the slider's form came to be

  // choose(kind, value, input) takes an answer.
  constructor({ lowest, highest }, choose) {
    this.#middle = Math.round((lowest + highest) / 2);
    $("slider-range")?.addEventListener("input", () => this.#slid());
    $("slider-range")?.addEventListener("pointerup", () => this.#slid()); // a tap where the thumb stands is an answer too
    $("slider-number")?.addEventListener("input", ({ target }) => {
      this.#lastSet = "keys";
      $("slider-range").value = target.value || this.#middle;
      this.#markSet(target.value !== "");
    });
    $("slider")?.addEventListener("submit", (event) => {
      event.preventDefault();
      document.activeElement.blur();
      choose("score", Number($("slider-number").value), this.#lastSet);
    });
  }

  // item: what is on the stage, or null.
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

  // A digit begins a number; the key itself lands in the field. Returns whether there is one.
  beginNumber() {
    if (!$("slider")) return false;
    $("slider-number").value = "";
    $("slider-number").focus();
    return true;
  }

  // A number typed and not set yet, when a letter key gives the other answer.
  get typedScore() {
    const field = $("slider-number");
    return field && document.activeElement === field && field.value && field.checkValidity() ? Number(field.value) : null;
  }

  #slid() {
    this.#lastSet = "slider";
    $("slider-number").value = $("slider-range").value;
    this.#markSet(true);
  }

  // Until somebody touches it, the slider's thumb is no opinion and does not look like one.
  #markSet(isSet) {
    $("slider").toggleAttribute("data-set", isSet);
  }
}
