// The dialog "Are my ratings safe?": compares the answers in this browser's log with the server. The log is read before
// the request, so the server must have every answer that the log calls saved.

import { saveAnswers } from "./answer_file.js";
import { request } from "./api.js";

const MAX_IDS = 500; // in one request
const MAX_ROWS = 100;
const COMPARE_AFTER = 400; // milliseconds without a change until the next comparison
const WATCH_TEXT = { yes: "watch", no: "no watch", unsure: "unsure" };
const STATUS_TEXT = {
  stored: "on the server",
  saved: "saved, not checked now",
  waiting: "waiting in this browser",
  refused: "refused by the server",
  discarded: "refused by the server, discarded by you",
  replaced: "replaced by a later answer",
  lost: "missing on the server",
};

const $ = (id) => document.getElementById(id);
const plural = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
const are = (number) => (number === 1 ? "is" : "are");

// Returns Map: entry → its status, a key of STATUS_TEXT. stored: Set of client_ids that the server has, or null when it
// cannot be reached. An answer that the server lost counts as replaced if it has, or will get, a later answer to the same
// lease.
export function statuses(entries, stored) {
  const found = new Map();
  const replaced = new Set(); // leases with a later answer
  for (const entry of [...entries].reverse()) {
    const lease = entry.body.text === undefined ? `${entry.body.image_id} ${entry.body.lease_id ?? ""}` : entry.body.client_id;
    const status = statusOf(entry, stored, replaced.has(lease));
    found.set(entry, status);
    if (["stored", "waiting"].includes(status)) replaced.add(lease);
  }
  return found;
}

function statusOf(entry, stored, isReplaced) {
  if (stored?.has(entry.body.client_id)) return "stored";
  if (entry.state === "discarded") return "discarded";
  if (entry.state === "waiting") return entry.refused ? "refused" : "waiting";
  if (stored === null) return "saved";
  return isReplaced ? "replaced" : "lost";
}

export class SafetyPanel {
  #outbox;
  #api;
  #campaign;
  #dialog = $("safety");
  #lost = [];
  #unsent = [];
  #entries = []; // all answers of this browser in the campaign
  #isComparing = false;
  #mustRepeat = false;
  #timer = 0;

