"""A template tag for sentences that workers have stored in English."""

from collections.abc import Mapping

from django import template
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import get_language

from training.evaluation.stored_words import words_shown

register = template.Library()


@register.simple_tag
def stored_words(text: str, known: Mapping[str, str] | None = None, most: int = 10_000) -> str:
    """Return the text in the language of the reader, or marked as English; at most so many characters.

    known: sentences in English and in the language of the reader, such as verdicts of the promotion rule.
    """
    if not text or (get_language() or "en").startswith("en"):
        return Truncator(text).chars(most)
    shown = words_shown(text, known or {})
    if shown is not None:
        return Truncator(shown).chars(most)
    return format_html('<span lang="en">{}</span>', Truncator(text).chars(most))
