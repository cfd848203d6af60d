import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.models import (
    Annotation,
    ApiToken,
    Assignment,
    AttemptCount,
    AuditKind,
    AuditRecord,
    Campaign,
    HourlyUse,
    Membership,
    User,
    UserSession,
)
from annotation.services.annotations import annotation_record
from annotation.services.anonymisation import user_anonymise
from annotation.services.members import MemberError, user_active_set
from annotation.services.passwords import password_link_create
from annotation.services.queue import leases_claim
from annotation.services.tokens import token_create

NAME, MAIL = "Zebedee", "zebedee@example.org"
TRACES = ("zebedee", "kangaroo", "192.0.2.77", "ultrawide")


@pytest.fixture
def root(people: dict[str, Any], make_user: Any) -> User:
    people["root"] = make_user("root", is_superuser=True)
    return people["root"]


@pytest.fixture
def person(people: dict[str, Any], campaign: Campaign, make_user: Any, root: User, make_image: Any) -> User:
    """A user who has left traces in every table."""
    user: User = make_user(NAME, email=MAIL, first_name="Zebedee", last_name="Kangaroo")
    people["person"] = user
    user.key_bindings = {"skip": "s"}
    user.time_zone = "Europe/Berlin"
    user.save()
    Membership.objects.create(campaign=campaign, user=user)
    client = Client(headers={"User-Agent": "Kangaroo/1.0"}, REMOTE_ADDR="192.0.2.77")
    client.post(reverse("login"), {"username": NAME, "password": "wrong"})
    client.post(reverse("login"), {"username": NAME, "password": "pass-word-1"})
    token_create(user=user, name="laptop of Zebedee", scope=ApiToken.Scope.READ, days=5)
    password_link_create(user=user, by=root)
    annotation_record(
        campaign=campaign,
        annotator=user,
        image_id=make_image(1).pk,
        client_id=uuid4(),
        watch="yes",
        score=7,
        viewing={"screen": "ultrawide"},
    )
    make_image(2)
    leases_claim(campaign=campaign, annotator=user, count=1)
    user.groups.add(Group.objects.create(name="raters"))
    HourlyUse.objects.create(user=user, kind="imports", hour=timezone.now(), amount=1)
    AttemptCount.objects.create(kind="login", name="zebedee", address="192.0.2.77", count=5, started_at=timezone.now())
    LogEntry.objects.create(
        user=root,
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(user.pk),
        object_repr=NAME,
        action_flag=CHANGE,
        change_message=json.dumps([{"changed": {"name": NAME, "fields": ["Email address"]}}]),
    )
    return user


def traces() -> Iterator[str]:
    """Yield the table and the word of each trace of the person in the database."""
    for model in apps.get_models():
        rows = model._default_manager.all()
        if model is AttemptCount:
            rows = rows.exclude(name="")  # of an address, not of a person; deleted within a day
        for row in rows.values():
            text = str({name: bytes(one) if isinstance(one, memoryview) else one for name, one in row.items()}).lower()
            yield from (f"{model._meta.label}: {trace}" for trace in TRACES if trace in text)


def test_the_person_goes_from_every_table(person: User, root: User) -> None:
    before = {trace.split(":")[0] for trace in traces()}
    assert before >= {
        "annotation.User",
        "annotation.ApiToken",
        "annotation.UserSession",
        "annotation.AttemptCount",
        "annotation.AuditRecord",
        "annotation.Annotation",
        "admin.LogEntry",
    }
    user_anonymise(user=person, by=root)
    assert list(traces()) == []


def test_answers_stay_under_a_neutral_name(person: User, root: User, campaign: Campaign) -> None:
    renamed = user_anonymise(user=person, by=root)
    person.refresh_from_db()
    assert (renamed.username, person.name_key) == (f"annotator-{person.pk}", f"annotator-{person.pk}")
    answer = Annotation.objects.get()
    assert (answer.annotator, answer.score, answer.watch, answer.viewing) == (person, 7, "yes", {})
    assert Membership.objects.filter(user=person, campaign=campaign).exists()
    assert (person.email, person.key_bindings, person.time_zone, person.last_login) == ("", {}, "", None)
    assert not person.has_usable_password()
    for rows in (person.groups.all(), HourlyUse.objects.all(), UserSession.objects.filter(user=person)):
        assert list(rows) == []


def test_nobody_can_log_in_again(person: User, root: User, client_of: Callable[[str], Any]) -> None:
    client = client_of("person")
    assert client.get(reverse("home")).status_code == 200
    user_anonymise(user=person, by=root)
    assert client.get(reverse("home")).status_code == 302
    person.refresh_from_db()
    with pytest.raises(MemberError, match="stays deactivated"):
        user_active_set(user=person, active=True, by=root)
    person.refresh_from_db()
    assert not person.is_active


def test_held_photos_return_to_the_queue(person: User, root: User) -> None:
    assert Assignment.objects.filter(annotator=person, state="leased").exists()
    user_anonymise(user=person, by=root)
    assert not Assignment.objects.filter(annotator=person, state="leased").exists()


def test_it_leaves_one_audit_record(person: User, root: User) -> None:
    user_anonymise(user=person, by=root)
    record = AuditRecord.objects.get(kind=AuditKind.ACCOUNT_ANONYMISED)
    assert (record.by, record.user, record.what) == (root, person, "")
    assert not AuditRecord.objects.filter(user=person, kind=AuditKind.PASSWORD_CHANGED).exists()


def test_what_makes_no_sense_is_refused(person: User, root: User) -> None:
    with pytest.raises(MemberError, match="your own"):
        user_anonymise(user=root, by=root)
    user_anonymise(user=person, by=root)
    with pytest.raises(MemberError, match="already"):
        user_anonymise(user=person, by=root)


def test_a_taken_name_is_no_obstacle(person: User, root: User, make_user: Any) -> None:
    make_user(f"Annotator-{person.pk}")
    assert user_anonymise(user=person, by=root).username == f"annotator-{person.pk}-x"


def test_a_superuser_loses_all_rights(root: User, make_user: Any) -> None:
    other = make_user("other", is_superuser=True, is_staff=True)
    renamed = user_anonymise(user=other, by=root)
    assert (renamed.is_superuser, renamed.is_staff, renamed.is_active) == (False, False, False)
