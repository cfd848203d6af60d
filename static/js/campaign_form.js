// The pages of a new campaign and of its settings. What follows from another field is shown while that one changes:
// class limits from the scale, the address from the name, and the settings of a new campaign from its purpose.

import { classPicker } from "./class_picker.js";
import { mixtureShow } from "./lane_mixture.js";
import { gettext } from "./texts.js";

const field = (name) => document.querySelector(`[name="${name}"]:not([type="hidden"])`);
const json = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");
const form = document.getElementById("campaign-form");
const scale = ["scale_min", "scale_max"].map(field);
const limits = ["reject_at", "pending_at"].map(field);
const [oldLow, oldHigh] = scale.map((input) => Number(input.dataset.scale));

// The same rule as `limit_moved` in annotation/measures/class_limits.py.
function moved(limit, low, high) {
  const share = (limit - oldLow + 0.5) / (oldHigh - oldLow + 1);
  const score = Math.min(Math.max(low - 0.5 + share * (high - low + 1), low), high);
  return String(Number(score.toFixed(6)));
}

function follow() {
  const [low, high] = scale.map((input) => input.valueAsNumber);
  if (!(low < high)) return; // also while a field is empty
  for (const input of limits) {
    input.placeholder = moved(Number(input.dataset.limit), low, high);
    if (input.defaultValue && !input.dataset.typed) input.value = moved(Number(input.defaultValue), low, high);
  }
}

form.addEventListener("input", (event) => { if (event.isTrusted) event.target.dataset.typed = "yes"; });
for (const input of scale) input.addEventListener("input", follow);

// A new campaign
const named = [...document.querySelectorAll('[name="scale"]')];
const presets = json("presets");

function scaleByName() {
  const value = named.find((one) => one.checked)?.value ?? "other";
  if (value !== "other") scale.forEach((input, place) => { input.value = value.split("-")[place]; });
  document.querySelector(".other-scale").hidden = value !== "other";
  follow();
}

/** Show the settings of a purpose where nobody has typed another value; those of the page when it has none of its own. */
function purposeChosen(purpose) {
  const values = presets[purpose];
  for (const name of Object.keys(Object.values(presets)[0])) {
    const inputs = [...form.querySelectorAll(`[name="${name}"]`)];
    if (inputs.some((input) => input.dataset.typed)) continue;
    for (const input of inputs) {
      if (input.type === "radio") input.checked = values ? input.value === values[name] : input.defaultChecked;
      else input.value = values ? values[name] : input.defaultValue;
    }
  }
  form.elements.preset_shown.value = purpose;
  mixtureShow();
}

// The same as Django's slugify for common letters; the server decides.
const slug = (text) => text.normalize("NFKD").replace(/[^\w\s-]/g, "").trim().toLowerCase().replace(/[-\s]+/g, "-").slice(0, 50);

if (presets) {
  for (const input of named) input.addEventListener("change", scaleByName);
  for (const input of form.querySelectorAll('[name="purpose"]')) input.addEventListener("change", () => purposeChosen(input.value));
  field("name").addEventListener("input", (event) => { field("slug").placeholder = slug(event.target.value) || gettext("from the name"); });
  scaleByName();
}

const classes = json("imagenet-classes");
for (const root of document.querySelectorAll(".class-picker")) classPicker(root, classes);

// The summary of the errors gets the focus, and its links open what is folded.
const errors = document.getElementById("errors");
errors?.focus();
errors?.addEventListener("click", (event) => {
  const target = event.target.closest("a") && document.querySelector(event.target.closest("a").hash);
  if (!target) return;
  event.preventDefault();
  if (target.closest("details")) target.closest("details").open = true;
  target.scrollIntoView({ block: "center" });
  target.querySelector("input:not([type=hidden], [hidden]), select, textarea")?.focus();
});
