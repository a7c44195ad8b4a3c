"""The bounds and the closed form hold everywhere on earth."""

from __future__ import annotations

import numpy as np
import pytest
from shapely.geometry import Point, Polygon

from territory.errors import CoordinateError, LengthError
from territory.geodesy import (
    chord_lower_bound,
    chord_upper_bound,
    geodesic_upper_bound,
    inverse,
    ring,
    short_geodesic,
    to_ecef,
)
from territory.geodesy.ellipsoid import CLOSED_FORM_REACH_M, GEOD, SLACK_M, check_coordinates

PLACES = ("globe", "contiguous states", "poles", "antimeridian", "equator")
LENGTHS = ("short", "50 miles", "any", "antipodal")
N = 20_000


def draw(kind: str, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude of n places, with the hard ones drawn by orders of magnitude."""
    lon, lat = rng.uniform(-180, 180, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    sign, tiny = rng.choice([-1, 1], n), 10 ** rng.uniform(-7, 0.5, n)
    if kind == "contiguous states":
        return rng.uniform(-125, -67, n), rng.uniform(25, 49, n)
    if kind == "poles":
        return lon, sign * (90 - tiny)
    if kind == "antimeridian":
        return sign * (180 - tiny), lat
    if kind == "equator":
        return lon, sign * tiny
    return lon, lat


@pytest.fixture(params=[(place, length) for place in PLACES for length in LENGTHS], ids=str)
def pairs(request: pytest.FixtureRequest) -> tuple[np.ndarray, ...]:
    """Geodesic, chord, and the z of both ends, for pairs of one kind."""
    place, length = request.param
    rng = np.random.default_rng([PLACES.index(place), LENGTHS.index(length)])
    lon, lat = draw(place, N, rng)
    if length == "antipodal":
        lon2 = (lon + 360 + rng.normal(0, 0.3, N)) % 360 - 180
        lat2 = np.clip(-lat + rng.normal(0, 0.3, N), -90, 90)
    else:
        far = {
            "short": 10 ** rng.uniform(-3, 5.17, N),
            "50 miles": 80_467.2 + rng.uniform(-1, 1, N),
            "any": rng.uniform(0, 2e7, N),
        }
        lon2, lat2, _ = GEOD.fwd(lon, lat, rng.uniform(0, 360, N), far[length])
    p, q = to_ecef(lon, lat), to_ecef(lon2, lat2)
    s = GEOD.inv(lon, lat, lon2, lat2)[2]
    return s, np.sqrt(((p - q) ** 2).sum(axis=1)), p[:, 2], q[:, 2]


def test_a_geodesic_lies_between_its_chord_and_the_longest_for_that_chord(
    pairs: tuple[np.ndarray, ...],
) -> None:
    s, chord, _, _ = pairs
    assert (chord <= s + SLACK_M).all()
    assert (s <= geodesic_upper_bound(chord) + SLACK_M).all()


def test_no_chord_up_to_the_lower_bound_has_a_longer_geodesic(
    pairs: tuple[np.ndarray, ...],
) -> None:
    s, chord, _, _ = pairs
    for limit_m in (1.0, 80_467.2, 1e6, 1.2e7, 1.59e7, 1.9e7, 2.0002e7):
        assert not (s[chord <= chord_lower_bound(limit_m)] > limit_m).any()


def test_no_chord_beyond_the_upper_bound_has_a_geodesic_that_short(
    pairs: tuple[np.ndarray, ...],
) -> None:
    s, chord, _, _ = pairs
    for limit_m in (1.0, 80_467.2, 1e6, 1.2e7, 1.59e7, 1.9e7, 2.0002e7):
        assert not (s[chord > chord_upper_bound(limit_m)] <= limit_m).any()


def test_what_the_bounds_leave_open_at_50_miles_is_less_than_a_metre() -> None:
    assert 0.54 < chord_upper_bound(80_467.2) - chord_lower_bound(80_467.2) < 0.55


def test_the_closed_form_is_within_15_nanometres_up_to_150_km(
    pairs: tuple[np.ndarray, ...],
) -> None:
    s, chord, z1, z2 = pairs
    near = (chord > 0) & (chord <= CLOSED_FORM_REACH_M)
    length = short_geodesic(chord[near], geodesic_upper_bound(chord[near]), z1[near], z2[near])
    assert (np.abs(length - s[near]) < 15e-9).all()


def test_the_published_geodesics_are_met(shared) -> None:
    lines = np.loadtxt(shared / "geodtest_sample_2000.txt")
    lat1, lon1, _, lat2, lon2, _, s12 = lines.T[:7]
    wrapped = (lon2 + 180) % 360 - 180
    error = np.abs(inverse(lon1, lat1, wrapped, lat2) - s12)
    assert len(lines) == 2000
    assert ((error <= 1e-8 * s12) | (error <= 15e-9)).all()


def test_one_point_is_measured_against_many() -> None:
    assert inverse(0, 0, [0, 1, 2], [0, 0, 0]) == pytest.approx([0, 111319.4908, 222638.9816])


@pytest.mark.parametrize("lon", [-75, 179.9, -179.9, 180])
@pytest.mark.parametrize("lat", [0, 39, -80])
@pytest.mark.parametrize("radius_m", [100, 80_467.2, 900_000])
def test_a_ring_is_closed_equally_far_and_never_jumps(
    lon: float, lat: float, radius_m: float
) -> None:
    line = ring(lon, lat, radius_m, vertices=256)
    assert line.shape == (257, 2)
    assert (line[0] == line[-1]).all()
    wrapped = (line[:, 0] + 180) % 360 - 180
    assert inverse(lon, lat, wrapped, line[:, 1]) == pytest.approx(radius_m, abs=1e-5)
    assert (np.abs(np.diff(line[:, 0])) < 60).all()
    assert Polygon(line).contains(Point(lon, lat))


@pytest.mark.parametrize("lat", [89.9, -89.9, 89.99999, -89.5])
def test_a_ring_round_a_pole_is_closed_along_the_edge_of_the_map(lat: float) -> None:
    line = ring(12, lat, 80_467.2)
    drawn = Polygon(line)
    assert drawn.is_valid
    assert np.ptp(line[:, 0]) == pytest.approx(360, abs=1)
    assert drawn.contains(Point(12, lat))
    assert drawn.distance(Point(12, np.copysign(90, lat))) == 0
    assert line[:, 0].mean() == pytest.approx(12, abs=1)


@pytest.mark.parametrize("radius_m", [0, -5, np.nan, np.inf, 1e7])
def test_a_ring_that_cannot_be_drawn_is_refused(radius_m: float) -> None:
    with pytest.raises(LengthError, match=r"ring of|radius of"):
        ring(0, 0, radius_m)


@pytest.mark.parametrize(
    ("lon", "lat", "remedy"),
    [
        (38.9, -97.2, "were they swapped?"),
        (np.nan, 38.9, "missing or infinite"),
        (-77.2, np.inf, "missing or infinite"),
        (282.8, 38.9, "subtract 360"),
        (-7720, 3890, "degrees are meant"),
    ],
)
def test_a_place_off_the_globe_is_named_with_a_remedy(lon: float, lat: float, remedy: str) -> None:
    with pytest.raises(CoordinateError) as caught:
        check_coordinates([0, lon, 0], [0, lat, 0])
    assert f"index 1: lon={lon:.12g}, lat={lat:.12g}" in str(caught.value)
    assert "1 of 3 points" in str(caught.value)
    assert remedy in str(caught.value)


def test_every_place_off_the_globe_counts_and_the_first_five_are_told() -> None:
    with pytest.raises(CoordinateError, match=r"^1,000 of 1,001 .* index 5: .*; and 995 more\.$"):
        check_coordinates(np.r_[0, np.full(1000, 181)], np.zeros(1001))


def test_columns_that_are_no_places_are_refused() -> None:
    with pytest.raises(CoordinateError, match=r"lon has shape \(2,\) and lat \(1,\)"):
        check_coordinates([1, 2], [3])
    with pytest.raises(CoordinateError, match="must be numbers"):
        check_coordinates(["west"], [3])


def test_the_very_edges_of_the_globe_are_places() -> None:
    lon, lat = check_coordinates([-180, 180, 0, 0], [0, 0, 90, -90])
    assert len(lon) == len(lat) == 4
