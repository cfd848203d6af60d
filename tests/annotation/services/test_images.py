import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from annotation.models import Campaign, Image, ImportBatch
from annotation.services.batches import folder_import
from annotation.services.images import CampaignPhotos, images_add, is_holdout, photo_store
from tests.annotation.bad_files import encoded, scene, write_photos
from tests.conftest import photo_bytes, photo_path, thumbnail_path


@pytest.fixture
def batch(campaign: Campaign) -> ImportBatch:
    return ImportBatch.objects.create(campaign=campaign, source="/photos", state=ImportBatch.State.RUNNING)


def add(batch: ImportBatch, known: CampaignPhotos | None = None, **files: bytes) -> int:
    photos = [photo_store(name=name, data=data) for name, data in files.items()]
    return images_add(batch=batch, photos=photos, known=known or CampaignPhotos(batch.campaign))


def test_the_original_and_a_thumbnail_are_stored_by_content(batch: ImportBatch, settings: Any) -> None:
    data = photo_bytes(1)
    assert add(batch, a=data) == 1
    image = Image.objects.get()
    assert photo_path(image).read_bytes() == data
    assert thumbnail_path(image).read_bytes()[8:12] == b"WEBP"
    assert (image.name, image.width, image.height, image.byte_size) == ("a", 96, 64, len(data))
    assert sorted(path.suffix for path in Path(settings.MEDIA_ROOT).rglob("*.*")) == [".jpg", ".webp"]


def test_same_content_is_added_once_per_campaign(batch: ImportBatch) -> None:
    known = CampaignPhotos(batch.campaign)
    assert add(batch, known, a=photo_bytes(1), b=photo_bytes(1)) == 1
    assert add(batch, known, c=photo_bytes(1), d=photo_bytes(2)) == 1
    other = Campaign.objects.create(slug="other", name="Other")
    assert add(ImportBatch.objects.create(campaign=other, source="/photos"), a=photo_bytes(1)) == 1
    assert list(Image.objects.order_by("pk").values_list("name", flat=True)) == ["a", "d", "a"]


def test_near_duplicates_get_the_group_and_split_of_the_oldest(batch: ImportBatch) -> None:
    batch.campaign.holdout_fraction = 0.5
    batch.campaign.save()
    known = CampaignPhotos(batch.campaign)
    for seed in range(8):
        photo = scene(seed, 480, 320)
        add(batch, known, **{f"{seed}-original": encoded(photo, quality=95)})
        add(batch, CampaignPhotos(batch.campaign), **{f"{seed}-small": encoded(photo.resize((200, 133)), quality=40)})
    originals = Image.objects.filter(name__endswith="original").order_by("name")
    copies = Image.objects.filter(name__endswith="small").order_by("name")
    assert [image.group for image in originals] == [image.group for image in copies]
    assert [image.split for image in originals] == [image.split for image in copies]
    assert len({image.group for image in originals}) == 8
    assert {image.split for image in originals} == {"train", "holdout"}


def test_flat_pictures_are_not_near_duplicates(batch: ImportBatch) -> None:
    from PIL import Image as Picture

    add(batch, a=encoded(Picture.new("RGB", (64, 64), "red")), b=encoded(Picture.new("RGB", (64, 64), "blue")))
    assert Image.objects.values("group").distinct().count() == 2


def test_votes_needed_depend_on_the_split(batch: ImportBatch) -> None:
    campaign = batch.campaign
    campaign.holdout_fraction, campaign.votes_per_image, campaign.holdout_votes = 0.5, 2, 7
    campaign.save()
    add(batch, **{f"{seed}": encoded(scene(seed)) for seed in range(12)})
    votes = set(Image.objects.values_list("split", "votes_needed", "open_slots"))
    assert votes == {("train", 2, 2), ("holdout", 7, 7)}


def test_holdout_and_queue_position_are_uniform_and_reproducible(batch: ImportBatch) -> None:
    campaign = batch.campaign
    groups = [uuid.UUID(int=number) for number in range(4000)]
    drawn = [is_holdout(campaign, group) for group in groups]
    assert abs(sum(drawn) / 4000 - 0.2) < 0.025  # four standard deviations
    assert drawn == [is_holdout(campaign, group) for group in groups]
    campaign.seed += 1
    assert drawn != [is_holdout(campaign, group) for group in groups]
    add(batch, a=photo_bytes(1))
    first = Image.objects.values("group", "split", "queue_position").get()
    Image.objects.all().delete()
    add(batch, a=photo_bytes(1))
    assert Image.objects.values("group", "split", "queue_position").get() == first
    assert 0 <= first["queue_position"] < 1


def test_the_number_of_queries_does_not_depend_on_the_number_of_photos(
    batch: ImportBatch, django_assert_num_queries: Any
) -> None:
    photos = [photo_store(name=str(seed), data=photo_bytes(seed)) for seed in range(40)]
    known = CampaignPhotos(batch.campaign)
    with django_assert_num_queries(6):  # savepoint (two), campaign, known photos, insert, inserted photos
        assert images_add(batch=batch, photos=photos, known=known) == 40


@pytest.mark.django_db(transaction=True)
def test_two_concurrent_imports_add_each_photo_once(tmp_path: Path) -> None:
    campaign = Campaign.objects.create(slug="both", name="Both")
    write_photos(tmp_path / "one", range(30))
    write_photos(tmp_path / "other", range(10, 40))
    batches: list[ImportBatch] = []
    start = threading.Barrier(2)

    def work(folder: str) -> None:
        try:
            start.wait()
            batches.append(folder_import(campaign=campaign, source=tmp_path / folder))
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[name]) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [batch.state for batch in batches] == ["done", "done"]
    assert sum(batch.added for batch in batches) == Image.objects.filter(campaign=campaign).count() == 40
    assert sum(batch.duplicates for batch in batches) == 20
