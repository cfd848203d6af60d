"""Which answers count. Each condition is defined here once, as a Django `Q` and as SQL.

The manager of `Annotation` has a method for each condition: `standing()`, `skips()`, `votes()`, `counted_votes()`,
`blind_votes()`, `independent_votes()`, `votes_for_evaluation()`, `consensus_votes()`, `repeat_answers()`,
`first_answers()`. Raw SQL queries (used for speed) take the same conditions from the functions below;
`tests/annotation/test_answers.py` checks that both select the same rows.

* **standing**: the latest answer or skip of an annotator to a photo, without hidden repeats. Used for lists of answers.
* **vote**: a standing answer that is not a skip. Used for progress, queue, annotator agreement, gold photos.
* **counted vote**: a vote of an annotator whom no reviewer has excluded. Used for training with exposed
  answers, and for the others' means that annotators see.
* **blind vote**: the last blind answer of an annotator to a photo, not to a hidden repeat. Blind means: given
  before the annotator saw a prediction. A blind correction replaces the answer before it. An exposed correction does
  not: people who give in to the model would otherwise make the model look better. A skip takes the vote back. Used for
  self-agreement and for screening.
* **independent vote**: a blind vote of an annotator whom no reviewer has excluded. Used for the MOS and disagreement of
  a photo, for practice photos, and for training without exposed answers.
* **vote for evaluation**: an independent vote on a photo whose expected answer is not shown to annotators, and not one
  that came because a reviewer asked for more votes on this photo. Used for evaluation and calibration. Reviewers ask
  where model and people disagree. Votes that are added only there correct the MOS where chance was against the model
  and not where it was in its favour, so the model would look better without having changed.
* **consensus vote**: an independent vote on a photo whose expected answer nobody set. Used for the stored consensus
  (`annotation.services.consensus`).
* **repeat answer**: the standing answer to a hidden repeat, not a skip. Used for self-agreement.
* **first answer**: the first answer of an annotator to a photo, even if corrected later. Used for the anchoring
  experiment.

Blind answers are stored in two fields, which `Annotation.save` sets for every new row:

* `is_blind`: given before the annotator saw a prediction, or the correction of a slip (`SLIP`). An answer after an
  exposed one is exposed.
* `replaces_vote`: the blind vote that the row replaces or takes back. An answer is a blind vote until a row names it.

A reviewer excludes an annotator by a `ScreeningDecision`. The few live decisions are a table of their own, so that a
decision and its end change no answer.

A reviewer can also let the votes of an annotator count for a part. The **weight** of a vote is that of the live
decision 'down-weight' about its annotator, otherwise 1 (`annotation.selectors.screening.vote_weights`). It changes no
condition above, only how much a vote counts:

* Weights count in the corrected MOS, the watch probability from people (with and without the model), training,
  evaluation and calibration, and among 'the others' on the page Annotator quality. `vote_table` and `consensus_votes`
  of `annotation.selectors.votes` return the votes with their weights.
* Every vote counts fully in the plain MOS with its interval, the histogram, the majority label and the disagreement of
  a photo, in agreement between people and the ceiling that follows from it, in practice and gold answers, and in all
  numbers of votes. These figures say what people answered, and anybody can compute them from the export.

A vote may be unsure about the watch, may be surplus, and may be on a gold photo or on a photo with a problem. Only a
campaign's progress leaves out surplus votes and photos outside the queue (`annotation.selectors.progress`). Training
and evaluation leave out votes on photos that are lost, damaged or reported (`votes_of`).

These queries use other rows on purpose:

* The export (`annotation.selectors.export`) contains every row, with columns that tell the kinds apart.
* Votes on withdrawn photos stay votes, so that the photo's counters are right when it comes back. Everything that
  uses votes leaves these photos out (`votes_of` in `annotation.selectors.votes`).
* The speed on the members page (`annotation.selectors.activity`) counts corrections too: they are work, and the
  primary key alone then finds the last hour.
* The distance to a hidden repeat (`annotation.services.queue_lanes`) counts first answers and repeats: the annotator
  looked at each of these photos in between.
* The other annotators' means, on the "Your work" page and after an answer, use counted votes, because they compare
  people with people. In a prelabel campaign every vote is given after a prediction.
"""

from datetime import timedelta

from django.apps import apps
from django.db.models import Exists, F, OuterRef, Q

#: Roles of photos whose expected answer is shown to annotators. Votes on them cannot be used for evaluation.
TAUGHT = ("practice", "example")

