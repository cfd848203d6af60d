// The annotate page: one photo, two answers, the next photo on the same frame.
// An *item* is a lease with what was said about it: {lease, watch, score, skipReason, inputs, shownAt, …}.

import { answerBody, saying } from "./answer.js";
import { openAnswerLog } from "./answer_log.js";
import { request } from "./api.js";
import { BreakClock } from "./break_clock.js";
import { AnswerHints } from "./answer_hints.js";
import { Controls, inputOf } from "./controls.js";
import { Gestures } from "./gestures.js";
import { KeySettings } from "./key_settings.js";
import { Keys } from "./keys.js";
import { Leases } from "./leases.js";
import { Outbox } from "./outbox.js";
import { PhotoDeck } from "./photo_deck.js";
import { Practice } from "./practice.js";
import { Presence } from "./presence.js";
import { fetchReveal } from "./reveal.js";
import { SafetyPanel } from "./safety_panel.js";
import { StageCard, cards } from "./stage_card.js";
import { StatusLine } from "./status_line.js";
import { AnswerBar } from "./answer_bar.js";
import { Swipe } from "./swipe.js";
import { Zoom } from "./zoom.js";

const RETRY_EMPTY = 10_000; // milliseconds between two looks for photos
const REMEMBERED = 50; // photos that undo can reach
const KEPT_DECODED = 3; // of them, those that come back at once
const PREDICTION_PATIENCE = 2_000; // milliseconds that a photo waits for the prediction to be shown with it

const $ = (id) => document.getElementById(id);
const config = JSON.parse($("config").textContent);
const deck = new PhotoDeck($("photo"), $("next-photo"));
const loading = { prepare: (lease) => deck.prepare(lease), drop: (lease) => deck.forget(lease) };
const outbox = new Outbox(await openAnswerLog(), config.annotator);
const status = new StatusLine(outbox);
const leases = new Leases({ ...config, ...loading, unsentIds: () => outbox.imageIds });
const practice = new Practice(config, loading);
const keys = new Keys(config.keyBindings, config.scoreKeys);
const zoom = new Zoom($("photo"));
const swipe = new Swipe($("photo"), swiped);
const gestures = new Gestures($("photo"), { zoom, swipe, toggle: toggleZoom });
const card = new StageCard();
const controls = new Controls(config, choose);
const answerBar = new AnswerBar(keys, next);
const answerHints = new AnswerHints(config);
const breakClock = new BreakClock(config.slug, config.breakMinutes);
const presence = new Presence();
new KeySettings(keys, config.keysUrl);
new SafetyPanel(outbox, config);

const answered = []; // items in the order of their answers
let fresh = null; // the item not answered yet
let revising = -1; // index in `answered` of the item on the stage, or -1
let skipping = null; // the item for which the skip menu was opened
let isBroken = false; // the photo on the stage does not load
let paused = ""; // "away" or "break": no photo is held
let dueBreak = null; // {minutes, count} of the break that is on
let retryTimer = 0;
let noteTimer = 0;

const current = () => (practice.isOn ? practice.item : revising >= 0 ? answered[revising] : fresh);

// --- The stage --------------------------------------------------------------------------------------

async function showCurrent() {
  const item = current();
  zoom.leave();
  swipe.cancel();
  controls.render(item);
  renderStrip();
  card.hide();
  clearTimeout(retryTimer);
  if (!item) return showNothing();
  item.shownAt = null;
  isBroken = false;
  setLoading(!item.lease.isReady);
  if (item.lease.show_prediction && revising < 0 && !item.reveal) {
    deck.clear(); // the photo and its prediction come together
    await predictionOf(item);
    if (current() !== item) return;
  }
  const isShown = await deck.show(item.lease, () => current() === item);
  if (current() !== item) return;
  setLoading(false);
  if (!isShown) return showBroken();
  zoom.fit();
  item.shownAt = performance.now();
  item.wasAway = document.hidden;
  if (item.lease.show_prediction) renderStrip();
}

function setLoading(isLoading) {
  $("loading").hidden = !isLoading;
  $("stage").setAttribute("aria-busy", String(isLoading));
}

function predictionOf(item) {
  const asked = fetchReveal(config.api, item.lease.image_id).then((reveal) => {
    item.reveal = reveal;
    if (current() === item) renderStrip(); // also when it comes late
  });
  return Promise.race([asked, new Promise((resolve) => setTimeout(resolve, PREDICTION_PATIENCE))]);
}

function showNothing() {
  deck.clear();
  const why = reasonForNothing();
  setLoading(!why);
  if (!why) return;
  card.show(why);
  if (!paused && !practice.isOn) retryTimer = setTimeout(() => leases.refill(), RETRY_EMPTY);
}

