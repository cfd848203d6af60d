// The documentation: on narrow screens, the list of all pages is closed at first.

const list = document.querySelector(".docs-list");
if (matchMedia("(max-width: 900px)").matches) list.open = false;
list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
