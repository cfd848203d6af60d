// The dialog "Are my ratings safe?": compares the answers in this browser's log with the server. The log is read before
// the request, so the server must have every answer that the log calls saved.

import { saveAnswers } from "./answer_file.js";
import { request } from "./api.js";
import { gettext, ngettext } from "../texts.js";

const MAX_IDS = 500; // in one request
const MAX_ROWS = 100;
const COMPARE_AFTER = 400; // milliseconds without a change until the next comparison
const WATCH_TEXT = { yes: gettext("watch"), no: gettext("no watch"), unsure: gettext("unsure") };
const LANGUAGE = document.documentElement.lang;
// Days before months, as on all pages.
const CLOCK = new Intl.DateTimeFormat(LANGUAGE.startsWith("en") ? "en-GB" : LANGUAGE, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });
const STATUS_TEXT = {
  stored: gettext("on the server"),
  saved: gettext("saved, not checked now"),
  waiting: gettext("waiting in this browser"),
  refused: gettext("refused by the server"),
  discarded: gettext("refused by the server, discarded by you"),
  replaced: gettext("replaced by a later answer"),
  lost: gettext("missing on the server"),
};

const $ = (id) => document.getElementById(id);

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
    this.#showVerdict("asking", gettext("Comparing with the server…"));
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
    $("safety-download").textContent = this.#unsent.length ? gettext("Download unsent answers") : gettext("Download answers");
    $("safety-download").disabled = !this.#unsent.length && !this.#entries.length;
    if (waiting.length || refused.length || lost.length || elsewhere || others) $("safety-details").open = true;
  }

  #renderVerdict(stored, server, waiting, refused, lost) {
    if (lost.length) return this.#showVerdict("trouble", ngettext("%(n)s saved answer is missing on the server. This browser still has it.", "%(n)s saved answers are missing on the server. This browser still has them.", lost.length));
    if (refused.length) return this.#showVerdict("trouble", ngettext("The server refused %(n)s answer.", "The server refused %(n)s answers.", refused.length));
    if (waiting.length) return this.#showVerdict("waiting", `${ngettext("%(n)s answer is not on the server yet.", "%(n)s answers are not on the server yet.", waiting.length)} ${this.#waitingText(waiting.length)}`);
    if (!server.stored) return this.#showVerdict("waiting", gettext("The server confirmed every answer when it was sent. It cannot be checked now: %(message)s", { message: server.message }));
    if (!stored) return this.#showVerdict("safe", gettext("Everything is saved. No answers are waiting in this browser."));
    return this.#showVerdict("safe", ngettext("Everything is saved. The answer from this browser is on the server.", "Everything is saved. All %(n)s answers from this browser are on the server.", stored));
  }

  #waitingText(number) {
    if (this.#outbox.isPersistent) return ngettext("It is kept in this browser and will be sent automatically.", "They are kept in this browser and will be sent automatically.", number);
    return ngettext("It is on this page only. Leave it open until everything is saved, or download the unsent answers.", "They are on this page only. Leave it open until everything is saved, or download the unsent answers.", number);
  }

  #renderCounts(given, server, stored, discarded, waiting, elsewhere, others) {
    const pairs = [];
    if (server.stored) pairs.push([gettext("On the server"), gettext("%(ratings)s and %(skips)s of yours in this campaign, without corrections", { ratings: ngettext("%(n)s rating", "%(n)s ratings", server.own_answers), skips: ngettext("%(n)s skip", "%(n)s skips", server.own_skips) })]);
    else pairs.push([gettext("On the server"), gettext("Unknown: %(message)s", { message: server.message })]);
    pairs.push([gettext("In this browser"), `${ngettext("%(n)s answer", "%(n)s answers", given)}${server.stored ? gettext(", %(stored)s of them on the server", { stored }) : ""}`]);
    if (waiting.length) pairs.push([gettext("Waiting"), `${waiting.length}: ${this.#waitingReason()}`]);
    if (discarded) pairs.push([gettext("Discarded"), gettext("%(discarded)s refused by the server and discarded by you", { discarded })]);
    if (elsewhere) pairs.push([gettext("Other campaigns"), ngettext("%(n)s answer of yours is waiting too. This page sends it.", "%(n)s answers of yours are waiting too. This page sends them.", elsewhere)]);
    if (others) pairs.push([gettext("Other people"), ngettext("%(n)s answer of others who use this browser is waiting until they log in and open this page", "%(n)s answers of others who use this browser are waiting until they log in and open this page", others)]);
    const elements = pairs.flatMap(([term, words]) => [element("dt", term), element("dd", words)]);
    $("safety-counts").replaceChildren(...elements);
  }

  #waitingReason() {
    const { state, message } = this.#outbox;
    if (state === "login") return message || gettext("you are logged out. Log in again; no answer is lost.");
    if (state === "offline") return gettext("the server cannot be reached. This page tries again automatically.");
    return gettext("sending");
  }

  #renderProblems(refused, lost) {
    const notices = [];
    if (lost.length) {
      const notice = element("div", "", "notice error");
      const words = ngettext(
        "The server confirmed this answer but no longer has it. This can happen after an older backup was restored. You can send it again, and the server records it once. Please tell the campaign's admin.",
        "The server confirmed these answers but no longer has them. This can happen after an older backup was restored. You can send them again, and the server records them once. Please tell the campaign's admin.", lost.length);
      const again = Object.assign(element("button", ngettext("Send %(n)s answer again", "Send %(n)s answers again", lost.length), "primary"), { type: "button" });
      again.addEventListener("click", () => this.#outbox.resend(this.#lost));
      notice.append(element("p", words), again);
      notices.push(notice);
    }
    for (const [sentence, number] of counted(refused.map((entry) => entry.refused))) {
      notices.push(element("div", ngettext("%(n)s answer refused: %(sentence)s It stays in this browser until you press Discard on the page.", "%(n)s answers refused: %(sentence)s They stay in this browser until you press Discard on the page.", number, { sentence }), "notice error"));
    }
    $("safety-troubles").replaceChildren(...notices);
  }

  #storageText(isPersisted) {
    if (!this.#outbox.isPersistent) return gettext("This browser cannot store answers (private window, or no space left). They are kept only while this page is open.");
    if (isPersisted) return gettext("Answers are stored on this device before they are sent. The browser has agreed not to delete them.");
    return gettext("Answers are stored on this device before they are sent. They stay when you close the page, the browser or the computer, unless somebody clears the browser's data.");
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

function row(entry, status) {
  const { body } = entry;
  let answer = `${WATCH_TEXT[body.watch]}, ${body.score}`;
  if (body.text !== undefined) answer = gettext("comment: %(text)s", { text: body.text });
  else if (body.skip_reason) answer = gettext("skipped: %(reason)s", { reason: body.skip_reason });
  const words = entry.refused ? `${STATUS_TEXT[status]}: ${entry.refused}` : STATUS_TEXT[status];
  const tr = element("tr", "");
  tr.dataset.state = status;
  tr.append(...[entry.at ? CLOCK.format(new Date(entry.at)) : "", `${body.image_id}`, answer, words].map((text) => element("td", text)));
  return tr;
}
