"""The settings of a campaign: class limits follow the scale while it is changed."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Campaign

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def fill(page: Page, **values: str) -> None:
    for name, value in values.items():
        page.locator(f"[name={name}]").fill(value)


def save(page: Page, button: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=button, exact=True).click()


def test_limits_of_a_campaign_move_with_its_scale(open_page: Callable[..., Any], campaign: Campaign) -> None:
    page = open_page("/campaigns/watches/settings/", "ada")
    expect(page.locator("[name=reject_at]")).to_have_value("5.0")
    fill(page, scale_min="0", scale_max="100")
    expect(page.locator("[name=reject_at]")).to_have_value("44.95")
    expect(page.locator("[name=pending_at]")).to_have_value("55.05")
    fill(page, pending_at="60")
    fill(page, scale_max="50")
    expect(page.locator("[name=reject_at]")).to_have_value("22.45")
    expect(page.locator("[name=pending_at]")).to_have_value("60")
    fill(page, scale_max="100")
    save(page, "Save")
    campaign.refresh_from_db()
    assert (campaign.reject_at, campaign.pending_at) == (44.95, 60)


def test_a_new_campaign_shows_the_limits_that_it_will_get(
    open_page: Callable[..., Any], people: dict[str, Any]
) -> None:
    people["ada"].is_staff = True
    people["ada"].save()
    page = open_page("/new-campaign/", "ada")
    expect(page.locator("[name=reject_at]")).to_have_attribute("placeholder", "5")
    page.locator("#advanced summary").first.click()
    page.get_by_label("another one").check()
    fill(page, name="New", slug="new", scale_min="0", scale_max="4")
    expect(page.locator("[name=reject_at]")).to_have_attribute("placeholder", "1.75")
    expect(page.locator("[name=pending_at]")).to_have_value("")
    save(page, "Create campaign")
    made = Campaign.objects.get(slug="new")
    assert (made.reject_at, made.pending_at) == (1.75, 2.25)
