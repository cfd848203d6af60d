"""The bar of the installation of the models: it moves, ends by itself, and can be read on screens and phones."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from iqs_site.instance.models_install import STATE_VARIABLE
from tests.browser.axe import axe_findings

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

STATES: dict[str, dict[str, object]] = {
    "begin": {"state": "installing"},
    "download": {
        "state": "installing",
        "step": "download",
        "done_mb": 82,
        "total_mb": 190,
        "share": 0.43,
        "seconds_left": 55,
    },
    "unpack": {"state": "installing", "step": "unpack", "done_mb": 312, "total_mb": 700, "share": 0.62},
    "failed": {
        "state": "failed",
        "reason": "The packages cannot be downloaded. Is this machine connected to the network?",
    },
}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that sets the state of the installation; "done" ends it."""
    path = tmp_path / "models-install.json"
    monkeypatch.setenv(STATE_VARIABLE, str(path))

    def state(name: str) -> None:
        if name == "done":
            path.unlink()
        else:
            part = path.with_suffix(".part")
            part.write_text(json.dumps(STATES[name]))
            part.replace(path)

    return state


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", STATES)
def test_the_bar_fits_and_axe_finds_nothing(
    open_page: Callable[..., Any], state: Callable[[str], None], campaign: Any, name: str, width: int, theme: str
) -> None:
    state(name)
    page = open_page("/", "ada", viewport={"width": width, "height": 800}, color_scheme=theme)
    assert page.locator("#models-install").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe_findings(page) == []


def test_the_bar_moves_says_when_it_fails_and_disappears_at_the_end(
    open_page: Callable[..., Any], state: Callable[[str], None], campaign: Any
) -> None:
    from playwright.sync_api import expect

    state("download")
    page = open_page("/", "alice")
    bar = page.locator("#models-install")
    expect(bar).to_contain_text("43 %, downloading: 82 of 190 MB, about 55 s left")
    state("unpack")
    expect(bar).to_contain_text("62 %, unpacking: 312 of 700 MB")
    assert bar.locator("progress").evaluate("bar => bar.value") == 62
    state("failed")
    expect(bar).to_contain_text("You can go on rating; predictions come later.")
    state("done")
    expect(bar).to_have_count(0)
    expect(page.locator("#models-installed")).to_have_text("The models are installed.")
