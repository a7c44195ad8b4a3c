"""Files go in and a plan comes out, and every row and reason of it is accounted for."""

from __future__ import annotations

import dataclasses
import json
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod

from territory import demo as demo_company
from territory import imports
from territory.access import Scope
from territory.errors import ColumnError, ConflictError, InputError, NotFoundError
from territory.plans import policy_in_force, publish
from territory.policy import Policy, RadiusPolicy
from territory.reports import (
    EXPORTS,
    export,
    findings,
    market,
    market_summaries,
    outside,
    overview,
    prospect,
)
from territory.reports import (
    offices as reports_offices,
)
from territory.reports import (
    reps as reports_reps,
)
from territory.reports.view_frames import PROSPECT_COLUMNS, SUMMARY_COLUMNS
from territory.schemas import FINDINGS, check
from territory.store import KINDS, Store, open_store
from territory.units_of_length import METRES_PER_MILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ALL = Scope.everything()
ASKED = {"scope": ALL, "by": "me", "now": NOW}
FILES = {
    "offices": """office_id,name,city,state,postal_code,country,lat,lon,opened_on,closed_on
LOOP,Loop,Chicago,IL,60603,US,41.8807,-87.6298,2001-05-01,
OLD,Old Loop,Chicago,IL,60603,US,41.8808,-87.6299,1990-01-01,2001-05-01
DEN,Denver,Denver,CO,80202,US,39.7497,-104.9977,,
""",
    "prospects": """prospect_id,name,status,city,state,postal_code,lat,lon,employees,owner_rep_id
p1,Lakefront Co,prospect,Chicago,IL,60601,41.8858,-87.6229,5000,
p2,"Sears Tower, Inc.",customer,Chicago,IL,60606,41.8789,-87.6359,300,bob
p3,Zip Works,prospect,Chicago,IL,60601,,,20,
p4,Far West,prospect,Boise,ID,83702,43.6150,-116.2023,5000,
p5,Nowhere,prospect,Qqqqqq,ZZ,,,,,
""",
    "reps": """rep_id,name,base_office_id
ann,Ann Ash,LOOP
bob,Bob Birch,DEN
""",
    "markets": """market_id,name,kind,units
CHI,Chicago,metro_area,16980
DEN,Denver,county,08031|08001
""",
    "territories": """territory_id,name,rep_id,market_id,segment
T1,Chicago large,ann,CHI,enterprise
T2,Denver all,bob,DEN,any
""",
    "named_accounts": "prospect_id,territory_id\np4,T2\n",
    "quotas": "rep_id,period,amount_usd\nann,2026,1000\nbob,2026-Q1,200\nbob,2026-Q2,200\n",
    "opportunities": """opportunity_id,prospect_id,name,stage,amount_usd,last_activity_on
o1,p1,Fibre,Proposal,250,2026-11-01
o2,p1,Voice,Closed won,990,2026-11-02
o3,p4,Fibre,Discovery,50,
""",
    "contacts": "contact_id,prospect_id,name\nc1,p1,Jo Doe\n",
    "sites": "site_id,prospect_id,name,city,state\ns1,p1,Depot,Denver,CO\n",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "store.sqlite")) as opened:
        yield opened


def put(store: Store, folder: Path, kind: str, text: str | None = None) -> imports.ImportReport:
    path = folder / f"{kind}.csv"
    path.write_text(text or FILES[kind])
    return imports.import_file(store, kind, path, by="me", now=NOW)


