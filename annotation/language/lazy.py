"""Constants in the language of the reader: they are translated when a page shows them."""

from typing import cast

from django.contrib.auth.password_validation import password_validators_help_texts
from django.utils import translation
from django.utils.functional import lazy


def gettext_lazy(text: str) -> str:
    """Return a text that is translated when it is used. Its type is str, because pages use it as one."""
    return cast("str", translation.gettext_lazy(text))


def english(text: object) -> str:
    """Return a text in English, for what is stored: its readers may have other languages."""
    with translation.override(None):
        return str(text)


def password_rules() -> str:
    """Return what a new password must be like, as Django says it, translated when it is used."""
    return lazy(lambda: " ".join(password_validators_help_texts()), str)()
