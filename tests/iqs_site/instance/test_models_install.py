"""What the site says while the models are being installed, and what it does not import meanwhile."""

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from packaging.utils import canonicalize_name

from annotation.models import Campaign, Role, User
from annotation.services.members import member_set
from dependencies.lock_file import ROOT, WEB, lock_read
from inference.networks.config import WeightsMissing
from iqs_site.instance import models_install
from iqs_site.instance.models_install import MODULES, STATE_VARIABLE, ModelsComing, ModelsGate, ModelsInstall
from iqs_site.instance.supervisor_config import configuration
from iqs_site.middleware import ModelsComingMiddleware

INSTALLING = {"state": "installing", "step": "unpack", "done_mb": 312, "total_mb": 760, "share": 0.43}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of the state, which this process reads."""
    path = tmp_path / "models-install.json"
    monkeypatch.setenv(STATE_VARIABLE, str(path))
    return path


def write(path: Path, /, **fields: object) -> None:
    path.write_text(json.dumps(fields))


def test_without_the_variable_or_the_file_everything_is_installed(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert models_install.models_install() is None
    models_install.state_begin(state)
    assert models_install.models_install() == ModelsInstall()
    monkeypatch.delenv(STATE_VARIABLE)
    assert models_install.models_install() is None


def test_the_state_in_words(state: Path) -> None:
    write(state, **INSTALLING, seconds_left=41)
    found = models_install.models_install()
    assert found is not None
    assert found.figures == "43 %, unpacking: 312 of 760 MB, about 40 s left"
    assert "43 %" in found.sentence
    write(state, state="installing", step="download", done_mb=2300, total_mb=0)
    found = models_install.models_install()
    assert found is not None
    assert (found.percent, found.figures) == (None, "downloading: 2,300 MB")
    write(state, state="failed", reason="The disk is full.")
    found = models_install.models_install()
    assert found is not None
    assert "The disk is full." in found.sentence
    assert "`make run`" in found.sentence


@pytest.mark.parametrize(("seconds", "words"), [(2, "about 5 s"), (89, "about 90 s"), (150, "about 2 min")])
def test_the_time_left_is_rounded(seconds: int, words: str) -> None:
    assert words in ModelsInstall(step="download", share=0.5, seconds_left=seconds).figures


def test_it_never_says_100_percent_before_the_end() -> None:
    assert ModelsInstall(step="unpack", share=1.0).percent == 99


def test_a_file_that_cannot_be_read_counts_as_installing(state: Path) -> None:
    state.write_text("")
    assert models_install.models_install() == ModelsInstall()


@pytest.mark.django_db
def test_pages_show_the_bar_until_everything_is_installed(client: Client, state: Path) -> None:
    user = User.objects.create_user("somebody", password="not so secret")
    write(state, **INSTALLING)
    assert "models-install" not in client.get("/accounts/login/").content.decode()
    assert client.get("/models-install").status_code == 302, "not for strangers"
    client.force_login(user)
    page = client.get("/").content.decode()
    assert "The models are being installed." in page
    assert 'value="43"' in page
    assert "312 of 760 MB" in client.get("/models-install").content.decode()
    write(state, state="failed", reason="The disk is full.")
    page = client.get("/").content.decode()
    assert "The disk is full." in page
    assert "make run" not in page, "an annotator cannot do this"
    state.unlink()
    assert "models-install" not in client.get("/").content.decode()
    assert client.get("/models-install").content.decode().strip() == ""


@pytest.mark.django_db
def test_home_says_why_no_worker_runs(admin_client: Client, admin_user: User, state: Path) -> None:
    campaign = Campaign.objects.create(slug="demo", name="Demo", scale_min=1, scale_max=10)
    member_set(campaign=campaign, user=admin_user, role=Role.ADMIN)
    write(state, **INSTALLING)
    page = admin_client.get("/").content.decode()
    assert "The models are being installed, and the workers start afterwards: no photo waiting." in page
    assert "The site is well" not in page
    assert "0 workers" not in page
    write(state, state="failed", reason="The disk is full.")
    page = admin_client.get("/").content.decode()
    assert "No worker runs, because the models could not be installed: no photo waiting." in page


@pytest.mark.django_db
def test_the_bar_takes_no_query(
    admin_client: Client, state: Path, django_assert_max_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    campaign = Campaign.objects.create(slug="demo", name="Demo", scale_min=1, scale_max=10)
    for path in ("/", f"/campaigns/{campaign.slug}/", f"/campaigns/{campaign.slug}/annotate/"):
        admin_client.get(path)
        with CaptureQueriesContext(connection) as without:
            admin_client.get(path)
        write(state, **INSTALLING)
        with django_assert_max_num_queries(len(without)):
            admin_client.get(path)
        state.unlink()


@pytest.mark.django_db
def test_admins_read_what_to_do_after_a_failure(admin_client: Client, state: Path) -> None:
    write(state, state="failed", reason="The disk is full.")
    assert "make run" in admin_client.get("/").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("error", [ModelsComing("no"), WeightsMissing("no")])
def test_a_page_that_needs_the_models_says_when_it_comes(rf: RequestFactory, state: Path, error: Exception) -> None:
    middleware = ModelsComingMiddleware(lambda request: pytest.fail("not called"))
    page, call = rf.get("/campaigns/demo/calibration"), rf.get("/api/campaigns/demo/models")
    page.user = call.user = User.objects.create_user("somebody")
    page.campaign = call.campaign = None
    assert middleware.process_exception(page, error) is None, "everything is installed: a real error"
    write(state, **INSTALLING, seconds_left=41)
    assert middleware.process_exception(page, ValueError()) is None
    response = middleware.process_exception(page, error)
    assert response is not None
    assert (response.status_code, response.headers["Retry-After"]) == (503, "41")
    assert "This page comes when the models are installed" in response.content.decode()
    answer = middleware.process_exception(call, error)
    assert answer is not None
    assert json.loads(answer.content)["detail"] == "The models are being installed. Try again later."
    write(state, state="failed", reason="The disk is full.")
    response = middleware.process_exception(page, error)
    assert response is not None
    assert "could not be installed" in response.content.decode()


def test_the_gate_opens_when_everything_is_installed(state: Path) -> None:
    gate = ModelsGate()
    assert gate.find_spec("torch", None) is None
    write(state, **INSTALLING)
    with pytest.raises(ModelsComing):
        gate.find_spec("torch", None)
    assert gate.find_spec("scipy", None) is None
    assert gate.find_spec("iqs_site.torch", ["somewhere"]) is None


def test_held_programs_wait_in_the_configuration() -> None:
    text = configuration({}, {"web": ["a"], "beat": ["b"]}, held={"beat"})
    web, beat = text.partition("[program:beat]")[::2]
    assert "autostart=true" in web
    assert "autostart=false" in beat


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_the_gate_knows_every_package_that_the_web_pages_do_not_bring() -> None:
    """A new import of the models' packages has to be added to MODULES, one of the pages' to requirements-web.txt."""
    of_pages = {package.name for package in lock_read(WEB)}
    files = [path for app in ("annotation", "inference", "training", "iqs_site") for path in (ROOT / app).rglob("*.py")]
    found = {name for path in files if path.parent.name != "examples" for name in imported(path)}
    owners = {name: {canonicalize_name(owner) for owner in names} for name, names in packages_distributions().items()}
    assert {name for name in found & owners.keys() if not owners[name] & of_pages} == MODULES


PAGES = """
import os, sys, importlib.abc
class Gone(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if path is None and name in {names}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Gone())
import django; django.setup()
import importlib
for name in {roots}: importlib.import_module(name)
from iqs_site.demo import campaign, photos
from iqs_site.management.commands import quickstart, seed_demo
print("all imported")
"""


def test_the_pages_and_the_demo_are_imported_without_the_packages_of_the_models() -> None:
    code = PAGES.format(names=set(MODULES), roots=["iqs_site.urls", "iqs_site.wsgi"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "all imported", done.stderr


@pytest.mark.django_db
def test_home_and_rating_need_no_model(admin_client: Client, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = Campaign.objects.create(slug="demo", name="Demo", scale_min=1, scale_max=10)
    write(state, **INSTALLING)
    for name in [name for name in sys.modules if name.partition(".")[0] in MODULES]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [ModelsGate(), *sys.meta_path])
    assert admin_client.get("/").status_code == 200
    assert admin_client.get(f"/campaigns/{campaign.slug}/").status_code == 200
    assert admin_client.get(f"/campaigns/{campaign.slug}/annotate/").status_code == 200
