// Uploads files in pieces, a few files at a time, then opens the page of the import.
// The server checks every file. This page only sends bytes, and sends them again after network errors.

import { gettext } from "./texts.js";

const PARALLEL = 4;
const ATTEMPTS = 6; // for each piece, with growing pauses: about a minute in total

const MAX_NAME = 8000; // characters of a header, the limit of common servers
const LOGGED_OUT = gettext("You are logged out. The uploaded files are kept.");

const root = document.getElementById("upload");
const pieceBytes = Number(root.dataset.pieceBytes);
const byId = (id) => document.getElementById(id);

const waiting = []; // {file, path, number}
let urls = null; // addresses for this upload, from the server
let uploaders = 0;
let stopped = false;
const total = { files: 0, bytes: 0 };
const sent = { files: 0, refused: 0, bytes: 0, began: 0 };

// Read from the cookie, not from the page, because a new login in another tab changes the token.
// Its name differs between instances on one host.
const csrfToken = () => document.cookie.match(`(?:^|; )${document.body.dataset.csrfCookie}=([^;]+)`)?.[1] ?? "";

// A long path does not fit into an address, so it is sent in a header. Half a UTF-16 pair cannot be sent at all.
const nameHeader = (path) => encodeURIComponent(path.replace(/[\ud800-\udfff]/gu, "\ufffd"));

function request(method, url, body, onProgress, headers = {}) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open(method, url);
    xhr.setRequestHeader("x-csrftoken", csrfToken());
    if (body) xhr.setRequestHeader("content-type", "application/octet-stream");
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.timeout = 120_000;
    if (onProgress) xhr.upload.onprogress = (event) => onProgress(event.loaded);
    xhr.onload = () => {
      let answer = {};
      try { answer = JSON.parse(xhr.responseText); } catch { /* it is a page, not JSON */ }
      resolve({ status: xhr.status, url: xhr.responseURL, answer });
    };
    xhr.onerror = xhr.ontimeout = () => reject(new Error(gettext("The server does not answer.")));
    xhr.send(body ?? null);
  });
}

const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

/** The upload cannot continue. */
class UploadStopped extends Error {}

/** Send one piece until the server has it. Returns {offset} of the next piece, or {refusal} with a sentence. */
async function sendPiece(item, offset, onProgress) {
  const end = Math.min(offset + pieceBytes, item.file.size);
  const headers = { "x-file-name": nameHeader(item.path) };
  if (headers["x-file-name"].length > MAX_NAME) return { refusal: gettext("Its path is too long. Import its folder by itself.") };
  const query = new URLSearchParams({ number: item.number, size: item.file.size, offset });
  for (let attempt = 1; ; attempt += 1) {
    if (stopped) throw new UploadStopped("");
    let reply = null;
    try {
      reply = await request("PUT", `${urls.file_url}?${query}`, item.file.slice(offset, end), onProgress, headers);
    } catch (error) {
      if (attempt === ATTEMPTS) throw new UploadStopped(gettext("%(message)s You can still import the uploaded files.", { message: error.message }));
    }
    if ([401, 403].includes(reply?.status) || (reply && !reply.url.includes(urls.file_url))) { // redirected to the login page, or a new login
      throw new UploadStopped(LOGGED_OUT);
    }
    if (reply?.status === 200) return { offset: end };
    if (reply?.status === 409) return { offset: reply.answer.offset };
    if (reply?.status === 422) return { refusal: reply.answer.detail };
    if (reply && reply.status < 500 && ![408, 425, 429].includes(reply.status)) throw new UploadStopped(reply.answer.detail ?? gettext("The server refused the file (status %(status)s).", { status: reply.status }));
    if (reply?.status === 507) throw new UploadStopped(reply.answer.detail);
    if (attempt === ATTEMPTS) throw new UploadStopped(reply ? gettext("The server failed (status %(status)s).", { status: reply.status }) : gettext("The server does not answer."));
    await pause(500 * 2 ** attempt);
  }
}

async function sendFile(item) {
  const line = document.createElement("li");
  const name = document.createElement("span");
  const bar = document.createElement("progress");
  name.textContent = item.path;
  bar.max = Math.max(1, item.file.size);
  bar.value = 0;
  bar.setAttribute("aria-label", item.path);
  line.append(name, bar);
  byId("active").append(line);
  let counted = 0; // bytes of this file in sent.bytes
  const count = (bytes) => {
    sent.bytes += bytes - counted;
    counted = bytes;
    bar.value = bytes;
    showProgress();
  };
  try {
    let offset = 0;
    do {
      const from = offset;
      const outcome = await sendPiece(item, from, (loaded) => count(Math.min(from + loaded, item.file.size)));
      if (outcome.refusal) {
        showRefusal(item.path, outcome.refusal);
        break;
      }
      offset = outcome.offset;
      count(offset);
    } while (offset < item.file.size);
    sent.files += 1;
    count(item.file.size);
  } finally {
    line.remove();
  }
}