#: An answer that is corrected within this time was a slip of the finger, and the correction is as blind as the answer.
#: The server measures it. A page can show the prediction only after the server has stored the answer, so the annotator
#: saw it for less than this, and a part of that went into pressing 'Undo' and the right key. A new judgement takes
#: longer: people need about three seconds for a photo that they already see.
SLIP = timedelta(seconds=3)

# `superseded_by__supersedes=None` selects the same rows as `superseded_by=None`. But PostgreSQL sees that it asks for
# rows without a partner, and expects about as many as there are. With the shorter form it expects one, and plans badly.
STANDING = Q(superseded_by__supersedes=None, is_repeat=False)
SKIP = STANDING & ~Q(skip_reason="")
VOTE = STANDING & Q(skip_reason="")
BLIND_VOTE = Q(is_blind=True, vote_replaced_by__replaces_vote=None, is_repeat=False, skip_reason="")
REPEAT_ANSWER = Q(superseded_by__supersedes=None, is_repeat=True, skip_reason="")
FIRST_ANSWER = Q(supersedes=None, is_repeat=False, skip_reason="")


def of_excluded() -> Exists:
    """Return the condition that a reviewer has excluded the annotator of the answer from the campaign's consensus."""
    decisions = apps.get_model("annotation", "ScreeningDecision").objects.order_by()
    return Exists(
        decisions.filter(
            campaign=OuterRef("campaign"), annotator=OuterRef("annotator"), undone_at=None, decision="exclude"
        )
    )


def counted_vote() -> Q:
    """Return the condition of counted votes. A function, because models do not exist yet when this module loads."""
    return VOTE & Q(~of_excluded())


def independent_vote() -> Q:
    """Return the condition of independent votes."""
    return BLIND_VOTE & Q(~of_excluded())


def of_vote_request() -> Exists:
    """Return the condition that the annotator got the photo after a reviewer had asked for more votes on it.

    Answers of annotators who got the photo before, and their corrections, are not among them.
    """
    lease = "image__assignments"
    requests = apps.get_model("annotation", "VoteRequest").objects.order_by()
    asked = Q(**{f"{lease}__leased_at__gt": F("at")})
    wanted = Q(undone_at=None) | Q(**{f"{lease}__leased_at__lt": F("undone_at")})
    own = Q(**{f"{lease}__annotator": OuterRef("annotator"), f"{lease}__is_repeat": False})
    return Exists(requests.filter(own & asked & wanted, image=OuterRef("image")))


def vote_for_evaluation() -> Q:
    """Return the condition of votes for evaluation."""
    return independent_vote() & ~Q(image__role__in=TAUGHT) & Q(~of_vote_request())


def consensus_vote() -> Q:
    """Return the condition of votes for the stored consensus."""
    return independent_vote() & Q(image__role="rated")


def last_sql(answer: str) -> str:
    """Return the condition that no correction supersedes the row. It also holds for hidden repeats and skips.

    `answer` is the query's alias of `annotation_annotation`, here and in the functions below.
    """
    return f"NOT EXISTS (SELECT FROM annotation_annotation later WHERE later.supersedes_id = {answer}.id)"


def standing_sql(answer: str) -> str:
    """Return `STANDING` as SQL."""
    return f"(NOT {answer}.is_repeat AND {last_sql(answer)})"


def vote_sql(answer: str) -> str:
    """Return `VOTE` as SQL."""
    return f"({answer}.skip_reason = '' AND {standing_sql(answer)})"


def of_excluded_sql(answer: str) -> str:
    """Return `of_excluded()` as SQL."""
    return (
        "EXISTS (SELECT FROM annotation_screeningdecision excluded "
        f"WHERE excluded.campaign_id = {answer}.campaign_id AND excluded.annotator_id = {answer}.annotator_id "
        "AND excluded.undone_at IS NULL AND excluded.decision = 'exclude')"
    )


def counted_vote_sql(answer: str) -> str:
    """Return `counted_vote()` as SQL."""
    return f"({vote_sql(answer)} AND NOT {of_excluded_sql(answer)})"


def blind_vote_sql(answer: str) -> str:
    """Return `BLIND_VOTE` as SQL."""
    return (
        f"({answer}.is_blind AND NOT {answer}.is_repeat AND {answer}.skip_reason = '' AND NOT EXISTS "
        f"(SELECT FROM annotation_annotation later WHERE later.replaces_vote_id = {answer}.id))"
    )


def independent_vote_sql(answer: str) -> str:
    """Return `independent_vote()` as SQL."""
    return f"({blind_vote_sql(answer)} AND NOT {of_excluded_sql(answer)})"
