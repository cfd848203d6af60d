"""Names of files as text: nothing is lost, and nothing disturbs a line."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.files.names import name_path, name_shortened, name_shown, name_text, text_storable

names = st.binary(min_size=1, max_size=30).filter(lambda name: b"\0" not in name and b"/" not in name)
tricky = st.lists(st.sampled_from([b"\\", b"x", b"e9", b"\xe9", b"5c", b"\\xe9", "é".encode(), b"\xed\xa0\x80", b"."]))


@given(st.one_of(names, tricky.map(b"".join).filter(bool)))
def test_every_name_is_found_again_from_its_text(name: bytes) -> None:
    text = name_text(os.fsdecode(name))
    text.encode()  # can be stored
    assert os.fsencode(name_path(text)) == os.fsencode(Path(os.fsdecode(name)))


@given(st.lists(st.one_of(names, tricky.map(b"".join).filter(bool)), unique=True, max_size=10))
def test_two_names_never_have_the_same_text(several: list[bytes]) -> None:
    assert len({name_text(os.fsdecode(name)) for name in several}) == len(several)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"plain.jpg", "plain.jpg"),
        (b"back\\slash.jpg", "back\\slash.jpg"),
        (b"latin1_\xe9.jpg", "latin1_\\xe9.jpg"),
        (b"literal_\\xe9.jpg", "literal_\\x5cxe9.jpg"),
        ("e\u0301.jpg".encode(), "e\u0301.jpg"),
        ("é.jpg".encode(), "é.jpg"),
        (b"line\nbreak\ttab .jpg", "line\nbreak\ttab .jpg"),
        ("rtl\u202egpj.jpg".encode(), "rtl\u202egpj.jpg"),
    ],
)
def test_only_what_is_no_text_is_written_otherwise(name: bytes, text: str) -> None:
    assert name_text(os.fsdecode(name)) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("\x1b[2J.jpg", "\\x1b[2J.jpg"),
        ("rtl\u202egpj", "rtl\\u202egpj"),
        ("ls\u2028sep", "ls\\u2028sep"),
        ("写真\u3000é.jpg", "写真\u3000é.jpg"),
        ("\U0001f469\u200d\U0001f467.jpg", "\U0001f469\u200d\U0001f467.jpg"),
    ],
)
def test_a_shown_name_is_one_line_and_keeps_letters(text: str, shown: str) -> None:
    assert name_shown(text) == shown


def test_texts_that_are_no_names_can_be_stored() -> None:
    assert text_storable("cannot open 'b\udcfc\0\ud800\\xfc'") == "cannot open 'b\\xfc\\x00\\ud800\\xfc'"


def test_long_names_keep_their_end_and_stay_apart() -> None:
    one, other = "a" + "x" * 600 + ".jpg", "b" + "x" * 600 + ".jpg"
    short = {name_shortened(name, 500) for name in (one, other)}
    assert {len(name) for name in short} == {500}
    assert len(short) == 2
    assert name_shortened("日" * 500, 500) == "日" * 500
    assert len(name_shortened("日" * 100, 255, in_bytes=True).encode()) <= 255
