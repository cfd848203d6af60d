"""What reviewers and admins should do next in their campaigns: a constant number of queries for all of them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from annotation.models import Campaign
from inference.models import PRIOR_NAME, ModelVersion
from training.evaluation.drift import Drift, DriftVerdict
from training.evaluation.trust import Trust, trust
from training.models import DriftCheck, Evaluation, TrainingRun
from training.selectors.verdicts import verdict_of
from training.selectors.versions import newest_evaluations


@dataclass(frozen=True)
class DueWork:
    """What is due in one campaign."""

    campaign: Campaign
    champion: ModelVersion | None
    trust: Trust
    disputed: int
    """Photos that wait for a decision."""
    drifted: bool
    """The new photos differ from those that the champion has learned from."""
    challenger: ModelVersion | None
    """A version that the promotion rule wants as champion."""
    failed_run: TrainingRun | None
    """The newest run, if it failed."""
    live_run: TrainingRun | None

    @property
    def is_due(self) -> bool:
        """Return whether somebody should do something."""
        return bool(self.disputed or self.trust.cautions or self.drifted or self.challenger or self.failed_run)


def due_work(campaigns: Collection[Campaign], *, disputed: Mapping[int, int]) -> dict[int, DueWork]:
    """Return {campaign id: what is due} (five queries at most, whatever the number of campaigns).

    disputed: {campaign id: photos that wait for a decision}, without zeros.
    """
    if not campaigns:
        return {}
    champions, newest = _versions(campaigns)
    evaluations = newest_evaluations([*champions.values(), *newest.values()])
    checks = DriftCheck.objects.filter(campaign__in=campaigns, model_version__is_champion=True)
    drift = {check.campaign_id: check for check in checks.order_by("campaign_id", "-id").distinct("campaign_id")}
    runs = TrainingRun.objects.filter(campaign__in=campaigns).order_by("campaign_id", "-id").distinct("campaign_id")
    last_run = {run.campaign_id: run for run in runs}
    found: dict[int, DueWork] = {}
    for campaign in campaigns:
        champion, run = champions.get(campaign.pk), last_run.get(campaign.pk)
        found[campaign.pk] = DueWork(
            campaign=campaign,
            champion=champion,
            trust=champion_trust(champion, evaluations.get(champion.pk) if champion else None),
            disputed=disputed.get(campaign.pk, 0),
            drifted=_has_drifted(drift.get(campaign.pk)),
            challenger=_challenger(newest.get(campaign.pk), champion, evaluations),
            failed_run=run if run and run.state == TrainingRun.State.FAILED else None,
            live_run=run if run and run.state in TrainingRun.LIVE else None,
        )
    return found


def champion_trust(version: ModelVersion | None, evaluation: Evaluation | None) -> Trust:
    """Return whether the champion may be trusted, by its newest evaluation (no query)."""
    if version is None:
        return trust(None, None)
    if evaluation is None:
        return trust(version.number, None)
    return trust(version.number, evaluation.metrics, evaluation.findings)


def _versions(campaigns: Collection[Campaign]) -> tuple[dict[int, ModelVersion], dict[int, ModelVersion]]:
    """Return the champion and the newest version of each campaign (two queries)."""
    versions = ModelVersion.objects.filter(campaign__in=campaigns)
    champions = {one.campaign_id: one for one in versions.filter(is_champion=True)}
    newest = {one.campaign_id: one for one in versions.order_by("campaign_id", "-number").distinct("campaign_id")}
    return champions, newest


def _challenger(
    version: ModelVersion | None, champion: ModelVersion | None, evaluations: dict[int, Evaluation]
) -> ModelVersion | None:
    """Return the newest version if it came after the champion and the promotion rule wants it; no query."""
    if version is None or champion is None or version.number <= champion.number:
        return None
    evaluation = evaluations.get(version.pk)
    if evaluation is None or evaluation.against_id != champion.pk or version.recipe.get("name") == PRIOR_NAME:
        return None
    verdict = verdict_of(evaluation)
    return version if verdict is not None and verdict.promote else None


def _has_drifted(check: DriftCheck | None) -> bool:
    tests = () if check is None else (Drift.from_json(check.photos), Drift.from_json(check.scores))
    return any(test.verdict == DriftVerdict.DRIFT for test in tests)
