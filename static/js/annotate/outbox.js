// Sends answers in the background until the server confirms each; the answers to one photo always in their order.
// Of several tabs of one annotator one sends at a time, and all of them show the same.
// Events: "change" whenever `pending`, `state` or `refused` changed; "receipt" (detail: the entry's body).

import { request } from "./api.js";

const SHORTEST_WAIT = 1_000; // milliseconds
const LONGEST_WAIT = 30_000;
const TURN = 20_000; // milliseconds to wait for another tab to finish sending
const LANES = 4; // requests at once, for a long backlog; the browser opens six connections, and photos need some
const SHORT_BACKLOG = 8; // answers up to which all go one after the other
const LAST_MINUTE = 20; // answers sent while the page closes: browsers let 64 kB go

export class Outbox extends EventTarget {
  state = "idle"; // idle, sending, offline, login (nobody, or somebody else, is logged in)
  message = ""; // of the server, where it asked for another login
  #log;
  #annotator;
  #tabs = null; // BroadcastChannel to the annotator's other tabs
  #entries = []; // in the order in which they were given; `order` undefined: being logged, null: it cannot be
  #gone = new Set(); // orders of entries that left, for readings of the log that began before
  #inFlight = new Set();
  #isSending = false;
  #timer = 0;
  #wait = SHORTEST_WAIT;

