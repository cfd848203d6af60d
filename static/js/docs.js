// The documentation: on wide screens, the list of all pages is open, in a column of its own. The server sends it closed, so
// that on narrow screens the text does not move.

const list = document.querySelector(".docs-list");
list.open = !matchMedia("(max-width: 900px)").matches;
const present = list.querySelector("[aria-current]");
if (present && list.open) list.scrollTop = present.offsetTop - list.clientHeight / 2; // the page itself stays at its start
