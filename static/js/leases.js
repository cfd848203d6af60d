// The photos that this page holds: claimed ahead, kept alive while somebody is here, given back after.
// Events: "change" when photos arrived, or when it became known why there are none (`emptyBecause`, `error`).

import { request } from "./api.js";

const AHEAD = 5; // photos waiting behind the one on the stage
const REFILL_AT = 3;

export class Leases extends EventTarget {
  emptyBecause = "";
  error = null; // ApiError of the last claim
  #url;
  #slug;
  #prepare;
  #unsentIds;
  #waiting = [];
  #held = new Map(); // image id → function that lets other tabs of this browser have the photo
  #answered = new Map(); // the same, for photos whose answer is on its way
  #isClaiming = false;
  #isOutdated = false; // a claim was asked for while another was under way

  // prepare(lease) starts loading the photo; unsentIds() names photos that are answered but not confirmed.
  constructor({ api, slug, leaseSeconds, prepare, unsentIds }) {
    super();
    this.#url = `${api}/leases`;
    this.#slug = slug;
    this.#prepare = prepare;
    this.#unsentIds = unsentIds;
    setInterval(() => this.#renew(), (leaseSeconds * 1000) / 3);
    addEventListener("pagehide", () => this.giveBack({ keepalive: true }));
  }

  // The next photo, or null when none is here yet.
  take() {
    const lease = this.#waiting.shift() ?? null;
    if (this.#waiting.length <= REFILL_AT) this.refill();
    return lease;
  }

  get isEmpty() {
    return this.#waiting.length === 0;
  }

  // The photo is answered: it is neither renewed nor given back any more.
  markAnswered(imageId) {
    if (this.#held.has(imageId)) this.#answered.set(imageId, this.#held.get(imageId));
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
    try {
      const known = [...new Set([...this.#held.keys(), ...this.#unsentIds(), ...(await this.#elsewhere())])];
      const count = AHEAD + 1 - this.#waiting.length;
      const claim = await request(this.#url, { count, known: known.slice(-200) });
      for (const lease of claim.leases) await this.#add(lease);
      this.emptyBecause = claim.empty_because;
      this.error = null;
    } catch (error) {
      this.error = error;
    } finally {
      this.#isClaiming = false;
    }
    this.dispatchEvent(new Event("change"));
    if (this.#isOutdated) this.refill();
  }

  // Returns every held photo to the queue; the page starts afresh after that.
  giveBack({ keepalive = false } = {}) {
    const imageIds = [...this.#held.keys()];
    for (const unlock of this.#held.values()) unlock();
    this.#held.clear();
    this.#waiting = [];
    if (imageIds.length) request(`${this.#url}/return`, { image_ids: imageIds }, { keepalive }).catch(() => {});
  }

  async #add(lease) {
    // It was answered, or arrived, while the claim was on its way.
    if (this.#held.has(lease.image_id) || this.#unsentIds().includes(lease.image_id)) return;
    const unlock = await this.#lock(lease.image_id);
    if (!unlock) return; // another tab has it on its stage
    this.#held.set(lease.image_id, unlock);
    this.#prepare(lease);
    this.#waiting.push(lease);
  }

  #renew() {
    const imageIds = [...this.#held.keys()];
    if (imageIds.length) request(`${this.#url}/renew`, { image_ids: imageIds }).catch(() => {});
  }

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

  async #elsewhere() {
    if (!navigator.locks) return [];
    const { held } = await navigator.locks.query();
    return held.filter(({ name }) => name.startsWith(this.#prefix)).map(({ name }) => Number(name.slice(this.#prefix.length)));
  }

  get #prefix() {
    return `iqs-photo:${this.#slug}:`;
  }
}
