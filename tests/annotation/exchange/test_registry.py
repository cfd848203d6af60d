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
from annotation.exchange.reading import VoteReader
from annotation.exchange.records import (
    AnnotationRecord,
    AnnotatorRecord,
    AuditRow,
    ConsensusRecord,
    DecisionRecord,
    HistogramRecord,
    PhotoRecord,
    PredictionRecord,
    TaskPrediction,
    TaskRecord,
    VoteRecord,
    WatchRecord,
)
from annotation.exchange.registry import FORMATS, READERS, formats_of
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
    blind=False,
    independent_vote=False,
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
    tags="=1+1; old",
)
AUDIT = AuditRow(
    record=1,
    at=datetime(2026, 3, 1, tzinfo=UTC),
    by="@alice",
    kind="export",
    user=None,
    campaign="watches",
    what="=1.csv",
    before=None,
    after='{"rows": 1}',
    address="192.0.2.7",
)
CONSENSUS = ConsensusRecord(
    image="=1.jpg",
    sha256="0" * 64,
    split="train",
    role="rated",
    votes=3,
    simulated_votes=1,
    mos=5.25,
    sos=None,
    low=4.0,
    high=6.5,
    corrected_mos=5.5,
    corrected_error=0.5,
    watch_votes=0,
    watch_yes=0,
    watch_posterior=None,
    decided_score=None,
    decided_watch=None,
    decided_blind=None,
    decision_trains=False,
    updated_at=datetime(2026, 3, 1, tzinfo=UTC),
)
ANNOTATOR = AnnotatorRecord(
    annotator="@alice",
    simulated=False,
    votes=30,
    bias=0.5,
    bias_deviation=0.1,
    gain=1.1,
    gain_deviation=0.1,
    noise=1.5,
    information=0.9,
    watch_votes=0,
    sensitivity=None,
    specificity=None,
    updated_at=datetime(2026, 3, 1, tzinfo=UTC),
)
VOTE = VoteRecord(
    annotator="@alice",
    file="=1.jpg",
    score=7,
    watch="yes",
    given_at=datetime(2026, 3, 1, tzinfo=UTC),
)
HISTOGRAM = HistogramRecord(file="=1.jpg", counts=(0, 0, 1, 0, 2, 0, 0, 0, 0, 0), lowest=1)
TASK = TaskRecord("=1.jpg", "/=1.jpg", "a" * 64, (VOTE,), (TaskPrediction(3, 6.5, 0.9, True),))
PREDICTION = PredictionRecord(
    image="=1.jpg",
    sha256="a" * 64,
    split="train",
    model_version=3,
    quality_mean=6.5,
    quality_std=1.25,
    lowest_score=1,
    distribution=(0.25, 0.5, 0.25),
    quality_class="accepted",
    watch_probability=0.9,
    watch=True,
    blur=0.1,
    noise=None,
    exposure=0.0,
    compression=1.0,
    predicted_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
)
DECISION = DecisionRecord(
    image="=1.jpg",
    sha256="a" * 64,
    split="train",
    quality="accepted",
    quality_by="both",
    quality_model="accepted",
    score=7.5,
    score_low=6.0,
    score_high=9.0,
    score_by="people",
    watch=True,
    watch_by="model",
    watch_model=True,
    votes=3,
    model_version=3,
)
RECORDS: dict[type[Any], Any] = {
    AnnotationRecord: ANNOTATION,
    PhotoRecord: PHOTO,
    AuditRow: AUDIT,
    ConsensusRecord: CONSENSUS,
    AnnotatorRecord: ANNOTATOR,
    VoteRecord: VOTE,
    HistogramRecord: HISTOGRAM,
    WatchRecord: WatchRecord(file="=1.jpg", watch="yes"),
    TaskRecord: TASK,
    PredictionRecord: PREDICTION,
    DecisionRecord: DECISION,
}


def record_of(exchange_format: Format[Any]) -> Any:
    """Return a row that the format can write: KonIQ-10k has five scores."""
    record = RECORDS[exchange_format.record]
    return record._replace(counts=record.counts[:5]) if exchange_format.name == "koniq" else record


def classes_in_package(base: type[Any]) -> Iterator[type[Any]]:
    """Yield the classes of the package that extend this one, without base classes."""
    for module in pkgutil.iter_modules(annotation.exchange.__path__):
        for value in vars(import_module(f"annotation.exchange.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, base) and not isabstract(value) and hasattr(value, "name"):
                yield value


@pytest.mark.parametrize(("base", "registry"), [(Format, FORMATS), (VoteReader, READERS)])
def test_every_class_in_the_package_is_registered_under_its_name(base: type[Any], registry: dict[str, Any]) -> None:
    assert {type(one) for one in registry.values()} == set(classes_in_package(base))
    assert all(name == one.name for name, one in registry.items())


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS.keys())
def test_a_reader_has_the_texts_that_pages_and_commands_need(reader: VoteReader) -> None:
    assert reader.label
    assert reader.description.endswith(".")
    assert "%" not in reader.description  # the help of a command would take it as a placeholder


@pytest.mark.parametrize("exchange_format", FORMATS.values(), ids=FORMATS.keys())
def test_a_format_has_the_texts_that_pages_and_commands_need(exchange_format: Format[Any]) -> None:
    assert exchange_format.label
    assert exchange_format.description.endswith(".")
    assert exchange_format.suffix.startswith(".")
    assert "/" in exchange_format.content_type
    assert exchange_format in formats_of(exchange_format.record)


@pytest.mark.parametrize("exchange_format", FORMATS.values(), ids=FORMATS.keys())
def test_a_format_reads_its_rows_one_at_a_time(exchange_format: Format[Any]) -> None:
    record = record_of(exchange_format)
    rows_read = 0

    def rows() -> Iterator[Any]:
        nonlocal rows_read
        for _ in range(5000):
            rows_read += 1
            yield record

    pieces = iter(exchange_format.write(rows()))
    assert isinstance(next(pieces), bytes)
    # The end of a Parquet file lists its parts. It waits on the disk, not in memory.
    assert rows_read < 5000 or exchange_format.suffix == ".parquet"
    assert list(pieces) or exchange_format.suffix == ".parquet"
    assert rows_read == 5000


@pytest.mark.parametrize("exchange_format", FORMATS.values(), ids=FORMATS.keys())
def test_no_table_contains_a_formula(exchange_format: Format[Any]) -> None:
    data = b"".join(exchange_format.write([record_of(exchange_format)]))
    if exchange_format.suffix == ".csv":
        text = data.decode()
        cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_the_table_of_photos_has_a_column_for_each_distortion() -> None:
    assert set(DISTORTIONS) < set(PhotoRecord._fields)
