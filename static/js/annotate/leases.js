// The photos that are leased to this page. It claims them ahead, renews their leases while somebody uses the page, and
// then gives them back. The browser's clock may be wrong, so this code ignores when a lease expires and asks the server.
// Events: "change" after each claim, with new photos or with a reason for none (`emptyBecause`, `emptyKind`, `error`);
// "loaded" after the file of a photo.

import { request } from "./api.js";
import { Pace } from "./pace.js";
import { gettext } from "../texts.js";

const RENEWALS = 3; // in the duration of a lease, so that two may fail
const MAX_KNOWN = 500; // photos that a claim can name
const MAX_CLAIM = 20; // photos in one claim
const USUAL_HOLD = 50; // photos that a page may hold without asking for more
const CHECKS = 10; // between two renewals, for whether the computer slept
const RETRY_AFTER = [200, 400, 800, 1_600]; // milliseconds after each empty claim in a row
const RETRY_LOST = 10_000; // milliseconds until a page that returns its photos repeats a claim without an answer
const NEVER = { ticks: -Infinity, wall: -Infinity };

export class Leases extends EventTarget {
  emptyBecause = "";
  emptyKind = ""; // the same as one word
  error = null; // ApiError of the last claim
  #url;
  #campaign;
  #prepare;
  #drop;
  #unsentIds;
  #buffer;
  #pace = new Pace();
  #waiting = [];
  #held = new Map(); // image id → {lease, unlock}; unlock() allows the photo in other tabs of this browser
  #answered = new Map(); // image id → unlock, for photos with an answer that is not confirmed
  #isClaiming = false;
  #isClaimLost = false; // the last claim got no answer, but the server may have leased photos
  #mustRefill = false; // a refill was requested during a claim
  #emptyClaims = 0; // claims in a row that returned neither a photo nor a reason
  #retryTimer = 0;
  #renewEvery; // milliseconds
  #renewTimer = 0;
  #renewed; // {ticks, wall} times of the last renewal
  #isRenewing = false;

