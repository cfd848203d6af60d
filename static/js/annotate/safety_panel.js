// "Are my ratings safe?": what was given in this browser, set beside what the server has. The log is read before
// the server is asked, so that what the log calls saved must be there.

import { request } from "./api.js";

const AT_ONCE = 500; // ids in one question to the server
const ROWS = 100;
const CALM = 400; // milliseconds between a change and the next comparison
const WATCH_WORDS = { yes: "watch", no: "no watch", unsure: "unsure" };
const WORDS = {
  stored: "on the server",
  saved: "saved; not compared now",
  waiting: "waits in this browser",
  refused: "not taken by the server",
  discarded: "not taken by the server, discarded",
  replaced: "replaced by a later answer",
  lost: "missing on the server",
};

const $ = (id) => document.getElementById(id);
const plural = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
const are = (number) => (number === 1 ? "is" : "are");

// Names where each entry is. stored: Set of client_ids that the server has, or null when it could not be asked.
// An answer that the server lost is not missed where a later one to the same lease is there or on its way.
export function whereabouts(entries, stored) {
  const places = new Map();
  const followed = new Set(); // leases with a later answer
  for (const entry of [...entries].reverse()) {
    const lease = `${entry.body.image_id} ${entry.body.lease_id ?? ""}`;
    const place = placeOf(entry, stored, followed.has(lease));
    places.set(entry, place);
    if (["stored", "waiting"].includes(place)) followed.add(lease);
  }
  return places;
}

function placeOf(entry, stored, isFollowed) {
  if (stored?.has(entry.body.client_id)) return "stored";
  if (entry.state === "discarded") return "discarded";
  if (entry.state === "waiting") return entry.refused ? "refused" : "waiting";
  if (stored === null) return "saved";
  return isFollowed ? "replaced" : "lost";
}

export class SafetyPanel {
  #outbox;
  #api;
  #dialog = $("safety");
  #lost = [];
  #unsent = [];
  #isComparing = false;
  #isOutdated = false;
  #timer = 0;

  constructor(outbox, { api }) {
    this.#outbox = outbox;
    this.#api = api;
    $("saved").addEventListener("click", () => this.open());
    $("safety-send").addEventListener("click", () => outbox.send());
    $("safety-download").addEventListener("click", () => this.#download());
    outbox.addEventListener("change", () => this.#compareSoon());
  }

  open() {
    if (document.querySelector("dialog[open]")) return;
    this.#verdict("asking", "Comparing this browser with the server …");
    $("safety-list").open = false;
    this.#dialog.showModal();
    this.#compare();
  }

  #compareSoon() {
    if (!this.#dialog.open) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#compare(), CALM);
  }

  async #compare() {
    this.#isOutdated = this.#isComparing;
    if (this.#isComparing) return;
    this.#isComparing = true;
    try {
      const logged = await this.#outbox.history().catch(() => []);
      const waiting = this.#outbox.waiting; // with those that could not be logged, and why each waits
      const others = await this.#outbox.waitingOfOthers().catch(() => 0);
      const isOurs = (entry) => entry.url.startsWith(`${this.#api}/`);
      const entries = [...logged.filter((entry) => entry.state !== "waiting"), ...waiting].sort(byOrder);
      const [server, isPersisted] = await Promise.all([this.#ask(entries.filter(isOurs)), navigator.storage?.persisted?.().catch(() => false)]);
      this.#render(entries, isOurs, server, others, isPersisted);
    } finally {
      this.#isComparing = false;
    }
    if (this.#isOutdated) this.#compare();
  }

  // Resolves with {stored, own_answers, own_skips}, or with an ApiError.
  async #ask(entries) {
    const ids = entries.map((entry) => entry.body.client_id);
    const stored = new Set();
    let told;
    try {
      for (let start = 0; start === 0 || start < ids.length; start += AT_ONCE) {
        told = await request(`${this.#api}/receipts`, { client_ids: ids.slice(start, start + AT_ONCE) });
        for (const id of told.stored) stored.add(id);
      }
    } catch (error) {
      return error;
    }
    return { ...told, stored };
  }

  #render(entries, isOurs, server, others, isPersisted) {
    const places = whereabouts(entries.filter(isOurs), server.stored ?? null);
    const at = (place) => [...places].filter(([, found]) => found === place).map(([entry]) => entry);
    const [waiting, refused, lost] = [at("waiting"), at("refused"), at("lost")];
    const elsewhere = entries.filter((entry) => !isOurs(entry) && entry.state === "waiting").length;
    this.#lost = lost;
    this.#unsent = entries.filter((entry) => entry.state === "waiting" || lost.includes(entry));
    this.#renderVerdict(places.size, server, waiting, refused, lost);
    this.#renderCounts(places.size, server, at("stored").length, at("discarded").length, waiting, elsewhere, others);
    this.#renderTroubles(refused, lost);
    $("safety-answers").replaceChildren(...[...places].slice(0, ROWS).map(([entry, place]) => row(entry, place)));
    $("safety-storage").textContent = this.#storage(isPersisted);
    $("safety-send").hidden = !waiting.length && !elsewhere;
    $("safety-download").hidden = !this.#unsent.length;
  }

  #renderVerdict(given, server, waiting, refused, lost) {
    if (lost.length) return this.#verdict("trouble", `${plural(lost.length, "answer")} that had been saved ${are(lost.length)} missing on the server. This browser still has ${lost.length === 1 ? "it" : "them"}.`);
    if (refused.length) return this.#verdict("trouble", `${plural(refused.length, "answer")} ${are(refused.length)} not taken by the server.`);
    if (waiting.length) return this.#verdict("waiting", `${plural(waiting.length, "answer")} ${are(waiting.length)} not on the server yet. ${this.#kept(waiting.length)}`);
    if (!server.stored) return this.#verdict("waiting", `Everything was confirmed when it was sent. It cannot be compared now: ${server.message}`);
    if (!given) return this.#verdict("safe", "Nothing waits in this browser. Answers that you give on this page will be listed here.");
    return this.#verdict("safe", `All ${plural(given, "answer")} that this browser remembers ${are(given)} on the server.`);
  }

  #kept(number) {
    const [they, themselves] = number === 1 ? ["It is", "itself"] : ["They are", "themselves"];
    if (this.#outbox.isLasting) return `${they} kept in this browser and will be sent by ${themselves}.`;
    return `${they} on this page only: leave it open until all is saved, or download what is not sent.`;
  }

  #renderCounts(given, server, stored, discarded, waiting, elsewhere, others) {
    const pairs = [];
    if (server.stored) pairs.push(["On the server", `${plural(server.own_answers, "rating")} and ${plural(server.own_skips, "skip")} of yours in this campaign, corrections not counted`]);
    else pairs.push(["On the server", `not known now: ${server.message}`]);
    pairs.push(["In this browser", server.stored ? `${plural(given, "answer")} remembered, ${stored} of them found on the server` : `${plural(given, "answer")} remembered`]);
    if (waiting.length) pairs.push(["Waiting", `${waiting.length}: ${this.#why()}`]);
    if (discarded) pairs.push(["Discarded", `${discarded} not taken by the server, and discarded by you`]);
    if (elsewhere) pairs.push(["Other campaigns", `${plural(elsewhere, "answer")} of yours ${are(elsewhere)} waiting too, and will be sent from here`]);
    if (others) pairs.push(["Other people", `${plural(others, "answer")} of others who use this browser ${are(others)} waiting until they log in and open this page`]);
    const elements = pairs.flatMap(([term, words]) => [element("dt", term), element("dd", words)]);
    $("safety-counts").replaceChildren(...elements);
  }

  #why() {
    const { state, message } = this.#outbox;
    if (state === "login") return message || "you are not logged in any more; log in again, nothing is lost by it";
    if (state === "offline") return "the server cannot be reached; this page tries again by itself";
    return "being sent";
  }

