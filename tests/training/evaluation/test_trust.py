"""The verdict about a version in one sentence."""

from typing import Any

import pytest

from training.evaluation.calibration.evidence import FEWEST_PHOTOS
from training.evaluation.calibration.verdict import Level
from training.evaluation.trust import trust


def figures(srcc: tuple[float, float, float], *, n: int = 60, groups: int | None = None) -> dict[str, Any]:
    def entry(numbers: tuple[float, float, float]) -> dict[str, Any]:
        value, low, high = numbers
        return {"value": value, "low": low, "high": high, "n": n, "groups": n if groups is None else groups}

    return {"quality_srcc": entry(srcc), "watch_f1": entry((0.97, 0.93, 0.99))}


@pytest.mark.parametrize(
    ("srcc", "level", "words"),
    [
        (
            (0.7, 0.6, 0.8),
            Level.YES,
            "Version 3 is good for sorting photos by quality (SRCC 0.700 (0.600–0.800), n = 60",
        ),
        ((0.5, 0.3, 0.7), Level.UNKNOWN, "has too few photos to tell whether it is good for sorting"),
        ((0.1, -0.1, 0.3), Level.NO, "is not good for sorting photos by quality (SRCC 0.100 (−0.100 to 0.300)"),
    ],
)
def test_the_whole_interval_decides(srcc: Any, level: Level, words: str) -> None:
    found = trust(3, figures(srcc))
    assert found.level is level
    assert words in found.sentence
    assert found.sentence.endswith("Watch labels: F1 0.970 (0.930–0.990), n = 60.")


def test_without_evidence_there_is_no_verdict() -> None:
    assert trust(None, None).sentence == "There is no model yet."
    assert trust(1, None).level is Level.UNKNOWN
    few = trust(1, figures((0.9, 0.85, 0.95), groups=FEWEST_PHOTOS - 1))
    assert few.level is Level.UNKNOWN
    assert "19 of 20 rated holdout photos (near-duplicates count once)" in few.sentence
    assert "SRCC" not in few.sentence


def test_with_a_fault_there_is_no_verdict() -> None:
    finding = {"kind": "leak", "decision": "refuse", "text": "It has learned from 3 holdout photos."}
    found = trust(2, figures((0.7, 0.6, 0.8)), [finding])
    assert found.level is Level.UNKNOWN
    assert "good" not in found.sentence
    assert found.cautions == ("It has learned from 3 holdout photos.",)
