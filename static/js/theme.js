// Switches between light and dark. Loaded before the first paint, so that the page does not flash in the other theme.
const remembered = localStorage.getItem("iqs-theme");
if (remembered) document.documentElement.dataset.theme = remembered;

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-toggle]")) return;
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark"
    || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("iqs-theme", document.documentElement.dataset.theme);
});
