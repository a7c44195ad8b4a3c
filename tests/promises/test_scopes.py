"""No row out of reach leaves the store: not as a row, an id, a name, a count or a sum."""

from __future__ import annotations

import csv
import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from territory import reports
from territory.access import EVERYTHING, NAME_COLUMNS, NOTHING, Reach, Scope, audit_log
from territory.access.scopes import PIPELINE_COLUMNS
from territory.accounts import quota_effect
from territory.errors import NotFoundError, TerritoryError
from territory.plans import publish
from territory.reports import footprint, views
from territory.store import Store, open_store
from tests.fixtures.scoped_company import MARKETS, NOBODY, NOW, REPS, found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ALL = Scope.everything()
STRANGER = "zqstranger-1"
ASKED = ("zqann-2", "zqbob-1", "zqcyd-1", "zqnobody-1")
some = st.builds(Reach, rep_ids=st.frozensets(st.sampled_from(REPS)))
reaches = some | some | some | st.just(EVERYTHING)
scopes = st.builds(
    Scope,
    accounts=reaches,
    contacts=reaches,
    pipeline=reaches,
    exports=reaches,
    names_beyond=st.booleans(),
    sums=reaches,
)
few = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("company")
    with open_store(str(folder / "company.sqlite")) as store:
        found(store, folder)
        yield store


@pytest.fixture(scope="module")
def ids(company: Store) -> list[str]:
    return reports.EXPORTS["prospects"](company, scope=ALL)["prospect_id"].tolist()


def told(store: Store, scope: Scope) -> dict[str, Any]:
    """Everything that a scope lets out, by what was asked."""
    asked: dict[str, Callable[[], Any]] = {
        "overview": lambda: reports.overview(store, scope=scope),
        "outside": lambda: reports.outside(store, scope=scope),
        **{
            f"export {kind}": lambda read=read: read(store, scope=scope.exported)
            for kind, read in reports.EXPORTS.items()
        },
        **{
            f"frame {kind}": lambda read=read: read(store, scope=scope)
            for kind, read in reports.EXPORTS.items()
        },
    }
    for one in MARKETS:
        asked[f"market {one}"] = lambda one=one: reports.market(store, one, scope=scope)
        asked[f"profile {one}"] = lambda one=one: pd.DataFrame(
            [json.dumps(reports.market_profile(store, one, scope=scope).as_json())]
        )
    for one in ASKED:
        asked[f"prospect {one}"] = lambda one=one: reports.prospect(store, one, scope=scope)
        asked[f"footprint {one}"] = lambda one=one: footprint(store, one, scope=scope)
        asked[f"quota {one}"] = lambda one=one: quota_effect(store, one, scope=scope)
        asked[f"explain {one}"] = lambda one=one: publish.explain(store, one, scope=scope)
    answers: dict[str, Any] = {}
    for name, ask in asked.items():
        try:
            answers[name] = ask()
        except NotFoundError as error:
            answers[name] = error
    return answers


def text(answer: Any) -> str:
    """Write out every cell of an answer."""
    if isinstance(answer, pd.DataFrame):
        return answer.to_csv(index=False)
    if answer is None or isinstance(answer, NotFoundError):
        return ""
    fields = {field.name: getattr(answer, field.name) for field in dataclasses.fields(answer)}
    return "\n".join(
        text(value) if isinstance(value, pd.DataFrame) else f"{name}: {value}"
        for name, value in fields.items()
    )


def beyond(reach: Reach) -> set[str]:
    """Whose texts must not show."""
    return set() if reach.is_all else {NOBODY, "zqlater", *REPS} - reach.rep_ids


@few
@given(scope=scopes)
def test_no_text_of_a_row_out_of_reach_is_in_any_answer(company: Store, scope: Scope) -> None:
    for name, answer in told(company, scope).items():
        seen = scope.exported if name.startswith("export") else scope
        shown = text(answer)
        for whose in beyond(seen.people):
            assert f"contact-{whose}" not in shown, name
        for whose in beyond(seen.money):
            assert f"deal-{whose}" not in shown, name
        if seen.names_beyond and name.startswith(("prospect ", "footprint ", "frame prospects")):
            continue
        for whose in beyond(seen.accounts):
            assert whose not in shown, name


