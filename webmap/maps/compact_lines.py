"""How the lines of a map travel: in few whole numbers, put together again in the browser.

An outline goes as the steps from corner to corner, a geodesic circle as a dozen waves; compressed,
either is a fraction of its coordinates. ``UNPACK`` undoes both, within the script of the map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import folium
import numpy as np
from folium.template import Template

if TYPE_CHECKING:
    import numpy.typing as npt

RING_VERTICES = 256  # 6 m short of the true circle at 50 miles
STEPS_A_DEGREE = 25_000  # coordinates travel in whole steps of 4.5 m; none of them decides anything
MOST_WAVES, WAVES_A_DEGREE, WAVES_OFF_DEG = 12, 1_000_000, 4e-6

# Undoes ``steps_of`` and ``waves_of`` in the browser.
UNPACK = f"""const trace = (lines) => lines.map((line) => {{
  let y = 0, x = 0;
  const at = (steps) => steps / {STEPS_A_DEGREE};
  return line.map(([up, right]) => [at(y += up), at(x += right)]);
}});
const swing = (waves) => [Array.from({{length: {RING_VERTICES} + 1}}, (_, at) => {{
  const turn = 2 * Math.PI * (at % {RING_VERTICES}) / {RING_VERTICES};
  let y = 0, x = 0;
  waves.forEach(([up, right], k) => {{
    y += up * Math.cos(k * turn); x += right * (k ? Math.sin(k * turn) : 1);
  }});
  return [y / {WAVES_A_DEGREE}, x / {WAVES_A_DEGREE}];
}})];"""


def steps_of(line: npt.ArrayLike) -> list[list[int]]:
    """Write a line of (lat, lon) degrees as the whole numbers of its steps.

    It takes a fraction of what its coordinates take, compressed.
    """
    whole = np.round(np.asarray(line, float) * STEPS_A_DEGREE).astype(np.int64)
    steps: list[list[int]] = np.diff(whole, axis=0, prepend=np.zeros((1, 2), np.int64)).tolist()
    return steps


def waves_of(ring: npt.NDArray[np.float64]) -> list[list[int]] | None:
    """Write a ring of ``RING_VERTICES`` (lon, lat) degrees as waves of latitude and longitude.

    A geodesic circle is the same to the east and to the west, so that latitude is a sum of cosines
    and longitude one of sines: a dozen numbers, exact to half a metre, where a page has up to fifty
    rings. None for a ring that takes more than ``MOST_WAVES``, as one beside a pole does.
    """
    if len(ring) != RING_VERTICES + 1:  # closed along the edge of the map
        return None
    wave = np.fft.rfft(ring[:-1], axis=0)[: MOST_WAVES + 1] / RING_VERTICES
    up, right = 2 * wave[:, 1].real, -2 * wave[:, 0].imag
    up[0], right[0] = wave[0, 1].real, wave[0, 0].real
    whole = np.round(np.c_[up, right] * WAVES_A_DEGREE).astype(np.int64)
    turn = np.outer(2 * np.pi * np.arange(RING_VERTICES) / RING_VERTICES, np.arange(MOST_WAVES + 1))
    sines = np.where(np.arange(MOST_WAVES + 1) > 0, np.sin(turn), 1.0)
    for count in range(2, MOST_WAVES + 2):
        lat, lon = (
            shape[:, :count] @ whole[:count, axis] / WAVES_A_DEGREE
            for axis, shape in enumerate((np.cos(turn), sines))
        )
        if np.abs(np.c_[lon, lat] - ring[:-1]).max() < WAVES_OFF_DEG:
            waves: list[list[int]] = whole[:count].tolist()
            return waves
    return None


class Traced(folium.PolyLine):
    """A line, or several, whose many corners travel as ``steps_of`` each."""

    kind = "polyline"
    _template = Template(
        "{% macro script(this, kwargs) %}"
        "L.{{ this.kind }}(trace({{ this.steps|tojson }}), {{ this.options|tojson }})"
        ".addTo({{ this._parent.get_name() }});"
        "{% endmacro %}"
    )

    def __init__(self, lines: list[Any], **options: Any) -> None:
        super().__init__(lines, **options)
        self.steps = [steps_of(line) for line in lines]


class TracedArea(Traced):
    """An area and the holes in it, the same way."""

    kind = "polygon"


class Ring(folium.PolyLine):
    """A geodesic circle that travels as ``waves_of`` it."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "L.polyline(swing({{ this.waves|tojson }}), {{ this.options|tojson }})"
        ".addTo({{ this._parent.get_name() }});"
        "{% endmacro %}"
    )

    def __init__(self, waves: list[list[int]], **options: Any) -> None:
        super().__init__([(0.0, 0.0)], **options)  # what is drawn are the waves
        self.waves = waves
