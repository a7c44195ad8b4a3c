"""Cover map as SVG: for a page as it is, and for paper, where fpdf2 draws the same SVG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from territory.reports.cover_map import CREDIT, Label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from territory.reports.cover_map import Drawing, Shape, Symbol


@dataclass(frozen=True)
class Style:
    """How lines of a kind look; ``width`` and ``dash`` in millimetres, no fill where null."""

    fill: str | None = None
    stroke: str | None = None
    width: float = 0.0
    dash: tuple[float, float] | None = None


STYLES = {
    "water": Style(fill="#d5e4ed"),
    "land": Style(fill="#ecebe8"),
    "market_land": Style(fill="#fbfaf6"),
    "lake": Style(fill="#d5e4ed"),
    "county": Style(stroke="#cfc8bb", width=0.12),
    "state": Style(stroke="#a9a193", width=0.3),
    "market": Style(stroke="#3949c6", width=0.55),
    "ring": Style(stroke="#46525f", width=0.3, dash=(1.5, 1.0)),
    "frame": Style(stroke="#858f9c", width=0.2),
    "scale": Style(stroke="#17202c", width=0.4),
}
_SCALE_MM = 4.0  # from the left and lower edge to the scale


def as_svg(drawing: Drawing, *, title: str) -> str:
    """Write a drawing as SVG with its legend left out; every text is escaped.

    Nothing in it is styled by an attribute ``style``, so that a strict policy holds.
    """
    below, above = ([_label(one) for one in labels] for labels in map_labels(drawing))
    box = f"0 0 {drawing.width:g} {drawing.height:g}"
    head = f'<svg class="cover-map" viewBox="{box}" role="img" aria-label={quoteattr(title)}>'
    return "".join([head, *ground(drawing), *below, *marks(drawing), *above, "</svg>"])


def picture(width: float, height: float, parts: Iterable[str]) -> bytes:
    """Wrap parts into an SVG file of ``width`` by ``height`` millimetres."""
    size = f'width="{width:g}mm" height="{height:g}mm" viewBox="0 0 {width:g} {height:g}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(parts)}</svg>'.encode()


def ground(drawing: Drawing) -> list[str]:
    """Write what lies under the labels of places: land, water, borders and rings."""
    return [_shape(shape) for shape in drawing.shapes if shape.lines]


def marks(drawing: Drawing) -> list[str]:
    """Write the symbols, the offices and the scale."""
    x, y = _SCALE_MM, drawing.height - _SCALE_MM
    scale = (
        f'<path d="M{x} {y - 1.5}v1.500h{drawing.scale_mm}v-1.500" fill="none" '
        f'stroke="{STYLES["scale"].stroke}" stroke-width="{STYLES["scale"].width}"/>'
    )
    symbols = [svg_symbol(symbol) for symbol in drawing.symbols]
    return [*symbols, *(svg_office(x, y) for x, y in drawing.offices), scale]


def map_labels(drawing: Drawing) -> tuple[list[Label], list[Label]]:
    """Give the labels that lie below the symbols, and those above: offices, scale, credit."""
    below = [label for label in drawing.labels if not label.is_bold]
    above = [label for label in drawing.labels if label.is_bold]
    low = drawing.height - _SCALE_MM - 2.4
    scale = Label(_SCALE_MM, low, drawing.scale_words, colour="#17202c")
    credit = Label(drawing.width - 2, drawing.height - 1.6, CREDIT, anchor="end", size=2.2)
    return below, [*above, scale, credit]


def _shape(shape: Shape) -> str:
    style = STYLES[shape.kind]
    path = "".join("M" + "L".join(f"{x:g} {y:g}" for x, y in line.tolist()) for line in shape.lines)
    dash = f' stroke-dasharray="{style.dash[0]} {style.dash[1]}"' if style.dash else ""
    stroke = f' stroke="{style.stroke}" stroke-width="{style.width}"{dash}' if style.stroke else ""
    return f'<path d="{path}" fill="{style.fill or "none"}" fill-rule="evenodd"{stroke}/>'


def svg_symbol(symbol: Symbol) -> str:
    """Write one symbol."""
    x, y, half, colour = symbol.x, symbol.y, symbol.size / 2, symbol.colour
    line = symbol.size * 0.24
    inner = f'fill="#fff" stroke="{colour}" stroke-width="{line:.2f}"'
    solid = f'fill="{colour}" stroke="#fff" stroke-width="0.150"'
    if symbol.shape == "cross":
        reach = half * 0.8
        arms = f"M{x - reach:.2f} {y - reach:.2f}l{2 * reach:.2f} {2 * reach:.2f}"
        arms += f"M{x + reach:.2f} {y - reach:.2f}l{-2 * reach:.2f} {2 * reach:.2f}"
        return f'<path d="{arms}" fill="none" stroke="{colour}" stroke-width="{line:.2f}"/>'
    looks = inner if symbol.shape.startswith("hollow") else solid
    radius = half - line / 2 if symbol.shape.startswith("hollow") else half
    if symbol.shape.endswith("circle"):
        return f'<circle cx="{x}" cy="{y}" r="{radius:.2f}" {looks}/>'
    left, top, side = x - radius, y - radius, 2 * radius
    corner = f'x="{left:.2f}" y="{top:.2f}" width="{side:.2f}" height="{side:.2f}"'
    return f"<rect {corner} {looks}/>"


def svg_office(x: float, y: float) -> str:
    """Write the mark of an office."""
    return (
        f'<rect x="{x - 1.6:.2f}" y="{y - 1.6:.2f}" width="3.200" height="3.200" rx="0.600" '
        f'fill="#17202c" stroke="#fff" stroke-width="0.300"/><rect x="{x - 0.7:.2f}" '
        f'y="{y - 0.8:.2f}" width="1.400" height="1.700" fill="#fff"/>'
    )


def _label(label: Label) -> str:
    weight = ' font-weight="600"' if label.is_bold else ""
    return (
        f'<text x="{label.x:g}" y="{label.y:g}" font-size="{label.size:g}" '
        f'text-anchor="{label.anchor}"{weight} fill="{label.colour}" stroke="#fbfaf7" '
        f'stroke-width="0.600" paint-order="stroke" stroke-linejoin="round">'
        f"{escape(label.text)}</text>"
    )
