"""The promotion rule and its description in the docs."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from training.evaluation.promotion_rule import DESCRIPTION, HOLDOUT_FOR_PROMOTION, promotion_verdict


def differences(
    quality: tuple[float | None, float | None] = (0.02, 0.2),
    watch: tuple[float | None, float | None] = (-0.01, 0.01),
    n: int = 60,
) -> dict[str, Any]:
    def entry(ends: tuple[float | None, float | None]) -> dict[str, Any]:
        known = None not in ends
        return {"value": sum(ends) / 2 if known else None, "low": ends[0], "high": ends[1], "n": n}  # type: ignore[arg-type]

    return {"quality_srcc": entry(quality), "watch_roc_auc": entry(watch)}


@pytest.mark.parametrize(
    ("stored", "promote", "words"),
    [
        (differences(), True, "above zero"),
        (differences(quality=(0.0, 0.2)), False, "does not lie above zero"),
        (differences(quality=(-0.3, -0.1)), False, "does not lie above zero"),
        (differences(watch=(-0.05, -0.001)), False, "it is worse"),
        (differences(watch=(-0.05, 0.0)), True, "not worse"),
        (differences(watch=(None, None)), True, "could not be compared"),
        (differences(quality=(None, None)), False, "too few votes"),
        (differences(n=19), False, "Only 19 holdout photos"),
        ({}, False, "too few votes"),
    ],
)
def test_the_verdict_and_its_reason(stored: dict[str, Any], promote: bool, words: str) -> None:
    verdict = promotion_verdict(stored)
    assert verdict.promote is promote
    assert words in verdict.reason


def test_the_description_names_every_number_of_the_rule() -> None:
    for part in ("Quality SRCC", "Watch ROC AUC", "95 %", f"At least {HOLDOUT_FOR_PROMOTION} holdout photos"):
        assert part in DESCRIPTION


def test_the_docs_contain_the_description() -> None:
    page = (Path(settings.BASE_DIR) / "docs/reference/metrics.md").read_text()
    assert DESCRIPTION in re.sub(r"\s+", " ", page)
