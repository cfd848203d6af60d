// The page without a connection: says how many answers wait in this browser, and goes on when the server answers.

import { openAnswerLog } from "./annotate/answer_log.js";

const ASK_EVERY = 10_000; // milliseconds
const NOBODY = 0; // no user has this id, so the answers of all people count as those of others

const $ = (id) => document.getElementById(id);

async function tryAgain() {
  try {
    const response = await fetch($("main").dataset.health, { cache: "no-store" });
    if (response.ok) location.reload();
  } catch {
    // still no connection
  }
}

async function showWaiting() {
  const count = await (await openAnswerLog()).waitingOfOthers(NOBODY);
  if (!count) return;
  const { one, many } = $("waiting").dataset; // the page brings its texts, so that no other file must be kept
  $("waiting").textContent = (count === 1 ? one : many).replace("{count}", count);
  $("waiting").hidden = false;
}

$("again").addEventListener("click", () => location.reload());
addEventListener("online", tryAgain);
document.addEventListener("visibilitychange", () => document.hidden || tryAgain());
setInterval(tryAgain, ASK_EVERY);
await showWaiting();