function showRefusal(path, reason) {
  sent.refused += 1;
  byId("refused").hidden = false;
  const line = document.createElement("li");
  line.textContent = `${path}: ${reason}`;
  byId("refusals").append(line);
}

const megabytes = (bytes) => `${(bytes / 1e6).toLocaleString("en-GB", { maximumFractionDigits: bytes < 1e7 ? 1 : 0 })} MB`;

function showProgress() {
  const seconds = (performance.now() - sent.began) / 1000;
  const rate = sent.bytes / Math.max(seconds, 0.1);
  byId("overall").max = Math.max(1, total.bytes);
  byId("overall").value = sent.bytes;
  byId("files").textContent = gettext("%(files)s of %(files_2)s files, %(megabytes)s of %(megabytes_2)s", {
    files: sent.files.toLocaleString("en-GB"), files_2: total.files.toLocaleString("en-GB"),
    megabytes: megabytes(sent.bytes), megabytes_2: megabytes(total.bytes),
  });
  const left = Math.ceil((total.bytes - sent.bytes) / Math.max(rate, 1));
  byId("rate").textContent = seconds > 2 ? gettext("%(megabytes)s/s, about %(left)s s left", { megabytes: megabytes(rate), left }) : "";
}

function stop(sentence) {
  stopped = true;
  window.removeEventListener("beforeunload", warnBeforeLeaving);
  byId("upload-heading").textContent = gettext("Upload stopped");
  byId("problem").replaceChildren(sentence, " ");
  if (urls) {
    const link = document.createElement("a");
    link.href = urls.page_url;
    link.textContent = gettext("Import the uploaded files, or discard it");
    byId("problem").append(link);
  }
  byId("problem").hidden = false;
  byId("cancel").hidden = true;
}

const warnBeforeLeaving = (event) => event.preventDefault();

async function uploadWaiting() {
  while (waiting.length && !stopped) await sendFile(waiting.shift());
}

/** Upload up to PARALLEL files at once. The last uploader to end finishes the upload. */
function startUploaders() {
  while (uploaders < Math.min(PARALLEL, uploaders + waiting.length)) {
    uploaders += 1;
    uploadWaiting().catch(fail).finally(() => {
      uploaders -= 1;
      if (!uploaders && !waiting.length && !stopped) finish().catch(fail);
    });
  }
}

async function begin() {
  byId("progress").hidden = false;
  sent.began = performance.now();
  window.addEventListener("beforeunload", warnBeforeLeaving);
  const reply = await request("POST", root.dataset.startUrl);
  if (!reply.answer.file_url) throw new UploadStopped(reply.answer.detail ?? gettext("The server did not start the upload. Reload the page and log in again."));
  urls = reply.answer;
  startUploaders();
}

async function finish() {
  stopped = true; // files that are added now come too late
  byId("upload-heading").textContent = gettext("Uploaded. Starting the import…");
  byId("cancel").hidden = true;
  const reply = await request("POST", urls.finish_url);
  // The campaign's address may have changed during the upload, so only the part behind it counts.
  if (!reply.url.endsWith(urls.page_url.slice(urls.page_url.indexOf("/imports/")))) throw new UploadStopped(LOGGED_OUT);
  window.removeEventListener("beforeunload", warnBeforeLeaving);
  location.assign(urls.page_url);
}

function fail(error) {
  if (byId("problem").hidden) stop(error.message);
}

function add(files) {
  const wanted = files.filter(({ path }) => !path.split("/").some((name) => name.startsWith(".")));
  if (!wanted.length || stopped) return;
  wanted.sort((one, other) => (one.path < other.path ? -1 : 1));
  for (const { file, path } of wanted) {
    waiting.push({ file, path, number: total.files });
    total.files += 1;
    total.bytes += file.size;
  }
  if (urls) startUploaders();
  else if (total.files === wanted.length) begin().catch(fail); // these are the first files; otherwise the upload is starting already
  showProgress();
}

/** Return the files of a dropped file or folder, with their paths below it. */
async function entryFiles(entry, prefix) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => { entry.file(resolve, reject); });
    return [{ file, path: prefix + entry.name }];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) { // a reader returns at most 100 entries at a time
    const entries = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!entries.length) return found;
    for (const below of entries) found.push(...await entryFiles(below, `${prefix}${entry.name}/`));
  }
}

for (const id of ["choose-files", "choose-folder"]) {
  byId(id).addEventListener("change", (event) => {
    add([...event.target.files].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
    event.target.value = "";
  });
}
const drop = byId("drop");
for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
drop.addEventListener("dragleave", (event) => { if (!drop.contains(event.relatedTarget)) drop.classList.remove("over"); });
drop.addEventListener("drop", async (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  // Read the entries before the first await: the browser clears them afterwards.
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const loose = entries.length ? [] : [...event.dataTransfer.files].map((file) => ({ file, path: file.name }));
  const nested = await Promise.all(entries.map((entry) => entryFiles(entry, "")));
  add([...loose, ...nested.flat()]);
});
byId("cancel").addEventListener("click", () => stop(gettext("You stopped the upload.")));
