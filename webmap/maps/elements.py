"""Elements that our maps add to folium's: lines in few numbers, and the map handed to our scripts.

An outline travels as the steps from corner to corner, a ring as its centre and radius; both are put
together again in the browser by ``static/maps/lines.js``. Beside their coordinates, compressed,
either is a fraction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import folium
import numpy as np
from branca.element import MacroElement
from folium.elements import JSCSSMixin
from folium.template import Template

from webmap.maps import assets

if TYPE_CHECKING:
    import numpy.typing as npt

RING_VERTICES = 256  # 6 m short of the true circle at 50 miles
STEPS_A_DEGREE = 25_000  # coordinates travel in whole steps of 4.5 m; none of them decides anything
LINES_WAIT_MS = 150  # that the rings of offices wait for the first prospects


def steps_of(line: npt.ArrayLike) -> list[list[int]]:
    """Write a line of (lat, lon) degrees as the whole numbers of its steps."""
    whole = np.round(np.asarray(line, float) * STEPS_A_DEGREE).astype(np.int64)
    steps: list[list[int]] = np.diff(whole, axis=0, prepend=np.zeros((1, 2), np.int64)).tolist()
    return steps


class Traced(folium.PolyLine):
    """A line, or several, whose many corners travel as ``steps_of`` each."""

    kind = "polyline"
    _template = Template(
        "{% macro script(this, kwargs) %}"
        f"L.{{{{ this.kind }}}}(mapLines.trace({{{{ this.steps|tojson }}}}, {STEPS_A_DEGREE}), "
        "{{ this.options|tojson }}).addTo({{ this._parent.get_name() }});"
        "{% endmacro %}"
    )

    def __init__(self, lines: list[Any], **options: Any) -> None:
        super().__init__(lines, **options)
        self.steps = [steps_of(line) for line in lines]


class TracedArea(Traced):
    """An area and the holes in it, the same way."""

    kind = "polygon"


class Ring(folium.PolyLine):
    """A geodesic circle of ``RING_VERTICES`` that travels as its centre and radius in metres."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "L.polyline(mapLines.ring({{ this.lat }}, {{ this.lon }}, {{ this.radius_m }}, "
        f"{RING_VERTICES}), "
        "{{ this.options|tojson }}).addTo({{ this._parent.get_name() }});"
        "{% endmacro %}"
    )

    def __init__(self, lon: float, lat: float, radius_m: float, **options: Any) -> None:
        super().__init__([(lat, lon)], **options)  # its vertices are made in the browser
        self.lon, self.lat, self.radius_m = lon, lat, radius_m


class Handover(JSCSSMixin):
    """Hands the folium map it is added to over to a function of one of our own scripts."""

    function: str
    source: str
    _template = Template(
        "{% macro script(this, kwargs) %}"
        "{{ this.function }}({{ this._parent.get_name() }});"
        "{% endmacro %}"
    )

    def __init__(self) -> None:
        super().__init__()
        self._name = type(self).__name__
        self.default_js = [(self.source, assets.path(self.source))]
        self.default_css = [("map.css", assets.path("prospects/map.css"))]


class ProspectLayer(Handover):
    """Asks for the prospects in view and draws them."""

    function, source = "prospectLayer", "prospects/map.js"


class MarketOverview(Handover):
    """Names every market and links to its page."""

    function, source = "marketOverview", "operations/map-overview.js"


class PlacePicker(Handover):
    """Shows the places that one row could be at, and a pin to drag."""

    function, source = "placePicker", "operations/map-place.js"


class HomeCheck(Handover):
    """Shows the office of one decision, its ring, and where the home may be."""

    function, source = "homeCheck", "hr/map.js"


class ProspectsFirst(MacroElement):
    """Draws what follows it once the first prospects are seen, or after a moment without them."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "await Promise.race([{{ this._parent.get_name() }}.answered, "
        f"new Promise((go) => setTimeout(go, {LINES_WAIT_MS}))]);"
        "await new Promise((go) => "
        "requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(go))));"
        "{% endmacro %}"
    )


class LinesDrawn(MacroElement):
    """Tells the prospect layer that all that folium draws is on the map."""

    _template = Template(
        '{% macro script(this, kwargs) %}{{ this._parent.get_name() }}.fire("lines");{% endmacro %}'
    )
