// The colour of each point, and the legend. Numbers run through a scale that colour-blind people can read; classes have
// the colours of the site. Photos without a value are grey.

import { gettext } from "../texts.js";

const STOPS = { light: ["#3b2a8c", "#2b6f9e", "#25997f", "#8ab536", "#c8a415"], dark: ["#8f86e8", "#5aa9d6", "#4cc7a2", "#a9d84f", "#f7e04d"] };
// Columns whose values are classes: the colour and the words of each value.
const CLASSES = {
  class: { tokens: ["--rejected", "--pending", "--accepted"], words: () => ["rejected", "pending", "accepted"] },
  asked: { tokens: ["--line-strong", "--no-watch", "--accepted"], words: () => [gettext("not yet"), gettext("next"), gettext("rated")] },
};
const UNKNOWN = 65535;
const STEPS = 64;
const GREY = { light: "#b9b9b4", dark: "#4c4c4a" };

export const isDark = () => {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};

const parts = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const packed = ([r, g, b]) => (255 << 24) | (b << 16) | (g << 8) | r; // as ImageData has it on little-endian machines

// The colour of a token of the site, as three numbers.
function token(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
  probe.remove();
  return found;
}

export class Colours {
  // `by`: the name of a column. `counts`: how many points have each palette colour.
  constructor(points, by) {
    const theme = isDark() ? "dark" : "light";
    this.by = by;
    this.grey = packed(parts(GREY[theme]));
    const of = (this.of = new Uint8Array(points.count)); // index in the palette; 255: grey
    this.unknown = 0;
    if (CLASSES[by]) {
      this.palette = CLASSES[by].tokens.map((name) => packed(token(name)));
      this.counts = [0, 0, 0];
      for (let i = 0; i < points.count; i++) {
        of[i] = points[by][i];
        if (of[i] === 255) this.unknown++;
        else this.counts[of[i]]++;
      }
      return;
    }
    const column = points[by];
    const read = (value) => (by === "votes" ? value : (value - 100) / 100);
    let [low, high] = by === "votes" || by === "deviation" ? [0, 0] : points.scale;
    if (low === high) for (let i = 0; i < points.count; i++) if (column[i] !== UNKNOWN) high = Math.max(high, read(column[i]));
    [this.low, this.high] = [low, high || 1];
    const stops = STOPS[theme].map(parts);
    this.palette = Array.from({ length: STEPS }, (_, step) => {
      const place = (step / (STEPS - 1)) * (stops.length - 1);
      const at = Math.min(Math.floor(place), stops.length - 2);
      return packed(stops[at].map((value, channel) => Math.round(value + (stops[at + 1][channel] - value) * (place - at))));
    });
    for (let i = 0; i < points.count; i++) {
      const share = (read(column[i]) - this.low) / (this.high - this.low);
      if (column[i] === UNKNOWN) {
        of[i] = 255;
        this.unknown++;
      } else of[i] = Math.round(Math.min(Math.max(share, 0), 1) * (STEPS - 1));
    }
  }

  // Whether the point is drawn larger and over the others: one of the few that come next.
  isAbove(i) {
    return this.by === "asked" && this.of[i] === 1;
  }

  packed(i, isMatch) {
    return !isMatch || this.of[i] === 255 ? this.grey : this.palette[this.of[i]];
  }

  css(i, isMatch) {
    const value = this.packed(i, isMatch) >>> 0;
    return `rgb(${value & 255} ${(value >> 8) & 255} ${(value >> 16) & 255})`;
  }

  #css(value) {
    return `rgb(${value & 255} ${(value >>> 8) & 255} ${(value >>> 16) & 255})`;
  }

  legend(place) {
    const swatch = (colour, words) => {
      const item = document.createElement("span");
      const mark = Object.assign(document.createElement("i"), { className: "swatch" });
      mark.style.background = this.#css(colour);
      item.append(mark, words);
      return item;
    };
    const items = [];
    if (CLASSES[this.by]) CLASSES[this.by].words().forEach((name, i) => items.push(swatch(this.palette[i], `${name} ${this.counts[i].toLocaleString("en")}`)));
    else {
      const bar = Object.assign(document.createElement("i"), { className: "ramp" });
      bar.style.background = `linear-gradient(90deg, ${this.palette.filter((_, i) => i % 7 === 0).map((one) => this.#css(one)).join(", ")})`;
      const figure = (value) => (Number.isInteger(value) ? String(value) : value.toFixed(1));
      const ramp = document.createElement("span");
      ramp.append(figure(this.low), " ", bar, " ", figure(this.high));
      items.push(ramp);
    }
    if (this.unknown) items.push(swatch(this.grey, gettext("unknown or hidden %(n)s", { n: this.unknown.toLocaleString("en") })));
    place.replaceChildren(...items);
  }
}
