// The number of photos in the bar, and the dialog behind it: this session, its goal, what is left in the campaign, and
// how many photos to load ahead.

import { request } from "./api.js";
import { CHOICES } from "./photo_buffer.js";
import { gettext, ngettext } from "../texts.js";

const $ = (id) => document.getElementById(id);
const ASK_EVERY = 60_000; // milliseconds between two questions about what is left, while the person rates
const GOALS = [0, 10, 25, 50, 100, 200];

export class ProgressPanel {
  #session;
  #buffer;
  #leases;
  #outbox;
  #config;
  #server = null; // the last answer of the server
  #since = 0; // photos answered after that
  #asked = -Infinity;
  #dialog = $("progress");

  constructor({ session, buffer, leases, outbox, config }) {
    this.#session = session;
    this.#buffer = buffer;
    this.#leases = leases;
    this.#outbox = outbox;
    this.#config = config;
    session.addEventListener("change", () => this.#render());
    for (const event of ["change", "loaded"]) leases.addEventListener(event, () => this.#dialog.open && this.#renderBuffer());
    $("goal").addEventListener("change", () => this.#setGoal(Number($("goal").value)));
    $("ahead").addEventListener("change", () => (buffer.count = Number($("ahead").value)));
    $("session-again").addEventListener("click", () => session.startAgain());
    this.#render();
  }

  open() {
    this.#renderGoal();
    this.#renderBuffer();
    this.#dialog.showModal();
    this.ask();
  }

  // Counts one answered photo. Asks the server again now and then, because others rate the same photos.
  answered() {
    this.#since += 1;
    if (performance.now() - this.#asked > ASK_EVERY) this.ask();
    this.#render();
  }

  // Asks the server what is left. Without a connection, the page goes on with what it knows.
  async ask() {
    this.#asked = performance.now();
    try {
      const unsent = new Set(this.#outbox.imageIds).size; // the server counts these photos as left
      const before = this.#since;
      const reply = await request(`${this.#config.api}/progress`);
      this.#server = { ...reply, unsent };
      this.#since -= before;
    } catch {
      return;
    }
    this.#render();
  }

  // The person's rated photos in the campaign, or null when it is not known.
  get total() {
    return this.#server && this.#server.own_answers + this.#server.unsent + this.#since;
  }

  // Text such as "338 left", or "" when it is not known.
  get leftText() {
    const left = this.#left;
    if (left === null) return "";
    return gettext("%(left)s left", { left: left.toLocaleString("en") });
  }

  get #left() {
    if (!this.#server) return null;
    const { photos_left: left, unsent } = this.#server;
    return Math.max(0, left - unsent - this.#since);
  }

  #render() {
    const { rated, skipped, goal } = this.#session;
    $("session-count").textContent = goal ? gettext("%(rated)s of %(goal)s", { rated, goal }) : gettext("%(rated)s rated", { rated });
    $("session-left").textContent = this.leftText;
    $("session").dataset.reached = goal && rated >= goal ? "yes" : "no";
    $("session").title = gettext("Photos in this session, and photos left for you");
    $("goal-bar").hidden = !goal;
    $("goal-bar").max = goal || 1;
    $("goal-bar").value = Math.min(rated, goal || 1);
    const rows = [[gettext("This session"), `${ngettext("%(n)s photo rated", "%(n)s photos rated", rated)}${skipped ? gettext(", %(skipped)s skipped", { skipped }) : ""}`]];
    const seconds = this.#session.secondsPerPhoto;
    if (seconds !== null && seconds >= 1) rows.push([gettext("Time for a photo"), gettext("about %(value)s s (median)", { value: Math.round(seconds) })]);
    if (this.total !== null) rows.push([gettext("In this campaign"), ngettext("%(n)s photo rated by you", "%(n)s photos rated by you", this.total)]);
    if (this.leftText) rows.push([gettext("Left for you"), gettext("%(left)s photos", { left: this.#left.toLocaleString("en") })]);
    $("progress-figures").replaceChildren(...rows.flatMap(([term, words]) => [element("dt", term), element("dd", words)]));
  }

  // --- The goal -------------------------------------------------------------------------------------

  #renderGoal() {
    const goals = [...new Set([...GOALS, this.#session.goal])].sort((one, other) => one - other);
    $("goal").replaceChildren(...goals.map((goal) => new Option(goal ? ngettext("%(n)s photo", "%(n)s photos", goal) : gettext("no goal"), goal, false, goal === this.#session.goal)));
    $("goal-message").textContent = "";
  }

  async #setGoal(photos) {
    this.#session.goal = photos;
    try {
      await request(this.#config.goalUrl, { photos }, { method: "PUT" });
      $("goal-message").textContent = gettext("Saved to your account.");
    } catch (error) {
      $("goal-message").textContent = gettext("Only for this page: %(message)s", { message: error.message });
    }
  }

  // --- Photos to load ahead -------------------------------------------------------------------------

  #renderBuffer() {
    const { count } = this.#buffer;
    const { meanBytes, held, loaded, loadedBytes } = this.#leases.holding;
    const size = (photos) => (meanBytes ? gettext(", about %(megabytes)s", { megabytes: megabytes(photos * meanBytes) }) : "");
    const text = (choice) => (choice ? gettext("%(choice)s photos%(size)s", { choice, size: size(choice) }) : gettext("automatic"));
    if (document.activeElement !== $("ahead")) {
      $("ahead").replaceChildren(...CHOICES.map((choice) => new Option(text(choice), choice, false, choice === count)));
    }
    const minutes = Math.max(1, Math.round(this.#config.leaseSeconds / 60));
    $("ahead-state").textContent = gettext("%(loaded)s of %(held)s photos on this page are loaded (%(size)s).", { held, loaded, size: megabytes(loadedBytes) })
      + (count > held ? ` ${gettext("More come while you are connected, at most half of the photos that are open.")}` : "");
    $("ahead-note").textContent = ngettext(
      "They stay while this page is open. Without a connection they are reserved for you for about %(n)s minute; then others can get them too. Your answers are kept and count all the same.",
      "They stay while this page is open. Without a connection they are reserved for you for about %(n)s minutes; then others can get them too. Your answers are kept and count all the same.", minutes);
  }
}

function megabytes(bytes) {
  if (bytes > 0 && bytes < 50_000) return gettext("less than 0.1 MB");
  return bytes >= 9_950_000 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function element(name, words) {
  return Object.assign(document.createElement(name), { textContent: words });
}
