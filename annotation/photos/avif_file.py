"""The colour codes and the kind of transparency of an AVIF file. Does not use Django, decodes no pixels.

Source: ISO/IEC 14496-12 (boxes) and 23008-12 (pitm, iprp); ITU-T H.273 for the codes.
"""

from collections.abc import Iterator

UNSPECIFIED = (2, 2)


def avif_colour_codes(data: bytes) -> tuple[int, int]:
    """Return the codes of primaries and transfer function of the main picture, (2, 2) when the file names none."""
    view = memoryview(data)
    for meta in _boxes(view, 0, len(view), b"meta"):
        start, end = meta[0] + 4, meta[1]
        main = next((_number(view, s + 4, 4 if view[s] else 2) for s, _ in _boxes(view, start, end, b"pitm")), 0)
        for properties in _boxes(view, start, end, b"iprp"):
            used = _properties_of(view, properties, main)
            for ipco in _boxes(view, *properties, b"ipco"):
                for number, (kind, s, _) in enumerate(all_boxes(view, *ipco), start=1):
                    if kind == b"colr" and number in used and bytes(view[s : s + 4]) == b"nclx":
                        return _number(view, s + 4, 2), _number(view, s + 6, 2)
    return UNSPECIFIED


def avif_is_premultiplied(data: bytes) -> bool:
    """Return whether the colours of transparent pixels are stored multiplied by the alpha channel."""
    view = memoryview(data)
    return any(
        kind == b"prem"
        for meta_start, meta_end in _boxes(view, 0, len(view), b"meta")
        for start, end in _boxes(view, meta_start + 4, meta_end, b"iref")
        for kind, _, _ in all_boxes(view, start + 4, end)
    )


def _properties_of(view: memoryview, properties: tuple[int, int], item: int) -> set[int]:
    """Return the numbers, from 1, of the properties of an item."""
    for start, end in _boxes(view, *properties, b"ipma"):
        wide_ids, wide_numbers = view[start] > 0, view[start + 3] & 1
        count = _number(view, start + 4, 4)
        place = start + 8
        for _ in range(count):
            if place >= end:
                break
            size = 4 if wide_ids else 2
            owner, associations = _number(view, place, size), view[place + size]
            place += size + 1
            width = 2 if wide_numbers else 1
            numbers = {
                _number(view, place + width * n, width) & (0x7FFF if wide_numbers else 0x7F)
                for n in range(associations)
            }
            if owner == item:
                return numbers
            place += width * associations
    return set()


def _boxes(view: memoryview, start: int, end: int, kind: bytes) -> Iterator[tuple[int, int]]:
    """Yield start and end of the content of each box of a kind."""
    for found, content, stop in all_boxes(view, start, end):
        if found == kind:
            yield content, stop


def all_boxes(view: memoryview, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind of each box, and start and end of its content. A box that does not fit ends the list."""
    while start + 8 <= end:
        size, head = _number(view, start, 4), 8
        if size == 1:
            size, head = _number(view, start + 8, 8), 16
        elif size == 0:
            size = end - start
        if size < head or start + size > end:
            return
        yield bytes(view[start + 4 : start + 8]), start + head, start + size
        start += size


def _number(view: memoryview, place: int, size: int) -> int:
    return int.from_bytes(view[place : place + size], "big")
