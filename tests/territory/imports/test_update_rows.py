"""A column that a file lacks leaves its field alone; a blank cell clears it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from territory import imports
from territory.accounts import duplicates
from territory.errors import ColumnError
from territory.geocoding import review
from territory.imports import headers
from territory.schemas import ADDRESS, GEOCODE
from territory.store import KINDS, Store, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
CASES = Path(__file__).resolve().parents[4] / "shared" / "cases"
# One row of each kind with every column filled in, in the order in which they refer to one another.
FULL = {
    "offices": {
        "office_id": "CHI", "name": "Chicago", "street": "1 Main St", "city": "Chicago",
        "state": "IL", "postal_code": "60603", "country": "US", "lat": "41.8789",
        "lon": "-87.6359", "opened_on": "2020-01-01", "closed_on": "2030-01-01",
    },
    "prospects": {
        "prospect_id": "p1", "name": "Tools", "status": "customer", "street": "2 Main St",
        "city": "Maple Park", "state": "IL", "postal_code": "60151", "country": "US",
        "lat": "41.9", "lon": "-88.6", "website": "tools.example", "industry": "Metal",
        "employees": "70", "revenue_usd": "1000", "parent_id": "p0", "owner_rep_id": "ann",
    },
    "reps": {"rep_id": "ann", "name": "Ann", "email": "ann@a.example", "base_office_id": "CHI"},
    "markets": {"market_id": "M", "name": "Cook", "kind": "county", "units": "17031"},
    "territories": {
        "territory_id": "T", "name": "Lake", "rep_id": "ann", "market_id": "M", "segment": "small",
    },
    "named_accounts": {"prospect_id": "p1", "territory_id": "T"},
    "sites": {
        "site_id": "s1", "prospect_id": "p1", "name": "Depot", "street": "3 Main St",
        "city": "Denver", "state": "CO", "postal_code": "80202", "country": "US",
        "lat": "39.75", "lon": "-104.99",
    },
    "contacts": {
        "contact_id": "c1", "prospect_id": "p1", "name": "Jo", "title": "Buyer",
        "email": "jo@a.example", "phone": "+13125550150",
    },
    "opportunities": {
        "opportunity_id": "o1", "prospect_id": "p1", "name": "Fibre", "stage": "Proposal",
        "amount_usd": "250", "close_on": "2026-12-01", "last_activity_on": "2026-11-01",
    },
    "quotas": {"rep_id": "ann", "period": "2026", "amount_usd": "1000"},
}  # fmt: skip
OPTIONAL = [
    (kind, name)
    for kind, contract in headers.CONTRACTS.items()
    for name in contract.columns
    if name not in KINDS[kind].key
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "store.sqlite")) as opened:
        yield opened


@pytest.fixture(scope="module")
def full_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Path]]:
    """One row of each kind; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("full")
    with open_store(str(folder / "store.sqlite")) as opened:
        for kind, row in FULL.items():
            put(opened, folder, kind, row)
        yield opened, folder


def put(
    store: Store, folder: Path, kind: str, *rows: dict[str, str], **terms: object
) -> imports.ImportReport:
    path = folder / f"{kind}.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    whole = {"by": "Ann", "now": NOW, **terms}
    return imports.import_file(store, kind, path, **whole)  # type: ignore[arg-type]


def record(store: Store, kind: str = "prospects", at: int = 0) -> dict[str, object]:
    with store.read() as transaction:
        table = transaction.table(kind).astype(object)
    return table.where(table.notna(), None).iloc[at].to_dict()


def only(kind: str, *names: str, **more: str) -> dict[str, str]:
    """The key of a kind, some columns of its full row, and others."""
    return {name: FULL[kind][name] for name in (*KINDS[kind].key, *names)} | more


@pytest.mark.parametrize(("kind", "name"), OPTIONAL)
def test_a_missing_column_leaves_the_field_of_every_kind_alone(
    full_store: tuple[Store, Path], kind: str, name: str
) -> None:
    rest = {header: cell for header, cell in FULL[kind].items() if header != name}
    report = put(*full_store, kind, rest, dry_run=True)
    assert report.differences.to_numpy().tolist() == []
    assert report.changes == {"new": 0, "updated": 0, "unchanged": 1}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_ids_alone_changes_nothing(full_store: tuple[Store, Path], kind: str) -> None:
    report = put(*full_store, kind, only(kind), dry_run=True)
    assert report.changes == {"new": 0, "updated": 0, "unchanged": 1}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_whichever_columns_a_file_has_the_others_stay(
    full_store: tuple[Store, Path], data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(list(FULL)))
    others = [name for name in FULL[kind] if name not in KINDS[kind].key]
    names = data.draw(st.sets(st.sampled_from(others)))
    report = put(*full_store, kind, only(kind, *sorted(names)), dry_run=True)
    assert report.differences.to_numpy().tolist() == []


