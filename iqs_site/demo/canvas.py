"""A transparent canvas with drawing methods in unit coordinates."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

Colour = tuple[int, int, int]
Point = tuple[float, float]


def shade(colour: Colour, factor: float) -> Colour:
    """Return the colour made darker (factor < 1; 0 is black) or lighter (factor > 1; 2 is white)."""
    if factor <= 1:
        return tuple(int(c * factor) for c in colour)  # type: ignore[return-value]
    return tuple(int(c + (255 - c) * (factor - 1)) for c in colour)  # type: ignore[return-value]


def polar(angle: float, radius: float, centre: Point = (0.0, 0.0)) -> Point:
    """Return the point at a clock angle (0 is up, clockwise, in turns) and a distance from `centre`."""
    turn = 2 * math.pi * angle
    return centre[0] + radius * math.sin(turn), centre[1] - radius * math.cos(turn)


@lru_cache(maxsize=64)
def _font(pixels: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    # Pillow's built-in font gives the same photo on every machine.
    return ImageFont.load_default(size=pixels)


class Canvas:
    """A square canvas with coordinates from −1 to 1 in both directions (y down)."""

    def __init__(self, side: int) -> None:
        """`side`: of the canvas in pixels, several times the side of the finished drawing."""
        self.side = side
        self.image = Image.new("RGBA", (self.side, self.side), (0, 0, 0, 0))
        self._draw = ImageDraw.Draw(self.image)

    def pixels(self, length: float) -> float:
        """Return a length in unit coordinates as canvas pixels."""
        return length * self.side / 2

    def at(self, point: Point) -> Point:
        """Return a point in unit coordinates as canvas pixels."""
        return (point[0] + 1) * self.side / 2, (point[1] + 1) * self.side / 2

    def disk(self, centre: Point, radius: float, fill: Colour) -> None:
        """Draw a filled circle."""
        (x, y), r = self.at(centre), self.pixels(radius)
        self._draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)

    def ring(self, centre: Point, radius: float, width: float, fill: Colour) -> None:
        """Draw a circle's outline inwards from `radius`."""
        (x, y), r = self.at(centre), self.pixels(radius)
        self._draw.ellipse((x - r, y - r, x + r, y + r), outline=fill, width=max(1, round(self.pixels(width))))

    def line(self, start: Point, end: Point, width: float, fill: Colour) -> None:
        """Draw a straight line with butt ends."""
        self._draw.line((self.at(start), self.at(end)), fill=fill, width=max(1, round(self.pixels(width))))

    def polygon(self, points: Sequence[Point], fill: Colour) -> None:
        """Draw a filled polygon."""
        self._draw.polygon([self.at(point) for point in points], fill=fill)

    def box(self, left: float, top: float, right: float, bottom: float, corner: float, fill: Colour) -> None:
        """Draw a filled rectangle with rounded corners."""
        self._draw.rounded_rectangle(
            (*self.at((left, top)), *self.at((right, bottom))), radius=self.pixels(corner), fill=fill
        )

    def text(self, centre: Point, words: str, height: float, fill: Colour, angle: float = 0.0) -> None:
        """Write words centred on a point, turned clockwise by `angle` turns."""
        font = _font(max(4, round(self.pixels(height))))
        if not angle:
            self._draw.text(self.at(centre), words, font=font, fill=fill, anchor="mm")
            return
        box = self._draw.textbbox((0, 0), words, font=font)
        side = int(2 * max(box[2], box[3])) + 4
        patch = Image.new("L", (side, side), 0)
        ImageDraw.Draw(patch).text((side / 2, side / 2), words, font=font, fill=255, anchor="mm")
        patch = patch.rotate(-360 * angle, Image.Resampling.BICUBIC)
        x, y = self.at(centre)
        self.image.paste(fill, (round(x - side / 2), round(y - side / 2)), patch)

    def shaded_disk(self, centre: Point, radius: float, middle: Colour, edge: Colour, light: float) -> None:
        """Draw a disk with a gradient from `middle` to `edge`; its centre is moved towards clock angle `light`."""
        y, x = np.mgrid[-1:1:96j, -1:1:96j]
        toward = polar(light, 0.45)
        distance = np.clip(np.hypot(x - toward[0], y - toward[1]) / 1.45, 0, 1)[..., None]
        self._disk_fill(centre, radius, np.asarray(middle) * (1 - distance) + np.asarray(edge) * distance)

    def metal_disk(self, centre: Point, radius: float, colour: Colour, light: float, streaks: int = 2) -> None:
        """Draw a disk that looks like turned metal: its brightness depends on the angle."""
        y, x = np.mgrid[-1:1:128j, -1:1:128j]
        angle = np.arctan2(x, -y) - 2 * math.pi * light
        brightness = 0.72 + 0.2 * np.cos(angle) + 0.18 * np.cos(streaks * angle) ** 3
        self._disk_fill(
            centre,
            radius,
            np.asarray(colour) * brightness[..., None] + 40 * np.clip(brightness - 0.9, 0, 1)[..., None],
        )

    def _disk_fill(self, centre: Point, radius: float, colours: npt.NDArray[np.float64]) -> None:
        side = max(2, round(2 * self.pixels(radius)))
        patch = Image.fromarray(np.clip(colours, 0, 255).astype(np.uint8))
        self._disk_paste(centre, radius, patch.resize((side, side), Image.Resampling.BICUBIC), self._disk(side))

    def _disk(self, side: int) -> Image.Image:
        mask = Image.new("L", (side, side), 0)
        ImageDraw.Draw(mask).ellipse((0, 0, side - 1, side - 1), fill=255)
        return mask

    def _disk_paste(self, centre: Point, radius: float, paint: Image.Image | Colour, mask: Image.Image) -> None:
        (x, y), r = self.at(centre), self.pixels(radius)
        self.image.paste(paint, (round(x - r), round(y - r)), mask)

    def glass(self, centre: Point, radius: float, light: float, strength: float) -> None:
        """Draw a soft reflection on a round glass, on the side of the clock angle `light`.

        `strength`: opacity of the reflection, 0 … 1.
        """
        side = 128
        mask = Image.new("L", (side, side), 0)
        draw = ImageDraw.Draw(mask)
        draw.ellipse((4, 4, side - 4, side - 4), fill=round(255 * strength))
        cut = polar(light + 0.5, side * 0.36, (side / 2, side / 2))
        draw.ellipse((cut[0] - side * 0.62, cut[1] - side * 0.62, cut[0] + side * 0.62, cut[1] + side * 0.62), fill=0)
        full = round(2 * self.pixels(radius))
        mask = mask.filter(ImageFilter.GaussianBlur(2.5)).resize((full, full), Image.Resampling.BICUBIC)
        self._disk_paste(centre, radius, (255, 255, 255), mask)

    def shadow(self, centre: Point, radius: float, depth: float) -> None:
        """Darken the rim of a dial, as the shadow of its case does. `depth`: opacity at the rim, 0 … 1."""
        y, x = np.mgrid[-1:1:96j, -1:1:96j]
        rim = np.clip((np.hypot(x - 0.04, y - 0.06) - 0.82) / 0.18, 0, 1)
        radius *= 1.01  # otherwise a bright line of the dial is visible between shadow and case
        full = round(2 * self.pixels(radius))
        mask = Image.fromarray((rim * 255 * depth).astype(np.uint8)).resize((full, full), Image.Resampling.BICUBIC)
        self._disk_paste(centre, radius, (0, 0, 0), ImageChops.multiply(mask, self._disk(full)))
