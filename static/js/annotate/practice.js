// The practice round: a few photos from worst to best. After each answer the page shows the expected answer, so that
// people use the scale in the same way, and at the end how close the answers were. The answers are not sent; the server
// only learns that the round was finished.
// Events: "change" when another photo is shown; "answered" when the expected answer is shown; "end".

import { answerText } from "./answer.js";
import { request } from "./api.js";
import { scaleDrawing, summary, verdict } from "./practice_scale.js";
import { gettext } from "../texts.js";

const $ = (id) => document.getElementById(id);

export class Practice extends EventTarget {
  isOn = false;
  isAnswered = false; // the expected answer is shown
  error = null; // ApiError when the photos could not be loaded
  item = null;
  #url;
  #leftKey;
  #prepare;
  #drop;
  #photos = [];
  #index = 0;
  #given = []; // {verdict, drawing} of each answered photo
  #scale;
  result = null; // {summary, figure} after the last photo

  constructor({ api, campaign, lowest, highest }, { prepare, drop }) {
    super();
    this.#scale = { lowest, highest };
    this.#url = `${api}/practice`;
    this.#leftKey = `iqs-practice-left:${campaign}`;
    this.#prepare = prepare;
    this.#drop = drop;
    $("practice-next").addEventListener("click", () => this.next());
    $("practice-leave").addEventListener("click", () => this.leave());
  }

  // Whether the person left the round early in this tab. The next visit offers it again.
  get wasLeft() {
    return sessionStorage.getItem(this.#leftKey) !== null;
  }

  get place() {
    return { number: this.#index + 1, total: this.#photos.length };
  }

  async start() {
    this.isOn = true;
    this.error = this.item = this.result = null;
    this.#given = [];
    this.#renderMode();
    this.dispatchEvent(new Event("change"));
    try {
      const { photos } = await request(this.#url);
      if (!this.isOn) return; // the person has left
      // Practice photos have no lease. A copy of the photo is used instead.
      this.#photos = photos.map((photo) => ({ ...photo, show_prediction: false }));
      if (photos.length) this.#show(0);
      else this.#end();
    } catch (error) {
      this.error = error;
      this.dispatchEvent(new Event("change"));
    }
  }

  // Shows the expected answer, after the person's answer or without one.
  showExpected() {
    const { watch, score, guidance } = this.item.lease;
    const expected = answerText({ watch: watch || null, score });
    const given = this.item.watch ? answerText(this.item) : "";
    const isMatch = given && (!watch || watch === this.item.watch) && (score === null || score === this.item.score);
    $("practice-given").textContent = given ? gettext("You said %(given)s.", { given }) : "";
    $("practice-expected").textContent = !expected ? "" : isMatch ? gettext("As expected.") : gettext("Expected: %(expected)s.", { expected });
    $("practice-guidance").textContent = guidance;
    this.#showVerdict({ watch, score });
    const isLast = this.#index === this.#photos.length - 1;
    $("practice-next-words").textContent = isLast ? gettext("Your result") : gettext("Next practice photo");
    this.isAnswered = true;
    this.#renderMode();
    $("practice-next").focus();
    this.dispatchEvent(new CustomEvent("answered", { detail: { isLast, words: $("practice-feedback").textContent.replace(/\s+/g, " ").trim() } }));
  }

  next() {
    this.#drop(this.item.lease);
    if (this.#index + 1 < this.#photos.length) return this.#show(this.#index + 1);
    request(`${this.#url}/done`, {}).catch(() => {}); // then the next visit starts with practice again
    this.#showResult();
  }

  // Ends the round after its result.
  finish() {
    this.#end();
  }

  leave() {
    sessionStorage.setItem(this.#leftKey, "");
    this.#end();
  }

  // Shows both answers on the scale, and in words whether they are a hit.
  #showVerdict(expected) {
    const { watch, score } = this.item;
    const one = verdict({ watch, score }, expected, this.#scale);
    const pills = [
      [one.scoreWords, one.isScoreHit],
      [one.watchWords, one.isWatchHit],
    ];
    $("practice-verdict").replaceChildren(...pills.filter(([words]) => words).map(([words, isHit]) => pill(words, isHit)));
    const none = gettext("no score");
    const values = { ...this.#scale, expected: expected.score ?? none, given: score ?? none };
    const words = gettext("Expected %(expected)s, you %(given)s, on the scale %(lowest)s to %(highest)s", values);
    const draw = () => scaleDrawing({ ...this.#scale, given: score, expected: expected.score, words });
    $("practice-scale").replaceChildren(...(expected.score === null ? [] : [draw()]));
    if (watch) this.#given.push({ verdict: one, drawing: expected.score === null ? null : draw() });
  }

  #showResult() {
    const figure = document.createElement("div");
    figure.className = "practice-result";
    figure.append(...this.#given.map(({ drawing }) => drawing).filter(Boolean));
    this.result = { summary: summary(this.#given.map((one) => one.verdict)), figure };
    this.item = null;
    this.isAnswered = false;
    this.#renderMode();
    this.dispatchEvent(new Event("change"));
  }

  #show(index) {
    this.#index = index;
    for (const photo of this.#photos.slice(index, index + 2)) this.#prepare(photo);
    this.item = { lease: this.#photos[index], watch: "", score: null, skipReason: "", inputs: {} };
    this.isAnswered = false;
    this.#renderMode();
    this.dispatchEvent(new Event("change"));
  }

  #end() {
    for (const photo of this.#photos) this.#drop(photo);
    this.#photos = [];
    this.isOn = this.isAnswered = false;
    this.item = this.error = this.result = null;
    this.#renderMode();
    this.dispatchEvent(new Event("end"));
  }

  #renderMode() {
    document.querySelector(".annotate").toggleAttribute("data-practice", this.isOn);
    $("questions").hidden = this.isAnswered;
    $("practice-feedback").hidden = !this.isAnswered;
    $("practice-leave").hidden = !this.isOn || this.result !== null;
    for (const id of ["skip-open", "comment-open", "last-open"]) $(id).hidden = this.isOn;
    // Not in an open dialog: the instructions are open while the first photo is loaded, and Begin must keep the focus.
    if (!document.activeElement?.closest("dialog[open]")) document.activeElement?.blur();
  }
}

function pill(words, isHit) {
  const element = Object.assign(document.createElement("span"), { className: "verdict", textContent: words });
  element.dataset.hit = isHit ? "yes" : "no";
  return element;
}
