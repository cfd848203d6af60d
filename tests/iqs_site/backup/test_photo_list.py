from collections.abc import Callable

from django.utils import timezone

from annotation.models import Campaign, Image
from annotation.services.withdrawals import photo_withdraw
from iqs_site.backup.files import photos_listed


def listed() -> dict[str, str]:
    """Return {SHA-256: what the backup has of the photo}."""
    photos = photos_listed()
    with photos.lines:
        return {line.split()[0]: line.split()[3] for line in photos.lines}


def test_withdrawn_photos_are_left_out(make_image: Callable[..., Image]) -> None:
    kept, gone = make_image(1), make_image(2)
    photo_withdraw(image=gone, reason="Private", by=None)
    assert listed() == {kept.sha256: "original"}
    make_image(2, campaign=Campaign.objects.create(slug="other", name="Other"))
    assert listed() == {kept.sha256: "original", gone.sha256: "original"}


def test_of_a_deleted_original_the_thumbnail_is_left(make_image: Callable[..., Image]) -> None:
    image = make_image(1)
    Image.objects.filter(pk=image.pk).update(original_deleted_at=timezone.now())
    assert listed() == {image.sha256: "thumbnail"}
    make_image(1, campaign=Campaign.objects.create(slug="other", name="Other"))
    assert listed() == {image.sha256: "original"}
