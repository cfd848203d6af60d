"""The work of the training process on a claimed run: freeze the data, learn, store, evaluate, promote.

It loads torch, so only commands import it. Every write checks the run's attempt number: when another attempt
has claimed the run, the process stops at its next write.
"""

import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from django.conf import settings
from django.db import transaction
from numpy.typing import NDArray

from annotation.models import LIVE, Campaign, Image
from inference.models import ModelVersion
from inference.networks.checkpoint import CheckpointError, heads_load, heads_save, prior_for
from inference.networks.config import WeightsMissing
from inference.networks.export import heads_to_onnx
from inference.networks.model_files import ModelFileError
from inference.scoring.predictor import HeadsPredictor
from inference.selectors import backbone_key, backbone_of, champion, feature_matrix, version_misfit
from inference.services.features import features_make
from inference.services.predictions import predictions_refresh
from inference.services.versions import made_for, prior_install, version_create
from inference.serving import runtime
from training.evaluation import stored_words
from training.evaluation.promotion_rule import Verdict
from training.learning.checkpoints import Checkpoints, fingerprint_of
from training.learning.dataset import Snapshot, rated_images
from training.learning.fitting import heads_fit
from training.learning.photo_pixels import PhotoPixels
from training.learning.recipe import FittedHeads, History
from training.learning.registry import EXPOSED_ANSWERS_LABEL, LearningPlan
from training.learning.whole_network import WholeNetwork
from training.models import Evaluation, Promotion, TrainingRun
from training.selectors.backbone_change import has_other_network
from training.selectors.runs import last_learned, newest_annotation_id, training_answers
from training.selectors.snapshots import UsedDecisions, training_data
from training.selectors.verdicts import verdict_of
from training.selectors.versions import same_settings
from training.services.decision_rules import class_spread_of, watch_aim_of
from training.services.evaluations import evaluation_make
from training.services.networks import backbone_hand_over, network_store, photo_pixels_make
from training.services.promotions import PromotionError, promotion_make
from training.services.reporting import Echo, Reporter
from training.services.runs import RunCancelledError, RunEndedError, run_finish

logger = logging.getLogger(__name__)
State = TrainingRun.State
_PARITY_PHOTOS = 64
_PARITY = 1e-4  # largest difference of any probability between PyTorch and ONNX Runtime


class LearningError(RuntimeError):
    """The run cannot succeed with the present data or settings. The message is for the campaign's admins."""


@dataclass(frozen=True)
class Outcome:
    """The result of a run: its state, the new version, and its promotion if there was one."""

    state: str
    message: str = ""
    challenger: ModelVersion | None = None
    promotion: Promotion | None = None


def run_perform(*, run_id: int, attempt: int, echo: Echo | None = None) -> Outcome:
    """Work on a claimed run until it ends. The caller enqueues the predictions of a new champion.

    On an error the run ends as failed, with a message; unexpected errors are logged with their traceback.
    Recipes that learn in epochs continue from the last checkpoint of an earlier attempt, which may have been killed.
    Raises RunEndedError if another attempt has claimed the run; then nothing was written.
    """
    report = Reporter(run_id, attempt, echo)
    run = TrainingRun.objects.select_related("campaign").get(pk=run_id)
    try:
        outcome = _perform(run, report)
    except RunCancelledError:
        outcome = Outcome(State.CANCELLED)
    except RunEndedError:
        raise
    except (LearningError, CheckpointError, ModelFileError, WeightsMissing) as error:
        outcome = Outcome(State.FAILED, str(error))
    except Exception as error:
        logger.exception("Run %s failed.", run_id)
        outcome = Outcome(State.FAILED, f"{type(error).__name__}: {error}")
    ended = {"progress": 1.0, "stage": "Done"} if outcome.state == State.DONE else {"stage": ""}
    if not run_finish(run_id=run_id, attempt=attempt, state=outcome.state, message=outcome.message, **ended):
        raise RunEndedError(f"Attempt {attempt} of run {run_id} is over.")
    shutil.rmtree(run.checkpoint_folder, ignore_errors=True)
    return outcome


