// The documentation: on narrow screens, the list of all pages is closed at first.

const list = document.querySelector(".docs-list");
if (matchMedia("(max-width: 900px)").matches) list.open = false;
const present = list.querySelector("[aria-current]");
if (present && list.open) list.scrollTop = present.offsetTop - list.clientHeight / 2; // the page itself stays at its start
