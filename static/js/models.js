// Asks for confirmation before the champion changes, because this changes what everybody in the campaign sees.

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});
