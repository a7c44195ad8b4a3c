"""Contract frames: what a user's frame says, in the columns and types that the rules read."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from territory import cleaning
from territory.eligibility import homes
from territory.errors import ColumnError, InputError
from territory.frames.points import (
    Frame,
    has_geometry,
    ids,
    in_wgs84,
    lon_lat,
    numbers,
    require_frame,
)
from territory.geodesy import OfficeIndex
from territory.imports import map_headers
from territory.schemas import OFFICES, PROSPECTS, TERRITORIES

if TYPE_CHECKING:
    from collections.abc import Iterable


_TEXT = pd.Series([""]).dtype  # object before pandas 3, then str


def header_map(frame: pd.DataFrame, kind: str) -> dict[str, str]:
    """Map our columns to the headers that stand for them."""
    require_frame(frame, "frame")
    headers = [str(name) for name in frame.columns if not is_geometry(frame, name)]
    return {column: header for header, column in map_headers(headers, kind).items() if column}


def is_geometry(frame: pd.DataFrame, name: object) -> bool:
    """Whether a column is the active geometry."""
    return isinstance(frame, gpd.GeoDataFrame) and name == frame.active_geometry_name


def text_series(frame: pd.DataFrame, header: str | None) -> pd.Series:
    """Give a column as text on a plain index, null where there is nothing."""
    if header is None:
        return pd.Series(None, index=range(len(frame)), dtype=object)
    values = frame[header].reset_index(drop=True).astype(object)
    texts = values.where(values.isna(), values.astype(str))
    return cleaning.clean_text(texts)


def with_degrees(frame: pd.DataFrame, header_of: dict[str, str]) -> pd.DataFrame:
    """Call the columns of degrees lon and lat; a geometry goes before them."""
    names = {} if has_geometry(frame) else {header_of[name]: name for name in ("lon", "lat")}
    renamed: pd.DataFrame = frame.rename(columns=names)
    return renamed


def with_columns(frame: Frame, rows: pd.DataFrame, names: Iterable[str]) -> Frame:
    """Put columns of ``rows``, which are in the same order, after those of a frame."""
    return frame.assign(**{name: text_array(rows[name].to_numpy()) for name in names})


def uncertainties(frame: pd.DataFrame) -> np.ndarray:
    """Give how well each place is known, in metres; 0 where nothing says."""
    if "uncertainty_m" not in frame.columns:
        return np.zeros(len(frame))
    metres = numbers(
        frame["uncertainty_m"],
        read_metres,
        "frame: uncertainty_m",
        "Write metres, or leave it blank.",
    )
    return np.nan_to_num(metres, nan=0.0, posinf=np.inf)


def read_metres(texts: pd.Series) -> pd.Series:
    """Read numbers of metres; null for what is none."""
    read: pd.Series = pd.to_numeric(texts, errors="coerce")
    return read


def text_array(values: np.ndarray) -> pd.api.extensions.ExtensionArray | np.ndarray:
    """Give texts the dtype that pandas has for text, also where all of them are null."""
    return pd.Series(values, dtype=_TEXT).array if values.dtype == object else values


def ids_as_text(frame: pd.DataFrame, contract: object) -> pd.DataFrame:
    """Write the ids of a table as ``ids`` does those of a frame, so that 3 is found as "3"."""
    require_frame(frame, "table")
    names = [name for name in contract.columns if name.endswith("_id") and name in frame]  # type: ignore[attr-defined]
    texts = {name: frame[name].astype(object) for name in names}
    return frame.assign(**{name: t.where(t.isna(), t.astype(str)) for name, t in texts.items()})


def read_day(day: dt.date | str | None) -> str | None:
    """Give a day as ISO text.

    Raises
    ------
    InputError
        If a text is none.
    """
    if day is None:
        return None
    try:
        text = day if isinstance(day, str) else str(day)[:10]
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise InputError(f"on: {day!r} is no day. Write it like 2026-01-31.") from None


def read_days(column: pd.Series) -> pd.Series:
    """Give days as ISO text, whether they are text, dates or timestamps."""
    days = column.astype(object)
    return days.where(days.isna(), days.astype(str).str[:10]).where(days.notna(), None)


def open_on(offices: pd.DataFrame, on: dt.date | str | None) -> pd.DataFrame:
    """Leave out the offices that are not open on a day; all count where none is given."""
    day = read_day(on)
    if day is None:
        return offices
    is_open = pd.Series(data=True, index=offices.index)
    if "opened_on" in offices:
        is_open &= offices["opened_on"].isna() | (read_days(offices["opened_on"]).fillna("") <= day)
    if "closed_on" in offices:
        is_open &= offices["closed_on"].isna() | (read_days(offices["closed_on"]).fillna("") > day)
    rows: pd.DataFrame = offices[is_open]
    return rows


def office_contract(offices: pd.DataFrame) -> pd.DataFrame:
    """Give offices as the contract has them: id and name as text, degrees, days."""
    office_id = ids(offices, "office_id")
    lon, lat = lon_lat(offices, "offices")
    columns = {
        name: read_days(offices[name]) if name in offices else None
        for name in ("opened_on", "closed_on")
    }
    rows = completed(pd.DataFrame(columns, index=offices.index), OFFICES)
    names = offices["name"].to_numpy(object) if "name" in offices.columns else office_id
    rows = rows.assign(office_id=office_id, name=names, lon=lon, lat=lat)
    return rows.reset_index(drop=True)


def office_index(offices: pd.DataFrame) -> OfficeIndex:
    """Index offices by where they are; without any there is nothing to measure from."""
    if not len(offices):
        raise InputError("There is no office to measure from: give at least one.")
    return OfficeIndex.from_frame(office_contract(offices))


def market_contract(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give areas as ``markets.locate`` reads them, in WGS84."""
    is_defined = {"kind", "units"} <= set(areas.columns)
    kind, units = (areas["kind"], areas["units"]) if is_defined else ("polygon", None)
    return gpd.GeoDataFrame(
        {"market_id": ids(areas, "market_id"), "kind": kind, "units": units},
        index=areas.index,
        geometry=in_wgs84(areas, "areas").to_numpy(),
        crs="EPSG:4326",
    )


