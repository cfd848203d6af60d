"""Drawings of watches and clocks without a brand, in many styles on a transparent canvas."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from iqs_site.demo.canvas import Canvas, Colour, polar, shade
from iqs_site.demo.dials import dial_draw, dial_style, digits_draw, digits_width, subdial_draw

METALS: tuple[Colour, ...] = ((204, 206, 210), (176, 178, 184), (212, 176, 96), (196, 142, 110), (62, 64, 70))
LEATHERS: tuple[Colour, ...] = ((92, 54, 30), (38, 32, 30), (138, 90, 48), (54, 60, 84), (120, 34, 30))
FRAMES: tuple[Colour, ...] = (
    (34, 34, 36),
    (120, 76, 40),
    (228, 228, 224),
    (160, 36, 32),
    (66, 98, 126),
    (190, 192, 196),
)
# Liquid crystal displays: (background, dark segments). Glowing displays: colour of the lit segments.
LIQUID_CRYSTAL: tuple[Colour, Colour] = ((168, 178, 154), (26, 30, 26))
GLOWING: tuple[Colour, ...] = ((255, 60, 40), (80, 240, 120), (90, 170, 255), (255, 170, 50))


def watch_draw(kind: str, side: int, rng: np.random.Generator) -> Image.Image:
    """Return an RGBA drawing of one watch or clock, `side` pixels a side, with hard edges.

    `kind`: a key of KINDS. `rng` decides everything else.
    """
    canvas = Canvas(side)
    KINDS[kind](canvas, rng)
    return canvas.image


def _wall_clock(canvas: Canvas, rng: np.random.Generator) -> None:
    style, frame = dial_style(rng), _pick(FRAMES, rng)
    rim = rng.uniform(0.06, 0.14)
    canvas.metal_disk((0, 0), 0.97, frame, style.light)
    canvas.disk((0, 0), 0.97 - rim * 0.45, shade(frame, 0.72))
    canvas.metal_disk((0, 0), 0.965 - rim * 0.5, shade(frame, 1.15), style.light + 0.5)
    dial_draw(canvas, (0, 0), 0.97 - rim, style, seconds=rng.random() < 0.7)
    canvas.glass((0, 0), 0.95 - rim, style.light, rng.uniform(0.0, 0.3))


def _wristwatch(canvas: Canvas, rng: np.random.Generator) -> None:
    style, metal = dial_style(rng), _pick(METALS, rng)
    if rng.random() < 0.45:
        _bracelet(canvas, metal)
    else:
        _strap(canvas, _pick(LEATHERS, rng), rng)
    for x in (-0.3, 0.3):  # lugs
        for y in (-0.52, 0.52):
            canvas.box(x - 0.07, y - 0.15, x + 0.07, y + 0.15, 0.05, shade(metal, 0.86))
    canvas.box(0.5, -0.07, 0.66, 0.07, 0.03, shade(metal, 0.8))  # crown
    for ridge in np.linspace(-0.05, 0.05, 5):
        canvas.line((0.58, ridge), (0.66, ridge), 0.008, shade(metal, 0.5))
    canvas.metal_disk((0, 0), 0.57, metal, style.light)
    if rng.random() < 0.4:  # diver's bezel
        ring = shade(style.dial, 0.7)
        canvas.disk((0, 0), 0.545, ring)
        for minute in range(0, 60, 5):
            canvas.line(polar(minute / 60, 0.53), polar(minute / 60, 0.48), 0.02, style.ink)
        canvas.metal_disk((0, 0), 0.465, metal, style.light + 0.5)
        radius = 0.445
    else:
        canvas.metal_disk((0, 0), 0.535, shade(metal, 1.1), style.light + 0.5)
        radius = 0.5
    dial_draw(canvas, (0, 0), radius, style, seconds=rng.random() < 0.7)
    if rng.random() < 0.4:
        for angle in (0.25, 0.5, 0.75):
            subdial_draw(canvas, polar(angle, radius * 0.42), radius * 0.2, style, float(rng.random()))
    canvas.glass((0, 0), radius, style.light, rng.uniform(0.0, 0.3))


def _strap(canvas: Canvas, leather: Colour, rng: np.random.Generator) -> None:
    half = rng.uniform(0.24, 0.3)
    canvas.box(-half, -0.99, half, 0.99, 0.05, shade(leather, 0.7))
    canvas.box(-half + 0.02, -0.99, half - 0.02, 0.99, 0.05, leather)
    canvas.box(-half * 0.5, -0.99, half * 0.5, 0.99, 0.05, shade(leather, 1.1))
    thread = shade(leather, 1.5)
    for y in np.arange(-0.95, 0.96, 0.055):
        for x in (-half + 0.045, half - 0.045):
            canvas.line((x, y), (x, y + 0.03), 0.012, thread)
    for y in (0.75, 0.85, 0.95):
        canvas.disk((0, y), 0.02, shade(leather, 0.4))


def _bracelet(canvas: Canvas, metal: Colour) -> None:
    for y in np.arange(-1.0, 1.0, 0.1):
        for left, right, tone in ((-0.29, -0.12, 0.8), (-0.11, 0.11, 1.05), (0.12, 0.29, 0.8)):
            canvas.box(left, y, right, y + 0.09, 0.02, shade(metal, tone * 0.7))
            canvas.box(left, y + 0.01, right, y + 0.055, 0.02, shade(metal, tone))


def _pocket_watch(canvas: Canvas, rng: np.random.Generator) -> None:
    style, metal = dial_style(rng), _pick(METALS[:4], rng)
    for link in range(6):  # chain
        angle = -0.16 + 0.05 * link
        canvas.ring(polar(angle, 0.42 + 0.02 * link, (0.28, -0.7)), 0.055, 0.02, shade(metal, 0.8 + 0.1 * (link % 2)))
    canvas.ring((0, -0.78), 0.17, 0.045, shade(metal, 0.9))
    canvas.box(-0.06, -0.74, 0.06, -0.58, 0.03, shade(metal, 0.75))
    canvas.metal_disk((0, 0.14), 0.78, metal, style.light, streaks=3)
    canvas.metal_disk((0, 0.14), 0.72, shade(metal, 0.85), style.light + 0.5)
    dial_draw(canvas, (0, 0.14), 0.66, style, seconds=False)
    subdial_draw(canvas, (0, 0.42), 0.16, style, float(rng.random()))
    canvas.glass((0, 0.14), 0.66, style.light, rng.uniform(0.05, 0.3))


def _stopwatch(canvas: Canvas, rng: np.random.Generator) -> None:
    style, metal = dial_style(rng), _pick(METALS, rng)
    canvas.box(-0.09, -0.99, 0.09, -0.8, 0.03, shade(metal, 0.9))
    canvas.box(-0.055, -0.84, 0.055, -0.6, 0.01, shade(metal, 0.6))
    for angle in (-0.1, 0.1):
        canvas.disk(polar(angle, 0.84, (0, 0.14)), 0.09, shade(metal, 0.7))
    canvas.metal_disk((0, 0.14), 0.82, metal, style.light)
    canvas.metal_disk((0, 0.14), 0.75, shade(metal, 1.1), style.light + 0.5)
    centre, radius = (0.0, 0.14), 0.7
    canvas.shaded_disk(centre, radius, shade(style.dial, 1.1), shade(style.dial, 0.86), style.light)
    for fifth in range(300):
        length = 0.09 if fifth % 25 == 0 else 0.06 if fifth % 5 == 0 else 0.03
        if fifth % 5 == 0 or radius > 0.6:
            canvas.line(
                polar(fifth / 300, radius * 0.97, centre),
                polar(fifth / 300, radius * (0.97 - length), centre),
                0.006 if fifth % 5 else 0.012,
                style.ink,
            )
    for mark in range(12):
        canvas.text(polar(mark / 12, radius * 0.76, centre), str(mark * 5 or 60), radius * 0.17, style.ink)
    subdial_draw(canvas, (0, -0.1), 0.17, style, float(rng.random()))
    angle = float(rng.random())
    canvas.line(polar(angle + 0.5, radius * 0.25, centre), polar(angle, radius * 0.92, centre), 0.02, style.accent)
    canvas.disk(centre, 0.05, style.ink)
    canvas.shadow(centre, radius, 0.4)
    canvas.glass(centre, radius, style.light, rng.uniform(0.0, 0.3))


def _alarm_clock(canvas: Canvas, rng: np.random.Generator) -> None:
    style, metal = dial_style(rng), _pick(FRAMES, rng)
    for side in (-1, 1):
        canvas.line((side * 0.4, 0.6), (side * 0.58, 0.96), 0.1, shade(metal, 0.6))
        bell = (side * 0.46, -0.66)
        canvas.metal_disk(bell, 0.3, (204, 206, 210), side * 0.1)
        canvas.line((side * 0.3, -0.4), (side * 0.42, -0.6), 0.06, shade(metal, 0.7))
    canvas.line((0, -0.6), (0, -0.86), 0.04, (120, 122, 126))
    canvas.disk((0, -0.88), 0.06, (150, 152, 156))
    canvas.metal_disk((0, 0.12), 0.76, metal, style.light)
    canvas.disk((0, 0.12), 0.67, shade(metal, 0.6))
    dial_draw(canvas, (0, 0.12), 0.65, style)
    canvas.glass((0, 0.12), 0.65, style.light, rng.uniform(0.0, 0.25))


def _time_words(rng: np.random.Generator) -> str:
    return f"{rng.integers(10, 24)}:{rng.integers(60):02d}"


def _digital_clock(canvas: Canvas, rng: np.random.Generator) -> None:
    frame, lit = _pick(FRAMES, rng), _pick(GLOWING, rng)
    canvas.box(-0.98, -0.44, 0.98, 0.5, 0.12, shade(frame, 0.55))
    canvas.box(-0.97, -0.46, 0.97, 0.42, 0.12, frame)
    canvas.box(-0.9, -0.46, 0.9, -0.36, 0.05, shade(frame, 1.2))
    canvas.box(-0.86, -0.32, 0.86, 0.3, 0.04, (12, 12, 14))
    words = _time_words(rng)
    height = 0.46
    left = -digits_width(height, words) / 2
    digits_draw(canvas, left, -0.24, height, words, lit, shade(lit, 0.13))
    for x in np.linspace(-0.5, 0.5, 4):
        canvas.box(x - 0.09, -0.5, x + 0.09, -0.44, 0.02, shade(frame, 0.8))


def _digital_watch(canvas: Canvas, rng: np.random.Generator) -> None:
    case, (ground, ink) = _pick(METALS, rng), LIQUID_CRYSTAL
    strap = shade(_pick(LEATHERS, rng), 0.6)
    canvas.box(-0.3, -0.99, 0.3, 0.99, 0.04, strap)
    for y in np.arange(-0.95, 1.0, 0.09):
        canvas.line((-0.26, y), (0.26, y), 0.014, shade(strap, 1.25))
    canvas.box(-0.58, -0.56, 0.58, 0.56, 0.2, shade(case, 0.6))
    canvas.box(-0.55, -0.54, 0.55, 0.52, 0.18, case)
    canvas.box(-0.49, -0.47, 0.49, 0.45, 0.13, (28, 30, 36))
    for x in (-0.64, 0.56):
        for y in (-0.3, 0.2):
            canvas.box(x, y, x + 0.08, y + 0.12, 0.03, shade(case, 0.75))
    canvas.box(-0.42, -0.24, 0.42, 0.26, 0.03, ground)
    canvas.box(-0.42, -0.24, 0.42, -0.2, 0.01, shade(ground, 0.7))
    words = _time_words(rng)
    digits_draw(canvas, -0.39, -0.04, 0.215, words, ink, shade(ground, 0.94))
    digits_draw(canvas, 0.24, 0.05, 0.12, f"{rng.integers(60):02d}", ink, shade(ground, 0.94))
    canvas.text((-0.2, -0.14), str(rng.choice(["MO", "TU", "WE", "TH", "FR", "SA", "SU"])), 0.1, ink)
    canvas.text((0.24, -0.14), f"{rng.integers(1, 13)}-{rng.integers(1, 29)}", 0.1, ink)
    accent = _pick(GLOWING, rng)
    canvas.line((-0.4, -0.33), (0.4, -0.33), 0.02, accent)
    canvas.text((0, 0.36), "ALARM CHRONO", 0.075, (200, 202, 206))


def _pick(colours: tuple[Colour, ...], rng: np.random.Generator) -> Colour:
    return colours[rng.integers(len(colours))]


KINDS: dict[str, Callable[[Canvas, np.random.Generator], None]] = {
    "wall clock": _wall_clock,
    "wristwatch": _wristwatch,
    "pocket watch": _pocket_watch,
    "stopwatch": _stopwatch,
    "alarm clock": _alarm_clock,
    "digital clock": _digital_clock,
    "digital watch": _digital_watch,
}
