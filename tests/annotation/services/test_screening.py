"""Decisions about annotators: they take effect by one rule, can be undone, and are in the audit."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from annotation.models import Annotation, AuditKind, AuditRecord, Campaign, Image, ScreeningDecision, User
from annotation.selectors.opinions import opinion_of
from annotation.selectors.screening import excluded_annotators, live_decisions, reread_request
from annotation.selectors.votes import vote_table
from annotation.services.anonymisation import user_anonymise
from annotation.services.screening import ScreeningError, reread_confirm, screening_decide, screening_undo
from tests.opinions_and_predictions import images_make, vote


@pytest.fixture
def photo(campaign: Campaign, people: dict[str, Any]) -> Image:
    """A photo that alice rates 9 and bob 3."""
    (photo,) = images_make(campaign, 1)
    vote(photo, people["alice"], 9, "yes")
    vote(photo, people["bob"], 3)
    return photo


def decide(campaign: Campaign, people: dict[str, Any], decision: str, **fields: Any) -> ScreeningDecision:
    return screening_decide(
        campaign=campaign,
        **{"annotator": people["alice"], "by": people["rita"], "reason": "Clicks", "decision": decision, **fields},
    )


def scores(rows: Any) -> list[int]:
    return sorted(rows.values_list("score", flat=True))


def test_votes_of_excluded_annotators_leave_consensus_evaluation_and_training_until_the_decision_is_undone(
    campaign: Campaign, people: dict[str, Any], photo: Image
) -> None:
    made = decide(campaign, people, "exclude")
    answers = Annotation.objects.all()
    assert scores(answers.independent_votes()) == scores(answers.votes_for_evaluation()) == [3]
    assert scores(answers.counted_votes()) == [3]
    assert [vote_table(campaign, independent=one).scores.tolist() for one in (True, False)] == [[3], [3]]
    opinion = opinion_of(photo)
    assert opinion is not None
    assert (opinion.mean, opinion.votes) == (3, 1)
    assert scores(answers.votes()) == [3, 9], "progress and lists keep the answers"
    assert screening_undo(decision=made, by=people["rita"])
    assert scores(answers.independent_votes()) == [3, 9]
    assert not screening_undo(decision=made, by=people["rita"])


def test_a_decision_holds_in_its_campaign_only(campaign: Campaign, people: dict[str, Any], photo: Image) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    (elsewhere,) = images_make(other, 1)
    vote(elsewhere, people["alice"], 8)
    decide(campaign, people, "exclude")
    assert scores(Annotation.objects.independent_votes()) == [3, 8]


def test_a_later_decision_replaces_the_one_before(campaign: Campaign, people: dict[str, Any], photo: Image) -> None:
    first = decide(campaign, people, "exclude")
    assert excluded_annotators(campaign.pk) == [people["alice"].pk]
    decide(campaign, people, "keep", by=people["ada"])
    first.refresh_from_db()
    assert first.undone_by == people["ada"]
    assert excluded_annotators(campaign.pk) == []
    assert ScreeningDecision.objects.filter(undone_at=None).count() == 1


def test_a_request_to_read_the_instructions_stands_beside_a_decision_about_votes(
    campaign: Campaign, people: dict[str, Any], photo: Image
) -> None:
    decide(campaign, people, "reread", reason="Faces count too")
    decide(campaign, people, "exclude")
    kinds = [one.decision for one in live_decisions(campaign)[people["alice"].pk]]
    assert kinds == ["exclude", "reread"]
    request = reread_request(campaign, people["alice"])
    assert request is not None
    assert request.read_at is None
    assert reread_confirm(campaign=campaign, annotator=people["alice"])
    assert not reread_confirm(campaign=campaign, annotator=people["alice"])
    assert reread_request(campaign, people["bob"]) is None


def test_decisions_are_in_the_audit(campaign: Campaign, people: dict[str, Any], photo: Image) -> None:
    made = decide(campaign, people, "exclude")
    screening_undo(decision=made, by=people["ada"])
    undone, decided = AuditRecord.objects.filter(campaign=campaign)[:2]
    assert (decided.kind, decided.by, decided.user) == (AuditKind.SCREENING, people["rita"], people["alice"])
    assert decided.after == {"decision": "exclude"}
    assert (undone.kind, undone.by, undone.before) == (AuditKind.SCREENING_UNDONE, people["ada"], decided.after)


def test_an_anonymised_annotator_stays_excluded_but_the_reason_goes(
    campaign: Campaign, people: dict[str, Any], photo: Image, make_user: Callable[..., User]
) -> None:
    made = decide(campaign, people, "exclude", reason="Alice clicks")
    user_anonymise(user=people["alice"], by=make_user("root", is_superuser=True))
    made.refresh_from_db()
    assert made.reason == ""
    assert scores(Annotation.objects.independent_votes()) == [3]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"decision": "ban"}, "must be one of"),
        ({"reason": "  "}, "Give a reason"),
        ({"reason": "x" * 501}, "longer than 500"),
    ],
)
def test_bad_decisions_are_refused(
    campaign: Campaign, people: dict[str, Any], photo: Image, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(ScreeningError, match=message):
        decide(campaign, people, **{"decision": "exclude", **fields})
    assert not ScreeningDecision.objects.exists()


def test_nobody_decides_about_their_own_answers(campaign: Campaign, people: dict[str, Any], photo: Image) -> None:
    with pytest.raises(ScreeningError, match="Another reviewer"):
        decide(campaign, people, "keep", annotator=people["rita"])
    made = decide(campaign, people, "exclude", annotator=people["ada"])
    with pytest.raises(ScreeningError, match="Another reviewer"):
        screening_undo(decision=made, by=people["ada"])


def test_people_without_a_part_in_the_campaign_are_refused(campaign: Campaign, people: dict[str, Any]) -> None:
    with pytest.raises(ScreeningError, match="mallory has no answers"):
        decide(campaign, people, "exclude", annotator=people["mallory"])


def test_the_database_allows_one_live_decision(campaign: Campaign, people: dict[str, Any], photo: Image) -> None:
    decide(campaign, people, "exclude")
    with pytest.raises(IntegrityError, match="screening_votes_once"), transaction.atomic():
        ScreeningDecision.objects.create(
            campaign=campaign, annotator=people["alice"], decision="keep", reason="x", decided_by=people["ada"]
        )
