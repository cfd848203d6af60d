r"""Names of files as text, and back. Pure.

File systems allow every byte in a name except / and NUL. Tables, pages and the database hold text. So the text of a
name is:

* its characters, where the bytes are UTF-8: in the same Unicode form, with line ends, tabs and spaces;
* `\xNN`, with two lowercase hexadecimal digits, for each other byte, and for NUL (which only archives contain);
* `\x5c` for a backslash, where the name itself contains such a sequence.

Two different names never have the same text, and `name_path` returns the name of a text.
"""

import os
import re
import unicodedata
from hashlib import blake2b
from pathlib import Path

_SEQUENCE = re.compile(rb"\\x([0-9a-f]{2})")
_BACKSLASH_OF_SEQUENCE = re.compile(r"\\(?=x[0-9a-f]{2})")
# Bytes that are not UTF-8 are the characters U+DC80 … U+DCFF in Python (PEP 383). The other surrogates come from
# programs that allow half a UTF-16 pair.
_SURROGATE = re.compile("[\ud800-\udfff]")
# Joiners that scripts and emoji need. They are invisible, but part of a word.
_JOINERS = "\u200c\u200d"
_DIGEST_CHARACTERS = 8


def name_text(name: str | os.PathLike[str]) -> str:
    """Return a path as text, see above."""
    return text_escaped(os.fsencode(name).decode("utf-8", "surrogateescape"))


def name_path(text: str) -> Path:
    """Return the path whose text (`name_text`) is this one."""
    return Path(os.fsdecode(_SEQUENCE.sub(lambda found: bytes([int(found[1], 16)]), text.encode())))


def text_escaped(name: str) -> str:
    """Return the text of a name that Python has decoded with `surrogateescape`."""
    return text_storable(_BACKSLASH_OF_SEQUENCE.sub(r"\\x5c", name))


def text_encodable(text: str) -> str:
    r"""Return a text that UTF-8 can hold: surrogates become `\xNN` or `\udNNN`. It does not escape backslashes."""
    return _SURROGATE.sub(_escape, text)


def text_storable(text: str) -> str:
    r"""Return a text that the database can hold: as `text_encodable`, and NUL becomes `\x00`."""
    return text_encodable(text).replace("\0", "\\x00")


def name_shown(text: str) -> str:
    r"""Return the text of a name for one line of a terminal or a header.

    Line ends, control characters and marks that change the direction of text become escapes such as `\n` or `\u202e`.
    """
    return text if text.isprintable() else "".join(map(_visible, text))


def name_shortened(text: str, room: int, *, in_bytes: bool = False) -> str:
    """Return the text if it has at most `room` characters (or bytes in UTF-8), else a digest of it and its end.

    Two different long texts have different results, because the digest differs.
    """
    size = len(text.encode()) if in_bytes else len(text)
    if size <= room:
        return text
    digest = blake2b(text.encode(), digest_size=_DIGEST_CHARACTERS // 2).hexdigest()
    if in_bytes:
        left = room - _DIGEST_CHARACTERS - len("…".encode())
        return f"{digest}…{text.encode()[-left:].decode(errors='ignore')}"
    return f"{digest}…{text[-(room - _DIGEST_CHARACTERS - 1) :]}"


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code & 0xFF:02x}"
    return f"\\u{code:04x}"


def _visible(character: str) -> str:
    if character in _JOINERS or unicodedata.category(character) not in {"Cc", "Cf", "Cn", "Cs", "Zl", "Zp"}:
        return character
    return character.encode("unicode_escape").decode()
