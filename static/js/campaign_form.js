// The settings page of a campaign. While the scale is changed, class limits that nobody has typed follow it.

const field = (name) => document.querySelector(`[name="${name}"]`);
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

for (const input of limits) input.addEventListener("input", () => { input.dataset.typed = "yes"; });
for (const input of scale) input.addEventListener("input", follow);
