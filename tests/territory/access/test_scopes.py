"""Who may do what, and whose rows each may see."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory.access import (
    CAPABILITIES,
    EVERYTHING,
    NAME_COLUMNS,
    NOTHING,
    ROLES,
    TOKEN_SCOPES,
    AccessPolicy,
    GroupRoles,
    Reach,
    Scope,
    UserLedger,
    Viewer,
    network_of,
)
from territory.access.scopes import can, narrow, reach_of, read_access_policy, scope_of
from territory.cli import users
from territory.errors import InputError, PolicyError
from territory.plans import PlanLedger
from territory.reports.views import prospects
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from territory.store import Store

ALL = frozenset().union(*CAPABILITIES.values())
SECURITY = Path(__file__).resolve().parents[3] / "docs" / "security.md"
OWN, NAMES = AccessPolicy(), AccessPolicy(reps_see_names=True)
viewers = st.builds(
    Viewer,
    user_id=st.just("user-1"),
    name=st.just("Ann"),
    roles=st.frozensets(st.sampled_from(ROLES)),
    rep_id=st.sampled_from([None, "R1", "R2"]),
    managed_rep_ids=st.frozensets(st.sampled_from(["R2", "R3"])),
    scopes=st.none() | st.frozensets(st.sampled_from(sorted(ALL))),
)
policies = st.sampled_from([OWN, NAMES])


def viewer(*roles: str, **told: object) -> Viewer:
    return Viewer("user-1", "Ann", frozenset(roles), **told)  # type: ignore[arg-type]


def holders(capability: str) -> set[str]:
    return {role for role in ROLES if can(viewer(role), capability)}


# Capabilities


def test_every_role_has_its_capabilities_and_the_command_line_knows_it() -> None:
    assert set(CAPABILITIES) == set(ROLES) == set(users.ROLES)
    assert TOKEN_SCOPES < ALL


@pytest.mark.parametrize(
    ("capability", "roles"),
    [
        ("see_sums", set(ROLES)),
        ("see_homes", {"hr"}),
        ("see_decisions", {"hr"}),
        ("decide_eligibility", {"hr"}),
        ("see_accounts_all", {"ops", "viewer"}),
        ("see_accounts_own", {"rep", "manager"}),
        ("see_contacts", {"ops", "rep", "manager"}),
        ("see_pipeline", {"ops", "rep", "manager", "viewer"}),
        ("export_accounts", {"ops", "rep", "manager"}),
        ("work_accounts", {"ops", "rep", "manager"}),
        ("save_views", {"ops", "rep", "manager", "viewer"}),
        ("see_drafts", {"ops"}),
        ("import_data", {"ops"}),
        ("publish_plans", {"ops"}),
        ("set_access_policy", {"ops"}),
        ("manage_users", {"admin"}),
        ("see_audit", {"admin"}),
        ("purge_audit", {"admin"}),
    ],
)
def test_a_capability_belongs_to_these_roles_alone(capability: str, roles: set[str]) -> None:
    assert holders(capability) == roles


def test_nobody_can_do_anything() -> None:
    assert not any(can(None, capability) for capability in ALL)
    assert scope_of(None, NAMES) == Scope()
    assert not any(can(viewer("king"), capability) for capability in ALL)


def test_no_token_reads_a_home_a_user_or_the_log() -> None:
    assert not TOKEN_SCOPES & {"see_homes", "manage_users", "see_audit", "purge_audit"}


@given(who=viewers, policy=policies)
def test_a_token_opens_no_more_than_its_user_and_its_scopes(
    who: Viewer, policy: AccessPolicy
) -> None:
    person = Viewer(who.user_id, who.name, who.roles, who.rep_id, who.managed_rep_ids)
    for capability in ALL:
        assert can(who, capability) <= can(person, capability)
        if who.scopes is not None:
            assert can(who, capability) <= (capability in who.scopes)
        assert reach_of(who, capability) | reach_of(person, capability) == reach_of(
            person, capability
        )
    assert (
        scope_of(who, policy).accounts | scope_of(person, policy).accounts
        == scope_of(person, policy).accounts
    )


@given(first=viewers, more=st.frozensets(st.sampled_from(ROLES)), policy=policies)
def test_a_role_more_takes_nothing_away(
    first: Viewer, more: frozenset[str], policy: AccessPolicy
) -> None:
    second = Viewer("u", "n", first.roles | more, first.rep_id, first.managed_rep_ids, first.scopes)
    before, after = scope_of(first, policy), scope_of(second, policy)
    for name in ("accounts", "contacts", "pipeline", "exports"):
        assert getattr(before, name) | getattr(after, name) == getattr(after, name)


# Rows


def test_scopes_of_the_roles() -> None:
    own, managed = Reach(rep_ids=frozenset({"R1"})), Reach(rep_ids=frozenset({"R2", "R3"}))
    asked = {
        "ops": Scope.everything(),
        "viewer": Scope(EVERYTHING, NOTHING, EVERYTHING, NOTHING, sums=EVERYTHING),
        "rep": Scope(own, own, own, own, sums=own),
        "manager": Scope(managed, managed, managed, managed, sums=managed),
        "admin": Scope(sums=EVERYTHING),
        "hr": Scope(sums=EVERYTHING),
    }
    for role, scope in asked.items():
        who = viewer(role, rep_id="R1", managed_rep_ids=frozenset({"R2", "R3"}))
        assert scope_of(who, OWN) == scope, role
    assert scope_of(viewer("ops"), OWN) == Scope.everything()


def test_a_rep_without_rep_id_sees_no_row_not_even_those_of_nobody() -> None:
    scope = scope_of(viewer("rep"), NAMES)
    assert not scope.accounts.holds(None)
    assert not scope.names_beyond


def test_a_viewer_who_is_a_rep_too_reads_only_own_contacts() -> None:
    scope = scope_of(viewer("viewer", "rep", rep_id="R1"), OWN)
    assert scope.accounts.is_all
    assert scope.contacts == scope.exports == Reach(rep_ids=frozenset({"R1"}))


def test_names_beyond_are_for_those_with_rows_of_their_own_and_only_by_policy() -> None:
    rep = viewer("rep", rep_id="R1")
    assert not scope_of(rep, OWN).names_beyond
    assert scope_of(rep, NAMES).names_beyond
    for role in ("ops", "viewer", "hr", "admin"):
        assert not scope_of(viewer(role, rep_id="R1"), NAMES).names_beyond


ROWS = pd.DataFrame(
    {
        "prospect_id": ["p1", "p2", "p3"],
        "name": ["One", "Two", "Three"],
        "rep_id": ["R1", "R2", None],
        "rep_name": ["Ann", "Bob", None],
        "city": ["Here", "There", "Nowhere"],
        "lat": [1.0, 2.0, 3.0],
        "is_open": [True, True, False],
        "pipeline_usd": [10.0, 20.0, 30.0],
    }
)


def test_a_rep_is_left_with_own_rows_only() -> None:
    seen = narrow(ROWS, scope_of(viewer("rep", rep_id="R1"), OWN))
    assert seen.to_dict("records") == ROWS.head(1).to_dict("records")


def test_of_others_rows_names_alone_are_left() -> None:
    seen = narrow(ROWS, scope_of(viewer("rep", rep_id="R1"), NAMES))
    assert seen["name"].tolist() == ["One", "Two", "Three"]
    pd.testing.assert_series_equal(seen.iloc[0], ROWS.iloc[0], check_names=False)
    hidden = seen.drop(columns=list(NAME_COLUMNS)).iloc[1:]
    assert hidden.isna().all().all()


def test_whoever_reads_accounts_without_pipeline_sees_none() -> None:
    scope = Scope(accounts=EVERYTHING)
    seen = narrow(ROWS, scope)
    assert seen["city"].tolist() == ROWS["city"].tolist()
    assert seen["pipeline_usd"].isna().all()


def test_everything_is_everything_and_nothing_is_nothing() -> None:
    pd.testing.assert_frame_equal(narrow(ROWS, Scope.everything()), ROWS)
    assert narrow(ROWS, Scope()).empty
    assert ROWS["pipeline_usd"].tolist() == [10.0, 20.0, 30.0]


def test_a_token_for_sums_counts_what_its_user_could_read_and_shows_none_of_it() -> None:
    token = viewer("rep", rep_id="R1", scopes=frozenset({"see_sums"}))
    assert scope_of(token, OWN) == Scope(sums=Reach(rep_ids=frozenset({"R1"})))
    assert scope_of(viewer("hr", scopes=frozenset({"decide_eligibility"})), OWN) == Scope()


@given(who=viewers, policy=policies)
def test_no_private_cell_of_a_row_out_of_reach_is_left(who: Viewer, policy: AccessPolicy) -> None:
    scope = scope_of(who, policy)
    seen = narrow(ROWS, scope)
    assert set(seen["prospect_id"]) <= set(ROWS["prospect_id"])
    for row in seen.to_dict("records"):
        if not scope.accounts.holds(row["rep_id"]):
            assert scope.names_beyond
            private = [value for name, value in row.items() if name not in NAME_COLUMNS]
            assert all(pd.isna(value) for value in private)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_database_and_the_frame_hold_the_same_rows_within_reach(
    demo_store: Store, count: int
) -> None:
    whole = prospects(demo_store, scope=Scope.everything())
    reps = frozenset(whole["rep_id"].dropna().unique()[:count])
    reach = Reach(rep_ids=reps)
    with demo_store.read() as transaction:
        plan = PlanLedger(transaction).plan_in_force()
        assert plan is not None
        held = UserLedger(transaction).accounts_within(plan.plan_id, reach)
        everyone = UserLedger(transaction).accounts_within(plan.plan_id, EVERYTHING)
    seen = narrow(whole, Scope(accounts=reach))
    assert held["prospect_id"].tolist() == seen["prospect_id"].tolist()
    assert (len(held) > 0) == (count > 0)
    assert len(everyone) == len(whole) > len(held)


# Policy, groups, addresses, times


def test_the_door_stays_shut_twice_as_long_each_time_up_to_the_limit() -> None:
    policy = AccessPolicy(lock_s=30, lock_max_s=900)
    shut = [policy.lock_for_s(failures, 5) for failures in range(1, 13)]
    assert shut == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]
    assert policy.lock_for_s(10**9, 5) == 900


def test_a_policy_comes_back_as_it_went_in() -> None:
    policy = AccessPolicy(reps_see_names=True, session_idle_s=600)
    assert read_access_policy(policy.as_json()) == policy
    assert read_access_policy(None) == AccessPolicy()


def test_all_breaches_of_a_policy_are_told_at_once() -> None:
    with pytest.raises(
        PolicyError, match=r"session_idle_s = 0.*password_min_length = 7.*names = 1"
    ):
        AccessPolicy(session_idle_s=0, password_min_length=7, reps_see_names=1)  # type: ignore[arg-type]
    with pytest.raises(PolicyError, match="lock_s = True"):
        AccessPolicy(lock_s=True)


def test_groups_give_the_roles_that_the_rules_say_to_the_letter() -> None:
    rules = GroupRoles((("sales", "rep"), ("sales-lead", "manager"), ("sales-lead", "viewer")))
    assert rules.roles_of(["sales", "other"]) == {"rep"}
    assert rules.roles_of(["sales-lead"]) == {"manager", "viewer"}
    assert rules.roles_of(["Sales"]) == rules.roles_of([]) == frozenset()
    with pytest.raises(InputError, match="'boss'"):
        GroupRoles((("sales", "boss"),))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("not an address", "unknown"),
        (None, "unknown"),
    ],
)
def test_an_address_is_what_one_party_holds(address: str | None, network: str) -> None:
    assert network_of(address) == network


def test_moments_are_utc_and_say_so() -> None:
    east = timezone(timedelta(hours=2))
    assert utc_text(datetime(2026, 11, 23, 11, 30, 5, 9, east)) == "2026-11-23T09:30:05Z"
    with pytest.raises(InputError, match="no time zone"):
        utc_text(datetime(2026, 11, 23))  # noqa: DTZ001


def test_the_document_tells_the_capabilities_as_they_are() -> None:
    document = SECURITY.read_text("utf-8")
    table = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", document, re.MULTILINE)
    told = {
        name: set(ROLES) if roles == "every role" else set(roles.split(", "))
        for name, roles in table
    }
    assert told == {capability: holders(capability) for capability in ALL}
