"""Cookies with a name for each instance, so that two instances on one host do not disturb each other."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage
from django.http import HttpRequest


class MessageCookie(CookieStorage):
    """Django's cookie of messages, with a name for each instance."""

    cookie_name = f"messages-{settings.COOKIE_SUFFIX}"


class MessageStorage(FallbackStorage):
    """Django's storage of messages (`MESSAGE_STORAGE`): in the cookie, or in the session if they are too long."""

    storage_classes = (MessageCookie, SessionStorage)


def csrf_cookie(request: HttpRequest) -> dict[str, str]:
    """Return the name of the CSRF cookie for templates, because scripts read the cookie."""
    return {"csrf_cookie": settings.CSRF_COOKIE_NAME}
