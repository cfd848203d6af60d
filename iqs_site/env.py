"""Reads settings from environment variables. A wrong value stops the start with one clear sentence."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


def text(name: str, default: str) -> str:
    """Return the variable unchanged, or `default` when it is not set or empty."""
    return os.environ.get(name) or default


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
    raise ImproperlyConfigured(f"{name} must be yes or no, not {value!r}.")


def integer(name: str, default: int, *, minimum: int | None = None) -> int:
    """Return a whole number. Raises ImproperlyConfigured when the value is not one, or is below `minimum`."""
    value = os.environ.get(name)
    if value is None:
        return default
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from None
    if minimum is not None and number < minimum:
        raise ImproperlyConfigured(f"{name} must be at least {minimum}, not {number}.")
    return number


def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    """Return one of the words in `choices`. Raises ImproperlyConfigured for any other."""
    value = text(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be {' or '.join(choices)}, not {value!r}.")
    return value


def words(name: str, default: str) -> list[str]:
    """Return a comma-separated variable as a list without empty entries."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def path(name: str, default: Path) -> Path:
    """Return an absolute path; `~` is the home folder."""
    value = os.environ.get(name)
    return Path(value).expanduser().resolve() if value else default


def secret(name: str, file: Path) -> str:
    """Return a secret from the environment or, if it is not set, from `file`, which the first call creates.

    Only its owner can read the file.
    """
    value = os.environ.get(name)
    if value:
        return value
    if not file.exists():
        from django.core.management.utils import get_random_secret_key

        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass  # another process created it first
        else:
            with os.fdopen(descriptor, "w") as handle:
                handle.write(get_random_secret_key())
    return file.read_text()
