// The photos that this page holds: claimed ahead, kept alive while somebody is here, given back after.
// The browser's clock may be wrong by days, so nothing here looks at when a lease ends: the server says what is left.
// Events: "change" when photos arrived, or when it became known why there are none (`emptyBecause`, `error`).

import { request } from "./api.js";
import { Pace } from "./pace.js";

const RENEWALS = 3; // in the time that a lease lasts: two may fail
const MOST_KNOWN = 200; // photos that a claim can name
const LOOKS = 10; // between two renewals, whether the computer slept
const LOOK_AGAIN = [200, 400, 800, 1_600]; // milliseconds until the next claim, after one in vain

export class Leases extends EventTarget {
  emptyBecause = "";
  error = null; // ApiError of the last claim
  #url;
  #slug;
  #prepare;
  #drop;
  #unsentIds;
  #pace = new Pace();
  #waiting = [];
  #held = new Map(); // image id → {lease, unlock}; unlock() lets other tabs of this browser have the photo
  #answered = new Map(); // image id → unlock, for photos whose answer is on its way
  #isClaiming = false;
  #isOutdated = false; // a claim was asked for while another was under way
  #inVain = 0; // claims in a row that brought neither a photo nor a reason
  #nextLook = 0; // timer
  #renewEvery; // milliseconds
  #renewed; // {ticks, wall} of the last renewal
  #isRenewing = false;

