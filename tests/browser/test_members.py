"""The Members page: invite by link, see who is active, release reserved photos. A guest joins with the link."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Annotation, Campaign, Invitation, Membership, User
from annotation.services.queue import leases_claim
from tests.browser.annotating import DESKTOP, PHONE, expect_saved, rate
from tests.opinions_and_predictions import images_make, vote

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MEMBERS = "/campaigns/watches/members/"


def expect_no_sideways_scroll(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_admin_invites_by_link_and_a_new_user_joins(
    open_page: Callable[..., Page], campaign: Campaign, people: dict[str, Any], size: dict[str, Any]
) -> None:
    page = open_page(MEMBERS, "ada", **size)
    invitations = page.get_by_role("region", name="Invitations")
    invitations.get_by_label("Role").select_option("reviewer")
    invitations.get_by_label("Note").fill("The photo club")
    invitations.get_by_role("button", name="Create link").click()
    link = page.get_by_label("Invitation link").input_value()
    assert "/join/" in link
    page.get_by_role("button", name="Copy").click()
    assert page.evaluate("getSelection().toString()") == link
    expect(invitations.get_by_role("row", name="The photo club")).to_contain_text("0 of 1")
    expect_no_sideways_scroll(page)
    page.reload()
    expect(page.get_by_label("Invitation link")).to_have_count(0)  # only a hash is stored

    guest = open_page(link.removeprefix(page.url.removesuffix(MEMBERS)), "anonymous", **size)
    expect(guest.get_by_role("heading", name="Invitation to Watches")).to_be_visible()
    expect(guest.get_by_text("as reviewer")).to_be_visible()
    expect_no_sideways_scroll(guest)
    guest.get_by_label("User name").fill("newcomer")
    guest.get_by_label("Password", exact=True).fill("long-enough-1")
    guest.get_by_role("button", name="Create account and join").click()
    guest.wait_for_url("**/campaigns/watches/")
    assert Membership.objects.get(user__username="newcomer").role == "reviewer"


def test_a_user_with_an_account_logs_in_and_joins(
    open_page: Callable[..., Page], campaign: Campaign, people: dict[str, Any]
) -> None:
    from annotation.models import Role
    from annotation.services.invitations import invitation_create

    _, secret = invitation_create(campaign=campaign, by=people["ada"], role=Role.ANNOTATOR, places=1, days=1)
    page = open_page(f"/join/{secret}/", "anonymous")
    page.get_by_role("link", name="Log in with an existing account").click()
    page.get_by_label("User name").fill("mallory")
    page.get_by_label("Password", exact=True).fill("pass-word-1")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Join as mallory").click()
    expect(page.get_by_text("You joined Watches as annotator.")).to_be_visible()

    # The link is used up, but it still works for members.
    page.goto(f"{page.url.split('/campaigns')[0]}/join/{secret}/")
    expect(page.get_by_text("You already have the role annotator in this campaign.")).to_be_visible()
    late_guest = open_page(f"/join/{secret}/", "anonymous")
    expect(late_guest.get_by_role("heading", name="This link does not work")).to_be_visible()


def test_a_revoked_invitation_is_marked_and_no_longer_works(
    open_page: Callable[..., Page], campaign: Campaign, people: dict[str, Any]
) -> None:
    page = open_page(MEMBERS, "ada")
    page.get_by_role("button", name="Create link").click()
    link = page.get_by_label("Invitation link").input_value()
    page.get_by_role("button", name="Revoke the invitation").click()
    page.get_by_role("alertdialog").locator("button[value=yes]").click()
    expect(page.get_by_role("region", name="Invitations").get_by_text("revoked")).to_be_visible()
    guest = open_page(link.removeprefix(page.url.removesuffix(MEMBERS)), "mallory")
    expect(guest.get_by_role("heading", name="This link does not work")).to_be_visible()
    assert Invitation.objects.get().used == 0


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_activity_is_live_and_reserved_photos_can_be_released(
    open_page: Callable[..., Page], campaign: Campaign, people: dict[str, Any], size: dict[str, Any]
) -> None:
    images = images_make(campaign, 8)
    vote(images[0], people["alice"], 5, milliseconds=2300)
    User.objects.filter(username="alice").update(is_simulated=True)
    page = open_page(MEMBERS, "ada", **size)
    activity = page.get_by_role("region", name="Activity")
    alice, bob = activity.get_by_role("row", name="alice"), activity.get_by_role("row", name="bob")
    expect(alice).to_contain_text("2.3 s")
    expect(alice).to_contain_text("simulated")
    expect(bob).to_have_count(0)
    leases_claim(campaign=campaign, annotator=people["bob"], count=3)
    expect(bob).to_contain_text("active now")  # without a reload
    expect(bob).to_contain_text("3 until")
    expect_no_sideways_scroll(page)
    page.get_by_role("button", name="Release photos of bob").click()
    page.get_by_role("alertdialog").locator("button[value=yes]").click()
    expect(page.get_by_text("3 photos are back in the queue.")).to_be_visible()
    assert not campaign.assignments.filter(state="leased").exists()


def test_answers_to_released_photos_are_kept(
    annotate: Callable[..., Page], open_page: Callable[..., Page], people: dict[str, Any], make_image: Any
) -> None:
    for seed in range(3):
        make_image(seed)
    page = annotate("alice")
    admin = open_page(MEMBERS, "ada")
    admin.get_by_role("button", name="Release photos of alice").click()
    admin.get_by_role("alertdialog").locator("button[value=yes]").click()
    expect(admin.get_by_text("back in the queue.")).to_be_visible()
    rated = [rate(page, "w", key) for key in "789"]
    expect_saved(page)
    answers = Annotation.objects.filter(annotator=people["alice"]).order_by("pk")
    assert [(answer.image_id, answer.score) for answer in answers] == list(zip(rated, (7, 8, 9), strict=True))
