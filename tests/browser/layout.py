"""Checks of the layout of a page: nothing is wider than the screen, and no text is cut off by its box."""

from playwright.sync_api import Page

#: {name: (width, height) in CSS pixels}. A screen of 1280 x 900 at 200 % has 640 x 450 of them.
SCREENS = {
    "phone": (390, 844),
    "tablet": (768, 1024),
    "desktop": (1280, 900),
    "desktop at 200 %": (640, 450),
    "large": (3840, 2160),
}

# Elements that reach out of the screen and cannot be scrolled to, and texts that their box cuts off without "…".
_CUT_OFF = """
() => {
  const found = [];
  const hidden = ".visually-hidden, .skip-link, svg, canvas, select, [aria-hidden='true'], dialog:not([open])";
  const say = (node, why) => {
    const text = node.textContent.trim().slice(0, 50);
    found.push(`${why}: <${node.localName} class="${node.className}"> ${text}`);
  };
  const isScrolled = (node) => {
    for (let one = node.parentElement; one; one = one.parentElement) {
      if (["auto", "scroll"].includes(getComputedStyle(one).overflowX)) return true;
    }
    return false;
  };
  for (const node of document.querySelectorAll("body *")) {
    if (!node.checkVisibility({ visibilityProperty: true, opacityProperty: true }) || node.closest(hidden)) continue;
    const style = getComputedStyle(node);
    if (style.clipPath !== "none" || style.position === "absolute" && node.offsetWidth <= 1) continue;
    const box = node.getBoundingClientRect();
    if (box.width && (box.right > innerWidth + 1 || box.left < -1) && !isScrolled(node)) say(node, "out of the screen");
    const hides = ["hidden", "clip"].includes(style.overflowX) && style.textOverflow !== "ellipsis";
    const isLabel = node.matches("button, .button, .badge, .tab, th") && style.textOverflow !== "ellipsis";
    if ((hides || isLabel) && node.textContent.trim() && node.scrollWidth > node.clientWidth + 1 && node.clientWidth) {
      if (!node.querySelector("img, canvas") && !node.matches("dialog, body")) say(node, "cut off");
    }
  }
  return found;
}
"""


def layout_findings(page: Page) -> list[str]:
    """Return one line for each element that is cut off, or for a page that scrolls sideways."""
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return ([f"{wide} px wider than the screen"] if wide > 0 else []) + page.evaluate(_CUT_OFF)
