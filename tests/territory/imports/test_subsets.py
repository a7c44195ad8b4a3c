"""Any subset of columns changes those alone; a cell that cannot be read changes nothing."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from territory.imports import import_file
from territory.store import KINDS, open_store

if TYPE_CHECKING:
    from pathlib import Path

    from territory.store import Store

NOW = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
# Two values for each field of a kind; what does not say where a row is, so that places stay.
FIELDS: dict[str, dict[str, tuple[str, str]]] = {
    "prospects": {
        "name": ("Acme", "Acme Two"), "status": ("customer", "prospect"),
        "website": ("acme.com", "acme.org"),
        "industry": ("Food", "Tools"), "employees": ("50", "75"), "revenue_usd": ("5", "6"),
        "parent_id": ("p0", "p9"), "owner_rep_id": ("R1", "R2"),
    },
    "offices": {
        "name": ("Chicago", "Chicago HQ"),
        "opened_on": ("2020-01-01", "2021-02-13"), "closed_on": ("2030-01-01", "2031-01-13"),
    },
    "sites": {"name": ("Plant", "Works")},
    "contacts": {
        "name": ("Jo Doe", "Jo Roe"), "title": ("CIO", "CEO"),
        "email": ("jo@example.com", "jr@example.com"), "phone": ("+13125550100", "+13125550199"),
    },
    "opportunities": {
        "name": ("Deal", "Big deal"), "stage": ("Won", "Lost"), "amount_usd": ("5", "6"),
        "close_on": ("2026-11-02", "2026-12-13"), "last_activity_on": ("2026-10-02", "2026-10-13"),
    },
    "reps": {"name": ("Rhea", "Rhea H"), "email": ("r@example.com", "s@example.com")},
    "quotas": {"amount_usd": ("5", "6")},
}  # fmt: skip
KEYS = {
    "prospects": {"prospect_id": "p1"}, "offices": {"office_id": "o1"},
    "sites": {"site_id": "s1", "prospect_id": "p1"},
    "contacts": {"contact_id": "c1", "prospect_id": "p1"},
    "opportunities": {"opportunity_id": "d1", "prospect_id": "p1"},
    "reps": {"rep_id": "R1"}, "quotas": {"rep_id": "R1", "period": "2026"},
}  # fmt: skip
PLACE = {"city": "Chicago", "state": "IL", "postal_code": "60601", "country": "US",
         "lat": "41.8853", "lon": "-87.6216"}  # fmt: skip
UNREADABLE = {
    "number": ("n/k", "abc", "5%", "0x10", "1__0", "1e400", "12 dozen", "#REF!", "EUR 5"),
    "day": ("2027-02-30", "soon", "31/31/2026", "2026-13-01", "#VALUE!", "tbd", "Nov-26"),
    "degrees": ("42.355.400", "abc", "#N/A", "?", "9.99999", "12 99 10 N"),
    "text": ("#N/A", "#REF!", "n/k", "####", "TBD", "Err:502"),
}


def values(kind: str, at: int = 0) -> dict[str, str]:
    return KEYS[kind] | {name: pair[at] for name, pair in FIELDS[kind].items()}


def bring_in(store: Store, folder: Path, kind: str, row: dict[str, str]):
    path = folder / "rows.csv"
    pd.DataFrame([row]).to_csv(path, index=False)
    return import_file(store, kind, path, by="x", now=NOW)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Store]:
    """A store with a row of every kind, and a folder for files."""
    folder = tmp_path_factory.mktemp("subsets")
    store = open_store(f"sqlite:///{folder}/store.sqlite", create=True)
    reps = pd.DataFrame({"rep_id": ["R1", "R2"], "name": ["Rhea", "Sam"]})
    parents = pd.DataFrame({"prospect_id": ["p0", "p9"], "name": ["Zero", "Nine"]})
    for kind, frame in (("reps", reps), ("prospects", parents)):
        frame.to_csv(folder / "first.csv", index=False)
        import_file(store, kind, folder / "first.csv", by="x", now=NOW)
    for kind in FIELDS:
        restore(store, folder, kind)
    return folder, store


def restore(store: Store, folder: Path, kind: str) -> None:
    place = PLACE if KINDS[kind].is_placed else {}
    bring_in(store, folder, kind, values(kind) | place)


def row_of(store: Store, kind: str) -> pd.Series:
    with store.read() as transaction:
        table = transaction.table(kind)
    key = KINDS[kind].key
    mine = table[
        [row == [KEYS[kind][name] for name in key] for row in table[list(key)].values.tolist()]
    ]
    return mine.iloc[0].astype(object).where(mine.iloc[0].notna(), None)


@pytest.mark.parametrize("kind", FIELDS)
@settings(
    deadline=None, max_examples=4, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(data=st.data())
def test_a_file_of_some_columns_changes_those_and_no_other(
    filled: tuple[Path, Store], kind: str, data: st.DataObject
) -> None:
    folder, store = filled
    restore(store, folder, kind)
    before = row_of(store, kind)
    names = data.draw(st.sets(st.sampled_from(sorted(FIELDS[kind]))))
    new = values(kind, 1)
    report = bring_in(store, folder, kind, KEYS[kind] | {name: new[name] for name in names})
    after = row_of(store, kind)
    changed = {name for name in before.index if before[name] != after[name]}
    assert changed == names
    assert report.changes["updated"] == bool(names)
    assert not report.cleared


@pytest.mark.parametrize("kind", FIELDS)
@settings(
    deadline=None, max_examples=5, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(data=st.data())
def test_a_cell_that_cannot_be_read_changes_nothing(
    filled: tuple[Path, Store], kind: str, data: st.DataObject
) -> None:
    folder, store = filled
    restore(store, folder, kind)
    before = row_of(store, kind)
    row = values(kind) | (PLACE if KINDS[kind].is_placed else {})
    own = [name for name in row if name not in KEYS[kind]]
    for name in data.draw(st.sets(st.sampled_from(sorted(own)), min_size=1, max_size=3)):
        row[name] = data.draw(st.sampled_from(UNREADABLE[form_of(name)]))
    report = bring_in(store, folder, kind, row)
    after = row_of(store, kind)
    assert {name for name in before.index if before[name] != after[name]} == set()
    # A word that is no status refuses its row; any other cell is counted, and the row goes in.
    assert len(report.unreadable) + len(report.refused) >= 1
    assert not report.cleared


def form_of(name: str) -> str:
    if name == "employees" or name.endswith("_usd"):
        return "number"
    if name.endswith("_on"):
        return "day"
    return "degrees" if name in ("lat", "lon") else "text"
