"""The methods report: who may read it, what it counts, and that its queries do not grow with the votes."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.utils import timezone

from annotation.measures.agreement import Form
from annotation.measures.agreement.report import agreement_report
from annotation.models import AuditRecord, Campaign, Image
from annotation.models.photos import WITHDRAWN_PROBLEM
from annotation.selectors import campaign_quality
from annotation.selectors import methods as selectors
from annotation.selectors.campaign_quality import agreement_votes, label_counts
from annotation.selectors.methods import methods_figures
from annotation.services.consensus import consensus_refresh
from annotation.services.lane_registry import lane_labels
from tests.opinions_and_predictions import images_make, vote, votes

VIEWING = {
    "viewport": [1280, 720],
    "shown": [800.4, 600],
    "pixel_ratio": 2,
    "scheme": "dark",
    "input": "key",
    "zoomed": 9,
}


def figures(campaign: Campaign) -> Any:
    return methods_figures(campaign, lane_labels=lane_labels())


@pytest.mark.parametrize("page", ["methods/", "methods.md"])
@pytest.mark.parametrize(
    ("name", "status"), [("rita", 200), ("ada", 200), ("alice", 403), ("mallory", 404), ("anonymous", 302)]
)
def test_reviewers_and_admins_read_the_report(
    client_of: Callable[[str], Any], campaign: Campaign, page: str, name: str, status: int
) -> None:
    assert client_of(name).get(f"/campaigns/{campaign.slug}/{page}").status_code == status


def test_the_page_and_the_file_state_the_same(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any]
) -> None:
    campaign.instructions = "Look at <the> watch."
    campaign.save()
    votes(images_make(campaign, 4), [people["alice"], people["bob"]], [[3, 4], [5, 6], [8, 8], [2, 2]], "yes")

    page = client_of("rita").get(f"/campaigns/{campaign.slug}/methods/").content.decode()
    file = client_of("rita").get(f"/campaigns/{campaign.slug}/methods.md")

    assert file["Content-Disposition"] == f'attachment; filename="{campaign.slug}-methods.md"'
    found = figures(campaign)
    for text in (page, file.content.decode()):
        assert found.fingerprint in text
        assert "from 1 (lowest) to 10 (highest)" in text
    assert "Look at &lt;the&gt; watch." in page
    assert "alice" not in file.content.decode()
    assert AuditRecord.objects.filter(what=f"{campaign.slug}-methods.md").count() == 1


def test_agreement_has_the_form_and_the_value_of_the_page_campaign_quality(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any]
) -> None:
    rng = np.random.default_rng(3)
    scores = (rng.integers(3, 8, (30, 1)) + rng.integers(-1, 2, (30, 2))).tolist()
    votes(images_make(campaign, 30), [people["alice"], people["bob"]], scores, "yes")
    counted = label_counts(campaign)
    table = agreement_votes(campaign, counted=counted).table
    report = agreement_report(table, lowest=1, highest=10, seed=campaign.seed)

    found = figures(campaign).agreement

    assert (found.alpha, found.ceiling) == (report.alpha, report.ceiling)
    assert found.ceiling.form is Form.CONSISTENCY  # both people rated every photo
    assert found.photos == 30
    page = client_of("rita").get(f"/campaigns/{campaign.slug}/methods/").content.decode()
    assert f"ICC(C,1) {found.ceiling.icc.value:.2f}" in page


def test_agreement_of_many_votes_is_measured_on_photos_drawn_at_random(
    campaign: Campaign, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign_quality, "MOST_VOTES", 50)  # the real limit would need 20,000 rows
    monkeypatch.setattr(selectors, "MOST_VOTES", 50)
    scores = np.random.default_rng(3).integers(2, 9, (60, 2)).tolist()
    votes(images_make(campaign, 60), [people["alice"], people["bob"]], scores, "yes")
    assert figures(campaign).agreement.photos == 25


def test_the_corrected_mos_is_stated_with_the_votes_of_its_fit(campaign: Campaign, people: dict[str, Any]) -> None:
    assert figures(campaign).corrected_at is None
    images = images_make(campaign, 8)
    votes(
        images, [people["alice"], people["bob"]], [[2, 4], [3, 5], [5, 6], [8, 9], [2, 5], [7, 8], [4, 7], [6, 8]], "no"
    )
    consensus_refresh(campaign=campaign)

    found = figures(campaign)

    assert (found.corrected_votes, found.counted) == (16, 16)
    assert found.corrected_at is not None
    assert 0 < found.corrected_error < 5


def test_each_kind_of_row_is_counted_apart(campaign: Campaign, people: dict[str, Any]) -> None:
    one, two, three = images_make(campaign, 3)
    alice, bob = people["alice"], people["bob"]
    first = vote(one, alice, 3)
    vote(one, alice, 4, supersedes=first)
    vote(one, bob, 6, "yes", viewing=VIEWING, milliseconds=2500)
    vote(one, bob, 7, is_repeat=True)
    vote(two, alice, 9, saw_prediction=True)
    vote(two, bob, 2, "no")
    vote(three, bob, None, "", skip_reason="broken")  # type: ignore[arg-type]  # skips have no score

    found = figures(campaign)

    assert (found.answers, found.corrected, found.skipped, found.repeats, found.exposed) == (7, 1, 1, 1, 1)
    assert (found.counted, found.people, found.rated_photos) == (3, 2, 2)
    assert found.votes_a_person == (1.5, 1, 2)
    assert found.votes_a_photo == (1.5, 1, 2)
    assert found.watch_pairs == 0
    assert (found.viewing_share, found.viewport, found.shown) == (1 / 3, (1280, 720), (800, 600))
    assert (found.pixel_ratios, found.inputs, found.zoomed_share, found.seconds) == (
        "2 (100 %)",
        "key (100 %)",
        1.0,
        2.5,
    )


def test_votes_on_withdrawn_photos_are_stated_and_not_counted(campaign: Campaign, people: dict[str, Any]) -> None:
    one, two = images_make(campaign, 2)
    vote(one, people["alice"], 3)
    vote(two, people["alice"], 5, viewing=VIEWING)
    vote(two, people["bob"], 6, saw_prediction=True)
    Image.objects.filter(pk=two.pk).update(withdrawn_at=timezone.now(), problem=WITHDRAWN_PROBLEM)

    found = figures(campaign)

    assert (found.answers, found.withdrawn, found.exposed, found.counted) == (3, 2, 0, 1)
    assert (found.photos, found.viewing_votes, found.viewing_share) == (1, 1, 0.0)


def test_simulated_annotators_are_counted_apart(
    campaign: Campaign, people: dict[str, Any], make_user: Callable[..., Any]
) -> None:
    program = make_user("program", is_simulated=True)
    images = images_make(campaign, 3)
    votes(images, [program], [4, 5, 6], "yes")
    votes(images[:1], [people["alice"]], [4], "yes")

    found = figures(campaign)

    assert (found.people, found.simulated_people, found.simulated_votes) == (2, 1, 3)


def test_a_later_vote_changes_the_fingerprint_and_a_repeat_does_not(campaign: Campaign, people: dict[str, Any]) -> None:
    one, two = images_make(campaign, 2)
    vote(one, people["alice"], 3)
    before = figures(campaign).fingerprint
    vote(one, people["alice"], 8, is_repeat=True)
    assert figures(campaign).fingerprint == before
    vote(two, people["alice"], 3)
    assert figures(campaign).fingerprint != before


def test_viewing_conditions_of_an_unknown_form_are_left_out(campaign: Campaign, people: dict[str, Any]) -> None:
    odd = {"viewport": "wide", "shown": [None, {}], "pixel_ratio": {"a": "b" * 100}, "zoomed": "yes"}
    vote(images_make(campaign, 1)[0], people["alice"], 3, viewing=odd)

    found = figures(campaign)

    assert (found.viewing_share, found.viewport, found.shown, found.zoomed_share) == (1.0, None, None, 0.0)
    assert len(found.pixel_ratios) < 40


def test_an_empty_campaign_has_a_report(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    page = client_of("ada").get(f"/campaigns/{campaign.slug}/methods/").content.decode()
    assert "no counted votes yet" in page
    assert "nan" not in page


def test_viewing_conditions_of_many_votes_are_read_from_every_nth(
    campaign: Campaign, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "_MOST_VIEWED", 10)  # the real limit would need 20,000 rows
    for image in images_make(campaign, 30):
        vote(image, people["alice"], 5, viewing=VIEWING)
    found = figures(campaign)
    assert found.viewing_votes in (7, 8)
    assert (found.viewing_share, found.schemes, found.counted) == (1.0, "dark (100 %)", 30)


def test_practice_photos_and_gold_photos_are_stated(campaign: Campaign) -> None:
    images = images_make(campaign, 3)
    campaign.gold_share = 0.1
    assert figures(campaign).gold_share == 0
    Image.objects.filter(pk=images[0].pk).update(role=Image.Role.GOLD)
    Image.objects.filter(pk=images[1].pk).update(role=Image.Role.PRACTICE)
    found = figures(campaign)
    assert (found.gold_share, found.practice_photos, found.photos) == (0.1, 1, 1)


def test_the_number_of_queries_does_not_grow_with_the_votes(
    client_of: Callable[[str], Any],
    campaign: Campaign,
    people: dict[str, Any],
    django_assert_num_queries: Callable[..., Any],
) -> None:
    rita = client_of("rita")
    address = f"/campaigns/{campaign.slug}/methods/"
    vote(images_make(campaign, 1)[0], people["alice"], 3)
    rita.get(address)
    with django_assert_num_queries(12, exact=False):
        rita.get(address)
    vote(images_make(campaign, 1)[0], people["alice"], 3)
    with django_assert_num_queries(40, exact=False) as few:
        rita.get(address)
    votes(images_make(campaign, 30), [people["alice"], people["bob"]], 5, "no")
    with django_assert_num_queries(len(few.captured_queries)):
        rita.get(address)


def test_the_command_prints_the_report(campaign: Campaign, people: dict[str, Any]) -> None:
    vote(images_make(campaign, 1)[0], people["alice"], 3)
    out = StringIO()
    call_command("methods_report", campaign.slug, stdout=out)
    assert f"# Methods report: {campaign.name}" in out.getvalue()
    assert figures(campaign).fingerprint in out.getvalue()


def test_reviewers_find_the_report_beside_the_other_pages_about_quality(
    client_of: Callable[[str], Any], campaign: Campaign
) -> None:
    link = f'href="/campaigns/{campaign.slug}/methods/"'
    assert link in client_of("rita").get(f"/campaigns/{campaign.slug}/annotator-quality/").content.decode()
    assert link not in client_of("alice").get(f"/campaigns/{campaign.slug}/").content.decode()
