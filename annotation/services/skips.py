"""Photos that people pass on: after some skips nobody else is asked, and an admin looks at the photo."""

from collections import Counter

from annotation.models import Annotation, Image

DAMAGED = "It does not load or is damaged"  # the reason offered by the page
DAMAGED_REPORTS = 2
SKIPS = 3


def problem_note(*, image: Image, before: Annotation | None, skip: Annotation) -> None:
    """Give the photo a `problem` when `skip`, just recorded, makes two reports of damage or three skips.

    Skips of different annotators count, as far as they stand; `before` is what the annotator had said
    until then. Only reaching one of the two numbers counts: once an admin has removed the problem, the
    skips of before do not bring it back. The caller holds the lock of the photo's row.
    """
    if image.problem:
        return
    skips = Annotation.objects.filter(image=image).skips()
    reasons = Counter(skips.values_list("skip_reason", flat=True))
    was = before.skip_reason if before is not None else ""
    if reasons[DAMAGED] == DAMAGED_REPORTS and skip.skip_reason == DAMAGED and was != DAMAGED:
        problem = f"{DAMAGED_REPORTS} annotators report: “{DAMAGED}”."
    elif reasons.total() == SKIPS and not was:
        problem = f"{SKIPS} annotators skipped it: {_listed(reasons)}."
    else:
        return
    Image.objects.filter(pk=image.pk).update(problem=problem)


def _listed(reasons: Counter[str]) -> str:
    return ", ".join(f"“{reason}”" + (f" ({n})" if n > 1 else "") for reason, n in reasons.most_common())
