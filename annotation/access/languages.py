"""The language of a user, for the texts that a request shows."""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils import translation

from annotation.models import User

_KNOWN = frozenset(code for code, _ in settings.LANGUAGES)


def language_activate(request: HttpRequest, user: User | AnonymousUser) -> None:
    """Use the language that the user has chosen until the end of the request; without a choice, that of the browser."""
    code = user.language if isinstance(user, User) else ""
    if code in _KNOWN:
        translation.activate(code)
        request.LANGUAGE_CODE = code  # as Django's LocaleMiddleware does
