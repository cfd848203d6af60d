"""Who is let in: sessions and users of Django's own, and the role in a campaign, which comes with it in one query."""

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


def is_inside(client: Any) -> bool:
    return client.get(reverse("home")).status_code == 200


def test_campaign_and_role_come_in_one_query_with_every_field(
    people: dict[str, User], campaign: Campaign, django_assert_num_queries: Any
) -> None:
    Campaign.objects.update(synsets=[1, 2], break_minutes=7, repeat_share=0.125, created_by=people["ada"])
    with django_assert_num_queries(1):
        found, role = campaign_for(people["alice"], campaign.slug, Role.ANNOTATOR)
        values = {field.attname: getattr(found, field.attname) for field in Campaign._meta.concrete_fields}
    assert values == Campaign.objects.values().get()
    assert role == Role.ANNOTATOR


def test_a_role_in_one_campaign_counts_for_no_other(people: dict[str, User], campaign: Campaign) -> None:
    other = Campaign.objects.create(slug="other", name="Other")
    Membership.objects.create(campaign=other, user=people["rita"], role=Role.ANNOTATOR)
    assert campaign_for(people["rita"], campaign.slug, Role.ANNOTATOR)[1] == Role.REVIEWER
    assert campaign_for(people["rita"], other.slug, Role.ANNOTATOR)[1] == Role.ANNOTATOR
    with pytest.raises(PermissionDenied):
        campaign_for(people["rita"], other.slug, Role.REVIEWER)
    with pytest.raises(Http404):
        campaign_for(people["alice"], other.slug, Role.ANNOTATOR)


def test_a_superuser_is_admin_of_every_campaign_and_member_of_none(
    people: dict[str, User], campaign: Campaign, django_assert_num_queries: Any
) -> None:
    User.objects.filter(username="mallory").update(is_superuser=True)
    mallory = User.objects.get(username="mallory")
    with django_assert_num_queries(1):
        assert campaign_for(mallory, campaign.slug, Role.ADMIN) == (campaign, Role.ADMIN)
    assert role_in(campaign, mallory) == Role.ADMIN


def test_visitors_without_an_account_and_unknown_campaigns_are_not_found(
    people: dict[str, User], campaign: Campaign
) -> None:
    with pytest.raises(Http404):
        campaign_for(AnonymousUser(), campaign.slug, Role.ANNOTATOR)
    with pytest.raises(Http404):
        campaign_for(people["alice"], "no-such-campaign", Role.ANNOTATOR)


def test_a_request_of_a_campaign_asks_for_session_user_and_role_once(
    client_of: Any, people: dict[str, User], campaign: Campaign, django_assert_num_queries: Any
) -> None:
    client = client_of("alice")
    address = f"/api/campaigns/{campaign.slug}/practice/done"
    with django_assert_num_queries(4):  # and the update itself
        assert client.post(address).status_code == 200


def test_a_deactivated_user_is_logged_out_at_once(client_of: Any, people: dict[str, User]) -> None:
    client = client_of("alice")
    assert is_inside(client)
    User.objects.filter(username="alice").update(is_active=False)
    assert not is_inside(client)


def test_a_new_password_ends_the_sessions_of_the_old_one(client_of: Any, people: dict[str, User]) -> None:
    client = client_of("alice")
    people["alice"].set_password("another one, and longer")
    people["alice"].save()
    assert not is_inside(client)


def test_a_session_that_is_over_or_was_never_there_lets_nobody_in(client_of: Any) -> None:
    client = client_of("alice")
    assert is_inside(client)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not is_inside(client)
    client.cookies[settings.SESSION_COOKIE_NAME] = "no-such-key"
    assert not is_inside(client)
