"""The contrast of the colours in static/css/site.css with their backgrounds, in the light and the dark theme."""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[2] / "static" / "css" / "site.css").read_text()
TOKENS = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", CSS)
}
LABELS = ["watch", "no-watch", "unsure", "rejected", "pending", "accepted", "danger"]
TEXT_COLORS = ["text", "text-soft", "accent", "people", "model", *LABELS]
BACKGROUNDS = ("ground", "surface", "raised")


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("name", TEXT_COLORS)
def test_text_has_enough_contrast_on_every_background(name: str, background: str, theme: int) -> None:
    assert contrast(TOKENS[name][theme], TOKENS[background][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_borders_of_controls_have_enough_contrast(theme: int) -> None:
    assert contrast(TOKENS["line-strong"][theme], TOKENS["surface"][theme]) >= 3


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_the_label_of_a_primary_button_has_enough_contrast(theme: int) -> None:
    assert contrast(TOKENS["accent-text"][theme], TOKENS["accent"][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_the_area_around_the_photo_is_neutral_grey(theme: int) -> None:
    colour = TOKENS["surround"][theme]
    assert colour[1:3] == colour[3:5] == colour[5:7]