  constructor(log, annotator) {
    super();
    this.#log = log;
    this.#annotator = annotator;
    if ("BroadcastChannel" in globalThis) {
      this.#tabs = new BroadcastChannel(this.#name);
      this.#tabs.addEventListener("message", ({ data }) => this.#hear(data));
    }
    addEventListener("online", () => this.send());
    addEventListener("pagehide", () => this.#sendLeaving());
  }

  // Takes up what an earlier page left behind. What had been refused is offered again: the campaign may
  // take it by now.
  async load() {
    const entries = await this.#log.waiting(this.#annotator).catch(() => []);
    this.#entries = [...entries.map((entry) => ({ ...entry, refused: "" })), ...this.#entries];
    this.#changed();
    this.send();
    this.#log.trim(this.#annotator).catch(() => {});
  }

  // Whether everything that waits survives the page.
  get isLasting() {
    return this.#log.isLasting && !this.#entries.some((entry) => entry.order === null);
  }

  get pending() {
    return this.#entries.filter((entry) => !entry.refused).length;
  }

  // Those of the pending that survive what happens to the page, as far as they can (see isLasting). The others are
  // on their way into the log.
  get kept() {
    return this.#entries.filter((entry) => !entry.refused && entry.order !== undefined).length;
  }

  get waiting() {
    return [...this.#entries];
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
    const entry = {
      annotator: this.#annotator,
      url,
      body: { ...body, annotator_id: this.#annotator },
      state: "waiting",
      refused: "",
      at: Date.now(),
    };
    this.#entries.push(entry);
    this.#changed();
    await this.#logOne(entry);
    this.#tell({ kind: "added", entry });
    this.send();
  }

  // Saved and discarded entries, waiting ones too, as the log of this browser has them.
  history() {
    return this.#log.all(this.#annotator);
  }

  waitingOfOthers() {
    return this.#log.waitingOfOthers(this.#annotator);
  }

  // Sends entries of the history once more: their ids are the same, so that none is recorded twice.
  async resend(entries) {
    for (const entry of [...entries].sort((one, other) => one.order - other.order)) {
      const again = { ...entry, state: "waiting", refused: "" };
      this.#gone.delete(entry.order);
      this.#entries.push(again);
      await this.#log.put(again).catch(() => {});
      this.#tell({ kind: "added", entry: again });
    }
    this.#changed();
    this.send();
  }

  async dismissRefused() {
    const refused = this.refused;
    this.#leave(refused);
    this.#tell({ kind: "left", orders: refused.map((entry) => entry.order) });
    await Promise.all(refused.map((entry) => this.#record(entry, "discarded")));
  }

  async send() {
    clearTimeout(this.#timer);
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      let isThrough = true;
      do isThrough = await this.#inTurn(() => this.#drain());
      while (isThrough && this.#next()); // it was given while the last one came back
      if (!isThrough) this.#sendLater();
    } finally {
      this.#isSending = false;
    }
  }

  // One tab at a time. A tab that the browser has frozen does not hold up the others for long: an answer that
  // is sent twice is recorded once.
  async #inTurn(work) {
    if (!navigator.locks) return work(); // plain http on another machine
    const turn = new AbortController();
    const timer = setTimeout(() => turn.abort(), TURN);
    try {
      return await navigator.locks.request(this.#name, { signal: turn.signal }, () => {
        clearTimeout(timer);
        return work();
      });
    } catch (error) {
      if (!turn.signal.aborted) throw error;
      return work();
    }
  }

  // Resolves with whether everything went through.
  async #drain() {
    for (const entry of this.#entries.filter((one) => one.order === null)) await this.#logOne(entry);
    await this.#readLog();
    const first = this.#next(); // alone: it shows whether anything goes through
    if (first && !(await this.#sendOne(first))) return false;
    const lanes = this.pending > SHORT_BACKLOG ? LANES : 1;
    const outcomes = await Promise.all(Array.from({ length: lanes }, () => this.#drainLane()));
    if (outcomes.includes(false)) return false;
    this.#become("idle");
    return true;
  }

  async #drainLane() {
    let entry;
    while (this.state === "sending" && (entry = this.#next())) {
      if (!(await this.#sendOne(entry))) return false;
    }
    return true;
  }

  // The first entry that may leave now: it is logged, unless there is no more time for that, and no earlier answer to
  // its photo is still on its way.
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
    if (this.state === "idle") this.#become("sending"); // "offline" stays until something came through
    this.#inFlight.add(entry);
    try {
      await request(entry.url, entry.body, { keepalive: true }); // it arrives although the tab is closed meanwhile
    } catch (error) {
      if (error.status === 409) this.#become("login", error.message);
      else if (error.needsLogin) this.#become("login");
      else if (error.isPassing) this.#become("offline");
      else return this.#refuse(entry, error.message);
      return false;
    } finally {
      this.#inFlight.delete(entry);
    }
    this.#wait = SHORTEST_WAIT;
    this.#become("sending");
    this.#leave([entry]);
    this.#tell({ kind: "left", orders: [entry.order], receipt: entry.body });
    this.dispatchEvent(new CustomEvent("receipt", { detail: entry.body }));
    await this.#record(entry, "saved");
    return true;
  }

  // Kept, with the server's sentence, until the person has seen it; the others go on.
  async #refuse(entry, sentence) {
    entry.refused = sentence;
    this.#become("sending");
    this.#changed();
    this.#tell({ kind: "refused", order: entry.order, sentence });
    if (entry.order !== null) await this.#log.put(entry).catch(() => {});
    return true;
  }

  #sendLeaving() {
    if (this.state === "login") return;
    let entry;
    for (let sent = 0; sent < LAST_MINUTE && (entry = this.#next({ isLastChance: true })); sent += 1) {
      this.#inFlight.add(entry);
      request(entry.url, entry.body, { keepalive: true }).catch(() => {});
    }
  }

  // --- The log and the other tabs -------------------------------------------------------------------

  async #logOne(entry) {
    const { order: _, ...unnumbered } = entry;
    try {
      entry.order = await this.#log.add(unnumbered);
      // Else a browser short of space may clear what it keeps for the site.
      navigator.storage?.persist?.().catch(() => {});
    } catch {
      entry.order = null; // storage is full or gone: the answer is sent all the same
    }
    this.#changed();
  }

  // An entry that stays behind as waiting is sent once more at the next load, and recorded once.
  async #record(entry, state) {
    if (entry.order === null) return;
    try {
      await this.#log.put({ ...entry, state }, { isRecord: true });
    } catch {
      await this.#log.remove(entry.order).catch(() => {});
    }
  }

  // Makes the entries what the log says: other tabs add to it and take away.
  async #readLog() {
    const before = new Set(this.#entries.map((entry) => entry.order));
    let logged;
    try {
      logged = await this.#log.waiting(this.#annotator);
    } catch {
      return; // what this page knows has to do
    }
    const orders = new Set(logged.map((entry) => entry.order));
    const known = new Set(this.#entries.map((entry) => entry.order));
    const stay = this.#entries.filter(({ order }) => order == null || orders.has(order) || !before.has(order));
    const come = logged.filter(({ order }) => !known.has(order) && !this.#gone.has(order));
    if (stay.length === this.#entries.length && !come.length) return;
    this.#entries = [...stay, ...come];
    this.#changed();
  }

  #leave(entries) {
    for (const { order } of entries) this.#gone.add(order);
    this.#entries = this.#entries.filter((entry) => !entries.includes(entry));
    this.#changed();
  }

  #tell(news) {
    this.#tabs?.postMessage(news);
  }

  #hear(news) {
    const ofOrders = (orders) => this.#entries.filter(({ order }) => order != null && orders.includes(order));
    if (news.kind === "state") return this.#become(news.state, news.message, { isOwn: false });
    if (news.kind === "refused") {
      for (const entry of ofOrders([news.order])) entry.refused = news.sentence;
      return this.#changed();
    }
    if (news.kind === "left") {
      for (const order of news.orders) this.#gone.add(order);
      this.#leave(ofOrders(news.orders));
      if (news.receipt) this.dispatchEvent(new CustomEvent("receipt", { detail: news.receipt }));
      return;
    }
    const { order } = news.entry;
    if (order == null || ofOrders([order]).length) return; // not logged: only the other tab can send it
    this.#gone.delete(order);
    this.#entries.push(news.entry);
    this.#changed();
    this.#sendAfter(SHORTEST_WAIT); // unless the other tab has by then
  }

  #sendLater() {
    this.#sendAfter(this.#wait);
    this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT);
  }

  #sendAfter(milliseconds) {
    clearTimeout(this.#timer);
    const jitter = 0.8 + 0.4 * Math.random();
    this.#timer = setTimeout(() => this.#next() && this.send(), milliseconds * jitter);
  }

  #become(state, message = "", { isOwn = true } = {}) {
    if (this.state === state && this.message === message) return;
    Object.assign(this, { state, message });
    this.#changed();
    if (isOwn) this.#tell({ kind: "state", state, message });
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  get #name() {
    return `iqs-answers:${this.#annotator}`;
  }
}
