// Makes the site an app: registers the service worker, and shows the buttons [data-install] where the browser can put
// the app on the home screen. Without https, browsers have no service workers, and the pages work all the same.

const { worker } = document.querySelector('link[rel="manifest"]').dataset;
let offer = null; // the browser's offer to install

function showButtons() {
  for (const button of document.querySelectorAll("[data-install]")) button.hidden = offer === null;
}

navigator.serviceWorker?.register(worker).catch(() => {}); // for example in a private window
addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault(); // no banner: the buttons do it
  offer = event;
  showButtons();
});
addEventListener("appinstalled", () => {
  offer = null;
  showButtons();
});
document.addEventListener("click", async (event) => {
  if (!event.target.closest?.("[data-install]") || !offer) return;
  await offer.prompt();
  offer = null; // it works once
  showButtons();
});
