// The grid of photos to choose from: how many are chosen, and an answer that is edited chooses its photo.

import { gettext } from "./texts.js";

const form = document.getElementById("picker");
const shown = document.getElementById("picked");

function count() {
  const chosen = form.querySelectorAll('[name="photo"]:checked').length;
  shown.textContent = gettext("%(chosen)s chosen", { chosen });
}

form?.addEventListener("input", (event) => {
  const box = event.target.closest("li")?.querySelector('[name="photo"]');
  if (box && event.target !== box) box.checked = true;
  count();
});
if (form) count();