def prospect_contract(located: pd.DataFrame) -> pd.DataFrame:
    """Give located prospects as the rules of a plan read them."""
    lon, lat = lon_lat(located, "frame")
    rows = completed(pd.DataFrame(located), PROSPECTS, "precision", "uncertainty_m", "locality")
    for name, read in (
        ("employees", cleaning.parse_employees),
        ("revenue_usd", cleaning.parse_money),
    ):
        remedy = "Write a plain number, or leave the cell blank."
        rows[name] = numbers(rows[name], read, f"frame: {name}", remedy)
    state = rows["state"].where(rows["state"].notna(), rows["country"])
    locality = rows["city"].astype(object) + (", " + state.astype(object)).fillna("")
    # A point that says nothing of itself counts as given, as ``geocode`` takes it.
    precision = rows["precision"].where(rows["precision"].notna() | np.isnan(lon), "rooftop")
    return rows.assign(
        prospect_id=ids(located, "prospect_id"),
        lon=lon,
        lat=lat,
        locality=locality,
        precision=precision,
    ).reset_index(drop=True)


def completed(frame: pd.DataFrame, contract: object, *more: str) -> pd.DataFrame:
    """Add the columns of a contract that a frame lacks, all null."""
    numbers = {"employees", "revenue_usd", "lon", "lat", "uncertainty_m"}
    names = [*contract.columns, *more]  # type: ignore[attr-defined]
    lacking = {
        name: np.nan if name in numbers else pd.Series(None, index=frame.index, dtype=object)
        for name in names
        if name not in frame.columns
    }
    rows = frame.assign(**lacking)
    if contract is TERRITORIES:
        rows["name"] = rows["name"].where(rows["name"].notna(), rows["territory_id"])
    return rows


def names_by_id(frame: pd.DataFrame, key: str) -> dict[str, str]:
    """Map the ids of a frame to its names, where it has any."""
    if "name" not in frame.columns:
        return {}
    return dict(zip(ids(frame, key), frame["name"], strict=True))


def home_texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Give homes as text under the desk's columns; degrees lose no digit on the way."""
    require_frame(frame, "frame")
    headers = [str(name) for name in frame.columns if not is_geometry(frame, name)]
    mapping = homes.map_home_headers(headers)
    texts = {column: text_series(frame, header) for header, column in mapping.items() if column}
    if has_geometry(frame):
        lon, lat = lon_lat(frame, "frame")
        for name, degrees in (("lon", lon), ("lat", lat)):
            texts[name] = pd.Series(
                [None if np.isnan(value) else repr(float(value)) for value in degrees], dtype=object
            )
    if not texts:
        listed = ", ".join(map(repr, frame.columns))
        raise ColumnError(f"frame: no address and no coordinates of homes; it has {listed}.")
    return pd.DataFrame(texts)
