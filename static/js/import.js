// Uploads files in pieces, a few files at a time, then hands over to the import's own page.
// The server judges every file; this page only moves bytes and repeats what the network lost.

const PARALLEL = 4;
const ATTEMPTS = 6; // of one piece, with growing pauses: about a minute in all

const LOGGED_OUT = "You are logged out. What has arrived is kept.";

const root = document.getElementById("upload");
const pieceBytes = Number(root.dataset.pieceBytes);
const part = (id) => document.getElementById(id);

const waiting = []; // {file, path, number}
let urls = null; // of this upload, from the server
let uploaders = 0;
let stopped = false;
const total = { files: 0, bytes: 0 };
const sent = { files: 0, refused: 0, bytes: 0, began: 0 };

// The cookie, not the page: a new login in another tab changes the token.
const csrfToken = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";

function request(method, url, body, onProgress) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open(method, url);
    xhr.setRequestHeader("x-csrftoken", csrfToken());
    if (body) xhr.setRequestHeader("content-type", "application/octet-stream");
    xhr.timeout = 120_000;
    if (onProgress) xhr.upload.onprogress = (event) => onProgress(event.loaded);
    xhr.onload = () => {
      let answer = {};
      try { answer = JSON.parse(xhr.responseText); } catch { /* a page, not JSON */ }
      resolve({ status: xhr.status, url: xhr.responseURL, answer });
    };
    xhr.onerror = xhr.ontimeout = () => reject(new Error("The server does not answer."));
    xhr.send(body ?? null);
  });
}

const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

/** Raised when the whole upload cannot go on. */
class UploadStopped extends Error {}

/** Send one piece until the server has it. Returns the offset to go on from, or a refusal's sentence. */
async function pieceSend(item, offset, onProgress) {
  const end = Math.min(offset + pieceBytes, item.file.size);
  const query = new URLSearchParams({ number: item.number, name: item.path, size: item.file.size, offset });
  for (let attempt = 1; ; attempt += 1) {
    if (stopped) throw new UploadStopped("");
    let reply = null;
    try {
      reply = await request("PUT", `${urls.file_url}?${query}`, item.file.slice(offset, end), onProgress);
    } catch (error) {
      if (attempt === ATTEMPTS) throw new UploadStopped(`${error.message} The files that have arrived can still be imported.`);
    }
    if (reply?.status === 403 || (reply && !reply.url.includes(urls.file_url))) { // led to the login page, or a new login
      throw new UploadStopped(LOGGED_OUT);
    }
    if (reply?.status === 200) return { offset: end };
    if (reply?.status === 409) return { offset: reply.answer.offset };
    if (reply?.status === 422) return { refusal: reply.answer.detail };
    if (reply && reply.status < 500) throw new UploadStopped(reply.answer.detail ?? `The server refused (${reply.status}).`);
    if (reply?.status === 507) throw new UploadStopped(reply.answer.detail);
    if (attempt === ATTEMPTS) throw new UploadStopped(`The server failed (${reply?.status ?? "no answer"}).`);
    await pause(500 * 2 ** attempt);
  }
}

