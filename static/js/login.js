// The login page: shows the password. It is hidden again when the form is sent, so that the browser offers to store it.

const field = document.getElementById("id_password");
const button = document.querySelector(".show-password");

function show(isShown) {
  field.type = isShown ? "text" : "password";
  button.setAttribute("aria-pressed", String(isShown));
  button.querySelector("span").textContent = isShown ? "Hide" : "Show";
  button.setAttribute("aria-label", isShown ? "Hide the password" : "Show the password");
}

button.hidden = false;
show(false);
button.addEventListener("click", () => {
  show(field.type === "password");
  field.focus();
});
field.form.addEventListener("submit", () => show(false));
