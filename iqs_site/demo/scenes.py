"""Scenes cut from photographs in installed packages, and watches drawn on them.

docs/reference/demo.md lists each photograph with its author and licence.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageFilter, ImageOps

from iqs_site.demo.canvas import Colour
from iqs_site.demo.watches import watch_draw

#: Long sides of the photos, in pixels.
LONG_SIDES = (640, 640, 720, 800, 1024)
#: Width over height.
ASPECTS = (4 / 3, 3 / 2, 1.0, 3 / 4)
#: A watch is drawn at this many times its final size, but at most CANVAS_SIDE pixels a side, and then reduced.
SUPERSAMPLING = 3
CANVAS_SIDE = 1300
_GRAIN = 1.6  # standard deviation, of 255


class SceneError(RuntimeError):
    """A photograph of an installed package is missing; the message says which."""


@dataclass(frozen=True)
class Source:
    """One photograph of an installed package.

    package: import name. file: path below the package's folder.
    tones: dark, middle and light colour for grey photographs; None: the photograph stays as it is.
    """

    package: str
    file: str
    tones: tuple[Colour, Colour, Colour] | None = None


SOURCES: dict[str, Source] = {
    "astronaut": Source("skimage", "data/astronaut.png"),
    "brick": Source("skimage", "data/brick.png", ((58, 26, 18), (150, 82, 58), (226, 198, 176))),
    "camera": Source("skimage", "data/camera.png"),
    "chelsea": Source("skimage", "data/chelsea.png"),
    "coffee": Source("skimage", "data/coffee.png"),
    "coins": Source("skimage", "data/coins.png", ((30, 24, 22), (128, 104, 74), (240, 224, 190))),
    "grass": Source("skimage", "data/grass.png", ((14, 26, 8), (86, 122, 46), (214, 226, 160))),
    "gravel": Source("skimage", "data/gravel.png", ((32, 30, 30), (136, 128, 118), (238, 232, 222))),
    "hubble": Source("skimage", "data/hubble_deep_field.jpg"),
    "rocket": Source("skimage", "data/rocket.jpg"),
    "china": Source("sklearn", "datasets/images/china.jpg"),
    "flower": Source("sklearn", "datasets/images/flower.jpg"),
}


@lru_cache(maxsize=len(SOURCES))
def source_open(name: str) -> Image.Image:
    """Return one of SOURCES as an RGB picture. Raises SceneError when the file is not in its package."""
    source = SOURCES[name]
    # Finding the package without importing it saves a second.
    spec = find_spec(source.package)
    if spec is None or spec.origin is None:
        raise SceneError(f"the demo photos need the package {source.package}; run `make setup`.")
    path = Path(spec.origin).parent / source.file
    if not path.exists():
        raise SceneError(f"{source.package} no longer contains {source.file}, which the demo photos need.")
    with Image.open(path) as picture:
        if source.tones is None:
            return picture.convert("RGB")
        dark, middle, light = source.tones
        return ImageOps.colorize(picture.convert("L"), dark, light, middle)


def scene_draw(name: str, rng: np.random.Generator) -> Image.Image:
    """Return a random crop of one photograph as an RGB photo; its long side is one of LONG_SIDES."""
    picture = source_open(name)
    aspect = float(rng.choice(ASPECTS))
    width = min(picture.width, picture.height * aspect) * rng.uniform(0.6, 1.0)
    height = width / aspect
    left, top = rng.uniform(0, picture.width - width), rng.uniform(0, picture.height - height)
    long_side = int(rng.choice(LONG_SIDES))
    scale = long_side / max(width, height)
    scene = picture.resize(
        (round(width * scale), round(height * scale)),
        Image.Resampling.LANCZOS,
        box=(left, top, left + width, top + height),
    )
    if rng.random() < 0.5:
        scene = ImageOps.mirror(scene)
    # Enlarged crops are soft. Sharpen them, so that only the known degradation makes a photo bad.
    return scene.filter(ImageFilter.UnsharpMask(radius=scale, percent=90, threshold=2))


def watch_compose(scene: Image.Image, kind: str, rng: np.random.Generator) -> Image.Image:
    """Return the scene with a watch of this kind on it: turned, tilted, lit and with a shadow."""
    short = min(scene.size)
    # Blur the background, as a lens that focuses on the watch does.
    photo = scene.filter(ImageFilter.GaussianBlur(short / 640 * rng.uniform(0, 6)))
    size = int(short * rng.uniform(0.55, 0.95))
    upright = kind in ("wall clock", "alarm clock", "digital clock")
    drawn = watch_draw(kind, min(size * SUPERSAMPLING, CANVAS_SIDE), rng)
    watch = _tilted(drawn, size, turn=rng.normal(0, 4 if upright else 22), rng=rng)
    watch = _lit(watch, scene, rng)
    left = int(rng.uniform(-0.04, 1.04) * (photo.width - size))
    top = int(rng.uniform(-0.04, 1.04) * (photo.height - size))
    offset, spread = (float(value) for value in rng.uniform(0.015, 0.05, 2) * size)
    shade = Image.new("L", photo.size, 0)
    shade.paste(watch.getchannel("A"), (left + int(offset * rng.choice([-1, 1])), top + int(offset)))
    shade = shade.filter(ImageFilter.GaussianBlur(spread))
    photo.paste((8, 8, 12), (0, 0), shade.point(lambda value: value * 0.55))
    photo.paste(watch, (left, top), watch)
    return photo


def grain_add(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the photo with the faint noise of a sensor; drawn surfaces look painted without it."""
    pixels = np.asarray(photo, dtype=np.float32)
    grain = rng.standard_normal(pixels.shape[:2], dtype=np.float32)[..., None] * _GRAIN
    return Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8))


def _tilted(watch: Image.Image, size: int, *, turn: float, rng: np.random.Generator) -> Image.Image:
    """Turn the drawing by `turn` degrees, tilt it in perspective, and reduce it to its final size in pixels."""
    side = watch.width
    corners = np.array([[0, 0], [side, 0], [side, side], [0, side]], dtype=np.float64)
    inwards = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    seen = corners + rng.uniform(0, 0.09, (4, 2)) * side * inwards
    angle = np.radians(turn)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    seen = (seen - side / 2) @ rotation + side / 2
    tilted = watch.transform(
        (side, side), Image.Transform.PERSPECTIVE, _perspective(seen, corners), Image.Resampling.BILINEAR
    )
    return tilted.resize((size, size), Image.Resampling.HAMMING)


def _perspective(target: np.ndarray, source: np.ndarray) -> list[float]:
    """Return Pillow's eight coefficients that map each `target` corner [4, 2] back to its `source` corner."""
    rows, values = [], []
    for (x, y), (u, v) in zip(target, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return list(np.linalg.solve(np.array(rows), np.array(values)))


def _lit(watch: Image.Image, scene: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Give the watch the brightness of its scene, with a gradient across it."""
    brightness = float(np.asarray(scene.convert("L").reduce(8)).mean())
    gain = float(np.clip(brightness / 110, 0.88, 1.08))
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    angle = rng.uniform(0, 2 * np.pi)
    fall = gain * (1 + 0.14 * (x * np.cos(angle) + y * np.sin(angle)))
    light = Image.fromarray(np.clip(fall * 236, 0, 255).astype(np.uint8)).resize(watch.size, Image.Resampling.BICUBIC)
    lit = ImageChops.multiply(watch.convert("RGB"), Image.merge("RGB", (light, light, light)))
    lit.putalpha(watch.getchannel("A"))
    return lit