@few
@given(scope=scopes)
def test_of_a_row_beyond_reach_its_name_and_rep_show_at_most(
    company: Store, ids: list[str], scope: Scope
) -> None:
    whole = reports.EXPORTS["prospects"](company, scope=ALL)
    seen = reports.EXPORTS["prospects"](company, scope=scope)
    own = scope.accounts.mask(whole["rep_id"])
    assert seen["prospect_id"].tolist() == (ids if scope.names_beyond else
                                            whole["prospect_id"][own].tolist())  # fmt: skip
    names = list(NAME_COLUMNS)
    wanted = whole.set_index("prospect_id", drop=False).loc[seen["prospect_id"], names]
    pd.testing.assert_frame_equal(seen[names], wanted.reset_index(drop=True))
    others = seen[~scope.accounts.mask(seen["rep_id"])]
    assert others.drop(columns=names).isna().all().all()
    for one in others["prospect_id"]:
        view = reports.prospect(company, one, scope=scope)
        assert view.is_name_only
        assert len(view.contacts) == len(view.opportunities) == len(view.sites) == 0
        pd.testing.assert_frame_equal(
            view.prospect, others[others["prospect_id"] == one].reset_index(drop=True)
        )


@few
@given(scope=scopes)
def test_rows_in_reach_show_whole_with_the_pipeline_that_may_be_seen(
    company: Store, scope: Scope
) -> None:
    whole = reports.EXPORTS["prospects"](company, scope=ALL)
    whole = whole[scope.accounts.mask(whole["rep_id"])].reset_index(drop=True)
    seen = reports.EXPORTS["prospects"](
        company, scope=dataclasses.replace(scope, names_beyond=False)
    )
    is_money = scope.money.mask(whole["rep_id"])
    money = [name for name in PIPELINE_COLUMNS if name in whole]
    same = [name for name in whole if name not in (*money, "reason")]
    pd.testing.assert_frame_equal(seen[same], whole[same])
    pd.testing.assert_frame_equal(seen[money][is_money], whole[money][is_money])
    assert seen[money][~is_money].isna().all().all()
    assert all(a.startswith(b) for a, b in zip(whole["reason"], seen["reason"], strict=True))


@few
@given(scope=scopes)
def test_counts_and_sums_are_those_of_the_rows_in_reach(company: Store, scope: Scope) -> None:
    whole = reports.EXPORTS["prospects"](company, scope=ALL)
    held = whole[scope.counted.mask(whole["rep_id"])]
    rich = whole[scope.money.mask(whole["rep_id"])]
    found = reports.findings(company, scope=ALL)
    if not scope.counted.is_all:
        found = found[found["subject_id"].str.partition("-")[0].isin(scope.counted.rep_ids)]
    seen = reports.overview(company, scope=scope)
    assert seen.prospects == len(held) == seen.in_market + seen.outside
    assert seen.placed == held["precision"].notna().sum() == seen.prospects - seen.unplaced
    assert seen.customers == (held["status"] == "customer").sum()
    assert seen.within_radius == (held["verdict"] == "in").sum()
    assert seen.unassigned == (held["rule"] == "unassigned").sum()
    assert seen.findings == len(found)
    is_poor = scope.money == NOTHING
    assert seen.pipeline_usd == (None if is_poor else rich["pipeline_usd"].sum())
    markets = reports.market_summaries(company, scope=scope).set_index("market_id")
    assert len(markets) == seen.markets
    for market_id, row in markets.iterrows():
        here = held[held["market_id"] == market_id]
        assert row["prospects"] == len(here), market_id
        assert row["enterprise"] == (here["segment"] == "enterprise").sum()
        assert row["findings"] == (found["market_id"] == market_id).sum()
        deals = rich.loc[rich["market_id"] == market_id, "pipeline_usd"].sum()
        assert pd.isna(row["pipeline_usd"]) if is_poor else row["pipeline_usd"] == deals
    assert set(held["market_id"].dropna()) <= set(markets.index)
    offices = reports.offices(company, scope=scope).set_index("office_id")["prospects"]
    near = held["nearest_office_id"].value_counts().reindex(offices.index, fill_value=0)
    assert offices.to_dict() == near.to_dict()
    reps = reports.reps(company, scope=scope).set_index("rep_id")
    assert list(reps.index) == [one for one in REPS if scope.accounts.holds(one)]
    for rep_id, row in reps.iterrows():
        assert row["prospects"] == (whole["rep_id"] == rep_id).sum()
        assert pd.isna(row["quota_usd"]) != scope.money.holds(str(rep_id))