async function fileSend(item) {
  const line = document.createElement("li");
  const name = document.createElement("span");
  const bar = document.createElement("progress");
  name.textContent = item.path;
  bar.max = Math.max(1, item.file.size);
  bar.value = 0;
  bar.setAttribute("aria-label", item.path);
  line.append(name, bar);
  part("active").append(line);
  let counted = 0; // bytes of this file in the sum of all
  const count = (bytes) => {
    sent.bytes += bytes - counted;
    counted = bytes;
    bar.value = bytes;
    progressShow();
  };
  try {
    let offset = 0;
    do {
      const from = offset;
      const outcome = await pieceSend(item, from, (loaded) => count(Math.min(from + loaded, item.file.size)));
      if (outcome.refusal) {
        refusalShow(item.path, outcome.refusal);
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

function refusalShow(path, reason) {
  sent.refused += 1;
  part("refused").hidden = false;
  const line = document.createElement("li");
  line.textContent = `${path}: ${reason}`;
  part("refusals").append(line);
}

const megabytes = (bytes) => `${(bytes / 1e6).toLocaleString("en-GB", { maximumFractionDigits: bytes < 1e7 ? 1 : 0 })} MB`;

function progressShow() {
  const seconds = (performance.now() - sent.began) / 1000;
  const rate = sent.bytes / Math.max(seconds, 0.1);
  part("overall").max = Math.max(1, total.bytes);
  part("overall").value = sent.bytes;
  part("files").textContent = `${sent.files.toLocaleString("en-GB")} of ${total.files.toLocaleString("en-GB")} files, `
    + `${megabytes(sent.bytes)} of ${megabytes(total.bytes)}`;
  const left = Math.ceil((total.bytes - sent.bytes) / Math.max(rate, 1));
  part("rate").textContent = seconds > 2 ? `${megabytes(rate)}/s, about ${left} s left` : "";
}

function stop(sentence) {
  stopped = true;
  window.removeEventListener("beforeunload", staying);
  part("upload-heading").textContent = "The upload has stopped";
  part("problem").replaceChildren(sentence, " ");
  if (urls) {
    const link = document.createElement("a");
    link.href = urls.page_url;
    link.textContent = "Import what has arrived, or drop it";
    part("problem").append(link);
  }
  part("problem").hidden = false;
  part("cancel").hidden = true;
}

const staying = (event) => event.preventDefault();

async function uploader() {
  while (waiting.length && !stopped) await fileSend(waiting.shift());
}

/** Have up to PARALLEL files on their way; who brings the last one home closes the upload. */
function crewFill() {
  while (uploaders < Math.min(PARALLEL, uploaders + waiting.length)) {
    uploaders += 1;
    uploader().catch(fail).finally(() => {
      uploaders -= 1;
      if (!uploaders && !waiting.length && !stopped) finish().catch(fail);
    });
  }
}

async function begin() {
  part("progress").hidden = false;
  sent.began = performance.now();
  window.addEventListener("beforeunload", staying);
  const reply = await request("POST", root.dataset.startUrl);
  if (!reply.answer.file_url) throw new UploadStopped("The server takes no upload. Reload the page and log in again.");
  urls = reply.answer;
  crewFill();
}

async function finish() {
  stopped = true; // what is dropped from here on would come too late
  part("upload-heading").textContent = "Uploaded. The import begins …";
  part("cancel").hidden = true;
  const reply = await request("POST", urls.finish_url);
  if (!reply.url.endsWith(urls.page_url)) throw new UploadStopped(LOGGED_OUT);
  window.removeEventListener("beforeunload", staying);
  location.assign(urls.page_url);
}

function fail(error) {
  if (part("problem").hidden) stop(error.message);
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
  if (urls) crewFill();
  else if (total.files === wanted.length) begin().catch(fail); // the first ones; else it is beginning already
  progressShow();
}

/** Return the files of a dropped file or folder, with their paths below it. */
async function entryFiles(entry, prefix) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => { entry.file(resolve, reject); });
    return [{ file, path: prefix + entry.name }];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) { // a reader gives at most a hundred entries at a time
    const entries = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!entries.length) return found;
    for (const below of entries) found.push(...await entryFiles(below, `${prefix}${entry.name}/`));
  }
}

for (const id of ["choose-files", "choose-folder"]) {
  part(id).addEventListener("change", (event) => {
    add([...event.target.files].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
    event.target.value = "";
  });
}
const drop = part("drop");
for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
drop.addEventListener("dragleave", (event) => { if (!drop.contains(event.relatedTarget)) drop.classList.remove("over"); });
drop.addEventListener("drop", async (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  // The entries must be taken before the first await: afterwards the browser has forgotten them.
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const loose = entries.length ? [] : [...event.dataTransfer.files].map((file) => ({ file, path: file.name }));
  const nested = await Promise.all(entries.map((entry) => entryFiles(entry, "")));
  add([...loose, ...nested.flat()]);
});
part("cancel").addEventListener("click", () => stop("You stopped it."));
