"""The container files agree with the code. (Tests cannot build containers.)"""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
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
