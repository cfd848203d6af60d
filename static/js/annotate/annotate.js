// The annotate page: shows one photo, takes two answers, then shows the next photo at once.
// An *item* is a lease with the person's answers: {lease, watch, score, skipReason, inputs, shownAt, …}.

import { answerBody, answerText } from "./answer.js";
import { AnswerBar } from "./answer_bar.js";
import { AnswerHints } from "./answer_hints.js";
import { openAnswerLog } from "./answer_log.js";
import { request } from "./api.js";
import { BreakClock } from "./break_clock.js";
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
import { Swipe } from "./swipe.js";
import { Zoom } from "./zoom.js";

const RETRY_EMPTY = 10_000; // milliseconds between two requests for photos while there are none
const MAX_UNDO = 50; // answered photos that undo can reach
const KEPT_DECODED = 3; // answered photos that stay decoded, so that undo shows them at once
const PREDICTION_TIMEOUT = 2_000; // milliseconds that a photo waits for the prediction to show with it

const $ = (id) => document.getElementById(id);
const config = JSON.parse($("config").textContent);
const deck = new PhotoDeck($("photo"), $("next-photo"));
const loading = { prepare: (lease) => deck.prepare(lease), drop: (lease) => deck.forget(lease) };
const outbox = new Outbox(await openAnswerLog(), config);
const status = new StatusLine(outbox);
const leases = new Leases({ ...config, ...loading, unsentIds: () => outbox.imageIds });
const practice = new Practice(config, loading);
const keys = new Keys(config.keyBindings, config.scoreKeys);
const zoom = new Zoom($("photo"));
const swipe = new Swipe($("photo"), onSwipe);
const gestures = new Gestures($("photo"), { zoom, swipe, toggle: toggleZoom });
const card = new StageCard();
const controls = new Controls(config, choose);
const answerBar = new AnswerBar(keys, next);
const answerHints = new AnswerHints(config);
const breakClock = new BreakClock(config.campaign, config.breakMinutes);
const presence = new Presence();
new KeySettings(keys, config.keysUrl);
new SafetyPanel(outbox, config);

const answered = []; // items in the order of their answers
let unanswered = null; // the item that waits for its first answer
let revisedIndex = -1; // index in `answered` of the item that is shown again, or -1
let itemToSkip = null; // the item for which the skip menu is open
let isBroken = false; // the photo on the stage could not be loaded
let paused = ""; // "away" or "break": the page holds no photos
let breakDue = null; // {minutes, count} of the rating time before the current break
let retryTimer = 0;
let noteTimer = 0;

const isRevising = () => revisedIndex >= 0;
const current = () => (practice.isOn ? practice.item : isRevising() ? answered[revisedIndex] : unanswered);

// --- The stage --------------------------------------------------------------------------------------

async function showCurrent() {
  const item = current();
  zoom.leave();
  swipe.cancel();
  controls.render(item);
  controls.enable();
  renderAnswerBar();
  card.hide();
  clearTimeout(retryTimer);
  if (!item) return showEmpty();
  item.shownAt = null;
  isBroken = false;
  setLoading(!item.lease.isReady);
  if (item.lease.show_prediction && !isRevising() && !item.reveal) {
    deck.clear(); // the photo and its prediction appear together
    await loadPrediction(item);
    if (current() !== item) return;
  }
  const isShown = await deck.show(item.lease, () => current() === item);
  if (current() !== item) return;
  setLoading(false);
  if (!isShown) return showBroken(item);
  zoom.fit();
  item.shownAt = performance.now();
  item.wasAway = document.hidden;
  if (item.lease.show_prediction) renderAnswerBar();
}

function setLoading(isLoading) {
  $("loading").hidden = !isLoading;
  $("stage").setAttribute("aria-busy", String(isLoading));
}

function loadPrediction(item) {
  const loaded = fetchReveal(config.api, item.lease.image_id).then((reveal) => {
    item.reveal = reveal;
    if (current() === item) renderAnswerBar(); // also after the timeout
  });
  return Promise.race([loaded, new Promise((resolve) => setTimeout(resolve, PREDICTION_TIMEOUT))]);
}

function showEmpty() {
  deck.clear();
  const content = emptyCard();
  setLoading(!content);
  if (!content) return;
  controls.disable();
  card.show(content);
  if (!paused && !practice.isOn) retryTimer = setTimeout(() => leases.refill(), RETRY_EMPTY);
}

// Returns the card that says why there is no photo, or null while photos are being loaded.
function emptyCard() {
  if (practice.isOn) return practice.error && cards.practiceFailed(practice.error, () => practice.start());
  if (paused === "break") return cards.breakDue(breakDue, resume);
  if (paused === "away") return cards.away();
  if (!leases.error && !leases.emptyBecause) return null;
  return cards.noPhotos(leases, () => leases.refill());
}