def test_a_blank_cell_clears_the_field(store: Store, tmp_path: Path) -> None:
    put(store, tmp_path, "prospects", FULL["prospects"])
    put(store, tmp_path, "prospects", only("prospects", employees="", website="", lat="", lon=""))
    after = record(store)
    assert [after[name] for name in ("employees", "website", "given_lat", "given_lon")] == [
        None
    ] * 4
    assert (after["placement"], after["name"]) == ("approximate", "Tools")


def test_a_column_mapped_to_nothing_leaves_the_field_alone(store: Store, tmp_path: Path) -> None:
    put(store, tmp_path, "prospects", FULL["prospects"])
    row = only("prospects", "name", employees="75", website="")
    mapping = {
        "prospect_id": "prospect_id",
        "name": "name",
        "employees": "employees",
        "website": "",
    }
    put(store, tmp_path, "prospects", row, mapping=mapping)
    after = record(store)
    assert (after["employees"], after["website"]) == (75, "tools.example")


def test_a_place_is_kept_while_no_file_speaks_of_it(store: Store, tmp_path: Path) -> None:
    row = {name: text for name, text in FULL["prospects"].items() if name not in ("lat", "lon")}
    put(store, tmp_path, "prospects", row)
    review.pin(store, "prospects", "p1", -88.5, 41.8, by="Ann", now=NOW)
    before = record(store)
    put(store, tmp_path, "prospects", only("prospects", employees="75"))
    assert record(store) == before | {"employees": 75}


def test_part_of_an_address_is_placed_with_the_rest_of_it(store: Store, tmp_path: Path) -> None:
    row = {name: text for name, text in FULL["prospects"].items() if name not in ("lat", "lon")}
    put(store, tmp_path, "prospects", row)
    report = put(store, tmp_path, "prospects", only("prospects", postal_code="60601"))
    after = record(store)
    assert [after[name] for name in ADDRESS] == ["2 Main St", "Maple Park", "IL", "60601", "US"]
    alone = dict(row, prospect_id="p2", postal_code="60601")
    put(store, tmp_path, "prospects", alone)
    assert [record(store, at=1)[name] for name in GEOCODE.columns] == [
        after[name] for name in GEOCODE.columns
    ]
    assert report.buckets["conflict"] == 1  # the ZIP code of one town, the name of another


def test_coordinates_are_checked_against_the_address_on_file(store: Store, tmp_path: Path) -> None:
    row = {name: text for name, text in FULL["prospects"].items() if name not in ("lat", "lon")}
    put(store, tmp_path, "prospects", row)
    report = put(store, tmp_path, "prospects", only("prospects", lat="41.9", lon="-88.6"))
    assert report.buckets["placed"] == 1
    report = put(store, tmp_path, "prospects", only("prospects", lat="39.75", lon="-104.99"))
    assert report.buckets["conflict"] == 1
    report = put(store, tmp_path, "prospects", only("prospects", lat="41.9"))
    assert report.changes["unchanged"] == 1  # half a pair says nothing


def test_coordinates_on_file_are_not_trusted_beside_a_new_address(
    store: Store, tmp_path: Path
) -> None:
    put(store, tmp_path, "prospects", FULL["prospects"])
    put(store, tmp_path, "prospects", only("prospects", city="Denver", state="CO", zip="80202"))
    after = record(store)
    assert (after["given_lon"], after["placement"]) == (-88.6, "conflict")
    assert "earlier address" in str(after["geocode_note"])


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"state": "ON", "city": "London"}, ("London", "ON", "60151", "CA")),
        ({"state": "IL", "city": "Elburn"}, ("Elburn", "IL", "60151", "US")),
        ({"city": "San Juan", "country": "PR"}, ("San Juan", "PR", "60151", "US")),
    ],
)
def test_what_follows_from_the_state_is_not_taken_from_the_store(
    store: Store, tmp_path: Path, row: dict[str, str], expected: tuple[str, ...]
) -> None:
    put(store, tmp_path, "prospects", FULL["prospects"])
    put(store, tmp_path, "prospects", only("prospects", **row))
    after = record(store)
    assert tuple(after[name] for name in ("city", "state", "postal_code", "country")) == expected


