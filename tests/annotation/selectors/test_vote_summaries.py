"""What the votes of one import are like: stored at import, and counted again when limits or photos change."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.exchange.registry import READERS
from annotation.models import Campaign, VoteImport
from annotation.selectors.vote_summaries import stored_summary, vote_summary
from annotation.services.vote_imports import aggregated_votes_link, vote_import_begin, vote_import_run
from tests.opinions_and_predictions import images_make

VOTES = "annotator,file,score,watch\n" + "".join(
    f"{person},photo-{photo}.jpg,{score},{watch}\n"
    for photo, scores in enumerate(([5, 6, 6], [1, 2, 9], [10, 10, 9]))
    for person, score, watch in zip("abc", scores, ("yes", "no", "yes" if photo else "unsure"), strict=True)
)
COUNTS = "file,1,2,3,4,5\nphoto-0.jpg,0,0,2,1,1\nelsewhere.jpg,4,0,0,0,0\n"


@pytest.fixture
def imported(campaign: Campaign, tmp_path: Path) -> Callable[..., VoteImport]:
    images_make(campaign, 3)

    def run(form: str, text: str, scale: tuple[int, int] | None = None) -> VoteImport:
        path = tmp_path / "file.csv"
        path.write_text(text)
        begun = vote_import_begin(campaign=campaign, reader=READERS[form], source=path.name, scale=scale)
        done = vote_import_run(vote_import=begun, path=path)
        assert done.state == "done"
        return done

    return run


def test_single_votes_are_summed_up_by_photo(imported: Callable[..., VoteImport]) -> None:
    summary = stored_summary(imported("votes-csv", VOTES))
    assert summary is not None
    assert (summary.photos, summary.with_image, summary.votes) == (3, 3, 9)
    assert summary.counts == [1, 1, 0, 0, 1, 2, 0, 0, 2, 2]
    assert summary.means == [0, 0, 0, 1, 0, 1, 0, 0, 0, 1]  # 4.0, 5.67 and 9.67
    assert (summary.rejected, summary.pending, summary.accepted) == (1, 1, 1)
    assert summary.in_middle == 1
    assert (summary.watch, summary.no_watch, summary.undecided) == (2, 0, 1)


def test_aggregated_votes_are_summed_up_on_their_own_scale(imported: Callable[..., VoteImport]) -> None:
    summary = stored_summary(imported("histogram-csv", COUNTS, (1, 5)))
    assert summary is not None
    assert (summary.scale, summary.photos, summary.with_image, summary.votes) == ((1, 5), 2, 1, 8)
    assert (summary.counts, summary.means) == ([4, 0, 2, 1, 1], [1, 0, 0, 1, 0])
    assert (summary.watch, summary.no_watch, summary.undecided) == (0, 0, 0)


def test_means_without_numbers_of_votes_have_no_histogram(imported: Callable[..., VoteImport]) -> None:
    summary = stored_summary(imported("mean-csv", "file,mos\nphoto-0.jpg,40\nphoto-1.jpg,100\n", (0, 100)))
    assert summary is not None
    assert (summary.votes, summary.counts, sum(summary.means), len(summary.bins)) == (None, None, 2, 10)


def test_other_limits_make_the_stored_summary_old(imported: Callable[..., VoteImport], campaign: Campaign) -> None:
    done = imported("votes-csv", VOTES)
    Campaign.objects.update(reject_at=3.5)
    found = VoteImport.objects.get(pk=done.pk)
    assert stored_summary(found) is None
    assert (vote_summary(found).rejected, vote_summary(found).pending) == (0, 2)


def test_photos_that_come_later_are_counted(imported: Callable[..., VoteImport], campaign: Campaign) -> None:
    done = imported("histogram-csv", COUNTS, (1, 5))
    images_make(campaign, 1, prefix="x")
    campaign.images.filter(name="x-0.jpg").update(name="elsewhere.jpg")
    assert aggregated_votes_link(campaign=campaign) == 1
    summary = stored_summary(VoteImport.objects.get(pk=done.pk))
    assert summary is not None
    assert summary.with_image == 2


@pytest.mark.parametrize(("form", "text"), [("votes-csv", VOTES), ("histogram-csv", COUNTS)])
def test_the_page_of_an_import_has_its_charts_from_the_stored_summary(
    imported: Callable[..., VoteImport], client_of: Callable[[str], Client], form: str, text: str
) -> None:
    done = imported(form, text, (1, 5) if form == "histogram-csv" else None)
    client, page = client_of("ada"), reverse("vote-import", args=["watches", done.pk])
    client.get(page)
    with CaptureQueriesContext(connection) as captured:
        html = client.get(page).content.decode()
    # Nothing is counted in the request.
    assert not any("width_bucket" in query["sql"] for query in captured)
    for name in ("Votes by score", "Photos by MOS", "Quality classes, share of photos before and after balancing"):
        assert f"{name}; the table has the numbers" in html
    assert ("Watch labels, share of photos" in html) == (form == "votes-csv")


def test_an_import_from_before_is_summed_up_when_its_page_is_opened(
    imported: Callable[..., VoteImport], client_of: Callable[[str], Client]
) -> None:
    done = imported("votes-csv", VOTES)
    VoteImport.objects.update(summary="")
    assert client_of("ada").get(reverse("vote-import", args=["watches", done.pk])).status_code == 200
    assert stored_summary(VoteImport.objects.get(pk=done.pk)) is not None


def test_photos_with_both_forms_of_imported_votes_are_counted_and_named(
    imported: Callable[..., VoteImport], client_of: Callable[[str], Client], campaign: Campaign
) -> None:
    counts = "file,1,2,3,4,5\nphoto-0.jpg,0,0,2,1,1\nphoto-1.jpg,0,1,2,1,1\nelsewhere.jpg,4,0,0,0,0\n"
    first = imported("histogram-csv", counts, (1, 5))
    assert first.summary
    assert vote_summary(first).in_both == 0
    single = imported("votes-csv", VOTES)
    assert vote_summary(single).in_both == 2
    later = imported("histogram-csv", "file,1,2,3,4,5\nphoto-2.jpg,0,0,2,1,1\nphoto-9.jpg,1,0,0,0,0\n", (1, 5))
    assert vote_summary(later).in_both == 1
    mean = imported("mean-csv", "file,mos\nphoto-1.jpg,40\n", (0, 100))
    assert vote_summary(mean).in_both == 0  # nobody learns from a mean

    def page_of(done: VoteImport) -> str:
        return client_of("ada").get(reverse("vote-import", args=[campaign.slug, done.pk])).text

    assert "2 of these photos also have an imported histogram. Models learn from their single votes" in page_of(single)
    assert "1 of these photos also has imported single votes. Models learn from those" in page_of(later)
    assert "no vote counts twice" not in page_of(mean)
