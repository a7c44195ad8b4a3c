"""Saved views: which list, and the query string that filters it, under a name of a person's own.

A view holds no rows: whoever opens it sees what the filters find among their own. Nobody sees or
changes another's views. ``owner_id`` is who keeps them.
"""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING

from territory.access import audit_log
from territory.errors import ConflictError, InputError, NotFoundError
from territory.prospects.saved_view_ledger import SavedView, SavedViewLedger
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from territory.store import Store, Transaction


MOST = 100  # views of one person
LONGEST_NAME = 80
LONGEST_QUERY = 4_000  # characters of JSON: browsers and proxies take addresses of that length


def views(store: Store, owner_id: str) -> list[SavedView]:
    """Give the views of a person, by name."""
    with store.read() as transaction:
        return SavedViewLedger(transaction).views(owner_id)


def view(store: Store, owner_id: str, view_id: str) -> SavedView:
    """Look up a view of a person.

    Raises
    ------
    NotFoundError
        If the person has none of this id.
    """
    with store.read() as transaction:
        return _known(transaction, owner_id, view_id)


def save(
    store: Store,
    owner_id: str,
    name: str,
    *,
    market_id: str | None,
    query: Mapping[str, str | list[str]],
    now: datetime,
) -> SavedView:
    """Keep a view under a name; ``market_id`` None is the list of prospects in no market.

    Raises
    ------
    InputError
        If the name is empty or too long, or the query is too long for an address.
    ConflictError
        If the person has a view of this name, or as many as there may be.
    """
    called, key = _name(name)
    text = json.dumps(dict(query))
    if len(text) > LONGEST_QUERY:
        raise InputError("This view has more filters than an address can hold. Remove some.")
    with store.write() as transaction:
        ledger = SavedViewLedger(transaction)
        if len(ledger.views(owner_id)) >= MOST:
            raise ConflictError(f"You have {MOST} views, and no more are kept. Delete one first.")
        _refuse_taken(transaction, owner_id, key)
        view_id = ledger.add(
            owner_id,
            name=called,
            name_key=key,
            market_id=market_id,
            query=text,
            saved_at=utc_text(now),
        )
        saved = _known(transaction, owner_id, view_id)
        _record(transaction, "save", owner_id, view_id, now, after=saved)
    return saved


def rename(store: Store, owner_id: str, view_id: str, name: str, *, now: datetime) -> SavedView:
    """Give a view another name.

    Raises
    ------
    NotFoundError
        If the person has none of this id.
    InputError
        If the name is empty or too long.
    ConflictError
        If another view of the person has this name.
    """
    called, key = _name(name)
    with store.write() as transaction:
        before = _known(transaction, owner_id, view_id)
        if key != _name(before.name)[1]:
            _refuse_taken(transaction, owner_id, key)
        SavedViewLedger(transaction).rename(view_id, called, key)
        after = _known(transaction, owner_id, view_id)
        _record(transaction, "rename", owner_id, view_id, now, before=before, after=after)
    return after


def delete(store: Store, owner_id: str, view_id: str, *, now: datetime) -> SavedView:
    """Delete a view and give what it was, so that it can be saved again.

    Raises
    ------
    NotFoundError
        If the person has none of this id.
    """
    with store.write() as transaction:
        before = _known(transaction, owner_id, view_id)
        SavedViewLedger(transaction).remove(view_id)
        _record(transaction, "delete", owner_id, view_id, now, before=before)
    return before


def _known(transaction: Transaction, owner_id: str, view_id: str) -> SavedView:
    view = SavedViewLedger(transaction).view(owner_id, view_id)
    if view is None:
        raise NotFoundError(f"You have no view {view_id!r}. The page of your views lists them.")
    return view


def _refuse_taken(transaction: Transaction, owner_id: str, key: str) -> None:
    other = SavedViewLedger(transaction).view_of_name(owner_id, key)
    if other is not None:
        raise ConflictError(
            f"You have a view {other.name!r} already. Choose another name, or delete that one "
            "first."
        )


def _name(text: str) -> tuple[str, str]:
    """Write a name as it is shown and as it is compared."""
    clean = " ".join(unicodedata.normalize("NFC", text).split())
    if not clean or len(clean) > LONGEST_NAME or not clean.isprintable():
        raise InputError(f"A view has a name of 1 to {LONGEST_NAME} characters. Give it one.")
    return clean, unicodedata.normalize("NFKC", clean).casefold()


def _record(
    transaction: Transaction,
    did: str,
    owner_id: str,
    view_id: str,
    now: datetime,
    *,
    before: SavedView | None = None,
    after: SavedView | None = None,
) -> None:
    """Put on record that a view came, changed or went; the log keeps neither name nor values."""
    payload = [
        one and {"name": one.name, "market_id": one.market_id, "filters": sorted(one.query)}
        for one in (before, after)
    ]
    audit_log.record(
        transaction,
        by=owner_id,
        at=now,
        action=f"saved_view.{did}",
        subject_kind="saved_view",
        subject_id=view_id,
        before=payload[0],
        after=payload[1],
    )
