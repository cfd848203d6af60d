"""Which answers count: every condition is written here once, for Django and for plain SQL.

The manager of `Annotation` has a method for each condition: `standing()`, `skips()`, `votes()`, `independent_votes()`,
`votes_for_evaluation()`, `repeat_answers()`, `first_answers()`. Queries that are written out in SQL for speed take the
same conditions from the functions below; `tests/annotation/test_answers.py` checks that both say the same.

* **standing**: what an annotator said last about a photo, answers and skips, without hidden repeats. Lists of answers.
* **vote**: a standing answer, no skip. Progress, queue, training, agreement between people, gold photos.
* **independent vote**: a vote given before the annotator saw a prediction. MOS and disagreement of a photo, practice.
* **vote for evaluation**: an independent vote on a photo that teaches nobody. Evaluation, calibration.
* **repeat answer**: the standing answer to a hidden repeat, no skip. Self-agreement.
* **first answer**: what an annotator answered at first, corrected since or not. The anchoring experiment.

A vote may be unsure about the watch, may be surplus, and may belong to a gold photo or to a photo with a problem:
somebody looked at the photo and gave it. Surplus votes and photos outside the queue are left out of a campaign's
progress only (`annotation.selectors.progress`).

These readers look at other rows on purpose:

* The export (`annotation.exchange.table`) has every row, with the columns that tell them apart.
* The pace on the page of the members (`annotation.selectors.activity`) counts corrections too: they are work, and the
  last hour is then found along the primary key alone.
* The distance to a hidden repeat (`annotation.services.queue_lanes`) counts first answers and repeats: each is a photo
  that the annotator looked at in between.
* Others' means on the own page and after an answer take all votes, because they compare people with people; in a
  prelabel campaign every vote was given after a prediction.
"""

from django.db.models import Q

#: Roles of photos whose expected answer people are shown: what they say about them is no evidence any more.
TAUGHT = ("practice", "example")

STANDING = Q(superseded_by=None, is_repeat=False)
SKIP = STANDING & ~Q(skip_reason="")
VOTE = STANDING & Q(skip_reason="")
INDEPENDENT_VOTE = VOTE & Q(saw_prediction=False)
VOTE_FOR_EVALUATION = INDEPENDENT_VOTE & ~Q(image__role__in=TAUGHT)
REPEAT_ANSWER = Q(superseded_by=None, is_repeat=True, skip_reason="")
FIRST_ANSWER = Q(supersedes=None, is_repeat=False, skip_reason="")


def last_sql(answer: str) -> str:
    """Return the condition that no correction supersedes the row; hidden repeats and skips may be among them.

    `answer` is the name that the query gives to `annotation_annotation`, here and in the functions below.
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
