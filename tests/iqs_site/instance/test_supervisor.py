"""Start errors and the configuration of the supervisor. The tests in tests/services start real instances."""

from pathlib import Path

import pytest

from iqs_site.instance.supervisor import Instance, InstanceError, programs
from tests.iqs_site.test_containers import command_of


@pytest.mark.parametrize(
    ("variable", "url"),
    [("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none"), ("REDIS_URL", "redis://127.0.0.1:1/0")],
)
def test_a_start_without_a_server_fails_and_does_not_lock_the_folder(
    variable: str, url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(variable, url)
    for _ in range(2):
        with pytest.raises(InstanceError, match=f"{variable} does not answer"), Instance(tmp_path):
            pass


def test_the_error_for_a_folder_that_cannot_be_created_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(InstanceError, match=r"file/var of IQS_VAR cannot be created"),
        Instance(tmp_path / "file" / "var"),
    ):
        pass


def test_an_instance_that_is_not_running_has_no_processes_and_no_status_changes(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    assert not instance.is_running()
    assert instance.pids("web") == []
    assert instance.status_changes() == []


@pytest.mark.parametrize("name", ["worker-inference", "worker-single", "worker-training"])
def test_workers_have_the_same_queues_and_threads_as_in_containers(name: str) -> None:
    local = programs(host="127.0.0.1", port=8000)[name]
    container = command_of(name)
    for option in ("--queues", "--pool", "--concurrency", "--hostname"):
        assert local[local.index(option) + 1] == container[container.index(option) + 1]


def test_the_web_server_has_the_same_command_as_in_containers() -> None:
    local, container = programs(host="0.0.0.0", port=8000)["web"], command_of("web")
    assert local[local.index("gunicorn") :] == container
