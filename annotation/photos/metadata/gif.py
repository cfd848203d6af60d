"""A GIF without metadata. Does not use Django, decodes no pixels.

Source: GIF89a specification, sections 17 to 27.
"""

_EXTENSION, _PICTURE, _TRAILER = 0x21, 0x2C, 0x3B
_CONTROL, _CONTROL_BYTES = 0xF9, 4


def gif_parts(data: bytes) -> list[bytes | memoryview]:
    """Return the pieces of the file without metadata. Raises ValueError when it has no picture.

    Kept: the picture, its palettes and its transparency. Comments, texts and the blocks of applications go, and
    everything after the end mark.
    """
    view = memoryview(data)
    place = 13 + _table_bytes(data[10])
    parts: list[bytes | memoryview] = [view[:place]]
    has_picture = False
    while place < len(data) and data[place] != _TRAILER:
        if data[place] == _EXTENSION:
            end = _blocks_end(data, place + 2)
            if data[place + 1] == _CONTROL and data[place + 2] >= _CONTROL_BYTES:
                control = bytes(view[place + 3 : place + 3 + _CONTROL_BYTES])
                parts.append(bytes([_EXTENSION, _CONTROL, _CONTROL_BYTES]) + control + b"\0")
        elif data[place] == _PICTURE:
            end = _blocks_end(data, place + 11 + _table_bytes(data[place + 9]))
            parts.append(view[place:end])
            has_picture = True
        elif data[place] == 0:  # decoders skip zeros between blocks
            end = place + 1
        else:
            break
        place = end
    if not has_picture:
        raise ValueError("it has no picture")
    return [*parts, bytes([_TRAILER])]


def _table_bytes(flags: int) -> int:
    """Return the length of the palette that a byte of flags announces."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _blocks_end(data: bytes, place: int) -> int:
    """Return the offset behind the data blocks at this place and the empty one that ends them."""
    while place < len(data) and data[place]:
        place += 1 + data[place]
    return place + 1
