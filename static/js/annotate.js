// The annotate page: one photo, two answers, the next photo on the same frame.
// An *item* is a lease with what was said about it: {lease, watch, score, skipReason, shownAt, …}.

import { openAnswerLog } from "./answer_log.js";
import { request } from "./api.js";
import { actionOf } from "./keys.js";
import { Leases } from "./leases.js";
import { Outbox } from "./outbox.js";
import { PhotoDeck } from "./photo_deck.js";
import { fetchReveal, revealElements } from "./reveal.js";
import { StatusLine } from "./status_line.js";

const RETRY_EMPTY = 10_000; // milliseconds between two looks for photos
const AWAY_AFTER = 10 * 60_000; // without any input, the photos go back to the others
const REMEMBERED = 50; // photos that undo can reach
const KEPT_DECODED = 3; // of them, those that come back at once
const WATCH_WORDS = { yes: "watch", no: "no watch", unsure: "unsure" };

const $ = (id) => document.getElementById(id);
const config = JSON.parse($("config").textContent);
const deck = new PhotoDeck($("photo"));
const outbox = new Outbox(await openAnswerLog(), config.annotator);
const status = new StatusLine(outbox);
const leases = new Leases({ ...config, prepare: (lease) => deck.prepare(lease), unsentIds: () => outbox.imageIds });

const answered = []; // items in the order of their answers
let fresh = null; // the item not answered yet
let revising = -1; // index in `answered` of the item on the stage, or -1
let skipping = null; // the item for which the skip menu was opened
let isBroken = false; // the photo on the stage does not load
let isAway = false;
let lastInput = performance.now();
let retryTimer = 0;

const current = () => (revising >= 0 ? answered[revising] : fresh);

// --- The stage --------------------------------------------------------------------------------------

async function showCurrent() {
  const item = current();
  renderChoices();
  renderStrip();
  $("empty").hidden = true;
  if (!item) return showNothing();
  item.shownAt = null;
  isBroken = false;
  $("loading").hidden = item.lease.isReady === true;
  $("stage").setAttribute("aria-busy", String(!item.lease.isReady));
  const isShown = await deck.show(item.lease, () => current() === item);
  if (current() !== item) return;
  $("loading").hidden = true;
  $("stage").setAttribute("aria-busy", "false");
  if (!isShown) return showBroken();
  item.shownAt = performance.now();
  item.wasAway = document.hidden;
  if (config.mode === "prelabel" && revising < 0) showPrelabel(item);
}

function showNothing() {
  deck.clear();
  $("loading").hidden = Boolean(leases.emptyBecause || leases.error || isAway);
  $("empty").hidden = !$("loading").hidden;
  $("stage").setAttribute("aria-busy", String(!$("loading").hidden));
  if ($("empty").hidden) return;
  $("empty-title").textContent = isAway ? "Are you still there?" : leases.error ? "No photos for now" : "Nothing to do right now";
  $("empty-reason").textContent = isAway
    ? "Nothing happened for ten minutes, so the photos waiting here went to the others. Any key brings you new ones."
    : leases.error?.message ?? leases.emptyBecause;
  $("empty-retry").hidden = isAway;
  clearTimeout(retryTimer);
  if (!isAway) retryTimer = setTimeout(() => leases.refill(), RETRY_EMPTY);
}

function showBroken() {
  isBroken = true;
  deck.clear();
  $("empty").hidden = false;
  $("empty-title").textContent = "This photo does not load";
  $("empty-reason").textContent = navigator.onLine
    ? "Look again, or skip it so that the campaign's admin hears of it."
    : "There is no connection; it loads when the connection is back.";
  $("empty-retry").hidden = true;
}

async function showPrelabel(item) {
  item.reveal ??= await fetchReveal(config.api, item.lease.image_id);
  if (current() === item) renderStrip();
}

function next() {
  revising = -1;
  if (!fresh) {
    const lease = leases.take();
    fresh = lease && { lease, watch: "", score: null, skipReason: "" };
  }
  showCurrent();
}

