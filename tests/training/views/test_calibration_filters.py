"""Each filter of the calibration page changes the votes and photos that it should, and stands in the address."""

import csv
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from annotation.models import Annotation, AuditRecord, Campaign, Image, ImportBatch, User
from inference.models import ModelVersion
from tests.opinions_and_predictions import images_make, predictions_make, version_make, vote
from tests.training.views.test_calibration_page import text_of
from training.evaluation.calibration.filters import Filters
from training.evaluation.comparison import Comparison
from training.models import StoredCalibration
from training.selectors.comparison import compare_chosen

PAGE = "/campaigns/watches/calibration/"
PART = {"HX-Request": "true", "HX-Target": "calibration"}


@pytest.fixture
def photos(campaign: Campaign) -> list[Image]:
    """Two holdout photos and a training photo; the first of an import, the others without."""
    images = [*images_make(campaign, 2, holdout=True), *images_make(campaign, 1, prefix="train")]
    batch = ImportBatch.objects.create(campaign=campaign, source="/photos/lake.zip", state="done", added=1)
    Image.objects.filter(pk=images[0].pk).update(batch=batch)
    return images


@pytest.fixture
def version(campaign: Campaign, photos: list[Image], people: dict[str, Any]) -> ModelVersion:
    """Alice gives 2 to each photo, bob 4, and the simulated robot 9."""
    robot = User.objects.create_user("robot", is_simulated=True)
    for image in photos:
        vote(image, people["alice"], 2, "yes")
        vote(image, people["bob"], 4, "no")
        vote(image, robot, 9, "yes")
    made = version_make(campaign)
    predictions_make(made, photos, [5.0, 6.0, 7.0], watch=0.3)
    return made


def chosen(version: ModelVersion, filters: Filters) -> Comparison:
    return compare_chosen(version.campaign, version, filters)


def test_a_vote_of_an_annotator_who_is_left_out_is_not_in_the_mos(
    version: ModelVersion, people: dict[str, Any]
) -> None:
    assert chosen(version, Filters()).mos.tolist() == [5.0, 5.0]
    without = chosen(version, Filters(left_out=(people["alice"].pk,)))
    assert without.mos.tolist() == [6.5, 6.5]
    assert without.vote_counts.tolist() == [2, 2]
    assert (without.watch_yes.tolist(), without.watch_no.tolist()) == ([1, 1], [1, 1])
    assert without.has_majority.tolist() == [False, False]  # with alice's vote both are watches
    assert people["alice"].pk not in without.votes.annotator_ids


def test_simulated_annotators_can_be_left_out_or_looked_at_alone(version: ModelVersion) -> None:
    assert chosen(version, Filters(annotators="people")).mos.tolist() == [3.0, 3.0]
    assert chosen(version, Filters(annotators="simulated")).mos.tolist() == [9.0, 9.0]


def test_the_photos_of_an_import_can_be_chosen(version: ModelVersion, photos: list[Image]) -> None:
    batch = ImportBatch.objects.get()
    assert chosen(version, Filters(source=batch.pk)).names == [photos[0].name]
    assert chosen(version, Filters(source=0)).names == [photos[1].name]
    assert chosen(version, Filters(source=0, split="all")).names == [photos[1].name, photos[2].name]


def test_a_period_has_its_first_and_its_last_day(version: ModelVersion) -> None:
    rows = list(Annotation.objects.filter(image__split="holdout").order_by("pk"))
    days = [
        datetime(2026, 3, day, hour, tzinfo=UTC) for day, hour in ((1, 23), (2, 0), (2, 23), (3, 0), (3, 1), (4, 0))
    ]
    for row, day in zip(rows, days, strict=True):
        Annotation.objects.filter(pk=row.pk).update(created_at=day)

    def found(since: date | None, until: date | None) -> list[int]:
        return sorted(chosen(version, Filters(since=since, until=until)).votes.annotation_ids.tolist())

    ids = [row.pk for row in rows]
    assert found(date(2026, 3, 2), date(2026, 3, 2)) == ids[1:3]
    assert found(date(2026, 3, 3), None) == ids[3:]
    assert found(None, date(2026, 3, 1)) == ids[:1]
    # An imported vote was given when its file says.
    Annotation.objects.filter(pk=ids[0]).update(given_at=datetime(2026, 3, 4, 5, tzinfo=UTC))
    assert found(None, date(2026, 3, 1)) == []
    assert found(date(2026, 3, 4), date(2026, 3, 4)) == [ids[0], ids[5]]


