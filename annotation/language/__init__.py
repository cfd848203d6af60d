"""Pure: sentences in the language of the reader, for packages that know no Django.

Such a package marks its sentences with `gettext`. The site plugs in Django's translation when it starts. Without it, as
in a benchmark, sentences are in English, the language of the sources.
"""

from collections.abc import Callable

_translate: Callable[[str], str] | None = None


def translation_use(translate: Callable[[str], str]) -> None:
    """Translate with this function from now on: English text in, text in the language of the present request out."""
    global _translate  # one process has one way to translate
    _translate = translate


def gettext(text: str) -> str:
    """Return a text in the language of the present request; the text itself when nothing translates it."""
    return text if _translate is None else _translate(text)


def gettext_noop(text: str) -> str:
    """Mark a constant for translation and return it as it is. What shows it translates it."""
    return text