@pytest.mark.parametrize(
    ("country", "code"), [("CH", "1201"), ("CA", "M5V 2T6"), ("GB", "SW1A 1AA")]
)
def test_a_postal_code_is_one_of_the_country_on_file(
    store: Store, tmp_path: Path, country: str, code: str
) -> None:
    row = {"prospect_id": "p1", "name": "A", "postal_code": code, "country": country}
    put(store, tmp_path, "prospects", row)
    del row["country"]
    row["postal_code"] = code.replace(" ", "").lower()
    assert put(store, tmp_path, "prospects", row).changes["unchanged"] == 1


def test_a_new_row_needs_the_required_columns(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ColumnError, match="needs 'name'; this one has 'prospect_id', 'employees'"):
        put(store, tmp_path, "prospects", only("prospects", "employees"))
    put(store, tmp_path, "prospects", FULL["prospects"])
    rows = only("prospects", employees="75"), {"prospect_id": "p9", "employees": "1"}
    report = put(store, tmp_path, "prospects", *rows)
    refused = report.refused[["line", "key", "reason", "bucket"]].to_numpy().tolist()
    assert refused == [[3, "p9", "no name, and the row is new", "refused"]]
    assert report.changes == {"new": 0, "updated": 1, "unchanged": 0}
    assert report.is_reconciled
    path = tmp_path / "prospects.csv"
    assert imports.preview(store, "prospects", path).problem is None
    path.write_text("prospect_id,employees\np8,1\np9,1\n")
    assert "needs 'name'" in str(imports.preview(store, "prospects", path).problem)


def test_a_new_row_has_the_defaults_of_columns_that_its_file_lacks(
    store: Store, tmp_path: Path
) -> None:
    put(store, tmp_path, "prospects", FULL["prospects"])
    put(store, tmp_path, "prospects", only("prospects", "name"), {"prospect_id": "p2", "name": "B"})
    assert [record(store, at=at)["status"] for at in (0, 1)] == ["customer", "prospect"]


def test_a_market_is_drawn_anew_only_if_what_it_is_made_of_changes(
    store: Store, tmp_path: Path
) -> None:
    put(store, tmp_path, "markets", FULL["markets"])
    before = record(store, "markets")
    put(store, tmp_path, "markets", only("markets", name="Lakeside"))
    assert record(store, "markets") == before | {"name": "Lakeside"}
    put(store, tmp_path, "markets", only("markets", units="1001"))
    after = record(store, "markets")
    assert (after["kind"], after["units"]) == ("county", "01001")
    assert after["geometry"] != before["geometry"]


def test_a_further_market_of_a_territory_has_its_name_and_rep(store: Store, tmp_path: Path) -> None:
    for kind in ("offices", "reps", "markets", "territories"):
        put(store, tmp_path, kind, FULL[kind])
    row = {"territory_id": "T", "market_id": "M", "segment": "enterprise"}
    assert put(store, tmp_path, "territories", row).changes["new"] == 1
    with store.read() as transaction:
        table = transaction.table("territories")
    assert table[["name", "rep_id"]].to_numpy().tolist() == [["Lake", "ann"]] * 2


def test_a_merged_prospect_is_a_duplicate_and_the_kept_one_stays(
    store: Store, tmp_path: Path
) -> None:
    twin = {"prospect_id": "p2", "name": "Tools", "website": "other.example", "industry": "Steel"}
    put(store, tmp_path, "prospects", FULL["prospects"], twin)
    duplicates.merge(store, "p1", "p2", by="Ann", now=NOW)
    before = record(store)
    rows = only("prospects", employees="75"), {"prospect_id": "p2", "employees": "1"}
    report = put(store, tmp_path, "prospects", *rows)
    assert record(store) == before | {"employees": 75}
    assert report.buckets["duplicate"] == 1


def test_an_undo_gives_back_what_a_partial_file_changed(store: Store, tmp_path: Path) -> None:
    put(store, tmp_path, "prospects", FULL["prospects"])
    before = record(store)
    report = put(store, tmp_path, "prospects", only("prospects", employees="75"))
    assert report.import_id is not None
    imports.undo(store, report.import_id, by="Ann", now=NOW)
    assert record(store) == before


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not beside the project")
def test_partial_exports_of_a_crm_update_what_they_have(store: Store) -> None:
    def take(kind: str, name: str) -> None:
        imports.import_file(store, kind, CASES / name, by="Ann", now=NOW)

    take("prospects", "b24_full.csv")
    before = record(store, at=1)
    take("prospects", "b24_partial.csv")
    assert record(store, at=1) == before | {"employees": 75}
    assert before["placement"] == "approximate"
    take("offices", "support_office_chicago.csv")
    office = record(store, "offices")
    take("offices", "b24_office_partial.csv")
    assert record(store, "offices") == office | {"name": "Chicago HQ"}
