// Sends answers in the background until the server confirms them. The answers to one photo are sent in their order.
// When an annotator has several tabs, only one tab sends at a time, and all tabs show the same state.
// Events: "change" when `pending`, `state` or `refused` changed; "receipt" (detail: the entry's body).

import { request } from "./api.js";

const MIN_WAIT = 1_000; // milliseconds until the next attempt
const MAX_WAIT = 30_000;
const LOCK_TIMEOUT = 20_000; // milliseconds to wait until another tab has finished sending
const PARALLEL = 4; // requests at once for many answers; the browser opens six connections, and photos need some
const FEW = 8; // up to this number of answers, send one after the other
const MAX_ON_CLOSE = 20; // answers sent while the page closes; browsers allow 64 kB

export class Outbox extends EventTarget {
  state = "idle"; // idle, sending, offline, or login (nobody or somebody else is logged in)
  message = ""; // the server's sentence when somebody else is logged in
  #log;
  #annotator;
  #campaign;
  #tabs = null; // BroadcastChannel to the annotator's other tabs
  #entries = []; // in the order of the answers; `order` is undefined while an entry is being logged, null if that failed
  #removed = new Set(); // orders of removed entries; a reading of the log that started earlier still has them
  #inFlight = new Set();
  #isSending = false;
  #timer = 0;
  #wait = MIN_WAIT;

