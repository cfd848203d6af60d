"""A BMP without metadata. Does not use Django, decodes no pixels.

Source: Microsoft, BITMAPFILEHEADER, BITMAPINFOHEADER and BITMAPV5HEADER.
"""

_FILE_BYTES, _CORE_BYTES = 14, 12
_RLE8, _RLE4 = 1, 2
_PLAIN = {0, 3, 6}  # without compression, the last two with masks for the colours
_MASK_BYTES = {3: 12, 6: 16}
_V5_BYTES, _EMBEDDED = 124, b"DEBM"


def bmp_parts(data: bytes) -> list[bytes | memoryview]:
    """Return the pieces of the file without metadata. Raises ValueError for a compression that browsers do not show.

    Kept: the headers, the palette, the pixels and a profile inside the file. Unused bytes between them become zeros,
    and what follows them goes. So does the path of a profile in another file.
    """
    start, header = _number(data, 10, 4), _number(data, 14, 4)
    if not data.startswith(b"BM") or not _FILE_BYTES < start < len(data):
        raise ValueError("its header is damaged")
    is_core = header == _CORE_BYTES
    if is_core:
        width, height, bits = _number(data, 18, 2), _number(data, 20, 2), _number(data, 24, 2)
        compression = colours = 0
    else:
        width, bits = _number(data, 18, 4), _number(data, 28, 2)
        height = abs(int.from_bytes(data[22:26], "little", signed=True))
        compression, colours = _number(data, 30, 4), _number(data, 46, 4)
    if bits <= 8:
        colours = colours or 1 << bits
    masks = _MASK_BYTES.get(compression, 0) if header == 40 else 0
    head = _FILE_BYTES + header + masks + colours * (3 if is_core else 4)
    if compression in _PLAIN:
        end = start + (width * bits + 31) // 32 * 4 * height
    elif compression in {_RLE8, _RLE4}:
        end = _rle_end(data, start, nibbles=compression == _RLE4)
    else:
        raise ValueError("it is compressed in a way that browsers do not show")
    kept = [(10, min(head, max(start, _FILE_BYTES + header))), (start, end)]
    if header == _V5_BYTES and data[70:74] == _EMBEDDED:
        profile = _FILE_BYTES + _number(data, 126, 4)
        kept.append((profile, profile + _number(data, 130, 4)))
    size = min(len(data), max(stop for _, stop in kept))
    file_size = data[2:6] if size == len(data) else size.to_bytes(4, "little")
    parts: list[bytes | memoryview] = [data[:2], file_size]
    place = 6
    for first, stop in sorted(kept):
        first, stop = max(first, place), min(stop, size)
        if stop > first:
            parts += [bytes(first - place), memoryview(data)[first:stop]]
            place = stop
    return parts


def _rle_end(data: bytes, place: int, *, nibbles: bool) -> int:
    """Return the offset behind the mark that ends a run-length coded picture."""
    while place + 1 < len(data):
        count, value = data[place], data[place + 1]
        place += 2
        if count or value == 0:
            continue
        if value == 1:
            return place
        if value == 2:
            place += 2
        else:  # single pixels, padded to 16 bits
            length = (value + 1) // 2 if nibbles else value
            place += length + length % 2
    return len(data)


def _number(data: bytes, place: int, size: int) -> int:
    return int.from_bytes(data[place : place + size], "little")
