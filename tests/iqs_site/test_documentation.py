"""The documentation inside the app: every page is shown, and every link in it leads to a page and a heading."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from iqs_site.documentation import areas, docs_page, headings, headings_of, render, texts


@pytest.mark.parametrize(("name", "status"), [("anonymous", 302), ("mallory", 200), ("alice", 200), ("ada", 200)])
@pytest.mark.parametrize("path", ["/docs/", "/docs/how-to/rate-photos/"])
def test_everybody_who_is_logged_in_reads_it(
    client_of: Callable[[str], Any], name: str, status: int, path: str
) -> None:
    assert client_of(name).get(path).status_code == status


@pytest.mark.parametrize("path", ["nowhere", "../README", "how-to/../../secret_key", "licences.py"])
def test_no_other_file_is_shown(client_of: Callable[[str], Any], path: str) -> None:
    assert client_of("alice").get(f"/docs/{path}/").status_code == 404


def test_a_page_needs_two_queries(client_of: Callable[[str], Any], django_assert_num_queries: Any) -> None:
    client = client_of("alice")
    with django_assert_num_queries(2):  # session, user
        page = client.get("/docs/reference/metrics/").text
    assert '<nav aria-label="Documentation">' in page
    assert 'aria-current="page"' in page


@pytest.mark.parametrize("path", sorted(texts()))
def test_links_lead_to_pages_and_headings(path: str) -> None:
    page = docs_page(path)
    assert page is not None
    known = {heading.page: {"", "title"} for heading in headings()}
    for heading in headings():
        known[heading.page].add(heading.anchor)
    for address in re.findall(r'href="([^"]+)"', page.html):
        target, _, anchor = unescape(address).partition("#")
        if target.startswith("http"):
            continue
        name = target.removeprefix("/docs/").rstrip("/") if target else path
        assert name in known, address
        assert anchor in known[name], address


def test_every_page_is_in_one_area() -> None:
    listed = [title.page for area in areas() for title in area.titles]
    assert sorted(listed) == sorted(texts())


def test_headings_have_the_anchors_of_github() -> None:
    text = "# A title\n\n## What's `new`, and why?\n\n```\n# no heading\n```\n\n## Twice\n\n## Twice\n"
    found = headings_of("page", text)
    assert [(one.title, one.anchor, one.level) for one in found] == [
        ("A title", "", 1),
        ("What's new, and why?", "whats-new-and-why", 2),
        ("Twice", "twice", 2),
        ("Twice", "twice-1", 2),
    ]
    assert 'id="whats-new-and-why"' in render("page", text, known=[]).html


def test_html_in_a_page_is_text() -> None:
    html = render("page", "# T\n\n<script>alert(1)</script>\n\n[x](javascript:alert)", known=[]).html
    assert "<script" not in html
    assert "<kbd>Esc</kbd>" in render("page", "# T\n\n<kbd>Esc</kbd>", known=[]).html
    assert 'href="javascript' not in html


def test_a_link_to_a_file_outside_the_folder_is_no_link() -> None:
    html = render(
        "how-to/page", "# T\n\n[the code](../../manage.py) and [home](../index.md#start)", known=["index"]
    ).html
    assert '<span title="../../manage.py">the code</span>' in html
    assert 'href="/docs/index/#start"' in html
