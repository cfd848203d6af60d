// The members page: updates the activity of the members, and copies the link of a new invitation.

import "./live_part.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = "Copied";
  } catch { // there is no clipboard without https; the link is selected, so the keyboard can copy it
    button.textContent = "Press Ctrl+C";
  }
});
