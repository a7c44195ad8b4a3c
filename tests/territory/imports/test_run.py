"""An import is remembered whole: shown before, told row by row, downloaded, taken back."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import imports
from territory.accounts import duplicates
from territory.errors import ConflictError, InputError, NotFoundError
from territory.files import read_table
from territory.geocoding import review
from territory.imports.report import OUTCOMES
from territory.store import KINDS, Store, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LATER = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
PROSPECTS = """prospect_id,name,city,state,postal_code,website,lat,lon
p1,Lakefront Co,Chicago,IL,60601,lake.example,41.8858,-87.6229
p2,Zip Works,Chicago,IL,60601,,,
p3,Nowhere,Qqqqqq,ZZ,,,,
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "store.sqlite")) as opened:
        yield opened


def put(
    store: Store, folder: Path, written: str, kind: str = "prospects", **how: object
) -> imports.ImportReport:
    path = folder / f"{kind}.csv"
    path.write_text(written, encoding="utf-8")
    terms = {"by": "Ann", "now": NOW, **how}
    return imports.import_file(store, kind, path, **terms)  # type: ignore[arg-type]


def everything(store: Store) -> dict[str, pd.DataFrame]:
    with store.read() as transaction:
        return {kind: transaction.table(kind) for kind in KINDS}


