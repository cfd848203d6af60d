"""A template filter for sentences that are stored in English: `{{ batch.message|stored }}`. Builtin."""

from django import template

from annotation.language.stored import stored_shown

register = template.Library()


@register.filter
def stored(text: object) -> str:
    """Return a stored sentence in the language of the reader, or as it is when it was not marked for translation."""
    return stored_shown(str(text or ""))