// --- Answers ----------------------------------------------------------------------------------------

function choose(kind, value, input) {
  const item = current();
  if (!item?.shownAt || isBroken) return;
  item[kind] = value;
  item.skipReason = "";
  if (item.watch && item.score !== null) return submit(item, input);
  renderChoices();
}

function skip(item, reason) {
  if (!item || item !== current()) return;
  Object.assign(item, { watch: "", score: null, skipReason: reason });
  submit(item, "menu");
}

function submit(item, input) {
  const body = {
    client_id: crypto.randomUUID?.() ?? randomId(),
    image_id: item.lease.image_id,
    watch: item.watch,
    score: item.score,
    skip_reason: item.skipReason,
    milliseconds: item.shownAt === null ? null : Math.round(performance.now() - item.shownAt),
    viewing: viewing(item, input),
  };
  outbox.add(`${config.api}/annotations`, body);
  if (revising < 0) {
    answered.push(item);
    if (answered.length > REMEMBERED) answered.shift();
    fresh = null;
    status.count(item.skipReason);
    leases.markAnswered(item.lease.image_id);
    if (answered.length > KEPT_DECODED) deck.forget(answered.at(-KEPT_DECODED - 1).lease);
  }
  item.reveal = null;
  next();
  status.announce(`${saying(item)} for photo ${item.lease.name}.`);
}

// crypto.randomUUID needs https; a version 4 UUID all the same.
function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function viewing(item, input) {
  return {
    viewport: [innerWidth, innerHeight],
    pixel_ratio: devicePixelRatio,
    zoom: visualViewport?.scale ?? 1,
    shown: deck.shownSize,
    input,
    was_away: item.wasAway ?? false,
    answered_at: new Date().toISOString(),
  };
}

function undo() {
  const index = revising >= 0 ? revising - 1 : answered.length - 1;
  if (index < 0) return;
  revising = index;
  status.announce("Back to an earlier photo.");
  showCurrent();
}

function saying(item) {
  return item.skipReason ? "skipped" : `${WATCH_WORDS[item.watch]}, ${item.score}`;
}

// --- Controls ---------------------------------------------------------------------------------------

function renderChoices() {
  const item = current();
  for (const button of document.querySelectorAll("[data-watch]")) {
    button.setAttribute("aria-pressed", String(button.dataset.watch === item?.watch));
  }
  for (const button of document.querySelectorAll("[data-score]")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.score) === item?.score));
  }
  const slider = $("slider");
  if (!slider) return;
  const middle = Math.round((config.lowest + config.highest) / 2);
  $("slider-range").value = item?.score ?? middle;
  $("slider-number").value = item?.score ?? "";
  $("slider-set").setAttribute("aria-pressed", String(item != null && item.score !== null));
}

function renderStrip() {
  $("undo").disabled = revising === 0 || answered.length === 0;
  const strip = $("previous");
  if (revising >= 0) {
    const keep = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Leave it" });
    keep.append(Object.assign(document.createElement("kbd"), { className: "key", textContent: "Enter" }));
    keep.addEventListener("click", next);
    return strip.replaceChildren(`Answered before: ${saying(answered[revising])}`, keep);
  }
  const last = answered.at(-1);
  if (config.mode === "prelabel") return strip.replaceChildren(...revealElements(fresh?.reveal));
  if (!last) return strip.replaceChildren("Rate the photo: both answers in any order");
  const own = document.createElement("span");
  own.append("last: ", Object.assign(document.createElement("strong"), { textContent: saying(last) }));
  strip.replaceChildren(own, ...revealElements(last.reveal));
}

function openDialog(dialog) {
  if (document.querySelector("dialog[open]")) return;
  dialog.returnValue = "";
  dialog.showModal();
}

