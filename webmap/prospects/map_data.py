"""Map data: what the map asks for when it is moved, and what the search offers while one types.

A view is answered from the snapshot that all workers map into memory: points where there are few,
clusters with true counts where there are many, and how many of how many that is. The page, its
list, every export and this read the same query string.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from flask import Blueprint, Response, jsonify, request

from territory import geodesy, units_of_length
from territory.geocoding import PRECISE
from territory.labels import SEGMENT
from territory.prospects import Filters, fold_words
from webmap import security
from webmap.prospects import facets, query_string, symbology, viewport

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.prospects import Snapshot
    from webmap.prospects.current_snapshot import Names
    from webmap.prospects.facets import ListPage
    from webmap.prospects.query_string import ListRequest
    from webmap.prospects.viewport import Box, Density

blueprint = Blueprint("view", __name__)

MARGIN = 0.2  # of the view on every side, so that a drag shows no edge
RING_VERTICES = 128
SUGGESTED = 8
# The words of a point; each is sent once, and each point has its number.
CODED = ("stage", "city", "state")


@blueprint.get("/view.json")
@security.allows("see_accounts_all", "see_accounts_own")
def view() -> Response:
    """Answer with what is in view of a market, under the filters of the page.

    Beside the filters the query has ``bbox``, ``zoom``, ``market`` or ``outside``, and ``prospect``
    for one that is wanted wherever it is.
    """
    list_page = facets.list_page(query_string.read_scope(request.args))
    box = query_string.read_box(request.args)
    return jsonify(map_document(list_page, box, request.args.get("prospect")))


@blueprint.get("/suggest.json")
@security.allows("see_accounts_all", "see_accounts_own")
def suggest() -> Response:
    """Offer what the search may become: words with their counts, and names, the best score first.

    Only what is within reach is offered, and counted.
    """
    return jsonify(suggestions=suggestions(facets.list_page(query_string.read_scope(request.args))))


def map_document(list_page: ListPage, box: Box, prospect_id: str | None = None) -> dict[str, Any]:
    """Make what ``static/prospects/map.js`` draws.

    Returns
    -------
    document
        ``total`` (of the scope), ``shown`` (of those under the filters), ``placed`` (of those with
        a location), ``in_view`` (of those), ``points`` and ``clusters``, both columnar. A choice is
        {"values": [...], "of": [number per point]}. ``in_points`` is how many of the points are in
        view; one more is ``prospect_id``, where it is not among them. ``shapes`` (pairs of shape
        and word), ``colours`` and ``sizes`` are the legend, ``ring`` the circle round the point
        that ``near`` names. Asked for density there are neither points nor clusters but
        ``density``: squares of ``px`` pixels by column and row of ``zoom``, with the least counts
        of the classes and the legend of those.
    """
    index, list_request = list_page.index, list_page.request
    snapshot, selection, everyone = index.snapshot, list_page.selection, list_page.everyone
    squares = None
    if list_request.draw == "density":
        squares = viewport.density(snapshot, selection, box, margin=MARGIN)
        visible = viewport.View.nothing(squares.total)
    else:
        visible = viewport.look(snapshot, selection, box, margin=MARGIN)
    rows = visible.rows
    row = snapshot.row_of(prospect_id) if prospect_id else None
    if row is not None and everyone.mask[row] and row not in rows:
        rows = np.append(rows, row)
    legend = symbology.legend(list_page)
    points = _points(snapshot, rows, list_page.names)
    points["colour"] = legend.numbers(snapshot, rows)
    points["step"] = symbology.steps(snapshot, list_request.size, rows)
    return {
        "total": everyone.total,
        "shown": selection.total,
        "placed": int(selection.before[snapshot.placed]),
        "in_view": visible.total,
        "points": points,
        "in_points": len(visible.rows),
        "clusters": {
            "lon": np.round(visible.lon, 5).tolist(),
            "lat": np.round(visible.lat, 5).tolist(),
            "count": visible.count.tolist(),
        },
        "shapes": symbology.SHAPES,
        "colours": legend.as_json(),
        "sizes": symbology.size_legend(list_request.size),
        "ring": _ring(list_request),
        "density": None if squares is None else _density(squares, box),
    }


def _density(squares: Density, box: Box) -> dict[str, Any]:
    """Give squares and the legend that says what their classes stand for."""
    starts = (1, *squares.limits)
    words = [_numbers_of(low, high) for low, high in itertools.pairwise(starts)]
    middle = (box.south + box.north) / 2  # across which a square is as wide at any longitude
    width_m = geodesy.inverse(0.0, middle, viewport.square_deg(box.zoom), middle)
    return {
        "x": squares.x.tolist(),
        "y": squares.y.tolist(),
        "count": squares.count.tolist(),
        "px": viewport.SQUARE_PX,
        "zoom": box.zoom,
        "limits": squares.limits,
        "title": f"prospects per square, {_width(float(width_m[0]))} wide",
        "words": [*words, f"{starts[-1]:,} and more" if len(starts) > 1 else "1"],
    }


def _numbers_of(low: int, high: int) -> str:
    """Say which counts lie from ``low`` on and below ``high``."""
    return f"{low:,}" if high == low + 1 else f"{low:,} to {high - 1:,}"


def _width(metres: float) -> str:
    """Say a width in miles to two digits: "4.8 mi", "0.15 mi", "210 mi"."""
    return f"{float(f'{units_of_length.to_miles(metres):.1e}'):g} mi"


def _points(snapshot: Snapshot, rows: npt.NDArray[np.int64], names: Names) -> dict[str, Any]:
    """Give the columns of some prospects, as the map words and draws them."""
    column = snapshot.column
    columns: dict[str, Any] = {
        "id": snapshot.texts["prospect_id"].take(rows),
        "name": snapshot.texts["name"].take(rows),
        "lon": _numbers(np.round(column["lon"][rows], 5)),
        "lat": _numbers(np.round(column["lat"][rows], 5)),
        "miles": _numbers(_miles(column["distance_mi"][rows].astype(float), names.limit_m)),
        **_known_to(snapshot, rows),
        "score": _numbers(np.round(column["score"][rows].astype(float), 1)),
    }
    for name in CODED:
        columns[name] = symbology.coded(snapshot, name, rows)
    columns["shape"] = symbology.shapes(snapshot, rows)
    columns["segment"] = symbology.coded(snapshot, "segment", rows, SEGMENT)
    columns["verdict"] = symbology.coded(snapshot, "verdict", rows, _verdicts(names.limit_m))
    columns["office"] = symbology.coded(snapshot, "nearest_office_id", rows, names.offices)
    columns["rep"] = symbology.coded(snapshot, "rep_id", rows, names.reps)
    return columns


def _verdicts(limit_m: float) -> dict[str, str]:
    """Say a verdict within a sentence."""
    limit = f"{units_of_length.to_miles(limit_m):g} mi"
    return {
        "in": f"within {limit}",
        "out": f"beyond {limit}",
        "too_close_to_call": f"near the {limit} line, too close to call",
    }


def _known_to(snapshot: Snapshot, rows: npt.NDArray[np.int64]) -> dict[str, list[float | None]]:
    """Give miles and metres round a point that is but approximately known, null for all others."""
    miles = np.round(snapshot.column["uncertainty_mi"][rows].astype(float), 2)
    is_precise = np.isin(snapshot.column["precision"][rows], snapshot.codes("precision", PRECISE))
    miles[is_precise | ~(miles > 0)] = np.nan
    metres = np.round(miles * units_of_length.METRES_PER_MILE, 1)
    return {"known_to": _numbers(miles), "circle_m": _numbers(metres)}


def _numbers(values: npt.NDArray[np.float64]) -> list[float | None]:
    """Give numbers to JSON, which has no NaN."""
    return [None if value != value else value for value in values.tolist()]


def _miles(values: npt.NDArray[np.float64], limit_m: float) -> npt.NDArray[np.float64]:
    """Round miles to 0.1, and near the limit so that none reads on the wrong side of it."""
    limit = units_of_length.to_miles(limit_m)
    rounded = np.round(values, 1)
    for at in np.flatnonzero(np.abs(values - limit) < 0.1):
        words = units_of_length.format_miles(values[at] * units_of_length.METRES_PER_MILE, limit_m)
        rounded[at] = float(words.removesuffix(" mi").replace(",", ""))
    return rounded


def _ring(list_request: ListRequest) -> list[list[float]] | None:
    """Draw the circle that ``near`` asks about, as [lat, lon] on the ellipsoid."""
    if list_request.near is None:
        return None
    lon, lat, miles = list_request.near
    circle = geodesy.ring(lon, lat, miles * units_of_length.METRES_PER_MILE, vertices=RING_VERTICES)
    ring: list[list[float]] = np.round(circle[:, ::-1], 5).tolist()
    return ring


def suggestions(list_page: ListPage) -> list[dict[str, Any]]:
    """Give what the search may become: ``text``, ``count`` of prospects and the ``kind``.

    Its other filters count for nothing.
    """
    index, text = list_page.index, list_page.request.text
    if not fold_words(text):
        return []
    snapshot = index.snapshot
    begun, _, _ = text.rpartition(" ")
    words = [
        {"text": f"{begun} {word}".strip(), "count": count, "kind": "word"}
        for word, count in snapshot.words.suggest(text, list_page.everyone.mask, SUGGESTED)
    ]
    hits = index.select(Filters(text=text, choices=list_page.scope.choices), list_page.reps)
    best = index.first(hits, "score", SUGGESTED)
    names = dict.fromkeys(snapshot.texts["name"].take(best))
    return words + [{"text": name, "count": 1, "kind": "name"} for name in names]
