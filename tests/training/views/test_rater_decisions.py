"""Reviewers decide about annotators on the page Annotator quality, and annotators see the request to read."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from annotation.models import Campaign, ScreeningDecision, User
from annotation.selectors.rater_quality import rater_qualities
from inference.models import Disagreement
from inference.services.disagreements import disagreements_refresh, disagreements_verify
from tests.opinions_and_predictions import images_make, predictions_make, version_make, vote

PAGE = "/campaigns/watches/annotator-quality/"
ANNOTATE = "/campaigns/watches/annotate/"


def address(person: User) -> str:
    return f"{PAGE}{person.pk}/decide"


@pytest.fixture
def rated(campaign: Campaign, people: dict[str, Any], make_user: Callable[..., User]) -> User:
    """Five simulated honest annotators and a random one, 'clicker', who takes .2 s a photo."""
    rng = np.random.default_rng(5)
    honest = [make_user(f"honest-{number}", is_simulated=True) for number in range(5)]
    clicker: User = make_user("clicker", is_simulated=True)
    for image in images_make(campaign, 40):
        quality, label = rng.normal(5.5, 1.5), rng.random() < 0.4
        for person in honest:
            score = int(np.clip(np.rint(quality + rng.normal(0, 1)), 1, 10))
            vote(image, person, score, "yes" if label else "no", milliseconds=int(rng.normal(3000, 500)))
        vote(image, clicker, int(rng.integers(1, 11)), str(rng.choice(["yes", "no"])), milliseconds=200)
    vote(image, people["alice"], 5)
    return clicker


def test_the_random_annotator_is_flagged_and_the_honest_ones_are_fine(campaign: Campaign, rated: User) -> None:
    found = {one.username: one for one in rater_qualities(campaign)}
    assert {name: one.verdict for name, one in found.items()} == {
        **{f"honest-{number}": "fine" for number in range(5)},
        "clicker": "flagged",
        "alice": "unknown",
    }
    rules = {one.rule for one in found["clicker"].findings if one.verdict == "flagged"}
    assert rules >= {"scores", "watch labels", "speed"}
    assert found["alice"].rank is found["alice"].watch is found["alice"].model is None, "no figures of one answer"
    model = found["clicker"].model
    assert model is not None
    assert model.gain < 0.6
    assert found["alice"].needed is not None


@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 302), ("ada", 302)]
)
def test_only_reviewers_and_admins_decide(client_of: Callable[[str], Any], rated: User, name: str, status: int) -> None:
    posted = client_of(name).post(address(rated), {"decision": "exclude", "reason": "random clicks"})
    assert posted.status_code == status
    is_allowed = name in ("rita", "ada")
    assert ScreeningDecision.objects.exists() is is_allowed
    made = ScreeningDecision.objects.create(
        campaign=Campaign.objects.get(),
        annotator=User.objects.get(username="honest-1"),
        decision="keep",
        reason="x",
        decided_by=rated,
    )
    assert client_of(name).post(f"{PAGE}decisions/{made.pk}/undo").status_code == status
    made.refresh_from_db()
    assert (made.undone_at is not None) is is_allowed


def test_a_decision_is_shown_with_its_reason_and_can_be_undone(client_of: Callable[[str], Any], rated: User) -> None:
    rita = client_of("rita")
    page = rita.post(address(rated), {"decision": "exclude", "reason": "<b>fast</b>"}, follow=True)
    html = page.content.decode()
    assert "excluded" in html
    assert "by rita" in html
    assert "&lt;b&gt;fast&lt;/b&gt;" in html
    made = ScreeningDecision.objects.get()
    page = rita.post(f"{PAGE}decisions/{made.pk}/undo", follow=True)
    assert "The decision about clicker was undone." in page.content.decode()
    assert "already undone" in rita.post(f"{PAGE}decisions/{made.pk}/undo", follow=True).content.decode()


def test_a_missing_reason_is_refused_with_a_sentence(client_of: Callable[[str], Any], rated: User) -> None:
    page = client_of("rita").post(address(rated), {"decision": "exclude", "reason": " "}, follow=True)
    assert "Give a reason" in page.content.decode()
    assert not ScreeningDecision.objects.exists()


def test_decisions_of_other_campaigns_are_not_found(client_of: Callable[[str], Any], rated: User) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    made = ScreeningDecision.objects.create(
        campaign=other, annotator=rated, decision="keep", reason="x", decided_by=rated
    )
    assert client_of("ada").post(f"{PAGE}decisions/{made.pk}/undo").status_code == 404


def test_the_annotator_is_asked_to_read_the_instructions_until_they_confirm(
    client_of: Callable[[str], Any], people: dict[str, Any], rated: User
) -> None:
    alice, bob = client_of("alice"), client_of("bob")
    before = alice.get(ANNOTATE).context["config"]["instructions"]
    client_of("rita").post(address(people["alice"]), {"decision": "reread", "reason": "Clocks count as watches"})
    page = alice.get(ANNOTATE)
    assert "A reviewer asks you to read the instructions again" in page.content.decode()
    assert "Clocks count as watches" in page.content.decode()
    assert page.context["config"]["instructions"] != before, "the page opens the instructions again"
    assert "A reviewer asks you" not in bob.get(ANNOTATE).content.decode()
    bob.post(f"{ANNOTATE}instructions-read")
    assert ScreeningDecision.objects.get().read_at is None
    confirmed = alice.post(f"{ANNOTATE}instructions-read", follow=True)
    assert "A reviewer asks you" not in confirmed.content.decode()
    assert confirmed.context["config"]["instructions"] == page.context["config"]["instructions"]
    assert ScreeningDecision.objects.get().read_at is not None


@pytest.mark.parametrize(("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 302)])
def test_only_members_confirm(client_of: Callable[[str], Any], name: str, status: int) -> None:
    assert client_of(name).post(f"{ANNOTATE}instructions-read").status_code == status


def test_stored_disagreements_follow_a_decision(
    client_of: Callable[[str], Any], campaign: Campaign, rated: User
) -> None:
    version = version_make(campaign)
    images = list(campaign.images.all())
    predictions_make(version, images, [5.0] * len(images))
    disagreements_refresh(version=version)
    before = list(Disagreement.objects.order_by("image").values_list("quality", flat=True))
    client_of("rita").post(address(rated), {"decision": "exclude", "reason": "random clicks"})
    assert not disagreements_verify(version=version)
    assert disagreements_refresh(version=version) == 0
    without = list(Disagreement.objects.order_by("image").values_list("quality", flat=True))
    assert before != without
    client_of("rita").post(f"{PAGE}decisions/{ScreeningDecision.objects.get().pk}/undo")
    assert disagreements_refresh(version=version) == len(images)
    assert list(Disagreement.objects.order_by("image").values_list("quality", flat=True)) == before


def test_the_page_draws_how_scores_move_against_the_others(client_of: Callable[[str], Any], rated: User) -> None:
    page = client_of("rita").get(PAGE).content.decode()
    assert page.count("mean difference from the others over 40 answers") == 6  # alice has one answer
    assert "alice: mean difference" not in page


def test_many_annotators_are_on_several_pages(
    campaign: Campaign, client_of: Callable[[str], Any], make_user: Callable[..., User]
) -> None:
    (image,) = images_make(campaign, 1)
    for number in range(53):
        vote(image, make_user(f"person-{number:02}"), 5)
    first = client_of("rita").get(PAGE).content.decode()
    second = client_of("rita").get(f"{PAGE}?page=2").content.decode()
    assert first.count('<th scope="row">person-') == 50
    assert second.count('<th scope="row">person-') == 3
    assert "Page 1 of 2" in first
