"""What online geocoders answered, so that nobody is asked twice."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import delete, select

from territory.store import geocode_answers, rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Select

    from territory.store import Transaction


@dataclass(frozen=True)
class ProviderAnswer:
    """What a provider made of an address: the columns of the table of answers.

    ``answer`` is "found", "none" (the provider knows no such address), "several" (places far apart
    that fit alike) or one of ``FAILURES``. lon and lat are WGS84 degrees; ``match_score`` is the
    provider's own, 0 to 1, None where it gives none; ``address`` is how the provider writes it.
    """

    provider: str
    query: str
    answer: str
    lon: float | None = None
    lat: float | None = None
    precision: str | None = None
    uncertainty_m: float | None = None
    match_score: float | None = None
    address: str | None = None


_COLUMNS = tuple(field.name for field in dataclasses.fields(ProviderAnswer))
_CHUNK = 5_000  # questions that one statement names: SQLite takes 32,766 values


class AnswerLedger:
    """The answers of providers, one for each provider and question."""

    def __init__(self, transaction: Transaction) -> None:
        self._connection = transaction.connection

    def all(self, providers: Iterable[str]) -> pd.DataFrame:
        """Read all answers of some providers, by provider and query: ``ProviderAnswer``."""
        table = geocode_answers
        query = _answers().where(table.c.provider.in_(list(providers)))
        return rows.read(self._connection, query.order_by(table.c.provider, table.c.query))

    def about(self, providers: Iterable[str], queries: Iterable[str]) -> pd.DataFrame:
        """Read what some providers answered to some questions; columns and order as of ``all``."""
        table, distinct = geocode_answers, sorted(set(queries))
        query = _answers().where(table.c.provider.in_(list(providers)))
        query = query.order_by(table.c.provider, table.c.query)
        parts = [
            rows.read(self._connection, query.where(table.c.query.in_(distinct[at : at + _CHUNK])))
            for at in range(0, max(len(distinct), 1), _CHUNK)
        ]
        return pd.concat(parts, ignore_index=True)

    def save(self, answers: Iterable[ProviderAnswer], at: str) -> None:
        """Keep answers that were given at a time (UTC ISO text), in place of earlier ones."""
        latest = {(one.provider, one.query): one for one in answers}
        for provider, query in latest:
            self._connection.execute(
                delete(geocode_answers).where(
                    geocode_answers.c.provider == provider, geocode_answers.c.query == query
                )
            )
        frame = pd.DataFrame([dataclasses.asdict(one) for one in latest.values()])
        rows.write(self._connection, geocode_answers, frame.assign(asked_at=at))

    def forget(self, provider: str, before: str) -> int:
        """Drop what a provider answered before a time (UTC ISO text) and tell how much it was."""
        return self._connection.execute(
            delete(geocode_answers).where(
                geocode_answers.c.provider == provider, geocode_answers.c.asked_at < before
            )
        ).rowcount


def _answers() -> Select[Any]:
    return select(*(geocode_answers.c[name] for name in _COLUMNS))
