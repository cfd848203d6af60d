"""The names of columns in the language of the reader."""

from django.utils.translation import gettext, gettext_noop

#: The columns of the lists and their filters. Django names a column after its field, which is in English.
#: A name that is not here is shown as it is.
COLUMNS = (
    gettext_noop("added"),
    gettext_noop("against"),
    gettext_noop("annotation count"),
    gettext_noop("annotator"),
    gettext_noop("attempt"),
    gettext_noop("attempts"),
    gettext_noop("backbone"),
    gettext_noop("by"),
    gettext_noop("campaign"),
    gettext_noop("checksum"),
    gettext_noop("claimed at"),
    gettext_noop("created at"),
    gettext_noop("duplicates"),
    gettext_noop("expires at"),
    gettext_noop("image"),
    gettext_noop("image count"),
    gettext_noop("is champion"),
    gettext_noop("joined at"),
    gettext_noop("kind"),
    gettext_noop("lane"),
    gettext_noop("leased at"),
    gettext_noop("mode"),
    gettext_noop("model version"),
    gettext_noop("name"),
    gettext_noop("number"),
    gettext_noop("open slots"),
    gettext_noop("opinion score"),
    gettext_noop("practised at"),
    gettext_noop("problem"),
    gettext_noop("progress"),
    gettext_noop("quality"),
    gettext_noop("quality class"),
    gettext_noop("quality mean"),
    gettext_noop("reason"),
    gettext_noop("rejected"),
    gettext_noop("replaced"),
    gettext_noop("role"),
    gettext_noop("saw prediction"),
    gettext_noop("score"),
    gettext_noop("simulated"),
    gettext_noop("skip reason"),
    gettext_noop("slug"),
    gettext_noop("source"),
    gettext_noop("split"),
    gettext_noop("state"),
    gettext_noop("surplus"),
    gettext_noop("total"),
    gettext_noop("train after"),
    gettext_noop("trigger"),
    gettext_noop("user"),
    gettext_noop("username"),
    gettext_noop("version"),
    gettext_noop("vote count"),
    gettext_noop("votes needed"),
    gettext_noop("votes per image"),
    gettext_noop("watch"),
    gettext_noop("watch label"),
    gettext_noop("watch probability"),
)
_TRANSLATED = frozenset(COLUMNS)


def column_name(name: str) -> str:
    """Return the name of a column as the reader's language has it."""
    known = name.lower()
    return gettext(known) if known in _TRANSLATED else name
