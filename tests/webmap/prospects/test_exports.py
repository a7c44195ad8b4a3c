"""Files of exactly what the filters show: every format read back, in order, within reach."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import TYPE_CHECKING

import defusedxml.ElementTree
import openpyxl
import pandas as pd
import pyogrio
import pytest

from territory import reports
from territory.access import Scope, audit_log, scopes
from territory.files.delimited import is_executable, restore
from territory.store import open_store
from tests.fixtures.hostile import NAMES
from tests.fixtures.reading import Page
from webmap.pages import downloads
from webmap.prospects.exports import FORMATS

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

MARKET = "/markets/M-BAY"
FORMS = [form for form, *_ in FORMATS]
MAPS = [form for form, *_, is_map in FORMATS if is_map]
QUERIES = ["", "?segment=enterprise&sort=-pipeline", "?near=-122.4,37.8,20&sort=name"]


def taken(client: FlaskClient, path: str, folder: Path) -> pd.DataFrame:
    """Fetch a file and read it with the reader of its format."""
    response = client.get(path)
    assert response.status_code == 200, response.get_data(as_text=True)
    form = path.split("?")[0].rsplit(".", 1)[1]
    assert response.mimetype == downloads.MIMETYPES[form]
    file = folder / f"taken.{form}"
    file.write_bytes(response.data)
    if form == "csv":
        frame = pd.read_csv(file)
    elif form == "xlsx":
        frame = pd.read_excel(file)
    else:
        frame = pyogrio.read_dataframe(file).rename(columns={"Name": "name"})
    assert response.headers["X-Rows"] == str(len(frame))
    return frame


def listed(client: FlaskClient, path: str) -> list[str]:
    """Give the ids that the pages of a list show, in their order."""
    found: list[str] = []
    for number in range(1, 50):
        tags = Page(client.get(f"{path}{'&' if '?' in path else '?'}page={number}")).tags
        rows = [given["data-id"] for tag, given in tags if tag == "tr" and "data-id" in given]
        if not rows:
            return [str(one) for one in found]
        found += rows
    raise AssertionError(path)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("query", QUERIES)
def test_every_format_holds_the_rows_of_the_list_in_its_order(client, tmp_path, query, form):
    frame = taken(client, f"{MARKET}/prospects.{form}{query}", tmp_path)
    shown = listed(client, f"{MARKET}{query}")
    assert shown
    assert frame["prospect_id"].tolist() == shown


@pytest.mark.parametrize("form", FORMS)
def test_every_format_says_the_same_of_every_row(client, demo, tmp_path, form):
    held = reports.market(demo, "M-BAY", scope=Scope.everything()).prospects
    frame = taken(client, f"{MARKET}/prospects.{form}", tmp_path)
    held = held.set_index("prospect_id").loc[frame["prospect_id"]].reset_index()
    assert frame["name"].tolist() == held["name"].tolist()
    assert frame["reason"].tolist() == held["reason"].tolist()
    for name in ("lon", "lat", "distance_mi", "pipeline_usd"):
        pd.testing.assert_series_equal(
            frame[name].astype(float), held[name].astype(float), check_names=False, rtol=1e-12
        )


@pytest.mark.parametrize("form", FORMS)
def test_rows_without_a_location_are_in_every_format_and_counted(client, tmp_path, form):
    frame = taken(client, f"/outside/prospects.{form}", tmp_path)
    located, rows = int(frame["lon"].notna().sum()), len(frame)
    assert 0 < located < rows
    assert frame["prospect_id"].tolist() == listed(client, "/outside")
    response = client.get(f"/outside/prospects.{form}")
    assert response.headers["X-Located"] == str(located)
    if form in MAPS:
        assert frame.geometry.isna().tolist() == frame["lon"].isna().tolist()
        assert frame.geometry.x.dropna().tolist() == pytest.approx(frame["lon"].dropna().tolist())
    words = f"{located} of {rows} have a location"
    assert words in Page(client.get("/outside")).text
    said = {
        "geojson": lambda: json.loads(response.data)["description"],
        "kml": lambda: pyogrio.list_layers(tmp_path / "taken.kml")[0][0].replace("_", " "),
        "gpkg": lambda: pyogrio.read_info(tmp_path / "taken.gpkg")["layer_metadata"]["DESCRIPTION"],
        "xlsx": lambda: openpyxl.load_workbook(io.BytesIO(response.data)).properties.description,
        "csv": lambda: words,
    }[form]()
    assert f"{located} of {rows}" in said


@pytest.mark.parametrize("form", FORMS)
def test_hostile_names_come_back_as_they_are_from_every_format(hostile_app, tmp_path, form):
    frame = taken(hostile_app.test_client(), f"/markets/m/prospects.{form}", tmp_path)
    with open_store(hostile_app.config["TERRITORY"].store_url) as store:
        held = reports.EXPORTS["prospects"](store, scope=Scope.everything())
    names = held.set_index("prospect_id")["name"].loc[frame["prospect_id"]].tolist()
    assert len(set(names)) == len(set(NAMES))
    if form in MAPS:
        assert frame["name"].tolist() == names
        return
    assert restore(frame["name"]).tolist() == names
    assert "'=cmd|'/c calc'!A1" in set(frame["name"])
    assert not [name for name in frame["name"] if is_executable(name) and name[0] != "'"]


def test_a_name_does_not_break_out_of_kml(hostile_app):
    data = hostile_app.test_client().get("/markets/m/prospects.kml").data
    tree = defusedxml.ElementTree.fromstring(data)
    allowed = {
        "kml", "Document", "Schema", "SimpleField", "Folder", "name", "Placemark", "ExtendedData",
        "SchemaData", "SimpleData", "Point", "coordinates",
    }  # fmt: skip
    assert {element.tag.rpartition("}")[2] for element in tree.iter()} == allowed
    assert b"<script" not in data
    assert b"CDATA" not in data


@pytest.mark.parametrize("form", FORMS)
def test_a_rep_takes_own_rows_alone_and_each_file_is_on_record(client_as, doors, tmp_path, form):
    client = client_as("rep_a")
    with open_store(doors.config["TERRITORY"].store_url) as store:
        mine = reports.EXPORTS["prospects"](
            store, scope=scopes.Scope(*[scopes.Reach(rep_ids=frozenset({"R01"}))] * 4)
        )
        market_id = mine["market_id"].dropna().iloc[0]
        frame = taken(client, f"/markets/{market_id}/prospects.{form}", tmp_path)
        assert set(frame["prospect_id"]) == set(
            mine.loc[mine["market_id"] == market_id, "prospect_id"]
        )
        event = audit_log.search(store, action="rows.export", limit=1)[0].iloc[0]
    assert event["by"] == doors.config["PEOPLE"]["rep_a"]
    assert (event["subject_kind"], event["subject_id"]) == ("prospects", market_id)
    assert json.loads(event["payload"])["detail"] == {"format": form, "rows": len(frame)}


def test_the_menu_counts_what_may_leave_and_not_what_shows(doors, client_as):
    everything, narrow = Scope.everything(), scopes.Reach(rep_ids=frozenset({"R01"}))
    client = client_as("rep_a")
    with open_store(doors.config["TERRITORY"].store_url) as store:
        mine = reports.EXPORTS["prospects"](
            store, scope=dataclasses.replace(everything, accounts=narrow)
        )
    market_id = mine["market_id"].dropna().iloc[0]
    count = int((mine["market_id"] == market_id).sum())
    page = Page(client.get(f"/markets/{market_id}"))
    assert f"Export {count} prospects" in page.text
    assert [link for link in page.links if "/prospects." in link] == [
        f"/markets/{market_id}/prospects.{form}" for form in FORMS
    ]


def test_who_may_not_export_is_offered_no_file(client_as):
    page = Page(client_as("viewer").get(MARKET))
    assert page.rows["tbody"]
    assert not [link for link in page.links if "/prospects." in link]


def test_files_keep_filters_and_order_and_are_named_for_what_is_in_them(client):
    page = Page(client.get(f"{MARKET}?segment=enterprise&sort=name&page=1"))
    links = [link for link in page.links if "/prospects." in link]
    assert [link.split("?")[1] for link in links] == ["segment=enterprise&sort=name"] * len(FORMS)
    for form, link in zip(FORMS, links, strict=True):
        told = client.get(link).headers["Content-Disposition"]
        assert told == f"attachment; filename=demo-prospects-M-BAY.{form}"


def test_another_format_is_no_page(client):
    assert client.get(f"{MARKET}/prospects.exe").status_code == 404


def test_no_file_stays_behind(client, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for form in FORMS:
        assert client.get(f"{MARKET}/prospects.{form}", buffered=True).status_code == 200
    assert list(tmp_path.iterdir()) == []