@pytest.fixture(scope="module")
def loaded_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All files imported, in the order in which they refer to one another."""
    folder = tmp_path_factory.mktemp("loaded")
    with open_store(str(folder / "loaded.sqlite")) as opened:
        for kind in KINDS:
            put(opened, folder, kind)
    return folder / "loaded.sqlite"


@pytest.fixture(scope="module")
def planned_file(loaded_file: Path) -> Path:
    """All files imported and a plan published."""
    path = loaded_file.with_name("planned.sqlite")
    shutil.copy(loaded_file, path)
    with open_store(str(path)) as opened:
        publish.assign(opened, published_by="Sales ops", now=NOW)
    return path


@pytest.fixture
def loaded(loaded_file: Path, tmp_path: Path) -> Iterator[Store]:
    shutil.copy(loaded_file, tmp_path / "loaded.sqlite")
    with open_store(str(tmp_path / "loaded.sqlite")) as opened:
        yield opened


@pytest.fixture
def planned(planned_file: Path, tmp_path: Path) -> Iterator[Store]:
    shutil.copy(planned_file, tmp_path / "planned.sqlite")
    with open_store(str(tmp_path / "planned.sqlite")) as opened:
        yield opened


def test_the_report_of_an_import_says_where_every_row_went(store: Store, tmp_path: Path) -> None:
    text = FILES["prospects"] + "p1,Twin,prospect,,,,,,,\np6,,prospect,,,,,,,\n"
    report = put(store, tmp_path, "prospects", text)
    assert report.is_reconciled
    assert report.rows == 7
    assert report.buckets == {
        "placed": 3,
        "approximate": 1,
        "ambiguous": 0,
        "conflict": 0,
        "unplaced": 1,
        "duplicate": 1,
        "refused": 1,
    }
    assert report.changes == {"new": 5, "updated": 0, "unchanged": 0}
    assert report.refused[["line", "bucket"]].to_numpy().tolist() == [
        [7, "duplicate"],
        [8, "refused"],
    ]
    assert report.refused["remedy"].str.len().gt(0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_file_twice_changes_nothing(loaded: Store, tmp_path: Path, kind: str) -> None:
    report = put(loaded, tmp_path, kind)
    assert report.changes["unchanged"] == report.rows > 0
    assert report.changes["new"] == report.changes["updated"] == 0
    assert report.is_reconciled


def test_a_changed_row_is_updated_and_its_difference_told(loaded: Store, tmp_path: Path) -> None:
    text = FILES["prospects"].replace("Far West,prospect,Boise,ID,83702", "Far West,former,,,")
    report = put(loaded, tmp_path, "prospects", text)
    assert report.changes == {"new": 0, "updated": 1, "unchanged": 4}
    told = report.differences.set_index("column")
    assert told.loc["status", ["prospect_id", "before", "after"]].tolist() == [
        "p4",
        "prospect",
        "former",
    ]
    assert told.loc["city", "before"] == "Boise"
    assert pd.isna(told.loc["city", "after"])


def test_a_dry_run_reports_the_same_and_writes_nothing(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(FILES["prospects"])
    dry = imports.import_file(store, "prospects", path, by="me", now=NOW, dry_run=True)
    assert imports.is_empty(store)
    wet = imports.import_file(store, "prospects", path, by="me", now=NOW)
    assert (dry.buckets, dry.changes) == (wet.buckets, wet.changes)
    assert not imports.is_empty(store)


def test_a_row_that_refers_to_nothing_is_refused_and_the_others_go_in(
    loaded: Store, tmp_path: Path
) -> None:
    report = put(loaded, tmp_path, "contacts", "contact_id,prospect_id,name\nc1,p1,Jo\nc2,px,Al\n")
    assert report.buckets == {"accepted": 1, "duplicate": 0, "refused": 1}
    assert report.changes["updated"] == 1
    assert report.refused[["line", "reason"]].to_numpy().tolist() == [
        [3, "prospect_id 'px' is not among the prospects"]
    ]
    assert report.is_reconciled


def test_a_territory_has_one_rep_also_across_files(loaded: Store, tmp_path: Path) -> None:
    text = "territory_id,name,rep_id,market_id,segment\nT1,Chicago large,bob,CHI,small\n"
    with pytest.raises(InputError, match="'T1' has rep_id 'ann' and 'bob'"):
        put(loaded, tmp_path, "territories", text)


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        ("prospects", "company_size,town,firm\n5,Boise,Acme\n", "name"),
        ("markets", "colour,size\nred,1\n", "name"),
        ("castles", "a\n1\n", "'castles' cannot be imported. The kinds are offices"),
    ],
)
def test_a_file_that_cannot_be_used_leaves_the_store_as_it_was(
    store: Store, tmp_path: Path, kind: str, text: str, told: str
) -> None:
    with pytest.raises((InputError, ColumnError), match=told):
        put(store, tmp_path, kind, text)
    assert imports.is_empty(store)


def test_markets_may_be_drawn_as_polygons(loaded: Store, tmp_path: Path) -> None:
    box = gpd.GeoDataFrame(
        {"market_id": ["BOI"], "name": ["Boise"]},
        geometry=[shapely.box(-117, 43, -115, 44)],
        crs="EPSG:4326",
    )
    box.to_file(tmp_path / "boise.geojson")
    path = tmp_path / "boise.geojson"
    report = imports.import_file(loaded, "markets", path, by="me", now=NOW)
    assert report.changes["new"] == 1
    assert imports.import_file(loaded, "markets", path, by="me", now=NOW).changes == {
        "new": 0,
        "updated": 0,
        "unchanged": 1,
    }
    publish.assign(loaded, published_by="me", now=NOW)
    assert market(loaded, "BOI", scope=ALL).prospects["prospect_id"].tolist() == ["p4"]
    assert market(loaded, "BOI", scope=ALL).geometry.equals(box.geometry[0])


TOUCHING = {
    "geojson": json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {"id": name, "name": name},
                    "geometry": shapely.geometry.mapping(shapely.box(-88, south, -87, south + 1)),
                }
                for name, south in (("S", 41), ("N", 42))
            ],
        }
    ),
    "states": "market_id,name,kind,units\nN,Illinois,state,IL\nS,Indiana,state,IN\n",
    "counties": "market_id,name,kind,units\nN,Cook,county,17031\nS,DuPage,county,17043\n",
    "zips": "market_id,name,kind,units\nN,a,zip_code,60601|60602\nS,b,zip_code,60603|60604\n",
}
ON_THE_BORDER = "prospect_id,name,lat,lon\nb1,On border,42,-87.5\nb5,Inside,41.5,-87.5\n"


@pytest.mark.parametrize("drawing", TOUCHING)
def test_markets_that_only_touch_make_a_plan_without_an_overlap(
    store: Store, tmp_path: Path, drawing: str
) -> None:
    path = tmp_path / ("markets.geojson" if drawing == "geojson" else "markets.csv")
    path.write_text(TOUCHING[drawing])
    imports.import_file(store, "markets", path, by="me", now=NOW)
    for kind, text in (("offices", None), ("reps", None), ("prospects", ON_THE_BORDER)):
        put(store, tmp_path, kind, text)
    plan = publish.assign(store, published_by="me", now=NOW)
    findings = publish.check(store, now=NOW)
    assert plan.is_published
    assert "markets_overlap" not in set(findings["code"])
    if drawing == "geojson":
        torn = findings[findings["code"] == "two_markets"]
        assert torn[["subject_id", "market_id"]].to_numpy().tolist() == [["b1", "N"]]
        market_ids = {
            name: prospect(store, name, scope=ALL).prospect["market_id"].iloc[0]
            for name in ("b1", "b5")
        }
        assert market_ids == {"b1": "N", "b5": "S"}


def test_a_plan_says_who_owns_what_and_why(planned: Store) -> None:
    everyone = EXPORTS["prospects"](planned, scope=ALL)
    assert list(everyone.columns) == list(PROSPECT_COLUMNS)
    decided = everyone[["prospect_id", "rule", "territory_id", "rep_name", "market_name"]]
    assert decided.to_numpy().tolist() == [
        ["p1", "market_of_headquarters", "T1", "Ann Ash", "Chicago"],
        ["p2", "retained_customer", "T2", "Bob Birch", "Chicago"],
        ["p3", "unassigned", None, None, "Chicago"],
        ["p4", "named_account", "T2", "Bob Birch", None],
        ["p5", "unassigned", None, None, None],
    ]
    assert everyone["verdict"].tolist() == ["in", "in", "in", "out", None]
    assert everyone["pipeline_usd"].tolist() == [250, 0, 0, 50, 0]


def test_distances_are_those_of_the_ellipsoid(planned: Store) -> None:
    everyone = EXPORTS["prospects"](planned, scope=ALL).dropna(subset="lon")
    offices = reports_offices(planned, scope=ALL).set_index("office_id")
    nearest = offices.loc[everyone["nearest_office_id"]]
    *_, truth_m = Geod(ellps="WGS84").inv(
        everyone["lon"], everyone["lat"], nearest["lon"], nearest["lat"]
    )
    np.testing.assert_allclose(everyone["distance_mi"] * METRES_PER_MILE, truth_m, atol=1e-6)


def test_an_office_that_is_closed_or_not_open_yet_does_not_count(loaded: Store) -> None:
    publish.assign(loaded, published_by="me", now=NOW)
    assert reports_offices(loaded, scope=ALL).set_index("office_id")["prospects"].to_dict() == {
        "DEN": 1,
        "LOOP": 3,
        "OLD": 0,
    }
    then = datetime(2001, 4, 30, 23, tzinfo=UTC)
    publish.assign(loaded, published_by="me", now=then)
    assert reports_offices(loaded, scope=ALL).set_index("office_id")["prospects"].to_dict() == {
        "DEN": 1,
        "LOOP": 0,
        "OLD": 3,
    }


def test_assigning_again_changes_nothing_until_something_does(
    planned: Store, tmp_path: Path
) -> None:
    again = publish.assign(planned, published_by="Someone else", now=NOW)
    assert not again.is_published
    assert again.plan is not None
    assert (again.plan.plan_id, again.plan.published_by) == ("plan-1", "Sales ops")
    put(planned, tmp_path, "named_accounts", "prospect_id,territory_id\np5,T1\n")
    third = publish.assign(planned, name="2027-Q1", published_by="Sales ops", now=NOW)
    assert third.is_published
    assert third.plan is not None
    assert (third.plan.plan_id, third.plan.name) == ("plan-2", "2027-Q1")
    assert third.plan.published_at == "2026-11-23T12:00:00Z"
    assert third.plan.effective_from == "2026-11-23"


def test_a_published_plan_is_not_touched_by_what_is_imported_later(
    planned: Store, tmp_path: Path
) -> None:
    before = publish.explain(planned, "p1", scope=ALL)
    reps = reports_reps(planned, scope=ALL)
    put(planned, tmp_path, "reps", FILES["reps"].replace("Ann Ash", "Ann Other"))
    put(planned, tmp_path, "named_accounts", "prospect_id,territory_id\np1,T2\n")
    assert publish.explain(planned, "p1", scope=ALL) == before
    pd.testing.assert_frame_equal(reports_reps(planned, scope=ALL), reps)


def test_a_dry_run_of_assign_publishes_nothing(loaded: Store) -> None:
    report = publish.assign(loaded, published_by="me", now=NOW, dry_run=True)
    assert report.plan is None
    assert report.counts["prospects"] == 5
    assert overview(loaded, scope=ALL).plan_id is None


def test_the_policy_of_a_plan_holds_until_another_is_given(loaded: Store) -> None:
    tight = Policy(name="tight", radius=RadiusPolicy(limit_m=0.4 * METRES_PER_MILE))
    publish.assign(loaded, published_by="me", now=NOW, policy=tight)
    assert policy_in_force(loaded) == tight
    assert EXPORTS["prospects"](loaded, scope=ALL)["verdict"].tolist()[:2] == ["out", "in"]
    assert not publish.assign(loaded, published_by="me", now=NOW).is_published
    assert publish.assign(loaded, published_by="me", now=NOW, policy=Policy()).is_published


@pytest.mark.parametrize("missing", ["prospects", "markets"])
def test_there_is_nothing_to_assign_without_prospects_and_markets(
    store: Store, tmp_path: Path, missing: str
) -> None:
    for kind in {"prospects", "markets"} - {missing}:
        put(store, tmp_path, kind)
    with pytest.raises(ConflictError, match=f"no {missing} to assign.*import {missing}"):
        publish.assign(store, published_by="me", now=NOW)


def test_every_step_of_an_explanation_is_told_with_plan_and_policy(planned: Store) -> None:
    told = publish.explain(planned, "p4", scope=ALL)
    assert told.owner == "Bob Birch, territory Denver all (T2)"
    assert told.sentence == "Named account of Bob Birch, regardless of where it is headquartered."
    assert [(step.rule, step.outcome) for step in told.steps] == [
        ("named_account", "won"),
        ("retained_customer", "not reached"),
        ("market_of_headquarters", "not reached"),
    ]
    assert told.record == (
        "Plan 2026-11-23 (plan-1), published 2026-11-23T12:00:00Z by Sales ops, in force since "
        "2026-11-23. Policy default, version 1."
    )
    assert told.lines()[0] == "Far West (p4): Bob Birch, territory Denver all (T2)"
    assert publish.explain(planned, "p5", scope=ALL).owner == "Unassigned"


def test_the_explanation_and_the_plan_give_the_same_reason_to_everyone(demo_store: Store) -> None:
    everyone = EXPORTS["prospects"](demo_store, scope=ALL)
    for _, some in everyone.groupby(["rule", "verdict"], dropna=False):
        row = some.iloc[0]
        told = publish.explain(demo_store, row["prospect_id"], scope=ALL)
        assert told.sentence == row["reason"]
        deciding = [step for step in told.steps if step.outcome == "won"] or told.steps[-1:]
        assert deciding[0].reason == row["reason"]


def test_who_is_not_in_the_plan_is_not_explained(planned: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"'p9' in plan-1.*export prospects"):
        publish.explain(planned, "p9", scope=ALL)
    put(planned, tmp_path, "prospects", "prospect_id,name\np9,New\n")
    with pytest.raises(NotFoundError, match=r"imported later: `territory assign`"):
        publish.explain(planned, "p9", scope=ALL)


def test_the_summaries_of_the_markets_reconcile_with_the_overview(demo_store: Store) -> None:
    seen, markets = (
        overview(demo_store, scope=ALL),
        market_summaries(demo_store, scope=ALL),
    )
    assert list(markets.columns) == list(SUMMARY_COLUMNS)
    assert seen.is_demo
    assert seen.notice
    assert markets["prospects"].sum() == seen.in_market
    assert seen.in_market + seen.outside == seen.prospects == seen.placed + seen.unplaced
    assert seen.within_radius + seen.too_close + seen.beyond_radius == seen.placed
    assert len(outside(demo_store, scope=ALL)) == seen.outside
    assert len(findings(demo_store, scope=ALL)) == seen.findings
    # A rep without a territory has a quota but no market.
    assert markets["quota_usd"].sum() <= seen.quota_usd
    everyone = EXPORTS["prospects"](demo_store, scope=ALL)
    inside = everyone[everyone["market_id"].notna()]
    assert markets["pipeline_usd"].sum() == pytest.approx(inside["pipeline_usd"].sum())
    assert seen.pipeline_usd == pytest.approx(everyone["pipeline_usd"].sum())
    assert seen.unassigned == int((everyone["rule"] == "unassigned").sum())


def test_the_page_of_a_market_agrees_with_its_summary(demo_store: Store) -> None:
    for row in market_summaries(demo_store, scope=ALL).itertuples():
        view = market(demo_store, row.market_id, scope=ALL)
        assert len(view.prospects) == row.prospects
        assert len(view.findings) == row.findings
        assert len(view.reps) == row.reps
        assert int((view.prospects["segment"] == "enterprise").sum()) == row.enterprise
        assert int((view.prospects["verdict"] == "in").sum()) == row.within_radius
        assert view.geometry.is_valid
        assert not view.geometry.is_empty
        nearest = set(view.prospects["nearest_office_id"].dropna())
        assert nearest <= set(view.offices["office_id"])


def test_a_rep_of_two_markets_counts_half_the_quota_in_each(planned: Store, tmp_path: Path) -> None:
    text = FILES["territories"] + "T3,More,bob,CHI,small\n"
    put(planned, tmp_path, "territories", text)
    publish.assign(planned, published_by="me", now=NOW)
    markets = market_summaries(planned, scope=ALL).set_index("market_id")
    assert markets["quota_usd"].to_dict() == {"CHI": 1200.0, "DEN": 200.0}
    assert markets["reps"].to_dict() == {"CHI": 2, "DEN": 1}


def test_one_prospect_shows_what_is_on_file_about_it(planned: Store) -> None:
    seen = prospect(planned, "p1", scope=ALL)
    assert seen.prospect["name"].tolist() == ["Lakefront Co"]
    assert seen.opportunities["opportunity_id"].tolist() == ["o1", "o2"]
    assert seen.contacts["name"].tolist() == ["Jo Doe"]
    assert seen.sites["name"].tolist() == ["Depot"]
    with pytest.raises(NotFoundError, match="'px'"):
        prospect(planned, "px", scope=ALL)
    with pytest.raises(NotFoundError, match="'XXX'"):
        market(planned, "XXX", scope=ALL)


def test_before_the_first_plan_pages_are_empty_and_exports_have_what_is_on_file(
    loaded: Store, tmp_path: Path
) -> None:
    seen = overview(loaded, scope=ALL)
    assert (seen.plan_id, seen.prospects, seen.imported) == (None, 0, 5)
    assert not seen.is_demo
    for read in (market_summaries, outside, reports_offices, reports_reps):
        assert read(loaded, scope=ALL).empty
    assert findings(loaded, scope=ALL).empty
    assert export(loaded, "prospects", tmp_path / "out.csv", **ASKED).rows == 5
    assert export(loaded, "findings", tmp_path / "none.csv", **ASKED).rows == 0
    with pytest.raises(NotFoundError, match="No plan is published yet"):
        publish.explain(loaded, "p1", scope=ALL)


def test_check_looks_at_the_store_as_it_is_now(planned: Store, tmp_path: Path) -> None:
    report = publish.check_report(planned, now=NOW)
    check(report.findings, FINDINGS, "findings")
    assert report.sums["title"].tolist() == [
        "1 of 2 markets with segments that no territory covers",
        "1 of 5 prospects without a location",
        "1 of 5 prospects outside every market",
        "1 of 5 prospects beyond the radius of every office",
    ]
    put(planned, tmp_path, "reps", "rep_id,name\nnew,New Rep\n")
    assert "rep_without_base_office" in set(publish.check(planned, now=NOW)["code"])
    assert "rep_without_base_office" not in set(findings(planned, scope=ALL)["code"])


@pytest.mark.parametrize("kind", EXPORTS)
@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet"])
def test_every_kind_is_exported_whole(
    planned: Store, tmp_path: Path, kind: str, suffix: str
) -> None:
    path = tmp_path / f"out.{suffix}"
    rows = export(planned, kind, path, **ASKED).rows
    reader = {"csv": pd.read_csv, "xlsx": pd.read_excel, "parquet": pd.read_parquet}[suffix]
    assert len(reader(path)) == rows == len(EXPORTS[kind](planned, scope=ALL))


def test_what_was_exported_can_be_imported_again(planned: Store, tmp_path: Path) -> None:
    path = tmp_path / "again.csv"
    for kind in ("territories", "named_accounts", "contacts", "quotas", "markets", "reps"):
        export(planned, kind, path, **ASKED)
        report = imports.import_file(planned, kind, path, by="me", now=NOW)
        assert report.changes["unchanged"] == report.rows


def test_an_unknown_kind_is_not_exported(planned: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'plans' cannot be exported. The kinds are prospects"):
        export(planned, "plans", tmp_path / "out.csv", **ASKED)


def test_the_demo_company_loads_the_same_twice(demo_store: Store) -> None:
    told: list[str] = []
    again = demo_company.load_demo(
        demo_store, now=datetime(2026, 11, 20, 12, tzinfo=UTC), progress=told.append
    )
    assert not again.is_published
    reports = [line for line in told if " rows = " in line]
    assert len(reports) == len(KINDS)
    assert all(" 0 new, 0 updated" in line and ", 0 refused" in line for line in reports)


@pytest.mark.postgresql
def test_the_demo_company_makes_the_same_plan_on_postgresql(
    demo_store: Store, postgresql_url: str
) -> None:
    with open_store(postgresql_url) as store:
        demo_company.load_demo(store, now=datetime(2026, 11, 20, 12, tzinfo=UTC))
        assert dataclasses.asdict(overview(store, scope=ALL)) == dataclasses.asdict(
            overview(demo_store, scope=ALL)
        )
        for read in (market_summaries, findings, reports_reps):
            pd.testing.assert_frame_equal(read(store, scope=ALL), read(demo_store, scope=ALL))
        pd.testing.assert_frame_equal(outside(store, scope=ALL), outside(demo_store, scope=ALL))
        assert publish.explain(store, "walmart", scope=ALL) == publish.explain(
            demo_store, "walmart", scope=ALL
        )