def test_the_page_shows_the_number_of_photos_and_votes_of_the_choice(
    client_of: Callable[[str], Client], version: ModelVersion, people: dict[str, Any]
) -> None:
    client = client_of("rita")
    assert "2 photos · 6 votes · 2 watches of 2 with a majority label" in text_of(client.get(PAGE))
    text = text_of(client.get(f"{PAGE}?out={people['alice'].pk}"))
    assert "2 photos · 4 votes · 0 watches of 0 with a majority label" in text
    assert "Some votes are left out" in text
    assert "without alice ×" in text
    assert "3 photos · 6 votes" in text_of(client.get(f"{PAGE}?split=all&annotators=people"))


def test_a_filter_applies_without_a_button_and_stands_in_the_address(
    client_of: Callable[[str], Client], version: ModelVersion, people: dict[str, Any]
) -> None:
    client = client_of("rita")
    # As the form sends it, with everything that is not chosen.
    query = f"version=1&split=all&source=&from=2026-01-01&to=&annotators=people&out={people['bob'].pk}"
    response = client.get(f"{PAGE}?{query}", headers=PART)
    markup = response.content.decode()
    assert markup.lstrip().startswith('<div id="calibration"')
    assert "<form" not in markup
    address = response.headers["HX-Push-Url"]
    assert address == f"{PAGE}?version=1&split=all&from=2026-01-01&annotators=people&out={people['bob'].pk}"
    whole = client.get(address).content.decode()
    assert 'value="2026-01-01"' in whole
    assert '<option value="all" selected>' in whole
    assert re.search(rf'name="out" value="{people["bob"].pk}" checked', whole)
    assert 'href="?version=1">Clear all</a>' in whole


def test_every_chip_takes_one_filter_away(
    client_of: Callable[[str], Client], version: ModelVersion, people: dict[str, Any]
) -> None:
    batch = ImportBatch.objects.get()
    filters = Filters("all", batch.pk, date(2026, 1, 1), date(2026, 12, 31), (people["bob"].pk,), "people")
    response = client_of("rita").get(f"{PAGE}?{filters.query(version=1)}")
    chips = {chip.words: chip.query for chip in response.context["bar"].chips}
    today = timezone.localdate()
    assert list(chips) == [
        "all rated photos",
        f"import lake.zip ({today:%-d %b %Y})",
        "votes from 1 Jan 2026 to 31 Dec 2026",
        "votes of people only",
        "without bob",
    ]
    assert chips["without bob"] == replace(filters, left_out=()).query(version=1)
    assert chips["votes of people only"] == replace(filters, annotators="all").query(version=1)


@pytest.mark.parametrize(
    "query",
    [
        "source=x",
        "source=999999",
        "out=x",
        "out=999999",
        "from=yesterday",
        "annotators=cats",
        "split=train",
        "version=9",
    ],
)
def test_what_does_not_exist_cannot_be_chosen(
    client_of: Callable[[str], Client], version: ModelVersion, query: str
) -> None:
    client = client_of("rita")
    assert client.get(f"{PAGE}?{query}").status_code == 404
    assert client.get(f"{PAGE}photos.csv?{query}").status_code == 404
    assert not StoredCalibration.objects.exists()


