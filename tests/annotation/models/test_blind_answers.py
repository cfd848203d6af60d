"""Which answers are blind, and which independent votes they replace: for new rows and for those of before."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from annotation.answers import SLIP
from annotation.models import Annotation, Campaign, Image
from annotation.services.annotations import annotation_record
from tests.opinions_and_predictions import images_make, vote

SKIP: dict[str, Any] = {"watch": "", "skip_reason": "Another reason"}


@pytest.fixture
def photo(campaign: Campaign) -> Image:
    return images_make(campaign, 1)[0]


def independent(photo: Image) -> list[int | None]:
    return list(Annotation.objects.filter(image=photo).independent_votes().values_list("score", flat=True))


def chain(photo: Image, annotator: Any, *kinds: str, seconds_later: float = 60) -> list[Annotation]:
    """Store answers 1, 2, … of one annotator, each a correction: "blind", "exposed", "blind skip" or "exposed skip"."""
    rows: list[Annotation] = []
    for number, kind in enumerate(kinds, start=1):
        is_skip = kind.endswith("skip")
        fields: dict[str, Any] = SKIP if is_skip else {"watch": "no"}
        rows.append(
            vote(
                photo,
                annotator,
                None if is_skip else number,  # type: ignore[arg-type]  # a skip has no score
                seconds_later=seconds_later,
                supersedes=rows[-1] if rows else None,
                saw_prediction=kind.startswith("exposed"),
                **fields,
            )
        )
    return rows


@pytest.mark.parametrize(
    ("kinds", "counted"),
    [
        (["blind"], [1]),
        (["exposed"], []),
        (["blind", "blind"], [2]),
        (["blind", "exposed"], [1]),
        (["blind", "exposed", "exposed"], [1]),
        (["blind", "blind", "exposed"], [2]),
        (["blind", "exposed skip"], []),
        (["blind", "exposed", "exposed skip"], []),
        (["blind", "exposed skip", "exposed"], []),
        (["blind skip", "blind"], [2]),
        (["blind skip", "exposed"], []),
        (["exposed", "blind"], []),
        (["blind", "exposed", "blind"], [1]),
        (["blind", "exposed", "blind skip"], []),
        (["blind", "blind skip", "blind", "exposed"], [3]),
    ],
)
def test_the_last_blind_answer_counts_until_a_skip(
    photo: Image, people: dict[str, Any], kinds: list[str], counted: list[int]
) -> None:
    chain(photo, people["alice"], *kinds)
    assert independent(photo) == counted


@pytest.mark.parametrize(("seconds", "counted"), [(2.0, [2]), (3.5, [1])])
def test_a_correction_within_seconds_corrects_a_slip(
    photo: Image, people: dict[str, Any], seconds: float, counted: list[int]
) -> None:
    chain(photo, people["alice"], "blind", "exposed", seconds_later=seconds)
    assert independent(photo) == counted


def test_a_second_correction_within_seconds_is_exposed(photo: Image, people: dict[str, Any]) -> None:
    """By then the prediction was on the page for longer than the time of one slip."""
    chain(photo, people["alice"], "blind", "exposed", "exposed", seconds_later=2)
    assert independent(photo) == [2]


def test_an_exposed_answer_has_no_slip(photo: Image, people: dict[str, Any]) -> None:
    chain(photo, people["alice"], "exposed", "exposed", seconds_later=1)
    assert independent(photo) == []


def test_annotators_do_not_withdraw_the_votes_of_others(photo: Image, people: dict[str, Any]) -> None:
    chain(photo, people["alice"], "blind", "exposed skip")
    chain(photo, people["bob"], "blind", "exposed")
    assert independent(photo) == [1]
    assert list(Annotation.objects.independent_votes().values_list("annotator", flat=True)) == [people["bob"].pk]


def test_the_database_refuses_a_first_exposed_answer_that_says_blind(photo: Image, people: dict[str, Any]) -> None:
    """`bulk_create` does not call `save`, and the default of the column is blind."""
    row = vote(photo, people["alice"], 5, saw_prediction=True)
    with pytest.raises(IntegrityError, match="annotation_first_exposed_is_not_blind"), transaction.atomic():
        Annotation.objects.filter(pk=row.pk).update(is_blind=True)


def test_the_migration_gives_old_rows_the_values_that_save_gives_new_ones(
    campaign: Campaign, people: dict[str, Any]
) -> None:
    kinds = ("blind", "exposed", "blind skip", "exposed skip")
    chains = [one for length in (1, 2, 3) for one in itertools.product(kinds, repeat=length)]
    for photo, one in zip(images_make(campaign, len(chains)), chains, strict=True):
        chain(photo, people["alice"], *one)
        chain(photo, people["bob"], *one, seconds_later=1)
    fields = ("pk", "is_blind", "replaces_vote")
    saved = list(Annotation.objects.order_by("pk").values_list(*fields))
    assert len({row[1:] for row in saved}) > 3
    first_exposed = Annotation.objects.filter(supersedes=None, saw_prediction=True)
    Annotation.objects.exclude(pk__in=first_exposed.values("pk")).update(is_blind=True, replaces_vote=None)
    with connection.cursor() as cursor:
        cursor.execute(import_module("annotation.migrations.0015_blind_answers").BACKFILL)
    assert list(Annotation.objects.order_by("pk").values_list(*fields)) == saved


class TestRecording:
    @pytest.fixture
    def record(self, campaign: Campaign, people: dict[str, Any], photo: Image) -> Callable[..., Annotation]:
        from uuid import uuid4

        def one(score: int | None, *, seconds_later: float = 60, **fields: Any) -> Annotation:
            past = timezone.now() - timedelta(seconds=seconds_later)
            Annotation.objects.filter(image=photo, superseded_by=None).update(created_at=past)
            fields = {"watch": "yes", **fields} if score else fields
            receipt = annotation_record(
                campaign=campaign,
                annotator=people["alice"],
                image_id=photo.pk,
                client_id=uuid4(),
                score=score,
                **fields,
            )
            return receipt.annotation

        return one

    def test_a_correction_after_the_reveal_leaves_the_blind_vote(
        self, record: Callable[..., Annotation], photo: Image
    ) -> None:
        record(3)
        assert not record(8).is_blind
        assert independent(photo) == [3]
        record(9)
        assert independent(photo) == [3]
        photo.refresh_from_db()
        assert photo.vote_count == 1, "progress counts one answer a person"
        record(None, skip_reason="Another reason")
        assert independent(photo) == []

    def test_a_slip_is_corrected(self, record: Callable[..., Annotation], photo: Image) -> None:
        record(1)
        corrected = record(9, seconds_later=SLIP.total_seconds() - 1)
        assert (corrected.is_blind, corrected.saw_prediction) == (True, True)
        assert independent(photo) == [9]

    def test_a_correction_costs_no_more_queries(
        self, record: Callable[..., Annotation], campaign: Campaign, django_assert_max_num_queries: Any
    ) -> None:
        record(1)
        with django_assert_max_num_queries(8):  # the backdating of the test, and seven of the service
            record(8)