// What the card says, or null while photos are on their way.
function reasonForNothing() {
  if (practice.isOn) return practice.error && cards.withoutPractice(practice.error, () => practice.start());
  if (paused === "break") return cards.breakDue(dueBreak, goOn);
  if (paused === "away") return cards.away();
  if (!leases.error && !leases.emptyBecause) return null;
  return cards.withoutPhotos(leases, () => leases.refill());
}

function showBroken() {
  isBroken = true;
  deck.clear();
  card.show(cards.broken(showCurrent));
}

function next() {
  revising = -1;
  if (!fresh && !paused) {
    const lease = leases.take();
    fresh = lease && { lease, watch: "", score: null, skipReason: "", inputs: {} };
  }
  showCurrent();
}

function toggleZoom(point) {
  if (!current()?.shownAt || isBroken) return;
  if (zoom.isOn) {
    zoom.leave();
    return status.announce("The whole photo.");
  }
  if (!zoom.enter(point)) return note("Every pixel of this photo is shown already");
  note(matchMedia("(pointer: coarse)").matches ? "1:1 · drag to move, double tap for the whole photo" : `1:1 · drag or arrows to move, ${keys.nameOf("zoom")} for the whole photo`);
}

// A few words on the stage that go away by themselves.
function note(words) {
  status.announce(words);
  $("note").textContent = words;
  $("note").hidden = false;
  clearTimeout(noteTimer);
  noteTimer = setTimeout(() => ($("note").hidden = true), 2_500);
}

// --- Answers ----------------------------------------------------------------------------------------

function choose(kind, value, input) {
  const item = current();
  if (!item?.shownAt || isBroken || practice.isJudged) return;
  const typed = kind === "watch" ? controls.typedScore : null;
  if (typed !== null) {
    Object.assign(item, { score: typed, inputs: { ...item.inputs, score: "keys" } });
    document.activeElement.blur();
  }
  Object.assign(item, { [kind]: value, inputs: { ...item.inputs, [kind]: input }, skipReason: "" });
  if (!item.watch || item.score === null) return controls.render(item);
  if (practice.isOn) return judgePractice();
  submit(item, input);
}

function skip(item, reason) {
  if (!item || item !== current()) return;
  Object.assign(item, { watch: "", score: null, skipReason: reason, inputs: { skip: "menu" } });
  submit(item, "menu");
}

function submit(item, input) {
  $("note").hidden = true; // it was for this photo
  const body = answerBody(item, { input, zoomed: zoom.milliseconds, shown: deck.shownSize });
  outbox.add(`${config.api}/annotations`, body);
  item.hint = answerHints.hint(item);
  if (revising < 0) moveOn(item);
  item.reveal = null;
  next();
  status.announce(`${saying(item)} for photo ${item.lease.name}. ${item.hint}`);
}

// The item was answered for the first time.
function moveOn(item) {
  answered.push(item);
  if (answered.length > REMEMBERED) answered.shift();
  fresh = null;
  status.count(item.skipReason);
  leases.markAnswered(item.lease.image_id);
  if (answered.length > KEPT_DECODED) deck.forget(answered.at(-KEPT_DECODED - 1).lease);
  dueBreak = breakClock.answered();
  if (dueBreak) pause("break");
}

function undo() {
  const index = revising >= 0 ? revising - 1 : answered.length - 1;
  if (index < 0 || paused || practice.isOn) return;
  revising = index;
  if (answered[index].hint) answerHints.takenBack(answered[index].watch);
  answered[index].inputs = {};
  status.announce("Back to an earlier photo.");
  showCurrent();
}

// --- Pauses -----------------------------------------------------------------------------------------

// Every answer is in the log; what is not answered goes back to the others.
function pause(why) {
  paused = why;
  revising = -1;
  fresh = null;
  leases.giveBack();
}

function goOn() {
  paused = "";
  leases.emptyBecause = "";
  next();
}

// Returns whether the person had been away: then the key or click only calls photos back.
function wake() {
  presence.back();
  if (paused !== "away") return false;
  goOn();
  return true;
}

presence.addEventListener("away", () => {
  pause(paused || "away");
  if (!practice.isOn) showCurrent();
});

// --- Practice ---------------------------------------------------------------------------------------

function judgePractice() {
  controls.render(practice.item);
  practice.judge();
}

practice.addEventListener("change", showCurrent);
practice.addEventListener("judged", ({ detail }) => {
  status.announce(detail.words);
  if (detail.isLast && !paused) leases.refill(); // the photos that count load while the last words are read
});
practice.addEventListener("end", () => {
  next();
  note("From here on your answers count");
});
$("practise")?.addEventListener("click", () => {
  $("help").close();
  practice.start();
});

