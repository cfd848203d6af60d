"""The error of a command that cannot run is one sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from inference.networks.config import EFFICIENTNET_LITE0
from iqs_site.management.commands.quickstart import Command


def manage(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "variable", "value", "sentence"),
    [
        (["check"], "IQS_SWEEP_SECONDS", "soon", "iqs: IQS_SWEEP_SECONDS must be a whole number, not 'soon'.\n"),
        (["check"], "IQS_VAR", "/dev/null/var", "iqs: the folder /dev/null/var of IQS_VAR cannot be created"),
        (["migrate"], "DATABASE_URL", "postgresql://x@127.0.0.1:1/x", "iqs: the database does not answer: "),
        (["quickstart"], "PORT", "http", "iqs: PORT must be a whole number, not 'http'.\n"),
        (["quickstart"], "IQS_BACKBONE", "resnet", "iqs: Unknown backbone 'resnet'; choose one of "),
    ],
)
def test_the_error_for_a_wrong_value_is_one_sentence(
    arguments: list[str], variable: str, value: str, sentence: str
) -> None:
    finished = manage(*arguments, **{variable: value})
    assert finished.returncode == 1
    assert finished.stderr.startswith(sentence)
    assert finished.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [["refresh_consensus"], ["import_images", "watches", "photos"]])
def test_a_database_without_tables_is_named_in_one_sentence(command: list[str], empty_database: str) -> None:
    finished = manage(*command, DATABASE_URL=empty_database)
    assert finished.returncode == 1
    assert (
        finished.stderr == "iqs: the database is empty, or of an older version of IQS. Run `manage.py migrate` first.\n"
    )


def test_the_variable_HOST_of_the_shell_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "192.0.2.1")
    assert Command().create_parser("manage.py", "quickstart").parse_args([]).host == "127.0.0.1"


def test_the_error_for_a_missing_weight_file_is_one_sentence(tmp_path: Path) -> None:
    # A package with the same name hides the installed one. It does not have the file.
    package = tmp_path / EFFICIENTNET_LITE0.weights_package
    package.mkdir()
    (package / "__init__.py").touch()
    finished = manage("quickstart", PYTHONPATH=str(tmp_path))
    assert finished.returncode == 1
    assert finished.stderr.startswith("iqs: The weights of efficientnet_lite0 are missing (")
    assert finished.stderr.count("\n") == 1
