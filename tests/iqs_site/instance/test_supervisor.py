"""Errors at the start and the configuration of the supervisor. tests/services starts real instances."""

from pathlib import Path

import pytest

from iqs_site.instance.supervisor import Instance, InstanceError, programs
from tests.iqs_site.test_containers import words


@pytest.mark.parametrize(
    ("variable", "url"),
    [("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none"), ("REDIS_URL", "redis://127.0.0.1:1/0")],
)
def test_a_server_that_does_not_answer_ends_the_start_and_leaves_the_folder_free(
    variable: str, url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(variable, url)
    for _ in range(2):
        with pytest.raises(InstanceError, match=f"{variable} does not answer"), Instance(tmp_path):
            pass


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
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


@pytest.mark.parametrize("name", ["worker-inference", "worker-training"])
def test_workers_have_the_same_queues_and_threads_as_in_containers(name: str) -> None:
    here = programs(host="127.0.0.1", port=8000)[name]
    there = words(name)
    for option in ("--queues", "--pool", "--concurrency", "--hostname"):
        assert here[here.index(option) + 1] == there[there.index(option) + 1]


def test_the_web_server_has_the_same_command_as_in_containers() -> None:
    here, there = programs(host="0.0.0.0", port=8000)["web"], words("web")
    assert here[here.index("gunicorn") :] == there
