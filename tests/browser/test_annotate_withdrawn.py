"""An open annotate page skips photos that were withdrawn."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route

from annotation.models import Image
from annotation.services.withdrawals import photo_withdraw
from tests.browser.annotating import PATH, begin, expect_photo_gone, rate, shown_photo

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_photo_that_was_withdrawn_before_it_was_loaded_is_skipped(
    open_page: Callable[..., Any], live_server: Any, make_image: Callable[..., Any]
) -> None:
    images = {image.pk: image for image in (make_image(seed) for seed in range(4))}
    withdrawn: list[Image] = []

    def withdraw_the_first(route: Route) -> None:
        if not withdrawn:
            withdrawn.append(images[int(route.request.url.split("/")[-2])])
            photo_withdraw(image=withdrawn[0], reason="Private", by=None)
        route.continue_()

    page = open_page("/", "alice")
    page.context.route("**/photos/*/original", withdraw_the_first)
    page.goto(f"{live_server.url}{PATH}")
    begin(page)
    assert len(withdrawn) == 1
    seen = {shown_photo(page)}
    for _ in range(2):
        rate(page, "w", "5")
        seen.add(shown_photo(page))
    assert seen == images.keys() - {withdrawn[0].pk}


def test_a_photo_that_waits_behind_the_stage_leaves_the_page(
    annotate: Callable[..., Any], make_image: Callable[..., Any], campaign: Any
) -> None:
    campaign.lease_seconds = 30  # renewed every ten seconds; a shorter lease could end on a busy machine
    campaign.save()
    images = {image.pk: image for image in (make_image(seed) for seed in range(3))}
    page = annotate()
    on_stage = shown_photo(page)
    gone, left = (image for image in images.values() if image.pk != on_stage)
    photo_withdraw(image=gone, reason="Private", by=None)
    with page.expect_response("**/leases/renew"), page.expect_response("**/leases"):
        pass
    rate(page, "w", "5")
    assert shown_photo(page) == left.pk
    expect_photo_gone(page, gone.pk)
