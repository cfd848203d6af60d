"""Dials of invented watches and clocks without a brand: numerals, minute marks, hands and seven-segment digits."""

from dataclasses import dataclass

import numpy as np

from iqs_site.demo.canvas import Canvas, Colour, Point, polar, shade

ROMAN = ("XII", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI")
ARABIC = ("12", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11")
# (dial, ink, accent) as on real dials.
PALETTES: tuple[tuple[Colour, Colour, Colour], ...] = (
    ((246, 244, 238), (24, 24, 26), (190, 30, 30)),
    ((250, 250, 250), (10, 10, 10), (200, 40, 30)),
    ((238, 226, 196), (52, 36, 24), (120, 40, 20)),
    ((22, 24, 28), (236, 234, 226), (230, 140, 30)),
    ((20, 34, 66), (232, 236, 242), (210, 60, 50)),
    ((24, 52, 42), (234, 230, 214), (210, 180, 90)),
    ((226, 230, 232), (30, 44, 72), (40, 90, 170)),
    ((84, 40, 36), (240, 226, 204), (230, 190, 110)),
)
_SLANT = 0.08  # of digits: horizontal shift for each unit of height
# Digit → its lit segments (a … g).
_SEGMENTS = {
    "0": "abcdef", "1": "bc", "2": "abdeg", "3": "abcdg", "4": "bcfg",
    "5": "acdfg", "6": "acdefg", "7": "abc", "8": "abcdefg", "9": "abcdfg",
}  # fmt: skip


@dataclass(frozen=True)
class DialStyle:
    """How one analog dial looks.

    dial, ink, accent: colours of the background, of print and hands, and of the seconds hand.
    numerals: 'arabic', 'roman', 'quarters' (12, 3, 6, 9), 'batons' or 'dots'.
    hands: 'baton', 'sword' or 'leaf'.
    track: whether every minute has a mark.
    time: hour of the day shown, 0 … 12.
    light: clock angle (in turns) from which the light comes.
    """

    dial: Colour
    ink: Colour
    accent: Colour
    numerals: str
    hands: str
    track: bool
    time: float
    light: float


def dial_style(rng: np.random.Generator) -> DialStyle:
    """Draw a style at random."""
    dial, ink, accent = PALETTES[rng.integers(len(PALETTES))]
    return DialStyle(
        dial=dial,
        ink=ink,
        accent=accent,
        numerals=str(rng.choice(["arabic", "arabic", "roman", "quarters", "batons", "dots"])),
        hands=str(rng.choice(["baton", "sword", "leaf"])),
        track=bool(rng.random() < 0.8),
        time=float(rng.uniform(0, 12)),
        light=float(rng.uniform(-0.2, 0.2)),
    )


def dial_draw(canvas: Canvas, centre: Point, radius: float, style: DialStyle, *, seconds: bool = True) -> None:
    """Draw a whole analog dial with its hands inside a circle."""
    canvas.shaded_disk(centre, radius, shade(style.dial, 1.12), shade(style.dial, 0.84), style.light)
    _marks(canvas, centre, radius, style)
    _numerals(canvas, centre, radius, style)
    hour, minute = style.time / 12, style.time % 1
    drop = (centre[0] + 0.018 * radius, centre[1] + 0.028 * radius)  # the hands' shadow on the dial
    for point, colour in ((drop, shade(style.dial, 0.66)), (centre, style.ink)):
        hand_draw(canvas, point, hour, radius * 0.52, radius * 0.062, style.hands, colour)
        hand_draw(canvas, point, minute, radius * 0.8, radius * 0.046, style.hands, colour)
    if seconds:
        angle = (style.time * 60) % 1
        tail = polar(angle + 0.5, radius * 0.2, centre)
        canvas.line(tail, polar(angle, radius * 0.84, centre), radius * 0.014, style.accent)
    canvas.disk(centre, radius * 0.05, style.accent if seconds else style.ink)
    canvas.disk(centre, radius * 0.02, shade(style.dial, 0.7))
    canvas.shadow(centre, radius, 0.45)


def _marks(canvas: Canvas, centre: Point, radius: float, style: DialStyle) -> None:
    if style.track:
        for minute in range(60):
            length, width = (0.07, 0.016) if minute % 5 == 0 else (0.04, 0.008)
            canvas.line(
                polar(minute / 60, radius * 0.96, centre),
                polar(minute / 60, radius * (0.96 - length), centre),
                radius * width,
                style.ink,
            )
    for hour in range(12):
        if style.numerals == "batons" or (style.numerals == "quarters" and hour % 3):
            width = 0.055 if hour % 3 == 0 else 0.035
            canvas.line(
                polar(hour / 12, radius * 0.86, centre),
                polar(hour / 12, radius * 0.68, centre),
                radius * width,
                style.ink,
            )
        elif style.numerals == "dots":
            canvas.disk(
                polar(hour / 12, radius * 0.78, centre), radius * (0.065 if hour % 3 == 0 else 0.042), style.ink
            )


def _numerals(canvas: Canvas, centre: Point, radius: float, style: DialStyle) -> None:
    if style.numerals in ("batons", "dots"):
        return
    roman = style.numerals == "roman"
    for hour, (arabic, latin) in enumerate(zip(ARABIC, ROMAN, strict=True)):
        if style.numerals == "quarters" and hour % 3:
            continue
        point = polar(hour / 12, radius * 0.74, centre)
        if roman:  # the lower end of each numeral points to the centre
            canvas.text(point, latin, radius * 0.19, style.ink, hour / 12)
        else:
            canvas.text(point, arabic, radius * 0.24, style.ink)


def hand_draw(
    canvas: Canvas, centre: Point, angle: float, length: float, width: float, shape: str, colour: Colour
) -> None:
    """Draw one hand that points to a clock angle (in turns)."""
    tip, tail = polar(angle, length, centre), polar(angle + 0.5, length * 0.18, centre)
    if shape == "baton":
        canvas.line(tail, tip, width, colour)
        return
    belly = polar(angle, length * (0.68 if shape == "sword" else 0.42), centre)
    spread = width * (1.0 if shape == "sword" else 1.3)
    sides = [polar(angle + turn, spread / 2, belly) for turn in (0.25, -0.25)]
    roots = [polar(angle + turn, width / 3, tail) for turn in (0.25, -0.25)]
    canvas.polygon([roots[0], sides[0], tip, sides[1], roots[1]], colour)


def subdial_draw(canvas: Canvas, centre: Point, radius: float, style: DialStyle, angle: float) -> None:
    """Draw a small counter with one hand."""
    canvas.disk(centre, radius, shade(style.dial, 0.88))
    canvas.ring(centre, radius, radius * 0.07, style.ink)
    for tick in range(12):
        start, end = polar(tick / 12, radius * 0.95, centre), polar(tick / 12, radius * 0.78, centre)
        canvas.line(start, end, radius * 0.05, style.ink)
    hand_draw(canvas, centre, angle, radius * 0.7, radius * 0.12, "baton", style.ink)


def digits_draw(
    canvas: Canvas, left: float, top: float, height: float, words: str, lit: Colour, unlit: Colour
) -> float:
    """Draw digits and colons in seven segments; return the x at which the next character would begin."""
    width, thick, x = height * 0.54, height * 0.13, left
    for character in words:
        if character == ":":
            for share in (0.32, 0.68):
                canvas.disk(
                    (x + thick * 0.8 + _SLANT * height * (0.5 - share), top + height * share), thick * 0.55, lit
                )
            x += thick * 2.2
            continue
        for name in "abcdefg":
            colour = lit if name in _SEGMENTS[character] else unlit
            corners = _segment(name, width, height, thick)
            canvas.polygon([(x + px + _SLANT * (height / 2 - py), top + py) for px, py in corners], colour)
        x += width + thick * 0.9
    return x


def digits_width(height: float, words: str) -> float:
    """Return the width of these words as `digits_draw` draws them."""
    return sum(height * (0.13 * 2.2 if character == ":" else 0.54 + 0.13 * 0.9) for character in words)


def _segment(name: str, width: float, height: float, thick: float) -> list[Point]:
    half, gap = thick / 2, thick * 0.12
    if name in "adg":
        y = {"a": half, "g": height / 2, "d": height - half}[name]
        left, right = half + gap, width - half - gap
        return [(left, y), (left + half, y - half), (right - half, y - half), (right, y), (right - half, y + half),
                (left + half, y + half)]  # fmt: skip
    x = half if name in "ef" else width - half
    top, bottom = (half, height / 2) if name in "bf" else (height / 2, height - half)
    top, bottom = top + gap, bottom - gap
    return [(x, top), (x + half, top + half), (x + half, bottom - half), (x, bottom), (x - half, bottom - half),
            (x - half, top + half)]  # fmt: skip
