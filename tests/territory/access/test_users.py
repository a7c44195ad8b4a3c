"""Users, roles, passwords and tokens: who is who, and every change of it recorded."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from territory.access import (
    AccessPolicy,
    SignInError,
    Viewer,
    api_tokens,
    audit_log,
    one_time_links,
    passwords,
    sessions,
    sign_in,
    users,
)
from territory.access.scopes import can
from territory.access.session_ledger import SessionLedger
from territory.errors import ConflictError, InputError, NotFoundError
from territory.store import Store, open_store
from tests.fixtures.access_drawn import (
    BOTH,
    HERE,
    NOW,
    PASSWORD,
    actions,
    add,
    by_link,
    empty_file,
    empty_url,
    enter,
    furnished,
    new_token,
    outcome,
    set_policy,
    viewer,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(params=BOTH)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store of either kind with three reps and, as user-1, an admin."""
    with open_store(empty_url(request, tmp_path, "accounts")) as opened:
        yield furnished(opened)


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Store]:
    """The same on SQLite alone, where no statement depends on the database."""
    with open_store(str(empty_file(tmp_path))) as opened:
        yield furnished(opened)


def test_a_new_user_has_no_password_until_a_link_lets_one_be_set(store: Store) -> None:
    added = users.add_user(
        store, " Ann@Example.com ", name="Ann", roles=["rep"], rep_id="R1", by="user-1", now=NOW
    )
    assert (added.user_id, added.login, added.has_password) == ("user-2", "ann@example.com", False)
    assert outcome(store, "ann@example.com", "") == "refused"
    link = one_time_links.make_link(store, added.user_id, "reset", by="user-1", now=NOW)
    sign_in.reset_password(store, link.secret, PASSWORD, is_loopback=True, address=HERE, now=NOW)
    signed = enter(store, "ANN@example.COM")
    who = viewer(store, signed.secret)
    assert who == Viewer("user-2", "Ann", frozenset({"rep"}), "R1", frozenset(), None)
    assert actions(store) == [
        "user.add", "user.add", "session.refused", "link.make", "user.reset", "session.start",
    ]  # fmt: skip
    assert audit_log.verify(store).is_intact


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"roles": []}, "No role is chosen"),
        ({"roles": ["boss"]}, "No role 'boss'"),
        ({"roles": ["rep"]}, "Choose which rep this user is"),
        ({"roles": ["ops"], "rep_id": "R1"}, "but not the role rep"),
        ({"roles": ["manager"]}, "Choose the reps this manager leads"),
        ({"roles": ["ops"], "login": "two words"}, "no login"),
        ({"roles": ["ops"], "login": "  "}, "no login"),
        ({"roles": ["ops"], "name": " "}, "A name has"),
    ],
)
def test_a_user_that_does_not_fit_together_is_refused(
    lite: Store, told: dict[str, Any], message: str
) -> None:
    given = {"login": "zed@example.com", "name": "Zed", "by": "user-1", "now": NOW} | told
    with pytest.raises(InputError, match=message):
        users.add_user(lite, **given)
    assert len(users.users(lite)) == 1


def test_a_login_is_taken_however_it_is_written_and_a_rep_must_exist(store: Store) -> None:
    with pytest.raises(ConflictError, match="taken") as caught:
        add(store, "ROOT@example.com", "ops")
    assert "root" not in str(caught.value).casefold()
    with pytest.raises(NotFoundError, match="No rep 'R8', 'R9'"):
        add(store, "m@example.com", "manager", "rep", rep_id="R9", managed_rep_ids=["R1", "R8"])
    assert len(users.users(store)) == 1


def test_roles_hold_from_the_next_request_on(store: Store) -> None:
    user_id = add(store, "ann@example.com", "rep", rep_id="R1")
    secret = enter(store).secret
    users.set_roles(store, user_id, ["manager"], managed_rep_ids=["R2", "R3"], by="user-1", now=NOW)
    who = viewer(store, secret)
    assert who is not None
    assert (who.roles, who.rep_id) == (frozenset({"manager"}), None)
    assert who.managed_rep_ids == frozenset({"R2", "R3"})
    found = audit_log.search(store, action="user.roles")[0]["payload"][0]
    assert json.loads(found)["before"] == {"managed_rep_ids": [], "rep_id": "R1", "roles": ["rep"]}


