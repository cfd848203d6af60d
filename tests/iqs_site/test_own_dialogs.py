"""No page asks with the dialogs of the browser, and no page shows a time without its zone."""

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
OF_THE_BROWSER = re.compile(r"(?<![.\w])(?:window\.)?(?:confirm|prompt|alert)\s*\(")
TIME = re.compile(r'\|(?:date|time):"([^"]*[GHgh]:i[^"]*)"')


def without_comments(text: str) -> str:
    return re.sub(r"(?m)^\s*(//|\*).*$", "", text)


@pytest.mark.parametrize("path", sorted((ROOT / "static/js").rglob("*.js")), ids=lambda path: path.name)
def test_no_script_uses_the_dialogs_of_the_browser(path: Path) -> None:
    assert OF_THE_BROWSER.findall(without_comments(path.read_text())) == []


def test_no_template_has_a_script_that_asks() -> None:
    for path in (ROOT / "templates").rglob("*.html"):
        assert not OF_THE_BROWSER.search(path.read_text()), path
        assert "hx-prompt" not in path.read_text(), path


def test_questions_are_asked_where_templates_have_them() -> None:
    """Every page with a question has the script that asks it: base.html loads it, and pages extend base.html."""
    assert "js/frame.js" in (ROOT / "templates/base.html").read_text()
    assert "dialogs.js" in (ROOT / "static/js/frame.js").read_text()
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text()
        if "hx-confirm" in text or "data-confirm" in text:
            assert path.name.startswith("_") or '{% extends "base.html" %}' in text, path


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_times_are_shown_with_their_zone(path: Path) -> None:
    without = [pattern for pattern in TIME.findall(path.read_text()) if not re.search("[TeO]", pattern)]
    assert without == []
