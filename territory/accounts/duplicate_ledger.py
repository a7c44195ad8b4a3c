"""Ledger of duplicates: what people decided about pairs, and what hangs on a merged prospect."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import and_, delete, exists, insert, or_, select, update

from territory.accounts.merge import CHILDREN, PLACE_DECISION, Change, Prospect, Values, records
from territory.store import activity_tables, import_tables, rows
from territory.store import tables as schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Select, Table

    from territory.store import Transaction

MERGED, DISTINCT = "merged", "distinct"
_PAIRS = import_tables.pair_decisions
_PLACES = import_tables.place_decisions
_PROSPECTS = schema.prospects
# What a merge changes beside the tables of ``KINDS``.
_APART = {
    PLACE_DECISION: _PLACES,
    "account_notes": activity_tables.account_notes,
    "next_steps": activity_tables.next_steps,
}
# What pairs of namesakes rest on.
COMPARED = (
    "prospect_id", "name", "website", "street", "city", "state", "postal_code", "country",
    "parent_id", "lon", "lat", "uncertainty_m",
)  # fmt: skip


@dataclass(frozen=True)
class DuplicateDecision:
    """Two prospects and what a person called them: ``MERGED`` (the first is kept) or ``DISTINCT``.

    ``changes`` is what the merge did to the store, in order.
    """

    first_id: str
    second_id: str
    decision: str
    evidence: str
    decided_at: str
    decided_by: str
    changes: tuple[Change, ...] = ()


class DuplicateLedger:
    """Reads and writes decisions about pairs within one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    def decisions(self) -> pd.DataFrame:
        """List every decision, oldest first, with ``has_first`` and ``has_second``.

        These tell whether the store holds the two prospects now.
        """
        columns = [column for column in _PAIRS.c if column.name != "before"]
        ordered = (_PAIRS.c.decided_at, _PAIRS.c.first_id, _PAIRS.c.second_id)
        rows = self._read(select(*columns).order_by(*ordered))
        for name in ("first", "second"):
            name_query = select(_PAIRS.c[f"{name}_id"]).where(
                exists().where(_PROSPECTS.c.prospect_id == _PAIRS.c[f"{name}_id"])
            )
            ids = set(self._connection.execute(name_query).scalars())
            rows[f"has_{name}"] = rows[f"{name}_id"].isin(ids)
        return rows

    def decision(self, first_id: str, second_id: str) -> DuplicateDecision | None:
        """Look up what was decided about two prospects, in either order; None for nothing."""
        query = select(_PAIRS).where(_about(first_id, second_id))
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        return DuplicateDecision(
            row.first_id,
            row.second_id,
            row.decision,
            row.evidence,
            row.decided_at,
            row.decided_by,
            _unpacked(row.before) if row.before is not None else (),
        )

    def record(self, decision: DuplicateDecision) -> None:
        """Write a decision; an earlier one about the same two is replaced."""
        self.forget(decision.first_id, decision.second_id)
        self._connection.execute(
            insert(_PAIRS).values(
                first_id=decision.first_id,
                second_id=decision.second_id,
                decision=decision.decision,
                evidence=decision.evidence,
                before=_packed(decision.changes) if decision.decision == MERGED else None,
                decided_at=decision.decided_at,
                decided_by=decision.decided_by,
            )
        )

    def forget(self, first_id: str, second_id: str) -> None:
        """Delete what was decided about two prospects."""
        self._connection.execute(delete(_PAIRS).where(_about(first_id, second_id)))

    def prospect(self, prospect_id: str) -> Prospect | None:
        """Read a prospect with all that hangs on it; None where the store has none of this id."""
        own = records(self._of(_PROSPECTS, prospect_id))
        if not own:
            return None
        tables = {kind: _table(kind) for kind in CHILDREN}
        subsidiaries = select(_PROSPECTS.c.prospect_id).where(_PROSPECTS.c.parent_id == prospect_id)
        named_accounts = records(self._of(schema.named_accounts, prospect_id))
        where = (_PLACES.c.kind == "prospects") & (_PLACES.c.subject_id == prospect_id)
        place = records(self._read(select(_PLACES).where(where)))
        return Prospect(
            row=own[0],
            children={kind: records(self._of(t, prospect_id)) for kind, t in tables.items()},
            subsidiaries=records(self._read(subsidiaries.order_by(_PROSPECTS.c.prospect_id))),
            named_account=named_accounts[0] if named_accounts else None,
            place_decision=place[0] if place else None,
        )

    def ancestors(self, prospect_id: str) -> tuple[str, ...]:
        """Ids of the parent, the parent of that, and so on; a ring is walked once."""
        ancestors: list[str] = []
        at: str | None = prospect_id
        while at is not None:
            query = select(_PROSPECTS.c.parent_id).where(_PROSPECTS.c.prospect_id == at)
            at = self._connection.execute(query).scalar()
            if at is None or at in ancestors:
                break
            ancestors.append(at)
        return tuple(ancestors)

    def apply(self, changes: Iterable[Change]) -> None:
        """Make changes, in order. A row that is altered is altered wherever it is still there."""
        for change in changes:
            table = _table(change.kind)
            if change.before is None and change.after is not None:
                self._connection.execute(insert(table).values(**change.after))
                continue
            where = and_(*(table.c[name] == value for name, value in change.key.items()))
            if change.after is None:
                self._connection.execute(delete(table).where(where))
            else:
                self._connection.execute(update(table).where(where).values(**change.after))

    def current(self, change: Change) -> Values | None:
        """Read the row that a change is about, in the columns it alters; None where it is gone."""
        table = _table(change.kind)
        key = change.after or change.before or change.key
        where = and_(*(table.c[name] == value for name, value in change.key.items()))
        query = select(*(table.c[name] for name in key)).where(where)
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else dict(row)

    def image(self, first_id: str, second_id: str) -> Values | None:
        """Give the prospect that a merge took away, as it was; None where no merge is recorded."""
        decision = self.decision(first_id, second_id)
        for change in decision.changes if decision else ():
            if change.kind == "prospects" and change.after is None:
                return change.before
        return None

    def prospects(self, ids: list[str]) -> pd.DataFrame:
        """Read the prospects of these ids, by id."""
        parts = [
            self._read(select(_PROSPECTS).where(_PROSPECTS.c.prospect_id.in_(part)))
            for part in _parts(ids)
        ]
        return pd.concat(parts, ignore_index=True).sort_values("prospect_id", ignore_index=True)

    def placed_by_hand(self) -> set[str]:
        """Ids of the prospects whose location somebody has decided on."""
        query = select(_PLACES.c.subject_id).where(_PLACES.c.kind == "prospects")
        return set(self._connection.execute(query).scalars())

    def compared(self) -> pd.DataFrame:
        """Read what pairs of namesakes rest on (``COMPARED``), by id."""
        columns = [_PROSPECTS.c[name] for name in COMPARED]
        return self._read(select(*columns).order_by(_PROSPECTS.c.prospect_id))

    def _of(self, table: Table, prospect_id: str) -> pd.DataFrame:
        query = select(table).where(table.c.prospect_id == prospect_id)
        return self._read(query.order_by(*table.primary_key))

    def _read(self, query: Select[Any]) -> pd.DataFrame:
        return rows.read(self._connection, query)


