// Shows how far a long export is. The server streams it, so its size is an estimate. Short exports, and those that are
// too large for the browser's memory, are ordinary downloads.

import { gettext } from "./texts.js";

const SHORT = 2_000_000; // bytes; arrives before anybody could read a progress
const LARGEST = 500_000_000;

const byId = (id) => document.getElementById(id);
const megabytes = (bytes) => `${(bytes / 1e6).toLocaleString("en-GB", { maximumFractionDigits: 1 })} MB`;
let running = null;

async function download(link) {
  const expected = Number(link.dataset.bytes);
  running = new AbortController();
  byId("export-progress").hidden = false;
  byId("export-name").textContent = gettext("Exporting %(to_lower_case)s", { to_lower_case: link.dataset.name.toLowerCase() });
  byId("export-stop").hidden = false;
  const bar = byId("export-bar");
  bar.max = expected;
  bar.value = 0;
  try {
    const answer = await fetch(link.href, { signal: running.signal });
    if (!answer.ok || answer.redirected) { location.assign(link.href); return; }
    const parts = [];
    let bytes = 0;
    for (const reader = answer.body.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      bytes += value.length;
      bar.value = Math.min(bytes, expected * 0.99);
      byId("export-text").textContent = gettext("%(megabytes)s of about %(megabytes_2)s", { megabytes: megabytes(bytes), megabytes_2: megabytes(Math.max(expected, bytes)) });
    }
    const saved = document.createElement("a");
    saved.href = URL.createObjectURL(new Blob(parts, { type: answer.headers.get("content-type") ?? "" }));
    saved.download = answer.headers.get("content-disposition")?.match(/filename="([^"]+)"/)?.[1] ?? "export";
    saved.click();
    setTimeout(() => URL.revokeObjectURL(saved.href), 60_000);
    bar.value = bar.max;
    byId("export-name").textContent = gettext("%(download)s is complete", { download: saved.download });
    byId("export-text").textContent = megabytes(bytes);
  } catch (error) {
    const stopped = error.name === "AbortError";
    byId("export-name").textContent = stopped ? gettext("Export stopped") : gettext("The export was interrupted");
    byId("export-text").textContent = stopped ? gettext("Nothing was saved.") : gettext("The connection was lost. Start it again.");
  } finally {
    running = null;
    byId("export-stop").hidden = true;
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-bytes]");
  const bytes = Number(link?.dataset.bytes);
  if (!link || bytes < SHORT || bytes > LARGEST || event.ctrlKey || event.metaKey || event.shiftKey || running) return;
  event.preventDefault();
  download(link);
});
byId("export-stop").addEventListener("click", () => running?.abort());
