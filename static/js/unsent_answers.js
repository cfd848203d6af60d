// On the list of campaigns: sends the person's answers that wait in this browser. The annotate page does so too, but a
// person who is no longer a member of the campaign cannot open it.

import { saveAnswers } from "./annotate/answer_file.js";
import { openAnswerLog } from "./annotate/answer_log.js";
import { Outbox } from "./annotate/outbox.js";
import { gettext, ngettext } from "./texts.js";

const $ = (id) => document.getElementById(id);
const counted = (number) => ngettext("%(n)s answer of yours waits", "%(n)s answers of yours wait", number);

const notice = $("unsent");
const outbox = new Outbox(await openAnswerLog(), { annotator: Number(notice.dataset.annotator), campaign: null });

function text() {
  const { pending, refused, state, message } = outbox;
  if (refused.length) return ngettext("The server refused it: %(reason)s", "The server refused %(n)s: %(reason)s", refused.length, { reason: refused[0].refused });
  if (state === "login") return message || gettext("Log in again to send.");
  if (state === "offline") return gettext("The server cannot be reached. This page tries again automatically.");
  return pending ? gettext("Sending…") : "";
}

function render() {
  const number = outbox.waiting.length;
  if (!number) {
    if (!notice.hidden) $("unsent-text").textContent = gettext("All answers from this browser are on the server.");
    for (const id of ["unsent-again", "unsent-save"]) $(id).hidden = true;
    return;
  }
  notice.hidden = false;
  $("unsent-text").textContent = gettext("%(counted)s in this browser. %(text)s", { counted: counted(number), text: text() });
  $("unsent-again").hidden = !outbox.refused.length;
  $("unsent-save").hidden = false;
}

$("unsent-again").addEventListener("click", () => outbox.sendRefused());
$("unsent-save").addEventListener("click", () => saveAnswers(outbox.waiting));
outbox.addEventListener("change", render);
await outbox.load();