async function showBroken(item) {
  isBroken = true;
  deck.clear();
  controls.disable({ canSkip: true });
  card.show(cards.broken(showCurrent));
  // A photo that was withdrawn is no longer leased: go on with the next one.
  if (item !== unanswered || (await leases.isLive(item.lease)) || current() !== item || !isBroken) return;
  leases.remove(item.lease);
  unanswered = null;
  next();
}

function next() {
  revisedIndex = -1;
  if (!unanswered && !paused) {
    const lease = leases.take();
    unanswered = lease && { lease, watch: "", score: null, skipReason: "", inputs: {} };
  }
  showCurrent();
}

function toggleZoom(point) {
  if (!current()?.shownAt || isBroken) return;
  if (zoom.isOn) {
    zoom.leave();
    return status.announce("The photo fits the screen.");
  }
  if (!zoom.enter(point)) return showNote("This photo is already shown at 100 %");
  showNote(matchMedia("(pointer: coarse)").matches ? "100 % · drag to pan, double-tap to fit" : `100 % · drag or arrow keys to pan, ${keys.nameOf("zoom")} to fit`);
}

// Shows a few words on the stage for a moment.
function showNote(words) {
  status.announce(words);
  $("note").textContent = words;
  $("note").hidden = false;
  clearTimeout(noteTimer);
  noteTimer = setTimeout(() => ($("note").hidden = true), 2_500);
}

// --- Answers ----------------------------------------------------------------------------------------

function choose(kind, value, input) {
  const item = current();
  if (!item?.shownAt || isBroken || practice.isAnswered) return;
  const typed = kind === "watch" ? controls.typedScore : null;
  if (typed !== null) {
    Object.assign(item, { score: typed, inputs: { ...item.inputs, score: "keys" } });
    document.activeElement.blur();
  }
  Object.assign(item, { [kind]: value, inputs: { ...item.inputs, [kind]: input }, skipReason: "" });
  if (!item.watch || item.score === null) return controls.render(item);
  if (practice.isOn) return showExpected();
  submit(item, input);
}

function skip(item, reason) {
  if (!item || item !== current()) return;
  Object.assign(item, { watch: "", score: null, skipReason: reason, inputs: { skip: "menu" } });
  submit(item, "menu");
}

function submit(item, input) {
  $("note").hidden = true; // it was about this photo
  const body = answerBody(item, { input, zoomed: zoom.milliseconds, shown: deck.shownSize, scale: [config.lowest, config.highest] });
  outbox.add(`${config.api}/annotations`, body);
  item.hint = answerHints.hint(item);
  if (!isRevising()) recordFirstAnswer(item);
  item.reveal = null;
  next();
  status.announce(`${answerText(item)} for photo ${item.lease.name}. ${item.hint}`);
}

function recordFirstAnswer(item) {
  answered.push(item);
  if (answered.length > MAX_UNDO) answered.shift();
  unanswered = null;
  status.count(item.skipReason);
  leases.markAnswered(item.lease.image_id);
  if (answered.length > KEPT_DECODED) deck.forget(answered.at(-KEPT_DECODED - 1).lease);
  breakDue = breakClock.answered();
  if (breakDue) pause("break");
}

function undo() {
  const index = isRevising() ? revisedIndex - 1 : answered.length - 1;
  if (index < 0 || paused || practice.isOn) return;
  revisedIndex = index;
  if (answered[index].hint) answerHints.reset();
  answered[index].inputs = {};
  status.announce("Back to an earlier photo.");
  showCurrent();
}

// --- Pauses -----------------------------------------------------------------------------------------

// Every answer is in the log. The photos without an answer go back to the queue.
function pause(reason) {
  paused = reason;
  revisedIndex = -1;
  unanswered = null;
  leases.giveBack();
}

function resume() {
  paused = "";
  leases.emptyBecause = "";
  next();
}

// Returns whether the person was away. The key or click then only brings new photos.
function wake() {
  presence.notice();
  if (paused !== "away") return false;
  resume();
  return true;
}

presence.addEventListener("away", () => {
  pause(paused || "away");
  if (!practice.isOn) showCurrent();
});

// --- Practice ---------------------------------------------------------------------------------------

function showExpected() {
  controls.render(practice.item);
  practice.showExpected();
}

practice.addEventListener("change", showCurrent);
practice.addEventListener("answered", ({ detail }) => {
  status.announce(detail.words);
  if (detail.isLast && !paused) leases.refill(); // load the first photos while the person reads
});
practice.addEventListener("end", () => {
  next();
  showNote("Your answers are saved from now on");
});
$("practise")?.addEventListener("click", () => {
  $("help").close();
  practice.start();
});

