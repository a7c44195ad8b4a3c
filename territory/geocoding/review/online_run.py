"""The run of online geocoders over the rows that they could place better, and its report.

Answers are kept, and the rows they are about placed again, a few addresses at a time, each batch in
one transaction. So a run that ends, however it ends, has lost at most one batch; the next one asks
only about what is still open.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from territory import reference
from territory.access import audit_log
from territory.errors import InputError
from territory.geocoding.online import (
    FAILURES,
    FOUND,
    NONE,
    SEVERAL,
    AnswerLedger,
    ProviderAnswer,
)
from territory.geocoding.online import answers as online
from territory.geocoding.review import placement
from territory.geocoding.review.ledger import check_kind
from territory.geocoding.review.open_addresses import OpenAddress, open_addresses
from territory.plans import PlanLedger
from territory.policy import Policy
from territory.schemas import GEOCODE
from territory.store import KINDS
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from territory.geocoding.online import Provider
    from territory.store import Store

    Progress = Callable[[str], None]

ANSWERS = ("found", "none", "several", "unanswered")
_BATCH = 10  # addresses that are asked about between two commits


@dataclass(frozen=True)
class GeocodeReport:
    """What a run did.

    Of ``rows`` of the kind ``waiting`` could be placed better; they have ``addresses`` different
    addresses about which a provider is still to be asked. ``asked`` of those were asked about, with
    ``requests`` of at most ``budget``; ``answers`` counts how they ended: found, none, several and
    unanswered. ``bettered`` rows have a better place now, ``conflicts`` were contradicted,
    ``pending`` wait for a provider that failed; ``left`` addresses are to be asked about again or
    still. ``errors`` has a sentence for each provider that failed.
    """

    kind: str
    by: str
    providers: tuple[str, ...]
    rows: int
    waiting: int
    addresses: int
    budget: int
    asked: int = 0
    requests: int = 0
    answers: Mapping[str, int] = field(default_factory=dict)
    bettered: int = 0
    conflicts: int = 0
    pending: int = 0
    left: int = 0
    errors: tuple[str, ...] = ()
    is_dry_run: bool = False

    @property
    def sentence(self) -> str:
        """The report in a line or two."""
        text = (
            f"{self.kind}: {self.waiting:,} of {self.rows:,} rows could be placed better, "
            f"{self.addresses:,} addresses are to be asked about"
        )
        if self.is_dry_run:
            most = min(self.addresses, self.budget)
            names = ", then ".join(self.providers)
            return f"{text}; a run would ask {names} about {most:,} of them. Nobody was asked."
        ended = ", ".join(f"{number:,} {name}" for name, number in self.answers.items())
        text = (
            f"{text}. Asked about {self.asked:,} of {self.addresses:,} with {self.requests:,} of "
            f"at most {self.budget:,} requests: {ended}. {self.bettered:,} rows placed better, "
            f"{self.conflicts:,} contradicted, {self.pending:,} pending."
        )
        left = f" Left: {self.left:,} of {self.addresses:,} addresses; run it again."
        again = left if self.left else ""
        return " ".join([text + again, *self.errors])

    def as_json(self) -> dict[str, Any]:
        """The report for a program to read."""
        return {
            "kind": self.kind,
            "by": self.by,
            "providers": list(self.providers),
            "rows": self.rows,
            "waiting": self.waiting,
            "addresses": self.addresses,
            "asked": self.asked,
            "requests": self.requests,
            "budget": self.budget,
            **{name: self.answers.get(name, 0) for name in ANSWERS},
            "bettered": self.bettered,
            "conflicts": self.conflicts,
            "pending": self.pending,
            "left": self.left,
            "errors": list(self.errors),
            "dry_run": self.is_dry_run,
        }


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
    check_kind(kind)
    with store.read() as transaction:
        plan = PlanLedger(transaction).plan_in_force()
    policy = policy or (plan.policy if plan else Policy())
    rules = policy.geocoding.online
    if not rules.providers:
        raise InputError(
            "No online geocoder is named. Name one with --provider, or in the policy under "
            "[[geocoding.online.providers]]; docs/geocoding.md says which there are."
        )
    limit = rules.budget if budget is None else budget
    if limit < 0:
        raise InputError(f"A budget of {limit} requests: give 0 or more.")
    run = _Run(store, kind, policy, by, now.astimezone(UTC), limit, progress)
    return run.preview() if dry_run else run.run()


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
        self._counts_by_provider: dict[str, Counter[str]] = {
            name: Counter() for name in self._names
        }
        self._counts = dict.fromkeys(ANSWERS, 0)
        self._asked = self._closed = 0
        self._bettered = self._conflicts = self._pending = 0
        self._rows = self._waiting = 0

    def _set_up(self, countries: Mapping[str, str]) -> list[Provider]:
        from territory.geocoding.online import Provider  # geopy is slow to import

        return [Provider(one, self._rules, countries) for one in self._rules.providers]

    def preview(self) -> GeocodeReport:
        """Report what a run would do."""
        return self._report(len(self._open()), is_dry_run=True)

    def run(self) -> GeocodeReport:
        """Ask, and keep every batch of answers."""
        self._prepare()
        addresses = self._open()
        reached = addresses[: self._budget]
        with ExitStack() as stack:
            for asker in self._askers:
                stack.enter_context(asker)
            for start in range(0, len(reached), _BATCH):
                if self._left() <= 0:
                    break
                if self._tell:
                    names = ", ".join(self._names)
                    self._tell(f"Asking {names}: {start:,} of {len(reached):,} addresses")
                self._ask(reached[start : start + _BATCH])
        return self._report(len(addresses))

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

    def _open(self) -> list[OpenAddress]:
        """Find the addresses to ask about, and count the rows that could gain."""
        with self._store.read() as transaction:
            self._rows = transaction.size(self._kind)
            self._waiting, addresses = open_addresses(
                transaction, self._kind, self._rules, self._country_names
            )
        return addresses

    def _ask(self, addresses: Sequence[OpenAddress]) -> None:
        """Ask about a batch of addresses and keep what was answered, even if that is cut short."""
        answers: list[ProviderAnswer] = []
        ids: list[str] = []
        try:
            for address in addresses:
                new = self._answers(address)
                answers += new
                if new:
                    ids += address.ids
        finally:
            if answers:
                self._keep(answers, ids)

    def _answers(self, address: OpenAddress) -> list[ProviderAnswer]:
        """Ask one provider after the other until one knows the street or the budget is used up."""
        new: list[ProviderAnswer] = []
        answers = dict(address.answers)
        was_asked = False
        for asker in self._askers:
            answer = answers.get(asker.name)
            if answer is None or answer.answer in FAILURES:
                allowed = self._left()
                if allowed <= 0 and not asker.given_up:
                    break
                before = asker.sent
                answer = asker.ask(address.question, allowed)
                was_asked |= asker.sent > before
                new.append(answer)
                answers[asker.name] = answer
                self._counts_by_provider[asker.name][answer.answer] += 1
            if online.settles(answer, self._rules):
                break
        later = OpenAddress(address.question, address.ids, answers)
        self._closed += not later.is_open(self._rules)
        if was_asked:
            self._asked += 1
            self._counts[_outcome(list(answers.values()))] += 1
        return new

    def _keep(self, answers: Sequence[ProviderAnswer], ids: Sequence[str]) -> None:
        """Write answers, and place the rows they are about again, in one transaction."""
        with self._store.write() as transaction:
            AnswerLedger(transaction).save(answers, utc_text(self._now))
            rows = transaction.rows(self._kind, pd.DataFrame({self._key: ids}))
            placed = placement.place_again(transaction, self._kind, rows, self._policy)
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
        sentences = []
        for asker in self._askers:
            count = self._counts_by_provider[asker.name]
            if codes := [code for code in FAILURES if count[code]]:
                number = sum(count[code] for code in codes)
                why = ", ".join(FAILURES[code] for code in codes)
                given_up = "; it was not asked any more in this run" if asker.given_up else ""
                sentences.append(
                    f"{asker.name} left {number:,} of {count.total():,} addresses unanswered "
                    f"({why}){given_up}."
                )
        return sentences


def _outcome(answers: list[ProviderAnswer]) -> str:
    """Sum up what providers answered about one address."""
    kinds = [one.answer for one in answers]
    if FOUND in kinds:
        return FOUND
    if any(kind in FAILURES for kind in kinds):
        return "unanswered"
    return SEVERAL if SEVERAL in kinds else NONE


def _differs(before: pd.DataFrame, after: pd.DataFrame, columns: list[str]) -> pd.Series:
    """Tell which rows differ in some columns; missing equals missing."""
    one, other = before[columns], after[columns]
    differs: pd.Series = ((one != other) & ~(one.isna() & other.isna())).any(axis=1)
    return differs
