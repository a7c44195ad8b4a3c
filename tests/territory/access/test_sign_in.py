"""Only those come in who may: by password, one-time link or company sign-on."""

from __future__ import annotations

import functools
import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from territory.access import (
    GroupRoles,
    LockedOutError,
    SignInError,
    UserLedger,
    Viewer,
    audit_log,
    one_time_links,
    passwords,
    sessions,
    sign_in,
    users,
)
from territory.access.scopes import can
from territory.access.sign_in import Identity
from territory.errors import ConflictError, InputError
from territory.store import Store, open_store
from tests.fixtures.access_drawn import (
    BOTH,
    HERE,
    NOW,
    PASSWORD,
    actions,
    add,
    by_link,
    details,
    empty_file,
    empty_url,
    enter,
    furnished,
    outcome,
    raw,
    set_policy,
    viewer,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
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


ME = Identity("https://id.example.com", "abc-123", "ann@example.com", "Ann", ("sales",))
GROUPS = GroupRoles((("sales", "ops"), ("people", "hr")))


def company(
    store: Store, identity: Identity = ME, groups: GroupRoles | None = GROUPS
) -> Viewer | None:
    signed = sign_in.sign_in_by_identity(store, identity, groups=groups, address=HERE, now=NOW)
    return viewer(store, signed.secret)


def test_a_changed_password_ends_the_other_sessions(store: Store) -> None:
    user_id = add(store, "ann@example.com", "ops")
    here, there = enter(store).secret, enter(store).secret
    change = functools.partial(sign_in.change_password, store, user_id, address=HERE, now=NOW)
    with pytest.raises(SignInError):
        change(old="wrong password", new="another long secret", keep=here)
    change(old=PASSWORD, new="another long secret", keep=here)
    assert viewer(store, here) is not None
    assert viewer(store, there) is None
    assert outcome(store) == "refused"
    assert outcome(store, "ann@example.com", "another long secret") == "in"


def test_a_hash_of_older_parameters_is_renewed_at_sign_in(lite: Store) -> None:
    from argon2 import PasswordHasher
    from argon2.profiles import CHEAPEST

    user_id = add(lite, "ann@example.com", "ops")
    old = PasswordHasher.from_parameters(CHEAPEST).hash(PASSWORD)
    with lite.write() as transaction:
        UserLedger(transaction).set_password_hash(user_id, old)
    enter(lite)
    with lite.read() as transaction:
        renewed = UserLedger(transaction).password_hash(user_id)
    assert renewed is not None
    assert not passwords.is_dated(renewed)
    assert outcome(lite) == "in"


def test_wrong_unknown_disabled_and_blank_are_told_the_same_and_recorded(store: Store) -> None:
    add(store, "ann@example.com", "ops")
    users.disable_user(store, add(store, "bob@example.com", "ops"), by="user-1", now=NOW)
    messages = set()
    for login, password in (
        ("ann@example.com", "wrong password"),
        ("zed@example.com", PASSWORD),
        ("bob@example.com", PASSWORD),
        ("root@example.com", ""),
        ("two words\x00", PASSWORD),
    ):
        with pytest.raises(SignInError) as caught:
            enter(store, login, password)
        messages.add(str(caught.value))
    assert messages == {sign_in.REFUSED}
    found = audit_log.search(store, action="session.refused")[0]
    assert found["subject_id"].tolist()[::-1] == [
        "user-2", "unknown", "unknown", "user-1", "unknown",
    ]  # fmt: skip
    assert set(found["by"]) == {"nobody"}
    assert not found["payload"].str.contains("zed|wrong|words", regex=True).any()


def test_an_unknown_user_costs_what_a_wrong_password_costs(lite: Store) -> None:
    assert not passwords.is_dated(passwords.NOBODY)
    add(lite, "ann@example.com", "ops")
    set_policy(lite, account_attempts=100)

    def cost(login: str) -> float:
        spent = []
        for _ in range(5):
            before = time.process_time()
            assert outcome(lite, login, "wrong password") == "refused"
            spent.append(time.process_time() - before)
        return sorted(spent)[1]

    known, unknown = cost("ann@example.com"), cost("zed@example.com")
    assert 0.6 < unknown / known < 1.7


@pytest.mark.parametrize("login", ["ann@example.com", "zed@example.com"])
def test_an_account_known_or_not_is_shut_for_longer_each_time(lite: Store, login: str) -> None:
    add(lite, "ann@example.com", "ops")
    set_policy(lite, account_attempts=2, lock_s=30, lock_max_s=100)
    at, waits = 0.0, []
    for _ in range(5):
        while (told := outcome(lite, login, "wrong", after=at)) == "refused":
            pass
        assert told == "locked"
        with pytest.raises(LockedOutError) as caught:
            enter(lite, login, "wrong", after=at)
        assert login not in str(caught.value)
        waits.append(caught.value.retry_after_s)
        assert outcome(lite, login, "wrong", after=at + waits[-1] - 1) == "locked"
        at += waits[-1]
    assert waits == [30, 60, 100, 100, 100]


def test_the_right_password_opens_nothing_while_shut_and_all_is_forgiven_after(
    store: Store,
) -> None:
    add(store, "ann@example.com", "ops")
    set_policy(store, account_attempts=2, lock_s=30)
    told = [outcome(store, "ann@example.com", "wrong", after=at) for at in range(2)]
    told += [outcome(store, after=at) for at in (2, 30, 32, 33)]
    assert told == ["refused", "refused", "locked", "locked", "in", "in"]
    assert outcome(store, "ann@example.com", "wrong", after=34) == "refused"
    assert outcome(store, after=35) == "in"
    assert actions(store).count("session.locked") == 1
    assert next(detail["turned_away_before"] for detail in details(store, "session.start")) == 2


def test_failures_are_forgotten_after_a_quiet_day(lite: Store) -> None:
    add(lite, "ann@example.com", "ops")
    set_policy(lite, account_attempts=2)
    assert outcome(lite, "ann@example.com", "wrong") == "refused"
    day = 86_401
    assert outcome(lite, "ann@example.com", "wrong", after=day) == "refused"
    assert outcome(lite, after=day + 1) == "in"


def test_a_burst_of_guesses_at_once_is_counted_one_by_one(store: Store) -> None:
    add(store, "ann@example.com", "ops")
    set_policy(store, account_attempts=3)
    told: list[str] = []

    def guess() -> None:
        told.append(outcome(store, "ann@example.com", "wrong"))

    threads = [threading.Thread(target=guess) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["locked"] * 5 + ["refused"] * 3
    assert audit_log.verify(store).is_intact


def test_an_address_that_tries_many_accounts_is_shut_and_another_is_not(lite: Store) -> None:
    add(lite, "ann@example.com", "ops")
    set_policy(lite, address_attempts=3)
    hosts = [f"2001:db8:1:2::{host}" for host in range(5)]
    told = [
        outcome(lite, f"zed{at}@example.com", "x", address=host) for at, host in enumerate(hosts)
    ]
    assert told == ["refused"] * 3 + ["locked"] * 2
    assert outcome(lite, address="2001:db8:1:2::ffff") == "locked"
    assert outcome(lite, address="2001:db8:1:3::1") == "in"
    with pytest.raises(LockedOutError):
        sign_in.sign_in_by_link(lite, "guess", is_loopback=False, address=hosts[0], now=NOW)


def test_an_own_account_does_not_wash_an_address_clean(lite: Store) -> None:
    add(lite, "ann@example.com", "ops")
    set_policy(lite, address_attempts=3)
    told = []
    for at in range(3):
        told += [outcome(lite, f"zed{at}@example.com", "x"), outcome(lite)]
    assert told == ["refused", "in", "refused", "in", "refused", "locked"]


def test_knocking_at_a_shut_door_does_not_fill_the_log(lite: Store) -> None:
    set_policy(lite, account_attempts=1, address_attempts=100)
    assert outcome(lite, "zed@example.com", "x") == "refused"
    for _ in range(20):
        assert outcome(lite, "zed@example.com", "x", after=1) == "locked"
    assert actions(lite).count("session.locked") == 1
    assert outcome(lite, "zed@example.com", "x", after=31) == "refused"
    assert details(lite, "session.refused")[-1]["turned_away_before"] == 20


def test_a_session_ends_unused_and_after_its_time_and_by_signing_out(store: Store) -> None:
    add(store, "ann@example.com", "ops")
    set_policy(store, session_idle_s=600, session_max_s=3600)
    secret = enter(store).secret
    assert viewer(store, secret, 599) is not None
    assert viewer(store, secret, 599 + 599) is not None
    assert viewer(store, secret, 599 + 599 + 600) is None
    busy = enter(store).secret
    seen = [viewer(store, busy, at) is not None for at in range(500, 3601, 500)]
    assert seen == [True] * 7
    assert viewer(store, busy, 3600) is None
    third = enter(store).secret
    sessions.sign_out(store, third, now=NOW)
    sessions.sign_out(store, third, now=NOW)
    sessions.sign_out(store, "unknown", now=NOW)
    assert viewer(store, third) is None
    assert actions(store).count("session.end") == 1
    assert viewer(store, "unknown") is None


def test_a_shorter_policy_holds_for_sessions_that_are_open(lite: Store) -> None:
    add(lite, "ann@example.com", "ops")
    secret = enter(lite).secret
    assert viewer(lite, secret, 3000) is not None
    set_policy(lite, session_max_s=2000)
    assert viewer(lite, secret, 3001) is None


def test_an_admin_signs_a_user_out_everywhere(store: Store) -> None:
    user_id = add(store, "ann@example.com", "ops")
    secrets = [enter(store).secret for _ in range(3)]
    assert len(users.sessions(store, user_id)) == 3
    assert users.end_sessions(store, user_id, by="user-1", now=NOW) == 3
    assert users.sessions(store, user_id) == []
    assert [viewer(store, secret) for secret in secrets] == [None] * 3


def test_when_a_session_was_seen_is_noted_by_the_minute(store: Store) -> None:
    user_id = add(store, "ann@example.com", "ops")
    secret = enter(store).secret
    noted = []
    for at in (30, 59, 60, 119, 121):
        viewer(store, secret, at)
        noted.append(users.sessions(store, user_id)[0].seen_at[14:19])
    assert noted == ["30:00", "30:00", "31:00", "31:00", "32:01"]


def test_a_page_does_not_wait_for_a_writer_to_say_that_it_was_seen(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = add(store, "ann@example.com", "ops")
    secret = enter(store).secret
    write, waits = Store.write, []

    def noted(one: Store, *, wait_s: float | None = None, touches: bool = True) -> object:
        waits.append(wait_s)
        return write(one, wait_s=wait_s, touches=touches)

    monkeypatch.setattr(Store, "write", noted)
    with store.write() as transaction:
        transaction.set_setting("long", "import")
        assert viewer(store, secret, 300) is not None
    assert viewer(store, secret, 300) is not None
    assert waits == [None, 0, 0]
    assert users.sessions(store, user_id)[0].seen_at == "2026-11-23T09:35:00Z"


def test_expired_sessions_links_and_old_failures_are_swept_away(lite: Store) -> None:
    user_id = add(lite, "ann@example.com", "ops")
    enter(lite)
    outcome(lite, "zed@example.com", "x")
    one_time_links.make_link(lite, user_id, "sign_in", by="user-1", now=NOW)
    enter(lite, after=3 * 86_400)
    with raw(lite) as connection:
        for table, left in (("sessions", 1), ("sign_in_links", 0), ("sign_in_attempts", 1)):
            query = text(f"SELECT count(*) FROM {table}")  # noqa: S608
            assert connection.execute(query).scalar() == left, table


def test_a_link_signs_in_once(store: Store) -> None:
    user_id = add(store, "ann@example.com", "hr", password=None)
    link = one_time_links.make_link(store, user_id, "sign_in", by="user-1", now=NOW)
    who = viewer(store, by_link(store, link.secret).secret)
    assert who is not None
    assert can(who, "see_homes")
    with pytest.raises(SignInError, match="already used"):
        by_link(store, link.secret)
    assert actions(store)[-2:] == ["session.start", "link.refused"]


def test_of_many_who_use_a_link_at_once_one_comes_in(store: Store) -> None:
    user_id = add(store, "ann@example.com", "ops", password=None)
    link = one_time_links.make_link(store, user_id, "sign_in", by="user-1", now=NOW)
    told: list[bool] = []

    def use() -> None:
        try:
            by_link(store, link.secret)
        except SignInError:
            told.append(False)
        else:
            told.append(True)

    threads = [threading.Thread(target=use) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [False] * 4 + [True]


def test_a_link_is_for_its_purpose_its_time_and_its_machine(lite: Store) -> None:
    user_id = add(lite, "ann@example.com", "ops", password=None)
    make = functools.partial(one_time_links.make_link, lite, user_id, by="user-1", now=NOW)
    with pytest.raises(SignInError):
        by_link(lite, make("reset").secret)
    with pytest.raises(SignInError):
        by_link(lite, make("sign_in").secret, after=15 * 60)
    local = make("sign_in")
    with pytest.raises(SignInError):
        by_link(lite, local.secret, is_loopback=False)
    assert by_link(lite, local.secret, after=15 * 60 - 1)
    assert by_link(lite, make("sign_in", loopback_only=False).secret, is_loopback=False)
    with pytest.raises(SignInError):
        sign_in.reset_password(
            lite, make("sign_in").secret, PASSWORD, is_loopback=True, address=HERE, now=NOW
        )
    with pytest.raises(InputError, match="No link for 'party'"):
        make("party")
    for lasts in (timedelta(), timedelta(days=8)):
        with pytest.raises(InputError, match="7 days at most"):
            make("reset", lifetime=lasts)


def test_a_reset_ends_sessions_and_the_links_before_it(store: Store) -> None:
    user_id = add(store, "ann@example.com", "ops")
    secret = enter(store).secret
    first = one_time_links.make_link(store, user_id, "reset", by="user-1", now=NOW)
    second = one_time_links.make_link(store, user_id, "reset", by="user-1", now=NOW)
    reset = functools.partial(
        sign_in.reset_password, store, is_loopback=True, address=HERE, now=NOW
    )
    with pytest.raises(SignInError):
        reset(first.secret, "another long secret")
    reset(second.secret, "another long secret")
    assert viewer(store, secret) is None
    assert outcome(store, "ann@example.com", "another long secret") == "in"


def test_the_secret_of_a_link_stands_where_no_server_logs_it() -> None:
    link = one_time_links.OneTimeLink("s3cret", "user-1", "sign_in", True, "2026-11-23T09:45:00Z")
    address = one_time_links.link_address("https://maps.example.com/", link)
    assert address == "https://maps.example.com/sign-in/link#s3cret"
    assert "s3cret" not in repr(link)


def test_groups_make_a_user_at_first_sign_in_and_set_the_roles_at_each(store: Store) -> None:
    first = company(store)
    assert first is not None
    assert (first.user_id, first.roles) == ("user-2", frozenset({"ops"}))
    second = company(store, replace(ME, groups=("people",), login="ann.ash@example.com"))
    assert second is not None
    assert (second.user_id, second.roles) == ("user-2", frozenset({"hr"}))
    with pytest.raises(SignInError, match="no account here is yours"):
        company(store, replace(ME, groups=()))
    assert users.user(store, "user-2").roles == frozenset()
    assert outcome(store) == "refused"  # no password came with it


def test_an_account_is_not_taken_over_by_its_login(store: Store) -> None:
    user_id = add(store, "ann@example.com", "admin")
    for groups in (GROUPS, None):
        with pytest.raises(SignInError):
            company(store, groups=groups)
    told = {"issuer": ME.issuer, "subject": ME.subject, "by": "user-1", "now": NOW}
    users.link_identity(store, user_id, **told)
    who = company(store, groups=None)
    assert who is not None
    assert (who.user_id, who.roles) == (user_id, frozenset({"admin"}))
    with pytest.raises(ConflictError, match="linked"):
        users.link_identity(store, "user-1", **told)
    assert users.unlink_identities(store, user_id, by="user-1", now=NOW) == 1
    with pytest.raises(SignInError):
        company(store, groups=None)


@pytest.mark.parametrize("login", ["", "two words", "x" * 500])
def test_an_identity_that_gives_no_login_makes_no_user(lite: Store, login: str) -> None:
    with pytest.raises(SignInError):
        company(lite, replace(ME, login=login))
    assert len(users.users(lite)) == 1


def test_another_issuer_with_the_same_subject_is_someone_else(lite: Store) -> None:
    company(lite)
    with pytest.raises(SignInError):
        company(lite, replace(ME, issuer="https://evil.example.com"))
