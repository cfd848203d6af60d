// Members: who is at work stays live, and a new invitation's link is copied by one button.

import "./live_part.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = "Copied";
  } catch { // no clipboard without https: the link is marked, ready for the keyboard
    button.textContent = "Press Ctrl+C";
  }
});
