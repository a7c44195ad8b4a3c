"""Coordinate checks: off the globe, swapped, without their sign; the other ways to read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

# West, south, east, north in degrees, with room to spare: the fifty states with Puerto Rico and the
# Virgin Islands; Guam and the Marianas; Wake Island; American Samoa; the Aleutians beyond 180.
_UNITED_STATES = (
    (-180, 17, -64, 72),
    (144, 13, 147, 21),
    (166, 19, 167, 20),
    (-172, -15, -168, -10),
    (172, 51, 180, 54),
)
_CANADA = (-142, 41, -52, 84)
ANTARCTIC_LAT = -60.0
_DEGREE_M = 111_320.0  # of latitude, and of longitude at the equator
_ROUNDED = 2  # decimals of coordinates that say less than a street
_ROUND = 1e-7
ELSEWHERE_STATES = ("AA", "AE", "AP", "FM", "MH", "PW")  # mail that is American, soil that is not


def in_united_states(lon: Floats, lat: Floats) -> Bools:
    """Tell which points lie in one of the boxes round the United States and its territories."""
    inside = np.zeros(np.shape(lon), bool)
    for west, south, east, north in _UNITED_STATES:
        inside |= (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return inside


def in_country(lon: Floats, lat: Floats, country: npt.NDArray[np.object_]) -> Bools:
    """Tell which points lie in a box round their country; false where we know no box of it."""
    west, south, east, north = _CANADA
    canadian = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    inside: Bools = ((country == "US") & in_united_states(lon, lat)) | (country == "CA") & canadian
    return inside


def readings(lon: Floats, lat: Floats) -> list[tuple[str, Floats, Floats]]:
    """The other ways to read coordinates: swapped, without a lost sign, both.

    Returns
    -------
    readings
        How, lon and lat in degrees; NaN where that would be off the globe.
    """
    ways = (
        ("swapped", lat, lon),
        ("with the other sign before lon", -lon, lat),
        ("with the other sign before lat", lon, -lat),
        ("swapped, and with the other sign before lon", -lat, lon),
        ("swapped, and with the other sign before lat", lat, -lon),
    )
    off = [np.abs(other_lat) > 90 for _, _, other_lat in ways]
    return [
        (how, np.where(bad, np.nan, other_lon), np.where(bad, np.nan, other_lat))
        for (how, other_lon, other_lat), bad in zip(ways, off, strict=True)
    ]


def rounding_m(lon: Floats, lat: Floats) -> Floats:
    """Metres that coordinates of two decimals or fewer may be off by their rounding; else 0.

    That is half the last digit, in both directions together. The finer of the two axes counts,
    because a zero at the end of a number is often not written. NaN gives 0.
    """
    metres = np.zeros(len(lon))
    at = np.flatnonzero(_has_decimals(lat, _ROUNDED))
    for decimals in range(_ROUNDED, -1, -1):
        is_round = _has_decimals(lat[at], decimals) & _has_decimals(lon[at], decimals)
        at = at[is_round]
        if not len(at):
            break
        half = 0.5 / 10**decimals * _DEGREE_M
        metres[at] = half * np.hypot(1.0, np.cos(np.radians(lat[at])))
    return metres


def _has_decimals(degrees: Floats, decimals: int) -> Bools:
    """Tell which numbers have no more than so many decimals."""
    scaled = degrees * 10.0**decimals
    round_: Bools = np.abs(scaled - np.rint(scaled)) < _ROUND
    return round_


def suspects(lon: Floats, lat: Floats) -> Bools:
    """Tell which points could have a fault if they are said to be American; cheap for millions.

    Every point to which ``faults`` has something to say, whatever is known of it, is among them.
    NaN is none.
    """
    is_placed = ~(np.isnan(lon) | np.isnan(lat))
    return is_placed & ~in_united_states(lon, lat)


def faults(
    lon: Floats, lat: Floats, is_american: Bools, *, with_antarctica: bool = False
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
    """Say what is wrong with each point, and the remedy; None where nothing is, or no point is.

    Parameters
    ----------
    lon, lat
        Degrees as given, NaN where none are. Shape (n,).
    is_american
        Whether the row says that the point is in the United States. It is the evidence by which
        swapped coordinates and a lost minus sign are recognised.
    with_antarctica
        Take points south of 60 degrees south as meant. Otherwise they are refused: nobody has
        an address there, and the eastern United States swapped fall there.
    """
    reason = np.full(len(lon), None, dtype=object)
    remedy = np.full(len(lon), None, dtype=object)
    with np.errstate(invalid="ignore"):
        off = (np.abs(lat) > 90) | (np.abs(lon) > 180)
        could_swap = (np.abs(lat) <= 180) & (np.abs(lon) <= 90)
        american = is_american & suspects(lon, lat)
        swapped = american & in_united_states(lat, lon)
        signless = american & ~swapped & in_united_states(-np.abs(lon), lat)
        antarctic = ~off & (lat < ANTARCTIC_LAT) & (not with_antarctica)
    swap, sign = "Swap lat and lon.", "Put a minus sign before lon."
    cases = (
        (antarctic, "is in Antarctica (were they swapped?)", "Correct or swap them."),
        (off, "is off the globe", "Correct the coordinates, or leave them blank."),
        (off & could_swap, "is off the globe (were they swapped?)", "Correct or swap them."),
        (signless, "is not in the United States, but would be with lon negative", sign),
        (swapped, "is not in the United States, but would be the other way round", swap),
    )
    for rows, what, cure in cases:
        for at in np.flatnonzero(rows):
            reason[at], remedy[at] = f"lat={lat[at]:.10g}, lon={lon[at]:.10g} {what}", cure
    return reason, remedy
