"""The time from a key press to the next photo on the screen, in a real browser, with and without prefetching.

It is measured in the page: from the time stamp of the key event that completes the answer to the time at which the
browser presented the next photo. Element Timing reports that time, which includes decoding, layout and painting.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._claims import Claim, DataMissing, Setting
from benchmarks._machine import machine
from benchmarks._photos import camera_photos
from benchmarks._site import SLUG, site_running
from tests.browser.chromium import chromium_path

MEGAPIXELS = 4.5  # about 2 MB per file
VIEWING_MS = 400  # time for which the annotator views a photo; people take about five times as long
WINDOW = {"width": 1280, "height": 900}
TIMEOUT_MS = 120_000

_OBSERVER = """
globalThis.painted = [];
globalThis.pressed = 0;
addEventListener("keydown", (event) => (pressed = event.timeStamp), true);
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (entry.identifier === "photo") painted.push(entry.renderTime);
}).observe({ type: "element", buffered: true });
new MutationObserver((changes) => {
  for (const { addedNodes, target } of changes)
    for (const node of addedNodes) {
      if (node.localName !== "img") continue;
      // A photo that is painted in a hidden element is not on the screen.
      if (target.getAttribute("aria-hidden") === "true") node.removeAttribute("elementtiming");
      else node.setAttribute("elementtiming", "photo");
    }
}).observe(document, { childList: true, subtree: true });
"""

# The baseline, on the same site: save the answer, then lease a photo, then load it, one after the other.
_ONE_AT_A_TIME = """
async (api) => {
  const token = document.cookie.match(/csrftoken[^=]*=([^;]+)/)[1];
  const headers = { "x-csrftoken": token, "content-type": "application/json" };
  const send = (path, body) => fetch(api + path, { method: "POST", headers, body: JSON.stringify(body) });
  const post = async (path, body) => (await send(path, body)).json();
  const stage = document.createElement("div");
  stage.style.cssText = "position: fixed; inset: 48px 0 200px; background: #777";
  document.body.append(stage);
  let lease;
  async function next() {
    lease = (await post("/leases", { count: 1 })).leases[0];
    if (!lease) return;
    const img = new Image();
    img.style.cssText = "position: absolute; inset: 0; margin: auto; max-width: 100%; max-height: 100%";
    img.src = lease.url;
    stage.replaceChildren(img);
  }
  addEventListener("keydown", async (event) => {
    if (event.key !== "5" || !lease) return;
    await post("/annotations", { client_id: crypto.randomUUID(), image_id: lease.image_id, watch: "no", score: 5 });
    await next();
  });
  await next();
}
"""

# Resolves when `number` photos were presented. (Playwright's waiting needs eval, which the site's policy forbids.)
_PAINTED = """
(number) => new Promise((resolve) => {
  const check = () => (painted.length >= number ? resolve() : setTimeout(check, 20));
  check();
})
"""

# Transferred bytes of the page and its code.
_CODE = """
() => performance.getEntries()
  .filter((entry) => entry.entryType === "navigation" || /[.](js|css|svg)$/.test(entry.name))
  .reduce((sum, entry) => sum + entry.encodedBodySize, 0)