  #renderTroubles(refused, lost) {
    const notices = [];
    if (lost.length) {
      const notice = element("div", "", "notice error");
      const words = `The server confirmed ${lost.length === 1 ? "this answer" : "these answers"} and does not have ${lost.length === 1 ? "it" : "them"} any more, as after going back to an older backup. Sent again, ${lost.length === 1 ? "it is" : "they are"} recorded once. Please tell the campaign's admin.`;
      const again = Object.assign(element("button", `Send ${plural(lost.length, "answer")} again`, "primary"), { type: "button" });
      again.addEventListener("click", () => this.#outbox.resend(this.#lost));
      notice.append(element("p", words), again);
      notices.push(notice);
    }
    for (const [sentence, number] of counted(refused.map((entry) => entry.refused))) {
      notices.push(element("div", `${plural(number, "answer")} not taken: ${sentence} ${number === 1 ? "It stays" : "They stay"} here until you discard ${number === 1 ? "it" : "them"} on the page.`, "notice error"));
    }
    $("safety-troubles").replaceChildren(...notices);
  }

  #storage(isPersisted) {
    if (!this.#outbox.isLasting) return "This browser does not let the page keep answers (private window, or no space left): they live as long as this page is open.";
    if (isPersisted) return "Answers are written to this device before they are sent, and the browser has promised not to clear them by itself.";
    return "Answers are written to this device before they are sent. They stay when the page, the browser or the computer is closed, unless somebody clears the browser's data.";
  }

  #verdict(state, words) {
    const verdict = $("safety-verdict");
    verdict.dataset.state = state;
    if (verdict.textContent !== words) verdict.textContent = words;
  }

  // The bodies as the API takes them: an admin can send them with any program.
  #download() {
    const answers = this.#unsent.map(({ url, body, at, refused }) => ({ url, given_at: when(at)?.toISOString() ?? null, refused, body }));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify({ answers }, null, 2)], { type: "application/json" }));
    link.download = "unsent-answers.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }
}

function byOrder(one, other) {
  return (one.order ?? Infinity) - (other.order ?? Infinity) || 0; // those that could not be logged are the newest
}

function counted(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

function element(name, words, className = "") {
  return Object.assign(document.createElement(name), { textContent: words, className });
}

function when(at) {
  return at ? new Date(at) : null;
}

function row(entry, place) {
  const { body } = entry;
  const answer = body.skip_reason ? `skipped: ${body.skip_reason}` : `${WATCH_WORDS[body.watch]}, ${body.score}`;
  const words = entry.refused ? `${WORDS[place]}: ${entry.refused}` : WORDS[place];
  const tr = element("tr", "");
  tr.dataset.state = place;
  tr.append(...[when(entry.at)?.toLocaleString() ?? "", `${body.image_id}`, answer, words].map((text) => element("td", text)));
  return tr;
}
