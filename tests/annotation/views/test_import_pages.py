from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.models import Campaign, Image, ImportBatch, ImportRejection
from annotation.services.batches import batch_folder, upload_begin
from annotation.services.uploads import PIECE_BYTES
from annotation.tasks import batch_import
from tests.conftest import photo_bytes

NAMES_AND_STATUSES = [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 403), ("ada", 200)]


@pytest.fixture
def upload(campaign: Campaign) -> ImportBatch:
    return upload_begin(campaign=campaign, by=None)


def url(name: str, batch: ImportBatch) -> str:
    return reverse(name, args=["watches", batch.pk])


def put(client: Any, batch: ImportBatch, data: bytes = b"x", **query: Any) -> Any:
    query = {"number": 0, "name": "x.jpg", "size": len(data), "offset": 0, **query}
    return client.put(url("import-file", batch), data, content_type="application/octet-stream", query_params=query)


@pytest.mark.parametrize(("name", "status"), NAMES_AND_STATUSES)
def test_only_admins_of_the_campaign_can_import(client_of: Any, upload: ImportBatch, name: str, status: int) -> None:
    client = client_of(name)
    post_status = 302 if status == 200 else status
    assert client.get(reverse("import", args=["watches"])).status_code == status
    assert client.get(url("import-batch", upload)).status_code == status
    assert client.post(reverse("import-start", args=["watches"])).status_code == status
    assert put(client, upload).status_code == status
    assert client.post(url("import-finish", upload)).status_code == post_status
    assert client.post(url("import-discard", upload)).status_code == post_status


def test_admins_cannot_open_imports_of_other_campaigns(client_of: Any, campaign: Campaign) -> None:
    other_batch = upload_begin(campaign=Campaign.objects.create(slug="other", name="Other"), by=None)
    client = client_of("ada")
    assert client.get(url("import-batch", other_batch)).status_code == 404
    assert client.post(url("import-finish", other_batch)).status_code == 404
    assert put(client, other_batch).status_code == 410


def test_files_are_uploaded_in_pieces_and_imported_when_finished(
    client_of: Any, campaign: Campaign, people: dict[str, Any], django_capture_on_commit_callbacks: Any
) -> None:
    client, data = client_of("ada"), photo_bytes(1)
    urls = client.post(reverse("import-start", args=["watches"])).json()
    batch = ImportBatch.objects.get()
    assert batch.created_by == people["ada"]
    assert put(client, batch, data[:500], size=len(data), name="a/b.jpg").json() == {"complete": False}
    answer = put(client, batch, data[500:], size=len(data), offset=500, name="a/b.jpg")
    assert answer.json() == {"complete": True}
    assert put(client, batch, b"", name="empty.jpg", number=1).json() == {"complete": True}
    with django_capture_on_commit_callbacks() as callbacks:
        assert client.post(urls["finish_url"]).url == urls["page_url"]
    assert len(callbacks) == 1
    batch_import(batch.pk)
    assert Image.objects.get().name == "a/b.jpg"
    page = client.get(urls["page_url"]).content.decode()
    assert "The file is empty." in page
    assert "hx-get" not in page  # the import is done, so the page stops polling


def test_finishing_twice_queues_one_import(
    client_of: Any, upload: ImportBatch, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        for _ in range(2):
            assert client_of("ada").post(url("import-finish", upload)).status_code == 302
    assert len(callbacks) == 1


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ({"number": "one"}, 400, "whole numbers"),
        ({"offset": -1}, 400, "cannot be negative"),
        ({"offset": 5, "size": 9}, 409, "The server has 0 bytes of the file"),
        ({"size": 10**12}, 422, "larger than the allowed 64 MB"),
    ],
)
def test_invalid_pieces_get_an_error_message(
    client_of: Any, upload: ImportBatch, query: dict[str, Any], status: int, message: str
) -> None:
    response = put(client_of("ada"), upload, **query)
    assert response.status_code == status
    assert message in response.json()["detail"]


def test_a_too_large_piece_is_refused(client_of: Any, upload: ImportBatch) -> None:
    assert put(client_of("ada"), upload, b"x" * (PIECE_BYTES + 1)).status_code == 413


def test_upload_without_a_csrf_token_is_refused(people: dict[str, Any], upload: ImportBatch) -> None:
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(people["ada"])
    assert put(client, upload).status_code == 403


def test_discarded_upload_is_deleted(client_of: Any, upload: ImportBatch) -> None:
    client = client_of("ada")
    put(client, upload)
    client.post(url("import-discard", upload))
    assert not batch_folder(upload).exists()
    assert put(client, upload).status_code == 410
    assert "The upload was discarded." in client.get(url("import-batch", upload)).content.decode()


def test_live_part_polls_while_the_import_runs(client_of: Any, upload: ImportBatch) -> None:
    ImportBatch.objects.update(state="running", total=10, added=3, heartbeat_at=timezone.now())
    part = client_of("ada").get(url("import-batch", upload), headers={"HX-Request": "true"}).content.decode()
    assert 'hx-trigger="every 1s"' in part
    assert "<html" not in part
    assert '<progress max="10" value="3"' in part


def test_page_shows_that_no_worker_has_started_the_import(client_of: Any, upload: ImportBatch) -> None:
    client = client_of("ada")
    client.post(url("import-finish", upload))
    assert "No worker has started this import yet." not in client.get(url("import-batch", upload)).content.decode()
    ImportBatch.objects.update(heartbeat_at=timezone.now() - timezone.timedelta(seconds=11))
    assert "No worker has started this import yet." in client.get(url("import-batch", upload)).content.decode()


def test_rejections_are_paginated_with_few_queries(
    client_of: Any, upload: ImportBatch, django_assert_num_queries: Any
) -> None:
    rows = [ImportRejection(batch=upload, name=f"<b>{n}</b>.jpg", reason="No.") for n in range(450)]
    ImportRejection.objects.bulk_create(rows)
    ImportBatch.objects.update(state="done", total=450, rejected=450)
    client = client_of("ada")
    # session, user, campaign with role, simulated annotators?, batch, labels, change, number of rejections, rejections
    with django_assert_num_queries(9):
        page = client.get(url("import-batch", upload), {"page": 3}).content.decode()
    assert "&lt;b&gt;449&lt;/b&gt;.jpg" in page
    assert "Page 3 of 3" in page


def test_import_page_takes_no_query_per_import(
    client_of: Any, campaign: Campaign, people: dict[str, Any], django_assert_num_queries: Any
) -> None:
    client = client_of("ada")
    for _ in range(5):
        upload_begin(campaign=campaign, by=people["ada"])
    with django_assert_num_queries(5):  # session, user, campaign with role, simulated annotators?, imports
        page = client.get(reverse("import", args=["watches"])).content.decode()
    assert page.count("receiving files") == 5
