"""Numbers with a typographic minus, as wide as a plus."""


def minus(text: object) -> str:
    """Return the text of a number with a typographic minus: '−0.35' for '-0.35'."""
    return str(text).replace("-", "−")


def signed(value: float, digits: int = 2) -> str:
    """Return a number with its sign: '+0.35' or '−0.35'."""
    return minus(f"{value:+.{digits}f}")
