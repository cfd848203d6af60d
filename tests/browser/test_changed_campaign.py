"""Pages that are open while an admin changes the campaign: its address and the lease time."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from annotation.models import Campaign, Image, ImportBatch
from annotation.services.campaigns import campaign_update
from tests.browser.keeping import (
    ANSWERS_URL,
    block_answers,
    expect_all_saved,
    expect_unsent_count,
    open_panel,
    rate_one,
    rate_photos,
)
from tests.conftest import photo_bytes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def photos(make_image: Callable[..., Any]) -> list[Image]:
    return [make_image(seed) for seed in range(40)]


def test_waiting_answers_arrive_after_the_address_changed(annotate: Any, campaign: Campaign, photos: Any) -> None:
    page = annotate()
    block_answers(page.context)
    given = rate_photos(page, 3)
    expect_unsent_count(page, 3)
    campaign_update(campaign=campaign, slug="clocks")
    given |= rate_photos(page, 9)  # more than were loaded, so the page also claims photos
    page.context.unroute(ANSWERS_URL)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_all_saved(page, given)
    page.reload()
    page.wait_for_url("**/campaigns/clocks/annotate/")
    given |= dict([rate_one(page, 4)])
    expect_all_saved(page, given)
    # The answers from both addresses belong to the same campaign.
    expect(open_panel(page)).to_contain_text(f"All {len(given)} answers from this browser are on the server.")


def test_a_page_learns_the_new_lease_time(annotate: Any, campaign: Campaign, photos: Any) -> None:
    page = annotate()
    campaign_update(campaign=campaign, lease_seconds=10)
    # It would renew after 100 seconds. The time to wait for a request is below that.
    with page.expect_response("**/leases/renew") as response:
        rate_photos(page, 9)
    assert response.value.json()["lease_seconds"] == 10
    with page.expect_response("**/leases/renew"):
        pass


def test_an_upload_ends_on_its_page_when_the_address_changes_meanwhile(
    open_page: Callable[..., Any], campaign: Campaign, tmp_path: Any
) -> None:
    page = open_page("/campaigns/watches/import/", "ada")
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo_bytes(1))

    def rename(route: Any) -> None:
        campaign_update(campaign=campaign, slug="clocks")
        route.continue_()

    page.route("**/file?*", rename)
    page.locator("#choose-files").set_input_files(path)
    page.wait_for_url("**/campaigns/clocks/imports/*/")
    assert ImportBatch.objects.get().state == "queued"
