import csv
import io
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from inspect import isabstract
from typing import Any

import pytest

import annotation.exchange
from annotation.exchange.format import Format
from annotation.exchange.records import AnnotationRecord, PhotoRecord
from annotation.exchange.registry import FORMATS, formats_of
from inference.gallery.query import DISTORTIONS

ANNOTATION = AnnotationRecord(
    annotation=1,
    image="=1.jpg",
    sha256="0" * 64,
    annotator="@alice",
    simulated=False,
    watch="yes",
    score=7,
    skip_reason="",
    created_at=datetime(2026, 3, 1, tzinfo=UTC),
    supersedes=None,
    saw_prediction=True,
    surplus=False,
    is_repeat=False,
    is_anchored=False,
    role="rated",
    milliseconds=900,
    split="train",
)
PHOTO = PhotoRecord(
    image=1,
    file="-1.jpg",
    sha256="0" * 64,
    split="train",
    quality_mean=5.5,
    quality_std=1.0,
    quality_class="pending",
    watch_probability=0.5,
    watch=True,
    blur=None,
    noise=None,
    exposure=None,
    compression=None,
    laplacian_variance=None,
    distortion_quality=None,
    distortion_class=None,
    mos=None,
    votes=0,
    watch_votes=0,
    model_version=1,
)
RECORDS: dict[type[Any], Any] = {AnnotationRecord: ANNOTATION, PhotoRecord: PHOTO}


def formats_written() -> Iterator[type[Format[Any]]]:
    """Yield the classes of formats in the package, without those that are only a base of others."""
    for module in pkgutil.iter_modules(annotation.exchange.__path__):
        for one in vars(import_module(f"annotation.exchange.{module.name}")).values():
            if isinstance(one, type) and issubclass(one, Format) and not isabstract(one) and hasattr(one, "name"):
                yield one


def test_every_format_of_the_package_is_registered_under_its_name() -> None:
    assert {type(one) for one in FORMATS.values()} == set(formats_written())
    assert all(name == one.name for name, one in FORMATS.items())


@pytest.mark.parametrize("one", FORMATS.values(), ids=FORMATS.keys())
def test_a_format_says_what_pages_and_commands_need(one: Format[Any]) -> None:
    assert one.label
    assert one.description.endswith(".")
    assert one.suffix.startswith(".")
    assert "/" in one.content_type
    assert one in formats_of(one.record)


@pytest.mark.parametrize("one", FORMATS.values(), ids=FORMATS.keys())
def test_a_format_takes_its_rows_one_by_one_from_outside(one: Format[Any]) -> None:
    record = RECORDS[one.record]
    taken = 0

    def rows() -> Iterator[Any]:
        nonlocal taken
        for _ in range(5000):
            taken += 1
            yield record

    pieces = iter(one.write(rows()))
    assert isinstance(next(pieces), bytes)
    assert taken < 5000
    assert list(pieces)
    assert taken == 5000


@pytest.mark.parametrize("one", FORMATS.values(), ids=FORMATS.keys())
def test_no_table_holds_a_formula(one: Format[Any]) -> None:
    text = b"".join(one.write([RECORDS[one.record]])).decode()
    if one.suffix == ".csv":
        cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_the_table_of_photos_has_a_column_for_each_distortion() -> None:
    assert set(DISTORTIONS) < set(PhotoRecord._fields)