def _perform(run: TrainingRun, report: Reporter) -> Outcome:
    try:
        plan = LearningPlan.from_json(run.recipe)
    except ValueError as error:
        raise LearningError(f"{error} Start a new run.") from error
    challenger = run.challenger  # made by an earlier attempt that died before the evaluation
    if challenger is None:
        backbone = backbone_key(run.campaign.backbone)
        votes, features = _freeze(run, plan, backbone, report)
        made_with = _made_with(run.campaign)
        if (same := _same_as(run, votes, backbone, made_with)) is not None:
            made: Any = same.challenger  # not None: only runs that made a version are compared
            values = {"run": same.number, "version": made.number}
            return Outcome(State.SKIPPED, stored_words.NOTHING_CHANGED % values)
        if champion(run.campaign) is None:
            prior_install(campaign=run.campaign)  # the workers have not installed it yet
        challenger = _learn_and_store(run, votes, features, backbone, plan, made_with, report)
    return _evaluate(run, challenger, report)


def _freeze(
    run: TrainingRun, plan: LearningPlan, backbone: str, report: Reporter
) -> tuple[Snapshot, NDArray[np.float32]]:
    """Return the answers to train photos that have features, and the features [N, D], ascending by image id.

    A later attempt uses the data that the first one froze.
    """
    report(0.01, "Freezing the data")
    path = run.folder / "snapshot.npz"
    newest = newest_annotation_id(run.campaign)
    frozen = run.fingerprint and path.exists()
    used = UsedDecisions(run.decision_count, run.exposed_decision_count)
    if frozen:
        votes = Snapshot.load(path)
    else:
        votes, used = training_data(run.campaign, exposed_answers=plan.exposed_answers)
    report(0.03, "Reading features")
    ids, features = feature_matrix(votes.photo_ids, backbone)
    votes = votes.of_images(ids)
    if not len(votes.photo_ids):
        raise LearningError(_nothing_to_learn(run.campaign, plan))
    if not frozen:
        votes.save(path)
        counted = {
            "annotation_count": len(votes),
            "histogram_count": len(votes.aggregated),
            "label_count": len(votes.labels),
            "decision_count": used.count,
            "exposed_decision_count": used.after_reveal,
        }
        report.write(fingerprint=votes.fingerprint, last_annotation_id=newest, **counted)
        run.refresh_from_db(fields=["fingerprint", *counted])
    return votes, features


def _nothing_to_learn(campaign: Campaign, plan: LearningPlan) -> str:
    """Return why there is nothing to learn from, and what to do about it."""
    counts = training_answers(campaign, since=0, exposed_answers=plan.exposed_answers)
    if counts.exposed and not counts.without_features:
        return stored_words.ALL_EXPOSED % {
            "answers": counts.exposed,
            "label_sentence": EXPOSED_ANSWERS_LABEL,
            "slug": campaign.slug,
        }
    return stored_words.NOTHING_YET


def _made_with(campaign: Campaign) -> dict[str, Any]:
    """Return the settings of campaign and site that weights and verdict depend on, as the version's recipe has them.

    `prior` is the checksum of the shipped prior; "" if the backbone has none.
    """
    folder = runtime.backbone_chosen(campaign.backbone).prior_folder
    return {
        **made_for(campaign),
        "quality_input": settings.IQS_QUALITY_INPUT,
        "watch_aim": asdict(watch_aim_of(campaign)),
        "class_limits": [campaign.reject_at, campaign.pending_at],
        "prior": json.loads((folder / "card.json").read_text())["weights_sha256"] if folder else "",
    }


def _same_as(run: TrainingRun, votes: Snapshot, backbone: str, made_with: Mapping[str, Any]) -> TrainingRun | None:
    """Return the newest successful run if this run would repeat it, otherwise None."""
    last = last_learned(run.campaign)
    if last is None or last.challenger is None:
        return None
    same = (last.fingerprint, last.recipe, last.seed) == (votes.fingerprint, run.recipe, run.seed)
    if not same or last.challenger.backbone != backbone or version_misfit(last.challenger, run.campaign):
        return None
    # Versions from before these were stored count as made with the same ones.
    stored = last.challenger.recipe
    return (
        last
        if all(
            stored.get(name, made_with[name]) == made_with[name]
            for name in ("quality_input", "prior", "watch_aim", "class_limits")
        )
        else None
    )


