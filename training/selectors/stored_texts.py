"""What the promotion rule said, in English as it is stored, and in the language of the reader."""

from collections.abc import Iterable

from django.utils import translation

from training.models import Evaluation, TrainingRun
from training.selectors.verdicts import verdict_of


def verdict_words(evaluations: Iterable[Evaluation | None]) -> dict[str, str]:
    """Return the verdicts on evaluations by their English sentences. Campaign, champion and look must be loaded.

    The sentences are made anew from the figures. They fit what was stored unless the rule has changed since. Empty for
    readers of English, who need none.
    """
    if (translation.get_language() or "en").startswith("en"):
        return {}
    found: dict[str, str] = {}
    for evaluation in evaluations:
        shown = verdict_of(evaluation) if evaluation is not None else None
        if evaluation is None or shown is None:
            continue
        with translation.override(None):
            stored = verdict_of(evaluation)
            assert stored is not None  # the language changes nothing about it
            texts = (stored.text, stored.reason)
        found |= dict(zip(texts, (shown.text, shown.reason), strict=True))
    return found


def verdict_words_of_runs(runs: Iterable[TrainingRun]) -> dict[str, str]:
    """Return the same of the evaluations of runs (one query, none for readers of English)."""
    rows = Evaluation.objects.filter(run__in=[run.pk for run in runs])
    return verdict_words(rows.select_related("against", "look", "model_version__campaign"))
