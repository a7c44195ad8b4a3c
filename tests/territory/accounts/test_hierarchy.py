"""Every prospect is in one family, whatever the parents say, and sums add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.accounts import family
from territory.accounts.hierarchy import families, family_findings
from territory.errors import NotFoundError
from territory.schemas import FINDINGS, check
from territory.store import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def companies(parents: dict[str, str | None], employees: list[float] | None = None) -> pd.DataFrame:
    frame = pd.DataFrame({"prospect_id": list(parents), "parent_id": list(parents.values())})
    frame = frame.astype(object).where(frame.notna(), None)
    return frame.assign(employees=np.nan if employees is None else employees)


def test_a_family_of_three_generations_is_summed_at_each_level() -> None:
    rows = companies(
        {"a": None, "b": "a", "c": "b", "d": "a", "x": None}, [100.0, 20.0, 3.0, np.nan, np.nan]
    )
    found = families(rows).set_index("prospect_id")
    assert found["ultimate_parent_id"].tolist() == ["a", "a", "a", "a", "x"]
    assert found["depth"].tolist() == [0, 1, 2, 1, 0]
    assert found["children"].tolist() == [2, 1, 0, 0, 0]
    assert found["descendants"].tolist() == [3, 1, 0, 0, 0]
    sums = found["family_employees"]
    assert sums[["a", "b", "c"]].tolist() == [123, 23, 3]
    assert sums[["d", "x"]].isna().all()
    assert "family_revenue_usd" not in found


def test_rings_and_lost_parents_are_findings_and_stop_nothing() -> None:
    rows = companies({"own": "own", "p": "q", "q": "r", "r": "p", "hangs": "r", "lost": "nobody"})
    found = families(rows).set_index("prospect_id")
    assert found["ultimate_parent_id"].to_dict() == {
        "own": "own",
        "p": "p",
        "q": "p",
        "r": "p",
        "hangs": "p",
        "lost": "lost",
    }
    told = family_findings(rows)
    check(told, FINDINGS, "findings")
    assert told.groupby("code")["subject_id"].agg(list).to_dict() == {
        "parent_unknown": ["lost"],
        "parent_ring": ["own", "p", "q", "r"],
    }
    assert "'nobody' is not on file" in told["message"].iloc[0]


def test_a_chain_of_ten_thousand_is_no_trouble() -> None:
    ids = [f"{at:05}" for at in range(10_000)]
    found = families(companies(dict(zip(ids, [None, *ids[:-1]], strict=True)), [1.0] * 10_000))
    assert found["depth"].tolist() == list(range(10_000))
    assert set(found["ultimate_parent_id"]) == {"00000"}
    assert found["family_employees"].tolist() == list(range(10_000, 0, -1))


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.lists(st.tuples(st.integers(-2, 11), st.integers(0, 50) | st.none()), max_size=12))
def test_families_share_all_prospects_out_and_their_sums_too(
    drawn: list[tuple[int, int | None]],
) -> None:
    ids = [f"c{at:02}" for at in range(len(drawn))]
    parents = [None if at < 0 else f"c{at:02}" for at, _ in drawn]
    counts = [np.nan if count is None else float(count) for _, count in drawn]
    rows = companies(dict(zip(ids, parents, strict=True)), counts)
    found = families(rows)
    assert found["prospect_id"].tolist() == ids
    roots = found[found["depth"] == 0]
    assert (roots["prospect_id"] == roots["ultimate_parent_id"]).all()
    assert set(found["ultimate_parent_id"]) == set(roots["prospect_id"])
    assert (roots["descendants"] + 1).sum() == len(rows)
    assert roots["family_employees"].sum() == np.nansum(counts)
    assert found["children"].sum() == len(found) - len(roots)
    rings = set(family_findings(rows).query("code == 'parent_ring'")["subject_id"])
    known = dict(zip(ids, parents, strict=True))
    for own in ids:  # in a ring is who comes back to itself
        at = known[own]
        for _ in ids:
            at = at if at == own else known.get(at)
        assert (own in rings) == (at == own)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "store.sqlite")) as opened:
        with opened.write() as transaction:
            rows = companies({"a": None, "b": "a", "c": "gone"}, [10.0, 5.0, np.nan])
            rows = rows.assign(name=["Acme", "Acme West", "Cobalt"], status="prospect")
            rows = rows.reindex(columns=transaction.table("prospects").columns)
            transaction.save("prospects", rows, rows.head(0))
        yield opened


def test_the_family_of_a_prospect_starts_with_its_ultimate_parent(store: Store) -> None:
    found = family(store, "b")
    assert found.members["prospect_id"].tolist() == ["a", "b"]
    assert found.sentence == "Acme (a) is a family of 2: 15 employees known."
    assert found.as_json()["revenue_usd"] is None
    assert family(store, "c").findings["code"].tolist() == ["parent_unknown"]
    with pytest.raises(NotFoundError, match="'nobody'"):
        family(store, "nobody")
