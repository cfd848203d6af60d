"""Distortions of stored photos: measured once per version, through a queue of their own."""

from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image as PillowImage

from inference.distortion.combine import distortions_measure
from inference.models import Distortion
from inference.selectors import distortion_of, distortion_version, distortions_queue
from inference.services.backlog import work_enqueue
from inference.services.distortions import distortions_compute
from tests.conftest import photo_path


def test_measured_values_are_stored_unchanged(make_image: Callable[..., Any]) -> None:
    images = [make_image(seed) for seed in range(3)]
    assert distortion_of(images[0]) is None
    work_enqueue(queue=distortions_queue())
    assert distortions_compute(seconds=60) == 3
    assert distortions_compute(seconds=60) == 0
    row = distortion_of(images[1])
    assert row is not None
    with PillowImage.open(photo_path(images[1])) as picture:
        expected = distortions_measure(picture.convert("RGB"))
    for name in ("blur", "noise", "exposure", "compression", "laplacian_variance", "quality"):
        assert getattr(row, name) == pytest.approx(getattr(expected, name))
    assert row.quality_class == expected.quality_class


def test_a_photo_that_cannot_be_opened_has_a_reason_and_no_values(make_image: Callable[..., Any]) -> None:
    images = [make_image(seed) for seed in range(2)]
    photo_path(images[0]).write_bytes(b"")
    work_enqueue(queue=distortions_queue())
    assert distortions_compute(seconds=60) == 2
    bad, good = (distortion_of(image) for image in images)
    assert bad is not None
    assert (bad.state, bad.blur, bad.quality_class) == ("failed", None, "")
    assert bad.reason
    assert good is not None
    assert good.state == "done"


def test_values_of_an_earlier_version_are_not_used(make_image: Callable[..., Any]) -> None:
    image = make_image(0)
    Distortion.objects.create(image=image, version=distortion_version() - 1, state="done", blur=0.5)
    assert distortion_of(image) is None


def test_the_worker_stops_on_request(make_image: Callable[..., Any]) -> None:
    for seed in range(40):
        make_image(seed)
    work_enqueue(queue=distortions_queue())
    calls: list[int] = []

    def stop() -> bool:
        calls.append(1)
        return len(calls) > 2

    finished = distortions_compute(seconds=60, stop=stop)
    assert 0 < finished < 40
    assert Distortion.objects.filter(state="running").count() == 0