def _learn_and_store(
    run: TrainingRun,
    votes: Snapshot,
    features: NDArray[np.float32],
    backbone: str,
    plan: LearningPlan,
    made_with: Mapping[str, Any],
    report: Reporter,
) -> ModelVersion:
    campaign, photos = run.campaign, None
    if plan.recipe.name == WholeNetwork.name:
        votes, features, photos = _with_pixels(run, votes, features, report)
    try:
        rated = rated_images(votes, lowest=campaign.scale_min, highest=campaign.scale_max)
    except ValueError as error:
        raise LearningError(str(error)) from error
    prior, _card = prior_for(
        runtime.backbone_chosen(campaign.backbone),
        bins=campaign.bins,
        synsets=tuple(campaign.synsets),
        quality_input=settings.IQS_QUALITY_INPUT,
        features=torch.from_numpy(features),
    )
    if features.shape[1] != prior.config.feature_size:
        raise LearningError(
            stored_words.OTHER_LENGTH % {"found": features.shape[1], "needed": prior.config.feature_size}
        )
    history: History = []

    def learning(stage: str, share: float, losses: History) -> None:
        history[:] = losses
        report(0.05 + 0.7 * share, stage, history=losses)

    fitted = heads_fit(
        prior,
        features,
        rated,
        recipe=plan.recipe,
        config=plan.config,
        watch_config=plan.watch,
        watch_aim=watch_aim_of(campaign),
        seed=run.seed,
        report=learning,
        checkpoints=_checkpoints(run, backbone, made_with, features),
        photos=photos,
    )
    if fitted.network is not None and fitted.features is not None:
        report(0.76, "Storing the network", history=fitted.history)
        name = network_store(network=fitted.network, prior=prior, run=run)
        fitted.heads.config = replace(fitted.heads.config, backbone=name)
        backbone, features = backbone_key(name), fitted.features
        _holdout_process(campaign, name, report)
    spread = class_spread_of(campaign, fitted, rated, backbone)
    folder = run.folder / f"attempt-{report.attempt}"
    report(0.78, "Exporting the heads", history=fitted.history)
    _export(folder, fitted, run, backbone)
    report(0.86, "Checking the exported heads")
    _parity_check(folder, features[:_PARITY_PHOTOS])
    with transaction.atomic():
        report.write(stage="Storing the version")  # locks the run's row until the version is stored
        challenger = version_create(
            campaign=campaign,
            source=folder,
            backbone=backbone,
            recipe={
                **run.recipe,
                "seed": run.seed,
                "run": run.pk,
                "decisions_as_labels": run.decision_count,
                "imported_histograms": run.histogram_count,
                "imported_labels": run.label_count,
                **made_with,
            },
            data_fingerprint=run.fingerprint,
            figures=fitted.figures,
            watch_threshold=fitted.watch_threshold,
            class_spread=spread,
        )
        report.write(challenger=challenger)
    return challenger


def _with_pixels(
    run: TrainingRun, votes: Snapshot, features: NDArray[np.float32], report: Reporter
) -> tuple[Snapshot, NDArray[np.float32], PhotoPixels]:
    """Return the data of the photos that can be opened, and their pixels."""
    ids = votes.photo_ids

    def reading(done: int, count: int) -> None:
        report(0.03 + 0.02 * done / count, f"Reading photos, {done:,} of {count:,}")

    photos = photo_pixels_make(run, ids, reading)
    kept = photos.rows >= 0
    if not kept.any():
        raise LearningError(stored_words.NO_PHOTO_OPENS)
    return votes.of_images(ids[kept]), features[kept], photos.part(kept)


def _checkpoints(
    run: TrainingRun, backbone: str, made_with: Mapping[str, Any], features: NDArray[np.float32]
) -> Checkpoints:
    """Return the checkpoints of the run, for exactly these data and settings."""
    settings_of_run = {"recipe": run.recipe, "seed": run.seed, "backbone": backbone, **made_with}
    fingerprint = fingerprint_of(run.fingerprint, json.dumps(settings_of_run, sort_keys=True), features)
    return Checkpoints(run.checkpoint_folder, fingerprint)


