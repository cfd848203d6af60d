"""The export page and its downloads."""

from collections.abc import Callable
from typing import Any

import pytest

from annotation.exchange.registry import FORMATS
from annotation.models import AuditRecord, Campaign
from annotation.services.consensus import consensus_refresh
from tests.opinions_and_predictions import vote
from training.views.exports import EXPORTS

PAGE = "/campaigns/watches/export/"
NAMES = [name for name in FORMATS if name != "audit-csv"]


@pytest.fixture
def rated(campaign: Campaign, people: dict[str, Any], make_image: Callable[..., Any]) -> Campaign:
    image = make_image(1)
    vote(image, people["alice"], 7)
    vote(image, people["bob"], 8)
    consensus_refresh(campaign=campaign)
    return campaign


@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 200), ("ada", 200)]
)
def test_reviewers_export(client_of: Any, rated: Campaign, name: str, status: int) -> None:
    assert client_of(name).get(PAGE).status_code == status
    assert client_of(name).get(f"{PAGE}votes-csv").status_code == status


def test_every_format_that_has_rows_of_a_campaign_is_offered(client_of: Any, rated: Campaign) -> None:
    page = client_of("rita").get(PAGE).content.decode()
    offered = {form.name for one in EXPORTS for form in FORMATS.values() if form.record is one.record}
    assert offered == set(NAMES)
    for name in ("annotations-csv", "votes-parquet", "consensus-jsonl", "ava", "label-studio"):
        assert f'href="{PAGE}{name}"' in page
    assert "audit/records.csv" not in page
    assert "audit/records.csv" in client_of("ada").get(PAGE).content.decode()


@pytest.mark.parametrize("name", NAMES)
def test_each_download_is_a_file_and_is_recorded(client_of: Any, rated: Campaign, name: str) -> None:
    if name == "koniq":
        Campaign.objects.update(scale_max=5)
    response = client_of("rita").get(f"{PAGE}{name}")
    assert response.status_code == 200
    assert 'attachment; filename="watches-' in response["Content-Disposition"]
    assert response["Content-Disposition"].endswith(f'{FORMATS[name].suffix}"')
    content = b"".join(response.streaming_content)
    if not name.startswith("predictions"):  # there is no model yet
        assert content
    assert AuditRecord.objects.filter(kind="export", campaign=rated).count() == 1


def test_rows_and_sizes_are_said(client_of: Any, rated: Campaign) -> None:
    offers = {one.export.title: one for one in client_of("rita").get(PAGE).context["offers"]}
    assert (offers["Answers"].rows, offers["Consensus"].rows, offers["Photos"].rows) == (2, 1, 1)
    assert offers["Answers"].bytes == 2 * 210


@pytest.mark.parametrize("name", ["ava", "ava-csv", "ava-json", "koniq"])
def test_formats_of_data_sets_need_their_scale(client_of: Any, rated: Campaign, name: str) -> None:
    Campaign.objects.update(scale_max=20)
    assert f"{PAGE}{name}" not in client_of("rita").get(PAGE).content.decode()
    assert client_of("rita").get(f"{PAGE}{name}").status_code == 404


def test_other_names_are_not_found(client_of: Any, rated: Campaign) -> None:
    for name in ("audit-csv", "koniq", "unknown"):
        assert client_of("ada").get(f"{PAGE}{name}").status_code == 404


def test_the_page_takes_few_queries(client_of: Any, rated: Campaign, django_assert_num_queries: Any) -> None:
    client = client_of("rita")
    # session, user, campaign with role, simulated annotators?, whether it is large, six counts, bundles
    with django_assert_num_queries(12):
        client.get(PAGE)