def assert_same(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> None:
    for kind in KINDS:
        pd.testing.assert_frame_equal(one[kind], other[kind])


# --- what became of each row


def test_each_row_has_one_outcome_with_its_reason_and_remedy(store: Store, tmp_path: Path) -> None:
    written = PROSPECTS + "p1,Twin,,,,,,\np5,,,,,,,\n"
    report = put(store, tmp_path, written)
    told = report.outcomes
    assert list(told.columns) == list(OUTCOMES)
    assert told[["line", "key", "bucket", "change"]].to_numpy().tolist() == [
        [2, "p1", "placed", "new"],
        [3, "p2", "approximate", "new"],
        [4, "p3", "unplaced", "new"],
        [5, "p1", "duplicate", None],
        [6, "p5", "refused", None],
    ]
    assert told["reason"].isna().tolist() == [True, False, False, False, False]
    assert (told["reason"].isna() == told["remedy"].isna()).all()
    assert told["reason"][1] == "located by postal code only: ZIP 60601"
    assert report.is_reconciled


def test_what_was_odd_is_beside_the_row_it_is_about(store: Store, tmp_path: Path) -> None:
    written = "prospect_id,name,employees,founded_on\np1,A,lots,\np2,B,7,\n"
    told = put(store, tmp_path, written).outcomes
    assert told["note"].tolist() == ["employees 'lots' was not recognized", None]


def test_a_note_is_not_told_of_a_row_that_was_turned_away(store: Store, tmp_path: Path) -> None:
    put(store, tmp_path, PROSPECTS)
    written = "contact_id,prospect_id,name,email\nc1,p9,Al,x\n"
    report = put(store, tmp_path, written, "contacts")
    assert report.buckets["refused"] == 1
    assert report.notes.empty


def test_an_industry_code_comes_in_as_its_words(store: Store, tmp_path: Path) -> None:
    put(store, tmp_path, "prospect_id,name,naicscode\np1,A,485410\n")
    with store.read() as transaction:
        held = transaction.table("prospects")["industry"]
    assert held.tolist() == ["School and Employee Bus Transportation"]


def test_a_special_zip_code_is_noted_where_it_places_the_row(store: Store, tmp_path: Path) -> None:
    written = "prospect_id,name,postal_code,state,lat,lon\np1,A,09012,AE,,\np2,B,09012,AE,50,8\n"
    told = put(store, tmp_path, written).outcomes["note"]
    assert "military mail" in told[0]
    assert told[1] is None or "military" not in told[1]


def test_coordinates_that_cannot_be_meant_are_a_conflict_and_placed_by_the_address(
    store: Store, tmp_path: Path
) -> None:
    written = "prospect_id,name,city,state,postal_code,lat,lon\n" + "".join(
        f"p{at},A,Chicago,IL,60601,{point}\n"
        for at, point in enumerate(("-87.62,41.88", "41.88,87.62", "-187.62,41.88"))
    )
    report = put(store, tmp_path, written)
    assert (report.buckets["conflict"], report.buckets["approximate"]) == (2, 1)
    told = report.outcomes
    assert "swapped" in told["reason"][0]
    assert "other sign" in told["reason"][1]
    assert told["note"][2] == "lat=-187.62, lon=41.88 is off the globe: not used"
    with store.read() as transaction:
        held = transaction.table("prospects")
    assert held["lat"].between(41.8, 41.95).all()
    again = put(store, tmp_path, written)
    assert again.changes["unchanged"] == 3


# --- the record


def test_an_import_is_remembered_with_all_that_it_told(store: Store, tmp_path: Path) -> None:
    report = put(store, tmp_path, PROSPECTS + "p9,,,,,,,\n", source="crm.csv")
    assert report.import_id == "import-1"
    record = imports.import_record(store, "import-1")
    assert (record.kind, record.source, record.rows) == ("prospects", "crm.csv", 4)
    assert (record.imported_at, record.imported_by) == ("2026-11-23T09:30:00Z", "Ann")
    assert record.buckets == report.buckets
    assert record.changes == report.changes
    assert record.mapping == report.mapping
    assert record.undone_at is None
    pd.testing.assert_frame_equal(imports.outcomes(store, "import-1"), report.outcomes)


def test_history_lists_the_newest_first_and_by_kind(store: Store, tmp_path: Path) -> None:
    assert imports.history(store).empty
    put(store, tmp_path, PROSPECTS)
    put(store, tmp_path, "rep_id,name\nr1,Ann\n", "reps")
    put(store, tmp_path, PROSPECTS, by="Bo", now=LATER)
    whole = imports.history(store)
    assert whole["import_id"].tolist() == ["import-3", "import-2", "import-1"]
    assert whole["imported_by"].tolist() == ["Bo", "Ann", "Ann"]
    assert imports.history(store, "reps")["import_id"].tolist() == ["import-2"]
    assert [c["unchanged"] for c in whole["changes"]] == [3, 0, 0]


def test_a_dry_run_leaves_no_record_and_no_mapping(store: Store, tmp_path: Path) -> None:
    mapping = {"name": "name", "city": "city"}
    report = put(store, tmp_path, "name,city\nA,Boise\n", mapping=mapping, dry_run=True)
    assert report.import_id is None
    assert len(report.outcomes) == 1
    assert imports.history(store).empty
    assert imports.preview(store, "prospects", tmp_path / "prospects.csv").origin == "automatic"


def test_a_file_that_cannot_be_used_leaves_no_record(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        put(store, tmp_path, "colour,size\nred,1\n", "markets")
    assert imports.history(store).empty


def test_what_is_not_there_is_not_looked_up(store: Store, tmp_path: Path) -> None:
    for read in (imports.import_record, imports.outcomes, imports.missing_keys):
        with pytest.raises(NotFoundError, match=r"'import-9'.*imports list"):
            read(store, "import-9")
    with pytest.raises(NotFoundError, match="'import-9'"):
        imports.undo(store, "import-9", by="Ann", now=NOW)
    with pytest.raises(NotFoundError, match="'import-9'"):
        imports.report_table(store, "import-9", tmp_path / "x.csv")


@pytest.mark.postgresql
def test_records_and_undo_are_the_same_on_postgresql(postgresql_url: str, tmp_path: Path) -> None:
    with open_store(postgresql_url) as store:
        for kind, written in (
            ("prospects", PROSPECTS),
            ("reps", "rep_id,name\nr1,Ann\n"),
            ("quotas", "rep_id,period,amount_usd\nr1,2026,5\nr1,2027,6\n"),
        ):
            put(store, tmp_path, written, kind)
        before = everything(store)
        changed = put(store, tmp_path, "rep_id,period,amount_usd\nr1,2026,9\nr1,2028,7\n", "quotas",
                      is_full=True)  # fmt: skip
        assert changed.import_id is not None
        assert changed.changes == {"new": 1, "updated": 1, "unchanged": 0}
        assert imports.missing_keys(store, changed.import_id) == ("r1 / 2027",)
        told = imports.outcomes(store, changed.import_id)
        assert told["key"].tolist() == ["r1 / 2026", "r1 / 2028"]
        with pytest.raises(ConflictError, match="quotas"):
            imports.undo(store, imports.history(store, "reps")["import_id"][0], by="x", now=NOW)
        imports.undo(store, changed.import_id, by="Ann", now=LATER)
        assert_same(everything(store), before)


# --- full imports


def test_a_full_import_names_what_it_lacks_and_deletes_nothing(
    store: Store, tmp_path: Path
) -> None:
    put(store, tmp_path, PROSPECTS)
    before = everything(store)
    part = "".join(PROSPECTS.splitlines(keepends=True)[:2]) + "p3,,,,,,,\n"
    report = put(store, tmp_path, part, is_full=True)
    assert report.missing == ("p2",)  # p3 is mentioned, although refused
    assert "; 1 not in the file, kept as they are." in report.sentence
    assert report.import_id is not None
    assert imports.missing_keys(store, report.import_id) == ("p2",)
    assert len(imports.outcomes(store, report.import_id)) == 2
    assert report.as_json()["missing_keys"] == ["p2"]
    assert_same(everything(store), before)
    assert put(store, tmp_path, part).missing == ()


# --- mapping


def test_a_preview_shows_rows_mapping_and_what_is_missing(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("Firm,Town,Rank\nAcme,Boise,1\n\nBeta,Provo,2\n")
    seen = imports.preview(store, "prospects", path, rows=1)
    assert seen.headers == ("Firm", "Town", "Rank")
    assert seen.rows.to_dict("index") == {2: {"Firm": "Acme", "Town": "Boise", "Rank": "1"}}
    assert seen.mapping == {"Town": "city"}
    assert seen.ignored == ("Firm", "Rank")
    assert seen.missing == ("name",)
    assert seen.origin == "automatic"
    assert seen.problem is not None
    assert "needs 'name'" in seen.problem
    fixed = imports.preview(store, "prospects", path, mapping={"Firm": "name", "Rank": ""})
    assert (fixed.origin, fixed.problem, fixed.missing) == ("given", None, ())
    assert fixed.ignored == ("Town", "Rank")
    by_column = fixed.columns.set_index("column")["header"]
    assert (by_column["name"], by_column["city"]) == ("Firm", None)
    assert imports.is_empty(store)


def test_a_mapping_that_does_not_fit_is_a_problem_of_the_preview(
    store: Store, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    seen = imports.preview(
        store, "prospects", tmp_path / "x.csv", mapping={"a": "name", "b": "name"}
    )
    assert seen.problem is not None
    assert "'name' is mapped 2 times" in seen.problem


def test_outlines_of_markets_need_no_mapping(store: Store, tmp_path: Path) -> None:
    shape = {"type": "Polygon", "coordinates": [[[-117, 43], [-115, 43], [-115, 44], [-117, 43]]]}
    feature = {"type": "Feature", "properties": {"name": "Boise"}, "geometry": shape}
    path = tmp_path / "m.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    seen = imports.preview(store, "markets", path)
    assert (seen.problem, seen.rows["name"].tolist()) == (None, ["Boise"])
    report = imports.import_file(store, "markets", path, by="Ann", now=NOW)
    assert report.import_id is not None
    table = imports.report_table(store, report.import_id, path)
    assert table[["name", "bucket"]].to_numpy().tolist() == [["Boise", "accepted"]]
    imports.undo(store, report.import_id, by="Ann", now=NOW)
    assert imports.is_empty(store)


def test_a_mapping_is_remembered_for_files_with_the_same_headers(
    store: Store, tmp_path: Path
) -> None:
    mapping = {"Firm": "name", "Town": "city", "Rank": ""}
    put(store, tmp_path, "Firm,Town,Rank\nAcme,Boise,1\n", mapping=mapping)
    again = tmp_path / "again.csv"
    again.write_text("Rank,Town,Firm\n1,Boise,Acme\n")
    assert imports.preview(store, "prospects", again).origin == "remembered"
    report = imports.import_file(store, "prospects", again, by="Bo", now=LATER)
    assert report.changes == {"new": 0, "updated": 0, "unchanged": 1}
    put(store, tmp_path, "Firm,Town,Rank\nAcme,Boise,1\n", mapping={"Firm": "name"})
    assert dict(imports.preview(store, "prospects", again).mapping) == {"Firm": "name"}
    other = tmp_path / "other.csv"
    other.write_text("Firm,Town\nAcme,Boise\n")  # all of its headers are known from the last time
    assert imports.preview(store, "prospects", other).origin == "remembered"
    assert dict(imports.preview(store, "prospects", other).mapping) == {"Firm": "name"}
    other.write_text("Firm,City,State\nAcme,Boise,ID\n")
    assert imports.preview(store, "prospects", other).origin == "automatic"
    assert imports.preview(store, "offices", again).origin == "automatic"


# --- downloads

HOSTILE = "=cmd|' /C calc'!A0"


def test_a_download_has_the_columns_of_the_file_untouched(store: Store, tmp_path: Path) -> None:
    written = f'Line,name,zip\n007,"{HOSTILE}",01001\n x ,B,1,9\n1.50,,\n'
    report = put(store, tmp_path, written)
    path = tmp_path / "prospects.csv"
    assert report.import_id is not None
    table = imports.report_table(store, report.import_id, path)
    assert list(table.columns) == ["Line", "name", "zip", *OUTCOMES]
    assert table["Line"].tolist()[::2] == ["007", "1.50"]
    assert table["line"].tolist() == [2, 3, 4]
    assert table["bucket"].tolist() == ["approximate", "refused", "refused"]
    assert table["zip"].isna().tolist() == [False, True, True]
    for name in ("out.csv", "out.xlsx"):
        assert imports.write_report(table, tmp_path / name) == 3
        again = read_table(tmp_path / name).frame
        assert again["name"].tolist()[0] == HOSTILE
    raw = (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert f"'{HOSTILE}" in raw
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").active
    assert sheet is not None
    assert sheet["B2"].value == f"'{HOSTILE}"
    direct = tmp_path / "direct.csv"
    imports.write_report(report, direct, original=path)
    assert direct.read_text(encoding="utf-8") == raw
    assert imports.write_report(report, tmp_path / "short.csv") == 3
    assert list(read_table(tmp_path / "short.csv").frame.columns) == list(OUTCOMES)


def test_columns_of_the_same_name_are_told_apart(store: Store, tmp_path: Path) -> None:
    report = put(store, tmp_path, "key,name,line,bucket\nk,A,l,b\n")
    assert report.import_id is not None
    table = imports.report_table(store, report.import_id, tmp_path / "prospects.csv")
    assert table.loc[0, ["key", "line", "bucket"]].tolist() == ["k", "l", "b"]
    assert table.loc[0, ["territory_line", "territory_bucket"]].tolist() == [2, "unplaced"]


def test_only_the_file_that_was_imported_has_a_download(store: Store, tmp_path: Path) -> None:
    report = put(store, tmp_path, PROSPECTS, source="crm.csv")
    path = tmp_path / "prospects.csv"
    path.write_text(PROSPECTS + "p4,New,,,,,,\n")
    assert report.import_id is not None
    with pytest.raises(InputError, match=r"not the file that import-1 read \(crm.csv\)"):
        imports.report_table(store, report.import_id, path)


# --- undo


def test_an_undo_takes_back_what_was_brought_and_what_was_changed(
    store: Store, tmp_path: Path
) -> None:
    put(store, tmp_path, PROSPECTS)
    before = everything(store)
    written = PROSPECTS.replace("Zip Works,Chicago", "Zip Works,Evanston") + "p4,New,,,,,,\n"
    report = put(store, tmp_path, written, now=LATER)
    assert report.changes == {"new": 1, "updated": 1, "unchanged": 2}
    assert report.import_id is not None
    tried = imports.undo(store, report.import_id, by="Bo", now=LATER, dry_run=True)
    assert (tried.removed, tried.restored) == (1, 1)
    assert tried.sentence.endswith("Nothing was changed.")
    assert imports.import_record(store, report.import_id).undone_at is None
    done = imports.undo(store, report.import_id, by="Bo", now=LATER)
    assert done.sentence == "import-2 undone: 1 prospects removed, 1 as they were before."
    assert_same(everything(store), before)
    record = imports.import_record(store, report.import_id)
    assert (record.undone_at, record.undone_by) == ("2026-11-24T09:30:00Z", "Bo")
    with pytest.raises(ConflictError, match="undone already, 2026-11-24T09:30:00Z by Bo"):
        imports.undo(store, report.import_id, by="Bo", now=LATER)


def test_a_later_import_of_the_same_rows_stands_in_the_way_until_it_is_undone(
    store: Store, tmp_path: Path
) -> None:
    put(store, tmp_path, PROSPECTS)
    put(store, tmp_path, PROSPECTS.replace("Nowhere", "Somewhere"), source="late.csv")
    put(store, tmp_path, PROSPECTS.replace("Nowhere", "Somewhere"))  # changes nothing
    with pytest.raises(ConflictError, match=r"import-2 \(late.csv, .*changed 1 prospects \(p3\)"):
        imports.undo(store, "import-1", by="Ann", now=NOW)
    imports.undo(store, "import-2", by="Ann", now=NOW)
    assert imports.undo(store, "import-1", by="Ann", now=NOW).removed == 3
    assert imports.is_empty(store)


def test_rows_of_other_kinds_stand_in_the_way(store: Store, tmp_path: Path) -> None:
    put(store, tmp_path, PROSPECTS)
    contacts = "contact_id,prospect_id,name\n" + "".join(f"c{n},p1,Jo\n" for n in range(7))
    put(store, tmp_path, contacts, "contacts")
    before = everything(store)
    told = r"7 contacts \(c0, c1, c2, c3, c4 and 2 more\) belong to prospects that it brought"
    with pytest.raises(ConflictError, match=told):
        imports.undo(store, "import-1", by="Ann", now=NOW)
    assert_same(everything(store), before)
    imports.undo(store, "import-2", by="Ann", now=NOW)
    imports.undo(store, "import-1", by="Ann", now=NOW)
    assert imports.is_empty(store)


def test_a_row_may_not_go_back_to_what_is_no_longer_there(store: Store, tmp_path: Path) -> None:
    contact = "contact_id,prospect_id,name\nc1,{},Jo\n"
    put(store, tmp_path, "prospect_id,name\nold,Old\n")
    put(store, tmp_path, "prospect_id,name\nnew,New\n")
    put(store, tmp_path, contact.format("old"), "contacts")
    put(store, tmp_path, contact.format("new"), "contacts")
    imports.undo(store, "import-1", by="Ann", now=NOW)
    with pytest.raises(ConflictError, match="'old' is not among the prospects"):
        imports.undo(store, "import-4", by="Ann", now=NOW)


def test_a_pin_set_since_is_followed_after_an_undo(store: Store, tmp_path: Path) -> None:
    put(store, tmp_path, PROSPECTS)
    report = put(store, tmp_path, PROSPECTS.replace("Zip Works", "Zip Words"))
    review.pin(store, "prospects", "p2", -87.6, 41.9, by="Bo", now=LATER)
    assert report.import_id is not None
    imports.undo(store, report.import_id, by="Ann", now=LATER)
    with store.read() as transaction:
        row = transaction.table("prospects", prospect_id="p2").iloc[0]
    assert (row["name"], row["placement"], row["lon"]) == ("Zip Works", "placed", -87.6)


def test_prospects_that_others_were_merged_into_are_not_taken_away(
    store: Store, tmp_path: Path
) -> None:
    put(store, tmp_path, PROSPECTS)
    put(store, tmp_path, "prospect_id,name\np8,Lakefront Company\n")
    duplicates.merge(store, "p1", "p8", by="Bo", now=LATER)
    with pytest.raises(ConflictError, match=r"merged into 1 prospects \(p1\)"):
        imports.undo(store, "import-1", by="Ann", now=LATER)
    with pytest.raises(ConflictError, match=r"1 prospects \(p8\) are no longer there"):
        imports.undo(store, "import-2", by="Ann", now=LATER)


def test_a_prospect_that_was_merged_away_is_a_duplicate_when_it_comes_again(
    store: Store, tmp_path: Path
) -> None:
    put(store, tmp_path, PROSPECTS)
    duplicates.merge(store, "p1", "p2", by="Bo", now=LATER)
    report = put(store, tmp_path, PROSPECTS)
    assert report.buckets["duplicate"] == 1
    assert report.changes == {"new": 0, "updated": 0, "unchanged": 2}
    told = report.refused.iloc[0]
    assert (told["line"], told["key"]) == (3, "p2")
    assert "merged into 'p1'" in told["reason"]
    assert report.is_reconciled


names = st.sampled_from(["Acme", "Beta", "Ωmega", "=x"])
places = st.sampled_from([",,", "Boise,ID,", "Chicago,IL,60601", "Qqq,ZZ,"])
files = st.lists(st.tuples(st.integers(1, 6), names, places), min_size=1, max_size=5)


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("blank") / "blank.sqlite"
    open_store(str(path)).close()
    return path


@settings(deadline=None, max_examples=6, derandomize=True)
@given(st.lists(files, min_size=1, max_size=3))
def test_undoing_imports_from_the_last_to_the_first_leads_back_through_every_state(
    blank: Path, drawn: list[list[tuple[int, str, str]]]
) -> None:
    copy = blank.with_name("copy.sqlite")
    shutil.copy(blank, copy)
    with open_store(str(copy)) as store:
        states = [everything(store)]
        for rows in drawn:
            written = "prospect_id,name,city,state,postal_code\n"
            written += "".join(f"p{number},{name},{place}\n" for number, name, place in rows)
            report = put(store, blank.parent, written)
            assert report.is_reconciled
            assert len(report.outcomes) == len(rows)
            again = put(store, blank.parent, written)
            assert again.changes["new"] == again.changes["updated"] == 0
            states.append(everything(store))
        for import_id in imports.history(store)["import_id"]:
            if import_id in imports.history(store)["import_id"].tolist()[::2]:
                assert imports.undo(store, import_id, by="x", now=NOW).removed == 0
                continue
            assert_same(everything(store), states.pop())
            imports.undo(store, import_id, by="x", now=NOW)
        assert_same(everything(store), states.pop())
    for left in blank.parent.glob("copy.sqlite*"):
        left.unlink()


def test_a_report_that_does_not_add_up_says_so(store: Store, tmp_path: Path) -> None:
    report = put(store, tmp_path, PROSPECTS)
    assert report.is_reconciled
    assert not replace(report, rows=4).is_reconciled
    assert not replace(report, outcomes=report.outcomes.head(2)).is_reconciled
