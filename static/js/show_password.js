// Shows the password of a field. It is hidden again when the form is sent, so that the browser offers to store it.

const buttons = [...document.querySelectorAll(".show-password")];

for (const button of buttons) {
  const field = button.parentElement.querySelector("input");
  const which = buttons.length > 1 ? `: ${field.labels[0].textContent.trim()}` : "";
  const show = (isShown) => {
    field.type = isShown ? "text" : "password";
    button.setAttribute("aria-pressed", String(isShown));
    button.querySelector("span").textContent = isShown ? "Hide" : "Show";
    button.setAttribute("aria-label", `${isShown ? "Hide" : "Show"} the password${which}`);
  };
  button.hidden = false;
  show(false);
  button.addEventListener("click", () => {
    show(field.type === "password");
    field.focus();
  });
  field.form.addEventListener("submit", () => show(false));
}