const actions = {
  watch: (value, input) => choose("watch", value, input),
  score: (value, input) => choose("score", value, input),
  digit: () => {
    if (!current()) return;
    $("slider-number").value = "";
    $("slider-number").focus(); // and the digit itself lands there
  },
  undo,
  keep: () => revising >= 0 && next(),
  skip: () => {
    skipping = current();
    if (skipping) openDialog($("skip"));
  },
  help: () => openDialog($("help")),
};

addEventListener("keydown", (event) => {
  if (wake() || document.querySelector("dialog[open]")) return;
  const [action, value] = actionOf(event, config.scoreKeys) ?? [];
  if (!action || (action === "digit" && !$("slider"))) return;
  if (action !== "digit") event.preventDefault();
  actions[action](value, "keys");
});

document.querySelector(".controls").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || wake()) return;
  const input = event.pointerType || "keys"; // a button pressed by the keyboard has no pointer
  if (event.pointerType) button.blur(); // the next Space skips, it does not press the button again
  if (button.dataset.watch) actions.watch(button.dataset.watch, input);
  if (button.dataset.score) actions.score(Number(button.dataset.score), input);
  if (button.id === "undo") undo();
  if (button.id === "skip-open") actions.skip();
});

$("slider-range")?.addEventListener("input", (event) => ($("slider-number").value = event.target.value));
$("slider-number")?.addEventListener("input", (event) => ($("slider-range").value = event.target.value));
$("slider")?.addEventListener("submit", (event) => {
  event.preventDefault();
  document.activeElement.blur();
  choose("score", Number($("slider-number").value), "slider");
});

$("skip").addEventListener("keydown", (event) => {
  const reason = $("skip").querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!reason) return;
  event.stopPropagation(); // the digit is not a score for the next photo
  event.preventDefault();
  reason.click();
});
$("skip").addEventListener("close", () => $("skip").returnValue && skip(skipping, $("skip").returnValue));
$("help").addEventListener("close", () => {
  localStorage.setItem(`iqs-instructions:${config.slug}`, config.instructions);
  if (current()?.shownAt) current().shownAt = performance.now(); // reading is not judging
});
$("help-open").addEventListener("click", actions.help);
$("empty-again").addEventListener("click", () => (current() ? showCurrent() : leases.refill()));

// --- Background -------------------------------------------------------------------------------------

leases.addEventListener("change", () => {
  status.claimFailed(leases.error);
  if (current()) return;
  if (leases.isEmpty) showNothing();
  else next();
});

outbox.addEventListener("receipt", async ({ detail }) => {
  leases.forget(detail.image_id);
  if (!current() || leases.error || leases.emptyBecause) leases.refill(); // the reason may be another now
  const item = answered.at(-1);
  if (config.mode !== "reveal" || detail.skip_reason || item?.lease.image_id !== detail.image_id) return;
  item.reveal = await fetchReveal(config.api, detail.image_id);
  if (answered.at(-1) === item) renderStrip();
});

// Returns whether the person had been away: then the key or click only calls the photos back.
function wake() {
  lastInput = performance.now();
  if (!isAway) return false;
  isAway = false;
  leases.emptyBecause = "";
  next();
  return true;
}

for (const kind of ["pointermove", "pointerdown", "wheel"]) addEventListener(kind, () => (lastInput = performance.now()), { passive: true });
$("stage").addEventListener("click", wake);
setInterval(() => {
  if (isAway || performance.now() - lastInput < AWAY_AFTER) return;
  isAway = true;
  revising = -1;
  fresh = null;
  leases.giveBack();
  showCurrent();
}, 15_000);
document.addEventListener("visibilitychange", () => {
  if (document.hidden && current()) current().wasAway = true;
  if (!document.hidden) outbox.send();
});
addEventListener("pageshow", (event) => event.persisted && location.reload()); // its photos went back when it was left
addEventListener("beforeunload", (event) => !outbox.isLasting && outbox.pending && event.preventDefault());

if (localStorage.getItem(`iqs-instructions:${config.slug}`) !== config.instructions) openDialog($("help"));
await outbox.load();
leases.refill();
request(`${config.api}/progress`).then(status.total, () => {});
