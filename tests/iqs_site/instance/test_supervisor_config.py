"""The configuration of supervisord, read by supervisord's own parser."""

import shlex
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from iqs_site.instance.supervisor_config import configuration, environment

NAMES = ["100% of a name", "a ;b #c", 'it\'s "one" $HOME `x` \\ {y}', "Zürich 時計", "%(ENV_HOME)s"]


def parsed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ServerOptions:
    folder.mkdir()
    for variable, value in environment(folder, folder).items():
        monkeypatch.setenv(variable, value)
    (folder / "run").mkdir()
    (folder / "log").mkdir()
    file = folder / "run" / "supervisord.conf"
    servers = {"broker": ["valkey", "--dir", str(folder)]}
    file.write_text(configuration(servers, {"web": ["serve", "100%"], "once": ["x"]}, run_once=["once"]))
    options = ServerOptions()
    options.realize(["--configuration", str(file)])
    return options


@pytest.mark.parametrize("name", NAMES)
def test_every_folder_name_reaches_the_programs(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / name
    options = parsed(folder, monkeypatch)
    programs = {config.name: config for group in options.process_group_configs for config in group.process_configs}
    assert options.logfile == str(folder / "log" / "supervisord.log")
    assert programs["web"].stdout_logfile == str(folder / "log" / "web.log")
    assert shlex.split(programs["broker"].command) == ["valkey", "--dir", str(folder)]
    assert shlex.split(programs["web"].command) == ["serve", "100%"]


def test_the_site_is_stopped_before_the_servers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    groups = {config.name: config for config in parsed(tmp_path / "var", monkeypatch).process_group_configs}
    assert groups["servers"].priority < groups["site"].priority
    assert [config.name for config in groups["site"].process_configs] == ["web", "once"]


def test_programs_that_end_by_themselves_are_not_restarted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    options = parsed(tmp_path / "var", monkeypatch)
    programs = {config.name: config for group in options.process_group_configs for config in group.process_configs}
    assert programs["once"].autorestart != programs["web"].autorestart


def test_files_of_the_programs_are_for_their_owner_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert parsed(tmp_path / "var", monkeypatch).umask == 0o077
