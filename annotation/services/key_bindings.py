"""The keys of the annotate page, as each person wants them."""

import unicodedata
from collections.abc import Mapping

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
    "help": "?",
}
#: What each action does, as the key settings name it.
ACTION_NAMES = {
    "watch_yes": "watch",
    "watch_no": "no watch",
    "watch_unsure": "unsure",
    "skip": "skip",
    "undo": "undo",
    "keep": "leave it",
    "zoom": "1:1 zoom",
    "help": "help",
}
_NAMED_KEYS = {"Enter", "Delete", "Insert", "Home", "End", "PageUp", "PageDown"}
_RESERVED = {
    "Escape": "it always leads back",
    "Backspace": "it always undoes",
    "Tab": "it moves between the buttons",
    **dict.fromkeys(("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"), "arrows move a zoomed photo"),
    **dict.fromkeys("0123456789", "digits are always the score"),
}


class KeyBindingError(ValueError):
    """Keys that cannot be set; the message is a sentence for the person who chose them."""


def key_name(key: str) -> str:
    """Return what is printed on a key cap: "Space" for " ", "W" for "w"."""
    return "Space" if key == " " else key.upper() if len(key) == 1 else key


def key_bindings_of(user: User) -> dict[str, str]:
    """Return {action: key} for every action: the person's own keys, else the defaults."""
    return {action: user.key_bindings.get(action, key) for action, key in DEFAULT_KEYS.items()}


def key_bindings_set(*, user: User, bindings: Mapping[str, str]) -> dict[str, str]:
    """Set the person's keys, {action: key}; actions left out get their default. Return the keys of all actions.

    Only keys that differ from the default are stored, so that a better default reaches everybody else.
    Raises KeyBindingError for an unknown action, a reserved or unusable key, or one key for two actions.
    """
    for action in bindings:
        if action not in DEFAULT_KEYS:
            raise KeyBindingError(f"There is no action {action!r}; the actions are {', '.join(DEFAULT_KEYS)}.")
    chosen = {**DEFAULT_KEYS, **{action: _normal(key) for action, key in bindings.items()}}
    actions: dict[str, str] = {}
    for action, key in chosen.items():
        if key in actions:
            first, second = ACTION_NAMES[actions[key]], ACTION_NAMES[action]
            raise KeyBindingError(f"The key {key_name(key)} cannot be both “{first}” and “{second}”.")
        actions[key] = action
    user.key_bindings = {action: key for action, key in chosen.items() if key != DEFAULT_KEYS[action]}
    user.save(update_fields=["key_bindings"])
    return chosen


def _normal(key: str) -> str:
    """Return the key as it is stored. Raises KeyBindingError for one that no action can have."""
    if key in _RESERVED:
        raise KeyBindingError(f"The key {key_name(key)} is taken: {_RESERVED[key]}.")
    if key in _NAMED_KEYS or key == " ":
        return key
    lower = key.lower()
    if len(lower) != 1 or unicodedata.category(lower)[0] not in "LPS":
        raise KeyBindingError(f"The key {key[:20]!r} cannot be used; choose a letter, a sign, Space or Enter.")
    return lower
