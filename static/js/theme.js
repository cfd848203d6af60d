// Switches between light and dark. Loaded before the first paint, so that the page does not flash in the other theme.
// The page has the theme of the account. Without an account or a choice, this browser's last choice counts.
const rememberedTheme = localStorage.getItem("iqs-theme");
if (rememberedTheme && !document.documentElement.dataset.theme) document.documentElement.dataset.theme = rememberedTheme;

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-toggle]")) return;
  const page = document.documentElement;
  const dark = getComputedStyle(page).colorScheme === "dark"
    || (!page.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  page.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("iqs-theme", page.dataset.theme);
  if (!page.dataset.themeUrl) return;
  fetch(page.dataset.themeUrl, {
    method: "PUT",
    headers: { "content-type": "application/json", ...JSON.parse(document.body.getAttribute("hx-headers")) },
    body: JSON.stringify({ theme: page.dataset.theme }),
  }).catch(() => {}); // offline: this browser still has the choice
});
