"""Photos that the page leases ahead: their number, how many are decoded, and what happens after a sleep."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import expect

from annotation.models import Annotation, Assignment, Image
from annotation.services.queue import leases_expire
from tests.browser.annotating import DESKTOP, PATH, PHONE, rate, shown_photo
from tests.browser.keeping import expect_all_saved, rate_photos

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def photos(make_image: Callable[..., Any]) -> list[Image]:
    return [make_image(seed) for seed in range(40)]


def test_after_sleep_leases_are_renewed_at_once_and_lost_photos_are_removed(annotate: Any) -> None:
    page = annotate()
    page.wait_for_load_state("networkidle")
    first_photo = shown_photo(page)
    leased = set(Assignment.objects.filter(state="leased").values_list("image_id", flat=True))
    assert len(leased) == 6
    lost = max(leased - {first_photo})
    Assignment.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    leases_expire()
    Image.objects.filter(pk=lost).update(open_slots=0)  # other annotators have answered it in the meantime
    with page.expect_response("**/leases/renew"), page.expect_response("**/leases"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    given = rate_photos(page, 8)
    expect_all_saved(page, given)
    assert first_photo in given
    assert lost not in given
    assert len(leased & given.keys()) == 5
    assert not Annotation.objects.filter(surplus=True).exists()


def test_more_photos_are_leased_for_a_fast_annotator_with_a_slow_connection(annotate: Any) -> None:
    page = annotate()
    ahead = page.evaluate(
        """async () => {
            const { Pace } = await import("/static/js/annotate/pace.js");
            const ahead = (milliseconds, pixels, failed) => {
                const pace = new Pace();
                for (let answer = 0; answer < 6; answer += 1) pace.answered();
                pace.claimed(milliseconds);
                pace.loaded(milliseconds, pixels);
                if (failed) pace.failed();
                return [pace.ahead, pace.refillAt];
            };
            const [slow, huge, failed] = [ahead(2000, 1e6), ahead(2000, 1e8), ahead(0, 1e6, true)];
            return { first: new Pace().ahead, slow, huge, failed };
        }"""
    )
    assert ahead == {"first": 5, "slow": [18, 12], "huge": [5, 3], "failed": [18, 12]}


def test_only_two_huge_photos_are_decoded_ahead(annotate: Any) -> None:
    page = annotate()
    ready = page.evaluate(
        """async (urls) => {
            const { PhotoDeck } = await import("/static/js/annotate/photo_deck.js");
            const deck = new PhotoDeck(document.createElement("div"), document.createElement("div"));
            const leases = urls.map((url) => ({ url, width: 12000, height: 9000 }));
            const areReady = () => leases.map((lease) => lease.isReady);
            await Promise.all(leases.map((lease) => deck.prepare(lease)));
            const whileEmpty = areReady();
            await deck.show(leases[0], () => true);
            await Promise.all(leases.slice(0, 3).map((lease) => lease.decoded));
            const withFirst = areReady();
            await deck.show(leases[1], () => true);
            deck.forget(leases[0]);
            await leases[3].decoded;
            return [whileEmpty, withFirst, areReady()];
        }""",
        [f"/photos/{photo.pk}/original" for photo in Image.objects.order_by("pk")[:5]],
    )
    assert ready == [
        [False, False, False, False, False],  # the stage is empty: its own photo comes first
        [True, True, True, False, False],
        [False, True, True, True, False],
    ]


def test_the_page_asks_again_at_once_when_photos_were_locked(open_page: Any, photos: list[Image]) -> None:
    """After a reload, the page asks for photos while the server may still handle the return of the old leases.

    The response is empty if the campaign has no other photos.
    """
    page = open_page(PATH, "alice")
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#photo img")).to_be_visible()
    with transaction.atomic():
        list(Image.objects.select_for_update())
        with page.expect_response("**/leases") as answer:
            page.reload()
        claimed = answer.value.json()
        assert (claimed["leases"], claimed["empty_because"], claimed["empty_kind"]) == ([], "", "")
        expect(page.locator("#loading")).to_be_visible()
        expect(page.locator("#empty")).to_be_hidden()
    expect(page.locator("#photo img")).to_be_visible()


def test_after_several_empty_responses_the_page_shows_the_reason(open_page: Any, photos: list[Image]) -> None:
    page = open_page(PATH, "alice")
    with transaction.atomic():
        list(Image.objects.select_for_update())
        page.reload()
        page.get_by_role("button", name="Begin").click()
        expect(page.locator("#empty")).to_contain_text("being assigned right now, or another tab")
    page.get_by_role("button", name="Check again").click()
    expect(page.locator("#photo img")).to_be_visible()


@pytest.mark.parametrize("options", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_next_photo_is_painted_behind_the_current_one_in_its_final_size(annotate: Any, options: Any) -> None:
    page = annotate(**options)
    next_photo = page.locator("#next-photo img")
    expect(next_photo).to_have_count(1)
    expect(page.get_by_role("img", name="Photo to rate")).to_have_count(1)
    source, size = next_photo.get_attribute("src"), next_photo.bounding_box()
    on_top = page.evaluate("document.elementFromPoint(innerWidth / 2, innerHeight / 3).closest('.photo').id")
    assert on_top == "photo"
    rate(page, "w", "5")
    assert page.locator("#photo img").get_attribute("src") == source
    assert page.locator("#photo img").bounding_box() == size, "the browser must not scale the photo a second time"
    expect(next_photo).not_to_have_attribute("src", str(source))
