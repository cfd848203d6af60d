// Loaded before the first paint, so that a remembered theme does not flash the other one.
const remembered = localStorage.getItem("iqs-theme");
if (remembered) document.documentElement.dataset.theme = remembered;

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-toggle]")) return;
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark"
    || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("iqs-theme", document.documentElement.dataset.theme);
});
