"""Each function accepts right values and refuses wrong ones with a sentence that names the variable."""

import os
import stat
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from iqs_site import env

KEY = "0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def value(monkeypatch: pytest.MonkeyPatch):
    def set_value(text: str) -> None:
        monkeypatch.setenv("NAME", text)

    return set_value


@pytest.mark.parametrize(
    ("text", "number"), [("7", 7), (" 7 ", 7), ("+7", 7), ("007", 7), ("", 3), ("0", 0), ("-0", 0)]
)
def test_whole_numbers(text: str, number: int, value) -> None:
    value(text)
    assert env.integer("NAME", 3, maximum=10) == number


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("soon", "must be a whole number, not 'soon'."),
        ("1_0", "must be a whole number, not '1_0'."),
        ("٣", "must be a whole number, not '٣'."),
        ("1e3", "must be a whole number"),
        ("7.0", "must be a whole number"),
        ("0x7", "must be a whole number"),
        ("-1", "must be at least 0, not -1."),
        ("11", "must be at most 10, not 11."),
        ("9" * 5000, "must be at most 10, not 999"),
        ("-" + "9" * 5000, "must be at least 0, not -999"),
    ],
)
def test_wrong_numbers(text: str, problem: str, value) -> None:
    value(text)
    with pytest.raises(ImproperlyConfigured) as refused:
        env.integer("NAME", 3, maximum=10)
    assert str(refused.value).startswith(f"NAME {problem}")
    assert len(str(refused.value)) < 150


@pytest.mark.parametrize("text", ["yes", "No", " TRUE ", "0", "off", ""])
def test_flags(text: str, value) -> None:
    value(text)
    assert env.flag("NAME", True) == (text.strip().lower() in {"yes", "true"})


@pytest.mark.parametrize("text", ["maybe", "yes please", "2"])
def test_wrong_flags(text: str, value) -> None:
    value(text)
    with pytest.raises(ImproperlyConfigured, match=r"^NAME must be yes or no, not "):
        env.flag("NAME", True)


def test_the_case_of_a_choice_does_not_matter(value) -> None:
    value("info")
    assert env.choice("NAME", "DEBUG", ("DEBUG", "INFO")) == "INFO"


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Etc/GMT+5", "America/Argentina/Salta", ""])
def test_time_zones(zone: str, value) -> None:
    value(zone)
    assert env.time_zone("NAME", "UTC") == (zone or "UTC")


@pytest.mark.parametrize(
    "zone",
    [
        "CEST",
        "Europe",
        "Europe/",
        "Berlin",
        "+02:00",
        "/etc/passwd",
        "../../etc/passwd",
        "localtime",
        "posix/UTC",
        "zone.tab",
        "x" * 5000,
    ],
)
def test_wrong_time_zones(zone: str, value) -> None:
    value(zone)
    with pytest.raises(ImproperlyConfigured, match=r"^NAME must be a time zone such as Europe/Berlin or UTC, not "):
        env.time_zone("NAME", "UTC")


@pytest.mark.parametrize(
    "text",
    ["example.org", ".example.org, 127.0.0.1", "[::1]", "*", "localhost", "a_b.internal", "xn--bcher-kva.example"],
)
def test_hosts(text: str, value) -> None:
    value(text)
    assert env.hosts("NAME", "") == [word.strip() for word in text.split(",")]


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org",
        "example.org:8000",
        "example.org/path",
        "a b",
        "::1",
        "*.example.org",
        "bücher.example",
        ",",
    ],
)
def test_wrong_hosts(text: str, value) -> None:
    value(text)
    with pytest.raises(ImproperlyConfigured, match=r"^NAME (must have only host names|names no host)"):
        env.hosts("NAME", "")


@pytest.mark.parametrize(
    "text", ["https://example.org", "http://127.0.0.1:8000,https://[::1]:443", "https://*.example.org", ""]
)
def test_origins(text: str, value) -> None:
    value(text)
    assert env.origins("NAME") == [word for word in text.split(",") if word]


@pytest.mark.parametrize(
    "text",
    [
        "example.org",
        "//example.org",
        "https://",
        "https://example.org/",
        "https://example.org/path",
        "ftp://example.org",
        "https://a b",
        "https://me@example.org",
        "https://example.org:99999",
        "https://example.org:x",
        "https://[::1",
        "*",
    ],
)
def test_wrong_origins(text: str, value) -> None:
    value(text)
    with pytest.raises(ImproperlyConfigured, match=r"^NAME must have only origins such as https://example.org, not "):
        env.origins("NAME")


