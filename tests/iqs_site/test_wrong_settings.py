"""A wrong setting stops every program with one sentence and without a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.iqs_site.instance.small_disk import small_disk

ROOT = Path(settings.BASE_DIR)

# How each program loads the settings. The commands end by themselves, also when the settings are right.
PROGRAMS = {
    "manage.py": [sys.executable, "manage.py", "check"],
    "make run": [sys.executable, "manage.py", "quickstart", "--no-demo", "--port", "0"],
    "gunicorn": [sys.executable, "-m", "gunicorn", "iqs_site.wsgi", "--preload", "--check-config"],
    "gunicorn without preload": [sys.executable, "-m", "gunicorn", "iqs_site.wsgi", "--bind", "127.0.0.1:0"],
    "worker": [sys.executable, "-m", "celery", "-A", "iqs_site", "worker"],
    "beat": [sys.executable, "-m", "celery", "-A", "iqs_site", "beat"],
}


def output_of(command: list[str], **environment: str | bytes) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        errors="backslashreplace",
        timeout=120,
        check=False,
    )


def sentence_of(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the one line of a program that refuses to start."""
    assert "Traceback" not in done.stderr + done.stdout
    assert done.returncode != 0
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("iqs: ")]
    return line.removeprefix("iqs: ")


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    ("variable", "value", "beginning"),
    [
        ("TIME_ZONE", "CEST", "TIME_ZONE must be a time zone such as Europe/Berlin or UTC, not 'CEST'."),
        ("IQS_VAR", "/dev/null/var", "the folder /dev/null/var of IQS_VAR cannot be created"),
        ("IQS_BACKBONE", "resnet", "Unknown backbone 'resnet'; choose one of "),
    ],
)
def test_every_program_says_one_sentence(program: str, variable: str, value: str, beginning: str) -> None:
    assert sentence_of(output_of(PROGRAMS[program], **{variable: value})).startswith(beginning)


@pytest.mark.parametrize("program", ["gunicorn", "manage.py"])
def test_right_settings_start(program: str) -> None:
    done = output_of(PROGRAMS[program])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "beginning"),
    [
        ("IQS_VAR", b"/tmp/caf\xe9", "the folder name /tmp/caf\\udce9 of IQS_VAR is not UTF-8"),
        ("IQS_VAR", "/tmp/" + "x" * 300, "the folder /tmp/xxx"),
        ("IQS_VAR", "/tmp/" + "/".join(["x" * 100] * 9), "the path /tmp/xxx"),
        ("IQS_VAR", "~no-such-user/var", "the folder ~no-such-user/var of IQS_VAR cannot be found"),
        ("IQS_VAR", "/tmp", "the folder /tmp of IQS_VAR is shared by all users; use a folder of its own."),
        ("IQS_VAR", "/tmp/a\nb", "the folder name '/tmp/a\\nb' of IQS_VAR has a control character"),
        ("IQS_MEDIA", "/dev/null", "the folder /dev/null of IQS_MEDIA cannot be created"),
        ("IQS_MODELS", b"/tmp/\xff", "the folder name /tmp/\\udcff of IQS_MODELS is not UTF-8"),
        ("SECRET_KEY", "x", "SECRET_KEY can be guessed; it must be random and have at least 32 characters"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL must be DEBUG or INFO or WARNING or ERROR or CRITICAL, not 'LOUD'."),
        ("DATABASE_URL", "postgresql://h:port/x", "DATABASE_URL must name a PostgreSQL database"),
        ("REDIS_URL", "http://h", "REDIS_URL must be redis://host:port/number"),
        ("IQS_BACKBONE_WEIGHTS", "/nowhere.pth", "The weight file /nowhere.pth does not exist"),
    ],
)
def test_a_wrong_value_is_one_sentence(variable: str, value: str | bytes, beginning: str) -> None:
    assert sentence_of(output_of(PROGRAMS["manage.py"], **{variable: value})).startswith(beginning)


@pytest.mark.parametrize("host", ["no host", "256.1.1.1", "a" * 70, "a..b", "http://x"])
def test_a_wrong_address_to_listen_on_is_one_sentence(host: str) -> None:
    assert "IQS_HOST=" in sentence_of(output_of(PROGRAMS["make run"], IQS_HOST=host))


def test_a_path_of_600_characters_works(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["x" * 90] * 6)
    done = output_of([sys.executable, "manage.py", "migrate", "--check"], IQS_VAR=str(folder), DATABASE_URL="")
    assert "Traceback" not in done.stderr
    assert done.returncode == 1  # the migrations of the new database have not run
    assert (folder / "postgres" / "PG_VERSION").exists()


def test_a_read_only_folder_of_all_data_is_one_sentence(tmp_path: Path) -> None:
    with small_disk(tmp_path, 1):
        subprocess.run(["mount", "-o", "remount,ro", tmp_path], check=True)
        for name in ("manage.py", "make run"):
            sentence = sentence_of(output_of(PROGRAMS[name], IQS_VAR=str(tmp_path), DATABASE_URL=""))
            assert sentence == f"the folder {tmp_path} of IQS_VAR is not writable; its file system is read-only."


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write into every folder")
@pytest.mark.parametrize("part", ["run", "log"])
def test_a_read_only_part_of_it_is_one_sentence(part: str, tmp_path: Path) -> None:
    (tmp_path / part).mkdir(mode=0o500)
    sentence = sentence_of(output_of(PROGRAMS["make run"], IQS_VAR=str(tmp_path), DATABASE_URL=""))
    assert str(tmp_path / part) in sentence
