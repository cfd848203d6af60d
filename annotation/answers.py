"""Which answers count. Each condition is defined here once, as a Django `Q` and as SQL.

The manager of `Annotation` has a method for each condition: `standing()`, `skips()`, `votes()`, `independent_votes()`,
`votes_for_evaluation()`, `consensus_votes()`, `repeat_answers()`, `first_answers()`. Raw SQL queries (used for speed)
take the same conditions from the functions below; `tests/annotation/test_answers.py` checks that both select the same
rows.

* **standing**: the latest answer or skip of an annotator to a photo, without hidden repeats. Used for lists of answers.
* **vote**: a standing answer that is not a skip. Used for progress, queue, training, annotator agreement, gold photos.
* **independent vote**: a vote given before the annotator saw a prediction. Used for the MOS and disagreement of a
  photo, and for practice photos.
* **vote for evaluation**: an independent vote on a photo whose expected answer is not shown to annotators. Used for
  evaluation and calibration.
* **consensus vote**: an independent vote on a photo whose expected answer nobody set. Used for the stored consensus
  (`annotation.services.consensus`).
* **repeat answer**: the standing answer to a hidden repeat, not a skip. Used for self-agreement.
* **first answer**: the first answer of an annotator to a photo, even if corrected later. Used for the anchoring
  experiment.

A vote may be unsure about the watch, may be surplus, and may be on a gold photo or on a photo with a problem. Only a
campaign's progress leaves out surplus votes and photos outside the queue (`annotation.selectors.progress`).

These queries use other rows on purpose:

* The export (`annotation.selectors.export`) contains every row, with columns that tell the kinds apart.
* Votes on withdrawn photos stay votes, so that the photo's counters are right when it comes back. Everything that
  uses votes leaves these photos out (`votes_of` in `annotation.selectors.votes`).
* The speed on the members page (`annotation.selectors.activity`) counts corrections too: they are work, and the
  primary key alone then finds the last hour.
* The distance to a hidden repeat (`annotation.services.queue_lanes`) counts first answers and repeats: the annotator
  looked at each of these photos in between.
* The other annotators' means, on the "Your work" page and after an answer, use all votes, because they compare people
  with people. In a prelabel campaign every vote is given after a prediction.
"""

from django.db.models import Q

#: Roles of photos whose expected answer is shown to annotators. Votes on them cannot be used for evaluation.
TAUGHT = ("practice", "example")

STANDING = Q(superseded_by=None, is_repeat=False)
SKIP = STANDING & ~Q(skip_reason="")
VOTE = STANDING & Q(skip_reason="")
INDEPENDENT_VOTE = VOTE & Q(saw_prediction=False)
VOTE_FOR_EVALUATION = INDEPENDENT_VOTE & ~Q(image__role__in=TAUGHT)
CONSENSUS_VOTE = INDEPENDENT_VOTE & Q(image__role="rated")
REPEAT_ANSWER = Q(superseded_by=None, is_repeat=True, skip_reason="")
FIRST_ANSWER = Q(supersedes=None, is_repeat=False, skip_reason="")


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


def independent_vote_sql(answer: str) -> str:
    """Return `INDEPENDENT_VOTE` as SQL."""
    return f"(NOT {answer}.saw_prediction AND {vote_sql(answer)})"
