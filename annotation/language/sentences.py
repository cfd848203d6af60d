"""Sentences that are stored once and read in several languages."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from annotation.language import gettext


@dataclass(frozen=True)
class Sentence:
    """A text with its values, translated when somebody reads it (`str`)."""

    text: str
    """In English, marked with `gettext_noop`."""
    values: "Mapping[str, str | Sentence]" = field(default_factory=dict)
    """For the places `%(name)s` of the text; without values it has none, and a percent sign stands for itself."""

    def __str__(self) -> str:
        """Return it in the language of the present request."""
        text = gettext(self.text)
        return text % self.values if self.values else text


def as_written(text: str) -> Sentence:
    """Return a text that is the same in every language, such as a name or a number."""
    return Sentence("%(text)s", {"text": text})
