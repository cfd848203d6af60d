"""How many photos each annotator of a campaign has rated, without reading all answers in a request.

A fit of the consensus reads all votes anyway, so it stores the counts up to its newest answer. Answers never change.
So what came later is added: each answer counts one, and a row that replaces or takes back an answer takes one away.
"""

from collections import Counter

from django.db.models import Count, Q

from annotation.models import Annotation, Campaign, ConsensusFit

#: The name in `ConsensusFit.figures` of {annotator: standing answers without skips, up to the newest answer}.
KEY = "answers"


def answer_counts(campaign: Campaign, fit: ConsensusFit | None) -> Counter[int]:
    """Return {annotator id: standing answers without skips} (one query).

    fit: the newest one of the campaign; None, or a fit without the counts: all answers are read. An answer whose
    transaction ended after the fit and that has a lower id than its newest answer is missing until the next fit.
    """
    stored = fit.figures.get(KEY) if fit else None
    if fit is None or stored is None:
        return _counted(campaign, since=0)
    counts = Counter({int(annotator): count for annotator, count in stored.items()})
    counts.update(_counted(campaign, since=fit.newest_annotation))
    return counts


def answers_stored(campaign: Campaign, *, newest: int) -> dict[str, int]:
    """Return the counts up to the answer `newest` as a fit stores them (one query over all answers)."""
    return {str(annotator): count for annotator, count in _counted(campaign, since=0, until=newest).items()}


def _counted(campaign: Campaign, *, since: int, until: int | None = None) -> Counter[int]:
    """Return {annotator id: change of their number of standing answers} by the rows after `since`."""
    rows = Annotation.objects.filter(campaign=campaign, pk__gt=since, is_repeat=False)
    if until is not None:
        rows = rows.filter(pk__lte=until)
    given = Count("pk", filter=Q(skip_reason=""))
    ended = Count("pk", filter=Q(supersedes__skip_reason=""))
    found: Counter[int] = Counter()
    for annotator, more, fewer in rows.order_by().values_list("annotator").annotate(given=given, ended=ended):
        found[annotator] = more - fewer
    return found
