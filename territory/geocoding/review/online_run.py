"""The verb that asks online geocoders about the rows that they could place better.

Answers are kept, and the rows they are about placed again, a few addresses at a time, each batch in
one transaction. So a run that ends, however it ends, has lost at most one batch; the next one asks
only about what is still open.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from territory import reference
from territory.access import audit_log
from territory.cleaning import US_TERRITORIES
from territory.errors import InputError
from territory.geocoding.online import FAILURES, FOUND, NONE, SEVERAL, Answer, AnswerLedger
from territory.geocoding.online import answers as online
from territory.geocoding.review import places, worklist
from territory.geocoding.review.decisions import CORRECTED, evidence
from territory.geocoding.review.ledger import PlaceLedger
from territory.geocoding.review.online_report import ANSWERS, GeocodeReport
from territory.plans import PlanLedger
from territory.policy import Policy
from territory.schemas import ADDRESS, GEOCODE
from territory.store import KINDS
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from territory.geocoding.online import Asker, Question
    from territory.policy import OnlinePolicy
    from territory.store import Store, Transaction

    Progress = Callable[[str], None]

_BATCH = 10  # addresses that are asked about between two commits


def geocode(
    store: Store,
    *,
    by: str,
    now: datetime,
    kind: str = "prospects",
    policy: Policy | None = None,
    budget: int | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> GeocodeReport:
    """Ask the online geocoders of the policy about the rows that they could place better.

    Each address is asked about once, of one provider after the other until one knows the street.
    What a provider does not answer stays pending: nothing is concluded from it, and the next run
    asks again. Whoever was asked once is remembered, so that later imports follow its answers.

    Parameters
    ----------
    policy
        By default the policy of the plan in force.
    budget
        The most requests of this run, retries included; by default that of the policy.

    Raises
    ------
    InputError
        If the kind has no location, or no provider is named.
    PolicyError
        If a provider cannot be set up; nobody was asked then.
    """
    if kind not in worklist.PLACED_KINDS:
        named = ", ".join(worklist.PLACED_KINDS)
        raise InputError(f"{kind!r} have no places. The kinds that do: {named}.")
    with store.read() as transaction:
        plan = PlanLedger(transaction).plan_in_force()
    chosen = policy or (plan.policy if plan else Policy())
    rules = chosen.geocoding.online
    if not rules.providers:
        raise InputError(
            "No online geocoder is named. Name one with --provider, or in the policy under "
            "[[geocoding.online.providers]]; docs/geocoding.md says which there are."
        )
    limit = rules.budget if budget is None else budget
    if limit < 0:
        raise InputError(f"A budget of {limit} requests: give 0 or more.")
    run = _Run(store, kind, chosen, by, now.astimezone(UTC), limit, progress)
    return run.told() if dry_run else run.done()


@dataclass(frozen=True)
class _Address:
    """An address, the rows that have it, and what is known of it: provider to answer."""

    question: Question
    ids: list[str]
    known: dict[str, Answer]

    def is_open(self, rules: OnlinePolicy) -> bool:
        """Whether a provider is still to be asked."""
        for provider in rules.providers:
            held = self.known.get(provider.name)
            if held is None or held.answer in FAILURES:
                return True
            if online.settles(held, rules):
                return False
        return False


class _Run:
    """One run: what is open at its start, and what became of it."""

    def __init__(
        self,
        store: Store,
        kind: str,
        policy: Policy,
        by: str,
        now: datetime,
        budget: int,
        progress: Progress | None,
    ) -> None:
        self._store, self._kind, self._policy, self._by = store, kind, policy, by
        self._now, self._budget, self._tell = now, budget, progress
        self._rules = policy.geocoding.online
        self._names = tuple(provider.name for provider in self._rules.providers)
        self._key = KINDS[kind].key[0]
        countries = reference.load().countries
        codes = countries["country_code"]
        self._askers = self._set_up(dict(zip(codes, countries["country_code3"], strict=True)))
        self._country_names = dict(zip(codes, countries["name"], strict=True))
        self._given: dict[str, Counter[str]] = {name: Counter() for name in self._names}
        self._counts = dict.fromkeys(ANSWERS, 0)
        self._asked = self._closed = 0
        self._bettered = self._conflicts = self._pending = 0
        self._rows = self._waiting = 0

    def _set_up(self, countries: Mapping[str, str]) -> list[Asker]:
        from territory.geocoding.online import Asker  # geopy is slow to import

        return [Asker(one, self._rules, countries) for one in self._rules.providers]

    def told(self) -> GeocodeReport:
        """Report what a run would do."""
        return self._report(len(self._open()), is_dry_run=True)

    def done(self) -> GeocodeReport:
        """Ask, and keep every batch of answers."""
        self._prepare()
        found = self._open()
        reached = found[: self._budget]
        with ExitStack() as stack:
            for asker in self._askers:
                stack.enter_context(asker)
            for start in range(0, len(reached), _BATCH):
                if self._left() <= 0:
                    break
                if self._tell:
                    named = ", ".join(self._names)
                    self._tell(f"Asking {named}: {start:,} of {len(reached):,} addresses")
                self._ask(reached[start : start + _BATCH])
        return self._report(len(found))

    def _left(self) -> int:
        return self._budget - sum(asker.sent for asker in self._askers)

    def _prepare(self) -> None:
        """Drop answers that are too old, and remember who is asked."""
        with self._store.write() as transaction:
            for provider in self._rules.providers:
                if provider.keep_days:
                    before = self._now - timedelta(days=provider.keep_days)
                    AnswerLedger(transaction).forget(provider.name, utc_text(before))
            ever = " ".join(online.provider_order(transaction, self._rules))
            if ever != transaction.setting(online.REMEMBERED):
                transaction.set_setting(online.REMEMBERED, ever)

    def _open(self) -> list[_Address]:
        """Find the addresses to ask about: never asked first, then by need, then by rows."""
        with self._store.read() as transaction:
            self._rows = transaction.size(self._kind)
            rows = self._gaining(transaction)
            self._waiting = len(rows)
            queries = online.queries(rows, self._rules)
            known = AnswerLedger(transaction).all(self._names)
        held: dict[str, dict[str, Answer]] = {}
        for record in known[known["query"].isin(queries)].to_dict("records"):
            answer = _answer(record)
            held.setdefault(answer.query, {})[answer.provider] = answer
        addresses = [
            _Address(question, ids, held.get(question.query, {}))
            for question, ids in self._questions(rows, queries)
        ]
        is_open = [one for one in addresses if one.is_open(self._rules)]
        return sorted(is_open, key=lambda one: bool(one.known))

    def _gaining(self, transaction: Transaction) -> pd.DataFrame:
        """Read the rows that could be placed better, those of the most need first.

        With the addresses that people corrected, and without those whose place people decided.
        """
        columns = [self._key, *ADDRESS, "given_lon", "given_lat", "precision", "placement"]
        parts = [
            transaction.table(self._kind, columns, placement=placement)
            for placement in self._rules.ask
        ]
        rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
        decisions = PlaceLedger(transaction).decisions(self._kind)
        decisions = decisions[decisions["decision"] != CORRECTED]
        decided = rows[rows[self._key].isin(decisions["subject_id"])]
        said = decided[self._key].map(decisions.set_index("subject_id")["evidence"])
        rows = rows.drop(index=decided.index[(evidence(decided) == said).to_numpy(bool)])
        rows = places.addressed(transaction, self._kind, rows)
        return rows[online.could_gain(rows)]

    def _questions(
        self, rows: pd.DataFrame, queries: pd.Series
    ) -> list[tuple[Question, list[str]]]:
        """Give each address once, with the ids of its rows: by need, then most rows first."""
        from territory.geocoding.online import Question

        group, first = pd.factorize(queries)
        at = np.unique(group, return_index=True)[1]
        heads = rows.iloc[at]
        lines = online.lines(heads, self._country_names, self._rules)
        streets = online.has_street(heads)
        is_territory = heads["state"].isin(US_TERRITORIES)  # some providers call them countries
        country = heads["country"].where(heads["country"].notna(), self._rules.default_country)
        ids = rows[self._key].groupby(group).agg(list)
        asked = [
            (Question(query, line, None if is_abroad else land, has_street), ids[number])
            for number, (query, line, land, is_abroad, has_street) in enumerate(
                zip(first, lines, country, is_territory, streets, strict=True)
            )
        ]
        need = heads["placement"].map(self._rules.ask.index).tolist()
        order = sorted(range(len(asked)), key=lambda one: (need[one], -len(asked[one][1]), one))
        return [asked[one] for one in order]

    def _ask(self, addresses: Sequence[_Address]) -> None:
        """Ask about a batch of addresses and keep what was answered, even if that is cut short."""
        answers: list[Answer] = []
        touched: list[str] = []
        try:
            for address in addresses:
                given = self._answers(address)
                answers += given
                if given:
                    touched += address.ids
        finally:
            if answers:
                self._keep(answers, touched)

    def _answers(self, address: _Address) -> list[Answer]:
        """Ask one provider after the other until one knows the street or the budget is used up."""
        given: list[Answer] = []
        known = dict(address.known)
        was_asked = False
        for asker in self._askers:
            held = known.get(asker.name)
            if held is None or held.answer in FAILURES:
                allowed = self._left()
                if allowed <= 0 and not asker.given_up:
                    break
                before = asker.sent
                held = asker.ask(address.question, allowed)
                was_asked |= asker.sent > before
                given.append(held)
                known[asker.name] = held
                self._given[asker.name][held.answer] += 1
            if online.settles(held, self._rules):
                break
        later = _Address(address.question, address.ids, known)
        self._closed += not later.is_open(self._rules)
        if was_asked:
            self._asked += 1
            self._counts[_outcome(list(known.values()))] += 1
        return given

    def _keep(self, answers: Sequence[Answer], ids: Sequence[str]) -> None:
        """Write answers, and place the rows they are about again, in one transaction."""
        with self._store.write() as transaction:
            AnswerLedger(transaction).save(answers, utc_text(self._now))
            rows = transaction.rows(self._kind, pd.DataFrame({self._key: ids}))
            placed = places.place_again(transaction, self._kind, rows, self._policy)
            differs = _differs(rows, placed, list(GEOCODE.columns))
            transaction.save(self._kind, placed.iloc[:0], placed[differs])
            audit_log.record(
                transaction,
                by=self._by,
                at=self._now,
                action="geocode.answers",
                subject_kind=self._kind,
                subject_id=", ".join(self._names),
                detail={"answers": len(answers), "rows": int(differs.sum())},
            )
        moved = _differs(rows, placed, ["lon", "lat", "precision"])
        became = placed["placement"] != rows["placement"]
        self._bettered += int(moved.sum())
        self._conflicts += int((became & (placed["placement"] == "conflict")).sum())
        is_pending = placed["geocode_note"].fillna("").str.contains("pending: ", regex=False)
        self._pending += int(is_pending.sum())

    def _report(self, addresses: int, *, is_dry_run: bool = False) -> GeocodeReport:
        return GeocodeReport(
            kind=self._kind,
            by=self._by,
            providers=self._names,
            rows=self._rows,
            waiting=self._waiting,
            addresses=addresses,
            budget=self._budget,
            asked=self._asked,
            requests=sum(asker.sent for asker in self._askers),
            answers=dict(self._counts),
            bettered=self._bettered,
            conflicts=self._conflicts,
            pending=self._pending,
            left=addresses - self._closed,
            errors=tuple(self._errors()),
            is_dry_run=is_dry_run,
        )

    def _errors(self) -> list[str]:
        """Say of each provider that failed how often, why, and whether it was given up."""
        told = []
        for asker in self._askers:
            given = self._given[asker.name]
            if failed := [code for code in FAILURES if given[code]]:
                number = sum(given[code] for code in failed)
                why = ", ".join(FAILURES[code] for code in failed)
                given_up = "; it was not asked any more in this run" if asker.given_up else ""
                told.append(
                    f"{asker.name} left {number:,} of {given.total():,} addresses unanswered "
                    f"({why}){given_up}."
                )
        return told


def _answer(record: Mapping[Hashable, Any]) -> Answer:
    """An answer as it was kept: what is missing is None."""
    values: dict[str, Any] = {
        str(name): None if pd.isna(held) else held for name, held in record.items()
    }
    return Answer(**values)


def _outcome(answers: list[Answer]) -> str:
    """Sum up what providers answered about one address."""
    said = [one.answer for one in answers]
    if FOUND in said:
        return FOUND
    if any(one in FAILURES for one in said):
        return "unanswered"
    return SEVERAL if SEVERAL in said else NONE


def _differs(before: pd.DataFrame, after: pd.DataFrame, columns: list[str]) -> pd.Series:
    """Tell which rows differ in some columns; missing equals missing."""
    one, other = before[columns], after[columns]
    differs: pd.Series = ((one != other) & ~(one.isna() & other.isna())).any(axis=1)
    return differs
