"""Pages of a list put together are the list, for whoever asks."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from territory import reports
from territory.access import EVERYTHING, Reach, Scope
from territory.errors import InputError
from territory.reports import paging
from territory.store import open_store
from tests.fixtures.scoped_company import MARKETS, REPS, found

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from territory.store import Store

ALL = Scope.everything()
reaches = st.just(EVERYTHING) | st.builds(Reach, rep_ids=st.frozensets(st.sampled_from(REPS)))
scopes = st.builds(
    Scope, accounts=reaches, contacts=reaches, pipeline=reaches, names_beyond=st.booleans()
)
choices = st.fixed_dictionaries(
    {},
    optional={
        name: st.lists(st.sampled_from(values), min_size=1, unique=True).map(tuple)
        for name, values in {
            "market_id": (*MARKETS, None, "XXX"),
            "rep_id": (*REPS, None),
            "status": ("prospect", "customer", "former"),
            "segment": ("enterprise", "mid_market", "small", "unknown"),
            "verdict": ("in", "out", None),
        }.items()
    },
)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("company")
    with open_store(str(folder / "company.sqlite")) as store:
        found(store, folder)
        yield store


def expected(store: Store, scope: Scope, wanted: dict[str, tuple[str | None, ...]]) -> pd.DataFrame:
    """The same from the whole list, by masks."""
    whole = reports.EXPORTS["prospects"](
        store, scope=dataclasses.replace(scope, names_beyond=False)
    )
    for name, values in wanted.items():
        known = [value for value in values if value is not None]
        whole = whole[whole[name].isin(known) | (whole[name].isna() & (None in values))]
    return whole.reset_index(drop=True)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(scope=scopes, wanted=choices, count=st.integers(1, 6))
def test_pages_put_together_are_the_list(
    company: Store, scope: Scope, wanted: dict[str, tuple[str | None, ...]], count: int
) -> None:
    whole = expected(company, scope, wanted)
    pages = []
    for start in range(0, len(whole) + count, count):
        page = paging.page(
            company, "prospects", scope=scope, start=start, count=count, choices=wanted
        )
        assert page.total == len(whole)
        assert len(page.rows) == max(0, min(count, len(whole) - start))
        pages.append(page.rows)
    filled = [rows for rows in pages if len(rows)] or pages[:1]
    together = pd.concat(filled).reset_index(drop=True)
    pd.testing.assert_frame_equal(together, whole, check_dtype=bool(len(whole)))


@pytest.mark.postgresql
def test_both_databases_page_alike(company: Store, tmp_path: Path, postgresql_url: str) -> None:
    with open_store(postgresql_url) as other:
        found(other, tmp_path)
        for wanted in ({}, {"market_id": (None, "CHI")}, {"verdict": ("in",)}):
            here, there = (
                paging.page(store, "prospects", scope=ALL, start=1, count=3, choices=wanted)
                for store in (company, other)
            )
            assert here.total == there.total > 0
            pd.testing.assert_frame_equal(here.rows, there.rows)


def test_before_the_first_plan_there_is_an_empty_page(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "empty.sqlite")) as store:
        page = paging.page(store, "prospects", scope=ALL)
    assert (page.plan_id, page.total, len(page.rows)) == (None, 0, 0)
    assert list(page.rows.columns)[:2] == ["prospect_id", "name"]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(scope=scopes, count=st.integers(1, 4), drawn=choices)
@pytest.mark.parametrize("kind", ["markets", "offices", "findings"])
def test_pages_of_the_other_kinds_are_their_lists(
    company: Store, kind: str, scope: Scope, count: int, drawn: dict[str, tuple[str | None, ...]]
) -> None:
    whole = reports.EXPORTS[kind](company, scope=scope)
    wanted = {}
    if kind == "findings" and "market_id" in drawn:
        wanted = {"market_id": drawn["market_id"]}
        known = whole["market_id"].isin([one for one in wanted["market_id"] if one])
        whole = whole[known | (whole["market_id"].isna() & (None in wanted["market_id"]))]
    for start in range(0, len(whole) + 1, count):
        page = paging.page(company, kind, scope=scope, start=start, count=count, choices=wanted)
        assert page.total == len(whole)
        rows = whole[start : start + count].reset_index(drop=True)
        pd.testing.assert_frame_equal(page.rows, rows)


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("prospects", {"start": -1}),
        ("prospects", {"count": 0}),
        ("prospects", {"count": paging.MOST_ROWS + 1}),
        ("prospects", {"choices": {"name": ("x",)}}),
        ("offices", {"choices": {"name": ("x",)}}),
        ("reps", {}),
    ],
)
def test_what_is_no_page_is_refused(company: Store, kind: str, asked: dict[str, object]) -> None:
    with pytest.raises(InputError):
        paging.page(company, kind, scope=ALL, **asked)
