// The bar that says how far the installation of the models is. It disappears when everything is installed.

import { gettext } from "./texts.js";

const SECONDS_BETWEEN = 2;

const part = document.getElementById("models-install");

async function refresh() {
  if (!document.hidden) {
    try {
      const response = await fetch(part.dataset.url, { redirect: "error" });
      if (response.ok) show(await response.text());
    } catch {
      // The server is restarting, or the session has ended: the next page says so.
    }
  }
  if (part.isConnected) setTimeout(refresh, 1000 * SECONDS_BETWEEN);
}

function show(html) {
  if (!html.trim()) {
    done();
    return;
  }
  const coming = new DOMParser().parseFromString(html, "text/html").body;
  const [figures, bar] = [coming.querySelector("#models-install-figures"), coming.querySelector("progress")];
  const [shown, shownBar] = [part.querySelector("#models-install-figures"), part.querySelector("progress")];
  if (!bar || !shownBar || !bar.hasAttribute("value") || !shownBar.hasAttribute("value")) {
    if (part.textContent.trim() !== coming.textContent.trim()) part.replaceChildren(...coming.childNodes);
    return;
  }
  shown.textContent = figures.textContent;
  shownBar.value = bar.value; // the same element, so that the bar grows smoothly
}

function done() {
  part.remove();
  document.getElementById("models-installed").textContent = gettext("The models are installed.");
  if (document.querySelector("[data-open-when-installed]")) location.reload();
}

setTimeout(refresh, 1000 * SECONDS_BETWEEN);
