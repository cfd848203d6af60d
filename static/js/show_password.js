// Shows the password of a field. It is hidden again when the form is sent, so that the browser offers to store it.

import { gettext } from "./texts.js";

const buttons = [...document.querySelectorAll(".show-password")];

for (const button of buttons) {
  const field = button.parentElement.querySelector("input");
  const which = buttons.length > 1 ? `: ${field.labels[0].textContent.trim()}` : "";
  const show = (isShown) => {
    field.type = isShown ? "text" : "password";
    button.setAttribute("aria-pressed", String(isShown));
    button.querySelector("span").textContent = isShown ? gettext("Hide") : gettext("Show");
    button.setAttribute("aria-label", (isShown ? gettext("Hide the password%(which)s", { which }) : gettext("Show the password%(which)s", { which })));
  };
  button.hidden = false;
  show(false);
  button.addEventListener("click", () => {
    show(field.type === "password");
    field.focus();
  });
  field.form.addEventListener("submit", () => show(false));
}
