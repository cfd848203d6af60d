"""Sentences that were stored in English, with their figures, in the language of the reader.

A worker stores a sentence for readers of several languages. It marks the sentence with `gettext_noop`, and fills in its
values. A page finds the marked text again: the one of the catalog whose fixed words are those of the sentence. The
texts need no list, since errors of imports are written in many modules. Where there is a list, see `read_again`.
"""

import re
from functools import lru_cache

from django.utils.translation import get_language, gettext
from django.utils.translation.trans_real import translation

from annotation.language.read_again import text_pattern

_PLACE = re.compile(r"%\((\w+)\)s")
# Fewer fixed characters than this could be found in a sentence by chance.
_FEWEST_FIXED = 8
# Longer ones have no figures of ours, and comparing them would take long.
_LONGEST = 2_000
#: Names of places whose values are texts of the sources too, such as the name of a value.
_TEXTS = ("what", "why", "where")


def stored_shown(text: str) -> str:
    """Return a stored English sentence in the language of the present request; as it is when it was not marked."""
    language = get_language()
    if not text or language is None or language.startswith("en") or len(text) > _LONGEST:
        return text
    return _translated(language, text)


@lru_cache(maxsize=2_048)
def _translated(language: str, text: str) -> str:
    if (whole := gettext(text)) != text:
        return whole
    for fixed, pattern, marked in _patterns(language):
        if all(part in text for part in fixed) and (found := pattern.fullmatch(text)):
            values = {
                name: stored_shown(value) if name.startswith(_TEXTS) else value
                for name, value in found.groupdict().items()
            }
            return gettext(marked) % values
    return text


@lru_cache(maxsize=8)
def _patterns(language: str) -> list[tuple[list[str], re.Pattern[str], str]]:
    """Return (fixed parts, what a sentence made of it is like, text) of the texts with values, most words first."""
    # Django has no function for all texts of a catalog. Its own view of JavaScript texts reads them from here, too.
    catalog = translation(language)._catalog  # type: ignore[attr-defined]  # it has no type
    texts = {one for one in list(catalog.keys()) if isinstance(one, str) and _PLACE.search(one)}
    found = []
    for text in texts:
        parts = [part.replace("%%", "%") for part in _PLACE.split(text)[::2]]
        if sum(map(len, parts)) >= _FEWEST_FIXED:
            found.append((parts, text_pattern(text), text))
    return sorted(found, key=lambda one: (-sum(map(len, one[0])), one[2]))
