// The practice round: a few photos from worst to best, with what was expected of each shown after the answer. It
// steadies the scale before the first photo that counts; nothing of it is sent, but that it was gone through.
// Events: "change" when another photo is up; "judged" when an answer is to be compared; "end".

import { saying } from "./answer.js";
import { request } from "./api.js";

const $ = (id) => document.getElementById(id);

export class Practice extends EventTarget {
  isOn = false;
  isJudged = false; // the answer stands beside what was expected
  error = null; // ApiError: the photos did not come
  item = null;
  #url;
  #leftKey;
  #prepare;
  #drop;
  #photos = [];
  #index = 0;

  constructor({ api, slug }, { prepare, drop }) {
    super();
    this.#url = `${api}/practice`;
    this.#leftKey = `iqs-practice-left:${slug}`;
    this.#prepare = prepare;
    this.#drop = drop;
    $("practice-next").addEventListener("click", () => this.next());
    $("practice-leave").addEventListener("click", () => this.leave());
  }

  // Whether the person left it early in this tab; the next visit offers it again.
  get wasLeft() {
    return sessionStorage.getItem(this.#leftKey) !== null;
  }

  get place() {
    return { number: this.#index + 1, total: this.#photos.length };
  }

  async start() {
    this.isOn = true;
    this.error = this.item = null;
    this.#renderMode();
    this.dispatchEvent(new Event("change"));
    try {
      const { photos } = await request(this.#url);
      if (!this.isOn) return; // left meanwhile
      // No server hands out a lease for them; two items never share one.
      this.#photos = photos.map((photo) => ({ ...photo, show_prediction: false }));
      if (photos.length) this.#show(0);
      else this.#end();
    } catch (error) {
      this.error = error;
      this.dispatchEvent(new Event("change"));
    }
  }

  // The photo on the stage is answered, or passed over: says what was expected of it.
  judge() {
    const { watch, score, guidance } = this.item.lease;
    const expected = saying({ watch: watch || null, score });
    const given = this.item.watch ? saying(this.item) : "";
    const isSame = given && (!watch || watch === this.item.watch) && (score === null || score === this.item.score);
    $("practice-given").textContent = given ? `You said ${given}.` : "";
    $("practice-expected").textContent = !expected ? "" : isSame ? "That is what was expected." : `Expected: ${expected}.`;
    $("practice-guidance").textContent = guidance;
    const isLast = this.#index === this.#photos.length - 1;
    $("practice-next-words").textContent = isLast ? "To the photos that count" : "Next practice photo";
    this.isJudged = true;
    this.#renderMode();
    $("practice-next").focus();
    this.dispatchEvent(new CustomEvent("judged", { detail: { isLast, words: $("practice-feedback").textContent.replace(/\s+/g, " ").trim() } }));
  }

  next() {
    this.#drop(this.item.lease);
    if (this.#index + 1 < this.#photos.length) return this.#show(this.#index + 1);
    request(`${this.#url}/done`, {}).catch(() => {}); // then the next visit begins with practice once more
    this.#end();
  }

  leave() {
    sessionStorage.setItem(this.#leftKey, "");
    this.#end();
  }

  #show(index) {
    this.#index = index;
    for (const photo of this.#photos.slice(index, index + 2)) this.#prepare(photo);
    this.item = { lease: this.#photos[index], watch: "", score: null, skipReason: "", inputs: {} };
    this.isJudged = false;
    this.#renderMode();
    this.dispatchEvent(new Event("change"));
  }

  #end() {
    for (const photo of this.#photos) this.#drop(photo);
    this.#photos = [];
    this.isOn = this.isJudged = false;
    this.item = this.error = null;
    this.#renderMode();
    this.dispatchEvent(new Event("end"));
  }

  #renderMode() {
    $("questions").hidden = this.isJudged;
    $("practice-feedback").hidden = !this.isJudged;
    $("practice-leave").hidden = !this.isOn;
    $("skip-open").hidden = this.isOn;
    document.activeElement?.blur();
  }
}
