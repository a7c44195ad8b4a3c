"""Blocking (record linkage): which of a million prospects are worth comparing, and by what."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.cleaning import SHARED_HOSTS, by_value, clean_domains, fold, name_key
from territory.geodesy import to_ecef

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

WINDOW = 12  # neighbours in order that a row is compared with, where many have something in common
_HOST_OF_MANY = 40  # a web address that more prospects than this have is that of a host
_CELL_DEGREES = 0.23  # 25 km from south to north
_ENDS = 4  # letters at the start or the end of a name that near-identical names share
_DIRECTIONS = frozenset(
    ("n", "s", "e", "w", "ne", "nw", "se", "sw", "north", "south", "east", "west", "northeast",
     "northwest", "southeast", "southwest")
)  # fmt: skip
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class MatchColumns:
    """Columns that pairs are judged by, one place per prospect; codes below 0: nothing known."""

    ids: npt.NDArray[np.object_]
    words: npt.NDArray[np.object_]  # name_key; "" for no name
    name: Integers  # of the names without blanks
    domain: Integers
    domains: npt.NDArray[np.object_]
    street: Integers
    locality: Integers  # postal code and country, or city and state
    parents: npt.NDArray[np.object_]
    lon: Floats
    lat: Floats
    xyz: Floats  # metres from the middle of the earth; NaN where there is no location
    uncertainty_m: Floats

    def distance_m(self, first: Integers, second: Integers) -> Floats:
        """Straight lines between places; a metre short of the geodesic at 250 km."""
        apart: Floats = np.sqrt(((self.xyz[first] - self.xyz[second]) ** 2).sum(axis=1))
        return apart


def gather(rows: pd.DataFrame) -> MatchColumns:
    """Bring the columns of prospects into the form in which they are compared."""

    def column(name: str) -> pd.Series:
        return rows[name] if name in rows else pd.Series(None, index=rows.index, dtype=object)

    words = by_value(column("name"), name_key).fillna("")
    domains = clean_domains(column("website"))
    uses = domains.map(domains.value_counts())
    domains = domains.where(~domains.isin(SHARED_HOSTS) & (uses <= _HOST_OF_MANY), None)
    street = _codes(by_value(column("street"), _street_key))
    postal, city, state, country = (
        _codes(by_value(column(name), fold)) for name in ("postal_code", "city", "state", "country")
    )
    town = _both(city, state)
    locality = np.where(postal >= 0, _both(postal, country), town + np.where(town < 0, 0, 2**52))
    numbers = {
        name: np.asarray(column(name), np.float64) for name in ("lon", "lat", "uncertainty_m")
    }
    return MatchColumns(
        ids=rows["prospect_id"].to_numpy(object),
        words=words.to_numpy(object),
        name=_codes(words.str.replace(" ", "").replace("", None)),
        domain=_codes(domains),
        domains=domains.to_numpy(object),
        street=np.where(locality < 0, -1, _both(street, pd.factorize(locality)[0])),
        locality=locality,
        parents=column("parent_id").to_numpy(object),
        lon=numbers["lon"],
        lat=numbers["lat"],
        xyz=to_ecef(numbers["lon"], numbers["lat"]),
        uncertainty_m=np.nan_to_num(numbers["uncertainty_m"]),
    )


def _codes(texts: pd.Series) -> Integers:
    codes: Integers = pd.factorize(texts)[0].astype(np.int64)
    return codes


def _both(one: Integers, other: Integers) -> Integers:
    """One code for two: that of the first with the second, known or not, as what narrows it."""
    size = int(other.max(initial=-1)) + 2
    return np.where(one < 0, -1, one * size + other + 1)


def _street_key(street: str) -> str | None:
    """House number and first word of the street, which is what spellings leave alone."""
    words = _WORD.findall(street.casefold())
    number = next((at for at, word in enumerate(words) if word[0].isdigit()), None)
    if number is None:
        return None
    if "box" in words[:number]:
        return f"box {words[number]}"
    after = [word for word in words[number + 1 :] if word not in _DIRECTIONS]
    return f"{words[number]} {after[0]}" if after else None


def candidates(columns: MatchColumns) -> tuple[Integers, Integers]:
    """Places of prospects worth comparing: every pair once, never a parent with its child.

    They share a name or a web address, or the start or end of their names within a few miles.
    """
    by_name = _ranks(pd.Series(columns.words))
    pairs = [
        _within(columns.name, _cells(columns.lon, columns.lat, 0)),
        _within(columns.domain, by_name),
        _within(np.where(columns.domain >= 0, columns.street, -1), columns.domain),
    ]
    texts = pd.Series(columns.words).str.replace(" ", "")
    located = ~np.isnan(columns.lon) & (texts != "").to_numpy()
    for text in (texts, texts.map(lambda name: name[::-1])):
        end, rank = _codes(text.str[:_ENDS]), _ranks(text)
        for shift in range(4):
            block = _cells(columns.lon, columns.lat, shift) * (end.max(initial=0) + 1) + end
            pairs.append(_within(np.where(located, block, -1), rank))
    coded = np.unique(np.concatenate(pairs))
    first, second = coded // len(columns.ids), coded % len(columns.ids)
    kin = (columns.ids[first] == columns.parents[second]) | (
        columns.parents[first] == columns.ids[second]
    )
    return first[~kin], second[~kin]


def _ranks(texts: pd.Series) -> Integers:
    """Place of each text in the order of the alphabet."""
    ranks: Integers = pd.factorize(texts, sort=True)[0].astype(np.int64)
    return ranks


def _within(block: Integers, order: Integers) -> Integers:
    """Pairs of the same block, at most ``WINDOW`` places apart in the order given.

    A pair is one number: the smaller place times the number of rows, plus the larger place.
    """
    rows = np.flatnonzero(block >= 0)
    rows = rows[np.lexsort((rows, order[rows], block[rows]))]
    blocks = block[rows]
    positions = [np.empty(0, np.int64)]
    for step in range(1, WINDOW + 1):
        at = np.flatnonzero(blocks[step:] == blocks[:-step])
        if not len(at):
            break
        one, other = rows[at], rows[at + step]
        positions.append(np.minimum(one, other) * len(block) + np.maximum(one, other))
    return np.unique(np.concatenate(positions))


def _cells(lon: Floats, lat: Floats, shift: int) -> Integers:
    """Number of the cell of about 25 km that each place is in.

    A shift of 1 to 3 moves the grid by half a cell east, north or both: of the four grids one at
    least has two places that are less than half a cell apart in one cell.
    """
    row = np.floor(np.nan_to_num(lat) / _CELL_DEGREES + 0.5 * (shift >> 1))
    width = _CELL_DEGREES / np.maximum(np.cos(np.radians(row * _CELL_DEGREES)), 0.01)
    column = np.floor((np.nan_to_num(lon) + 180) / width + 0.5 * (shift & 1))
    cells: Integers = ((row + 4096) * 8192 + column).astype(np.int64)
    return cells
