"""Sentences that were stored in English, read again in the language of the reader.

A worker stores a sentence once, with figures in it. A page that knows the text it was made of finds the figures, and
puts them into the translation of that text.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache

from annotation.language import gettext

#: A place whose name ends so has a text that must be known too: a half translated text is worse than English.
SENTENCE = "sentence"
_NOTHING: Mapping[str, str] = {}


def read_again(stored: str, texts: Sequence[str], known: Mapping[str, str] = _NOTHING) -> str | None:
    """Return a stored text in the language of the reader; None if it was made of none of the texts.

    texts: in English with places `%(name)s`, marked with `gettext_noop`. The first that fits is used. known: whole
    sentences in English, and in the language of the reader.
    """
    if stored in known:
        return known[stored]
    for text in texts:
        found = text_pattern(text).fullmatch(stored)
        if found is None:
            continue
        values = found.groupdict()
        inner = {name: read_again(one, texts, known) for name, one in values.items() if name.endswith(SENTENCE)}
        if None not in inner.values():
            return gettext(text) % (values | inner) if values else gettext(text)
    return None


@cache
def text_pattern(text: str) -> re.Pattern[str]:
    """Return what finds the values of a text with places `%(name)s`; a place that comes again has the same value.

    Without places a percent sign stands for itself.
    """
    parts = re.split(r"%\((\w+)\)s", text)
    if len(parts) == 1:
        return re.compile(re.escape(text))
    found, seen = "", set()
    for place, part in enumerate(parts):
        if place % 2 == 0:
            found += re.escape(part.replace("%%", "%"))
        elif part in seen:
            found += f"(?P={part})"
        else:
            seen.add(part)
            found += f"(?P<{part}>.+?)"
    return re.compile(found, re.DOTALL)
