"""Views that people keep under a name: own ones only, named once, in the log without the name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from territory.access import audit_log
from territory.errors import ConflictError, InputError, NotFoundError
from territory.prospects import saved_views
from territory.store import open_store
from tests.fixtures.access_drawn import BOTH, empty_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from territory import prospects
    from territory.store import Store

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
QUERY = {"q": "canaryquery", "status": ["customer", "prospect"], "sort": "-score"}


@pytest.fixture(params=BOTH)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with open_store(empty_url(request, tmp_path, "viewed")) as opened:
        yield opened


def save(store: Store, name: str, owner_id: str = "user-1") -> prospects.SavedView:
    return saved_views.save(store, owner_id, name, market_id="CHI", query=QUERY, now=NOW)


def names(store: Store, owner_id: str = "user-1") -> list[str]:
    return [one.name for one in saved_views.views(store, owner_id)]


def test_a_view_is_kept_renamed_and_deleted(store: Store) -> None:
    saved = save(store, "  Big   ones ")
    assert (saved.name, saved.market_id, saved.query) == ("Big ones", "CHI", QUERY)
    save(store, "Another")
    assert names(store) == ["Another", "Big ones"]
    assert saved_views.view(store, "user-1", saved.view_id) == saved
    renamed = saved_views.rename(store, "user-1", saved.view_id, "BIG ones", now=NOW)
    assert (renamed.view_id, renamed.name) == (saved.view_id, "BIG ones")
    assert saved_views.delete(store, "user-1", saved.view_id, now=NOW) == renamed
    assert names(store) == ["Another"]


def test_a_name_is_taken_once_per_person_whatever_its_case(store: Store) -> None:
    first, second = save(store, "Quiet ones"), save(store, "Loud ones")
    with pytest.raises(ConflictError, match="a view 'Quiet ones' already"):
        save(store, "QUIET ones")
    with pytest.raises(ConflictError, match="Choose another name"):
        saved_views.rename(store, "user-1", second.view_id, "quiet ONES", now=NOW)
    assert save(store, "Quiet ones", "user-2").view_id != first.view_id
    assert names(store) == ["Loud ones", "Quiet ones"]


def test_anothers_view_is_like_none(store: Store) -> None:
    saved = save(store, "Mine")
    for ask in (
        lambda: saved_views.view(store, "user-2", saved.view_id),
        lambda: saved_views.rename(store, "user-2", saved.view_id, "Yours", now=NOW),
        lambda: saved_views.delete(store, "user-2", saved.view_id, now=NOW),
    ):
        with pytest.raises(NotFoundError, match="You have no view"):
            ask()
    assert names(store, "user-2") == []
    assert names(store) == ["Mine"]


def test_no_more_than_a_hundred_are_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_views, "MOST", 2)
    save(store, "One")
    save(store, "Two")
    with pytest.raises(ConflictError, match="You have 2 views"):
        save(store, "Three")
    save(store, "Three", "user-2")


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\u0000b", "a\u202eb"])
def test_a_name_that_is_none_is_refused(store: Store, name: str) -> None:
    with pytest.raises(InputError, match="1 to 80 characters"):
        save(store, name)


def test_a_view_that_no_address_can_hold_is_refused(store: Store) -> None:
    query = {"industry": [f"industry {n}" for n in range(400)]}
    with pytest.raises(InputError, match="Remove some"):
        saved_views.save(store, "user-1", "Long", market_id=None, query=query, now=NOW)


def test_every_change_is_an_event_that_tells_no_name(store: Store) -> None:
    saved = save(store, "Canaryname")
    saved_views.rename(store, "user-1", saved.view_id, "Canaryname too", now=NOW)
    saved_views.delete(store, "user-1", saved.view_id, now=NOW)
    events, _ = audit_log.search(store, by="user-1", limit=None)
    assert events["action"].tolist()[::-1] == [
        "saved_view.save", "saved_view.rename", "saved_view.delete",
    ]  # fmt: skip
    assert set(events["subject_id"]) == {saved.view_id}
    assert "anary" not in events.to_csv()
    assert '"filters": ["q", "sort", "status"]' in events["payload"].iloc[0]
