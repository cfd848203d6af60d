"""What does not fit on a page: sideways scroll, text outside of the window or of its box, tables that hide columns."""

from typing import Any

#: {name: (width, height) in CSS pixels}. A screen of 1280 x 900 at 200 % has 640 x 450 of them.
SCREENS = {
    "phone": (390, 844),
    "tablet": (768, 1024),
    "desktop": (1280, 900),
    "desktop at 200 %": (640, 450),
    "large": (3840, 2160),
}

#: From this width on, tables must show all their columns.
WIDE = 1280

#: A page may move by so much while it loads, as the Layout Instability API counts; 0.1 is what people do not notice.
MOST_SHIFT = 0.1

# Targets that are too narrow are found by axe. The header is on every page, and its row has little room on a tablet.
_SMALL = """() => [...document.querySelectorAll("header.site-header :is(a, button, summary)")]
  .filter((one) => one.checkVisibility() && !one.closest("[hidden], .menu-panel"))
  .map((one) => [one.getBoundingClientRect(), one.outerHTML.slice(0, 80)])
  .filter(([box]) => box.width < 43.5 || box.height < 43.5)
  .map(([box, words]) => `a target of ${Math.round(box.width)} x ${Math.round(box.height)} pixels: ${words}`)"""

# Lines are counted by their lower edges: links and numbers inside of a line have boxes of their own.
_LONG_LINES = """(most) => {
  const found = [], range = document.createRange();
  const isBlock = (one) => ["block", "flex", "grid", "list-item", "table"].includes(getComputedStyle(one).display);
  for (const one of document.querySelectorAll("main :is(p, li, dd, caption, .help, .helptext)")) {
    const text = one.textContent.trim().replace(/\\s+/g, " ");
    if (text.length <= most || !one.checkVisibility() || [...one.children].some(isBlock)) continue;
    range.selectNodeContents(one);
    const boxes = [...range.getClientRects()].filter((box) => box.width > 2);
    const bottoms = boxes.map((box) => box.bottom).sort((one, other) => one - other);
    const lines = bottoms.filter((bottom, place) => !place || bottom - bottoms[place - 1] > 8).length;
    const characters = Math.round(text.length / lines);
    if (characters > most) found.push(`lines of ${characters} characters: ${text.slice(0, 50)}`);
  }
  return found;
}"""
MOST_CHARACTERS = 100  # of a line; 90 in the fonts of most systems, and some of the test machines are narrower

_SHIFTS = """() => new Promise((done) => {
  const sources = [];
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      sum += entry.value;
      for (const source of entry.sources) sources.push((source.node?.outerHTML ?? "").slice(0, 80));
    }
  }).observe({ type: "layout-shift", buffered: true });
  // The observer gets what has happened before the next frame is over.
  requestAnimationFrame(() => requestAnimationFrame(() => done([sum, sources.slice(0, 3)])));
})"""

_FOUND = """async (wide) => {
  // Scripts that look at the width of the window run before the next frame.
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const found = [], width = document.documentElement.clientWidth;
  const words = (one) => one.textContent.trim().replace(/\\s+/g, " ").slice(0, 40);
  const name = (one) => `${one.tagName.toLowerCase()}.${[...one.classList].join(".")} “${words(one)}”`;
  const sideways = document.documentElement.scrollWidth - width;
  if (sideways > 0) found.push(`the page scrolls sideways by ${sideways}px`);
  const scrolls = (one) => one.closest(".table-scroll, .table-wrap, pre, [data-scrolls]") !== null || scrolled(one);
  // Boxes that a person can scroll, such as the tabs on a phone.
  const scrolled = (one) => {
    for (let box = one.parentElement; box && box !== document.body; box = box.parentElement) {
      if (["auto", "scroll"].includes(getComputedStyle(box).overflowX)) return true;
    }
    return false;
  };
  // Also what is there for screen readers only.
  const hidden = (one) => one.closest(".visually-hidden, svg, .bk-root, [hidden], .skip-link") !== null
    || getComputedStyle(one).clipPath !== "none";
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
  const seen = new Set();
  while (texts.nextNode()) {
    const text = texts.currentNode, one = text.parentElement;
    if (!text.data.trim() || seen.has(one) || hidden(one)) continue;
    if (!one.checkVisibility({ visibilityProperty: true })) continue;
    seen.add(one);
    range.selectNodeContents(text);
    const { left, right, width: wide } = range.getBoundingClientRect();
    if (wide <= 1) continue;
    const style = getComputedStyle(one);
    const shortened = style.textOverflow === "ellipsis" && style.overflowX !== "visible";
    if (shortened && one.getBoundingClientRect().right <= width + 1) continue;
    if ((right > width + 1 || left < -1) && !scrolls(one)) found.push(`outside of the window: ${name(one)}`);
    const clips = ["hidden", "clip"].includes(style.overflowX) && !shortened;
    if (clips && one.scrollWidth > one.clientWidth + 1) found.push(`cut off in its box: ${name(one)}`);
  }
  for (const one of document.querySelectorAll("button, a.button, .badge")) {
    const isWider = one.checkVisibility() && !hidden(one) && one.scrollWidth > one.clientWidth + 2;
    if (isWider) found.push(`wider than its box: ${name(one)}`);
  }
  for (const one of document.querySelectorAll(".table-scroll caption")) {
    const box = one.closest(".table-scroll");
    const isWider = one.checkVisibility() && !hidden(one) && one.getBoundingClientRect().width > box.clientWidth + 1;
    if (isWider) found.push(`a caption wider than its box: ${name(one)}`);
  }
  const pen = document.createElement("canvas").getContext("2d");
  for (const one of document.querySelectorAll("select")) {
    // On a phone, the list that opens shows the whole text.
    if (!one.checkVisibility() || one.multiple || one.size > 1 || innerWidth < 640) continue;
    const style = getComputedStyle(one);
    pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const text = one.selectedOptions[0]?.textContent.trim() ?? "";
    const room = one.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - 14; // the arrow
    if (pen.measureText(text).width > room) found.push(`a choice that is cut off: ${one.name} “${text}”`);
  }
  if (wide) {
    for (const one of document.querySelectorAll(".table-scroll")) {
      if (one.checkVisibility() && one.scrollWidth > one.clientWidth + 1) found.push(`hides columns: ${name(one)}`);
    }
  }
  return found;
}"""


def layout_findings(page: Any) -> list[str]:
    """Return one line for each thing that does not fit in the window of a page; tables may scroll below WIDE pixels."""
    width = page.viewport_size["width"]
    found: list[str] = page.evaluate(_FOUND, width >= WIDE) + page.evaluate(_SMALL)
    if width == SCREENS["large"][0]:
        found += page.evaluate(_LONG_LINES, MOST_CHARACTERS)
    return found


def shift_findings(page: Any) -> list[str]:
    """Return a line if the page that has just been loaded moved under the eyes of the reader."""
    total, sources = page.evaluate(_SHIFTS)
    return [f"moved by {total:.2f} while it loaded: {sources}"] if total > MOST_SHIFT else []


def folds_open(page: Any) -> None:
    """Open every fold, so that what is in it is looked at too."""
    page.evaluate("for (const fold of document.querySelectorAll('main details')) fold.open = true")
