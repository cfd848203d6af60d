import csv
import io
import json
import zipfile
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import ForeignKey
from django.urls import reverse

from annotation.models import AuditKind, AuditRecord, Campaign, User
from annotation.services.annotations import annotation_record
from annotation.services.passwords import password_link_create
from annotation.services.tokens import token_create
from training.models import TrainingRun


@pytest.fixture(autouse=True)
def root(people: dict[str, Any], make_user: Any) -> User:
    people["root"] = make_user("root", is_superuser=True)
    return people["root"]


def unpacked(response: Any) -> zipfile.ZipFile:
    assert response["Content-Type"] == "application/zip"
    return zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))


def person_of(response: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(unpacked(response).read("person.json"))
    return content


def test_everybody_gets_the_own_data_and_nobody_elses(
    client_of: Any, campaign: Campaign, people: Any, make_image: Any
) -> None:
    image = make_image(1)
    for name, score in (("alice", 3), ("bob", 8)):
        annotation_record(
            campaign=campaign,
            annotator=people[name],
            image_id=image.pk,
            client_id=uuid4(),
            watch="no",
            score=score,
            viewing={"screen": name},
        )
    response = client_of("alice").get(reverse("own-data"))
    assert response["Content-Disposition"] == 'attachment; filename="alice.zip"'
    assert "no-store" in response["Cache-Control"]
    archive = unpacked(response)
    rows = list(csv.DictReader(io.StringIO(archive.read("answers.csv").decode())))
    assert [(row["annotator"], row["score"], row["image"]) for row in rows] == [("alice", "3", "photo-1.jpg")]
    person = json.loads(archive.read("person.json"))
    assert person["account"]["username"] == "alice"
    (answer,) = person["tables"]["annotation.annotation"]
    assert (answer["viewing"], answer["image__name"], answer["campaign__slug"]) == (
        {"screen": "alice"},
        "photo-1.jpg",
        "watches",
    )
    assert [one["campaign__slug"] for one in person["tables"]["annotation.membership"]] == ["watches"]
    assert "bob" not in archive.read("person.json").decode()


def test_secrets_are_left_out(client_of: Any, people: Any, root: User) -> None:
    alice = people["alice"]
    token, secret = token_create(user=alice, name="script", scope="read", days=3)
    link, link_secret = password_link_create(user=alice, by=root)
    client = client_of("alice")
    content = unpacked(client.get(reverse("own-data"))).read("person.json").decode()
    alice.refresh_from_db()
    hidden = (secret, link_secret, token.token_sha256, link.token_sha256, alice.password, client.session.session_key)
    assert [one for one in hidden if one in content] == []
    assert '"name": "script"' in content


def test_addresses_of_others_are_left_out(client_of: Any, people: Any, root: User) -> None:
    AuditRecord.objects.create(by=root, user=people["alice"], kind="account_changed", address="192.0.2.1")
    AuditRecord.objects.create(by=people["alice"], kind="export", address="192.0.2.2")
    person = person_of(client_of("alice").get(reverse("own-data")))
    addresses = {row["address"] for row in person["tables"]["annotation.auditrecord"]}
    assert "192.0.2.2" in addresses
    assert "192.0.2.1" not in addresses


def test_every_table_that_refers_to_users_is_in_it(client_of: Any, campaign: Campaign, people: Any) -> None:
    run = TrainingRun.objects.create(campaign=campaign, requested_by=people["rita"])
    tables = person_of(client_of("rita").get(reverse("own-data")))["tables"]
    assert [row["id"] for row in tables["training.trainingrun"]] == [run.pk]
    from django.apps import apps

    refer = {
        model._meta.label_lower
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, ForeignKey) and field.related_model is User
    }
    assert tables.keys() == refer


@pytest.mark.parametrize(
    ("name", "status"),
    [("anonymous", 302), ("mallory", 403), ("alice", 403), ("rita", 403), ("ada", 403), ("root", 200)],
)
def test_only_superusers_export_or_anonymise_others(client_of: Any, people: Any, name: str, status: int) -> None:
    bob, client = people["bob"], client_of(name)
    assert client.get(reverse("user-data", args=[bob.pk])).status_code == status
    assert client.get(reverse("user-anonymise", args=[bob.pk])).status_code == status
    response = client.post(reverse("user-anonymise", args=[bob.pk]), {"username": "bob"})
    assert response.status_code == (302 if name == "root" else status)
    bob.refresh_from_db()
    assert (bob.anonymised_at is not None) is (name == "root")


@pytest.mark.parametrize(("name", "status"), [("anonymous", 302), ("mallory", 200), ("alice", 200)])
def test_everybody_with_an_account_can_export(client_of: Any, name: str, status: int) -> None:
    assert client_of(name).get(reverse("own-data")).status_code == status


def test_anonymising_needs_the_name(client_of: Any, people: Any) -> None:
    url = reverse("user-anonymise", args=[people["bob"].pk])
    client = client_of("root")
    for typed in ("", "alice"):
        assert client.post(url, {"username": typed}).status_code == 422
    people["bob"].refresh_from_db()
    assert people["bob"].anonymised_at is None
    assert b"annotator-" in client.post(url, {"username": "bob"}, follow=True).content


def test_exports_are_recorded(client_of: Any, people: Any, root: User) -> None:
    client_of("root").get(reverse("user-data", args=[people["bob"].pk]))
    record = AuditRecord.objects.filter(kind=AuditKind.EXPORT).get()
    assert (record.by, record.user, record.what) == (root, people["bob"], "personal data")
