// Sends photos when they are chosen or dropped, and shows a notice when the results cannot be updated.

import { gettext } from "./texts.js";

const form = document.getElementById("try-model");
const input = document.getElementById("photos");
const refusal = document.getElementById("refusal");
const text = document.getElementById("drop-text");
const notice = document.getElementById("not-live");

document.documentElement.classList.add("js"); // hides the button, which only browsers without scripts need

/** Return why the server would refuse the files, or "", so that they need not be sent first. */
function refusalOf(files) {
  const most = Number(form.dataset.mostFiles);
  if (files.length > most) return gettext("%(files)s files are more than the %(most)s allowed at once.", { files: files.length, most });
  const megabytes = [...files].reduce((sum, file) => sum + file.size, 0) / 1024 ** 2;
  const total = Number(form.dataset.totalMegabytes);
  if (megabytes > total) return gettext("The photos have %(ceil)s MB. At most %(total)s MB are allowed at once.", { ceil: Math.ceil(megabytes), total });
  return "";
}

function send() {
  if (!input.files.length) return;
  refusal.textContent = refusalOf(input.files);
  refusal.hidden = !refusal.textContent;
  if (refusal.textContent) {
    input.value = "";
    return;
  }
  text.textContent = input.files.length === 1 ? gettext("Sending the photo…") : gettext("Sending %(files)s photos…", { files: input.files.length });
  form.requestSubmit();
}

input.addEventListener("change", send);
send(); // photos that were chosen before this script ran

for (const name of ["dragenter", "dragover"]) {
  form.addEventListener(name, (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) form.addEventListener(name, () => form.classList.remove("over"));
form.addEventListener("drop", (event) => {
  event.preventDefault();
  if (!event.dataTransfer.files.length) return;
  input.files = event.dataTransfer.files;
  send();
});

// After the back button: the page may still show "Sending…".
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

if (notice) {
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.addEventListener(name, () => { notice.hidden = false; });
  }
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.isError) return;
    notice.hidden = true;
    const answer = event.detail.serverResponse;
    if (!answer.includes("<form") && !answer.includes("<html")) return;
    event.detail.shouldSwap = false; // the session has ended: the request was redirected to the login page
    location.reload();
  });
}
