"""What the promotion rule of a campaign says about an evaluation, and how many looks its holdout has had."""

from collections.abc import Collection
from dataclasses import dataclass
from math import ceil

import numpy as np
from django.utils.translation import gettext
from numpy.typing import NDArray

from annotation.models import Campaign, Image, User
from inference.models import ModelVersion
from training.evaluation.faults import unrelated_problem
from training.evaluation.looks import FIRST, LOOKS, Look, fresh_needed, next_look
from training.evaluation.promotion_rule import Decision, Problem, Rule, Verdict, promotion_verdict
from training.evaluation.stored_words import words_shown
from training.learning.dataset import Snapshot
from training.models import Evaluation, HoldoutLook, TrainingRun


@dataclass(frozen=True)
class HoldoutUse:
    """How often the holdout was looked at for the present champion."""

    looks: int
    photos: int
    """Photos of the last look."""
    fresh: int
    """New holdout photos that are needed so that no earlier look counts."""
    imports: int | None
    """How many photos to import for that, at the campaign's share of holdout photos; None if the share is 0."""

    @property
    def left(self) -> int:
        """Return how many looks are left."""
        return max(LOOKS - self.looks, 0)

    @property
    def text(self) -> str:
        """Return the use of the holdout in words, and what to do when it is used up."""
        looks = {"looks": self.looks, "all": LOOKS}
        used = gettext("%(looks)s of %(all)s looks at this holdout are used for this champion.") % looks
        if self.left:
            return used
        if self.imports is None:
            rest = gettext(
                "It is used up, and new photos do not join it because the campaign's share of holdout photos is 0: "
                "start a new campaign with a holdout."
            )
        else:
            rest = gettext(
                "It is used up. It needs %(fresh)s fresh holdout photos with votes. Newly imported photos join the "
                "holdout by the campaign's share: import about %(imports)s photos. Photos that a model may have "
                "learned from never join it."
            ) % {"fresh": f"{self.fresh:,}", "imports": f"{self.imports:,}"}
        return f"{used} {rest}"


def rule_of(campaign: Campaign) -> Rule:
    """Return the promotion rule of a campaign."""
    none = Campaign.PromotionRule.NOT_WORSE
    better = "" if campaign.promotion_rule == none else campaign.promotion_rule
    return Rule(better=str(better), margin=campaign.promotion_margin)


def verdict_of(evaluation: Evaluation) -> Verdict | None:
    """Return what the present rule says about an evaluation; None without a champion to compare with (no query).

    Campaign and look must be loaded with the evaluation, as `newest_evaluations` does. Comparisons from before looks
    were counted are first looks. A version that was made before the champion is no challenger, so it has no verdict.
    """
    against = evaluation.against
    version = evaluation.model_version
    if against is None or version.number < against.number:
        return None
    problems = [
        Problem(Decision(one["decision"]), words_shown(one["text"]) or one["text"]) for one in evaluation.findings
    ]
    unrelated = unrelated_problem(evaluation.metrics, evaluation.differences)
    return promotion_verdict(
        evaluation.differences,
        metrics=evaluation.metrics,
        rule=rule_of(version.campaign),
        look=FIRST if evaluation.look is None else Look(evaluation.look.number),
        problems=[*problems, unrelated] if unrelated else problems,
    )


def look_due(champion: ModelVersion, image_ids: Collection[int]) -> Look:
    """Return the number of the next look at these photos for this champion (one query)."""
    return next_look(HoldoutLook.objects.filter(against=champion).values_list("image_ids", flat=True), image_ids)


def holdout_use(champion: ModelVersion) -> HoldoutUse | None:
    """Return how often the holdout was looked at for the champion; None if never (one query)."""
    looks = list(HoldoutLook.objects.filter(against=champion).values_list("image_ids", flat=True))
    if not looks:
        return None
    last, photos = looks[0], len(looks[0])  # the newest
    fresh, share = fresh_needed(photos), champion.campaign.holdout_fraction
    return HoldoutUse(
        looks=next_look(looks, last).number - 1,
        photos=photos,
        fresh=fresh,
        imports=ceil(fresh / share) if share else None,
    )


def leaked_photos(version: ModelVersion, holdout: Snapshot) -> int | None:
    """Return how many photos with holdout votes, or with near-duplicates, the version has learned from (one query).

    Photos count by their content, and by the groups of then and now. None if the frozen answers of its run are gone.
    """
    known = learned_rows(version, holdout)
    return None if known is None else len(np.unique(holdout.image_ids[known]))


def learned_rows(version: ModelVersion, holdout: Snapshot) -> NDArray[np.bool_] | None:
    """Return for each vote [N] whether the version has learned from its photo or a near-duplicate (two queries).

    None if the frozen answers of its run are gone. A shipped prior has learned from no photo of the campaign.
    """
    run = TrainingRun.objects.filter(campaign=version.campaign_id, challenger=version).first()
    if run is None:
        return np.zeros(len(holdout), dtype=np.bool_)
    path = run.folder / "snapshot.npz"
    if not path.exists():
        return None
    learned = Snapshot.load(path)
    present = Image.objects.filter(pk__in=learned.photo_ids.tolist()).values_list("group", flat=True)
    groups: NDArray[np.str_] = np.array([*learned.all_groups.tolist(), *map(str, present)], dtype="U36")
    found: NDArray[np.bool_] = np.isin(holdout.groups, groups) | np.isin(holdout.sha256, learned.all_sha256)
    return found


def inverted_names(evaluation: Evaluation) -> list[str]:
    """Return the user names of annotators whose holdout scores run against the others' (one query if there are any)."""
    ids = [person for one in evaluation.findings for person in one.get("annotators", [])]
    return list(User.objects.filter(pk__in=ids).values_list("username", flat=True)) if ids else []
