"""The card as Markdown: complete, and no text of a person can change its form."""

from typing import Any

import pytest

from training.evaluation.version_card import card_markdown


@pytest.fixture
def card() -> dict[str, Any]:
    figure = {"label": "Quality RMSE", "unit": "points", "text": "0.81 (0.70–0.92)", "n": 1200, "explanation": "…"}
    return {
        "name": "watches-v3",
        "campaign": "Watches",
        "version": 3,
        "made": "2026-11-20",
        "is_champion": True,
        "note": "",
        "scale": {
            "lowest": 1,
            "highest": 10,
            "reject_at": 5.0,
            "pending_at": 6.5,
            "predicted_reject_at": 5.2,
            "predicted_pending_at": 6.25,
        },
        "watch": {"threshold": 0.05, "classes": {"531": "digital watch"}},
        "backbone": {"name": "efficientnet_lite2", "key": "k@1", "precision": "fp32", "licence": "Apache-2.0"},
        "learned_from": {
            "photos": 1500,
            "votes": 4200,
            "watch_labels": 1400,
            "recipe": "Ridge",
            "data_fingerprint": "abc",
            "first_answer": "2026-10-01",
            "last_answer": "2026-11-19",
        },
        "lineage": {"parent": 1, "run": 5, "seed": 9, "compared_with": 2, "became_champion": ["2026-11-21"]},
        "holdout": {
            "measured": "2026-11-20",
            "photos": 1200,
            "votes": 3600,
            "changed_since": "",
            "figures": [figure],
        },
    }


def test_the_card_says_data_figures_settings_and_lineage(card: dict[str, Any]) -> None:
    text = card_markdown(card)
    assert (
        "4,200 votes on 1,500 photos, 1,400 watch labels, given from 2026-10-01 to 2026-11-19. Recipe: Ridge." in text
    )
    assert "| Quality RMSE, in points | 0.81 (0.70–0.92) | 1,200 | … |" in text
    assert "score up to 5 is rejected, up to 6.5 pending" in text
    assert "their limits are 5.2 and 6.25." in text
    assert "ImageNet classes that count: digital watch (531)." in text
    assert "* Made by training run 5 with the seed 9. It began with the heads of version 1." in text
    assert "* Compared with version 2, the champion of that time." in text
    assert "## Use" not in text  # only exports have inputs and outputs


def test_unknown_parts_are_named_as_unknown(card: dict[str, Any]) -> None:
    card["learned_from"] = {"photos": None, "votes": None, "watch_labels": None, "data_fingerprint": ""}
    card |= {"holdout": None, "watch": {"threshold": 0.05, "classes": {}}}
    card["lineage"] = {"parent": None, "run": None, "seed": None, "compared_with": None, "became_champion": []}
    text = card_markdown(card)
    assert "an unknown number of votes on an unknown number of photos" in text
    assert "It has not been measured on the holdout." in text
    assert "ImageNet classes that count: unknown." in text


def test_names_and_notes_cannot_change_the_form(card: dict[str, Any]) -> None:
    card |= {"campaign": "A | *B*\n# C", "note": "# No heading\n<script>1</script>"}
    text = card_markdown(card)
    assert r"campaign “A \| \*B\* \# C”" in text
    assert "> \\# No heading\n> \\<script\\>1\\</script\\>" in text
    assert [line for line in text.splitlines() if line.startswith("# ")] == ["# Card of watches-v3"]