// --- Controls ---------------------------------------------------------------------------------------

function renderAnswerBar() {
  if (practice.isOn) return answerBar.renderPractice(practice.place);
  const canUndo = !paused && revisedIndex !== 0 && answered.length > 0;
  answerBar.render({ item: current(), isRevising: isRevising(), last: answered.at(-1), canUndo });
}

function openDialog(dialog) {
  if (document.querySelector("dialog[open]")) return;
  dialog.returnValue = "";
  dialog.showModal();
}

const actions = {
  watch: (value, input) => choose("watch", value, input),
  score: (value, input) => choose("score", value, input),
  digit: () => current() && !practice.isAnswered && controls.beginNumber(),
  undo,
  keep: () => (practice.isAnswered ? practice.next() : isRevising() && next()),
  leave: () => (zoom.isOn ? zoom.leave() : isRevising() && next()),
  skip: () => {
    itemToSkip = current();
    if (practice.isOn) return practice.isAnswered ? practice.next() : itemToSkip && showExpected();
    if (itemToSkip) openDialog($("skip"));
  },
  zoom: () => toggleZoom(gestures.pointer),
  pan: (direction) => zoom.step(direction),
  help: () => openDialog($("help")),
};

function onSwipe(direction) {
  if (direction === "up") actions.skip();
  else choose("watch", direction === "right" ? "yes" : "no", "swipe");
}

addEventListener("keydown", (event) => {
  if (wake() || paused || document.querySelector("dialog[open]")) return;
  const [action, value] = keys.actionOf(event) ?? [];
  if (!action || (action === "pan" && !zoom.isOn)) return;
  const isDone = actions[action](value, "keys");
  if (action !== "digit" || !isDone) event.preventDefault(); // otherwise the browser types the digit into the field
});

document.querySelector(".controls").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || wake()) return;
  const input = inputOf(event);
  if (event.pointerType) button.blur(); // Space then skips the photo; it does not press the button again
  if (button.dataset.watch) choose("watch", button.dataset.watch, input);
  if (button.dataset.score) choose("score", Number(button.dataset.score), input);
  if (button.id === "undo") undo();
  if (button.id === "skip-open") actions.skip();
});

$("skip").addEventListener("keydown", (event) => {
  const reason = $("skip").querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!reason) return;
  event.stopPropagation(); // the digit must not score the next photo
  event.preventDefault();
  reason.click();
});
$("skip").addEventListener("close", () => $("skip").returnValue && skip(itemToSkip, $("skip").returnValue));
const instructionsSeen = () => localStorage.setItem(`iqs-instructions:${config.campaign}`, config.instructions);
$("help").addEventListener("close", () => {
  instructionsSeen();
  $("help-close").textContent = "Close";
});
$("reread")?.addEventListener("submit", instructionsSeen); // the form loads the page again, without closing the dialog
for (const id of ["help", "safety"]) {
  $(id).addEventListener("close", () => {
    if (current()?.shownAt) current().shownAt = performance.now(); // do not count the time spent in the dialog
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
  if (paused) return leases.giveBack(); // the request was sent before the pause began
  if (practice.isOn || current()) return;
  if (leases.isEmpty) showEmpty();
  else next();
});

outbox.addEventListener("receipt", async ({ detail }) => {
  leases.forget(detail.image_id);
  const isWaiting = !paused && !practice.isOn;
  if (isWaiting && (!current() || leases.error || leases.emptyBecause)) leases.refill(); // the reason may have changed
  const item = answered.at(-1);
  if (config.mode !== "reveal" || detail.skip_reason || item?.lease.image_id !== detail.image_id) return;
  item.reveal = await fetchReveal(config.api, detail.image_id);
  if (answered.at(-1) !== item) return;
  if (!item.hint) {
    item.hint = answerHints.unusual(item, item.reveal);
    if (item.hint) status.announce(item.hint);
  }
  renderAnswerBar();
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden && current()) current().wasAway = true;
  if (!document.hidden) outbox.send();
});
addEventListener("online", () => isBroken && current() && showCurrent());
addEventListener("pageshow", (event) => event.persisted && location.reload()); // its photos went back to the queue
addEventListener("beforeunload", (event) => !outbox.isPersistent && outbox.pending && event.preventDefault());

if (localStorage.getItem(`iqs-instructions:${config.campaign}`) !== config.instructions) {
  $("help-close").textContent = "Begin";
  openDialog($("help"));
} else if (location.hash === "#keys") { // from the account page
  openDialog($("help"));
}
await outbox.load();
if (config.practise && !practice.wasLeft) practice.start();
else leases.refill();
request(`${config.api}/progress`).then(status.total, () => {});
