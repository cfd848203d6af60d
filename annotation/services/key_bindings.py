"""The keys of the annotate page. Each user can change them."""

import unicodedata
from collections.abc import Mapping

from django.utils.translation import gettext, gettext_lazy

from annotation.models import User

#: The default key of each action, as `KeyboardEvent.key` names it; letters are lower case.
DEFAULT_KEYS = {
    "watch_yes": "w",
    "watch_no": "n",
    "watch_unsure": "m",
    "skip": " ",
    "undo": "u",
    "keep": "Enter",
    "zoom": "z",
    "last": "l",
    "comment": "c",
    "progress": "p",
    "help": "?",
}
#: The name of each action in the key settings.
ACTION_NAMES = {
    "watch_yes": gettext_lazy("watch"),
    "watch_no": gettext_lazy("no watch"),
    "watch_unsure": gettext_lazy("unsure"),
    "skip": gettext_lazy("skip"),
    "undo": gettext_lazy("undo"),
    "keep": gettext_lazy("keep answer"),
    "zoom": gettext_lazy("zoom"),
    "last": gettext_lazy("last answers"),
    "comment": gettext_lazy("comment"),
    "progress": gettext_lazy("session"),
    "help": gettext_lazy("help"),
}
_SPARE_KEYS = "abdefghijkoqrstvxy.,;"
_NAMED_KEYS = {"Enter", "Delete", "Insert", "Home", "End", "PageUp", "PageDown"}
_RESERVED = {
    "Escape": gettext_lazy("it always cancels"),
    "Backspace": gettext_lazy("it is always undo"),
    "Tab": gettext_lazy("it always moves the focus"),
    **dict.fromkeys(
        ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"), gettext_lazy("arrow keys pan the zoomed photo")
    ),
    **dict.fromkeys("0123456789", gettext_lazy("digits are always the score")),
}


class KeyBindingError(ValueError):
    """The keys cannot be set. The message is a sentence for the user."""


def key_name(key: str) -> str:
    """Return the name that pages show for a key: "Space" for " ", "W" for "w"."""
    return "Space" if key == " " else key.upper() if len(key) == 1 else key


def key_bindings_of(user: User) -> dict[str, str]:
    """Return {action: key} for every action: the user's own key or the default.

    An action of a later version may have a default that the user has given to another action. It then gets a key that
    is free.
    """
    own = {action: key for action, key in user.key_bindings.items() if action in DEFAULT_KEYS}
    free = iter([key for key in _SPARE_KEYS if key not in {*own.values(), *DEFAULT_KEYS.values()}])
    return {
        action: own.get(action) or (key if key not in own.values() else next(free))
        for action, key in DEFAULT_KEYS.items()
    }


def key_bindings_set(*, user: User, bindings: Mapping[str, str]) -> dict[str, str]:
    """Set the user's keys, {action: key}. Other actions get their default key. Return the keys of all actions.

    Only keys that differ from the default are stored, so that a new default applies to everybody else.
    Raises KeyBindingError for an unknown action, a reserved or unusable key, or one key for two actions.
    """
    for action in bindings:
        if action not in DEFAULT_KEYS:
            raise KeyBindingError(
                gettext("Unknown action %(action)s. The actions are %(default_keys)s.")
                % {"action": f"{action!r}", "default_keys": ", ".join(DEFAULT_KEYS)}
            )
    chosen = {**DEFAULT_KEYS, **{action: _normal(key) for action, key in bindings.items()}}
    actions: dict[str, str] = {}
    for action, key in chosen.items():
        if key in actions:
            first, second = ACTION_NAMES[actions[key]], ACTION_NAMES[action]
            raise KeyBindingError(
                gettext("The key %(key)s cannot be both “%(first)s” and “%(second)s”.")
                % {"key": key_name(key), "first": first, "second": second}
            )
        actions[key] = action
    user.key_bindings = {action: key for action, key in chosen.items() if key != DEFAULT_KEYS[action]}
    user.save(update_fields=["key_bindings"])
    return chosen


def _normal(key: str) -> str:
    """Return the key in its stored form. Raises KeyBindingError for a key that no action can have."""
    if key in _RESERVED:
        raise KeyBindingError(
            gettext("The key %(key)s is reserved: %(key_2)s.") % {"key": key_name(key), "key_2": _RESERVED[key]}
        )
    if key in _NAMED_KEYS or key == " ":
        return key
    lower = key.lower()
    if len(lower) != 1 or unicodedata.category(lower)[0] not in "LPS":
        raise KeyBindingError(
            gettext("The key %(key)s cannot be used. Choose a letter, a symbol, Space or Enter.")
            % {"key": f"{key[:20]!r}"}
        )
    return lower
