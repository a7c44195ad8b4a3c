"""Refusals fill no log, and a clock that is put back makes nothing last longer."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from territory.access import (
    LockedOutError,
    SignInError,
    audit_log,
    one_time_links,
    record_denial,
    sessions,
    sign_in,
    users,
)
from territory.access.refusals import MOST
from territory.store import open_store

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    with open_store(f"sqlite:///{tmp_path}/store.sqlite") as opened:
        users.add_user(opened, "ann@example.com", name="Ann", roles=("ops",), by="test", now=NOW)
        yield opened


def denied(store, **other):
    record_denial(store, **{"view": "admin.users", "method": "GET", "by": "user-1", **other})


def events(store, action):
    return audit_log.search(store, action=action, limit=10_000)


def counted(found):
    """Count what the events of a log say happened, themselves among it."""
    details = [json.loads(payload)["detail"] for payload in found["payload"]]
    return sum(1 + told.get("repeated", 0) + told.get("unwritten", 0) for told in details)


def test_one_person_who_is_refused_again_and_again_is_one_event_and_a_count(store):
    for second in range(300):
        denied(store, now=NOW + timedelta(seconds=second))
    found, total = events(store, "access.denied")
    assert total == 1
    denied(store, now=NOW + timedelta(minutes=11))
    found, total = events(store, "access.denied")
    assert total == 2
    assert counted(found) == 301
    assert audit_log.verify(store).is_intact


def test_many_people_fill_no_more_of_the_log_than_an_hour_has_room_for(store):
    asked = 3 * MOST
    for number in range(asked):
        denied(store, by=f"user-{number}", now=NOW + timedelta(seconds=number))
    assert events(store, "access.denied")[1] == MOST
    denied(store, by="user-last", now=NOW + timedelta(hours=1))
    found, total = events(store, "access.denied")
    assert total == MOST + 1
    assert counted(found) == asked + 1


def test_failed_sign_ins_from_many_addresses_fill_no_log(store):
    failures = MOST + 40
    for number in range(failures):
        with pytest.raises(SignInError):
            sign_in.sign_in_by_link(
                store, "no such link", is_loopback=True, now=NOW,
                address=f"10.0.{number // 250}.{number % 250}",
            )  # fmt: skip
    assert events(store, "link.refused")[1] == MOST


def test_a_lock_ends_when_the_clock_is_put_back_and_the_next_failure_shuts_it_again(store):
    def guess(now):
        sign_in.sign_in(store, "ann@example.com", "wrong password!", address="10.0.0.1", now=now)

    for _ in range(5):
        with pytest.raises(SignInError):
            guess(NOW)
    with pytest.raises(LockedOutError) as locked:
        guess(NOW)
    assert locked.value.retry_after_s <= 30
    yesterday = NOW - timedelta(days=1)
    with pytest.raises(SignInError) as told:
        guess(yesterday)
    assert not isinstance(told.value, LockedOutError)
    with pytest.raises(LockedOutError) as locked:
        guess(yesterday)
    assert locked.value.retry_after_s <= 60


def test_what_began_after_now_is_over(store):
    user_id = users.users(store)[0].user_id
    link = one_time_links.make_link(store, user_id, "sign_in", by="test", now=NOW)
    yesterday = NOW - timedelta(days=1)
    with pytest.raises(SignInError):
        sign_in.sign_in_by_link(
            store, link.secret, is_loopback=True, address="10.0.0.1", now=yesterday
        )
    signed_in = sign_in.sign_in_by_link(
        store, link.secret, is_loopback=True, address="10.0.0.1", now=NOW
    )
    assert sessions.viewer_of_session(store, signed_in.secret, now=NOW)
    assert sessions.viewer_of_session(store, signed_in.secret, now=NOW - timedelta(minutes=2))
    assert sessions.viewer_of_session(store, signed_in.secret, now=yesterday) is None
