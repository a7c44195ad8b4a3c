"""A merge changes what it says, is heeded by imports, and can be taken back to the last cell."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.accounts import DuplicateLedger, duplicates, merged_ids
from territory.cli.main import main
from territory.errors import ConflictError, InputError, NotFoundError
from territory.store import KINDS, Store, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LATER = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
HELD = ("prospects", "sites", "contacts", "opportunities", "named_accounts")
PLACE = {"city": "Chicago", "state": "IL", "country": "US"}
FULL = {
    **PLACE, "street": "1 Main St", "postal_code": "60601", "lon": -87.62, "lat": 41.88,
    "precision": "postal", "uncertainty_m": 1609.0, "placement": "approximate",
    "geocode_source": "ZIP 60601",
}  # fmt: skip
ROUGH = {**PLACE, "lon": -87.65, "lat": 41.85, "precision": "place", "placement": "approximate"}


def frame(store: Store, kind: str, *given: dict[str, Any]) -> pd.DataFrame:
    """Rows of a kind as the store holds them."""
    with store.read() as transaction:
        empty = transaction.table(kind)
    rows = pd.DataFrame(list(given)).reindex(columns=empty.columns)
    for name in empty:
        rows[name] = rows[name].astype(empty[name].dtype)
        if rows[name].dtype == object:
            rows[name] = rows[name].where(rows[name].notna(), None)
    return rows


def fill(store: Store) -> None:
    given = {
        "prospects": (
            {"prospect_id": "a", "name": "Acme Foods Inc", "status": "customer", **ROUGH},
            {"prospect_id": "b", "name": "ACME FOODS", "status": "prospect", **FULL,
             "website": "acme.com", "employees": 250.0, "parent_id": "top"},
            {"prospect_id": "c", "name": "Acme Foods, LLC", "status": "prospect", **ROUGH,
             "website": "acme.com", "revenue_usd": 5e6},
            {"prospect_id": "d", "name": "Delta Labs", "status": "prospect", "parent_id": "b"},
            {"prospect_id": "top", "name": "Top Holdings", "status": "prospect"},
        ),
        "sites": ({"site_id": "s1", "prospect_id": "b", "name": "Plant"},
                  {"site_id": "s2", "prospect_id": "a", "name": "Store"}),
        "contacts": ({"contact_id": "k1", "prospect_id": "b", "name": "Kim"},),
        "opportunities": ({"opportunity_id": "o1", "prospect_id": "b", "stage": "Won"},),
        "named_accounts": ({"prospect_id": "b", "territory_id": "T1"},),
    }  # fmt: skip
    for kind, rows in given.items():
        whole = frame(store, kind, *rows)
        with store.write() as transaction:
            transaction.save(kind, whole, whole.iloc[:0])


def held(store: Store) -> dict[str, pd.DataFrame]:
    with store.read() as transaction:
        return {kind: transaction.table(kind) for kind in HELD}


def same(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> None:
    for kind, rows in one.items():
        pd.testing.assert_frame_equal(rows, other[kind])


def of(rows: pd.DataFrame, prospect_id: str) -> pd.Series:
    found: pd.Series = rows.set_index("prospect_id").loc[prospect_id]
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = str(tmp_path / "store.sqlite")
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    with open_store(url) as opened:
        fill(opened)
        yield opened


@pytest.fixture(scope="module")
def filled_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filled") / "store.sqlite"
    with open_store(str(path)) as opened:
        fill(opened)
    return path


@pytest.fixture
def small(filled_file: Path, tmp_path: Path) -> Iterator[Store]:
    shutil.copy(filled_file, tmp_path / "small.sqlite")
    with open_store(str(tmp_path / "small.sqlite")) as opened:
        yield opened


def test_what_is_merged_fills_blanks_and_everything_moves_along(store: Store) -> None:
    report = duplicates.merge(store, "a", "b", by="Kim", now=NOW)
    now = held(store)
    kept = of(now["prospects"], "a")
    assert kept["name"] == "Acme Foods Inc"
    assert kept["status"] == "customer"
    assert (kept["website"], kept["employees"], kept["parent_id"]) == ("acme.com", 250, "top")
    assert (kept["street"], kept["postal_code"], kept["lon"]) == ("1 Main St", "60601", -87.62)
    assert set(now["prospects"]["prospect_id"]) == {"a", "c", "d", "top"}
    assert of(now["prospects"], "d")["parent_id"] == "a"
    for kind in ("sites", "contacts", "opportunities", "named_accounts"):
        assert set(now[kind]["prospect_id"]) == {"a"}
    assert report.moved == {
        "sites": 1,
        "contacts": 1,
        "opportunities": 1,
        "prospects": 1,
        "named_accounts": 1,
    }
    assert "1 subsidiary" in report.sentence
    assert "same name" in report.evidence
    assert json.loads(json.dumps(report.as_json()))["filled"][0] == "website"


def test_taking_a_merge_back_restores_every_cell(store: Store) -> None:
    before = held(store)
    duplicates.merge(store, "a", "b", by="Kim", now=NOW)
    report = duplicates.unmerge(store, "a", "b", by="Lee", now=LATER)
    same(before, held(store))
    assert report.left == ()
    assert "b is back beside a" in report.sentence
    decided = duplicates.decisions(store)
    assert decided["decision"].tolist() == ["distinct"]
    assert decided["decided_by"].tolist() == ["Lee"]


def test_a_dry_run_tells_the_same_and_writes_nothing(small: Store) -> None:
    before = held(small)
    told = duplicates.merge(small, "a", "b", by="Kim", now=NOW, is_dry_run=True)
    same(before, held(small))
    assert duplicates.decisions(small).empty
    done = duplicates.merge(small, "a", "b", by="Kim", now=NOW)
    assert (told.moved, told.filled) == (done.moved, done.filled)
    assert told.sentence == f"{done.sentence} Nothing was written."


def test_an_address_is_taken_whole_or_not_at_all(small: Store) -> None:
    duplicates.merge(small, "b", "a", by="Kim", now=NOW)
    assert of(held(small)["prospects"], "b")["lon"] == -87.62
    duplicates.unmerge(small, "b", "a", by="Kim", now=NOW)
    with small.write() as transaction:
        moved = transaction.table("prospects", prospect_id="a").assign(city="Peoria")
        transaction.save("prospects", moved.iloc[:0], moved)
    duplicates.merge(small, "a", "b", by="Kim", now=NOW)
    kept = of(held(small)["prospects"], "a")
    assert (kept["city"], kept["street"], kept["lon"]) == ("Peoria", None, -87.65)


def test_nobody_becomes_their_own_ancestor(small: Store) -> None:
    duplicates.merge(small, "d", "b", by="Kim", now=NOW)  # d was a child of b
    assert of(held(small)["prospects"], "d")["parent_id"] == "top"
    duplicates.merge(small, "d", "top", by="Kim", now=NOW)
    assert of(held(small)["prospects"], "d")["parent_id"] is None


def test_what_has_changed_since_stays_when_a_merge_is_taken_back(small: Store) -> None:
    duplicates.merge(small, "a", "b", by="Kim", now=NOW)
    with small.write() as transaction:
        kept = transaction.table("prospects", prospect_id="a").assign(employees=300.0)
        transaction.save("prospects", kept.iloc[:0], kept)
    report = duplicates.unmerge(small, "a", "b", by="Kim", now=LATER)
    assert len(report.left) == 1
    assert "prospects a (" in report.left[0]
    now = held(small)
    assert of(now["prospects"], "a")["employees"] == 300
    assert of(now["prospects"], "b")["employees"] == 250
    assert now["contacts"]["prospect_id"].tolist() == ["b"]


def test_merges_that_cannot_be_are_refused_in_words(small: Store) -> None:
    with pytest.raises(InputError, match="give the ids of two"):
        duplicates.merge(small, "a", "a", by="Kim", now=NOW)
    with pytest.raises(NotFoundError, match="No prospect 'x'"):
        duplicates.merge(small, "a", "x", by="Kim", now=NOW)
    with pytest.raises(NotFoundError, match="No prospect 'x'"):
        duplicates.keep_apart(small, "x", "a", by="Kim", now=NOW)
    with pytest.raises(NotFoundError, match="No merge of 'b' into 'a'"):
        duplicates.unmerge(small, "a", "b", by="Kim", now=NOW)
    with pytest.raises(NotFoundError, match="not marked as different"):
        duplicates.reconsider(small, "a", "b", by="ops", now=NOW)
    duplicates.merge(small, "a", "b", by="Kim", now=NOW)
    with pytest.raises(NotFoundError, match="merged into 'a'"):
        duplicates.merge(small, "c", "b", by="Kim", now=NOW)
    with pytest.raises(NotFoundError, match="No merge of 'a' into 'b'"):
        duplicates.unmerge(small, "b", "a", by="Kim", now=NOW)
    duplicates.merge(small, "c", "a", by="Kim", now=LATER)
    with pytest.raises(ConflictError, match="Undo that first"):
        duplicates.unmerge(small, "a", "b", by="Kim", now=LATER)
    duplicates.unmerge(small, "c", "a", by="Kim", now=LATER)
    duplicates.unmerge(small, "a", "b", by="Kim", now=LATER)


def test_likely_pairs_are_listed_until_somebody_decides(store: Store) -> None:
    pairs, total = duplicates.likely_duplicates(store)
    assert total == len(pairs) == 3
    first = pairs.iloc[0]
    assert (first["first_id"], first["second_id"], first["score"]) == ("b", "c", 0.99)
    assert (first["first_name"], first["second_city"]) == ("ACME FOODS", "Chicago")
    assert pairs.loc[pairs["first_id"] == "a", "kept_id"].tolist() == ["a", "a"]  # the customer
    assert first["kept_id"] == "b"  # more is known of it

    page, total = duplicates.likely_duplicates(store, offset=1, limit=1)
    assert (len(page), total) == (1, 3)
    assert page["first_id"].iloc[0] == pairs["first_id"].iloc[1]

    duplicates.keep_apart(store, "c", "b", by="Kim", now=NOW)
    pairs, total = duplicates.likely_duplicates(store)
    assert total == 2
    assert ("b", "c") not in set(zip(pairs["first_id"], pairs["second_id"], strict=True))
    duplicates.reconsider(store, "b", "c", by="ops", now=NOW)
    assert duplicates.likely_duplicates(store)[1] == 3

    duplicates.merge(store, "a", "b", by="Kim", now=NOW)
    pairs, total = duplicates.likely_duplicates(store)
    assert (total, pairs["second_id"].tolist()) == (1, ["c"])
    page, total = duplicates.likely_duplicates(store, offset=50)
    assert (len(page), total) == (0, 1)


def test_the_list_follows_the_store(small: Store) -> None:
    assert duplicates.likely_duplicates(small)[1] == 3
    with small.write() as transaction:
        renamed = transaction.table("prospects", prospect_id="c").assign(
            name="Cobalt Paints", website="cobalt.com"
        )
        transaction.save("prospects", renamed.iloc[:0], renamed)
    assert duplicates.likely_duplicates(small)[1] == 1


def resolve(store: Store, kind: str, rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    with store.read() as transaction:
        return merged_ids.resolve(transaction, kind, rows)


def test_without_a_merge_rows_are_left_as_they_are(small: Store) -> None:
    for kind, rows in held(small).items():
        found, reason = resolve(small, kind, rows)
        assert found is rows
        assert reason.isna().all()
    offices = pd.DataFrame({"office_id": ["x"]}, index=[5])
    found, reason = resolve(small, "offices", offices)
    assert found is offices
    assert reason.to_dict() == {5: None}


def test_the_same_file_again_changes_nothing_after_a_merge(store: Store) -> None:
    files = held(store)
    duplicates.merge(store, "a", "b", by="Kim", now=NOW)
    now = held(store)
    for kind, rows in files.items():
        rows.index = rows.index + 10
        found, reason = resolve(store, kind, rows)
        assert found.index.equals(rows.index)
        key = list(KINDS[kind].key)
        left = found[reason.isna()].sort_values(key, ignore_index=True)
        pd.testing.assert_frame_equal(left, now[kind])
        turned_away = reason.dropna().tolist()
        expected = ["'b' was merged into 'a' by Kim on 2026-11-23"] if kind == "prospects" else []
        assert turned_away == expected


def test_a_kept_prospect_alone_in_a_file_keeps_what_it_was_filled_with(small: Store) -> None:
    files = held(small)
    duplicates.merge(small, "a", "b", by="Kim", now=NOW)
    alone = files["prospects"][lambda rows: rows["prospect_id"] == "a"]
    found, _ = resolve(small, "prospects", alone)
    pd.testing.assert_series_equal(of(found, "a"), of(held(small)["prospects"], "a"))
    fresh = alone.assign(website="acme.org")
    assert of(resolve(small, "prospects", fresh)[0], "a")["website"] == "acme.org"


def test_merges_of_merges_lead_to_the_last_one_kept(small: Store) -> None:
    files = held(small)
    duplicates.merge(small, "a", "b", by="Kim", now=NOW)
    duplicates.merge(small, "c", "a", by="Lee", now=LATER)
    found, reason = resolve(small, "prospects", files["prospects"])
    assert reason.notna().tolist() == [True, True, False, False, False]
    assert "'b' was merged into 'c' by Kim" in reason[1]
    left = found[reason.isna()].reset_index(drop=True)
    pd.testing.assert_frame_equal(left, held(small)["prospects"])
    assert resolve(small, "sites", files["sites"])[0]["prospect_id"].tolist() == ["c", "c"]


def test_a_merge_whose_kept_prospect_is_gone_is_not_in_force(small: Store) -> None:
    files = held(small)
    duplicates.merge(small, "c", "d", by="Kim", now=NOW)
    with small.write() as transaction:
        from territory.accounts.merge import Change

        DuplicateLedger(transaction).apply([Change("prospects", {"prospect_id": "c"}, {}, None)])
    only = files["prospects"][lambda rows: rows["prospect_id"] == "d"]
    assert resolve(small, "prospects", only)[1].isna().all()
    assert resolve(small, "prospects", files["prospects"])[1].notna().sum() == 1


def test_a_list_of_named_accounts_names_nobody_twice(small: Store) -> None:
    duplicates.merge(small, "a", "b", by="Kim", now=NOW)
    both = pd.DataFrame({"prospect_id": ["b", "a"], "territory_id": ["T1", "T2"]})
    found, reason = resolve(small, "named_accounts", both)
    assert found["prospect_id"].tolist() == ["a", "a"]
    assert reason.notna().tolist() == [True, False]
    assert "which the file names as well" in reason[0]


def test_a_pin_moves_with_the_address_it_was_set_for(small: Store) -> None:
    with small.write() as transaction:
        from territory.accounts.merge import PLACE_DECISION, Change

        pin = {
            "kind": "prospects", "subject_id": "b", "decision": "pin", "evidence": "e", "lon": 1.0,
            "lat": 2.0, "decided_at": "2026-11-01T00:00:00Z", "decided_by": "Kim",
        }  # fmt: skip
        key = {"kind": "prospects", "subject_id": "b"}
        DuplicateLedger(transaction).apply([Change(PLACE_DECISION, key, None, pin)])
    duplicates.merge(small, "a", "b", by="Kim", now=NOW)
    with small.read() as transaction:
        assert DuplicateLedger(transaction).placed_by_hand() == {"a", "b"}
    duplicates.unmerge(small, "a", "b", by="Kim", now=NOW)
    with small.read() as transaction:
        assert DuplicateLedger(transaction).placed_by_hand() == {"b"}


def test_a_prospect_that_somebody_placed_keeps_its_place(small: Store) -> None:
    with small.write() as transaction:
        from territory.accounts.merge import PLACE_DECISION, Change

        pin = {
            "kind": "prospects", "subject_id": "a", "decision": "pin", "evidence": "e",
            "decided_at": "2026-11-01T00:00:00Z", "decided_by": "Kim",
        }  # fmt: skip
        DuplicateLedger(transaction).apply([Change(PLACE_DECISION, {}, None, pin)])
    files = held(small)
    duplicates.merge(small, "a", "b", by="Kim", now=NOW)
    kept = of(held(small)["prospects"], "a")
    assert (kept["lon"], kept["street"], kept["website"]) == (-87.65, None, "acme.com")
    found, reason = resolve(small, "prospects", files["prospects"])
    left = found[reason.isna()].reset_index(drop=True)
    pd.testing.assert_frame_equal(left, held(small)["prospects"])


@settings(deadline=None, max_examples=12, derandomize=True)
@given(data=st.data())
def test_any_merges_taken_back_in_reverse_leave_no_trace(
    data: st.DataObject, filled_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copy = shutil.copy(filled_file, tmp_path_factory.mktemp("merges"))
    with open_store(str(copy)) as opened:
        before = held(opened)
        done: list[tuple[str, str]] = []
        ids = ["a", "b", "c", "d", "top"]
        for _ in range(data.draw(st.integers(1, 4))):
            kept, merged = data.draw(st.permutations(ids))[:2]
            duplicates.merge(opened, kept, merged, by="Kim", now=NOW)
            ids.remove(merged)
            done.append((kept, merged))
            now = held(opened)
            assert set(now["prospects"]["prospect_id"]) == set(ids)
            assert all(set(rows["prospect_id"]) <= set(ids) for rows in now.values())
            parents = now["prospects"].set_index("prospect_id")["parent_id"].to_dict()
            for own in ids:
                at, steps = parents[own], 0
                while at is not None and steps < 9:
                    at, steps = parents.get(at), steps + 1
                assert at is None, f"{own} is in a ring: {parents}"
        for kept, merged in reversed(done):
            assert duplicates.unmerge(opened, kept, merged, by="Kim", now=NOW).left == ()
        same(before, held(opened))


def test_the_command_line_lists_merges_and_takes_back(
    small: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> str:
        main(["--store", str(tmp_path / "small.sqlite"), *arguments])
        return capsys.readouterr().out

    assert "3 of 3 pairs." in run("duplicates", "list")
    assert json.loads(run("duplicates", "list", "--json"))["pairs"][0]["score"] == 0.99
    assert "Nothing was written" in run("duplicates", "merge", "a", "b", "--dry-run")
    assert "b is merged into a" in run("duplicates", "merge", "a", "b", "--by", "Kim")
    assert "Kim: a kept, merged into it b" in run("duplicates", "decided")
    assert "a  Acme Foods Inc" in run("family", "d")
    assert "b is back beside a" in run("duplicates", "unmerge", "a", "b")
    run("duplicates", "keep-apart", "a", "c")
    assert "1 of 1 pairs." in run("duplicates", "list")
    assert "may be listed again" in run("duplicates", "reconsider", "c", "a")
    assert json.loads(run("duplicates", "list", "--json"))["total"] == 2
    assert json.loads(run("family", "d", "--json"))["ultimate_parent_id"] == "top"
    with pytest.raises(SystemExit) as stop:
        run("duplicates", "merge", "a", "nobody")
    assert stop.value.code == 2