@pytest.mark.parametrize(
    "mine",
    [frozenset(REPS[:1]), frozenset(REPS[2:3]), frozenset(REPS[:2])],
    ids=lambda reps: "-".join(sorted(reps)),
)
def test_what_happens_out_of_reach_changes_no_answer(
    company: Store, tmp_path: Path, mine: frozenset[str]
) -> None:
    """Another company, the same to these reps and different in every other row, tells the same."""
    reach = Reach(rep_ids=mine)
    scope = Scope(reach, reach, reach, reach, sums=reach)
    with open_store(str(tmp_path / "other.sqlite")) as other:
        found(other, tmp_path, changed=frozenset({NOBODY, *REPS}) - mine)
        whole = [reports.overview(store, scope=ALL) for store in (company, other)]
        assert whole[0].prospects < whole[1].prospects
        assert whole[0].pipeline_usd < whole[1].pipeline_usd
        before, after = told(company, scope), told(other, scope)
    for name, answer in before.items():
        assert text(answer) == text(after[name]), name
        assert str(answer) == str(after[name]), name


@pytest.mark.postgresql
def test_both_databases_let_out_the_same(
    company: Store, tmp_path: Path, postgresql_url: str
) -> None:
    ann, bob = (Reach(rep_ids=frozenset({one})) for one in REPS[:2])
    drawn = [
        ALL,
        Scope(sums=EVERYTHING),
        Scope(ann | bob, bob, ann, bob, names_beyond=True, sums=bob),
    ]
    with open_store(postgresql_url) as other:
        found(other, tmp_path)
        for scope in drawn:
            before, after = told(company, scope), told(other, scope)
            for name, answer in before.items():
                assert text(answer) == text(after[name]), name


@few
@given(scope=scopes)
def test_an_id_out_of_reach_is_answered_like_one_that_never_was(
    company: Store, ids: list[str], scope: Scope
) -> None:
    scope = dataclasses.replace(scope, names_beyond=False)
    out = [one for one in (*ids, "zqlater-1") if any(w in one for w in beyond(scope.accounts))]
    for ask in (reports.prospect, publish.explain):
        answers = []
        for one in (STRANGER, *out):
            with pytest.raises(NotFoundError) as caught:
                ask(company, one, scope=scope)
            answers.append(str(caught.value).replace(one, STRANGER))
        assert set(answers) == {answers[0]}


def test_a_market_in_which_nobody_in_reach_works_never_was(company: Store) -> None:
    ann = Reach(rep_ids=frozenset({"zqann"}))
    with pytest.raises(NotFoundError) as never:
        reports.market(company, "XXX", scope=Scope(ann))
    with pytest.raises(NotFoundError) as beyond_reach:
        reports.market(company, "DEN", scope=Scope(ann))
    assert str(beyond_reach.value).replace("DEN", "XXX") == str(never.value)
    assert reports.market_summaries(company, scope=Scope(ann))["market_id"].tolist() == ["CHI"]


