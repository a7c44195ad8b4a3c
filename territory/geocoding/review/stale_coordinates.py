"""Coordinates that a file still gives although the address beside them has changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.cleaning import fold
from territory.geocoding import CONFLICT_M
from territory.geodesy import inverse
from territory.schemas import GEOCODE
from territory.units_of_length import format_miles

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

# The note of a row begins with this as long as its coordinates are not to be trusted: the next
# import of the same file, which sees no change any more, goes by it.
MARK = "the coordinates given are those of an earlier address"
_SAME_DEGREES = 1e-7
# A suite is not an address of its own, and Street is St.
_UNIT = re.compile(
    r"[\s,]+(?:suite|ste|unit|apt|apartment|floor|fl|room|rm|bldg|building|#)\b.*|#.*"
)
_STREET_WORDS = {
    "street": "st", "avenue": "ave", "av": "ave", "road": "rd", "drive": "dr", "lane": "ln",
    "boulevard": "blvd", "court": "ct", "place": "pl", "square": "sq", "parkway": "pkwy",
    "highway": "hwy", "circle": "cir", "terrace": "ter", "north": "n", "south": "s", "east": "e",
    "west": "w", "northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw",
}  # fmt: skip


def outdated(rows: pd.DataFrame, key: str, before: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Find the rows whose address has changed while the coordinates given have not, by position.

    Filling in what was blank is no change, nor is another suite, ZIP+4 or way to write Street.

    Parameters
    ----------
    rows
        ``key``, the address, given_lon and given_lat (WGS84 degrees) as the file gives them now.
    before
        The same of the rows in the store that have given coordinates, and their geocode_note.
    """
    which = pd.Index(before[key]).get_indexer(pd.Index(rows[key]))
    at = np.flatnonzero((which >= 0) & rows["given_lon"].notna().to_numpy(bool))
    now, then = rows.iloc[at].set_axis(at), before.iloc[which[at]].set_axis(at)
    same_point = np.ones(len(at), bool)
    for name in ("given_lon", "given_lat"):
        same_point &= np.abs(now[name] - then[name]).to_numpy(float) <= _SAME_DEGREES
    at, now, then = at[same_point], now[same_point], then[same_point]
    is_old = then["geocode_note"].astype("str").str.contains(MARK, regex=False, na=False)
    is_old = is_old.to_numpy(bool, copy=True)
    for name, read in (
        ("street", _street),
        ("city", fold),
        ("state", fold),
        ("postal_code", _code),
        ("country", fold),
    ):
        one, other = now[name].to_numpy(object), then[name].to_numpy(object)
        differs = np.flatnonzero((one != other) & pd.notna(one) & pd.notna(other))
        moved = [read(one[row]) != read(other[row]) for row in differs]
        is_old[differs] |= np.array(moved, bool)
    found: npt.NDArray[np.int64] = at[is_old]
    return found


def place_again(rows: pd.DataFrame, place: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
    """Place rows with outdated coordinates by their address: GEOCODE on the index of ``rows``.

    One whose coordinates contradict the new address, or whose address has no place, is a conflict;
    the latter keeps the coordinates for want of better ones.
    """
    found = place(rows)[list(GEOCODE.columns)]
    is_found = found["lon"].notna().to_numpy(bool)
    apart = np.full(len(rows), np.nan)
    points = (rows["given_lon"], rows["given_lat"], found["lon"], found["lat"])
    apart[is_found] = inverse(*(column.to_numpy(float)[is_found] for column in points))
    is_far = apart > found["uncertainty_m"].to_numpy(float) + CONFLICT_M
    notes = []
    for far, metres, source, note in zip(
        is_far, apart, found["geocode_source"], found["geocode_note"], strict=True
    ):
        if np.isnan(metres):
            notes.append(f"{MARK}, and the new one has no place: {note}")
        elif far:
            notes.append(f"{MARK}: {format_miles(metres)} from {source}, placed by the address")
        else:
            notes.append(f"{MARK}: placed by the address")
    placed = found.assign(geocode_note=pd.Series(notes, index=rows.index, dtype=object))
    placed.loc[is_far | ~is_found, "placement"] = "conflict"
    own = ["lon", "lat", "precision", "uncertainty_m", "geocode_source"]
    kept = rows.loc[~is_found, own]
    placed.loc[~is_found, own] = kept
    return placed


def keep_mark(geocodes: pd.DataFrame, notes: pd.Series) -> pd.DataFrame:
    """Carry ``MARK`` from former notes into the notes of ``geocodes``, on the same index."""
    marked = notes.astype("str").str.contains(MARK, regex=False, na=False)
    note = geocodes["geocode_note"].astype(object)
    joined = note.where(note.isna(), note + "; ").fillna("") + MARK
    return geocodes.assign(geocode_note=note.where(~marked, joined))


def _street(text: str) -> str:
    bare = _UNIT.sub("", text.casefold())
    words = re.findall(r"\w+", bare)
    return " ".join(_STREET_WORDS.get(word, word) for word in words)


def _code(text: str) -> str:
    folded = fold(text)
    return folded[:5] if folded[:5].isdigit() else folded
