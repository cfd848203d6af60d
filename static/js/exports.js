// Shows how far a long export is. The server streams it, so its size is an estimate. Short exports, and those that are
// too large for the browser's memory, are ordinary downloads.

const SHORT = 2_000_000; // bytes; arrives before anybody could read a progress
const LARGEST = 500_000_000;

const byId = (id) => document.getElementById(id);
const megabytes = (bytes) => `${(bytes / 1e6).toLocaleString("en-GB", { maximumFractionDigits: 1 })} MB`;
let running = null;

async function download(link) {
  const expected = Number(link.dataset.bytes);
  running = new AbortController();
  byId("export-progress").hidden = false;
  byId("export-name").textContent = `Exporting ${link.dataset.name.toLowerCase()}`;
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
      byId("export-text").textContent = `${megabytes(bytes)} of about ${megabytes(Math.max(expected, bytes))}`;
    }
    const saved = document.createElement("a");
    saved.href = URL.createObjectURL(new Blob(parts, { type: answer.headers.get("content-type") ?? "" }));
    saved.download = answer.headers.get("content-disposition")?.match(/filename="([^"]+)"/)?.[1] ?? "export";
    saved.click();
    setTimeout(() => URL.revokeObjectURL(saved.href), 60_000);
    bar.value = bar.max;
    byId("export-name").textContent = `${saved.download} is complete`;
    byId("export-text").textContent = megabytes(bytes);
  } catch (error) {
    const stopped = error.name === "AbortError";
    byId("export-name").textContent = stopped ? "Export stopped" : "The export was interrupted";
    byId("export-text").textContent = stopped ? "Nothing was saved." : "The connection was lost. Start it again.";
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
