"""The parts that every page has, such as the search, look the same on every page."""

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "static"
#: What these make, `site.css` and `frame.css` style.
FRAME_SCRIPTS = ("search.js", "dialogs.js", "frame.js")
FRAME_SHEETS = ("site.css", "frame.css")
PAGE_SHEETS = sorted(path for path in (STATIC / "css").glob("*.css") if path.name not in FRAME_SHEETS)


def frame_classes() -> set[str]:
    """Return the classes of the elements that the scripts of the frame make."""
    text = "".join((STATIC / "js" / name).read_text() for name in FRAME_SCRIPTS)
    values = re.findall(r"class(?:Name)?(?::| =) [\"`]([\w -]+)", text)
    return {name for value in values for name in value.split()}


def selectors(sheet: str) -> set[str]:
    """Return every selector of a style sheet."""
    bare = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    heads = re.findall(r"(?:^|[{};])\s*([^{};@]+)\{", bare)
    return {one.strip() for head in heads for one in head.split(",")}


@pytest.mark.parametrize("path", PAGE_SHEETS, ids=lambda path: path.name)
def test_the_style_sheet_of_a_page_does_not_change_the_frame(path: Path) -> None:
    """A rule for '.note' alone would also move the notes in the search."""
    assert not selectors(path.read_text()) & {f".{name}" for name in frame_classes()}


def test_classes_and_selectors_are_found() -> None:
    assert {"note", "search-results", "ask", "visually-hidden"} <= frame_classes()
    assert selectors("/* a */ .a, .b .c { x: y; } @media (max-width: 1px) { .note { z: 1; } }") == {
        ".a",
        ".b .c",
        ".note",
    }
