"""A backup of a site is restored into other servers, and is the same there. All with real servers and commands."""

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import connection

from annotation.models import Campaign, Image, ImportBatch, Membership, Role
from annotation.services.batches import batch_folder, folder_import
from annotation.services.photo_files import photo_files_verify
from inference.models import Feature
from iqs_site.backup.archive import BackupError
from iqs_site.backup.create import backup_make, settings_set
from tests.conftest import photo_bytes, photo_path, thumbnail_path
from tests.opinions_and_predictions import predictions_make, version_make, vote

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

COUNT = 5
TEXT = 'tab\t, line\nend, back\\slash, \\N, NULL, "quotes", Zürich ☃'


@pytest.fixture
def site(campaign: Campaign, people: dict[str, Any], tmp_path: Path) -> Campaign:
    """A campaign with photos, answers, features, predictions, a model and an upload that waits."""
    source = tmp_path / "photos"
    source.mkdir()
    for seed in range(COUNT):
        (source / f"photo-{seed}.jpg").write_bytes(photo_bytes(seed, width=400, height=300))
    folder_import(campaign=campaign, source=source)
    images = list(campaign.images.order_by("name"))
    for score, image in enumerate(images, 3):
        vote(image, people["alice"], score)
        Feature.objects.create(image=image, backbone="tiny@0", state="done", vector=bytes(range(256)))
    version = version_make(campaign)
    predictions_make(version, images, [5.0] * COUNT)
    version.path.mkdir(parents=True)
    (version.path / "heads.onnx").write_bytes(b"graph" * 1000)
    Campaign.objects.update(instructions=TEXT)
    batch = ImportBatch.objects.create(campaign=campaign, source="upload", state="queued", received=1)
    batch_folder(batch).mkdir(parents=True)
    (batch_folder(batch) / "waits.jpg").write_bytes(photo_bytes(99))
    # The ids of deleted rows are not used again.
    Membership.objects.filter(role=Role.ADMIN).delete()
    return campaign


@pytest.fixture
def backup(site: Campaign, tmp_path: Path) -> Path:
    path = tmp_path / "backup.tar"
    made = backup_make(path)
    assert (made.photos, made.left_out.count) == (COUNT, 0)
    return path


def manage(*words: str, var: Path, url: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
    given = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "SECRET_KEY")}
    given |= {"IQS_VAR": str(var), **({"DATABASE_URL": url} if url else {}), **environment}
    command = [sys.executable, str(Path(django_settings.BASE_DIR) / "manage.py"), *words]
    return subprocess.run(command, env=given, capture_output=True, text=True, check=False)


def checksums(path: Path) -> dict[str, str]:
    """Return {member: SHA-256} of a backup."""
    found: dict[str, str] = {}
    with tarfile.open(path) as tar:
        for info in tar.getmembers():
            if info.name.startswith("checksums/"):
                content = tar.extractfile(info)
                assert content is not None
                found |= {line[66:]: line[:64] for line in content.read().decode().splitlines()}
    return found


def sequences(path: Path) -> dict[str, Any]:
    import json

    with tarfile.open(path) as tar:
        content = tar.extractfile("manifest.json")
        assert content is not None
        return {table: facts["sequences"] for table, facts in json.load(content)["tables"].items()}


