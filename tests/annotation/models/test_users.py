"""User names are unique whatever their case and Unicode form, on every way to an account."""

import unicodedata
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

import annotation.migrations
from annotation.forms import MemberForm
from annotation.models import Campaign, Role, User
from annotation.models.users import name_key, name_normal
from annotation.services.invitations import invitation_create
from annotation.services.members import user_create

# A name, and the same name as somebody may type it: case, ligature, full width, decomposed, sharp s.
SAME = [
    ("alice", "ALICE"),
    ("ﬁona", "fiona"),
    ("ａｎｎａ", "Anna"),
    ("zoé", unicodedata.normalize("NFD", "ZOÉ")),
    ("strauß", "STRAUSS"),
]


@given(st.text())
def test_the_key_of_a_key_is_the_key(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name) == name_key(name_normal(name))


@pytest.mark.parametrize(("name", "typed"), SAME)
def test_login_accepts_any_case_and_form(db: None, client: Any, name: str, typed: str) -> None:
    user = user_create(username=name, password="long-enough-1")
    assert user.username == User.objects.get(pk=user.pk).username == name_normal(name)
    response = client.post(reverse("login"), {"username": typed, "password": "long-enough-1"})
    assert response.status_code == 302
    assert client.session["_auth_user_id"] == str(user.pk)


@pytest.mark.parametrize(("name", "typed"), SAME)
def test_a_name_is_taken_in_every_case_and_form(
    db: None, campaign: Campaign, make_user: Any, client: Any, name: str, typed: str
) -> None:
    root = make_user("root", is_superuser=True, is_staff=True)
    user_create(username=name, password="long-enough-1")
    with pytest.raises(ValidationError) as refused:
        user_create(username=typed, password="long-enough-1")
    assert list(refused.value.message_dict) == ["username"]
    _, secret = invitation_create(campaign=campaign, by=root, role=Role.ANNOTATOR, places=5, days=1)
    joined = client.post(reverse("join", args=[secret]), {"username": typed, "password": "long-enough-1"})
    assert (joined.status_code, "already exists" in joined.content.decode()) == (422, True)
    with pytest.raises(CommandError, match="already taken"):
        call_command("createsuperuser", username=typed, email="", interactive=False)
    client.force_login(root)
    created = client.post(reverse("users"), {"username": typed})
    assert (created.status_code, "already exists" in created.content.decode()) == (422, True)
    form = {"username": typed, "date_joined_0": "2026-01-01", "date_joined_1": "00:00", "is_active": "on"}
    changed = client.post(reverse("admin:annotation_user_change", args=[root.pk]), form)
    assert (changed.status_code, "already exists" in changed.content.decode()) == (200, True)
    assert User.objects.count() == 2


@pytest.mark.parametrize(("name", "typed"), SAME)
def test_members_are_added_by_a_name_in_any_case_and_form(db: None, name: str, typed: str) -> None:
    user = user_create(username=name, password="long-enough-1")
    form = MemberForm({"username": typed, "role": "annotator"})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["username"] == user


def test_the_database_refuses_a_second_name_with_the_same_key(make_user: Any) -> None:
    make_user("alice")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([User(username="ALICE")])


def test_a_changed_name_has_a_new_key_also_when_only_some_fields_are_loaded_or_saved(make_user: Any) -> None:
    make_user("alice")
    user = User.objects.only("username").get(username="alice")
    user.username = "Bob"
    user.save(update_fields=["username"])
    assert User.objects.get(name_key="BOB").username == "Bob"
    user = User.objects.defer("name_key").get(username="Bob")
    user.username = "Carla"
    user.save()
    assert User.objects.get(name_key="carla") == user


@pytest.mark.parametrize("name", ["a\u3164lice", "\u115f", "ﷺ" * 20, "x" * 151, "a\0b", ""])
def test_names_that_cannot_be_seen_or_stored_are_refused(db: None, name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        user_create(username=name, password="long-enough-1")
    assert "username" in refused.value.message_dict


def test_a_password_like_the_name_is_refused(db: None) -> None:
    with pytest.raises(ValidationError, match="too similar to the username"):
        user_create(username="wilhelmina", password="wilhelmina7")


def test_the_migration_keeps_the_oldest_normal_name_and_numbers_the_others(
    make_user: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["ﬁona", "Bob", "fiona", "BOB", "bob-2", "zoé"]
    ids = [make_user(f"user-{number}").pk for number in range(len(names))]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE annotation_user ALTER name_key DROP NOT NULL")
        cursor.executemany(
            "UPDATE annotation_user SET username = %s, name_key = NULL WHERE id = %s", zip(names, ids, strict=True)
        )
    file = next(Path(annotation.migrations.__path__[0]).glob("*_user_names_and_preferences.py"))
    import_module(f"annotation.migrations.{file.stem}").names_made_unique(apps, None)
    stored = dict(User.objects.values_list("pk", "username"))
    assert [stored[pk] for pk in ids] == ["fiona-2", "Bob", "fiona", "BOB-3", "bob-2", "zoé"]
    assert {user.name_key for user in User.objects.all()} == {name_key(name) for name in stored.values()}
    assert "'BOB' is now 'BOB-3'" in capsys.readouterr().out