def test_imports_and_annotators_of_other_campaigns_cannot_be_chosen(
    client_of: Callable[[str], Client], version: ModelVersion, people: dict[str, Any]
) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    batch = ImportBatch.objects.create(campaign=other, source="secret.zip", state="done", added=1)
    client = client_of("rita")
    assert client.get(f"{PAGE}?source={batch.pk}").status_code == 404
    assert client.get(f"{PAGE}?out={people['mallory'].pk}").status_code == 404
    assert "secret.zip" not in client.get(PAGE).content.decode()


def test_a_period_without_days_has_a_message_and_no_figures(
    client_of: Callable[[str], Client], version: ModelVersion
) -> None:
    text = text_of(client_of("rita").get(f"{PAGE}?from=2026-02-02&to=2026-02-01"))
    assert "The first day, 2 Feb 2026, is after the last, 1 Feb 2026." in text
    assert not StoredCalibration.objects.exists()


def test_filters_that_no_vote_fits_have_a_message(client_of: Callable[[str], Client], version: ModelVersion) -> None:
    text = text_of(client_of("rita").get(f"{PAGE}?to=2020-01-01"))
    assert "No vote that was given without seeing the prediction fits these filters." in text


def test_a_page_of_one_photo_has_all_its_parts(client_of: Callable[[str], Client], version: ModelVersion) -> None:
    response = client_of("rita").get(f"{PAGE}?source={ImportBatch.objects.get().pk}")
    assert response.context["figures"].compared == 1
    anchors = [part.anchor for part in response.context["sections"]]
    markup = response.content.decode()
    for anchor in anchors:
        assert f'href="#{anchor}"' in markup
        assert f'id="{anchor}"' in markup


def test_the_report_for_print_says_what_it_is_from(client_of: Callable[[str], Client], version: ModelVersion) -> None:
    response = client_of("rita").get(f"{PAGE}?annotators=people&view=print")
    text = text_of(response)
    assert "Calibration of Watches" in text
    assert re.search(r"Model version 1 \(champion\) Filters votes of people only Counted \d+ \w+ \d{4}", text)
    assert re.search(r"Based on 2 photos with 4 votes, fingerprint [0-9a-f]{64}", text)
    markup = response.content.decode()
    assert 'id="filters"' not in markup
    assert "site-nav" not in markup


def test_the_table_has_the_compared_photos(
    client_of: Callable[[str], Client], version: ModelVersion, photos: list[Image], people: dict[str, Any]
) -> None:
    Image.objects.filter(pk=photos[0].pk).update(name="=cmd()")
    response = client_of("rita").get(f"{PAGE}photos.csv?out={people['alice'].pk}")
    first, second = csv.DictReader(b"".join(response).decode().splitlines())  # type: ignore[arg-type]
    assert first["file"] == "'=cmd()"
    assert (first["image"], first["votes"], first["mos"]) == (str(photos[0].pk), "2", "6.5")
    assert float(first["mos_low"]) < 6.5 < float(first["mos_high"])
    assert (first["predicted_mean"], first["watch_probability"], first["watch_majority"]) == ("5.0", "0.3", "")
    weights = np.exp(-((np.arange(1, 11) - 5.0) ** 2) / 2)
    shares = np.cumsum(weights) / weights.sum()
    assert int(first["predicted_vote_low"]) == 1 + np.searchsorted(shares, 0.05)
    assert int(first["predicted_vote_high"]) == 1 + np.searchsorted(shares, 0.95)
    assert second["image"] == str(photos[1].pk)
    assert AuditRecord.objects.get(kind="export").what == "watches-calibration-v1.csv"


@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 200), ("ada", 200)]
)
def test_only_reviewers_and_admins_get_the_table_and_the_progress(
    client_of: Callable[[str], Client], version: ModelVersion, name: str, status: int
) -> None:
    client_of("rita").get(PAGE)
    for path in ("photos.csv", "live"):
        assert client_of(name).get(f"{PAGE}{path}").status_code == status
