"""The reference pages must describe every setting, command, lane, endpoint and requirement."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from docs import licences

ROOT = Path(settings.BASE_DIR)
SETTING_READ = re.compile(r'env\.\w+\(\s*"([A-Z_]+)"|environ\.get\("([A-Z_]+)"\)')


def variables_read() -> set[str]:
    code = "".join((ROOT / "iqs_site" / name).read_text() for name in ("settings.py", "instance/embedded.py"))
    return {first or second for first, second in SETTING_READ.findall(code)}


def rows(page: str) -> set[str]:
    """Return the words in backticks at the start of the table rows of a reference page."""
    text = (ROOT / "docs/reference" / page).read_text()
    return set(re.findall(r"^\| `([^`]+)`", text, re.MULTILINE))


def test_exactly_the_existing_settings_are_described() -> None:
    assert rows("settings.md") == variables_read()


def test_every_management_command_is_described() -> None:
    our_commands = {
        name for name, app in get_commands().items() if app in {"iqs_site", "annotation", "inference", "training"}
    }
    described = {row.split()[0] for row in rows("commands.md")}
    assert our_commands <= described, f"not described: {sorted(our_commands - described)}"


def test_exactly_the_existing_lanes_of_the_queue_are_described() -> None:
    from annotation.services.lane_registry import lanes

    assert rows("queue.md") == {lane.name for lane in lanes()}


def test_files_named_in_contributing_exist() -> None:
    text = (ROOT / "docs" / "contributing.md").read_text()
    named = {
        name for name in re.findall(r"`([\w./-]+)`", text) if re.search(r"[a-z]/|\.(py|md|html|js|toml|yml)$", name)
    }
    assert len(named) > 50
    in_each_app = {"api.py", "urls.py", "views/", "management/commands/"}
    assert sorted(name for name in named - in_each_app if not (ROOT / name).exists()) == []


def test_contributing_has_a_section_for_everything_that_people_add() -> None:
    text = (ROOT / "docs" / "contributing.md").read_text()
    sections = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert sections >= {
        "Queue strategy",
        "Backbone",
        "Exchange format",
        "Metric",
        "Learning recipe",
        "Key binding",
        "Promotion rule",
        "Page",
        "Setting",
        "API endpoint",
    }


def test_contributing_shows_every_folder_of_the_apps() -> None:
    """The table has a row for each folder with code, except for the folders that every app has."""
    common = {"management", "migrations", "services", "selectors", "views", "templatetags", "weights", "demo", "smoke"}
    shown = rows("../contributing.md")
    for app in ("annotation", "inference", "training", "iqs_site"):
        folders = {path.name for path in (ROOT / app).iterdir() if path.is_dir() and not path.name.startswith("_")}
        missing = {f"{app}/{name}/" for name in folders - common} - shown
        assert not missing, f"not shown: {sorted(missing)}"


def test_every_make_target_is_described() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    described = {row.removeprefix("make ").split()[0] for row in rows("commands.md") if row.startswith("make ")}
    assert targets <= described, f"not described: {sorted(targets - described)}"


def test_every_endpoint_is_described() -> None:
    from iqs_site.api import api

    endpoints = {
        f"{method.upper()} {path}" for path, methods in api.get_openapi_schema()["paths"].items() for method in methods
    }
    described = rows("api.md")
    assert endpoints <= described, f"not described: {sorted(endpoints - described)}"


def test_every_requirement_is_listed_with_its_version_and_an_allowed_license() -> None:
    listed = {
        name: (version, license_name)
        for name, version, license_name in re.findall(
            r"^\| \*{0,2}([^ *|]+)\*{0,2} \| ([^ |]+) \| ([^|]+) \|$", licences.PAGE.read_text(), re.MULTILINE
        )
    }
    assert {name: listed[name][0] for name in licences.direct_requirements()} == licences.direct_requirements()
    assert not {name for name, (_, license_name) in listed.items() if licences.forbidden(license_name)}
    assert not {name for name, (_, license_name) in listed.items() if license_name == "not named"}


@pytest.mark.parametrize(
    ("license_name", "forbidden"),
    [
        *((name, True) for name in ("GPL-3.0-or-later", "GNU General Public License v2", "CC-BY-NC-4.0", "AGPL-3.0")),
        *((name, False) for name in ("LGPL-3.0-only", "LGPLv3", "MIT", "Apache-2.0")),
    ],
)
def test_forbidden_licenses_are_recognised(license_name: str, forbidden: bool) -> None:
    assert licences.forbidden(license_name) is forbidden


@pytest.mark.parametrize("page", sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")))
def test_links_between_pages_are_not_broken(page: str) -> None:
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (ROOT / page).parent.joinpath(target).exists(), f"{page} links to {target}, which does not exist"
