// Buttons that copy a field, for example a link that is shown once: data-copy has the id of the field.

import { gettext } from "./texts.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = gettext("Copied");
  } catch { // there is no clipboard without https; the link is selected, so the keyboard can copy it
    button.textContent = gettext("Press Ctrl+C");
  }
});