  // prepare(lease) loads the photo and resolves when it is loaded; drop(lease) frees its memory; unsentIds() returns the
  // ids of photos with an answer that is not confirmed; buffer: how many photos the person wants to hold.
  constructor({ api, campaign, leaseSeconds, prepare, drop = () => {}, unsentIds, buffer }) {
    super();
    this.#buffer = buffer;
    buffer.addEventListener("change", () => this.#bufferChanged());
    this.#url = `${api}/leases`;
    this.#campaign = campaign;
    this.#prepare = prepare;
    this.#drop = drop;
    this.#unsentIds = unsentIds;
    this.#setLeaseSeconds(leaseSeconds);
    this.#markRenewed();
    for (const name of ["resume", "visibilitychange"]) document.addEventListener(name, () => document.hidden || this.#renew());
    addEventListener("online", () => {
      this.#renew();
      if (this.#waiting.length <= this.#refillAt) this.refill();
    });
    addEventListener("pagehide", () => this.giveBack({ keepalive: true }));
  }

  // Returns the next lease, or null when there is none yet.
  take() {
    const lease = this.#waiting.shift() ?? null;
    if (this.#waiting.length <= this.#refillAt) this.refill();
    return lease;
  }

  // The number of photos that should wait after a claim.
  get #ahead() {
    return this.#buffer.count ? this.#buffer.count - 1 : this.#pace.ahead; // one is on the stage
  }

  // The number of waiting photos at which to claim again.
  get #refillAt() {
    return this.#buffer.count ? this.#ahead - Math.min(10, Math.floor(this.#ahead / 3)) : this.#pace.refillAt;
  }

  // Whether the page keeps its photos during a pause: the person has loaded them for work without a connection, and
  // there is none.
  get isKept() {
    return this.#buffer.count > 0 && this.#held.size > 0 && (!navigator.onLine || Boolean(this.error?.isTemporary));
  }

  // What the page holds: {held, loaded} photos, {loadedBytes, meanBytes}; meanBytes is 0 without a photo.
  get holding() {
    const leases = [...this.#held.values()].map(({ lease }) => lease);
    const loaded = leases.filter((lease) => lease.isLoaded);
    const bytes = (some) => some.reduce((sum, lease) => sum + lease.byte_size, 0);
    return { held: leases.length, loaded: loaded.length, loadedBytes: bytes(loaded), meanBytes: leases.length ? bytes(leases) / leases.length : 0 };
  }

  get isEmpty() {
    return this.#waiting.length === 0;
  }

  // The photo has an answer, so its lease is neither renewed nor given back.
  markAnswered(imageId) {
    this.#pace.answered();
    if (this.#held.has(imageId)) this.#answered.set(imageId, this.#held.get(imageId).unlock);
    this.#held.delete(imageId);
  }

  // The server has the answer, so it does not lease the photo to this person again.
  forget(imageId) {
    this.#answered.get(imageId)?.();
    this.#answered.delete(imageId);
  }

  async refill() {
    this.#mustRefill = this.#isClaiming;
    if (this.#isClaiming) return;
    this.#isClaiming = true;
    clearTimeout(this.#retryTimer);
    try {
      const { count: most } = this.#buffer;
      const missing = most ? most - this.#held.size : this.#ahead + 1 - this.#waiting.length;
      const count = Math.min(MAX_CLAIM, Math.max(1, missing));
      const claim = await this.#claim(count, [...this.#held.keys()]);
      for (const lease of claim.leases) await this.#add(lease);
      this.emptyBecause = claim.empty_because;
      this.emptyKind = claim.empty_kind;
      this.error = null;
      if (claim.leases.length && this.#held.size < most) this.#mustRefill = true;
    } catch (error) {
      this.error = error;
      if (error.isTemporary) this.#pace.failed();
    } finally {
      this.#isClaiming = false;
    }
    this.#retryIfEmpty();
    this.dispatchEvent(new Event("change"));
    if (this.#mustRefill) this.refill();
  }

  // A claim with neither a photo nor a reason: another request has locked the last photos for a moment. It may be the
  // claim of another person, or the return of this page's photos during a reload.
  #retryIfEmpty() {
    const isEmpty = !this.#held.size && !this.emptyBecause && !this.error;
    const wait = isEmpty ? RETRY_AFTER[this.#emptyClaims] : undefined;
    this.#emptyClaims = wait ? this.#emptyClaims + 1 : 0;
    if (wait) this.#retryTimer = setTimeout(() => this.refill(), wait);
    else if (isEmpty) this.emptyBecause = gettext("The last photos are being assigned right now, or another tab shows them.");
  }

  // Resolves with whether the server still leases the photo to this person; true when it cannot be asked.
  async isLive(lease) {
    try {
      return (await request(`${this.#url}/renew`, { image_ids: [lease.image_id] })).renewed > 0;
    } catch {
      return true;
    }
  }

  // The page neither shows the photo nor gives it back.
  remove(lease) {
    if (this.#held.has(lease.image_id)) this.#release(lease.image_id);
  }

  // Returns every held photo to the queue. After a claim without an answer, the page does not know which photos it has.
  // It claims again, because a claim returns the person's own photos first. The "change" event then leads here again.
  giveBack({ keepalive = false } = {}) {
    clearTimeout(this.#retryTimer);
    const imageIds = [...this.#held.keys()];
    for (const imageId of imageIds) this.#release(imageId);
    if (imageIds.length) request(`${this.#url}/return`, { image_ids: imageIds }, { keepalive }).catch(() => {});
    if (this.#isClaimLost) this.#retryTimer = setTimeout(() => this.refill(), RETRY_LOST);
  }

  async #claim(count, held) {
    // The oldest answers are sent first, so the newest ones are the most important to name.
    const known = [...new Set([...held, ...(await this.#idsInOtherTabs()), ...this.#unsentIds().reverse()])];
    const hold = Math.max(USUAL_HOLD, this.#buffer.count);
    const start = performance.now();
    const wasLost = this.#isClaimLost;
    let claim;
    try {
      claim = await request(this.#url, { count, known: known.slice(0, MAX_KNOWN), hold });
      // Not when another claim was lost during this one, or when all photos were locked for a moment.
      if (wasLost && (claim.leases.length || claim.empty_because)) this.#isClaimLost = false;
    } catch (error) {
      this.#isClaimLost = error.isTemporary;
      throw error;
    }
    this.#pace.claimed(performance.now() - start);
    if (this.#setLeaseSeconds(claim.lease_seconds)) this.#renew(); // the other leases end at the old time
    return claim;
  }

  async #add(lease) {
    // The page may have got or answered the photo during the claim.
    if (this.#held.has(lease.image_id) || this.#unsentIds().includes(lease.image_id)) return;
    const unlock = await this.#lock(lease.image_id);
    if (!unlock) return; // another tab holds it
    this.#held.set(lease.image_id, { lease, unlock });
    this.#waiting.push(lease);
    const start = performance.now();
    Promise.resolve(this.#prepare(lease)).then(() => {
      this.#pace.loaded(performance.now() - start, lease.width * lease.height);
      this.dispatchEvent(new Event("loaded"));
    });
  }

  // Claims more photos, or returns those that are too many. The next ones to show are kept.
  #bufferChanged() {
    const onStage = this.#held.size - this.#waiting.length;
    const surplus = this.#waiting.slice(this.#buffer.count ? this.#buffer.count - onStage : this.#ahead + 1);
    for (const { image_id } of surplus) this.#release(image_id);
    if (surplus.length) request(`${this.#url}/return`, { image_ids: surplus.map((lease) => lease.image_id) }).catch(() => {});
    else if (this.#waiting.length <= this.#refillAt) this.refill();
    this.dispatchEvent(new Event("loaded"));
  }

  #release(imageId) {
    const { lease, unlock } = this.#held.get(imageId);
    unlock();
    this.#held.delete(imageId);
    this.#waiting = this.#waiting.filter((one) => one !== lease);
    this.#drop(lease);
  }

  // --- Renewal --------------------------------------------------------------------------------------

  // An admin may change this time while the page is open. Returns whether it changed.
  #setLeaseSeconds(seconds) {
    const renewEvery = (seconds * 1000) / RENEWALS;
    if (renewEvery === this.#renewEvery) return false;
    this.#renewEvery = renewEvery;
    clearInterval(this.#renewTimer);
    this.#renewTimer = setInterval(() => this.#isDue() && this.#renew(), renewEvery / CHECKS);
    return true;
  }

  #markRenewed() {
    this.#renewed = { ticks: performance.now(), wall: Date.now() };
  }

  // Uses two clocks: one may stop while the computer sleeps, and people can set the other one. Only time differences
  // are used. A wrong result costs one request.
  #isDue() {
    const passed = [performance.now() - this.#renewed.ticks, Math.abs(Date.now() - this.#renewed.wall)];
    return Math.max(...passed) >= this.#renewEvery;
  }

  async #renew() {
    const imageIds = [...this.#held.keys()];
    if (!imageIds.length || this.#isRenewing) return;
    this.#isRenewing = true;
    try {
      const { renewed, lease_seconds } = await request(`${this.#url}/renew`, { image_ids: imageIds });
      this.#setLeaseSeconds(lease_seconds);
      if (renewed < imageIds.length) await this.#claimAgain();
      this.#markRenewed();
    } catch {
      this.#renewed = NEVER; // so that the next check tries again
    } finally {
      this.#isRenewing = false;
    }
  }

  // Some leases ended, because the computer slept or an admin took the photos back. A claim returns the person's own
  // photos first, expired ones included. Photos that it does not return belong to others now.
  async #claimAgain() {
    const before = new Set(this.#held.keys());
    const leases = [];
    try {
      let count;
      let claim;
      do {
        count = Math.min(MAX_CLAIM, Math.max(1, before.size - leases.length));
        claim = await this.#claim(count, leases.map((lease) => lease.image_id));
        leases.push(...claim.leases);
      } while (claim.leases.length === count && leases.length < before.size);
    } catch (error) {
      this.refill(); // it gets the photos of this claim, if the server has leased some
      throw error;
    }
    const named = new Map(leases.map((lease) => [lease.image_id, lease]));
    for (const imageId of before) {
      const held = this.#held.get(imageId);
      if (!held) continue; // it was answered during the claim
      if (named.has(imageId)) Object.assign(held.lease, named.get(imageId));
      else if (this.#waiting.includes(held.lease)) this.#release(imageId); // the photo on the stage can still be answered
    }
    for (const lease of leases) await this.#add(lease);
    this.refill();
  }

  // --- Other tabs -----------------------------------------------------------------------------------

  // Two tabs of one person have the same leases. A lock for each photo makes sure that only one tab shows it.
  // Resolves with the function that unlocks, or with null when another tab has the photo.
  #lock(imageId) {
    if (!navigator.locks) return Promise.resolve(() => {}); // not available without https
    return new Promise((resolve) => {
      navigator.locks.request(`${this.#prefix}${imageId}`, { ifAvailable: true }, (lock) => {
        if (!lock) return resolve(null);
        return new Promise((unlock) => resolve(unlock));
      });
    });
  }

  // Resolves with the ids of photos that other tabs hold.
  async #idsInOtherTabs() {
    if (!navigator.locks) return [];
    const { held } = await navigator.locks.query();
    const locked = held.filter(({ name }) => name.startsWith(this.#prefix)).map(({ name }) => Number(name.slice(this.#prefix.length)));
    return locked.filter((imageId) => !this.#held.has(imageId));
  }

  get #prefix() {
    return `iqs-photo:${this.#campaign}:`; // not the address, which an admin may change
  }
}