def _export(folder: Path, fitted: FittedHeads, run: TrainingRun, backbone: str) -> None:
    card = {
        "name": f"{run.campaign.slug}, run {run.pk}",
        "backbone": backbone,
        "recipe": {**run.recipe, "seed": run.seed},
        "data_fingerprint": run.fingerprint,
        "figures": fitted.figures,
    }
    heads_save(folder, fitted.heads, card)
    # Export the stored weights, which are rounded, so that the served file matches them.
    stored, _card = heads_load(folder)
    heads_to_onnx(stored, folder / "heads.onnx")


def _parity_check(folder: Path, features: NDArray[np.float32]) -> None:
    """Raise LearningError unless ONNX Runtime and PyTorch give the same probabilities."""
    heads, _card = heads_load(folder)
    with torch.inference_mode():
        output = heads(torch.from_numpy(features))
    served = HeadsPredictor(folder / "heads.onnx", threads=settings.IQS_THREADS).predict(features)
    difference = max(
        float(np.abs(output.watch_logit.sigmoid().numpy() - served.watch_probability).max()),
        float(np.abs(output.quality_logits.softmax(1).numpy() - served.distribution).max()),
    )
    # `not … <=` also refuses NaN, because comparisons with NaN are false.
    if not difference <= _PARITY:
        raise LearningError(
            f"The probabilities of the exported heads differ from those of the learned heads by {difference:.2g}; "
            "nothing was stored. Please report this with the files in the run's folder."
        )


def _evaluate(run: TrainingRun, challenger: ModelVersion, report: Reporter) -> Outcome:
    campaign = Campaign.objects.get(pk=run.campaign_id)  # read again: its settings may have changed during training
    report(0.9, "Evaluating on the holdout")
    challenger.campaign = campaign
    current_champion = champion(campaign)
    holdout = list(campaign.images.filter(LIVE, split=Image.Split.HOLDOUT).values_list("pk", flat=True))
    if has_other_network(challenger, campaign):
        _holdout_process(campaign, backbone_of(challenger.backbone), report)
    predictions_refresh(version=challenger, image_ids=holdout)
    evaluation = evaluation_make(version=challenger, against=current_champion, run=run)
    report(0.95, "Evaluating on the holdout")
    newest = Evaluation.objects.filter(model_version=current_champion).first()
    if current_champion is not None and (
        newest is None or newest.fingerprint != evaluation.fingerprint or not same_settings(newest, evaluation)
    ):
        evaluation_make(version=current_champion, run=run)  # on the same votes, so that the figures can be compared
    verdict = verdict_of(evaluation)
    if verdict is None:
        return Outcome(State.DONE, stored_words.NO_CHAMPION, challenger)
    if has_other_network(challenger, campaign):
        report.write(stage="Comparing with the champion")  # checks the attempt
        return Outcome(
            State.DONE, backbone_hand_over(version=challenger, campaign=campaign, verdict=verdict), challenger
        )
    if not campaign.promote_automatically:
        return Outcome(State.DONE, stored_words.ADMIN_DECIDES % {"verdict_sentence": verdict.text}, challenger)
    if not verdict.promote:
        return Outcome(State.DONE, stored_words.NOT_PROMOTED % {"verdict_sentence": verdict.text}, challenger)
    return _promote(challenger, evaluation, verdict, report)


def _holdout_process(campaign: Campaign, backbone: str, report: Reporter) -> None:
    """Compute the missing features of the holdout photos with a network that the campaign does not use yet."""
    holdout = list(campaign.images.filter(LIVE, split=Image.Split.HOLDOUT).values_list("pk", flat=True))

    def looking(done: int, count: int) -> None:
        report(0.76 + 0.02 * done / max(count, 1), f"Processing holdout photos, {done:,} of {count:,}")

    features_make(image_ids=holdout, backbone=backbone, report=looking)


def _promote(challenger: ModelVersion, evaluation: Evaluation, verdict: Verdict, report: Reporter) -> Outcome:
    try:
        with transaction.atomic():
            report.write(stage="Promoting")  # checks the attempt and locks the run's row
            promotion = promotion_make(
                version=challenger, kind=Promotion.Kind.AUTOMATIC, reason=verdict.reason, evaluation=evaluation
            )
    except PromotionError as error:
        return Outcome(State.DONE, f"Not promoted: {error}", challenger)
    return Outcome(State.DONE, stored_words.PROMOTED % {"verdict_sentence": verdict.reason}, challenger, promotion)
