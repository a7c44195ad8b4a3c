"""Decisions about places, and the rows of the store that wait for one."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, func, insert, not_, or_, select

from territory.errors import InputError
from territory.schemas import ADDRESS, PLACEMENTS
from territory.store import KINDS, geocode_answers, place_decisions, rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from sqlalchemy import ColumnElement, Table

    from territory.store import Transaction

PLACED_KINDS = tuple(name for name, kind in KINDS.items() if kind.is_placed)
PIN, ACCEPTED, CORRECTED, NO_PLACE = "pin", "accepted", "address", "no_place"
NOT_A_PLACE = "decision"  # the geocode_source of a row that a person marked as no place
_FEW = 500  # ids that a statement may name
_SEARCHED = ("name", "city", "postal_code")


@dataclass(frozen=True)
class Decision:
    """What a person decided about the place of one row.

    ``decision`` is "pin" or "accepted" (lon and lat in degrees, precision, uncertainty in metres
    and, as ``note``, what the place is called), "address" (street, city, state, postal_code,
    country in place of those of the file) or "no_place". ``decided_at`` is UTC ISO text.
    """

    kind: str
    subject_id: str
    decision: str
    evidence: str
    decided_at: str
    decided_by: str
    lon: float | None = None
    lat: float | None = None
    precision: str | None = None
    uncertainty_m: float | None = None
    street: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    note: str | None = None


def check_kind(kind: str) -> None:
    """Refuse a kind without a location."""
    if kind not in PLACED_KINDS:
        raise InputError(f"{kind!r} have no places. The kinds that do: {', '.join(PLACED_KINDS)}.")


class ReviewLedger:
    """Decisions about places, and the rows that wait for one."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    def decisions(self, kind: str, subject_id: str | None = None) -> pd.DataFrame:
        """Read what was decided about the rows of a kind, or one of them, by subject_id."""
        query = select(place_decisions).where(place_decisions.c.kind == kind)
        if subject_id is not None:
            query = query.where(place_decisions.c.subject_id == subject_id)
        return rows.read(self._connection, query.order_by(place_decisions.c.subject_id))

    def decide(self, decision: Decision) -> None:
        """Keep a decision in place of any earlier one about the same row."""
        self.forget(decision.kind, decision.subject_id)
        self._connection.execute(insert(place_decisions).values(**dataclasses.asdict(decision)))

    def forget(self, kind: str, subject_id: str) -> bool:
        """Take a decision back; tell whether there was one."""
        same = (place_decisions.c.kind == kind, place_decisions.c.subject_id == subject_id)
        return self._connection.execute(delete(place_decisions).where(*same)).rowcount > 0

    def with_coordinates(self, kind: str, subject_ids: list[str]) -> pd.DataFrame:
        """Read key, address, given_lon, given_lat and geocode_note of rows with coordinates.

        Of all such rows where more than ``_FEW`` are asked for, else of those.
        """
        table = KINDS[kind].table
        key = KINDS[kind].key[0]
        names = (key, *ADDRESS, "given_lon", "given_lat", "geocode_note")
        query = select(*(table.c[name] for name in names)).where(table.c.given_lon.is_not(None))
        if len(subject_ids) <= _FEW:
            query = query.where(table.c[key].in_(subject_ids))
        return rows.read(self._connection, query)

    def answers(self, query: str) -> pd.DataFrame:
        """Read the places that online providers found for an address in one folded line."""
        same = (geocode_answers.c.query == query, geocode_answers.c.lon.is_not(None))
        answers = select(geocode_answers).where(*same).order_by(geocode_answers.c.provider)
        return rows.read(self._connection, answers)

    def counts(self, kind: str, text: str | None = None) -> dict[str, int]:
        """Count the rows of each placement, and apart from them those marked as no place."""
        table = KINDS[kind].table
        marked = _is_marked(table).label("is_marked")
        query = select(table.c.placement, marked, func.count()).where(*_says(table, text))
        query = query.group_by(table.c.placement, "is_marked")
        counts = dict.fromkeys((*PLACEMENTS, "not_a_place"), 0)
        for placement, is_marked, number in self._connection.execute(query):
            name = "not_a_place" if is_marked else placement or "unplaced"
            counts[name] += number
        return counts

    def page(
        self, kind: str, placements: Iterable[str], text: str | None, offset: int, limit: int
    ) -> pd.DataFrame:
        """Read some of the rows that have one of ``placements``, by key, all their columns."""
        table = KINDS[kind].table
        names = set(placements)
        marked = _is_marked(table)
        choices = [and_(table.c.placement.in_(names & set(PLACEMENTS)), not_(marked))]
        if "unplaced" in names:
            choices.append(table.c.placement.is_(None))
        if "not_a_place" in names:
            choices.append(marked)
        query = select(table).where(or_(*choices), *_says(table, text))
        query = query.order_by(*table.primary_key).offset(offset).limit(limit)
        return rows.read(self._connection, query)


def _is_marked(table: Table) -> ColumnElement[bool]:
    return func.coalesce(table.c.geocode_source, "") == NOT_A_PLACE


def _says(table: Table, text: str | None) -> list[ColumnElement[bool]]:
    """Keep the rows that have the words of ``text`` in their key, name, city or postal code."""
    names = [column.name for column in table.primary_key]
    searched = [table.c[name] for name in (*names, *_SEARCHED)]
    return [
        or_(*(column.icontains(word, autoescape=True) for column in searched))
        for word in (text or "").split()
    ]
