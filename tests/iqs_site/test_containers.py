"""The container files agree with the code. (Tests cannot build containers.)"""

import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
BUILT_SERVICES = [name for name, service in SERVICES.items() if "build" in service]


def command_of(service: str) -> list[str]:
    command = SERVICES[service]["command"]
    return shlex.split(command) if isinstance(command, str) else command


def test_every_part_of_an_installation_has_a_service() -> None:
    assert {"web", "worker-inference", "worker-single", "worker-training", "beat", "redis", "postgres"} <= set(SERVICES)


def test_workers_take_tasks_from_every_queue() -> None:
    queues_of_workers = set()
    for service in SERVICES:
        if service.startswith("worker"):
            command = command_of(service)
            queues_of_workers |= set(command[command.index("--queues") + 1].split(","))
    queues_of_tasks = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()} | {
        settings.CELERY_TASK_DEFAULT_QUEUE
    }
    assert queues_of_workers == queues_of_tasks


def test_workers_leave_the_processors_to_the_pages_and_the_database() -> None:
    shares = {name: service.get("cpu_shares", 1024) for name, service in SERVICES.items()}
    workers = {name for name in SERVICES if name.startswith("worker")}
    assert {name for name, share in shares.items() if share < 1024} == workers


def test_celery_commands_use_the_application_of_the_code() -> None:
    from iqs_site import celery_app

    assert celery_app.main == "iqs"
    for service in ("worker-inference", "worker-single", "worker-training", "beat"):
        assert command_of(service)[:3] == ["celery", "-A", "iqs_site"]


def test_the_web_command_is_the_default_of_the_image_and_its_port_is_on_loopback_only() -> None:
    docker = (ROOT / "Dockerfile").read_text()
    default = re.search(r"^CMD (\[.*\])$", docker, re.MULTILINE)
    assert default is not None
    assert yaml.safe_load(default[1]) == command_of("web")
    port = command_of("web")[command_of("web").index("--bind") + 1].rpartition(":")[2]
    assert SERVICES["web"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f"EXPOSE {port}" in docker


def test_wsgi_module_of_the_web_command_is_the_configured_one() -> None:
    module, _, attribute = command_of("web")[1].partition(":")
    assert f"{module}.{attribute}" == settings.WSGI_APPLICATION


@pytest.mark.parametrize("service", BUILT_SERVICES)
def test_the_code_reads_every_setting_of_the_containers(service: str) -> None:
    code = (ROOT / "iqs_site/settings.py").read_text() + (ROOT / "iqs_site/instance/embedded.py").read_text()
    for name in SERVICES[service]["environment"]:
        assert f'"{name}"' in code, f"the settings do not read {name}"


#: The image decides these.
SET_BY_THE_IMAGE = {"IQS_VAR", "IQS_STATIC", "IQS_MEDIA", "IQS_MODELS"}


@pytest.mark.parametrize("service", BUILT_SERVICES)
def test_every_documented_setting_reaches_the_containers(service: str) -> None:
    table = (ROOT / "docs/reference/settings.md").read_text().partition("\n## ")[0]
    documented = set(re.findall(r"^\| `([A-Z_]+)`", table, re.MULTILINE))
    assert documented - SET_BY_THE_IMAGE - {"DEBUG"} <= set(SERVICES[service]["environment"])


@pytest.mark.parametrize("service", sorted(set(BUILT_SERVICES) - {"migrate"}))
def test_every_service_has_a_health_check_and_time_to_stop(service: str) -> None:
    check = SERVICES[service]["healthcheck"]["test"]
    assert check[:4] == ["CMD", "python", "-P", "iqs_site/container_health.py"]
    kind, _, queue = service.partition("-")
    assert check[4:] == [kind, *([queue] if queue else [])]
    assert "stop_grace_period" in SERVICES[service]


def test_workers_have_the_names_that_their_health_checks_ask() -> None:
    for service in BUILT_SERVICES:
        if service.startswith("worker"):
            command = command_of(service)
            assert command[command.index("--hostname") + 1] == f"{service.removeprefix('worker-')}@%h"


def test_the_proxy_buffers_requests_limits_them_and_starts_only_for_https() -> None:
    proxy = SERVICES["proxy"]
    assert proxy["profiles"] == ["https"]
    assert "./Caddyfile:/etc/caddy/Caddyfile:ro" in proxy["volumes"]
    caddy = (ROOT / "Caddyfile").read_text()
    for part in ("reverse_proxy web:8000", "request_buffers", "max_size", "X-Forwarded-Proto {scheme}"):
        assert part in caddy


def allowed_in_the_image() -> list[str]:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*", "everything is left out first"
    return [line.removeprefix("!") for line in lines if line.startswith("!")]


def test_only_the_files_of_the_app_are_in_the_image() -> None:
    assert set(allowed_in_the_image()) == {
        "annotation", "inference", "iqs_site", "training", "templates", "static", "manage.py", "LICENSE",
        "dependencies", "docs", "requirements-web.lock", "requirements.lock",
        "requirements-cpu.lock", "requirements-cuda.lock",
    }  # fmt: skip


@pytest.mark.slow
def test_the_commands_of_the_image_run_in_a_folder_with_only_its_files(tmp_path: Path) -> None:
    for name in allowed_in_the_image():
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / name)
    build = re.search(r"^RUN (SECRET_KEY=.* manage\.py collectstatic .*)$", DOCKERFILE, re.MULTILINE)
    assert build is not None
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    folders = {"IQS_VAR": str(tmp_path / "var"), "IQS_STATIC": str(tmp_path / "static-files")}
    environment = {"PATH": programs, "DATABASE_URL": "postgresql://build@localhost/build", **folders}
    run = partial(subprocess.run, cwd=tmp_path, env=environment, check=True, capture_output=True)
    run(["sh", "-c", build[1]])
    assert (tmp_path / "static-files" / "css" / "site.css").exists()
    production = {
        "SECRET_KEY": secrets.token_hex(32),
        "HTTPS": "yes",
        "ALLOWED_HOSTS": "photos.example.org",
        "IQS_PROXIES": "1",
    }
    environment |= production
    checked = run([sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"])
    assert b"no issues" in checked.stdout
    run([sys.executable, "-m", "gunicorn", "--check-config", *command_of("web")[1:]])


def test_secrets_come_from_the_environment() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert "${SECRET_KEY:?" in text
    assert not re.search(r"(PASSWORD|SECRET_KEY): (?!\$\{)", text)


def test_images_are_pinned_to_a_release() -> None:
    for name, service in SERVICES.items():
        if "image" in service:
            assert re.search(r":\d+\.\d+", service["image"]), name
    assert re.search(r"^FROM python:3\.11", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def test_named_volumes_are_declared() -> None:
    used = {
        mount.partition(":")[0]
        for service in SERVICES.values()
        for mount in service.get("volumes", [])
        if not mount.startswith((".", "/"))
    }
    assert used == set(COMPOSE["volumes"])


def test_static_files_are_in_the_image_and_not_in_the_volume() -> None:
    """A volume would keep the static files of an old version."""
    docker = (ROOT / "Dockerfile").read_text()
    folder = re.search(r"^ENV .*\bIQS_STATIC=(\S+)", docker, re.MULTILINE)
    assert folder is not None
    assert f" {folder[1]} " in docker.replace("\n", " "), "the folder is not created"
    for service in BUILT_SERVICES:
        for volume in SERVICES[service]["volumes"]:
            assert not f"{folder[1]}/".startswith(volume.partition(":")[2].rstrip("/") + "/")
