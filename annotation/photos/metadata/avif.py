"""An AVIF without metadata. Does not use Django, decodes no pixels.

Items lie at offsets that other boxes name. So nothing moves: metadata is overwritten in its place.

Source: ISO/IEC 14496-12 (boxes, meta, iloc, iinf, iref) and 23008-12 (items and properties).
"""

from collections.abc import Iterator

from annotation.photos.avif_file import all_boxes
from annotation.photos.metadata.exif import EMPTY, orientation_exif
from annotation.photos.orientation import UPRIGHT, exif_orientation

# Types of items that are pictures, or say how a picture is made of others.
_PICTURES = {b"av01", b"grid", b"iden", b"iovl", b"tmap"}
_META = {b"hdlr", b"pitm", b"iloc", b"iinf", b"iref", b"iprp", b"idat", b"grpl"}
_PROPERTIES = {
    *(b"ispe", b"pixi", b"av1C", b"colr", b"irot", b"imir", b"clap", b"pasp", b"auxC", b"a1op", b"a1lx", b"lsel"),
    *(b"clli", b"mdcv", b"cclv", b"amve", b"reve", b"ndwt"),
}
_INSIDE = 1  # the construction method of items whose data are in the box idat
_Range = tuple[int, int]


def avif_parts(data: bytes) -> list[bytes | memoryview]:
    """Return the file without metadata, as one piece. Raises ValueError for a file that is built in another way.

    Kept: pictures, transparency, colours, the properties that turn the picture, and an EXIF that has only the
    orientation. Small previews, XMP, all other items, names and unknown boxes are overwritten.
    """
    view = memoryview(data)
    boxes = list(all_boxes(view, 0, len(view)))
    kinds = [kind for kind, _, _ in boxes]
    if kinds.count(b"meta") != 1 or b"moov" in kinds:
        raise ValueError("it is not a single still picture")
    result = bytearray(data[: boxes[-1][2]])
    _, start, end = boxes[kinds.index(b"meta")]
    meta = {kind: (content, stop) for kind, content, stop in all_boxes(view, start + 4, end)}
    types = dict(_item_types(view, meta[b"iinf"]))
    previews = _previews(view, meta.get(b"iref"))
    idat = meta.get(b"idat", (0, 0))
    kept: list[_Range] = []
    exif: list[_Range] = []
    for item, method, extents in _locations(view, meta[b"iloc"]):
        base = idat[0] if method == _INSIDE else 0
        places = [(base + at, base + at + length) for at, length in extents]
        if types.get(item) in _PICTURES and item not in previews:
            if method > _INSIDE or any(at == stop for at, stop in places):
                raise ValueError("its pictures are stored in an unusual way")
            kept += places
        elif types.get(item) == b"Exif" and method <= _INSIDE and len(places) == 1:
            exif += places
    for kind, content, stop in boxes:
        if kind not in {b"ftyp", b"meta"}:
            _blank_outside(result, (content, stop), kept)
    for kind, content, stop in all_boxes(view, start + 4, end):
        if kind == b"idat":
            _blank_outside(result, (content, stop), kept)
        elif kind not in _META:
            result[content:stop] = bytes(stop - content)
    _names_blank(result, view, meta)
    _properties_blank(result, view, meta[b"iprp"])
    for at, stop in exif:
        if idat[0] <= at < idat[1] or any(kind == b"mdat" and c <= at and stop <= s for kind, c, s in boxes):
            _exif_write(result, view, at, stop)
    return [bytes(result)]


def _blank_outside(result: bytearray, place: _Range, kept: list[_Range]) -> None:
    """Overwrite everything in a range but what is kept."""
    at, end = place
    for start, stop in sorted(kept):
        if stop <= at or start >= end:
            continue
        result[at : max(at, start)] = bytes(max(at, start) - at)
        at = min(stop, end)
    result[at:end] = bytes(end - at)


def _exif_write(result: bytearray, view: memoryview, at: int, stop: int) -> None:
    """Replace the EXIF of an item. Decoders refuse a file whose EXIF they cannot read."""
    offset = int.from_bytes(view[at : at + 4], "big")
    orientation = exif_orientation(bytes(view[at + 4 + offset : stop]))
    for tiff in (EMPTY if orientation == UPRIGHT else orientation_exif(orientation), EMPTY):
        if 4 + len(tiff) <= stop - at:
            result[at + 4 : at + 4 + len(tiff)] = tiff
            return


def _names_blank(result: bytearray, view: memoryview, meta: dict[bytes, _Range]) -> None:
    """Overwrite the names of the handler and of the items by spaces."""
    start, end = meta[b"hdlr"]
    texts = [(start + 24, end)]
    start, end = meta[b"iinf"]
    for kind, content, stop in all_boxes(view, start + (8 if view[start] else 6), end):
        if kind == b"infe":
            texts.append((content + (14 if view[content] > 2 else 12), stop))
    for at, stop in texts:
        result[at:stop] = bytes(32 if letter else 0 for letter in view[at:stop])


def _properties_blank(result: bytearray, view: memoryview, place: _Range) -> None:
    """Overwrite the properties that do not change the picture, for example a description."""
    for kind, start, end in all_boxes(view, *place):
        if kind == b"ipco":
            for name, content, stop in all_boxes(view, start, end):
                if name not in _PROPERTIES:
                    result[content:stop] = bytes(stop - content)
        elif kind != b"ipma":
            result[start:end] = bytes(end - start)


def _item_types(view: memoryview, place: _Range) -> Iterator[tuple[int, bytes]]:
    """Yield (id, type) of each item."""
    start, end = place
    for kind, content, _ in all_boxes(view, start + (8 if view[start] else 6), end):
        if kind == b"infe" and view[content] >= 2:
            size = 4 if view[content] > 2 else 2
            yield _number(view, content + 4, size), bytes(view[content + 6 + size : content + 10 + size])


def _previews(view: memoryview, place: _Range | None) -> set[int]:
    """Return the ids of the items that are small previews of others."""
    if place is None:
        return set()
    size = 4 if view[place[0]] else 2
    return {_number(view, at, size) for kind, at, _ in all_boxes(view, place[0] + 4, place[1]) if kind == b"thmb"}


def _locations(view: memoryview, place: _Range) -> Iterator[tuple[int, int, list[_Range]]]:
    """Yield (id, construction method, [(offset, length)]) of each item."""
    at, end = place
    version = view[at]
    offset_size, length_size = view[at + 4] >> 4, view[at + 4] & 15
    base_size, index_size = view[at + 5] >> 4, (view[at + 5] & 15 if version else 0)
    id_size = 4 if version == 2 else 2
    count = _number(view, at + 6, id_size)
    at += 6 + id_size
    for _ in range(count):
        if at >= end:
            raise ValueError("its list of items is incomplete")
        item, method = _number(view, at, id_size), 0
        at += id_size
        if version:
            method = view[at + 1] & 15
            at += 2
        base = _number(view, at + 2, base_size)
        extents = _number(view, at + 2 + base_size, 2)
        at += 4 + base_size
        found = []
        for _ in range(extents):
            at += index_size
            found.append((base + _number(view, at, offset_size), _number(view, at + offset_size, length_size)))
            at += offset_size + length_size
        yield item, method, found


def _number(view: memoryview, place: int, size: int) -> int:
    return int.from_bytes(view[place : place + size], "big")