  constructor(log, { annotator, campaign }) {
    super();
    this.#log = log;
    this.#annotator = annotator;
    this.#campaign = campaign;
    if ("BroadcastChannel" in globalThis) {
      this.#tabs = new BroadcastChannel(this.#name);
      this.#tabs.addEventListener("message", ({ data }) => this.#receive(data));
    }
    addEventListener("online", () => this.send());
    addEventListener("pagehide", () => this.#sendOnClose());
  }

  // Loads the answers that an earlier page did not send. Refused answers are sent again, because the campaign may
  // accept them now.
  async load() {
    const entries = await this.#log.waiting(this.#annotator).catch(() => []);
    this.#entries = [...entries.map((entry) => ({ ...entry, refused: "" })), ...this.#entries];
    this.#notify();
    this.send();
    this.#log.trim(this.#annotator).catch(() => {});
  }

  // Whether all waiting answers are stored in the browser, so that they survive the page.
  get isPersistent() {
    return this.#log.isPersistent && !this.#entries.some((entry) => entry.order === null);
  }

  get pending() {
    return this.#entries.filter((entry) => !entry.refused).length;
  }

  // The number of pending answers that are in the log, or on this page only where the log failed (see isPersistent). The
  // others are still being written to the log.
  get kept() {
    return this.#entries.filter((entry) => !entry.refused && entry.order !== undefined).length;
  }

  get waiting() {
    return [...this.#entries];
  }

  get refused() {
    return this.#entries.filter((entry) => entry.refused);
  }

  // The ids of photos whose answers the server may not have yet. A comment is no answer.
  get imageIds() {
    return this.#entries.filter((entry) => entry.body.text === undefined).map((entry) => entry.body.image_id);
  }

  // Writes the answer to the log, then sends it. It counts as pending at once.
  async add(url, body) {
    const entry = {
      annotator: this.#annotator,
      campaign: this.#campaign,
      url,
      body: { ...body, annotator_id: this.#annotator },
      state: "waiting",
      refused: "",
      at: Date.now(),
    };
    this.#entries.push(entry);
    this.#notify();
    await this.#logOne(entry);
    this.#broadcast({ kind: "added", entry });
    this.send();
  }

  // Resolves with all entries of the log: saved, discarded and waiting.
  history() {
    return this.#log.all(this.#annotator);
  }

  waitingOfOthers() {
    return this.#log.waitingOfOthers(this.#annotator);
  }

  // Sends entries of the history again. Their ids are the same, so the server records each only once.
  async resend(entries) {
    for (const entry of [...entries].sort((one, other) => one.order - other.order)) {
      const again = { ...entry, state: "waiting", refused: "" };
      this.#removed.delete(entry.order);
      this.#entries.push(again);
      await this.#log.put(again).catch(() => {});
      this.#broadcast({ kind: "added", entry: again });
    }
    this.#notify();
    this.send();
  }

  // Sends refused answers again: the reason may be gone, for example after an admin has added the person again.
  async sendRefused() {
    const refused = this.refused;
    for (const entry of refused) entry.refused = "";
    this.#notify();
    this.#broadcast({ kind: "retried", orders: refused.map((entry) => entry.order) });
    await Promise.all(refused.filter(({ order }) => order !== null).map((entry) => this.#log.put(entry).catch(() => {})));
    this.send();
  }

  async dismissRefused() {
    const refused = this.refused;
    this.#remove(refused);
    this.#broadcast({ kind: "left", orders: refused.map((entry) => entry.order) });
    await Promise.all(refused.map((entry) => this.#record(entry, "discarded")));
  }

  async send() {
    clearTimeout(this.#timer);
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      let isAllSent = true;
      do isAllSent = await this.#withLock(() => this.#sendAll());
      while (isAllSent && this.#next()); // there may be a new answer
      if (!isAllSent) this.#retryLater();
    } finally {
      this.#isSending = false;
    }
  }

  // Runs `work` in one tab at a time. If the other tab is frozen, this tab stops waiting after a while: an answer that is
  // sent twice is recorded once.
  async #withLock(work) {
    if (!navigator.locks) return work(); // not available without https
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), LOCK_TIMEOUT);
    try {
      return await navigator.locks.request(this.#name, { signal: timeout.signal }, () => {
        clearTimeout(timer);
        return work();
      });
    } catch (error) {
      if (!timeout.signal.aborted) throw error;
      return work();
    }
  }

  // Resolves with whether everything was sent.
  async #sendAll() {
    for (const entry of this.#entries.filter((one) => one.order === null)) await this.#logOne(entry);
    await this.#readLog();
    const first = this.#next(); // send one answer alone, to see whether the server can be reached
    if (first && !(await this.#sendOne(first))) return false;
    const count = this.pending > FEW ? PARALLEL : 1;
    const outcomes = await Promise.all(Array.from({ length: count }, () => this.#sendOneByOne()));
    if (outcomes.includes(false)) return false;
    this.#setState("idle");
    return true;
  }

  async #sendOneByOne() {
    let entry;
    while (this.state === "sending" && (entry = this.#next())) {
      if (!(await this.#sendOne(entry))) return false;
    }
    return true;
  }

  // Returns the first entry that may be sent now: it is in the log, and no earlier answer to its photo is unsent.
  // isLastChance: the page closes, so an entry that is not in the log may be sent too.
  #next({ isLastChance = false } = {}) {
    const busy = new Set([...this.#inFlight].map((entry) => entry.body.image_id));
    for (const entry of this.#entries) {
      const imageId = entry.body.image_id;
      if (entry.refused || busy.has(imageId)) continue;
      if (entry.order !== undefined || isLastChance) return entry;
      busy.add(imageId);
    }
    return null;
  }

  async #sendOne(entry) {
    if (this.state === "idle") this.#setState("sending"); // "offline" stays until an answer was sent
    this.#inFlight.add(entry);
    try {
      await request(entry.url, entry.body, { keepalive: true }); // continues when the tab is closed
    } catch (error) {
      if (error.status === 409) this.#setState("login", error.message);
      else if (error.needsLogin) this.#setState("login");
      else if (error.isTemporary) this.#setState("offline");
      else return this.#refuse(entry, error.message);
      return false;
    } finally {
      this.#inFlight.delete(entry);
    }
    this.#wait = MIN_WAIT;
    this.#setState("sending");
    this.#remove([entry]);
    this.#broadcast({ kind: "left", orders: [entry.order], receipt: entry.body });
    this.dispatchEvent(new CustomEvent("receipt", { detail: entry.body }));
    await this.#record(entry, "saved");
    return true;
  }

  // Keeps the entry with the server's sentence until the person discards it. The other answers are sent.
  async #refuse(entry, sentence) {
    entry.refused = sentence;
    this.#setState("sending");
    this.#notify();
    this.#broadcast({ kind: "refused", order: entry.order, sentence });
    if (entry.order !== null) await this.#log.put(entry).catch(() => {});
    return true;
  }

  #sendOnClose() {
    if (this.state === "login") return;
    let entry;
    for (let sent = 0; sent < MAX_ON_CLOSE && (entry = this.#next({ isLastChance: true })); sent += 1) {
      this.#inFlight.add(entry);
      request(entry.url, entry.body, { keepalive: true }).catch(() => {});
    }
  }

  // --- The log and the other tabs -------------------------------------------------------------------

  async #logOne(entry) {
    const { order: _, ...unnumbered } = entry;
    try {
      entry.order = await this.#log.add(unnumbered);
      // Without this the browser may delete the log when it needs space.
      navigator.storage?.persist?.().catch(() => {});
    } catch {
      entry.order = null; // the storage is full or deleted: send the answer without it
    }
    this.#notify();
  }

  // If this fails, the entry is sent again at the next load, and the server records it once.
  async #record(entry, state) {
    if (entry.order === null) return;
    try {
      await this.#log.put({ ...entry, state }, { isRecord: true });
    } catch {
      await this.#log.remove(entry.order).catch(() => {});
    }
  }

  // Updates the entries from the log, because other tabs change it too.
  async #readLog() {
    const before = new Set(this.#entries.map((entry) => entry.order));
    let logged;
    try {
      logged = await this.#log.waiting(this.#annotator);
    } catch {
      return; // use what this page knows
    }
    const orders = new Set(logged.map((entry) => entry.order));
    const known = new Set(this.#entries.map((entry) => entry.order));
    const kept = this.#entries.filter(({ order }) => order == null || orders.has(order) || !before.has(order));
    const added = logged.filter(({ order }) => !known.has(order) && !this.#removed.has(order));
    if (kept.length === this.#entries.length && !added.length) return;
    this.#entries = [...kept, ...added];
    this.#notify();
  }

  #remove(entries) {
    for (const { order } of entries) this.#removed.add(order);
    this.#entries = this.#entries.filter((entry) => !entries.includes(entry));
    this.#notify();
  }

  #broadcast(news) {
    this.#tabs?.postMessage(news);
  }

  #receive(news) {
    const withOrders = (orders) => this.#entries.filter(({ order }) => order != null && orders.includes(order));
    if (news.kind === "state") return this.#setState(news.state, news.message, { isOwn: false });
    if (news.kind === "refused") {
      for (const entry of withOrders([news.order])) entry.refused = news.sentence;
      return this.#notify();
    }
    if (news.kind === "retried") {
      for (const entry of withOrders(news.orders)) entry.refused = "";
      return this.#notify();
    }
    if (news.kind === "left") {
      for (const order of news.orders) this.#removed.add(order);
      this.#remove(withOrders(news.orders));
      if (news.receipt) this.dispatchEvent(new CustomEvent("receipt", { detail: news.receipt }));
      return;
    }
    const { order } = news.entry;
    if (order == null || withOrders([order]).length) return; // an entry that is not in the log can only be sent by its own tab
    this.#removed.delete(order);
    this.#entries.push(news.entry);
    this.#notify();
    this.#sendAfter(MIN_WAIT); // unless the other tab has sent it
  }

  #retryLater() {
    this.#sendAfter(this.#wait);
    this.#wait = Math.min(2 * this.#wait, MAX_WAIT);
  }

  #sendAfter(milliseconds) {
    clearTimeout(this.#timer);
    const jitter = 0.8 + 0.4 * Math.random();
    this.#timer = setTimeout(() => this.#next() && this.send(), milliseconds * jitter);
  }

  #setState(state, message = "", { isOwn = true } = {}) {
    if (this.state === state && this.message === message) return;
    Object.assign(this, { state, message });
    this.#notify();
    if (isOwn) this.#broadcast({ kind: "state", state, message });
  }

  #notify() {
    this.dispatchEvent(new Event("change"));
  }

  get #name() {
    return `iqs-answers:${this.#annotator}`;
  }
}