"""


def measure(setting: Setting) -> Iterator[Claim]:
    """Rate the photos of a real instance in a real Chromium in both ways, one annotator each."""
    from playwright.sync_api import sync_playwright

    chromium = chromium_path()
    if chromium is None:
        raise DataMissing("Chromium is not installed; run `make browser` to install it.")
    count, visits = (4, 1) if setting.tiny else (200, 7)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        files = _photos(setting, folder, count)
        url, passwords = stack.enter_context(site_running(folder, files, ["ahead", "waiting"]))
        playwright = stack.enter_context(sync_playwright())
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        stack.callback(browser.close)
        logins = {name: _log_in(browser, url, name, password) for name, password in passwords.items()}
        firsts, weights = zip(*(_visit(browser, url, logins["ahead"]) for _ in range(visits)), strict=True)
        ours = _prefetched(browser, url, logins["ahead"], count)
        theirs = _one_at_a_time(browser, url, logins["waiting"], min(count, 60))
        megabytes = sum(file.stat().st_size for file in files) / len(files) / 1e6
    photos = f"{count} photos of {megabytes:.1f} MB"
    yield Claim(
        claim=f"From key press to next photo on the screen, {photos}: p50 {_ms(ours, 50)}, p95 {_ms(ours, 95)}",
        value=float(np.percentile(theirs, 95) / np.percentile(ours, 95)),
        unit="times as fast",
        baseline="save the answer, then lease a photo, then load it, on the same site in the same browser: "
        f"p50 {_ms(theirs, 50)}, p95 {_ms(theirs, 95)}",
        target=3.0,
    )
    key_press = "From key press to next photo on the screen, p95"
    yield machine().seconds_claim(key_press, float(np.percentile(ours, 95)), 50, "ms", key="next_photo")
    opening = "From opening the page to the first photo on the screen"
    yield machine().seconds_claim(opening, float(np.median(firsts)), 1000, "ms", key="first_photo")
    kilobytes = max(weights) / 1000
    yield Claim(
        claim=f"Compressed size of the annotate page and its code: {kilobytes:.0f} kB",
        value=100 / kilobytes,
        unit="times below",
        baseline="limit: 100 kB",
        target=1.0,
    )


def _ms(times: list[float], percentile: float) -> str:
    return f"{np.percentile(times, percentile):.0f} ms"


def _photos(setting: Setting, folder: Path, count: int) -> list[Path]:
    """Return generated photos, even if `setting.data` is set, because the result depends on their size."""
    drawn = folder / "drawn"
    drawn.mkdir()
    return camera_photos(drawn, 0.1 if setting.tiny else MEGAPIXELS, count)


def _log_in(browser: Any, url: str, name: str, password: str) -> Any:
    """Log in, read the instructions, and return the browser's storage state (without cached photos)."""
    context = browser.new_context(viewport=WINDOW)
    page = context.new_page()
    page.goto(f"{url}/accounts/login/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()
    page.goto(f"{url}/campaigns/{SLUG}/annotate/")
    page.get_by_role("button", name="Begin").click()
    page.goto(f"{url}/campaigns/{SLUG}/")  # leaving the page returns its leases
    kept = context.storage_state()
    context.close()
    return kept


def _page(browser: Any, login: Any) -> Any:
    """Return a page without cached files that records when photos are painted."""
    context = browser.new_context(viewport=WINDOW, storage_state=login)
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    page.add_init_script(_OBSERVER)
    return page


def _visit(browser: Any, url: str, login: Any) -> tuple[float, float]:
    """Open the page; return the milliseconds until the first photo was presented, and the bytes of page and code."""
    page = _page(browser, login)
    page.goto(f"{url}/campaigns/{SLUG}/annotate/")
    page.evaluate(_PAINTED, 1)
    first = page.evaluate("painted[0]")
    weight = page.evaluate(_CODE)
    page.context.close()
    return float(first), float(weight)


def _prefetched(browser: Any, url: str, login: Any, count: int) -> list[float]:
    page = _page(browser, login)
    page.goto(f"{url}/campaigns/{SLUG}/annotate/")
    return _waits(page, count)


def _one_at_a_time(browser: Any, url: str, login: Any, count: int) -> list[float]:
    page = _page(browser, login)
    page.goto(f"{url}/campaigns/{SLUG}/")
    page.evaluate(_ONE_AT_A_TIME, f"/api/campaigns/{SLUG}")
    return _waits(page, count)


def _waits(page: Any, count: int) -> list[float]:
    """Return the milliseconds from each key press to its next photo, for `count` photos (the last has no next)."""
    waits = []
    for number in range(1, count):
        page.evaluate(_PAINTED, number)
        page.wait_for_timeout(VIEWING_MS)
        page.keyboard.press("n")
        page.keyboard.press("5")
        page.evaluate(_PAINTED, number + 1)
        waits.append(float(page.evaluate("painted.at(-1) - pressed")))
    page.context.close()
    return waits