@pytest.mark.parametrize("server", ["embedded", "own"])
def test_a_restored_site_is_the_same(server: str, backup: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    var = tmp_path / "restored"
    url = request.getfixturevalue("empty_database") if server == "own" else ""
    done = manage("restore", str(backup), var=var, url=url)
    assert done.returncode == 0, done.stderr
    assert f"{COUNT} photos, all with the right checksums" in done.stdout
    again = tmp_path / "again.tar"
    done = manage("backup", str(again), var=var, url=url)
    assert done.returncode == 0, done.stderr
    first, second = checksums(backup), checksums(again)
    assert first == second
    assert len([name for name in first if name.startswith("media/")]) == 2 * COUNT
    assert any(name.startswith("uploads/") for name in first)
    assert sequences(backup) == sequences(again)
    assert (var / "secret_key").read_text() == django_settings.SECRET_KEY
    assert manage("migrate", "--check", var=var, url=url).returncode == 0
    verified = manage("verify_media", var=var, url=url)
    assert f"{COUNT} photos: 0 originals and 0 thumbnails missing" in verified.stdout
    # The foreign keys are back.
    refused = manage("restore", str(backup), var=var, url=url)
    assert (refused.returncode, "with --force" in refused.stderr) == (1, True)


def test_force_replaces_everything_and_a_failure_leaves_everything(
    backup: Path, tmp_path: Path, empty_database: str
) -> None:
    var = tmp_path / "restored"
    assert manage("restore", str(backup), var=var, url=empty_database).returncode == 0
    (var / "models" / "old").mkdir()
    with psycopg.connect(empty_database, autocommit=True) as server:
        server.execute("UPDATE annotation_campaign SET name = 'Changed'")
        server.execute("CREATE TABLE foreign_table (id int)")
    damaged = bytearray(backup.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "damaged.tar").write_bytes(damaged)
    done = manage("restore", str(tmp_path / "damaged.tar"), "--force", var=var, url=empty_database)
    assert (done.returncode, "is damaged" in done.stderr) == (1, True)
    with psycopg.connect(empty_database, autocommit=True) as server:
        names = "SELECT name FROM annotation_campaign"
        assert server.execute(names).fetchall() == [("Changed",)]
        assert (var / "models" / "old").exists()
        # Another program uses the database: this connection.
        done = manage("restore", str(backup), "--force", var=var, url=empty_database)
        assert (done.returncode, "Stop IQS" in done.stderr) == (1, True)
    done = manage("restore", str(backup), "--force", var=var, url=empty_database)
    assert done.returncode == 0, done.stderr
    with psycopg.connect(empty_database) as server:
        assert server.execute(names).fetchall() == [("Watches",)]
        assert server.execute("SELECT count(*) FROM foreign_table").fetchone() == (0,)
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            server.execute("UPDATE annotation_image SET campaign_id = 999999; SET CONSTRAINTS ALL IMMEDIATE")
    assert not (var / "models" / "old").exists()
    assert not list((var / "models").glob(".*"))


_EARLIER = """
import sys, django
django.setup()
from iqs_site.backup import database
from iqs_site.backup.archive import ArchiveWriter
with open(sys.argv[1], "wb") as file, database.snapshot():
    archive = ArchiveWriter(file, {"made_at": "then", "migrations": database.migrations_applied(), "settings": {}})
    tables = database.tables_write(archive, progress=lambda done, total: None)
    archive.finish({"tables": tables, "photos": 0, "left_out": 0})
"""


def test_a_backup_of_an_earlier_version_is_migrated(tmp_path: Path, empty_database: str) -> None:
    var, earlier = tmp_path / "var", tmp_path / "earlier.tar"
    assert manage("migrate", "annotation", "0005", var=var, url=empty_database).returncode == 0
    with psycopg.connect(empty_database) as server:
        server.execute("INSERT INTO auth_group (name) VALUES ('of then')")
    environment = {**os.environ, "DATABASE_URL": empty_database, "IQS_VAR": str(var)}
    environment["DJANGO_SETTINGS_MODULE"] = "iqs_site.settings"
    command = [sys.executable, "-c", _EARLIER, str(earlier)]
    subprocess.run(command, env=environment, cwd=django_settings.BASE_DIR, check=True)
    done = manage("restore", str(earlier), "--force", var=var, url=empty_database)
    assert done.returncode == 0, done.stderr
    assert manage("migrate", "--check", var=var, url=empty_database).returncode == 0
    with psycopg.connect(empty_database) as server:
        assert server.execute("SELECT name FROM auth_group").fetchall() == [("of then",)]


def test_a_backup_of_a_later_version_is_refused(backup: Path, tmp_path: Path, empty_database: str) -> None:
    data = backup.read_bytes()
    known = re.search(rb'"annotation",\s+"(0001_initial)"', data)
    assert known is not None
    later = tmp_path / "later.tar"
    later.write_bytes(data[: known.start(1)] + b"0999_initial" + data[known.end(1) :])
    done = manage("restore", str(later), var=tmp_path / "var", url=empty_database)
    assert done.returncode == 1
    assert "made by a newer version of IQS (it has the change annotation.0999_initial" in done.stderr
    assert done.stderr.count("\n") == 1


def test_missing_and_damaged_photos_are_named_and_the_rest_is_saved(site: Campaign, tmp_path: Path) -> None:
    images = list(Image.objects.order_by("name"))
    photo_path(images[0]).unlink()
    photo_path(images[1]).write_bytes(b"damage")
    thumbnail_path(images[2]).unlink()
    made = backup_make(tmp_path / "backup.tar")
    assert made.left_out.count == 2
    assert any(images[0].sha256 in sentence for sentence in made.left_out.first)
    names = checksums(tmp_path / "backup.tar")
    assert sum(name.startswith("media/") and "thumb" not in name for name in names) == COUNT - 2
    done = manage("restore", str(tmp_path / "backup.tar"), var=tmp_path / "restored")
    assert "2 files were missing or damaged when the backup was made" in done.stderr
    assert photo_files_verify().damaged == 2


def test_the_backup_is_of_one_moment_while_people_go_on(site: Campaign, tmp_path: Path) -> None:
    """Another connection changes two tables while the first one is written."""
    import json

    from iqs_site.backup import database as database_module

    parameters = connection.get_connection_params()
    changed: list[bool] = []

    def change(step: str, done: int, total: int) -> None:
        if not changed:
            changed.append(True)
            names = {
                key: parameters[key] for key in ("host", "port", "user", "password", "dbname") if parameters.get(key)
            }
            with psycopg.connect(**names) as other:
                other.execute("UPDATE annotation_campaign SET name = 'Later'")
                other.execute("DELETE FROM inference_prediction")

    backup_make(tmp_path / "backup.tar", report=change)
    assert changed
    assert Campaign.objects.get().name == "Later"
    with tarfile.open(tmp_path / "backup.tar") as tar:
        content = tar.extractfile("manifest.json")
        assert content is not None
        tables = json.load(content)["tables"]
    assert tables["inference_prediction"]["rows"] == COUNT
    assert tables["django_session"]["rows"] == 0
    assert "django_session" in database_module._WITHOUT_ROWS


def test_only_the_owner_can_read_the_file_and_no_half_of_it_appears(site: Campaign, tmp_path: Path) -> None:
    path = tmp_path / "backup.tar"

    def fail(step: str, done: int, total: int) -> None:
        if step == "photos":
            raise OSError(28, "No space left on device")

    with pytest.raises(BackupError, match="No space left on device"):
        backup_make(path, report=fail)
    assert not list(tmp_path.glob("*.tar")) + list(tmp_path.glob(".*part"))
    backup_make(path)
    assert path.stat().st_mode & 0o077 == 0


def test_settings_without_secrets_and_places_are_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IQS_BACKBONE", "resnet18")
    monkeypatch.setenv("IQS_MEDIA", "/media")
    monkeypatch.setenv("IQS_SOME_PASSWORD", "secret")
    assert settings_set()["IQS_BACKBONE"] == "resnet18"
    assert not {"IQS_MEDIA", "IQS_SOME_PASSWORD", "DATABASE_URL", "SECRET_KEY"} & settings_set().keys()
