"""Retention: files of old versions go, what is in use stays, and nothing predicts or promotes without files."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from annotation.models import AuditRecord, Campaign
from inference.models import ModelVersion
from inference.networks.model_files import ModelFileError
from inference.serving import runtime
from inference.serving.model_check import version_problem, version_weights_problem
from training.models import Promotion, VersionExport
from training.services.promotions import PromotionError, promotion_make
from training.services.version_exports import version_export_request
from training.services.version_retention import version_files_delete


@pytest.fixture
def five(make_version: Callable[..., Any]) -> list[ModelVersion]:
    """Return five versions: the first is the champion, and the second was champion before it."""
    versions = [make_version(number, champion=number == 2) for number in range(1, 6)]
    promotion_make(version=versions[0], kind=Promotion.Kind.MANUAL)
    return [ModelVersion.objects.get(pk=version.pk) for version in versions]


def with_files(campaign: Campaign) -> list[int]:
    versions = ModelVersion.objects.filter(campaign=campaign).order_by("number")
    assert [one.number for one in versions if one.path.exists()] == [
        one.number for one in versions if one.files_deleted_at is None
    ]
    return [one.number for one in versions if one.path.exists()]


def test_the_newest_the_champion_and_its_predecessor_keep_their_files(
    campaign: Campaign, five: list[ModelVersion]
) -> None:
    assert [version.number for version in version_files_delete(campaign=campaign, keep=1)] == [3, 4]
    assert with_files(campaign) == [1, 2, 5]
    assert ModelVersion.objects.count() == 5
    record = AuditRecord.objects.get(kind="model_files")
    assert record.after == {"versions": [3, 4], "kept": 1}
    assert version_files_delete(campaign=campaign, keep=1) == []
    assert AuditRecord.objects.filter(kind="model_files").count() == 1


def test_kept_versions_that_are_in_use_anyway_count(campaign: Campaign, five: list[ModelVersion]) -> None:
    version_files_delete(campaign=campaign, keep=2)
    assert with_files(campaign) == [1, 2, 4, 5]


def test_a_version_without_files_neither_predicts_nor_becomes_champion(
    campaign: Campaign, five: list[ModelVersion]
) -> None:
    version_files_delete(campaign=campaign, keep=1)
    third = ModelVersion.objects.get(number=3)
    assert version_problem(third).startswith("The files of version 3 were deleted on")
    assert version_weights_problem(third) == ""
    with pytest.raises(PromotionError, match="were deleted on"):
        promotion_make(version=third, kind=Promotion.Kind.MANUAL)
    with pytest.raises(ModelFileError, match="were deleted on"):
        runtime.heads(third)
    assert ModelVersion.objects.get(is_champion=True).number == 1


def test_exports_go_with_the_files(campaign: Campaign, five: list[ModelVersion]) -> None:
    exports = [version_export_request(version=version, by=None) for version in five[2:]]
    for export in exports:
        export.path.parent.mkdir(parents=True, exist_ok=True)
        export.path.write_bytes(b"zip")
    version_files_delete(campaign=campaign, keep=1)
    assert [export.path.exists() for export in VersionExport.objects.order_by("version__number")] == [
        False,
        False,
        True,
    ]


def test_files_that_an_interrupted_call_left_are_deleted(campaign: Campaign, five: list[ModelVersion]) -> None:
    version_files_delete(campaign=campaign, keep=1)
    five[2].path.mkdir()
    version_files_delete(campaign=campaign, keep=1)
    assert not five[2].path.exists()


def test_the_command_deletes_or_only_says_what_it_would_delete(
    campaign: Campaign, five: list[ModelVersion], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("delete_model_files", "watches", keep=1, dry_run=True)
    assert "would be deleted: 3, 4." in capsys.readouterr().out
    assert with_files(campaign) == [1, 2, 3, 4, 5]
    call_command("delete_model_files", "watches", keep=1)
    assert "were deleted: 3, 4." in capsys.readouterr().out
    with pytest.raises(CommandError, match="at least one"):
        call_command("delete_model_files", "watches", keep=0)


def test_everything_else_of_a_version_never_changes(five: list[ModelVersion]) -> None:
    version = five[2]
    version.recipe = {"seed": 2}
    with pytest.raises(ValidationError, match="never changes"):
        version.save()
    with pytest.raises(ValidationError, match="never changes"):
        version.save(update_fields=["note", "recipe"])
    version.note = "The first one with 200 votes."
    version.save(update_fields=["note"])
    assert ModelVersion.objects.get(pk=version.pk).recipe == {"seed": 1, "full_decays": [0.1, 0.03]}
