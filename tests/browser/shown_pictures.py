"""What Chromium shows of a picture file: the pixels of an <img>, on a white canvas in sRGB."""

import base64
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.photos.decoding import CONTENT_TYPES

_AT_ONCE = 40  # files in one message to the browser
_DRAW = """
async (files) => {
  const shown = {};
  for (const [name, type, data] of files) {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    const image = new Image();
    image.src = URL.createObjectURL(new Blob([bytes], { type }));
    try {
      await image.decode();
    } catch {
      shown[name] = null;
      continue;
    }
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
    const context = canvas.getContext("2d", { colorSpace: "srgb", willReadFrequently: true });
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0);
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
    let text = "";
    for (let at = 0; at < pixels.length; at += 4) text += String.fromCharCode(...pixels.subarray(at, at + 3));
    shown[name] = [canvas.width, canvas.height, btoa(text)];
  }
  return shown;
}
"""


def shown_by(browser: Any, files: dict[str, bytes]) -> dict[str, NDArray[np.uint8] | None]:
    """Return the pixels uint8 [H, W, 3] of each file, or None where Chromium shows a broken picture."""
    page = browser.new_page()
    shown: dict[str, NDArray[np.uint8] | None] = {}
    names = list(files)
    for start in range(0, len(names), _AT_ONCE):
        message = [
            [name, CONTENT_TYPES[PurePath(name).suffix], base64.b64encode(files[name]).decode()]
            for name in names[start : start + _AT_ONCE]
        ]
        for name, answer in page.evaluate(_DRAW, message).items():
            shown[name] = None
            if answer:
                width, height, text = answer
                shown[name] = np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 3)
    page.close()
    return shown


def largest_difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Return the largest difference between means of blocks of 8 × 8 pixels, in levels; infinite for other sizes.

    Blocks at the right and lower edge may be smaller.
    """
    if one.shape != other.shape:
        return float("inf")
    difference = one.astype(float) - other.astype(float)
    rows, columns = (np.arange(0, side, 8) for side in one.shape[:2])
    sums = np.add.reduceat(np.add.reduceat(difference, rows, axis=0), columns, axis=1)
    heights, widths = (np.diff([*edges, side]) for edges, side in zip((rows, columns), one.shape[:2], strict=True))
    return float(np.abs(sums / (heights[:, None, None] * widths[None, :, None])).max())