def test_nobody_changes_the_own_roles_and_one_admin_is_left(lite: Store) -> None:
    with pytest.raises(ConflictError, match="own roles"):
        users.set_roles(lite, "user-1", ["admin", "hr"], by="user-1", now=NOW)
    with pytest.raises(ConflictError, match="Nobody would be left"):
        users.set_roles(lite, "user-1", ["ops"], by="cli", now=NOW)
    with pytest.raises(ConflictError, match="Nobody would be left"):
        users.disable_user(lite, "user-1", by="cli", now=NOW)
    second = add(lite, "two@example.com", "admin")
    users.disable_user(lite, "user-1", by=second, now=NOW)
    with pytest.raises(ConflictError, match="Nobody would be left"):
        users.disable_user(lite, second, by="cli", now=NOW)
    assert [user.is_active for user in users.users(lite)] == [False, True]


def test_a_disabled_user_is_out_at_once_by_every_way(store: Store) -> None:
    user_id = add(store, "ann@example.com", "ops")
    secret = enter(store).secret
    token = new_token(store, user_id)
    link = one_time_links.make_link(store, user_id, "sign_in", by="user-1", now=NOW)
    users.disable_user(store, user_id, by="user-1", now=NOW)
    assert viewer(store, secret) is None
    assert sessions.viewer_of_token(store, token.secret, now=NOW) is None
    assert outcome(store) == "refused"
    with pytest.raises(SignInError):
        by_link(store, link.secret)
    with pytest.raises(ConflictError, match="disabled"):
        one_time_links.make_link(store, user_id, "reset", by="user-1", now=NOW)
    users.enable_user(store, user_id, by="user-1", now=NOW)
    assert viewer(store, secret) is None
    assert outcome(store) == "in"


