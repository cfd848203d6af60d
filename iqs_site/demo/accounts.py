"""The demo's accounts. Their random passwords are stored under `var/`, in a file that only its owner can read."""

import json
import secrets
from pathlib import Path

from django.conf import settings

from annotation.files.whole_file import whole_file

#: User name → role in the demo campaign, for people who try the demo.
LOGINS = {"annotator": "annotator", "reviewer": "reviewer", "admin": "admin"}
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without characters that look alike, because people type them


def accounts_file() -> Path:
    """Return the file in which the passwords are stored."""
    return Path(settings.VAR) / "demo_accounts.json"


def passwords() -> dict[str, str]:
    """Return user name → password of every demo account; empty when there is no demo."""
    file = accounts_file()
    return dict(json.loads(file.read_text())) if file.exists() else {}


def demo_logins() -> dict[str, str]:
    """Return user name → password for the people who try the demo; empty when there is no demo."""
    known = passwords()
    return {name: known[name] for name in LOGINS if name in known}


def password_get_or_make(username: str) -> str:
    """Return the password of a demo account from the file; if there is none, make and store one."""
    known = passwords()
    if username not in known:
        known[username] = _password()
        file = accounts_file()
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file, "w", permissions=0o600) as written:
            json.dump(known, written, indent=1)
    return known[username]


def _password() -> str:
    """Return 12 characters in three groups: 59 bits, and still easy to type."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3))