// --- Controls ---------------------------------------------------------------------------------------

function renderStrip() {
  if (practice.isOn) return answerBar.practising(practice.place);
  const canUndo = !paused && revising !== 0 && answered.length > 0;
  answerBar.render({ item: current(), revising: revising >= 0, last: answered.at(-1), canUndo });
}

function openDialog(dialog) {
  if (document.querySelector("dialog[open]")) return;
  dialog.returnValue = "";
  dialog.showModal();
}

const actions = {
  watch: (value, input) => choose("watch", value, input),
  score: (value, input) => choose("score", value, input),
  digit: () => current() && !practice.isJudged && controls.beginNumber(),
  undo,
  keep: () => (practice.isJudged ? practice.next() : revising >= 0 && next()),
  leave: () => (zoom.isOn ? zoom.leave() : revising >= 0 && next()),
  skip: () => {
    skipping = current();
    if (practice.isOn) return practice.isJudged ? practice.next() : skipping && judgePractice();
    if (skipping) openDialog($("skip"));
  },
  zoom: () => toggleZoom(gestures.pointer),
  pan: (direction) => zoom.step(direction),
  help: () => openDialog($("help")),
};

function swiped(direction) {
  if (direction === "up") actions.skip();
  else choose("watch", direction === "right" ? "yes" : "no", "swipe");
}

addEventListener("keydown", (event) => {
  if (wake() || paused || document.querySelector("dialog[open]")) return;
  const [action, value] = keys.actionOf(event) ?? [];
  if (!action || (action === "pan" && !zoom.isOn)) return;
  const isDone = actions[action](value, "keys");
  if (action !== "digit" || !isDone) event.preventDefault(); // else the digit itself lands in the field
});

document.querySelector(".controls").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || wake()) return;
  const input = inputOf(event);
  if (event.pointerType) button.blur(); // the next Space skips, it does not press the button again
  if (button.dataset.watch) choose("watch", button.dataset.watch, input);
  if (button.dataset.score) choose("score", Number(button.dataset.score), input);
  if (button.id === "undo") undo();
  if (button.id === "skip-open") actions.skip();
});

$("skip").addEventListener("keydown", (event) => {
  const reason = $("skip").querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!reason) return;
  event.stopPropagation(); // the digit is not a score for the next photo
  event.preventDefault();
  reason.click();
});
$("skip").addEventListener("close", () => $("skip").returnValue && skip(skipping, $("skip").returnValue));
$("help").addEventListener("close", () => localStorage.setItem(`iqs-instructions:${config.slug}`, config.instructions));
for (const id of ["help", "safety"]) {
  $(id).addEventListener("close", () => {
    if (current()?.shownAt) current().shownAt = performance.now(); // reading is not judging
  });
}
$("help-open").addEventListener("click", actions.help);
$("zoom").addEventListener("click", (event) => {
  toggleZoom(null);
  if (event.pointerType) $("zoom").blur();
});
$("stage").addEventListener("click", wake);

// --- Background -------------------------------------------------------------------------------------

leases.addEventListener("change", () => {
  status.claimFailed(leases.error);
  if (paused) return leases.giveBack(); // they were on their way when the pause began
  if (practice.isOn || current()) return;
  if (leases.isEmpty) showNothing();
  else next();
});

outbox.addEventListener("receipt", async ({ detail }) => {
  leases.forget(detail.image_id);
  const isWaiting = !paused && !practice.isOn;
  if (isWaiting && (!current() || leases.error || leases.emptyBecause)) leases.refill(); // the reason may be another now
  const item = answered.at(-1);
  if (config.mode !== "reveal" || detail.skip_reason || item?.lease.image_id !== detail.image_id) return;
  item.reveal = await fetchReveal(config.api, detail.image_id);
  if (answered.at(-1) === item) renderStrip();
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden && current()) current().wasAway = true;
  if (!document.hidden) outbox.send();
});
addEventListener("online", () => isBroken && current() && showCurrent());
addEventListener("pageshow", (event) => event.persisted && location.reload()); // its photos went back when it was left
addEventListener("beforeunload", (event) => !outbox.isLasting && outbox.pending && event.preventDefault());

if (localStorage.getItem(`iqs-instructions:${config.slug}`) !== config.instructions) openDialog($("help"));
await outbox.load();
if (config.practise && !practice.wasLeft) practice.start();
else leases.refill();
request(`${config.api}/progress`).then(status.total, () => {});
