"""The verdict about a version in one sentence."""

from typing import Any

import pytest

from training.evaluation.trust import FEWEST_PHOTOS, Level, trust


def figures(srcc: tuple[float, float, float], auc: tuple[float, float, float] | None, n: int = 60) -> dict[str, Any]:
    def entry(numbers: tuple[float, float, float] | None) -> dict[str, Any]:
        value, low, high = numbers or (None, None, None)
        return {"value": value, "low": low, "high": high, "n": n}

    return {"quality_srcc": entry(srcc), "watch_roc_auc": entry(auc)}


@pytest.mark.parametrize(
    ("srcc", "auc", "level", "words"),
    [
        ((0.7, 0.6, 0.8), (0.97, 0.93, 0.99), Level.YES, "may be trusted to sort photos by quality (SRCC 0.70"),
        ((0.5, 0.3, 0.7), (0.97, 0.93, 0.99), Level.PARTLY, "but may be used with care to sort photos"),
        ((0.1, -0.1, 0.3), (0.97, 0.93, 0.99), Level.PARTLY, "but may not be trusted to sort photos"),
        ((0.1, -0.1, 0.3), (0.6, 0.4, 0.8), Level.NO, "may not be trusted to sort photos by quality"),
        ((0.7, 0.6, 0.8), None, Level.YES, "n = 60)."),
    ],
)
def test_the_lower_end_of_the_interval_decides(srcc: Any, auc: Any, level: Level, words: str) -> None:
    found = trust(3, figures(srcc, auc))
    assert found.level is level
    assert words in found.sentence
    assert found.sentence.startswith("Version 3 may")


def test_a_negative_end_has_a_typographic_minus() -> None:
    assert "−0.10–0.30" in trust(1, figures((0.1, -0.1, 0.3), None)).sentence


def test_without_evidence_there_is_no_verdict() -> None:
    assert trust(None, None).sentence == "There is no model yet."
    assert trust(1, None).level is Level.UNKNOWN
    few = trust(1, figures((0.9, 0.85, 0.95), (1.0, 0.99, 1.0), n=FEWEST_PHOTOS - 1))
    assert few.level is Level.UNKNOWN
    assert "only 29 holdout photos with votes, and 30 are needed" in few.sentence
    assert "SRCC" not in few.sentence


def test_a_finding_takes_the_full_trust_away() -> None:
    finding = {"kind": "leak", "decision": "refuse", "text": "It has learned from 3 holdout photos."}
    found = trust(2, figures((0.7, 0.6, 0.8), (0.97, 0.93, 0.99)), [finding])
    assert found.level is Level.PARTLY
    assert found.cautions == ("It has learned from 3 holdout photos.",)