  constructor(outbox, { api, campaign }) {
    this.#outbox = outbox;
    this.#api = api;
    this.#campaign = campaign;
    $("saved").addEventListener("click", () => this.open());
    $("safety-send").addEventListener("click", () => outbox.send());
    $("safety-download").addEventListener("click", () => {
      if (this.#unsent.length) saveAnswers(this.#unsent);
      else saveAnswers(this.#entries, "answers.json");
    });
    outbox.addEventListener("change", () => this.#compareSoon());
  }

  open() {
    if (document.querySelector("dialog[open]")) return;
    this.#showVerdict("asking", "Comparing with the server…");
    $("safety-list").open = $("safety-details").open = false;
    this.#dialog.showModal();
    this.#compare();
  }

  #compareSoon() {
    if (!this.#dialog.open) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#compare(), COMPARE_AFTER);
  }

  async #compare() {
    this.#mustRepeat = this.#isComparing;
    if (this.#isComparing) return;
    this.#isComparing = true;
    try {
      const logged = await this.#outbox.history().catch(() => []);
      const waiting = this.#outbox.waiting; // includes entries that could not be logged, and each reason for waiting
      const others = await this.#outbox.waitingOfOthers().catch(() => 0);
      // Entries from before the log had a campaign only have the address, which an admin may have changed since.
      const isOurs = (entry) => (entry.campaign ? entry.campaign === this.#campaign : entry.url.startsWith(`${this.#api}/`));
      const entries = [...logged.filter((entry) => entry.state !== "waiting"), ...waiting].sort(byOrder);
      const [server, isPersisted] = await Promise.all([this.#fetchStored(entries.filter(isOurs)), navigator.storage?.persisted?.().catch(() => false)]);
      this.#render(entries, isOurs, server, others, isPersisted);
    } finally {
      this.#isComparing = false;
    }
    if (this.#mustRepeat) this.#compare();
  }

  // Resolves with {stored, own_answers, own_skips}, or with an ApiError.
  async #fetchStored(entries) {
    const ids = entries.map((entry) => entry.body.client_id);
    const stored = new Set();
    let reply;
    try {
      for (let start = 0; start === 0 || start < ids.length; start += MAX_IDS) {
        reply = await request(`${this.#api}/receipts`, { client_ids: ids.slice(start, start + MAX_IDS) });
        for (const id of reply.stored) stored.add(id);
      }
    } catch (error) {
      return error;
    }
    return { ...reply, stored };
  }

  #render(entries, isOurs, server, others, isPersisted) {
    const found = statuses(entries.filter(isOurs), server.stored ?? null);
    const withStatus = (status) => [...found].filter((pair) => pair[1] === status).map(([entry]) => entry);
    const [waiting, refused, lost] = ["waiting", "refused", "lost"].map(withStatus);
    const elsewhere = entries.filter((entry) => !isOurs(entry) && entry.state === "waiting").length;
    this.#lost = lost;
    this.#entries = [...found.keys()];
    this.#unsent = entries.filter((entry) => entry.state === "waiting" || lost.includes(entry));
    const stored = withStatus("stored").length;
    this.#renderVerdict(stored, server, waiting, refused, lost);
    this.#renderCounts(found.size, server, stored, withStatus("discarded").length, waiting, elsewhere, others);
    this.#renderProblems(refused, lost);
    $("safety-answers").replaceChildren(...[...found].slice(0, MAX_ROWS).map(([entry, status]) => row(entry, status)));
    $("safety-storage").textContent = this.#storageText(isPersisted);
    $("safety-send").hidden = !waiting.length && !elsewhere;
    $("safety-download").textContent = this.#unsent.length ? "Download unsent answers" : "Download answers";
    $("safety-download").disabled = !this.#unsent.length && !this.#entries.length;
    if (waiting.length || refused.length || lost.length || elsewhere || others) $("safety-details").open = true;
  }

  #renderVerdict(stored, server, waiting, refused, lost) {
    if (lost.length) return this.#showVerdict("trouble", `${plural(lost.length, "saved answer")} ${are(lost.length)} missing on the server. This browser still has ${lost.length === 1 ? "it" : "them"}.`);
    if (refused.length) return this.#showVerdict("trouble", `The server refused ${plural(refused.length, "answer")}.`);
    if (waiting.length) return this.#showVerdict("waiting", `${plural(waiting.length, "answer")} ${are(waiting.length)} not on the server yet. ${this.#waitingText(waiting.length)}`);
    if (!server.stored) return this.#showVerdict("waiting", `The server confirmed every answer when it was sent. It cannot be checked now: ${server.message}`);
    if (!stored) return this.#showVerdict("safe", "Everything is saved. No answers are waiting in this browser.");
    return this.#showVerdict("safe", `Everything is saved. ${stored === 1 ? "The answer" : `All ${stored} answers`} from this browser ${are(stored)} on the server.`);
  }

  #waitingText(number) {
    const they = number === 1 ? "It is" : "They are";
    if (this.#outbox.isPersistent) return `${they} kept in this browser and will be sent automatically.`;
    return `${they} on this page only. Leave it open until everything is saved, or download the unsent answers.`;
  }

  #renderCounts(given, server, stored, discarded, waiting, elsewhere, others) {
    const pairs = [];
    if (server.stored) pairs.push(["On the server", `${plural(server.own_answers, "rating")} and ${plural(server.own_skips, "skip")} of yours in this campaign, without corrections`]);
    else pairs.push(["On the server", `Unknown: ${server.message}`]);
    pairs.push(["In this browser", server.stored ? `${plural(given, "answer")}, ${stored} of them on the server` : plural(given, "answer")]);
    if (waiting.length) pairs.push(["Waiting", `${waiting.length}: ${this.#waitingReason()}`]);
    if (discarded) pairs.push(["Discarded", `${discarded} refused by the server and discarded by you`]);
    if (elsewhere) pairs.push(["Other campaigns", `${plural(elsewhere, "answer")} of yours ${are(elsewhere)} waiting too. This page sends ${elsewhere === 1 ? "it" : "them"}.`]);
    if (others) pairs.push(["Other people", `${plural(others, "answer")} of others who use this browser ${are(others)} waiting until they log in and open this page`]);
    const elements = pairs.flatMap(([term, words]) => [element("dt", term), element("dd", words)]);
    $("safety-counts").replaceChildren(...elements);
  }

  #waitingReason() {
    const { state, message } = this.#outbox;
    if (state === "login") return message || "you are logged out. Log in again; no answer is lost.";
    if (state === "offline") return "the server cannot be reached. This page tries again automatically.";
    return "sending";
  }

  #renderProblems(refused, lost) {
    const notices = [];
    if (lost.length) {
      const notice = element("div", "", "notice error");
      const [these, them] = lost.length === 1 ? ["this answer", "it"] : ["these answers", "them"];
      const words = `The server confirmed ${these} but no longer has ${them}. This can happen after an older backup was restored. You can send ${them} again, and the server records ${them} once. Please tell the campaign's admin.`;
      const again = Object.assign(element("button", `Send ${plural(lost.length, "answer")} again`, "primary"), { type: "button" });
      again.addEventListener("click", () => this.#outbox.resend(this.#lost));
      notice.append(element("p", words), again);
      notices.push(notice);
    }
    for (const [sentence, number] of counted(refused.map((entry) => entry.refused))) {
      notices.push(element("div", `${plural(number, "answer")} refused: ${sentence} ${number === 1 ? "It stays" : "They stay"} in this browser until you press Discard on the page.`, "notice error"));
    }
    $("safety-troubles").replaceChildren(...notices);
  }

  #storageText(isPersisted) {
    if (!this.#outbox.isPersistent) return "This browser cannot store answers (private window, or no space left). They are kept only while this page is open.";
    if (isPersisted) return "Answers are stored on this device before they are sent. The browser has agreed not to delete them.";
    return "Answers are stored on this device before they are sent. They stay when you close the page, the browser or the computer, unless somebody clears the browser's data.";
  }

  #showVerdict(state, words) {
    const verdict = $("safety-verdict");
    verdict.dataset.state = state;
    if (verdict.textContent !== words) verdict.textContent = words;
  }
}

function byOrder(one, other) {
  return (one.order ?? Infinity) - (other.order ?? Infinity) || 0; // entries that could not be logged are the newest
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

function row(entry, status) {
  const { body } = entry;
  const answer = body.text !== undefined ? `comment: ${body.text}` : body.skip_reason ? `skipped: ${body.skip_reason}` : `${WATCH_TEXT[body.watch]}, ${body.score}`;
  const words = entry.refused ? `${STATUS_TEXT[status]}: ${entry.refused}` : STATUS_TEXT[status];
  const tr = element("tr", "");
  tr.dataset.state = status;
  tr.append(...[when(entry.at)?.toLocaleString([], { timeZoneName: "short" }) ?? "", `${body.image_id}`, answer, words].map((text) => element("td", text)));
  return tr;
}
