// Sends answers in the background, in the order in which they were given, until the server confirms each.
// Events: "change" whenever `pending`, `state` or `refused` changed; "receipt" (detail: the entry's body).

import { request } from "./api.js";

const SHORTEST_WAIT = 1_000; // milliseconds
const LONGEST_WAIT = 30_000;

export class Outbox extends EventTarget {
  state = "idle"; // idle, sending, offline, login (nobody, or somebody else, is logged in)
  message = ""; // of the server, where it asked for another login
  #log;
  #annotator;
  #entries = [];
  #isSending = false;
  #timer = 0;
  #wait = SHORTEST_WAIT;

  constructor(log, annotator) {
    super();
    this.#log = log;
    this.#annotator = annotator;
    addEventListener("online", () => this.send());
  }

  // Takes up what an earlier page left behind. What had been refused is offered again: the campaign may
  // take it by now.
  async load() {
    const entries = await this.#log.all(this.#annotator).catch(() => []);
    this.#entries = entries.map((entry) => ({ ...entry, refused: "" }));
    this.#changed();
    this.send();
  }

  get isLasting() {
    return this.#log.isLasting;
  }

  get pending() {
    return this.#entries.filter((entry) => !entry.refused).length;
  }

  get refused() {
    return this.#entries.filter((entry) => entry.refused);
  }

  // Photos whose answers the server may not know yet.
  get imageIds() {
    return this.#entries.map((entry) => entry.body.image_id);
  }

  // Logs the answer, then sends it. It counts as pending from the first moment.
  async add(url, body) {
    const entry = { annotator: this.#annotator, url, body: { ...body, annotator_id: this.#annotator }, refused: "" };
    this.#entries.push(entry);
    this.#changed();
    try {
      entry.order = await this.#log.add(entry);
    } catch {
      entry.order = null; // storage is full or gone: the answer is sent all the same
    }
    this.send();
  }

  async dismissRefused() {
    const refused = this.refused;
    this.#entries = this.#entries.filter((entry) => !entry.refused);
    this.#changed();
    await Promise.all(refused.map((entry) => this.#forget(entry)));
  }

  async send() {
    if (this.#isSending) return;
    this.#isSending = true;
    clearTimeout(this.#timer);
    try {
      let entry;
      while ((entry = this.#entries.find((one) => !one.refused && one.order !== undefined))) {
        if (!(await this.#sendOne(entry))) return;
      }
      this.#become("idle");
    } finally {
      this.#isSending = false;
    }
  }

  async #sendOne(entry) {
    if (this.state === "idle") this.#become("sending"); // "offline" stays until something came through
    try {
      await request(entry.url, entry.body);
    } catch (error) {
      if (error.status === 409) this.#become("login", error.message);
      else if (error.needsLogin) this.#become("login");
      else if (error.isPassing) this.#become("offline");
      else return this.#refuse(entry, error.message);
      this.#sendLater();
      return false;
    }
    this.#wait = SHORTEST_WAIT;
    Object.assign(this, { state: "sending", message: "" });
    this.#entries = this.#entries.filter((one) => one !== entry);
    await this.#forget(entry);
    this.dispatchEvent(new CustomEvent("receipt", { detail: entry.body }));
    this.#changed();
    return true;
  }

  // Kept, with the server's sentence, until the person has seen it; the others go on.
  async #refuse(entry, sentence) {
    entry.refused = sentence;
    Object.assign(this, { state: "sending", message: "" });
    this.#changed();
    if (entry.order !== null) await this.#log.put(entry).catch(() => {});
    return true;
  }

  async #forget(entry) {
    // An entry that stays behind is sent once more at the next load, and recorded once.
    if (entry.order !== null) await this.#log.remove(entry.order).catch(() => {});
  }

  #sendLater() {
    const jitter = 0.8 + 0.4 * Math.random();
    this.#timer = setTimeout(() => this.send(), this.#wait * jitter);
    this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT);
  }

  #become(state, message = "") {
    if (this.state === state && this.message === message) return;
    Object.assign(this, { state, message });
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
