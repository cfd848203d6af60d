"""Stylesheets write no words: a page in another language could not translate them."""

import re

from translation.collect import ROOT

_CONTENT = re.compile(r"\bcontent:([^;}]*)")
_STRING = re.compile(r'"([^"]*)"')


def test_stylesheets_take_their_words_from_the_page() -> None:
    sheets = sorted((ROOT / "static/css").glob("*.css"))
    assert sheets
    texts = [
        (sheet.name, text)
        for sheet in sheets
        for content in _CONTENT.findall(sheet.read_text(encoding="utf-8"))
        for text in _STRING.findall(content)
    ]
    assert texts
    assert [(name, text) for name, text in texts if re.search("[A-Za-z]{2}", text)] == []
