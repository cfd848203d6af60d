"""Django's admin opens for superusers only, lists every table, and leaves history alone."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.urls import reverse

OURS = sorted(
    (model._meta.app_label, model._meta.model_name)
    for model in admin.site._registry
    if model._meta.app_label in {"annotation", "inference", "training"}
)
HISTORY = [("annotation", "annotation"), ("annotation", "assignment"), ("training", "promotion")]


@pytest.fixture
def superuser_client(client: Any, make_user: Callable[..., Any]) -> Any:
    client.force_login(make_user("root", is_superuser=True, is_staff=True))
    return client


@pytest.mark.parametrize(("app", "model"), OURS)
def test_each_table_is_listed_for_a_superuser(superuser_client: Any, app: str, model: str) -> None:
    assert superuser_client.get(reverse(f"admin:{app}_{model}_changelist")).status_code == 200


@pytest.mark.parametrize(("app", "model"), HISTORY)
def test_history_cannot_be_added_to_by_hand(superuser_client: Any, app: str, model: str) -> None:
    assert superuser_client.get(reverse(f"admin:{app}_{model}_add")).status_code == 403


@pytest.mark.parametrize("name", ["anonymous", "mallory", "alice", "rita", "ada"])
def test_a_campaigns_roles_do_not_open_the_admin(client_of: Callable[[str], Any], name: str) -> None:
    assert client_of(name).get(reverse("admin:index")).status_code == 302


def test_what_photos_rest_on_is_changed_on_the_settings_page_only(superuser_client: Any, campaign: Any) -> None:
    place = reverse("admin:annotation_campaign_change", args=[campaign.pk])
    form = superuser_client.get(place).context["adminform"].form
    assert "name" in form.fields
    assert not form.fields.keys() & {"votes_per_image", "holdout_votes", "holdout_fraction", "scale_max", "seed"}
