"""Who is on record is named by name, wherever a person reads it."""

from __future__ import annotations

import datetime as dt

import pytest

from territory.access import person_name, person_names, users
from territory.store import open_store

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("person_id", "name"),
    [("user-2", "Dana Reyes"), ("root", "root (server account)"), ("Ann Lee", "Ann Lee"),
     ("Example company", "Example company"), ("nobody", "Nobody signed in"), (None, ""), ("", "")],
)  # fmt: skip
def test_a_record_names_the_person(person_id, name):
    assert person_name(person_id, {"user-2": "Dana Reyes"}) == name


def test_a_new_user_has_a_name_at_once(tmp_path):
    with open_store(f"sqlite:///{tmp_path}/store.sqlite") as store:
        assert person_names(store) == {}
        added = users.add_user(
            store, "dana@example.com", name="Dana Reyes", roles=["ops"], by="root", now=NOW
        )
        assert person_names(store) == {added.user_id: "Dana Reyes"}
