"""Reads the address of a mail server, `EMAIL_URL`, into Django's settings."""

from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

# Scheme: the usual port, whether the connection is encrypted from its start, and whether STARTTLS encrypts it.
_SCHEMES = {"smtp": (25, False, False), "smtp+tls": (587, False, True), "smtps": (465, True, False)}


def email_settings(url: str) -> dict[str, Any]:
    """Return the settings EMAIL_BACKEND, EMAIL_HOST and so on of Django for `smtps://user:password@host:port`.

    An empty address: emails are written to standard output. Raises ImproperlyConfigured, with a message that has no
    password in it, for another scheme, a missing host and a wrong port.
    """
    if not url:
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured("EMAIL_URL cannot be read: the host or the port is wrong.") from None
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise ImproperlyConfigured(
            f"EMAIL_URL must be {'://… or '.join(_SCHEMES)}://… with a host, for example smtps://user:password@host."
        )
    usual_port, is_encrypted, is_starttls = _SCHEMES[parts.scheme]
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port or usual_port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": is_encrypted,
        "EMAIL_USE_TLS": is_starttls,
    }
