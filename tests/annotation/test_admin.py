"""Django's admin: only superusers can open it. It lists every table and does not change history."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.urls import reverse

APP_MODELS = sorted(
    (model._meta.app_label, model._meta.model_name)
    for model in admin.site._registry
    if model._meta.app_label in {"annotation", "inference", "training"}
)
HISTORY_MODELS = [("annotation", "annotation"), ("annotation", "assignment"), ("training", "promotion")]


@pytest.fixture
def superuser_client(client: Any, make_user: Callable[..., Any]) -> Any:
    client.force_login(make_user("root", is_superuser=True, is_staff=True))
    return client


@pytest.mark.parametrize(("app", "model"), APP_MODELS)
def test_a_superuser_can_list_each_table(superuser_client: Any, app: str, model: str) -> None:
    assert superuser_client.get(reverse(f"admin:{app}_{model}_changelist")).status_code == 200


@pytest.mark.parametrize(("app", "model"), HISTORY_MODELS)
def test_a_superuser_cannot_add_history_rows(superuser_client: Any, app: str, model: str) -> None:
    assert superuser_client.get(reverse(f"admin:{app}_{model}_add")).status_code == 403


@pytest.mark.parametrize("name", ["anonymous", "mallory", "alice", "rita", "ada"])
def test_campaign_roles_cannot_open_the_admin(client_of: Callable[[str], Any], name: str) -> None:
    assert client_of(name).get(reverse("admin:index")).status_code == 302


def test_settings_that_affect_photos_are_not_in_the_admin_form(superuser_client: Any, campaign: Any) -> None:
    url = reverse("admin:annotation_campaign_change", args=[campaign.pk])
    form = superuser_client.get(url).context["adminform"].form
    assert "name" in form.fields
    assert not form.fields.keys() & {"votes_per_image", "holdout_votes", "holdout_fraction", "scale_max", "seed"}
