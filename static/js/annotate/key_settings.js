// The key settings in the help dialog: press a button, then the key that shall do it. The server says which keys
// cannot be used; here is only asked twice before two actions swap theirs.

import { request } from "./api.js";
import { keyName, keyOf } from "./keys.js";

const MODIFIERS = ["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "Dead", "Process"];

export class KeySettings {
  #keys;
  #url;
  #section = document.getElementById("key-settings");
  #message = document.getElementById("key-message");
  #asking = null; // the button whose key is asked for
  #swap = ""; // the key that was pressed although another action has it

  constructor(keys, url) {
    this.#keys = keys;
    this.#url = url;
    this.#section.addEventListener("click", (event) => {
      const button = event.target.closest("[data-rebind]");
      if (button) this.#ask(button);
    });
    document.getElementById("key-defaults").addEventListener("click", () => {
      this.#stopAsking();
      this.#save({}, "All keys are the defaults again.");
    });
    addEventListener("keydown", (event) => this.#asking && this.#pressed(event), true);
    this.#section.addEventListener("focusout", ({ relatedTarget }) => relatedTarget !== this.#asking && this.#stopAsking());
    // Escape ends the asking, not the dialog.
    this.#section.closest("dialog").addEventListener("cancel", (event) => this.#asking && event.preventDefault());
  }

  #say(words) {
    this.#message.textContent = words;
    if (words) this.#message.scrollIntoView({ block: "nearest" });
  }

  #ask(button) {
    this.#stopAsking();
    this.#asking = button;
    button.classList.add("asking");
    button.focus(); // a tap does not focus a button everywhere
    this.#say(`Press the key for “${button.dataset.name}”. Esc leaves it as it is.`);
  }

  #stopAsking() {
    this.#asking?.classList.remove("asking");
    this.#asking = null;
    this.#swap = "";
    this.#say("");
  }

  #pressed(event) {
    if (MODIFIERS.includes(event.key) || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.repeat) return;
    if (event.key === "Escape") return this.#stopAsking();
    const action = this.#asking.dataset.rebind;
    const { name } = this.#asking.dataset;
    const key = keyOf(event);
    const bindings = { ...this.#keys.bindings, [action]: key };
    const other = Object.keys(bindings).find((one) => one !== action && bindings[one] === key);
    if (other && this.#swap !== key) {
      this.#swap = key;
      const taken = this.#section.querySelector(`[data-rebind="${other}"]`).dataset.name;
      return this.#say(`${keyName(key)} is the key for “${taken}”. Press it again to swap the two, or another key.`);
    }
    if (other) bindings[other] = this.#keys.bindings[action];
    this.#stopAsking();
    this.#save(bindings, `${keyName(key)} is now the key for “${name}”.`);
  }

  async #save(bindings, words) {
    try {
      this.#keys.bind((await request(this.#url, { bindings }, { method: "PUT" })).bindings);
      this.#say(words);
    } catch (error) {
      this.#say(`${error.message} The keys stay as they are.`);
    }
  }
}
