"""What is in view is counted as brute force counts it, at any view, zoom and filter."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.errors import InputError
from territory.prospects import Filters, ProspectIndex, snapshot
from tests.fixtures.snapshots import draw
from webmap.prospects import map_data
from webmap.prospects.current_snapshot import Names
from webmap.prospects.facets import ListPage
from webmap.prospects.query_string import ListRequest, ListScope
from webmap.prospects.viewport import (
    CELL_PX,
    CLASSES,
    EDGE_PX,
    MOST_POINTS,
    SQUARE_PX,
    Box,
    class_limits,
    density,
    look,
)

TAKEN = snapshot.build(draw(6000, seed=9), "stamp")
TARGETS = ProspectIndex(TAKEN)
X, Y = snapshot.mercator(TAKEN.column["lon"], TAKEN.column["lat"])
CRITERIA = (
    Filters(),
    Filters(whitespace=True),
    Filters(choices=(("status", ("customer",)), ("segment", ("small", "enterprise")))),
    Filters(text="acme"),
    Filters(text="nobody at all"),
)


def brute(box: Box, mask: np.ndarray, pixels: int) -> np.ndarray:
    """Tell which rows lie in the squares of so many pixels that a view touches."""
    size = pixels / (256 * 2**box.zoom)
    left, _ = snapshot.mercator(box.west, 0.0)
    turns = ((box.east - box.west) % 360) / 360 if box.east - box.west < 360 else 1.0
    _, (bottom, top) = snapshot.mercator([0.0, 0.0], [box.south, box.north])
    left = left % 1.0
    column = np.floor(X / size)
    first, last = np.floor(left / size), np.floor((left + turns) / size)
    across = 1 / size
    inside = (column >= first) & (column <= last) | (column + across <= last)
    row = np.floor(np.clip(Y, 0, 1) / size)
    top_row, bottom_row = (np.clip(np.floor(y / size), 0, across - 1) for y in (top, bottom))
    return mask & inside & (row >= top_row) & (row <= bottom_row)


boxes = st.builds(
    lambda west, south, width, height, zoom: Box(
        west, south, west + width, min(south + height, 85), zoom
    ),
    st.floats(-180, 180),
    st.floats(-80, 80),
    st.floats(0.001, 60),
    st.floats(0.001, 40),
    st.integers(0, 18),
)


@settings(deadline=None)
@given(boxes, st.sampled_from(CRITERIA), st.sampled_from((None, frozenset(("ana",)))))
def test_points_in_view_are_those_that_are_there(
    box: Box, filters: Filters, reps: frozenset[str] | None
) -> None:
    selection = TARGETS.select(filters, reps)
    if 2**box.zoom * (box.east - box.west) > 4000:  # wider than any screen
        return
    view = look(TAKEN, selection, box, most=10**9)
    assert sorted(view.rows) == list(np.flatnonzero(brute(box, selection.mask, EDGE_PX)))
    assert view.total == len(view.rows)


@settings(deadline=None)
@given(boxes, st.sampled_from(CRITERIA))
def test_clusters_add_up_to_the_exact_number(box: Box, filters: Filters) -> None:
    selection = TARGETS.select(filters)
    if 2**box.zoom * (box.east - box.west) > 4000:
        return
    view = look(TAKEN, selection, box, most=-1)
    whole = brute(box, selection.mask, CELL_PX)
    assert view.count.sum() + len(view.rows) == whole.sum()
    assert selection.mask[view.rows].all()
    assert view.total == brute(box, selection.mask, EDGE_PX).sum()


NAMES = Names({}, {}, 50 * 1609.344)
TODAY = dt.date(2026, 11, 23)
REPS = (None, frozenset(("ana",)), frozenset(("ana", "bo")), frozenset(("nobody",)))
PLACES = (ListScope(), ListScope("m1"), ListScope("m2"), ListScope(is_outside=True))
FRAME = {
    name: np.array([None, *TAKEN.labels[name]], object)[TAKEN.column[name]]
    for name in ("status", "segment", "stage", "market_id", "rep_id", "precision")
}
asked = st.builds(
    ListRequest,
    choices=st.lists(st.sampled_from(("customer", "prospect", "none")), unique=True).map(
        lambda values: (("status", tuple(values)),) if values else ()
    ),
    ranges=st.sampled_from(((), (("employees", 10.0, 40.0),), (("score", None, 25.0),))),
    flags=st.sampled_from(((), (("has_contacts", True),), (("is_multi_site", False),))),
    whitespace=st.booleans(),
)


def passes(one: ListRequest, place: ListScope, reps: frozenset[str] | None) -> np.ndarray:
    """Tell row by row what is let through: written down here once more, in plain words."""
    mask = np.ones(TAKEN.size, bool)
    if reps is not None:
        mask &= np.isin(FRAME["rep_id"].astype(str), list(reps))
    if place.is_outside:
        mask &= FRAME["market_id"] == None  # noqa: E711
    elif place.market_id:
        mask &= FRAME["market_id"] == place.market_id
    for _, values in one.choices:
        mask &= np.isin(FRAME["status"].astype(str), values)
    for name, low, high in one.ranges:
        number = TAKEN.column[name]
        mask &= ~np.isnan(number) & (number >= (low or -1e9)) & (number <= (high or 1e9))
    for name, holds in one.flags:
        mask &= TAKEN.column[name] == holds
    return mask & (FRAME["stage"] == None) if one.whitespace else mask  # noqa: E711


@settings(deadline=None)
@given(boxes, asked, st.sampled_from(PLACES), st.sampled_from(REPS), st.booleans())
def test_what_the_map_is_answered_adds_up_under_any_filter_place_and_scope(
    box: Box, one: ListRequest, place: ListScope, reps: frozenset[str] | None, is_density: bool
) -> None:
    if 2**box.zoom * (box.east - box.west) > 4000:
        return
    drawn_so = ListRequest(**{**vars(one), "draw": "density" if is_density else "symbols"})
    found = map_data.map_document(ListPage(TARGETS, drawn_so, place, reps, NAMES, TODAY), box)
    mask, everyone = passes(one, place, reps), passes(ListRequest(), place, reps)
    is_placed = ~np.isnan(TAKEN.column["lon"])
    assert found["total"] == everyone.sum()
    assert found["shown"] == mask.sum()
    assert found["placed"] == (mask & is_placed).sum()
    assert found["in_view"] == brute(box, mask, EDGE_PX).sum()
    drawn, wide = len(found["points"]["id"]), box.widened(map_data.MARGIN)
    if is_density:
        assert drawn == 0
        assert sum(found["density"]["count"]) == brute(wide, mask, SQUARE_PX).sum()
        return
    clusters = found["clusters"]["count"]
    pixels = CELL_PX if clusters else EDGE_PX
    whole = brute(wide, mask, pixels)
    assert drawn + sum(clusters) == whole.sum()
    rows = [TAKEN.row_of(one_id) for one_id in found["points"]["id"]]
    assert mask[rows].all()


def test_the_country_is_clustered_under_filters_and_adds_up() -> None:
    box = Box(-130, 20, -60, 52, 4)
    one = ListRequest(choices=(("status", ("customer", "prospect")),))
    found = map_data.map_document(ListPage(TARGETS, one, ListScope(), None, NAMES, TODAY), box)
    assert len(found["clusters"]["count"]) > 20
    assert sum(found["clusters"]["count"]) + len(found["points"]["id"]) == found["placed"]


@given(st.integers(0, 10**9))
def test_classes_divide_all_counts_and_none_is_empty(most: int) -> None:
    limits = class_limits(most)
    assert len(limits) < CLASSES
    assert list(limits) == sorted(set(limits))
    assert all(2 <= limit <= most for limit in limits)
    if most >= CLASSES:
        assert len(limits) == CLASSES - 1


def test_a_square_of_the_density_holds_those_that_stand_in_it() -> None:
    everyone = TARGETS.select(Filters())
    seen = density(TAKEN, everyone, Box(-130, 20, -60, 52, 5))
    grid = 256 * 2**5 / SQUARE_PX
    column, row = np.floor(X * grid), np.floor(Y * grid)
    for x, y, count in zip(seen.x, seen.y, seen.count, strict=True):
        assert ((column == x) & (row == y)).sum() == count
    placed = ~np.isnan(X)
    _, counts = np.unique(column[placed] * grid + row[placed], return_counts=True)
    assert seen.limits == class_limits(counts.max())
    near = density(TAKEN, everyone, Box(-90, 40, -89.9, 40.1, 5))
    assert near.limits == seen.limits


@settings(deadline=None)
@given(boxes, st.floats(0, 0.5))
def test_a_margin_is_drawn_and_not_counted(box: Box, margin: float) -> None:
    everyone = TARGETS.select(Filters())
    if 2**box.zoom * (box.east - box.west) > 2000:
        return
    view = look(TAKEN, everyone, box, most=10**9, margin=margin)
    assert view.total == brute(box, everyone.mask, EDGE_PX).sum()
    wide = box.widened(margin)
    assert set(view.rows) == set(np.flatnonzero(brute(wide, everyone.mask, EDGE_PX)))


def test_the_country_is_clustered_and_a_street_is_not() -> None:
    everyone = TARGETS.select(Filters())
    country = look(TAKEN, everyone, Box(-130, 20, -60, 52, 4))
    assert country.total == TAKEN.placed > MOST_POINTS
    assert len(country.count) > 20
    assert np.abs(country.lat).max() < 60
    lon, lat = (float(TAKEN.column[name][0]) for name in ("lon", "lat"))
    street = look(TAKEN, everyone, Box(lon - 0.01, lat - 0.01, lon + 0.01, lat + 0.01, 15))
    assert 0 in street.rows
    assert len(street.count) == 0


def test_clusters_stand_among_their_members() -> None:
    view = look(TAKEN, TARGETS.select(Filters()), Box(-130, 20, -60, 52, 5))
    x, y = snapshot.mercator(view.lon, view.lat)
    cell = CELL_PX / (256 * 2**5)
    for at in range(len(view.count)):
        same = (np.floor(X / cell) == np.floor(x[at] / cell)) & (
            np.floor(Y / cell) == np.floor(y[at] / cell)
        )
        assert same.sum() == view.count[at]


def test_a_view_across_the_antimeridian_sees_both_sides() -> None:
    frame = draw(40, seed=1)
    frame["lon"], frame["lat"] = np.where(np.arange(40) % 2, 179.9, -179.9), 10.0
    taken = snapshot.build(frame, "edge")
    everyone = ProspectIndex(taken).select(Filters())
    assert look(taken, everyone, Box(179, 9, -179, 11, 6)).total == 40
    assert look(taken, everyone, Box(179, 9, 181, 11, 6)).total == 40
    assert look(taken, everyone, Box(-179.8, 9, 179.7, 11, 6)).total == 0
    assert look(taken, everyone, Box(-540, -80, 540, 80, 1)).total == 40


@pytest.mark.parametrize(
    "numbers", [(0, 10, 1, 5, 3), (0, -91, 1, 5, 3), (float("nan"), 0, 1, 1, 3), (0, 0, 1, 1, 40)]
)
def test_what_is_no_view_is_refused(numbers: tuple[float, ...]) -> None:
    with pytest.raises(InputError):
        Box(*numbers)
