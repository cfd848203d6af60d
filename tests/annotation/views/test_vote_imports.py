"""The pages that import votes."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.exchange.registry import READERS
from annotation.models import Annotation, Campaign, VoteImport
from annotation.services.vote_imports import upload_path, vote_import_begin
from annotation.tasks import votes_import
from iqs_site.request_limits import FREE_BYTES, body_limit

PAGE = "/campaigns/watches/votes/"
NAMES_AND_STATUSES = [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 403), ("ada", 200)]


def send(client: Any, text: str, reader: str = "votes-csv", **values: Any) -> Any:
    file = SimpleUploadedFile("my votes.csv", text.encode())
    return client.post(PAGE, {"format": reader, "file": file, **values})


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


@pytest.fixture
def queued(campaign: Campaign) -> VoteImport:
    return vote_import_begin(campaign=campaign, reader=READERS["votes-csv"], source="votes.csv")


@pytest.mark.parametrize(("name", "status"), NAMES_AND_STATUSES)
def test_only_admins_of_the_campaign_import_votes(client_of: Any, queued: VoteImport, name: str, status: int) -> None:
    client = client_of(name)
    assert client.get(PAGE).status_code == status
    assert client.get(f"{PAGE}{queued.pk}/").status_code == status
    assert send(client, "annotator,file,score\n").status_code == (302 if status == 200 else status)
    assert VoteImport.objects.exclude(pk=queued.pk).count() == (status == 200)


def test_imports_of_another_campaign_are_not_shown(client_of: Any, people: Any) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    elsewhere = vote_import_begin(campaign=other, reader=READERS["votes-csv"], source="votes.csv")
    assert client_of("ada").get(f"{PAGE}{elsewhere.pk}/").status_code == 404


def test_a_file_is_sent_imported_and_shown(
    client_of: Any, people: Any, make_image: Any, django_capture_on_commit_callbacks: Any
) -> None:
    photo = make_image(1)
    client = client_of("ada")
    with django_capture_on_commit_callbacks() as callbacks:
        page = send(client, "annotator,file,score\na,photo-1.jpg,7\nb,photo-1.jpg,8\n").url
    assert len(callbacks) == 1
    begun = VoteImport.objects.get()
    assert page == reverse("vote-import", args=["watches", begun.pk])
    assert (begun.source, begun.created_by, begun.state) == ("my votes.csv", people["ada"], "queued")
    assert "hx-get" in client.get(page).content.decode()
    votes_import(begun.pk)
    votes_import(begun.pk)  # a message can come twice
    assert Annotation.objects.filter(image=photo).count() == 2
    shown = client.get(page)
    assert "hx-get" not in shown.content.decode()
    assert "2 votes 1 photo 2 annotators, who cannot log in" in text_of(shown)
    assert "my votes.csv" in text_of(client.get(PAGE))
    assert not upload_path(begun).exists()
    assert "imported" in text_of(client.get(f"/campaigns/watches/photos/{photo.pk}/"))


def test_wrong_lines_are_shown_with_their_numbers(client_of: Any, make_image: Any) -> None:
    make_image(1)
    client = client_of("ada")
    page = send(client, "annotator,file,score\na,photo-1.jpg,7\nb,<b>.jpg,8\n").url
    votes_import(VoteImport.objects.get().pk)
    shown = client.get(page)
    assert "votes on 1 photo that this campaign does not have" in text_of(shown)
    assert "<td>The campaign has no photo &lt;b&gt;.jpg.</td>" in shown.content.decode()
    assert not Annotation.objects.exists()


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"lowest": 1}, "Give both ends of the scale, or none."),
        ({"lowest": 5, "highest": 5}, "The highest score must be above the lowest."),
        ({"lowest": 1, "highest": 7}, "Votes would have to be rounded."),
        ({"reader": "nothing"}, "Select a valid choice"),
        ({"text": ""}, "The submitted file is empty."),
    ],
)
def test_what_is_wrong_with_the_form_is_said(client_of: Any, people: Any, values: dict[str, Any], problem: str) -> None:
    response = send(client_of("ada"), values.pop("text", "annotator,file,score\n"), **values)
    assert response.status_code == 400
    assert problem in text_of(response)
    assert not VoteImport.objects.exists()


def test_a_user_cannot_start_more_imports_than_an_hour_allows(client_of: Any, people: Any, settings: Any) -> None:
    settings.IQS_IMPORTS_PER_HOUR = 1
    client = client_of("ada")
    assert send(client, "annotator,file,score\n").status_code == 302
    refused = send(client, "annotator,file,score\n")
    assert refused.status_code == 400
    assert "as many as are allowed" in text_of(refused)
    assert VoteImport.objects.count() == 1


def test_aggregated_votes_are_analysed_and_shown_at_their_photo(client_of: Any, make_image: Any) -> None:
    photo = make_image(1)
    client = client_of("ada")
    text = "file,1,2,3,4,5\nphoto-1.jpg,0,0,2,1,1\nelsewhere.jpg,4,0,0,0,0\n"
    page = send(client, text, "histogram-csv", lowest=1, highest=5).url
    votes_import(VoteImport.objects.get().pk)
    shown = text_of(client.get(page))
    assert "2 rows of aggregated votes 2 photos 1 of these photos are in the campaign 8 votes in all" in shown
    assert "Rejected: MOS up to 2.75; pending: up to 3.25." in shown
    assert "Votes by score, n = 8" in shown
    at_photo = text_of(client.get(f"/campaigns/watches/photos/{photo.pk}/"))
    assert "3.75 on 1 to 5 , n = 4 votes, SOS 0.96 from my votes.csv, not part of the MOS" in at_photo
    assert "no votes yet" in at_photo


def test_the_list_needs_as_many_queries_with_many_imports(client_of: Any, campaign: Campaign, people: Any) -> None:
    client = client_of("ada")
    counts = []
    for _ in range(2):
        for _ in range(5):
            vote_import_begin(campaign=campaign, reader=READERS["votes-csv"], source="x.csv", by=people["ada"])
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(PAGE)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_only_this_page_takes_long_bodies() -> None:
    assert body_limit(PAGE).most > 60 * 1024**2
    assert body_limit(PAGE).free == FREE_BYTES
    assert body_limit(f"{PAGE}12/").most == FREE_BYTES
