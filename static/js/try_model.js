// Sends photos when they are chosen, taken or dropped, and puts their results above the earlier ones.

import { gettext } from "./texts.js";

const form = document.getElementById("try-model");
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

function refuse(sentence) {
  const refusal = document.getElementById("refusal"); // the server's refusal replaces it
  refusal.textContent = sentence;
  refusal.hidden = !sentence;
}

if (form) {
  const input = document.getElementById("photos");
  const camera = document.getElementById("camera");
  const text = document.getElementById("drop-text");
  const invitation = text.textContent;

  const send = () => {
    if (!input.files.length) return;
    const why = refusalOf(input.files);
    refuse(why);
    if (why) {
      input.value = "";
      return;
    }
    text.classList.remove("idle");
    text.textContent = input.files.length === 1 ? gettext("Sending the photo…") : gettext("Sending %(files)s photos…", { files: input.files.length });
    form.requestSubmit();
  };
  const sendOf = (files) => {
    if (!files.length) return;
    input.files = files;
    send();
  };

  input.addEventListener("change", send);
  camera.addEventListener("change", () => { sendOf(camera.files); camera.value = ""; });
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
    sendOf(event.dataTransfer.files);
  });

  form.addEventListener("htmx:xhr:progress", ({ detail }) => {
    if (detail.lengthComputable && detail.loaded < detail.total) {
      text.textContent = gettext("Sending… %(percent)s %", { percent: Math.floor((100 * detail.loaded) / detail.total) });
    }
  });
  form.addEventListener("htmx:afterRequest", ({ detail, target }) => {
    if (target !== form) return;
    input.value = ""; // so that the same photo can be sent again
    text.textContent = invitation;
    text.classList.add("idle");
    if (detail.successful) form.classList.add("compact");
  });
  // Say the end of a job to people who do not see the page.
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    const job = document.getElementById(detail.requestConfig.elt.id);
    if (!job?.matches(".job:not([hx-get])")) return;
    const verdicts = [...job.querySelectorAll(".scored")].map((one) => `${one.querySelector("h2").textContent}: ${one.querySelector(".badge").textContent}`);
    document.getElementById("said").textContent = verdicts.join(", ");
  });
}

// After the back button: the page may still show "Sending…".
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

if (notice) {
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, () => { notice.hidden = false; });
  }
  document.addEventListener("htmx:responseError", (event) => { notice.hidden = event.target === form; });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { detail } = event;
    const answer = detail.serverResponse;
    if (detail.isError && detail.requestConfig.elt === form) {
      if (answer.trimStart().startsWith('<div id="refusal"')) {
        Object.assign(detail, { shouldSwap: true, isError: false, target: document.getElementById("refusal"), swapOverride: "outerHTML" });
      } else {
        refuse(gettext("The server refused the photos (status %(status)s). Try again.", { status: detail.xhr.status }));
      }
      return;
    }
    if (detail.isError) return;
    notice.hidden = true;
    if (!answer.includes("<form") && !answer.includes("<html")) return;
    detail.shouldSwap = false; // the session has ended: the request was redirected to the login page
    location.reload();
  });
}
