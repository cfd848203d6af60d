"""EMAIL_URL: the address of a mail server."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from iqs_site.email_url import email_settings


@pytest.mark.parametrize(
    ("url", "host", "port", "user", "password", "encrypted", "starttls"),
    [
        ("smtp://localhost", "localhost", 25, "", "", False, False),
        ("smtp+tls://me%40x.org:p%2Fw@mail.x.org", "mail.x.org", 587, "me@x.org", "p/w", False, True),
        ("smtps://me:pw@mail.x.org:4650", "mail.x.org", 4650, "me", "pw", True, False),
    ],
)
def test_a_server(url: str, host: str, port: int, user: str, password: str, encrypted: bool, starttls: bool) -> None:
    settings = email_settings(url)
    assert settings.pop("EMAIL_BACKEND").endswith("smtp.EmailBackend")
    assert list(settings.values()) == [host, port, user, password, encrypted, starttls]


def test_without_a_server_nothing_is_sent() -> None:
    assert email_settings("") == {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}


@pytest.mark.parametrize(
    "url", ["mail.x.org", "http://me:hidden@x.org", "smtp://", "smtp://me:hidden@x.org:many", "smtp://[::1"]
)
def test_a_wrong_address_stops_with_a_sentence_without_the_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL") as stopped:
        email_settings(url)
    assert "hidden" not in str(stopped.value)
