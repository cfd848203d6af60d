// The annotate page: shows one photo, takes two answers, then shows the next photo at once.
// An *item* is a lease with the person's answers: {lease, watch, score, skipReason, inputs, shownAt, …}.

import { answerBody, answerText, millisecondsShown } from "./answer.js";
import { AnswerBar } from "./answer_bar.js";
import { AnswerHints } from "./answer_hints.js";
import { openAnswerLog } from "./answer_log.js";
import { BreakClock } from "./break_clock.js";
import { CommentBox } from "./comment_box.js";
import { Controls, inputOf } from "./controls.js";
import { EndScreen } from "./end_screen.js";
import { GLANCE_WORDS, Glance } from "./glance.js";
import { HelpDialog } from "./help_dialog.js";
import { KeySettings } from "./key_settings.js";
import { Keys } from "./keys.js";
import { LastAnswers } from "./last_answers.js";
import { Leases } from "./leases.js";
import { Note } from "./note.js";
import { Outbox } from "./outbox.js";
import { PhotoBuffer } from "./photo_buffer.js";
import { PhotoDeck } from "./photo_deck.js";
import { Practice } from "./practice.js";
import { Presence } from "./presence.js";
import { ProgressPanel } from "./progress_panel.js";
import { fetchReveal } from "./reveal.js";
import { SafetyPanel } from "./safety_panel.js";
import { Session } from "./session.js";
import { SkipMenu } from "./skip_menu.js";
import { StageCard, cards } from "./stage_card.js";
import { StatusLine } from "./status_line.js";
import { Swipe } from "./swipe.js";
import { Zoom } from "./zoom.js";
import { ZoomControls } from "./zoom_controls.js";
import { gettext } from "../texts.js";
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
const note = new Note(status);
const buffer = new PhotoBuffer(config);
const leases = new Leases({ ...config, ...loading, buffer, unsentIds: () => outbox.imageIds });
const practice = new Practice(config, loading);
const keys = new Keys(config.keyBindings, config.scoreKeys);
const zoom = new Zoom($("photo"));
const swipe = new Swipe($("photo"), onSwipe);
const isShown = () => Boolean(current()?.shownAt) && !isBroken;
const zoomControls = new ZoomControls({ zoom, keys, note, isShown, frame: $("photo"), swipe });
const card = new StageCard();
const controls = new Controls(config, choose);
const answerBar = new AnswerBar(keys, next);
const answerHints = new AnswerHints(config);
const breakClock = new BreakClock(config.campaign, config.breakMinutes);
const presence = new Presence();
const glance = new Glance();
const session = new Session(config);
const progress = new ProgressPanel({ session, buffer, leases, outbox, config });
const endScreen = new EndScreen(config, () => !$("empty").hidden && !current() && showEmpty());
const help = new HelpDialog(config);
const comments = new CommentBox(outbox, config, ({ lease }) => note.show(gettext("Comment on %(name)s sent to the admins", { name: lease.name })));
const skipMenu = new SkipMenu(skip, (item) => comments.open(item));
const lastAnswers = new LastAnswers(config, { answered: () => answered, open: revise });
new KeySettings(keys, config.keysUrl);
new SafetyPanel(outbox, config);

const answered = []; // items in the order of their answers
let unanswered = null; // the item that waits for its first answer
let revised = null; // the item that is shown again, or null
let isBroken = false; // the photo on the stage could not be loaded
let paused = ""; // "away" or "break": the page holds no photos
let breakDue = null; // {minutes, count} of the rating time before the current break
let retryTimer = 0;

const isRevising = () => revised !== null;
const current = () => (practice.isOn ? practice.item : (revised ?? unanswered));

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
  const hasPhoto = await deck.show(item.lease, () => current() === item);
  if (current() !== item) return;
  setLoading(false);
  if (!hasPhoto) return showBroken(item);
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
  if (practice.result) return cards.practiceDone(practice.result, () => practice.finish());
  if (practice.isOn) return practice.error && cards.practiceFailed(practice.error, () => practice.start());
  if (paused === "break") return cards.breakDue(breakDue, leases.isKept, resume);
  if (paused === "away") return cards.away();
  if (!leases.error && !leases.emptyBecause) return null;
  endScreen.ask();
  return endScreen.card(leases, progress.total, () => leases.refill());
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
  revised = null;
  if (!unanswered && !paused) {
    const lease = leases.take();
    unanswered = lease && { lease, watch: "", score: null, skipReason: "", inputs: {} };
  }
  showCurrent();
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

function skip(item, reason, comment) {
  if (!item || item !== current()) return;
  comments.send(item, comment);
  Object.assign(item, { watch: "", score: null, skipReason: reason, inputs: { skip: "menu" } });
  submit(item, "menu");
}

function submit(item, input) {
  note.hide(); // it was about this photo
  const body = answerBody(item, { input, zoom, shown: deck.shownSize, scale: [config.lowest, config.highest] });
  outbox.add(`${config.api}/annotations`, body);
  item.hint = answerHints.hint(item);
  const words = isRevising() ? "" : recordFirstAnswer(item);
  item.reveal = null;
  next();
  status.announce(gettext("%(answer_text)s for photo %(name)s. %(hint)s", { answer_text: answerText(item), name: item.lease.name, hint: item.hint }));
  if (words) note.show(words, 4_000);
}

