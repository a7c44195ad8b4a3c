"""Whatever changes the store leaves an event, in the same transaction."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from territory import imports
from territory.access import audit_log
from territory.accounts import duplicates
from territory.errors import ConflictError
from territory.geocoding import review
from territory.plans import publish
from territory.schemas import GEOCODE

if TYPE_CHECKING:
    from pathlib import Path

    from territory.store import Store

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
TWO = """\
prospect_id,name,city,state,postal_code
a,Acme Inc,Chicago,IL,60601
b,ACME,Chicago,IL,60601
"""


def actions(store: Store, by: str) -> list[str]:
    found, total = audit_log.search(store, by=by, limit=100)
    assert total == len(found)
    return sorted(found["action"])


def test_every_change_is_in_the_log(demo_store: Store, tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    path.write_text(TWO)
    told = {"by": "ana", "now": NOW}
    report = imports.import_file(demo_store, "prospects", path, **told)
    review.pin(demo_store, "prospects", "a", -87.63, 41.88, **told)
    review.forget(demo_store, "prospects", "a", **told)
    duplicates.merge(demo_store, "a", "b", **told)
    duplicates.unmerge(demo_store, "a", "b", **told)
    duplicates.reconsider(demo_store, "a", "b", **told)
    duplicates.keep_apart(demo_store, "a", "b", **told)
    assert report.import_id is not None
    imports.undo(demo_store, report.import_id, **told)
    assert actions(demo_store, "ana") == [
        "duplicates.keep_apart", "duplicates.merge", "duplicates.reconsider", "duplicates.unmerge",
        "import.commit", "import.undo", "place.forget", "place.pin",
    ]  # fmt: skip
    assert audit_log.verify(demo_store).is_intact


def test_a_place_is_told_before_and_after(demo_store: Store) -> None:
    with demo_store.read() as transaction:
        row = transaction.table("prospects").iloc[0]
    review.pin(demo_store, "prospects", row["prospect_id"], 1.5, 2.5, by="bo", now=NOW)
    found, _ = audit_log.search(demo_store, by="bo")
    event = found.iloc[0]
    assert (event["subject_kind"], event["subject_id"]) == ("prospect", row["prospect_id"])
    told = json.loads(event["payload"])
    assert told["before"]["lon"] == pytest.approx(row["lon"])
    assert told["after"]["lon"] == 1.5
    assert set(told["after"]) == set(GEOCODE.columns)


def test_what_is_refused_leaves_no_event(demo_store: Store) -> None:
    with demo_store.read() as transaction:
        known = transaction.table("prospects").iloc[0]["prospect_id"]
    with pytest.raises(ConflictError):
        review.forget(demo_store, "prospects", known, by="eve", now=NOW)
    assert actions(demo_store, "eve") == []


def test_publishing_is_in_the_log_and_trying_is_not(demo_store: Store, tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    path.write_text(TWO)
    imports.import_file(demo_store, "prospects", path, by="x", now=NOW)
    publish.assign(demo_store, published_by="cy", now=NOW, dry_run=True)
    assert actions(demo_store, "cy") == []
    publish.assign(demo_store, published_by="cy", now=NOW)
    publish.assign(demo_store, published_by="cy", now=NOW)  # nothing changed, nothing published
    assert actions(demo_store, "cy") == ["plan.publish"]
