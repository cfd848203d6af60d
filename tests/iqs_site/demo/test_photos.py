"""Demo photos: planned in equal shares, made from images of installed packages, degraded by known grades."""

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.distortion.degradations import DEGRADATIONS, GRADES, photo_degrade
from iqs_site.demo import scenes
from iqs_site.demo.canvas import Canvas, polar, shade
from iqs_site.demo.dials import digits_draw, digits_width
from iqs_site.demo.photos import photo_make, photos_plan, photos_write
from iqs_site.demo.scenes import LONG_SIDES, SOURCES, SceneError, scene_draw, source_open, watch_compose
from iqs_site.demo.watches import KINDS, watch_draw


def test_half_of_the_photos_show_a_watch_and_kinds_scenes_and_degradations_have_equal_shares():
    plan = photos_plan(200)

    assert sum(bool(photo.watch) for photo in plan) == 100
    kinds = Counter(photo.watch for photo in plan if photo.watch)
    degradations = Counter((photo.degradation, photo.grade) for photo in plan)
    assert set(kinds) == set(KINDS)
    assert max(kinds.values()) - min(kinds.values()) <= 1
    assert len(degradations) == len(DEGRADATIONS) * GRADES
    assert max(degradations.values()) - min(degradations.values()) <= 1
    assert {photo.scene for photo in plan} == set(SOURCES)


def test_photos_with_and_without_a_watch_are_degraded_equally_often():
    plan = photos_plan(200)

    severe = [photo for photo in plan if photo.grade >= 3]
    assert 0.3 < np.mean([bool(photo.watch) for photo in severe]) < 0.7


def test_the_plan_depends_only_on_count_and_seed():
    assert photos_plan(20, seed=3) == photos_plan(20, seed=3)
    assert photos_plan(20, seed=3) != photos_plan(20, seed=4)


def test_file_names_do_not_reveal_what_a_photo_shows():
    plan = photos_plan(40)

    assert [photo.name for photo in plan] == [f"photo-{place:03d}.jpg" for place in range(1, 41)]
    assert 0 < sum(bool(photo.watch) for photo in plan[:20]) < 20


def test_details_contain_what_is_known_about_a_photo():
    photo = next(photo for photo in photos_plan(20) if photo.watch)

    assert photo.details == {
        "degradation": photo.degradation,
        "grade": photo.grade,
        "watch": True,
        "kind": photo.watch,
    }


def test_the_same_plan_gives_the_same_bytes():
    photo = photos_plan(8)[0]

    assert photo_make(photo) == photo_make(photo)


def test_photos_are_written_in_the_order_of_the_plan(tmp_path: Path):
    plan = photos_plan(3)

    written = list(photos_write(tmp_path / "photos", plan))

    assert [path.name for path, _ in written] == [photo.name for photo in plan]
    assert [photo for _, photo in written] == plan
    for path, _ in written:
        with Image.open(path) as picture:
            assert picture.format == "JPEG"
            assert max(picture.size) in LONG_SIDES


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_watch_fills_its_canvas_and_depends_on_the_seed(kind: str):
    first, second = (watch_draw(kind, 160, np.random.default_rng(seed)) for seed in (1, 2))

    assert first.mode == "RGBA"
    assert first.size == (160, 160)
    assert 0.2 < (np.asarray(first.getchannel("A")) > 0).mean() < 0.95
    assert first.tobytes() != second.tobytes()


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_exists_and_gives_rgb_crops(name: str):
    assert min(source_open(name).size) >= 300
    scene = scene_draw(name, np.random.default_rng(5))
    assert scene.mode == "RGB"
    assert max(scene.size) in LONG_SIDES


def test_the_error_names_a_missing_source(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(SOURCES, "lost", scenes.Source("skimage", "data/lost.png"))

    with pytest.raises(SceneError, match=r"skimage no longer contains data/lost\.png"):
        source_open("lost")


def test_a_composed_watch_changes_a_large_part_of_the_scene():
    rng = np.random.default_rng(1)
    scene = scene_draw("grass", rng)

    composed = watch_compose(scene, "wall clock", rng)

    assert composed.size == scene.size
    change = np.abs(np.asarray(composed, dtype=float) - np.asarray(scene, dtype=float)).mean(axis=2)
    assert (change > 40).mean() > 0.1


def test_perspective_maps_each_target_corner_to_its_source_corner():
    source = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], dtype=float)
    target = np.array([[1, 2], [9, 1], [8, 9], [0, 10]], dtype=float)

    a, b, c, d, e, f, g, h = scenes._perspective(target, source)

    for (x, y), expected in zip(target, source, strict=True):
        denominator = g * x + h * y + 1
        assert ((a * x + b * y + c) / denominator, (d * x + e * y + f) / denominator) == pytest.approx(
            tuple(expected), abs=1e-9
        )


@pytest.mark.parametrize("degradation", DEGRADATIONS)
def test_grade_zero_changes_nothing_and_each_higher_grade_changes_more(degradation: str):
    photo = scene_draw("coffee", np.random.default_rng(3)).resize((512, 384))

    def distance(grade: int) -> float:
        data = photo_degrade(photo, degradation, grade, np.random.default_rng(7))
        return float(np.abs(np.asarray(Image.open(io.BytesIO(data)), dtype=float) - np.asarray(photo)).mean())

    distances = [distance(grade) for grade in range(GRADES)]
    assert distances == sorted(distances)
    assert distances[0] < 3 < distances[4]


def test_unknown_degradations_and_grades_are_refused():
    photo = Image.new("RGB", (64, 48))

    with pytest.raises(KeyError):
        photo_degrade(photo, "fog", 1, np.random.default_rng(0))
    with pytest.raises(IndexError):
        photo_degrade(photo, "blur", 5, np.random.default_rng(0))


def test_digits_have_the_width_that_digits_width_returns():
    canvas = Canvas(64)

    end = digits_draw(canvas, -0.5, -0.2, 0.4, "12:34", (255, 0, 0), (20, 0, 0))

    assert end == pytest.approx(-0.5 + digits_width(0.4, "12:34"))


def test_clock_angles_start_at_the_top_and_go_clockwise():
    assert polar(0.0, 1.0) == pytest.approx((0.0, -1.0))
    assert polar(0.25, 1.0) == pytest.approx((1.0, 0.0))


def test_shades_are_darker_or_lighter_up_to_white():
    assert shade((100, 200, 50), 0.5) == (50, 100, 25)
    assert shade((100, 200, 50), 2.0) == (255, 255, 255)
