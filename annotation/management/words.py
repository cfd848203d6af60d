"""Words in the output of commands."""


def counted(number: int, what: str) -> str:
    """Return a number with the name of the things: 1 photo, 2 photos."""
    return f"{number} {what}{'' if number == 1 else 's'}"
