"""Two instances on one host use cookies of different names."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

KEYS = ["a key of 32 characters or more, of one site", "another key of 32 characters or more, of a second"]
NAMES = ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME")


def names_of(folder: Path, key: str = "") -> list[str]:
    """Return the names of the cookies of an instance in `folder`."""
    code = (
        "import json, django; from django.conf import settings; django.setup(); "
        "from iqs_site.cookies import MessageCookie; "
        "print(json.dumps([settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, MessageCookie.cookie_name]))"
    )
    environment = {"IQS_VAR": str(folder), "SECRET_KEY": key, "DJANGO_SETTINGS_MODULE": "iqs_site.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    return list(json.loads(done.stdout))


def test_two_instances_have_no_name_in_common(tmp_path: Path) -> None:
    assert not set(names_of(tmp_path / "a")) & set(names_of(tmp_path / "b"))


def test_a_copied_instance_has_other_names(tmp_path: Path) -> None:
    before = names_of(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "secret_key").write_text((tmp_path / "a" / "secret_key").read_text())
    assert not set(before) & set(names_of(tmp_path / "b"))
    assert names_of(tmp_path / "a") == before


def test_all_machines_of_a_site_have_the_same_names(tmp_path: Path) -> None:
    assert names_of(tmp_path / "a", KEYS[0]) == names_of(tmp_path / "b", KEYS[0])
    assert not set(names_of(tmp_path / "a", KEYS[0])) & set(names_of(tmp_path / "a", KEYS[1]))


@pytest.mark.django_db
def test_a_login_beside_another_instance_keeps_both(client: Client, make_user: Callable[..., Any]) -> None:
    make_user("alice")
    others = {"sessionid-00000000": "of another instance", "csrftoken-00000000": "its token", "sessionid": "old"}
    for name, value in others.items():
        client.cookies[name] = value
    answer = client.post("/accounts/login/", {"username": "alice", "password": "pass-word-1"})
    assert answer.status_code == 302
    assert settings.SESSION_COOKIE_NAME in answer.cookies
    assert not set(answer.cookies) & set(others)
    assert client.get("/").status_code == 200


@pytest.mark.django_db
def test_pages_name_the_cookie_for_their_scripts(client_of: Callable[[str], Any]) -> None:
    page = client_of("alice").get("/").content.decode()
    assert f'data-csrf-cookie="{settings.CSRF_COOKIE_NAME}"' in page