@pytest.mark.parametrize(
    "url", ["postgresql://u:p@host:5432/name", "postgres:///name", "postgresql://u@%2Ftmp%2Fx/name?sslmode=require"]
)
def test_databases(url: str, value) -> None:
    value(url)
    assert env.database("NAME", "")["NAME"] == "name"


def test_the_address_can_switch_prepared_statements_off(value) -> None:
    value("postgresql://u:p@host/name")
    assert env.database("NAME", "")["OPTIONS"]["server_side_binding"] is True
    value("postgresql://u:p@host/name?server_side_binding=false")
    assert env.database("NAME", "")["OPTIONS"]["server_side_binding"] is False


@pytest.mark.parametrize(
    "url",
    [
        "mysql://h/n",
        "no address",
        "postgresql://u:secret@h:port/n",
        "postgresql://u:secret@h:99999/n",
        "postgresql://[::1/n",
        "postgresql://u:secret@h/",
        "postgresql://u:secret@h",
        "postgresql://u:secret@h/n?colour=red",
        "sqlite:///x.db",
        "postgresql://u:secret@h/" + "n" * 64,
    ],
)
def test_wrong_databases(url: str, value) -> None:
    value(url)
    with pytest.raises(ImproperlyConfigured, match=r"^NAME ") as refused:
        env.database("NAME", "")
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["redis://h:6379/0", "redis://:p@h", "rediss://h/1", "unix:///tmp/x.sock", "unix:///x?db=3"]
)
def test_brokers(url: str, value) -> None:
    value(url)
    assert env.redis("NAME", "") == url


@pytest.mark.parametrize(
    "url",
    [
        "http://h",
        "redis://",
        "redis://h:port",
        "redis://h:99999",
        "redis://:secret@h/a",
        "unix://",
        "unix:///x?db=a",
        "h:6379",
    ],
)
def test_wrong_brokers(url: str, value) -> None:
    value(url)
    with pytest.raises(ImproperlyConfigured, match=r"^NAME must be redis://host:port/number") as refused:
        env.redis("NAME", "")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "key",
    [
        "x",
        KEY[:31],
        "a" * 64,
        "ab" * 32,
        "django-insecure-" + KEY,
        KEY + "\udcff",
        "1234567" * 8,
    ],
)
def test_keys_that_can_be_guessed(key: str, value, tmp_path: Path) -> None:
    value(key)
    with pytest.raises(ImproperlyConfigured, match=r"^NAME (can be guessed|must be UTF-8)") as refused:
        env.secret("NAME", tmp_path / "key")
    assert key not in str(refused.value) or len(key) == 1


def test_a_key_is_made_once_and_for_its_owner_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NAME", raising=False)
    key = env.secret("NAME", tmp_path / "key")
    assert len(key) >= 50
    assert env.secret("NAME", tmp_path / "key") == key
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_an_empty_key_file_of_a_full_disk_gets_a_key(tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    assert len(env.secret("NAME", tmp_path / "key")) >= 50


def test_a_key_file_that_others_could_read_is_closed(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "key").chmod(0o644)
    assert env.secret("NAME", tmp_path / "key") == KEY
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_a_key_in_a_wrong_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^the file .* of NAME cannot be used \(Is a directory\)\.$"):
        env.secret("NAME", tmp_path)


@pytest.mark.parametrize("text", ["postgresql://u:secret@h/n\n", "postgresql://u:secret@h/\udcff"])
def test_text_that_is_no_text_is_refused_without_showing_it(text: str, value) -> None:
    value(text)
    with pytest.raises(ImproperlyConfigured) as refused:
        env.database("NAME", "")
    assert str(refused.value) == "NAME must be UTF-8 text without control characters."


def test_an_empty_variable_is_not_set(value) -> None:
    value("")
    assert env.text("NAME", "default") == "default"
    assert env.hosts("NAME", "a,b") == ["a", "b"]
    assert env.path("NAME", Path("/x")) == Path("/x")


@pytest.mark.parametrize(("is_private", "mode"), [(True, 0o700), (False, 0o755)])
def test_a_new_folder_is_for_its_owner_only_unless_it_is_public(
    is_private: bool, mode: int, value, tmp_path: Path
) -> None:
    value(str(tmp_path / "a"))
    before = os.umask(0)
    try:
        assert env.folder("NAME", Path("/x"), is_private=is_private) == tmp_path / "a"
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode
        (tmp_path / "a").chmod(0o755)
        env.folder("NAME", Path("/x"), is_private=is_private)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode
