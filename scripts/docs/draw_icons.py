#!/usr/bin/env python3
"""Draw the icons of the home screen: static/pages/icon.svg as pictures, on a ground of its own.

Usage: scripts/docs/draw_icons.py
"""

from __future__ import annotations

import math
from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).resolve().parents[2] / "webmap" / "static" / "pages"
GROUND, MARK = "#ffffff", "#3949c6"  # --surface and --accent of tokens.css
FINER = 8  # drawn so much larger, then made smaller
# Name, pixels, and how much of the picture the mark fills: a maskable icon may lose its corners.
ICONS = (
    ("icon-192", 192, 0.8),
    ("icon-512", 512, 0.8),
    ("icon-maskable-512", 512, 0.6),
    ("icon-touch-180", 180, 0.76),
)
# As in icon.svg, in units of 20 to a side.
RADIUS, STROKE, DASH, GAP, SQUARE, CORNER = 8.5, 1.5, 3.5, 2.2, 6.0, 1.5


def draw(pixels: int, share: float) -> Image.Image:
    side = pixels * FINER
    image = Image.new("RGB", (side, side), GROUND)
    pen = ImageDraw.Draw(image)
    unit = side * share / 20
    middle = side / 2

    def box(reach: float) -> tuple[float, float, float, float]:
        low, high = middle - reach * unit, middle + reach * unit
        return low, low, high, high

    turn = math.degrees((DASH + GAP) / RADIUS)
    dashes = round(360 / turn)  # whole ones, so that the ring has no seam
    for at in range(dashes):
        start = at * 360 / dashes
        end = start + 360 / dashes * DASH / (DASH + GAP)
        pen.arc(box(RADIUS + STROKE / 2), start, end, MARK, round(STROKE * unit))
    pen.rounded_rectangle(box(SQUARE / 2), CORNER * unit, MARK)
    return image.resize((pixels, pixels), Image.Resampling.LANCZOS).quantize(64)


def main() -> None:
    for name, pixels, share in ICONS:
        path = FOLDER / f"{name}.png"
        draw(pixels, share).save(path, "PNG", optimize=True)
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
