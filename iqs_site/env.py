"""Reads settings from environment variables. A wrong value stops the start with one clear sentence."""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured

from iqs_site.instance.private_files import FolderError, folder_make, folder_path

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}
_SECRET_LENGTH, _SECRET_CHARACTERS = 32, 8
_DATABASE_NAME_BYTES = 63
_DJANGO_OPTIONS = {"assume_role", "isolation_level", "pool", "server_side_binding", "service"}  # not of PostgreSQL
# A name or an address, as in the Host header: `example.org`, `.example.org` with all names below it, `[::1]`, `*`.
_HOST = re.compile(r"\*|\[[0-9A-Fa-f:.]+\]|\.?[\w-]+(\.[\w-]+)*\.?", re.ASCII)
_NO_ZONES = {"localtime", "posixrules", "Factory"}  # files of the zone database that PostgreSQL has no name for


def text(name: str, default: str) -> str:
    """Return the variable unchanged, or `default` when it is not set or empty. Raises ImproperlyConfigured."""
    value = os.environ.get(name) or default
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", value):
        # Without the value, which may have a password.
        raise ImproperlyConfigured(f"{name} must be UTF-8 text without control characters.")
    return value


def flag(name: str, default: bool) -> bool:
    """Return a yes/no variable as a bool. Raises ImproperlyConfigured for any other word."""
    value = os.environ.get(name)
    if value is None:
        return default
    word = value.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be yes or no, not {_shown(value)}.")


def integer(name: str, default: int, *, minimum: int = 0, maximum: int) -> int:
    """Return a whole number, or `default` when the variable is not set or empty.

    Raises ImproperlyConfigured when the value is not a number, or is not from `minimum` to `maximum`.
    """
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    if not re.fullmatch(r"[+-]?[0-9]+", value):
        raise ImproperlyConfigured(f"{name} must be a whole number, not {_shown(value)}.")
    digits = value.lstrip("+-0") or "0"
    number = int(digits) if len(digits) <= len(str(maximum)) else maximum + 1  # int() refuses thousands of digits
    number = -number if value.startswith("-") else number
    if number < minimum:
        raise ImproperlyConfigured(f"{name} must be at least {minimum}, not {_short(value)}.")
    if number > maximum:
        raise ImproperlyConfigured(f"{name} must be at most {maximum}, not {_short(value)}.")
    return number


def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    """Return one of the words in `choices`; upper and lower case are the same. Raises ImproperlyConfigured."""
    value = os.environ.get(name) or default
    for word in choices:
        if value.strip().lower() == word.lower():
            return word
    raise ImproperlyConfigured(f"{name} must be {' or '.join(choices)}, not {_shown(value)}.")


def hosts(name: str, default: str) -> list[str]:
    """Return a comma-separated variable as a list of host names. Raises ImproperlyConfigured for anything else."""
    found = _words(name, default)
    if not found:
        raise ImproperlyConfigured(f"{name} names no host.")
    for word in found:
        if not _HOST.fullmatch(word):
            raise ImproperlyConfigured(
                f"{name} must have only host names without https:// and port, such as example.org, not {_shown(word)}."
            )
    return found


def origins(name: str) -> list[str]:
    """Return a comma-separated variable as a list of origins, `https://host[:port]`. Raises ImproperlyConfigured."""
    found = _words(name, "")
    for word in found:
        scheme, _, rest = word.partition("://")
        try:
            parts = urlsplit(word)
            host = parts.hostname or ""
            is_valid = parts.netloc == rest and "@" not in rest and (parts.port is None or parts.port > 0)
        except ValueError:
            is_valid = False
        host = host if is_valid else ""
        host = f"[{host}]" if ":" in host else host.removeprefix("*")
        if scheme not in ("http", "https") or not _HOST.fullmatch(host):
            raise ImproperlyConfigured(
                f"{name} must have only origins such as https://example.org, not {_shown(word)}."
            )
    return found


def time_zone(name: str, default: str) -> str:
    """Return the name of a time zone, such as Europe/Berlin. Raises ImproperlyConfigured for anything else."""
    value = text(name, default)
    try:
        ZoneInfo(value)
        # Django looks for the zone on the system, and ZoneInfo also in a package.
        system = Path("/usr/share/zoneinfo")
        is_known = not system.exists() or (system / value).is_file()
    except (LookupError, ValueError, OSError):  # no such zone, not a zone name, a folder of zones
        is_known = False
    if not is_known or value in _NO_ZONES or value.startswith(("posix/", "right/")):
        raise ImproperlyConfigured(f"{name} must be a time zone such as Europe/Berlin or UTC, not {_shown(value)}.")
    return value


def path(name: str, default: Path) -> Path:
    """Return an absolute path; `~` is the home folder. Raises ImproperlyConfigured for paths that cannot be used."""
    try:
        return folder_path(name, os.environ.get(name) or default)
    except FolderError as error:
        raise ImproperlyConfigured(str(error)) from error


