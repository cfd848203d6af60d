"""The annotate page as the server renders it. tests/browser contains the tests of its script."""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from annotation.models import Campaign, Membership, User
from annotation.services.key_bindings import DEFAULT_KEYS
from annotation.views.annotate import MODULES, SKIP_REASONS, score_keys

URL = "/campaigns/watches/annotate/"


@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 200), ("rita", 200), ("ada", 200)]
)
def test_only_members_can_open_the_page(client_of: Any, name: str, status: int) -> None:
    assert client_of(name).get(URL).status_code == status


def test_the_page_takes_six_queries_and_one_more_with_practice(
    client_of: Any, make_image: Callable[..., Any], django_assert_num_queries: Any
) -> None:
    client = client_of("alice")
    with django_assert_num_queries(6):  # session, user, campaign with role, special photos, own keys, request to read
        client.get(URL)
    for seed in range(6):
        make_image(seed, role="practice" if seed % 2 else "example", expected_score=seed)
    with django_assert_num_queries(7):  # the seventh: has this member finished practice?
        client.get(URL)


def config_of(client: Client) -> dict[str, Any]:
    found = re.search(r'<script id="config" type="application/json">(.*?)</script>', client.get(URL).content.decode())
    assert found
    config: dict[str, Any] = json.loads(found[1])
    return config


def test_practice_is_shown_until_the_member_has_finished_it(client_of: Any, make_image: Callable[..., Any]) -> None:
    alice, bob = client_of("alice"), client_of("bob")
    assert not config_of(alice)["practise"]
    make_image(1, role="practice", expected_score=3, expected_watch="no")
    assert config_of(alice)["practise"]
    assert "Practise again" not in alice.get(URL).content.decode()
    Membership.objects.filter(user__username="alice").update(practised_at=timezone.now())
    assert not config_of(alice)["practise"]
    assert "Practise again" in alice.get(URL).content.decode()
    assert config_of(bob)["practise"]


def test_each_user_gets_their_own_keys(client_of: Any, people: dict[str, Any]) -> None:
    User.objects.filter(username="alice").update(key_bindings={"undo": "x"})
    assert config_of(client_of("alice"))["keyBindings"] == {**DEFAULT_KEYS, "undo": "x"}
    assert config_of(client_of("bob"))["keyBindings"] == DEFAULT_KEYS
    page = client_of("alice").get(URL).content.decode()
    assert 'data-key-of="undo" aria-hidden="true">X</kbd>' in page


def test_the_page_and_the_settings_have_the_same_actions() -> None:
    script = (Path(settings.BASE_DIR) / "static/js/annotate/keys.js").read_text()
    actions = script[script.index("const ACTIONS") : script.index("};")]
    assert re.findall(r"^  (\w+): \[", actions, re.MULTILINE) == list(DEFAULT_KEYS)


def test_a_scale_of_ten_has_a_button_and_a_key_for_each_score(client_of: Any) -> None:
    page = client_of("alice").get(URL).content.decode()
    assert re.findall(r'data-score="(\d+)"', page) == [str(score) for score in range(1, 11)]
    assert re.findall(r'data-watch="(\w+)"', page) == ["yes", "no", "unsure"]
    assert all(reason in page for reason in SKIP_REASONS)


def test_a_long_scale_has_a_slider(client_of: Any) -> None:
    Campaign.objects.update(scale_min=0, scale_max=100)
    page = client_of("alice").get(URL).content.decode()
    assert "data-score" not in page
    assert 'type="range" id="slider-range" min="0" max="100"' in page


@pytest.mark.parametrize(
    ("lowest", "highest", "keys"),
    [
        (1, 10, {**{score: str(score) for score in range(1, 10)}, 10: "0"}),
        (1, 5, {1: "1", 2: "2", 3: "3", 4: "4", 5: "5"}),
        (0, 10, {score: str(score) for score in range(10)}),
        (8, 12, {8: "8", 9: "9", 10: "0"}),
        (0, 100, {}),
    ],
)
def test_each_digit_key_sets_one_score(lowest: int, highest: int, keys: dict[int, str]) -> None:
    assert score_keys(Campaign(scale_min=lowest, scale_max=highest)) == keys


def test_the_script_gets_its_config_and_instructions_are_escaped(client_of: Any, people: Any) -> None:
    Campaign.objects.update(instructions="Look <script>alert(1)</script> closely.")
    page = client_of("alice").get(URL).content.decode()
    config = config_of(client_of("alice"))
    assert config["breakMinutes"] == 30
    assert config["annotator"] == people["alice"].pk
    assert config["api"] == "/api/campaigns/watches"
    assert config["scoreKeys"]["0"] == 10
    assert "<script>alert" not in page


def test_the_page_has_no_inline_script(client_of: Any) -> None:
    page = client_of("alice").get(URL).content.decode()
    for attributes in re.findall(r"<script([^>]*)>", page):
        assert "src=" in attributes or 'type="application/json"' in attributes
    assert not re.search(r"\son\w+=", page)


def test_the_page_preloads_all_its_modules() -> None:
    imported = {name for script in _scripts() for name in re.findall(r'from "\./(\w+)\.js"', script.read_text())}
    assert imported | {"annotate"} == set(MODULES)


def test_the_page_and_its_compressed_files_have_at_most_100_kilobytes(client_of: Any) -> None:
    page = client_of("alice").get(URL).content
    folder = Path(settings.BASE_DIR) / "static"
    files = re.findall(r'(?:src|href)="/static/([^"]+\.(?:js|css))"', page.decode())
    assert {folder / name for name in files} >= set(_scripts())
    # collectstatic compresses the files. The page is not compressed, because it contains a secret (BREACH attack).
    size = len(page) + sum(len(gzip.compress((folder / name).read_bytes())) for name in set(files))
    assert size <= 100_000


def _scripts() -> list[Path]:
    return [Path(settings.BASE_DIR) / "static" / "js" / "annotate" / f"{name}.js" for name in MODULES]
