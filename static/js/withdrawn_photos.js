// The list of withdrawn photos: choose all on the page, and how many are chosen on the button.

import { gettext, ngettext } from "./texts.js";

const all = document.querySelector("[data-choose-all]");
const boxes = [...document.querySelectorAll("input[name='ids']")];
const button = document.querySelector("[data-restore]");

function show() {
  const chosen = boxes.filter((box) => box.checked).length;
  button.disabled = chosen === 0;
  button.textContent = chosen ? ngettext("Put %(n)s photo back", "Put %(n)s photos back", chosen) : gettext("Put the selected photos back");
  const box = all.querySelector("input");
  box.checked = chosen === boxes.length;
  box.indeterminate = chosen > 0 && chosen < boxes.length;
}

if (button) {
  all.hidden = false;
  all.querySelector("input").addEventListener("change", ({ target }) => {
    for (const box of boxes) box.checked = target.checked;
    show();
  });
  for (const box of boxes) box.addEventListener("change", show);
  addEventListener("pageshow", show); // after the back button the browser keeps the chosen boxes
  show();
}
