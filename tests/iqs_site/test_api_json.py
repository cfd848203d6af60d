"""JSON that the database cannot store, or that readers understand differently, is refused with a reason."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iqs_site.api_json import JsonRefused, json_strict

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_ordinary_json_is_read_as_usual(value: object) -> None:
    assert json_strict(json.dumps(value).encode()) == value
    assert json_strict(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(JsonRefused):  # any other error would be the server's
        json_strict(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"score": NaN}', "NaN is not a number"),
        (b'{"score": Infinity}', "Infinity is not a number"),
        (b"[-Infinity]", "-Infinity is not a number"),
        (b'{"score": 1e999}', "1e999 is too large"),
        (b'{"score": -1e999}', "-1e999 is too large"),
        (b"1" * 5000, "too many digits"),
        (rb'{"skip_reason": "a\u0000b"}', "cannot be stored"),
        (rb'{"\u0000": 1}', "cannot be stored"),
        (rb'{"viewing": {"a": ["\ud800"]}}', "cannot be stored"),
        (rb'"\udc00\ud800"', "cannot be stored"),
        (b'{"score": 1, "score": 9}', "the same key twice"),
        (b'{"a": [{"b": 1, "b": 1}]}', "the same key twice"),
        (b"[" * 33 + b"]" * 33, "more than 32 levels"),
        (b"[" * 100_000 + b"]" * 100_000, "more than 32 levels"),
        (b'{"a":' * 100_000, "more than 32 levels"),
        (b"{", "is not JSON"),
        (b"", "is not JSON"),
        (b"{} {}", "is not JSON"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8: byte 0"),
        (b'"\xed\xa0\x80"', "not UTF-8: byte 1"),
    ],
)
def test_what_is_refused_has_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(JsonRefused, match=reason) as refused:
        json_strict(data)
    assert refused.value.status == 422


def test_a_whole_surrogate_pair_and_32_levels_are_accepted() -> None:
    assert json_strict(rb'"\ud83d\ude00"') == "\N{GRINNING FACE}"
    assert json_strict(b"[" * 32 + b"]" * 32)
