// A small picture of the scale with the person's score (a filled dot) and the expected one (a bar, with the range that
// counts as a hit), and the same in words.

import { gettext, ngettext } from "../texts.js";

const SVG = "http://www.w3.org/2000/svg";
const POINTS = 9; // steps of the scale 1-10, where one point away is still a hit; longer scales in proportion

export function tolerance({ lowest, highest }) {
  return Math.max(1, Math.round((highest - lowest) / POINTS));
}

// Returns {isScoreHit, isWatchHit, scoreWords, watchWords}. A part without an expected or a given answer is null.
export function verdict(given, expected, scale) {
  const hasScore = given.score !== null && expected.score !== null;
  const hasWatch = Boolean(given.watch && expected.watch);
  const difference = hasScore ? given.score - expected.score : 0;
  const points = difference > 0 ? ngettext("%(n)s point higher", "%(n)s points higher", difference) : ngettext("%(n)s point lower", "%(n)s points lower", -difference);
  const isScoreHit = hasScore ? Math.abs(difference) <= tolerance(scale) : null;
  const isWatchHit = hasWatch ? given.watch === expected.watch : null;
  return {
    difference,
    isScoreHit,
    isWatchHit,
    scoreWords: hasScore ? `${isScoreHit ? gettext("Score hit") : gettext("Score missed")}${difference ? `, ${points}` : ""}` : "",
    watchWords: hasWatch ? (isWatchHit ? gettext("Watch label right") : gettext("Watch label different")) : "",
  };
}

// Returns the sentences of a finished round. verdicts: of all photos.
export function summary(verdicts) {
  const scores = verdicts.filter(({ isScoreHit }) => isScoreHit !== null);
  const labels = verdicts.filter(({ isWatchHit }) => isWatchHit !== null);
  const hits = (all, name) => all.filter((one) => one[name]).length;
  const sentences = [];
  if (scores.length) sentences.push(gettext("%(hits)s of %(all)s scores hit.", { hits: hits(scores, "isScoreHit"), all: scores.length }));
  if (labels.length) sentences.push(gettext("%(hits)s of %(all)s watch labels right.", { hits: hits(labels, "isWatchHit"), all: labels.length }));
  const mean = scores.reduce((sum, { difference }) => sum + difference, 0) / (scores.length || 1);
  if (scores.length > 1) {
    const rounded = Math.abs(mean).toFixed(1);
    sentences.push(rounded === "0.0" ? gettext("On average your scores are as high as expected.") : (mean > 0 ? gettext("On average your scores are %(rounded)s points higher.", { rounded }) : gettext("On average your scores are %(rounded)s points lower.", { rounded })));
  }
  return sentences.join(" ") || gettext("You have seen all practice photos.");
}

// Returns an SVG element. given, expected: scores or null; it is drawn where there is at least one of them.
export function scaleDrawing({ lowest, highest, given, expected, words }) {
  const drawing = node("svg", { class: "scale-drawing", role: "img", "aria-label": words });
  const at = (score) => `${4 + (92 * (score - lowest)) / (highest - lowest)}%`;
  // Words at an end of the scale begin or stop there, because on a phone nothing beyond the scale is in sight.
  const anchor = (score) => {
    const share = (score - lowest) / (highest - lowest);
    return share < 0.15 ? "start" : share > 0.85 ? "end" : "middle";
  };
  const middle = 22;
  if (expected !== null) {
    const reach = tolerance({ lowest, highest }) + 0.5;
    const from = Math.max(expected - reach, lowest - 0.3);
    const to = Math.min(expected + reach, highest + 0.3);
    drawing.append(node("rect", { class: "hit-zone", x: at(from), y: middle - 9, width: `${(92 * (to - from)) / (highest - lowest)}%`, height: 18, rx: 4 }));
  }
  drawing.append(node("line", { class: "axis", x1: at(lowest), x2: at(highest), y1: middle, y2: middle }));
  if (highest - lowest <= 12) {
    for (let score = lowest; score <= highest; score += 1) drawing.append(node("line", { class: "axis", x1: at(score), x2: at(score), y1: middle - 3, y2: middle + 3 }));
  }
  if (expected !== null) {
    drawing.append(node("line", { class: "expected", x1: at(expected), x2: at(expected), y1: middle - 11, y2: middle + 11 }));
    drawing.append(node("text", { x: at(expected), y: 46, "text-anchor": anchor(expected) }, gettext("expected %(expected)s", { expected })));
  }
  if (given !== null) {
    drawing.append(node("circle", { class: "given", cx: at(given), cy: middle, r: 6 }));
    drawing.append(node("text", { class: "strong", x: at(given), y: 9, "text-anchor": anchor(given) }, gettext("you %(given)s", { given })));
  }
  return drawing;
}

function node(name, attributes, text = "") {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}