@pytest.mark.parametrize(
    ("password", "told"),
    [
        ("short", "it has 5 characters and needs 12"),
        ("aaaaaaaaaaaa", "different characters"),
        ("my-ann@example.com-1", "login or the name"),
        ("ash-tree-on-a-hill", "login or the name"),
        ("x" * 1025, "more than 1,024"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused_and_the_link_still_works(
    lite: Store, password: str, told: str
) -> None:
    user_id = add(lite, "ann@example.com", "ops", password=None)
    link = one_time_links.make_link(lite, user_id, "reset", by="user-1", now=NOW)
    with pytest.raises(InputError, match=told) as caught:
        sign_in.reset_password(lite, link.secret, password, is_loopback=True, address=HERE, now=NOW)
    assert password not in str(caught.value)
    with lite.read() as transaction:
        held = SessionLedger(transaction).link(sessions.fingerprint(link.secret))
    assert held is not None
    assert held.used_at is None


def test_a_password_typed_on_another_keyboard_is_the_same() -> None:
    hashed = passwords.hash_password("Ｃａｆé-terrace")
    assert passwords.is_right(hashed, "Cafe\u0301-terrace")
    assert not passwords.is_right(hashed, "Cafe-terrace")
    assert not passwords.is_right(hashed, "\ud800")
    assert not passwords.is_right("no hash at all", "x")


def test_a_token_does_what_it_may_until_it_ends(store: Store) -> None:
    user_id = add(store, "ann@example.com", "rep", rep_id="R1")
    made = new_token(store, user_id, "see_accounts_own", days=1)
    at = functools.partial(sessions.viewer_of_token, store, made.secret)
    who = at(now=NOW)
    assert who is not None
    assert (can(who, "see_accounts_own"), can(who, "see_contacts")) == (True, False)
    assert at(now=NOW + timedelta(hours=23)) is not None
    assert at(now=NOW + timedelta(days=1)) is None
    (kept,) = api_tokens.tokens(store)
    assert kept == replace(made.token, seen_at="2026-11-24T08:30:00Z")
    api_tokens.revoke_token(store, "token-1", by="user-1", now=NOW)
    api_tokens.revoke_token(store, "token-1", by="user-1", now=NOW)
    assert at(now=NOW) is None
    assert actions(store).count("token.revoke") == 1
    assert sessions.viewer_of_token(store, "territory_unknown", now=NOW) is None


def test_a_token_shrinks_with_its_user(lite: Store) -> None:
    user_id = add(lite, "ann@example.com", "ops")
    made = new_token(lite, user_id, "see_accounts_all", "see_sums")
    users.set_roles(lite, user_id, ["hr"], by="user-1", now=NOW)
    who = sessions.viewer_of_token(lite, made.secret, now=NOW)
    assert (can(who, "see_sums"), can(who, "see_accounts_all")) == (True, False)


@pytest.mark.parametrize(
    ("role", "scopes", "days", "told"),
    [
        ("ops", ["see_homes"], 30, "may not give it see_homes"),
        ("hr", ["see_homes"], 30, "may not give it see_homes"),
        ("admin", ["manage_users"], 30, "may not give it manage_users"),
        ("hr", ["see_accounts_all", "fly"], 30, "fly, see_accounts_all"),
        ("ops", ["see_sums"], 367, "366 days at most"),
        ("ops", ["see_sums"], 0, "366 days at most"),
    ],
)
def test_a_token_for_more_than_its_user_may_give_is_refused(
    lite: Store, role: str, scopes: list[str], days: float, told: str
) -> None:
    user_id = add(lite, "ann@example.com", role, password=None)
    with pytest.raises(InputError, match=told):
        new_token(lite, user_id, *scopes, days=days)
    assert api_tokens.tokens(lite) == []


def test_no_secret_and_no_password_is_anywhere_in_the_files(tmp_path: Path) -> None:
    path = empty_file(tmp_path)
    with open_store(str(path)) as store:
        furnished(store)
        user_id = add(store, "ann@example.com", "ops")
        signed = enter(store)
        outcome(store, "my password by mistake", "x")
        token = new_token(store, user_id)
        link = one_time_links.make_link(store, user_id, "reset", by="user-1", now=NOW)
        hidden = [PASSWORD, signed.secret, token.secret, link.secret, "my password by mistake"]
        held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert [text for text in hidden if text.encode() in held] == []
    assert sessions.fingerprint(signed.secret).encode() in held


def test_the_log_keeps_ids_for_ever_and_no_names(store: Store) -> None:
    user_id = add(store, "ann@example.com", "ops")
    enter(store)
    one_time_links.make_link(store, user_id, "sign_in", by="user-1", now=NOW)
    users.disable_user(store, user_id, by="user-1", now=NOW)
    found = audit_log.search(store, limit=None)[0].to_csv()
    assert "ann" not in found.casefold()
    assert user_id in found


def test_the_access_policy_is_changed_and_recorded(store: Store) -> None:
    assert users.access_policy(store) == AccessPolicy()
    set_policy(store, reps_see_names=True)
    assert users.access_policy(store).reps_see_names
    payload = json.loads(audit_log.search(store, action="access_policy")[0]["payload"][0])
    assert (payload["before"]["reps_see_names"], payload["after"]["reps_see_names"]) == (
        False,
        True,
    )


UNKNOWN: list[Callable[[Store], object]] = [
    lambda store: users.user(store, "user-9"),
    lambda store: users.find_user(store, "zed@example.com"),
    lambda store: users.set_roles(store, "user-9", ["ops"], by="cli", now=NOW),
    lambda store: users.disable_user(store, "user-9", by="cli", now=NOW),
    lambda store: users.enable_user(store, "user-9", by="cli", now=NOW),
    lambda store: users.end_sessions(store, "user-9", by="cli", now=NOW),
    lambda store: users.unlink_identities(store, "user-9", by="cli", now=NOW),
    lambda store: one_time_links.make_link(store, "user-9", "reset", by="cli", now=NOW),
    lambda store: new_token(store, "user-9"),
    lambda store: api_tokens.revoke_token(store, "token-9", by="cli", now=NOW),
]


@pytest.mark.parametrize("verb", UNKNOWN)
def test_an_unknown_user_or_token_is_said_to_be_without_naming_it(
    lite: Store, verb: Callable[[Store], object]
) -> None:
    with pytest.raises(NotFoundError, match=r"There is no such (user|token).* list") as caught:
        verb(lite)
    assert "zed" not in str(caught.value)
    assert audit_log.search(lite)[1] == 1