// Returns words to show for a moment, or "".
function recordFirstAnswer(item) {
  const milliseconds = item.wasAway ? null : millisecondsShown(item);
  const isGoalReached = session.count(item.skipReason, milliseconds);
  const isQuick = glance.answered(item.skipReason ? null : milliseconds);
  answered.push(item);
  if (answered.length > MAX_UNDO) answered.shift();
  unanswered = null;
  progress.answered();
  leases.markAnswered(item.lease.image_id);
  if (answered.length > KEPT_DECODED) deck.forget(answered.at(-KEPT_DECODED - 1).lease);
  breakDue = breakClock.answered();
  if (breakDue) pause("break");
  if (isGoalReached) return gettext("Goal reached: %(goal)s photos. Well done! Go on as long as you like.", { goal: session.goal });
  return isQuick ? GLANCE_WORDS : "";
}

function undo() {
  const index = isRevising() ? answered.indexOf(revised) - 1 : answered.length - 1;
  if (index >= 0) revise(answered[index]);
}

// Shows an answered item again. The present photo waits, with what was chosen for it.
function revise(item) {
  if (paused || practice.isOn) return;
  revised = item;
  if (item.hint) answerHints.reset();
  item.inputs = {};
  status.announce(gettext("Back to an earlier photo."));
  showCurrent();
}

// --- Pauses -----------------------------------------------------------------------------------------

// Every answer is in the log. The photos without an answer go back to the queue, unless the person has loaded them for
// work without a connection.
function pause(reason) {
  paused = reason;
  revised = null;
  if (leases.isKept) return;
  unanswered = null;
  leases.giveBack();
}

function resume() {
  paused = "";
  leases.emptyBecause = leases.emptyKind = "";
  next();
}

// Returns whether the person was away. The key or click then only brings new photos.
function wake() {
  presence.notice();
  if (paused !== "away") return false;
  resume();
  return true;
}

function goAway() {
  if (leases.isKept) return; // without a connection, nothing can go back to the queue
  pause(paused || "away");
  if (!practice.isOn) showCurrent();
}

presence.addEventListener("away", goAway);
addEventListener("online", () => presence.isAway && goAway());

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
  note.show(gettext("Your answers are saved from now on"));
});
$("practise")?.addEventListener("click", () => {
  help.close();
  practice.start();
});

// --- Controls ---------------------------------------------------------------------------------------

function renderAnswerBar() {
  if (practice.isOn) return answerBar.renderPractice(practice.place, practice.result !== null);
  const canUndo = !paused && answered.length > 0 && revised !== answered[0];
  answerBar.render({ item: current(), isRevising: isRevising(), last: answered.at(-1), canUndo });
}

const hasOpenDialog = () => document.querySelector("dialog[open]") !== null;

const actions = {
  watch: (value, input) => choose("watch", value, input),
  score: (value, input) => choose("score", value, input),
  digit: () => current() && !practice.isAnswered && controls.beginNumber(),
  undo,
  keep: () => (practice.isAnswered ? practice.next() : isRevising() && next()),
  leave: () => (zoom.isOn ? zoom.leave() : isRevising() && next()),
  skip: () => {
    const item = current();
    if (practice.isOn) return practice.isAnswered ? practice.next() : item && showExpected();
    if (item && !hasOpenDialog()) skipMenu.open(item);
  },
  comment: () => current() && !practice.isOn && !hasOpenDialog() && comments.open(current()),
  last: () => !practice.isOn && !paused && !hasOpenDialog() && lastAnswers.open(),
  progress: () => !hasOpenDialog() && progress.open(),
  zoom: () => zoomControls.toggle(zoomControls.pointer),
  zoomBy: (direction) => zoomControls.change(direction, zoomControls.pointer),
  pan: (direction) => zoom.step(direction),
  help: () => !hasOpenDialog() && help.open(),
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
  if (button.id === "comment-open") actions.comment();
  if (button.id === "last-open") actions.last();
});

for (const id of ["help", "safety", "progress", "last", "comment"]) {
  $(id).addEventListener("close", () => {
    if (current()?.shownAt) current().shownAt = performance.now(); // do not count the time spent in the dialog
  });
}
// Begin, Close or Cancel is always one Enter away, also when the focus was lost.
document.addEventListener("keydown", (event) => {
  const dialog = document.querySelector("dialog[open]");
  if (dialog && event.key === "Enter" && !dialog.contains(document.activeElement)) dialog.querySelector("[autofocus]")?.click();
});
$("help-open").addEventListener("click", actions.help);
$("session").addEventListener("click", actions.progress);
$("stage").addEventListener("click", wake);

// --- Background -------------------------------------------------------------------------------------

leases.addEventListener("change", () => {
  status.claimFailed(leases.error);
  if (paused) return leases.isKept || leases.giveBack(); // the request was sent before the pause began
  if (practice.isOn || current()) return;
  if (leases.isEmpty) showEmpty();
  else next();
});

outbox.addEventListener("receipt", async ({ detail }) => {
  if (detail.text !== undefined) return; // of a comment
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

help.openIfNew();
await outbox.load();
progress.ask();
if (config.practise && !practice.wasLeft) practice.start();
else leases.refill();
