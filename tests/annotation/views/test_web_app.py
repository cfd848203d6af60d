"""The manifest, the service worker and the offline page: open to everybody, and nothing of a person in them."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from PIL import Image as PillowImage

from annotation.views import web_app


@pytest.mark.parametrize("name", ["anonymous", "mallory", "alice", "ada"])
@pytest.mark.parametrize("path", ["/manifest.webmanifest", "/service-worker.js", "/offline/"])
def test_everybody_gets_the_same_files(client_of: Any, path: str, name: str) -> None:
    response = client_of(name).get(path)
    assert response.status_code == 200
    assert response.content == Client().get(path).content
    assert "sessionid" not in response.cookies
    assert name not in response.content.decode().replace("anonymous", "")


def test_the_manifest_makes_the_site_installable(db: None, client: Client) -> None:
    response = client.get("/manifest.webmanifest")
    assert response.headers["Content-Type"] == "application/manifest+json"
    manifest = response.json()
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/", "/", "standalone")
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}
    for icon in manifest["icons"]:
        data = (Path(settings.BASE_DIR) / icon["src"].lstrip("/")).read_bytes()
        with PillowImage.open(BytesIO(data)) as picture:
            assert picture.format == "PNG"
            assert f"{picture.width}x{picture.height}" == icon["sizes"]


def test_the_service_worker_may_control_the_whole_site(db: None, client: Client) -> None:
    response = client.get("/service-worker.js")
    assert response.headers["Content-Type"].startswith("text/javascript")
    assert response.headers["Service-Worker-Allowed"] == "/"
    assert response.headers["Cache-Control"] == "no-cache"
    assert "worker-src 'self'" in response.headers["Content-Security-Policy"]
    script = response.content.decode()
    shell = re.search(r"const SHELL = (\[.*?\]);", script)
    assert shell is not None
    kept = re.findall(r'"([^"]+)"', shell[1])
    assert kept[0] == "/offline/"
    assert all(address == "/offline/" or address.startswith("/static/") for address in kept), "only the shell"


def test_a_changed_file_is_a_new_version(db: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(settings, "DEBUG", True)  # the version is computed each time
    before = web_app.shell_version()
    assert web_app.shell_version() == before
    changed = tmp_path / "site.css"
    changed.write_text("body { color: red }")
    find = web_app._file
    monkeypatch.setattr(web_app, "_file", lambda name: changed if name == "css/site.css" else find(name))
    assert web_app.shell_version() != before


def test_the_offline_page_needs_only_the_files_that_are_kept(db: None, client: Client) -> None:
    page = client.get("/offline/").content.decode()
    used = set(re.findall(r'(?:href|src)="/static/([^"]+)"', page))
    assert used <= set(web_app.SHELL)
    for name in [one for one in web_app.SHELL if one.endswith(".js")]:
        script = (Path(settings.BASE_DIR) / "static" / name).read_text()
        imported = re.findall(r'from "\./([\w/]+\.js)"', script)
        assert {f"js/{one}" for one in imported} <= set(web_app.SHELL)


@pytest.mark.parametrize("path", ["/account/", "/campaigns/watches/annotate/", "/campaigns/watches/mine/"])
def test_pages_name_the_manifest_and_the_service_worker(client_of: Any, path: str) -> None:
    page = client_of("alice").get(path).content.decode()
    assert '<link rel="manifest" href="/manifest.webmanifest" data-worker="/service-worker.js">' in page
