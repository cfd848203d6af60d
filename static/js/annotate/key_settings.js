// The key settings in the help dialog: click an action's button, then press its new key. The server decides which keys
// can be used. If another action has the key, a second press swaps the keys of the two actions.

import { request } from "./api.js";
import { keyName, keyOf } from "./keys.js";
import { gettext } from "../texts.js";

const MODIFIERS = ["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "Dead", "Process"];

export class KeySettings {
  #keys;
  #url;
  #section = document.getElementById("key-settings");
  #message = document.getElementById("key-message");
  #button = null; // the button of the action that waits for its new key
  #takenKey = ""; // the pressed key, when another action has it

  constructor(keys, url) {
    this.#keys = keys;
    this.#url = url;
    this.#section.addEventListener("click", (event) => {
      const button = event.target.closest("[data-rebind]");
      if (button) this.#waitForKey(button);
    });
    document.getElementById("key-defaults").addEventListener("click", () => {
      this.#cancel();
      this.#save({}, gettext("All keys are reset to the defaults."));
    });
    addEventListener("keydown", (event) => this.#button && this.#pressed(event), true);
    this.#section.addEventListener("focusout", ({ relatedTarget }) => relatedTarget !== this.#button && this.#cancel());
    // Escape cancels the change and leaves the dialog open.
    this.#section.closest("dialog").addEventListener("cancel", (event) => this.#button && event.preventDefault());
  }

  #say(words) {
    this.#message.textContent = words;
    if (words) this.#message.scrollIntoView({ block: "nearest" });
  }

  #waitForKey(button) {
    this.#cancel();
    this.#button = button;
    button.classList.add("asking");
    button.focus(); // not every browser focuses a tapped button
    this.#say(gettext("Press the new key for “%(name)s”, or Esc to cancel.", { name: button.dataset.name }));
  }

  #cancel() {
    this.#button?.classList.remove("asking");
    this.#button = null;
    this.#takenKey = "";
    this.#say("");
  }

  #pressed(event) {
    if (MODIFIERS.includes(event.key) || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.repeat) return;
    if (event.key === "Escape") return this.#cancel();
    const action = this.#button.dataset.rebind;
    const { name } = this.#button.dataset;
    const key = keyOf(event);
    const bindings = { ...this.#keys.bindings, [action]: key };
    const other = Object.keys(bindings).find((one) => one !== action && bindings[one] === key);
    if (other && this.#takenKey !== key) {
      this.#takenKey = key;
      const taken = this.#section.querySelector(`[data-rebind="${other}"]`).dataset.name;
      return this.#say(gettext("%(key_name)s is already the key for “%(taken)s”. Press it again to swap the two keys, or press another key.", { key_name: keyName(key), taken }));
    }
    if (other) bindings[other] = this.#keys.bindings[action];
    this.#cancel();
    this.#save(bindings, gettext("%(key_name)s is now the key for “%(name)s”.", { key_name: keyName(key), name }));
  }

  async #save(bindings, words) {
    try {
      this.#keys.bind((await request(this.#url, { bindings }, { method: "PUT" })).bindings);
      this.#say(words);
    } catch (error) {
      this.#say(gettext("%(message)s The keys were not changed.", { message: error.message }));
    }
  }
}
