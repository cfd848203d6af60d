"""Pure: sentences in the language of the reader, for packages that know no Django.

Such a package marks its sentences with `gettext`. The site plugs in Django's translation when it starts. Without it, as
in a benchmark, sentences are in English, the language of the sources.
"""

from collections.abc import Callable

_translate: Callable[[str], str] | None = None
_translate_count: Callable[[str, str, int], str] | None = None


def translation_use(translate: Callable[[str], str], translate_count: Callable[[str, str, int], str]) -> None:
    """Translate with these functions from now on: English text in, text in the language of the present request out.

    The second one takes a singular, a plural and their number.
    """
    global _translate, _translate_count  # one process has one way to translate
    _translate, _translate_count = translate, translate_count


def gettext(text: str) -> str:
    """Return a text in the language of the present request; the text itself when nothing translates it."""
    return text if _translate is None else _translate(text)


def ngettext(one: str, many: str, count: int) -> str:
    """Return the form of a text for this number, in the language of the present request."""
    if _translate_count is None:
        return one if count == 1 else many
    return _translate_count(one, many, count)


def gettext_noop(text: str) -> str:
    """Mark a constant for translation and return it as it is. What shows it translates it."""
    return text
