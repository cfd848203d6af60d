// An answer as text, and as the body of the request that sends it.

import { gettext } from "../texts.js";

const WATCH_TEXT = { yes: gettext("watch"), no: gettext("no watch"), unsure: gettext("unsure") };

// E.g. "no watch, 7". The expected answer of a practice photo may have only one of the two parts.
export function answerText({ watch, score, skipReason }) {
  if (skipReason) return "skipped";
  return [WATCH_TEXT[watch], score].filter((part) => part !== null && part !== undefined).join(", ");
}

// A version 4 UUID, also for pages without https, where crypto.randomUUID does not exist.
export function newId() {
  return crypto.randomUUID?.() ?? randomId();
}

// Milliseconds from showing the photo to now, or null when it was not shown.
export function millisecondsShown(item) {
  return item.shownAt === null ? null : Math.round(performance.now() - item.shownAt);
}

// input: the kind of input that sent the answer; zoom: the Zoom of the stage; shown: [width, height] on the stage;
// scale: [lowest, highest] score of the page.
export function answerBody(item, { input, zoom, shown, scale }) {
  return {
    client_id: newId(),
    image_id: item.lease.image_id,
    lease_id: item.lease.lease_id,
    watch: item.watch,
    score: item.score,
    skip_reason: item.skipReason,
    scale,
    milliseconds: millisecondsShown(item),
    viewing: {
      viewport: [innerWidth, innerHeight],
      pixel_ratio: devicePixelRatio,
      zoom: visualViewport?.scale ?? 1, // the browser's own pinch zoom
      shown,
      zoomed: zoom.milliseconds, // at 100 % or more
      largest_zoom: zoom.largest,
      scheme: isDark() ? "dark" : "light", // it sets the grey around the photo
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

function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
