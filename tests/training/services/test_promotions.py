"""Promotion, rollback and the audit trail."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from annotation.models import Campaign
from inference.models import ModelVersion
from training.models import Promotion
from training.selectors.versions import past_champions, rollback_target
from training.services.promotions import PromotionError, promotion_make

MANUAL, ROLLBACK = Promotion.Kind.MANUAL, Promotion.Kind.ROLLBACK


def test_a_promotion_changes_the_champion_and_stores_who_did_it(
    campaign: Campaign, people: dict[str, Any], make_version: Callable[..., Any]
) -> None:
    first, second = make_version(1, champion=True), make_version(2)
    row = promotion_make(version=second, kind=MANUAL, by=people["ada"], reason="Looks better.")
    assert list(ModelVersion.objects.filter(is_champion=True)) == [second]
    assert (row.version, row.replaced, row.by, row.reason) == (second, first, people["ada"], "Looks better.")


def test_the_champion_is_not_promoted_again(campaign: Campaign, make_version: Callable[..., Any]) -> None:
    version = make_version(1, champion=True)
    with pytest.raises(PromotionError, match="Version 1 is already the champion"):
        promotion_make(version=version, kind=MANUAL)
    assert not Promotion.objects.exists()


@pytest.mark.parametrize("damage", ["change", "remove"])
def test_a_version_with_damaged_files_is_refused(
    campaign: Campaign, make_version: Callable[..., Any], damage: str
) -> None:
    first, second = make_version(1, champion=True), make_version(2)
    path = second.path / "heads.onnx"
    path.write_bytes(b"damaged") if damage == "change" else path.unlink()
    with pytest.raises(PromotionError, match=r"heads\.onnx"):
        promotion_make(version=second, kind=MANUAL)
    assert list(ModelVersion.objects.filter(is_champion=True)) == [first]
    assert not Promotion.objects.exists()


def test_only_a_former_champion_can_be_the_target_of_a_rollback(
    campaign: Campaign, make_version: Callable[..., Any]
) -> None:
    first, second, third = make_version(1, champion=True), make_version(2), make_version(3)
    promotion_make(version=second, kind=MANUAL)
    with pytest.raises(PromotionError, match="Version 3 has never been champion"):
        promotion_make(version=third, kind=ROLLBACK)
    promotion_make(version=first, kind=ROLLBACK)
    assert ModelVersion.objects.get(is_champion=True) == first
    assert past_champions(campaign) == {first.pk, second.pk}


def test_two_rollbacks_go_back_two_versions(campaign: Campaign, make_version: Callable[..., Any]) -> None:
    first, second, third = make_version(1, champion=True), make_version(2), make_version(3)
    assert rollback_target(campaign) is None
    promotion_make(version=second, kind=MANUAL)
    promotion_make(version=third, kind=MANUAL)
    assert rollback_target(campaign) == second
    promotion_make(version=second, kind=ROLLBACK)
    assert rollback_target(campaign) == first
    promotion_make(version=first, kind=ROLLBACK)
    assert rollback_target(campaign) is None
    promotion_make(version=third, kind=MANUAL)
    assert rollback_target(campaign) == first


@pytest.mark.django_db(transaction=True)
def test_two_promotions_at_the_same_time_leave_one_champion(
    campaign: Campaign, make_version: Callable[..., Any]
) -> None:
    make_version(1, champion=True)
    versions = [make_version(2), make_version(3)]
    barrier = threading.Barrier(2)

    def promote(version: ModelVersion) -> None:
        barrier.wait()
        promotion_make(version=version, kind=MANUAL)
        connection.close()

    threads = [threading.Thread(target=promote, args=[version]) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    newest, oldest = Promotion.objects.all()
    assert oldest.replaced is not None
    assert oldest.replaced.number == 1
    assert newest.replaced == oldest.version
    assert ModelVersion.objects.get(is_champion=True) == newest.version