def test_who_sees_sums_alone_sees_every_count_and_no_row(company: Store) -> None:
    scope = Scope(sums=EVERYTHING)
    seen, whole = (reports.overview(company, scope=one) for one in (scope, ALL))
    assert dataclasses.replace(whole, pipeline_usd=None, quota_usd=None, quota_notes=()) == seen
    markets = reports.market_summaries(company, scope=scope)
    money = ["pipeline_usd", "quota_usd"]
    pd.testing.assert_frame_equal(
        markets.drop(columns=money),
        reports.market_summaries(company, scope=ALL).drop(columns=money),
    )
    assert markets[money].isna().all().all()
    for kind, read in reports.EXPORTS.items():
        assert read(company, scope=scope).empty == (kind not in ("markets", "offices")), kind
    for market_id in MARKETS:
        view = reports.market(company, market_id, scope=scope)
        assert len(view.prospects) == len(view.reps) == len(view.findings) == 0
        assert not view.geometry.is_empty


def test_what_is_kept_back_is_told_from_what_there_is_none_of(company: Store) -> None:
    ann = Reach(rep_ids=frozenset({"zqann"}))
    seen = reports.prospect(company, "zqann-2", scope=Scope(ann))
    assert seen.withheld == {"contacts", "opportunities"}
    assert seen.contacts.empty
    assert seen.prospect["pipeline_usd"].isna().all()
    seen = reports.prospect(company, "zqann-2", scope=Scope(ann, ann, ann))
    assert seen.withheld == frozenset()
    assert seen.opportunities.empty
    assert len(seen.contacts) == 1
    assert seen.prospect["pipeline_usd"].tolist() == [0.0]


def test_an_explanation_names_no_rival_to_who_may_not_see_them(company: Store) -> None:
    cyd = Reach(rep_ids=frozenset({"zqcyd"}))
    told_all = publish.explain(company, "zqcyd-1", scope=ALL)
    told_own = publish.explain(company, "zqcyd-1", scope=Scope(cyd))
    assert "Without it: A customer of zqbob" in told_all.steps[1].reason
    assert [step.reason for step in told_own.steps[1:]] == ["Rule 1 decides."] * 2
    assert told_own.sentence == told_all.sentence
    ann = Reach(rep_ids=frozenset({"zqann"}))
    steps = publish.explain(company, "zqann-2", scope=Scope(ann)).steps
    assert "A customer of another rep, who has no territory" in steps[1].reason
    assert "zqdan" in publish.explain(company, "zqann-2", scope=ALL).steps[1].reason
    assert steps[2].outcome == "won"
    assert "Behind it" not in steps[2].reason


@pytest.mark.parametrize("kind", reports.EXPORTS)
def test_an_export_holds_what_may_leave_and_is_put_on_record(
    company: Store, tmp_path: Path, kind: str
) -> None:
    ann, more = Reach(rep_ids=frozenset({"zqann"})), Reach(rep_ids=frozenset(REPS[:2]))
    scope = Scope(more, more, more, exports=ann, names_beyond=True)
    path = tmp_path / "out.csv"
    rows = reports.export(company, kind, path, scope=scope, by="user-7", now=NOW).rows
    with path.open(newline="", encoding="utf-8-sig") as file:
        written = list(csv.DictReader(file))
    assert len(written) == rows == len(reports.EXPORTS[kind](company, scope=scope.exported))
    assert not any(whose in path.read_text("utf-8-sig") for whose in beyond(ann))
    events, _ = audit_log.search(company, action="rows.export", subject_kind=kind, limit=1)
    event = events.iloc[0]
    assert (event["by"], event["at"]) == ("user-7", "2026-11-23T12:00:00Z")
    assert json.loads(event["payload"]) == {"detail": {"format": "csv", "rows": rows}}


def test_an_export_that_cannot_be_is_not_on_record(company: Store, tmp_path: Path) -> None:
    _, before = audit_log.search(company, action="rows.export")
    for kind, name in (("plans", "out.csv"), ("prospects", "out.doc")):
        with pytest.raises(TerritoryError):
            reports.export(company, kind, tmp_path / name, scope=ALL, by="me", now=NOW)
    assert audit_log.search(company, action="rows.export")[1] == before


@pytest.mark.parametrize(
    "read",
    [*reports.EXPORTS.values(), views.overview, views.outside],
    ids=[*reports.EXPORTS, "overview", "outside"],
)
def test_nothing_is_read_without_a_scope(company: Store, read: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="scope"):
        read(company)
