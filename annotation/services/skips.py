"""Skipped photos: after several skips a photo leaves the queue, and an admin decides what to do with it."""

from collections import Counter

from django.utils.translation import gettext_noop

from annotation.models import Annotation, Image

DAMAGED = gettext_noop("It does not load or is damaged")  # one of the reasons on the annotate page
DAMAGED_REPORTS = 2
DAMAGED_PROBLEM = gettext_noop("%(count)s annotators report: “%(what)s”.") % {"count": DAMAGED_REPORTS, "what": DAMAGED}
SKIPS = 3


def problem_update(*, image: Image, before: Annotation | None, skip: Annotation) -> None:
    """Set the photo's `problem` when the new `skip` is the second report of damage or the third skip.

    Only standing skips count, one for each annotator. `before` is the annotator's previous answer or skip.
    The problem is set when the number is reached, not when it is exceeded: after an admin has removed the problem, the
    earlier skips do not set it again. The caller must hold the lock of the photo's row.
    """
    if image.problem:
        return
    skips = Annotation.objects.filter(image=image).skips()
    reasons = Counter(skips.values_list("skip_reason", flat=True))
    was = before.skip_reason if before is not None else ""
    if reasons[DAMAGED] == DAMAGED_REPORTS and skip.skip_reason == DAMAGED and was != DAMAGED:
        problem = DAMAGED_PROBLEM
    elif reasons.total() == SKIPS and not was:
        problem = gettext_noop("%(count)s annotators skipped it: %(what_listed)s.") % {
            "count": SKIPS,
            "what_listed": _listed(reasons),
        }
    else:
        return
    Image.objects.filter(pk=image.pk).update(problem=problem)


def _listed(reasons: Counter[str]) -> str:
    return ", ".join(f"“{reason}”" + (f" ({n})" if n > 1 else "") for reason, n in reasons.most_common())
