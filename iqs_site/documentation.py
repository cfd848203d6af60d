"""The pages of the folder docs/, rendered for the app. Pure: it reads files and returns text.

They are part of the program, so their Markdown may be trusted. HTML in it is shown as text all the same, except for
names of keys and indices.
"""

import posixpath
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

FOLDER = Path(__file__).resolve().parent.parent / "docs"
#: Where a site shows the pages. Links between them are made with it.
ADDRESS = "/docs/"
INDEX = "index"
_AREAS = (("", "Start"), ("how-to", "How to"), ("reference", "Reference"))
_PROJECT = ("contributing", "decisions", "reference/licences")
_HEADING = re.compile(r"(#{1,6}) +(.+?) *#*$")
_MARKS = re.compile(r"`([^`]*)`|\*\*([^*]*)\*\*|\[([^\]]*)\]\([^)]*\)")
_ALLOWED = re.compile(r"&lt;(/?(?:kbd|sub|sup))&gt;")
_IS_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


@dataclass(frozen=True)
class Heading:
    """A heading of a page, for the search and for the list of contents."""

    page: str
    """The page's path without the folder docs and without .md, for example 'how-to/rate-photos'."""
    page_title: str
    title: str
    anchor: str
    """'' for the title of the page."""
    level: int


@dataclass(frozen=True)
class DocsPage:
    """A page of the documentation."""

    path: str
    title: str
    html: str
    contents: tuple[Heading, ...]
    """Its headings of the second level."""


@dataclass(frozen=True)
class Area:
    """Titles of pages that belong together, for the list beside a page."""

    label: str
    titles: tuple[Heading, ...]


@cache
def texts() -> dict[str, str]:
    """Return {path: Markdown} of all pages. They are read once in each process."""
    files = sorted(FOLDER.rglob("*.md"))
    return {path.relative_to(FOLDER).with_suffix("").as_posix(): path.read_text(encoding="utf-8") for path in files}


@cache
def headings() -> tuple[Heading, ...]:
    """Return the headings of all pages, titles and parts."""
    return tuple(heading for path, text in texts().items() for heading in headings_of(path, text))


@cache
def areas() -> tuple[Area, ...]:
    """Return the titles of the pages by area, in the order of the alphabet. The start of the documentation is first."""
    titles = {heading.page: heading for heading in headings() if not heading.anchor}
    listed = [
        Area(label, tuple(_sorted(title for path, title in titles.items() if _area(path) == folder)))
        for folder, label in _AREAS
    ]
    return (*listed, Area("Project", tuple(titles[path] for path in _PROJECT if path in titles)))


@cache
def docs_page(path: str) -> DocsPage | None:
    """Return a page, or None if there is none with this path."""
    text = texts().get(path)
    return None if text is None else render(path, text, known=texts())


def render(path: str, text: str, *, known: Collection[str]) -> DocsPage:
    """Return a page of Markdown. Links to the pages in `known` lead to their addresses; other files are no links."""
    found = headings_of(path, text)
    parser = _parser()
    tokens = parser.parse(text)
    for token, heading in zip((one for one in tokens if one.type == "heading_open"), found, strict=True):
        token.attrSet("id", heading.anchor or "title")
    for token in tokens:
        _links_change(token.children or (), path, known)
    html = _ALLOWED.sub(r"<\1>", parser.renderer.render(tokens, parser.options, {}))
    # What scrolls sideways must be reached by keyboard.
    for old, new in (("<table>", '<div class="table-scroll" tabindex="0"><table>'), ("</table>", "</table></div>")):
        html = html.replace(old, new)
    html = html.replace("<pre>", '<pre tabindex="0">')
    contents = tuple(heading for heading in found if heading.level == 2)
    return DocsPage(path, found[0].title if found else path, html, contents)


def headings_of(path: str, text: str) -> list[Heading]:
    """Return the headings of a page. Reading the lines is a hundred times faster than rendering the page."""
    found: list[Heading] = []
    used: set[str] = set()
    is_code = False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            is_code = not is_code
        match = None if is_code else _HEADING.match(line)
        if match is None:
            continue
        words = _MARKS.sub(lambda mark: mark[1] or mark[2] or mark[3] or "", match[2])
        anchor = anchor_of(words, used)
        found.append(Heading(path, found[0].title if found else words, words, anchor if found else "", len(match[1])))
    return found


def anchor_of(title: str, used: set[str]) -> str:
    """Return the anchor of a heading, as GitHub makes it, and add it to `used`."""
    base = re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
    anchor, number = base, 0
    while anchor in used:
        number += 1
        anchor = f"{base}-{number}"
    used.add(anchor)
    return anchor


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # a page without documentation does not need it

    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _links_change(tokens: "Iterable[Token]", path: str, known: Collection[str]) -> None:
    """Change links to other pages into their addresses. A link to another file of the project becomes plain text."""
    is_file = False
    for token in tokens:
        if token.type == "link_open":
            target, _, anchor = str(token.attrGet("href") or "").partition("#")
            page = posixpath.normpath(posixpath.join(posixpath.dirname(path), target)).removesuffix(".md")
            is_file = bool(target) and not _IS_ELSEWHERE.match(target) and page not in known
            if is_file:
                token.tag, token.attrs = "span", {"title": target}
            elif target and page in known:
                token.attrSet("href", f"{ADDRESS}{page}/" + (f"#{anchor}" if anchor else ""))
        elif token.type == "link_close" and is_file:
            token.tag = "span"


def _area(path: str) -> str | None:
    return None if path in _PROJECT else path.rpartition("/")[0]


def _sorted(titles: Iterable[Heading]) -> list[Heading]:
    return sorted(titles, key=lambda heading: (heading.page != INDEX, heading.title.casefold()))