  // prepare(lease) starts loading the photo and resolves when it is here; drop(lease) lets go of one that is not
  // wanted any more; unsentIds() names photos that are answered but not confirmed.
  constructor({ api, slug, leaseSeconds, prepare, drop = () => {}, unsentIds }) {
    super();
    this.#url = `${api}/leases`;
    this.#slug = slug;
    this.#prepare = prepare;
    this.#drop = drop;
    this.#unsentIds = unsentIds;
    this.#renewEvery = (leaseSeconds * 1000) / RENEWALS;
    this.#noteRenewal();
    setInterval(() => this.#isDue() && this.#renew(), this.#renewEvery / LOOKS);
    for (const sign of ["resume", "visibilitychange"]) document.addEventListener(sign, () => document.hidden || this.#renew());
    addEventListener("online", () => {
      this.#renew();
      if (this.#waiting.length <= this.#pace.refillAt) this.refill();
    });
    addEventListener("pagehide", () => this.giveBack({ keepalive: true }));
  }

  // The next photo, or null when none is here yet.
  take() {
    const lease = this.#waiting.shift() ?? null;
    if (this.#waiting.length <= this.#pace.refillAt) this.refill();
    return lease;
  }

  get isEmpty() {
    return this.#waiting.length === 0;
  }

  // The photo is answered: it is neither renewed nor given back any more.
  markAnswered(imageId) {
    this.#pace.answered();
    if (this.#held.has(imageId)) this.#answered.set(imageId, this.#held.get(imageId).unlock);
    this.#held.delete(imageId);
  }

  // The server has the answer and will not hand the photo out again.
  forget(imageId) {
    this.#answered.get(imageId)?.();
    this.#answered.delete(imageId);
  }

  async refill() {
    this.#isOutdated = this.#isClaiming;
    if (this.#isClaiming) return;
    this.#isClaiming = true;
    clearTimeout(this.#nextLook);
    try {
      const count = Math.max(1, this.#pace.ahead + 1 - this.#waiting.length);
      const claim = await this.#claim(count, [...this.#held.keys()]);
      for (const lease of claim.leases) await this.#add(lease);
      this.emptyBecause = claim.empty_because;
      this.error = null;
    } catch (error) {
      this.error = error;
      if (error.isPassing) this.#pace.failed();
    } finally {
      this.#isClaiming = false;
    }
    this.#planNextLook();
    this.dispatchEvent(new Event("change"));
    if (this.#isOutdated) this.refill();
  }

  // Neither a photo nor a reason: somebody else's claim, or what this page gave back while it was reloaded, is under
  // way and holds the last photos for a moment.
  #planNextLook() {
    const isInVain = !this.#held.size && !this.emptyBecause && !this.error;
    const wait = isInVain ? LOOK_AGAIN[this.#inVain] : undefined;
    this.#inVain = wait ? this.#inVain + 1 : 0;
    if (wait) this.#nextLook = setTimeout(() => this.refill(), wait);
    else if (isInVain) this.emptyBecause = "The last photos are being handed out at this moment, or another tab shows them.";
  }

  // Returns every held photo to the queue; the page starts afresh after that.
  giveBack({ keepalive = false } = {}) {
    clearTimeout(this.#nextLook);
    const imageIds = [...this.#held.keys()];
    for (const imageId of imageIds) this.#letGo(imageId);
    if (imageIds.length) request(`${this.#url}/return`, { image_ids: imageIds }, { keepalive }).catch(() => {});
  }

  async #claim(count, held) {
    // The oldest answers leave first; of a long backlog the server will know them soonest.
    const known = [...new Set([...held, ...(await this.#elsewhere()), ...this.#unsentIds().reverse()])];
    const asked = performance.now();
    const claim = await request(this.#url, { count, known: known.slice(0, MOST_KNOWN) });
    this.#pace.claimed(performance.now() - asked);
    return claim;
  }

  async #add(lease) {
    // It was answered, or arrived, while the claim was on its way.
    if (this.#held.has(lease.image_id) || this.#unsentIds().includes(lease.image_id)) return;
    const unlock = await this.#lock(lease.image_id);
    if (!unlock) return; // another tab has it on its stage
    this.#held.set(lease.image_id, { lease, unlock });
    this.#waiting.push(lease);
    const asked = performance.now();
    Promise.resolve(this.#prepare(lease)).then(() => this.#pace.loaded(performance.now() - asked, lease.width * lease.height));
  }

  #letGo(imageId) {
    const { lease, unlock } = this.#held.get(imageId);
    unlock();
    this.#held.delete(imageId);
    this.#waiting = this.#waiting.filter((one) => one !== lease);
    this.#drop(lease);
  }

  // --- Keeping them alive ---------------------------------------------------------------------------

  #noteRenewal() {
    this.#renewed = { ticks: performance.now(), wall: Date.now() };
  }

  // Two clocks, because some stand still while the computer sleeps and others are set by people. Only their
  // differences count, and a wrong guess costs one request.
  #isDue() {
    const passed = [performance.now() - this.#renewed.ticks, Math.abs(Date.now() - this.#renewed.wall)];
    return Math.max(...passed) >= this.#renewEvery;
  }

  async #renew() {
    const imageIds = [...this.#held.keys()];
    if (!imageIds.length || this.#isRenewing) return;
    this.#isRenewing = true;
    try {
      const { renewed } = await request(`${this.#url}/renew`, { image_ids: imageIds });
      this.#noteRenewal();
      if (renewed < imageIds.length) await this.#claimAgain();
    } catch {
      // It stays due and is tried again at the next look.
    } finally {
      this.#isRenewing = false;
    }
  }

  // Some leases ended, because the computer slept or an admin took them back. The server hands the asker's own out
  // first, those that ended too; what it does not name any more is with others by now.
  async #claimAgain() {
    const before = new Set(this.#held.keys());
    const { leases } = await this.#claim(Math.max(1, before.size), []);
    const named = new Map(leases.map((lease) => [lease.image_id, lease]));
    for (const imageId of before) {
      const held = this.#held.get(imageId);
      if (!held) continue; // answered meanwhile
      if (named.has(imageId)) Object.assign(held.lease, named.get(imageId));
      else if (this.#waiting.includes(held.lease)) this.#letGo(imageId); // what is on the stage can still be answered
    }
    for (const lease of leases) await this.#add(lease);
    this.refill();
  }

  // --- Other tabs -----------------------------------------------------------------------------------

  // Two tabs of one person hold the same leases; a lock for each photo keeps it to one tab. Resolves
  // with the unlocking function, or with null when another tab has the photo.
  #lock(imageId) {
    if (!navigator.locks) return Promise.resolve(() => {}); // plain http on another machine
    return new Promise((resolve) => {
      navigator.locks.request(`${this.#prefix}${imageId}`, { ifAvailable: true }, (lock) => {
        if (!lock) return resolve(null);
        return new Promise((unlock) => resolve(unlock));
      });
    });
  }

  // Photos that other tabs hold.
  async #elsewhere() {
    if (!navigator.locks) return [];
    const { held } = await navigator.locks.query();
    const locked = held.filter(({ name }) => name.startsWith(this.#prefix)).map(({ name }) => Number(name.slice(this.#prefix.length)));
    return locked.filter((imageId) => !this.#held.has(imageId));
  }

  get #prefix() {
    return `iqs-photo:${this.#slug}:`;
  }
}
