"""Export then import is the identity, for random stores in every kind and format."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from territory.access import Scope
from territory.imports import import_file
from territory.reports import export
from territory.store import Store, open_store

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FORMATS = ("csv", "xlsx", "parquet", "geojson", "gpkg", "kml")
KINDS = ("offices", "reps", "markets", "territories", "prospects", "sites", "contacts",
         "opportunities", "quotas", "named_accounts")  # fmt: skip
few = settings(
    max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
IDS = ("1001", "007", "a-1", "0015g00000AbCdE", "=1+1", "1e5")
# Words as people write them, with what formats and spreadsheets stumble over.
words = st.one_of(
    st.sampled_from(["Müller & Söhne", "=SUM(A1)", "'quoted'", "a,b;c\td", "007", "1.0", "null",
                     "N/A Corp", "<b>&amp;", "2026-11-02", "TRUE", "東京", "-", "+1 312 555 0100"]),
    st.text("abcdefgh XYZ-.&", min_size=1, max_size=12),
)  # fmt: skip
places = st.sampled_from([
    {"postal_code": "60601"},
    {"postal_code": "02110", "city": "Boston", "state": "MA"},
    {"city": "Springfield"},
    {"city": "Chicago", "state": "IL", "country": "US"},
    {"lat": 41.883911234567, "lon": -87.62187},
    {"lat": -17.5, "lon": 179.9999999},
    {"lat": 41.88, "lon": -87.62, "postal_code": "94105"},
    {"lat": -87.62, "lon": 41.88, "postal_code": "60601"},
    {"lat": 41.9, "lon": -87.7, "precision": "postal", "uncertainty_m": 2500.5,
     "geocode_source": "a map of theirs"},
    {},
])  # fmt: skip
amounts = st.one_of(st.none(), st.sampled_from([0, 0.1, 1234567.89, 1e9]), st.integers(1, 10**6))
days = st.one_of(st.none(), st.dates(date(1999, 1, 1), date(2030, 1, 1)))


@st.composite
def stores(draw: st.DrawFn) -> dict[str, pd.DataFrame]:
    """Draw the rows of every kind, each under the ids that it may name."""
    ids = draw(st.lists(st.sampled_from(IDS), min_size=2, max_size=4, unique=True))
    reps = [f"r{number}" for number in range(3)]

    def some(**columns: st.SearchStrategy[object]) -> list[dict[str, object]]:
        return [{name: draw(values) for name, values in columns.items()} for _ in ids]

    frames = {
        "reps": [{"rep_id": one, "name": draw(words), "email": None} for one in reps],
        "offices": [{"office_id": "o1", "name": draw(words), "lat": 41.8789, "lon": -87.6359}],
        "markets": [
            {"market_id": "m1", "name": draw(words), "kind": "metro_area", "units": "16980"},
            {"market_id": "m2", "name": draw(words), "kind": "zip_code", "units": "02110|02111"},
        ],
        "territories": [
            {"territory_id": "t1", "name": draw(words), "rep_id": draw(st.sampled_from(reps)),
             "market_id": one, "segment": "any"}
            for one in ("m1", "m2")
        ],
        "prospects": [
            row | place | {"prospect_id": one}
            for row, place, one in zip(
                some(
                    name=words, street=st.none(), employees=st.one_of(st.none(), st.integers(1, 9)),
                    revenue_usd=amounts, website=st.none(), owner_rep_id=st.sampled_from(reps),
                    parent_id=st.sampled_from([None, ids[0]]),
                ),
                [draw(places) for _ in ids], ids, strict=True,
            )
        ],
        "sites": [
            {"site_id": f"s{one}", "prospect_id": one, "name": draw(words), **draw(places)}
            for one in ids
        ],
        "contacts": [
            {"contact_id": f"c{one}", "prospect_id": one, "name": draw(words), "title": draw(words)}
            for one in ids
        ],
        "opportunities": [
            {"opportunity_id": f"d{one}", "prospect_id": one, "name": draw(words), "stage": "Open",
             "amount_usd": draw(amounts), "close_on": draw(days)}
            for one in ids
        ],
        "quotas": [
            {"rep_id": one, "period": "2026-Q4", "amount_usd": draw(amounts)} for one in reps
        ],
        "named_accounts": [{"prospect_id": ids[0], "territory_id": "t1"}],
    }  # fmt: skip
    same = frames["territories"][0]
    frames["territories"][1] |= {"name": same["name"], "rep_id": same["rep_id"]}
    return {kind: pd.DataFrame(rows, dtype=object) for kind, rows in frames.items()}


def table(store: Store, kind: str) -> pd.DataFrame:
    with store.read() as transaction:
        return transaction.table(kind)


@pytest.mark.parametrize("form", FORMATS)
@few
@given(frames=stores())
def test_export_then_import_is_the_identity(form: str, frames: dict[str, pd.DataFrame]) -> None:
    with (
        tempfile.TemporaryDirectory() as name,
        open_store(f"sqlite:///{name}/store.sqlite") as store,
    ):
        folder = Path(name)
        for kind in KINDS:
            frames[kind].to_parquet(folder / f"{kind}.parquet", index=False)
            import_file(store, kind, folder / f"{kind}.parquet", by="tests", now=NOW)
        for kind in KINDS:
            before, path = table(store, kind), folder / f"{kind}-out.{form}"
            if before.empty:  # a KML file of nothing has no columns that an import could know
                continue
            export(store, kind, path, scope=Scope.everything(), by="tests", now=NOW)
            report = import_file(store, kind, path, by="tests", now=NOW)
            assert report.changes == {"new": 0, "updated": 0, "unchanged": len(before)}, (
                kind, report.differences.to_dict("records"), report.refused.to_dict("records"),
            )  # fmt: skip
            pd.testing.assert_frame_equal(table(store, kind), before)
