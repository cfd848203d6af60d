// A key that goes to a dialog that was just closed is for the page.
//
// A closed dialog keeps the focus until the next frame. A key pressed right after Escape therefore arrives in its field
// or at its button. Nobody sees them any more, so here the key goes on to the page.

addEventListener("keydown", (event) => {
  if (!event.target.closest?.("dialog:not([open])")) return;
  event.stopImmediatePropagation();
  event.target.blur();
  const isLeft = document.body.dispatchEvent(new KeyboardEvent(event.type, event));
  if (!isLeft) event.preventDefault();
}, true);
