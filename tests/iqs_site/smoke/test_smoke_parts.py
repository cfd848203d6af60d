"""The parts of the smoke run: labels, report and temporary servers."""

import io
import json
import os
import tempfile
from pathlib import Path

import psycopg
import pytest

from annotation.exchange.labels import LabelsError
from iqs_site.smoke.labels import labels_read
from iqs_site.smoke.report import Report, StepError
from iqs_site.smoke.temporary_servers import ServerError, _numbered, temporary_broker, temporary_database


def test_labels_are_read_and_other_columns_are_ignored(tmp_path: Path):
    file = tmp_path / "photos.csv"
    file.write_text("\ufefffile,watch,source\na.jpg,1,x\nb.jpg,0,y\nc.jpg,yes,\n", encoding="utf-8")

    assert labels_read(file) == {"a.jpg": True, "b.jpg": False, "c.jpg": True}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("name,watch\na.jpg,1\n", r"missing: file \(found: name, watch\)"),
        ("", r"missing: file and watch \(found: nothing\)"),
        ("file,watch\na.jpg,maybe\n", "line 2: 'watch' must be 1 or 0, not 'maybe'"),
        ("file,watch\na.jpg\n", "line 2: 'watch' must be 1 or 0, not None"),
    ],
)
def test_the_error_for_a_wrong_label_file_is_one_sentence(tmp_path: Path, content: str, sentence: str):
    file = tmp_path / "photos.csv"
    file.write_text(content)

    with pytest.raises(LabelsError, match=sentence):
        labels_read(file)


def test_a_missing_or_binary_label_file_is_refused(tmp_path: Path):
    with pytest.raises(LabelsError, match="cannot be read"):
        labels_read(tmp_path / "none.csv")
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(LabelsError, match="cannot be read"):
        labels_read(tmp_path / "photo.jpg")


def test_a_report_has_a_json_line_per_step_and_a_summary():
    out, messages = io.StringIO(), io.StringIO()
    report = Report(out, messages)

    with report.step("start") as facts:
        facts["port"] = 8120
    assert report.finish({"images": 3})

    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert lines[0] == {"step": "start", "ok": True, "seconds": lines[0]["seconds"], "port": 8120}
    assert lines[1] == {"ok": True, "images": 3, "seconds_per_step": {"start": lines[0]["seconds"]}}
    assert messages.getvalue() == "smoke: start …\n"


def test_after_a_failed_check_the_run_continues_and_ends_with_ok_false():
    out = io.StringIO()
    report = Report(out, io.StringIO())

    with report.step("import"):
        report.check(False, "3 photos are missing.")
        report.check(True, "never seen")
    with report.step("predict"):
        pass
    assert not report.finish({})

    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["ok"] for line in lines] == [False, True, False]
    assert lines[0]["failed"] == lines[2]["failed"] == ["3 photos are missing."]


def test_an_exception_ends_the_run_and_the_failure_names_the_step():
    out = io.StringIO()
    report = Report(out, io.StringIO())

    with pytest.raises(StepError), report.step("predict"):
        raise TimeoutError("no worker is alive")

    assert report.failures == ["predict: no worker is alive"]
    assert json.loads(out.getvalue())["ok"] is False


def test_a_temporary_database_is_created_on_the_given_server_and_dropped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    given = os.environ["DATABASE_URL"]
    with temporary_database(tmp_path) as url:
        with psycopg.connect(url) as connection:
            (name,) = connection.execute("SELECT current_database()").fetchone()  # type: ignore[misc]
            connection.execute("CREATE TABLE left_behind (id int)")
        assert name.startswith("iqs_smoke_")

    with psycopg.connect(given) as connection:
        assert connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None


@pytest.mark.slow  # starts a real database server
def test_without_a_given_server_an_embedded_database_is_used(monkeypatch: pytest.MonkeyPatch):
    from iqs_site.instance import embedded

    monkeypatch.delenv("DATABASE_URL")
    with tempfile.TemporaryDirectory(prefix="iqs-t-") as name, temporary_database(Path(name)) as url:
        with psycopg.connect(url) as connection:
            tables = connection.execute("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'")
            assert tables.fetchone() == (0,)
        embedded.postgres_detach(Path(name))


def test_the_error_for_a_database_server_that_does_not_answer_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")

    with pytest.raises(ServerError, match=r"^DATABASE_URL: no database can be created"), temporary_database(tmp_path):
        pass


def test_the_error_for_a_broker_that_does_not_answer_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")

    with pytest.raises(ServerError, match=r"^REDIS_URL: the server does not answer"), temporary_broker(tmp_path):
        pass


@pytest.mark.slow  # starts a real broker
def test_a_temporary_broker_has_an_empty_database_number_and_other_keys_are_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    import redis

    from iqs_site.instance import embedded

    with embedded.valkey_running(tmp_path) as given:
        monkeypatch.setenv("REDIS_URL", given)
        with redis.Redis.from_url(f"{given}?db=15") as client:
            client.set("kept", "1")
        with temporary_broker(tmp_path) as url:
            assert url.endswith("?db=14")
            with redis.Redis.from_url(url) as client:
                client.set("ours", "1")
        with redis.Redis.from_url(url) as client:
            assert client.dbsize() == 0
        with redis.Redis.from_url(f"{given}?db=15") as client:
            assert client.get("kept") == b"1"


def test_database_numbers_are_added_to_both_kinds_of_addresses():
    assert _numbered("redis://user:word@host:6379/0", 3) == "redis://user:word@host:6379/3"
    assert _numbered("unix:///tmp/valkey.sock", 3) == "unix:///tmp/valkey.sock?db=3"
