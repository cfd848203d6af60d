// An answer in the form in which it leaves the page, and in words.

const WATCH_WORDS = { yes: "watch", no: "no watch", unsure: "unsure" };

// E.g. "no watch, 7"; of the expected answer of a practice photo one half may be missing.
export function saying({ watch, score, skipReason }) {
  if (skipReason) return "skipped";
  return [WATCH_WORDS[watch], score].filter((part) => part !== null && part !== undefined).join(", ");
}

// input: with what the answer was sent; zoomed: milliseconds looked at in 1:1; shown: [width, height] on the stage.
export function answerBody(item, { input, zoomed, shown }) {
  return {
    client_id: crypto.randomUUID?.() ?? randomId(),
    image_id: item.lease.image_id,
    lease_id: item.lease.lease_id,
    watch: item.watch,
    score: item.score,
    skip_reason: item.skipReason,
    milliseconds: item.shownAt === null ? null : Math.round(performance.now() - item.shownAt),
    viewing: {
      viewport: [innerWidth, innerHeight],
      pixel_ratio: devicePixelRatio,
      zoom: visualViewport?.scale ?? 1, // of the browser, by pinching
      shown,
      zoomed,
      scheme: isDark() ? "dark" : "light", // the grey around the photo
      input,
      inputs: item.inputs,
      was_away: item.wasAway ?? false,
      answered_at: new Date().toISOString(),
    },
  };
}

function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

// crypto.randomUUID needs https; a version 4 UUID all the same.
function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
