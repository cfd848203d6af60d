"""Texts that workers store in English are read again in the language of the reader."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from annotation.language.read_again import read_again
from training.evaluation import stored_words
from training.evaluation.drift import REASONS, Compared
from training.evaluation.stored_words import words_shown
from training.services.reporting import step_name

FOLDERS = ("training/services", "training/learning")


def _stages() -> Iterator[str]:
    """Yield each text that is given to a function `report`, with 1 for its values."""
    for folder in FOLDERS:
        for path in sorted((Path(settings.BASE_DIR) / folder).glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and _name(node) in ("report", "write"):
                    texts = [*node.args, *(one.value for one in node.keywords if one.arg == "stage")]
                    yield from filter(None, map(_text, texts))


def _name(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else "1" for one in node.values)
    return ""


def test_every_stage_that_is_reported_has_a_translation() -> None:
    found = {one for one in _stages() if re.fullmatch(r"[A-Z][a-z]+ .*", one)}
    assert {"Freezing the data", "Reading photos, 1 of 1", "Writing the zip"} <= found
    # The values of these two are names that are translated, too.
    found -= {"Comparing recipes: 1", "Measuring 1"}
    found |= {"Comparing recipes: Ridge regression", "Measuring Quality MAE"}
    with translation.override("de"):
        for stage in sorted(found | {step_name(one) for one in found if "with version" not in one}):
            shown = words_shown(stage)
            assert shown is not None, stage
            assert shown != stage


def test_figures_and_sentences_within_a_sentence_are_kept() -> None:
    stored = "“Looks fine: 95 % sure” Decided by an admin; the rule agrees: Promote: Quality RPS −0.2: better."
    verdict = {"Promote: Quality RPS −0.2: better.": "Befördern: RPS der Qualität −0.2: besser."}
    with translation.override("de"):
        assert words_shown(stored) is None  # not half in English
        assert words_shown(stored, verdict) == (
            "„Looks fine: 95 % sure“ Von einem Admin entschieden; die Regel stimmt zu: Befördern: RPS der Qualität "
            "−0.2: besser."
        )
    assert words_shown(stored, {one: one for one in verdict}) == stored


def test_two_reasons_of_a_run_are_read_one_by_one() -> None:
    values = {"version": 2, "coefficient": "0.1", "by_chance": "0.05", "p_value": "0.001"}
    counts = {"new": "1,200", "groups": "90", "old": "800"}
    stored = " ".join(REASONS[what] % (values | counts) for what in (Compared.PHOTOS, Compared.SCORES))
    with translation.override("de"):
        shown = words_shown(stored)
    assert shown is not None
    assert shown.startswith("Die Fotos dieser Woche")
    assert "Die vorhergesagten Punktzahlen dieser Woche" in shown
    assert shown.count("1,200 neue Fotos in 90 Gruppen") == 2


@pytest.mark.parametrize("text", stored_words.MESSAGES)
def test_every_message_is_read_again_as_it_was_written(text: str) -> None:
    names = re.findall(r"%\((\w+)\)s", text)
    known = {"Cancelled.": "Cancelled."}
    values = {name: "Cancelled." if name.endswith("sentence") else "12" for name in names}
    stored = text % values if names else text
    assert read_again(stored, stored_words.MESSAGES, known) == stored


def test_an_unknown_text_stays_as_it_is() -> None:
    assert words_shown("RuntimeError: out of memory") is None
