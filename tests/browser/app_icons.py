"""Draw the icons of the web app from static/favicon.svg: `python -m tests.browser.app_icons`. Needs Chromium.

The files are in static/icons/. Any other PNG files with these names and sizes can replace them.
"""

from pathlib import Path

from django.conf import settings

# {file: (pixels, share of the side that the drawing takes, colour behind it or none)}. Phones cut maskable icons to a
# circle that holds the middle 80 %. iOS shows icons without a background on black.
ICONS = {
    "app-192.png": (192, 1.0, ""),
    "app-512.png": (512, 1.0, ""),
    "app-maskable-512.png": (512, 0.7, "#212121"),
    "app-180.png": (180, 0.76, "#212121"),
}
_PAGE = """<!doctype html><style>
html, body {{ margin: 0; height: 100%; background: {colour}; }}
body {{ display: grid; place-items: center; }} svg {{ width: {side}px; height: {side}px; }}
</style>{svg}"""


def icons_draw(svg: str, folder: Path) -> None:
    """Write the PNG files into the folder. Raises RuntimeError without Chromium."""
    from playwright.sync_api import sync_playwright

    from tests.browser.chromium import WITHOUT_CHROMIUM, chromium_path

    path = chromium_path()
    if path is None:
        raise RuntimeError(WITHOUT_CHROMIUM)
    folder.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for name, (pixels, share, colour) in ICONS.items():
            page = browser.new_page(viewport={"width": pixels, "height": pixels})
            page.set_content(_PAGE.format(side=round(pixels * share), colour=colour or "transparent", svg=svg))
            page.screenshot(path=folder / name, omit_background=not colour)
            page.close()
        browser.close()


if __name__ == "__main__":
    static = Path(settings.BASE_DIR) / "static" if settings.configured else Path("static")
    icons_draw((static / "favicon.svg").read_text(), static / "icons")
