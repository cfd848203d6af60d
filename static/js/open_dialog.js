// Opens a <dialog> of the page: data-opens has its id; data-closes closes the dialog around a button. A dialog with
// data-open-now opens with the page, because what was sent from it has errors.

/** Return whether a click was on the space around the dialog. Its own padding is no such space. */
function isOutside({ target, clientX, clientY }) {
  const { left, right, top, bottom } = target.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  event.target.closest("[data-closes]")?.closest("dialog")?.close();
  if (event.target.matches("dialog.own-dialog") && isOutside(event)) event.target.close();
});
for (const dialog of document.querySelectorAll("dialog[data-open-now]")) dialog.showModal();
