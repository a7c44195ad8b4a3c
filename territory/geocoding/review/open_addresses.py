"""Open addresses: those of rows that an online geocoder could place better, with what is cached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory.cleaning import US_TERRITORIES
from territory.geocoding.online import FAILURES, AnswerLedger, ProviderAnswer
from territory.geocoding.online import answers as online
from territory.geocoding.review import placement
from territory.geocoding.review.ledger import CORRECTED, ReviewLedger
from territory.schemas import ADDRESS
from territory.store import KINDS

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from territory.geocoding.online import AddressQuery
    from territory.policy import OnlinePolicy
    from territory.store import Transaction


@dataclass(frozen=True)
class OpenAddress:
    """An address, the ids of the rows that have it, and the cached answer of each provider."""

    question: AddressQuery
    ids: list[str]
    answers: dict[str, ProviderAnswer]

    def is_open(self, rules: OnlinePolicy) -> bool:
        """Whether a provider is still to be asked."""
        for provider in rules.providers:
            answer = self.answers.get(provider.name)
            if answer is None or answer.answer in FAILURES:
                return True
            if online.settles(answer, rules):
                return False
        return False


def open_addresses(
    transaction: Transaction, kind: str, rules: OnlinePolicy, country_names: Mapping[str, str]
) -> tuple[int, list[OpenAddress]]:
    """Count the rows that could gain, and list the addresses about which somebody is to be asked.

    Those never asked about come first, then those of the most need, then those of most rows.
    """
    rows = _gaining(transaction, kind, rules)
    queries = online.queries(rows, rules)
    cached = AnswerLedger(transaction).all([provider.name for provider in rules.providers])
    by_query: dict[str, dict[str, ProviderAnswer]] = {}
    for record in cached[cached["query"].isin(queries)].to_dict("records"):
        answer = _answer(record)
        by_query.setdefault(answer.query, {})[answer.provider] = answer
    addresses = [
        OpenAddress(question, ids, by_query.get(question.query, {}))
        for question, ids in _questions(rows, queries, KINDS[kind].key[0], rules, country_names)
    ]
    is_open = [address for address in addresses if address.is_open(rules)]
    return len(rows), sorted(is_open, key=lambda address: bool(address.answers))


def _gaining(transaction: Transaction, kind: str, rules: OnlinePolicy) -> pd.DataFrame:
    """Read the rows that could be placed better, those of the most need first.

    With the addresses that people corrected, and without those whose place people decided.
    """
    key = KINDS[kind].key[0]
    columns = [key, *ADDRESS, "given_lon", "given_lat", "precision", "placement"]
    parts = [transaction.table(kind, columns, placement=one) for one in rules.ask]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    decisions = ReviewLedger(transaction).decisions(kind)
    decisions = decisions[decisions["decision"] != CORRECTED]
    decided = rows[rows[key].isin(decisions["subject_id"])]
    digests = decided[key].map(decisions.set_index("subject_id")["evidence"])
    stands = (placement.evidence(decided) == digests).to_numpy(bool)
    rows = placement.addressed(transaction, kind, rows.drop(index=decided.index[stands]))
    return rows[online.could_gain(rows)]


def _questions(
    rows: pd.DataFrame,
    queries: pd.Series,
    key: str,
    rules: OnlinePolicy,
    country_names: Mapping[str, str],
) -> list[tuple[AddressQuery, list[str]]]:
    """Give each address once, with the ids of its rows: by need, then most rows first."""
    from territory.geocoding.online import AddressQuery  # geopy is slow to import

    group, first = pd.factorize(queries)
    heads = rows.iloc[np.unique(group, return_index=True)[1]]
    lines = online.lines(heads, country_names, rules)
    streets = online.has_street(heads)
    is_territory = heads["state"].isin(US_TERRITORIES)  # some providers call them countries
    country = heads["country"].where(heads["country"].notna(), rules.default_country)
    ids = rows[key].groupby(group).agg(list)
    questions = [
        (AddressQuery(query, line, None if is_abroad else land, has_street), ids[number])
        for number, (query, line, land, is_abroad, has_street) in enumerate(
            zip(first, lines, country, is_territory, streets, strict=True)
        )
    ]
    need = heads["placement"].map(rules.ask.index).tolist()
    order = sorted(range(len(questions)), key=lambda at: (need[at], -len(questions[at][1]), at))
    return [questions[at] for at in order]


def _answer(record: Mapping[Hashable, Any]) -> ProviderAnswer:
    """An answer as it was kept: what is missing is None."""
    values: dict[str, Any] = {
        str(name): None if pd.isna(value) else value for name, value in record.items()
    }
    return ProviderAnswer(**values)
