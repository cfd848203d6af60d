"""The text of the pages for accounts and administration can be read in both themes, on a screen and on a phone."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from annotation.access.attempts import Kind, TooManyAttempts, attempt_take
from annotation.models import ApiToken, AuditKind, Campaign
from annotation.services.audit import audit_record
from annotation.services.tokens import token_create

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = [
    *("/account/", "/audit/", "/campaigns/watches/audit/", "/api/", "/users/", "/users/refused/"),
    *("/", "/campaigns/watches/members/"),
]
# Texts whose contrast is below 4.5 (3 for large text), as WCAG 2.2, success criterion 1.4.3, asks for.
FAINT = """() => {
  const parse = (colour) => { const n = colour.match(/[\\d.]+/g).map(Number); return [n[0], n[1], n[2], n[3] ?? 1]; };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
  const light = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const ground = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) layers.push(parse(getComputedStyle(one).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const faint = [];
  let count = 0;
  const check = (element, words, style) => {
    let opacity = 1;
    for (let one = element; one; one = one.parentElement) opacity *= Number(getComputedStyle(one).opacity);
    const colour = parse(style.color);
    const below = ground(element);
    const found = contrast(over([...colour.slice(0, 3), colour[3] * opacity], below), below);
    const size = parseFloat(style.fontSize);
    const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    count += 1;
    if (found < least) faint.push(`${found.toFixed(2)}: ${words.trim().slice(0, 40)}`);
  };
  for (const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); walker.nextNode(); ) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility()) continue;
    check(element, walker.currentNode.textContent, getComputedStyle(element));
  }
  for (const field of document.querySelectorAll("input[placeholder]")) {
    if (field.checkVisibility()) check(field, field.placeholder, getComputedStyle(field, "::placeholder"));
  }
  return { faint, count };
}"""


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_no_text_is_faint(
    open_page: Callable[..., Any], campaign: Campaign, people: dict[str, Any], theme: str
) -> None:
    ada = people["ada"]
    ada.is_superuser = ada.is_staff = True
    ada.save()
    token_create(user=ada, name="script", scope=ApiToken.Scope.ADMIN, days=30)
    for kind in AuditKind:
        audit_record(kind=kind, by=ada, user=people["alice"], campaign=campaign, before={"a": 1}, after={"a": 2})
    for _ in range(20):
        with suppress(TooManyAttempts):
            attempt_take(Kind.LOGIN, name="bob", address="10.0.0.1")
    for width in (1280, 390):
        page = open_page("/", "ada", viewport={"width": width, "height": 900}, color_scheme=theme)
        for path in PAGES:
            page.goto("/".join(page.url.split("/")[:3]) + path)
            found = page.evaluate(FAINT)
            assert found["count"] > 10
            assert found["faint"] == [], path
