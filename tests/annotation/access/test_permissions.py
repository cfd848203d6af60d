"""Access: sessions, users, and the role in a campaign. One query loads the campaign and the role."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.urls import reverse
from django.utils import timezone

from annotation.access.permissions import campaign_for, role_in
from annotation.models import Campaign, Membership, Role, User

pytestmark = pytest.mark.django_db


def is_logged_in(client: Any) -> bool:
    return client.get(reverse("home")).status_code == 200


def test_one_query_loads_the_role_and_every_field_of_the_campaign(
    people: dict[str, User], campaign: Campaign, django_assert_num_queries: Any
) -> None:
    Campaign.objects.update(synsets=[1, 2], break_minutes=7, repeat_share=0.125, created_by=people["ada"])
    with django_assert_num_queries(1):
        found, role = campaign_for(people["alice"], campaign.slug, Role.ANNOTATOR)
        values = {field.attname: getattr(found, field.attname) for field in Campaign._meta.concrete_fields}
    assert values == Campaign.objects.values().get()
    assert role == Role.ANNOTATOR


def test_a_role_is_valid_in_its_own_campaign_only(people: dict[str, User], campaign: Campaign) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    Membership.objects.create(campaign=other, user=people["rita"], role=Role.ANNOTATOR)
    assert campaign_for(people["rita"], campaign.slug, Role.ANNOTATOR)[1] == Role.REVIEWER
    assert campaign_for(people["rita"], other.slug, Role.ANNOTATOR)[1] == Role.ANNOTATOR
    with pytest.raises(PermissionDenied):
        campaign_for(people["rita"], other.slug, Role.REVIEWER)
    with pytest.raises(Http404):
        campaign_for(people["alice"], other.slug, Role.ANNOTATOR)


def test_a_superuser_is_an_admin_without_a_membership(
    people: dict[str, User], campaign: Campaign, django_assert_num_queries: Any
) -> None:
    User.objects.filter(username="mallory").update(is_superuser=True)
    mallory = User.objects.get(username="mallory")
    with django_assert_num_queries(1):
        assert campaign_for(mallory, campaign.slug, Role.ADMIN) == (campaign, Role.ADMIN)
    assert role_in(campaign, mallory) == Role.ADMIN


def test_anonymous_users_and_unknown_campaigns_get_not_found(people: dict[str, User], campaign: Campaign) -> None:
    with pytest.raises(Http404):
        campaign_for(AnonymousUser(), campaign.slug, Role.ANNOTATOR)
    with pytest.raises(Http404):
        campaign_for(people["alice"], "no-such-campaign", Role.ANNOTATOR)


def test_a_campaign_request_loads_session_user_and_role_once(
    client_of: Any, people: dict[str, User], campaign: Campaign, django_assert_num_queries: Any
) -> None:
    client = client_of("alice")
    url = f"/api/campaigns/{campaign.slug}/practice/done"
    with django_assert_num_queries(4):  # session, user, campaign with role, update
        assert client.post(url).status_code == 200


def test_a_deactivated_user_is_logged_out_at_once(client_of: Any, people: dict[str, User]) -> None:
    client = client_of("alice")
    assert is_logged_in(client)
    User.objects.filter(username="alice").update(is_active=False)
    assert not is_logged_in(client)


def test_a_new_password_ends_existing_sessions(client_of: Any, people: dict[str, User]) -> None:
    client = client_of("alice")
    people["alice"].set_password("another-password-2")
    people["alice"].save()
    assert not is_logged_in(client)


def test_users_with_an_expired_or_unknown_session_are_not_logged_in(client_of: Any) -> None:
    client = client_of("alice")
    assert is_logged_in(client)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not is_logged_in(client)
    client.cookies[settings.SESSION_COOKIE_NAME] = "no-such-key"
    assert not is_logged_in(client)
