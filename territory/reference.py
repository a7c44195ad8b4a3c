"""Reference data of the package: ZIP codes, counties, metro areas, cities, the base map.

Each table is read when it is first asked for, and once: ``load()`` costs nothing by itself. What
they are made of, and how good they are, is in ``data/README.md`` and ``docs/data.md``.

Text columns hold ``str`` or ``None`` (object dtype). Codes are text with their leading zeros.
Coordinates are WGS84 degrees (EPSG:4326), lengths metres. Treat the tables as read-only: they are
shared by all who ask.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import IO, TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

PACKAGE = "territory_data"

# Letters that Unicode does not decompose into a Latin letter and a mark.
_LATIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
)
_WORDS = {
    "saint": "st", "sainte": "st", "ste": "st", "fort": "ft", "mount": "mt", "mtn": "mountain",
    "n": "north", "s": "south", "e": "east", "w": "west", "hts": "heights", "spgs": "springs",
    "spg": "springs", "jct": "junction", "ctr": "center", "centre": "center", "bch": "beach",
    "twp": "township", "vlg": "village", "lk": "lake", "pk": "park", "pt": "point", "and": "&",
}  # fmt: skip
_APOSTROPHES = re.compile(r"['’‘`´ʻʼ]")
_INITIALS = re.compile(r"\b(\w)\.(?=\w\b)")
_IN_BRACKETS = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_PREFIX = re.compile(r"^(?:the )?(?:city|town|township|village|borough|municipality) of (?=\w)")
# Accents of Latin, Greek and Cyrillic only: the marks of other scripts are letters of theirs.
_ACCENTS = re.compile("[\u0300-\u036f]")
_GAPS = re.compile(r"[\x00-\x25\x27-\x2f:-@\[-`{-\xbf\u2000-\u206f\u3000-\u303f]+")


def normalise_place(name: str) -> str:
    """The key under which a place name is looked up; "" when nothing of it is left.

    Two spellings of one place get one key: case, accents, punctuation, remarks in brackets,
    "City of", Saint and St., Fort and Ft., Mount and Mt., N. and North, Hts. and Heights.

    >>> normalise_place("City of Saint-Étienne (Loire)")
    'st etienne'
    """
    plain = name.casefold()
    if not plain.isascii():
        spread = unicodedata.normalize("NFKD", plain.translate(_LATIN))
        plain = unicodedata.normalize("NFC", _ACCENTS.sub("", spread))
    plain = _INITIALS.sub(r"\1", _APOSTROPHES.sub("", plain))
    outside = _GAPS.sub(" ", _IN_BRACKETS.sub(" ", plain)).strip()
    whole = _PREFIX.sub("", outside or _GAPS.sub(" ", plain).strip())
    return " ".join(_WORDS.get(word, word) for word in whole.split())


def normalise_places(names: pd.Series) -> pd.Series:
    """``normalise_place`` of each name, in order; null stays null. Each distinct name once."""
    distinct = names.dropna().unique()
    keys = {name: normalise_place(str(name)) for name in distinct}
    normalised = [keys.get(name) for name in names]
    return pd.Series(normalised, index=names.index, name=names.name, dtype=object)


# Where the letters of a postal code tell areas apart; in others ("D-10115") the digits alone do.
LETTERED = ("BM", "CA", "GB", "GG", "GI", "IE", "IM", "JE", "MT")
_OUTWARD = re.compile(r"([A-Z]{1,2}\d[A-Z\d]?)\d[A-Z]{2}")  # of a British code that is whole


def normalise_postal_code(code: str, country_code: str) -> str:
    """The key under which a postal code abroad is looked up; "" when nothing of it is left.

    >>> normalise_postal_code("sw1a 1aa", "GB"), normalise_postal_code("D-10115", "DE")
    ('SW1A', '10115')
    """
    signs = re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", code).upper())
    if country_code not in LETTERED:
        digits = re.search(r"\d+", signs)
        return digits[0] if digits else ""
    if country_code in ("CA", "IE"):
        return signs[:3]
    whole = _OUTWARD.fullmatch(signs)
    return whole[1] if whole else signs


@dataclass(frozen=True)
class Reference:
    """The tables of the package, each read when first asked for.

    Those that ``folder`` holds, as name.parquet, take the place of the package's.
    """

    package: str = PACKAGE
    folder: Path | None = None

    @cached_property
    def zip_codes(self) -> pd.DataFrame:
        """US ZIP codes that have a point, sorted by zip_code, which is unique.

        zip_code (5 digits), lon, lat (degrees; where its organisations are, rather than the middle
        of its area), city (as the USPS prefers it), state_code, county_fips (the county with most
        of its business addresses), cbsa_code (that county's metro area; None: none),
        uncertainty_m (metres within which 92 to 96 % of its organisations lie), has_area (False:
        post boxes and single companies, which have a point only).
        """
        return self._table("zip_codes")

    @cached_property
    def counties(self) -> gpd.GeoDataFrame:
        """The 3,233 counties and their equivalents as of 2023, sorted by county_fips.

        county_fips (5 digits; Connecticut by planning region, 09110 to 09190), name ("Cook
        County"), state_code, cbsa_code (None: in no metro area), geometry (valid, generalised
        to 1:5 million, together a coverage: neighbors repeat each other's vertices).
        """
        return self._areas("counties")

    @cached_property
    def county_adjacency(self) -> pd.DataFrame:
        """Counties that touch, each pair in both directions, sorted.

        county_fips, neighbor_fips, shared_border_m (geodesic metres; 0 where only a corner
        touches).
        """
        return self._table("county_adjacency")

    @cached_property
    def states(self) -> gpd.GeoDataFrame:
        """The 50 states, DC and five territories, sorted by state_code.

        state_code ("AL"), state_fips ("01"), name, geometry.
        """
        return self._areas("states")

    @cached_property
    def metro_areas(self) -> pd.DataFrame:
        """The 935 metropolitan and micropolitan areas of July 2023: cbsa_code, title."""
        return self._table("metro_areas")

    @cached_property
    def cities(self) -> pd.DataFrame:
        """Cities of the world, sorted by city_id: from 500 people in the US, from 5,000 elsewhere.

        city_id (GeoNames), name, country_code (ISO 3166-1 alpha-2), admin1_code (GeoNames; in the
        US the state_code, or None), lon, lat, population. Puerto Rico and the other territories are
        states of the US here, as in ``zip_codes``.
        """
        return self._table("cities")

    @cached_property
    def city_names(self) -> pd.DataFrame:
        """What ``cities`` are called, sorted by key and city_id.

        key (``normalise_place`` of a name), city_id, is_main (False: an alternate name, which may
        be another city's main name; prefer a main name where both answer).
        """
        return self._table("city_names")

    @cached_property
    def postal_areas(self) -> pd.DataFrame:
        """Areas of postal codes outside the US by how their codes begin, sorted.

        country_code, prefix (of ``normalise_postal_code``; none is the beginning of another of its
        country), lon, lat (the middle of its codes), spread_m (metres within which 95 % of them
        lie), digits (of a whole code of the country; 0 where letters belong to it).
        """
        return self._table("postal_areas")

    @cached_property
    def countries(self) -> pd.DataFrame:
        """Countries: country_code (ISO 3166-1 alpha-2), country_code3 (alpha-3), name."""
        return self._table("countries")

    @cached_property
    def industries(self) -> pd.DataFrame:
        """Industries of NAICS 2022, and of 2017 where 2022 has the code no more, sorted by code.

        naics_code (2 to 6 digits, text), title, edition ("2022", "2017").
        """
        return self._table("industries")

    @cached_property
    def county_business(self) -> pd.DataFrame:
        """How much business counties had in 2025, by the Bureau of Labor Statistics.

        county_fips, establishments (workplaces, mean of four quarters), employment (jobs covered by
        unemployment insurance, mean of twelve months), wages_usd (paid in the year): all industries
        together, private and public. 3,224 counties, sorted; the nine without figures are Kalawao
        in Hawaii and those of American Samoa, Guam and the Northern Mariana Islands.
        """
        return self._table("county_business")

    @cached_property
    def zip_business(self) -> pd.DataFrame:
        """Which share of a county's business addresses each of its ZIP codes has, sorted.

        zip_code, county_fips, business_share (over 0; sums to 1 over a county).
        """
        return self._table("zip_business")

    @cached_property
    def basemap(self) -> gpd.GeoDataFrame:
        """What lies under every map, in drawing order: layer, detail, geometry.

        layer: land, lake, river, country_line or state_line. detail: "world" (coarse) or
        "north_america" (fine; draw it instead of the world's within its bounds, from zoom 4 on).
        """
        return self._areas("basemap")

    @cached_property
    def roads(self) -> gpd.GeoDataFrame:
        """The main roads of North America: first_zoom, last_zoom (between which to draw), geometry.

        Straight between junctions, so for orientation only. © OpenStreetMap contributors, ODbL 1.0.
        """
        return self._areas("roads")

    def content(self, name: str) -> bytes:
        """The bytes of a table's file."""
        with self._open(name) as file:
            return file.read()

    def _open(self, name: str) -> IO[bytes]:
        own = self.folder and self.folder / f"{name}.parquet"
        if own and own.is_file():
            return own.open("rb")
        return (resources.files(self.package) / f"{name}.parquet").open("rb")

    def _table(self, name: str) -> pd.DataFrame:
        with self._open(name) as file:
            table = pq.read_table(file, use_threads=False)
        return pd.DataFrame({name: _column(table.column(name)) for name in table.column_names})

    def _areas(self, name: str) -> gpd.GeoDataFrame:
        with self._open(name) as file:
            frame = gpd.read_parquet(file)
        texts: Sequence[str] = frame.select_dtypes(include=["object", "string"]).columns
        for text in texts:
            column = frame[text].astype(object)
            frame[text] = pd.Series(column.where(column.notna(), None), dtype=object)
        return frame


def _column(values: pa.ChunkedArray) -> pd.Series:
    """One Parquet column; text as objects, whatever this pandas would make of it."""
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        return pd.Series(values.to_numpy(), dtype=object)
    return pd.Series(values.to_numpy())


_IN_USE: ContextVar[Reference | None] = ContextVar("tables in use", default=None)


def load() -> Reference:
    """The tables that ship with this package, shared by all callers of this process."""
    return _IN_USE.get() or _bundled()


@cache
def _bundled() -> Reference:
    return Reference()


@contextmanager
def using(tables: Reference) -> Iterator[None]:
    """Let ``load`` give other tables to what is called inside, to see what they would change."""
    before = _IN_USE.set(tables)
    try:
        yield
    finally:
        _IN_USE.reset(before)