def _parts(ids: list[str]) -> list[list[str]]:
    """Split ids so that a statement never has more values than SQLite takes; one part at least."""
    return [ids[at : at + 10_000] for at in range(0, max(len(ids), 1), 10_000)]


def _about(one: str, other: str) -> Any:
    first, second = _PAIRS.c.first_id, _PAIRS.c.second_id
    return or_((first == one) & (second == other), (first == other) & (second == one))


def _table(kind: str) -> Table:
    return _APART[kind] if kind in _APART else schema.KINDS[kind].table


def _packed(changes: Iterable[Change]) -> bytes:
    columns: dict[str, list[str | None]] = {"kind": [], "key": [], "before": [], "after": []}
    for change in changes:
        columns["kind"].append(change.kind)
        columns["key"].append(json.dumps(change.key))
        columns["before"].append(None if change.before is None else json.dumps(change.before))
        columns["after"].append(None if change.after is None else json.dumps(change.after))
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({name: pa.array(v, pa.string()) for name, v in columns.items()}), sink)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def _unpacked(blob: bytes) -> tuple[Change, ...]:
    table = pq.read_table(pa.BufferReader(blob), use_threads=False)
    return tuple(
        Change(
            row["kind"],
            json.loads(row["key"]),
            None if row["before"] is None else json.loads(row["before"]),
            None if row["after"] is None else json.loads(row["after"]),
        )
        for row in table.to_pylist()
    )
