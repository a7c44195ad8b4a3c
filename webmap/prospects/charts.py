"""Charts as SVG that takes its colours from the page; the only import of pygal.

A chart is a picture of a table that stands beside it, so it is hidden from screen readers and holds
no script, style, link or id. What is drawn has classes alone (``c-0``, ``c-1`` ...), which
``static/prospects/profile.css`` gives the tokens of the page in light, dark and print.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import pygal
from defusedxml import ElementTree
from markupsafe import Markup
from pygal.style import Style

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from xml.etree.ElementTree import Element  # a type; defusedxml parses

# pygal hooks a finder for plugins, of which there are none here, into every import of the process;
# Python 3.11 warns of it at each.
sys.meta_path[:] = [one for one in sys.meta_path if not isinstance(one, pygal.PluginImportFixer)]

WIDTH = 340
LABEL = 20  # characters; the table has the whole name
_ROW = 26
_FRAME = 40  # height beside the rows
_STYLE = Style(label_font_size=11, major_label_font_size=11, font_family="sans-serif")
_DROPPED = {"style", "script", "defs", "desc", "title"}
_KEPT = {
    "class", "d", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height",
    "transform", "text-anchor", "viewBox",
}  # fmt: skip
_LAYERS = {"text-overlay", "tooltip-overlay", "background", "titles"}  # dropped too

Series = tuple[str, "Sequence[float | None]"]


def bars(
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    as_text: Callable[[float], str],
    is_stacked: bool = False,
) -> Markup:
    """Draw horizontal bars in the order of the table: the first label on top.

    ``series`` are pairs of a name and its values, one per label; they are told apart by colour and
    by the legend of the page. ``as_text`` writes a value on the axis.
    """
    kind = pygal.HorizontalStackedBar if is_stacked else pygal.HorizontalBar
    rows = len(labels) * (1 if is_stacked else max(1, 0.7 * len(series)))
    numbers = [[value or 0.0 for value in values] for _, values in series]
    ends = [sum(one) if is_stacked else max(one) for one in zip(*numbers, strict=True)]
    ticks = _ticks(max(ends, default=0.0))
    chart = kind(
        **_settings(as_text, height=_FRAME + round(_ROW * max(rows, 1))), range=(0, ticks[-1])
    )
    chart.y_labels = ticks
    chart.x_labels = [_label(one) for one in reversed(labels)]
    for name, values in series:
        chart.add(_label(name), list(reversed(values)))
    return _svg(chart)


def lines(
    labels: Sequence[str], series: Sequence[Series], *, as_text: Callable[[float], str]
) -> Markup:
    """Draw a line per series over labels at even distances; None is a gap."""
    chart = pygal.Line(
        **_settings(as_text, height=220), range=(0, 1), dots_size=3, show_x_guides=False
    )
    chart.x_labels = [_label(one) for one in labels]
    chart.y_labels = [0, 0.25, 0.5, 0.75, 1]
    for name, values in series:
        chart.add(_label(name), list(values))
    return _svg(chart)


def _ticks(most: float) -> list[float]:
    """Divide an axis from 0 to at least ``most`` into at most five round steps."""
    if most <= 0:
        return [0.0, 1.0]
    size = 10.0 ** math.floor(math.log10(most / 5))
    step = next(size * times for times in (1, 2, 5, 10) if size * times * 5 >= most * (1 - 1e-9))
    return [step * n for n in range(math.ceil(most / step - 1e-9) + 1)]


def _settings(as_text: Callable[[float], str], height: int) -> dict[str, object]:
    return {
        "width": WIDTH, "height": height, "margin": 4, "margin_right": 20, "spacing": 6,
        "css": (), "js": (), "no_prefix": True, "show_legend": False,
        "disable_xml_declaration": True, "pretty_print": False, "style": _STYLE,
        "truncate_label": -1, "value_formatter": as_text, "formatter": as_text,
        "include_x_axis": True,
    }  # fmt: skip


def _label(text: str) -> str:
    """Shorten a text, and leave out what XML cannot hold."""
    plain = "".join(one if one.isprintable() else " " for one in text)
    return plain if len(plain) <= LABEL else plain[: LABEL - 1].rstrip() + "…"


def _svg(chart: pygal.Graph) -> Markup:
    """Keep of a drawing its shapes, texts and classes."""
    root = ElementTree.fromstring(chart.render())
    _strip(root)
    root.attrib = {
        "class": "chart-svg",
        "viewBox": root.get("viewBox", ""),
        "aria-hidden": "true",
        "focusable": "false",
    }
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704  built by a parser


def _strip(element: Element) -> None:
    element.tag = element.tag.rpartition("}")[2]
    element.attrib = {name: text for name, text in element.attrib.items() if name in _KEPT}
    for child in list(element):
        name = child.tag.rpartition("}")[2]
        if name in _DROPPED or _LAYERS & set((child.get("class") or "").split()):
            element.remove(child)
        else:
            _strip(child)