def folder(name: str, default: Path, *, is_private: bool = True) -> Path:
    """Return the path of a folder, which is created; `is_private`: for its owner only. Raises ImproperlyConfigured."""
    found = path(name, default)
    try:
        folder_make(name, found, is_private=is_private)
    except FolderError as error:
        raise ImproperlyConfigured(str(error)) from error
    return found


def database(name: str, default: str) -> dict[str, Any]:
    """Return Django's settings of a PostgreSQL address. Raises ImproperlyConfigured; the message has no password."""
    import dj_database_url
    import psycopg

    value = text(name, default)
    form = "postgresql://user:password@host:port/name"
    try:
        parts = urlsplit(value)
        is_known = parts.scheme in ("postgres", "postgresql", "pgsql") and parts.port != 0
        found = dict(dj_database_url.parse(value, conn_max_age=600, conn_health_checks=True)) if is_known else {}
    except (ValueError, dj_database_url.ParseError):
        found = {}
    if not found:
        raise ImproperlyConfigured(f"{name} must name a PostgreSQL database: {form}.")
    if not found["NAME"]:
        raise ImproperlyConfigured(f"{name} names no database: {form}.")
    if len(found["NAME"].encode()) > _DATABASE_NAME_BYTES:
        raise ImproperlyConfigured(f"{name} names a database with more than {_DATABASE_NAME_BYTES} bytes.")
    options = {key: value for key, value in found.get("OPTIONS", {}).items() if key not in _DJANGO_OPTIONS}
    try:
        psycopg.conninfo.make_conninfo(**options)
    except psycopg.Error as error:
        raise ImproperlyConfigured(f"{name} cannot be used: {' '.join(str(error).split())}.") from error
    # Only such statements can be prepared (iqs_site.prepared_statements).
    found["OPTIONS"] = {"server_side_binding": True, **found.get("OPTIONS", {})}
    return found


def redis(name: str, default: str) -> str:
    """Return the address of a Redis server. Raises ImproperlyConfigured; the message has no password."""
    value = text(name, default)
    try:
        parts = urlsplit(value)
        number = dict(parse_qsl(parts.query)).get("db", "") if parts.scheme == "unix" else parts.path.lstrip("/")
        is_server = parts.scheme in ("redis", "rediss") and bool(parts.hostname) and parts.port != 0
        is_socket = parts.scheme == "unix" and not parts.hostname and len(parts.path) > 1
        is_valid = (is_server or is_socket) and (not number or (number.isascii() and number.isdecimal()))
    except ValueError:  # a port that is not a number, or an unfinished IPv6 address
        is_valid = False
    if not is_valid:
        raise ImproperlyConfigured(f"{name} must be redis://host:port/number or unix:///path/to.sock.")
    return value


def secret(name: str, file: Path) -> str:
    """Return a secret from the environment or, if it is not set, from `file`, which the first call creates.

    Only its owner can read the file. Raises ImproperlyConfigured for a secret that can be guessed, and when the file
    cannot be read or written.
    """
    value = os.environ.get(name)
    source = name
    if not value:
        source = f"the key in {file}"
        try:
            value = _secret_of(file)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise ImproperlyConfigured(f"the file {file} of {name} cannot be used ({reason}).") from error
    if not value.isprintable():
        raise ImproperlyConfigured(f"{source} must be UTF-8 text without control characters.")
    is_repeated = value in (2 * value)[1:-1]
    is_guessable = value.startswith("django-insecure-") or len(set(value)) < _SECRET_CHARACTERS or is_repeated
    if len(value) < _SECRET_LENGTH or is_guessable:
        raise ImproperlyConfigured(
            f"{source} can be guessed; it must be random and have at least {_SECRET_LENGTH} characters, such as the "
            "output of `openssl rand -hex 32`."
        )
    return value


def _secret_of(file: Path) -> str:
    """Return the secret in a file. A missing or empty file gets a new one; the first of several processes wins."""
    with_secret = file.exists() and file.read_text().strip()
    if with_secret:
        if file.stat().st_mode & 0o077 and file.stat().st_uid == os.geteuid():
            file.chmod(0o600)
        return with_secret
    from django.core.management.utils import get_random_secret_key

    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(get_random_secret_key())
    if file.exists():  # empty: the disk was full when it was written
        part.replace(file)
    else:
        try:
            os.link(part, file)  # fails when another process was faster
        except FileExistsError:
            pass
        finally:
            part.unlink()
    return file.read_text().strip()


def _words(name: str, default: str) -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def _shown(value: str) -> str:
    return ascii(_short(value)) if re.search(r"[\ud800-\udfff]", value) else repr(_short(value))


def _short(value: str) -> str:
    return value if len(value) <= 60 else f"{value[:57]}…"
