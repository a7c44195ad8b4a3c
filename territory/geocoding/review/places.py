"""The geocode review: rows that need a person, page by page, and what somebody decides about one.

A verb is one transaction and places its row again at once. ``settle`` follows the decisions.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from territory.access import audit_log
from territory.cleaning import clean_addresses, clean_text
from territory.errors import ConflictError, CoordinateError, InputError, NotFoundError
from territory.geocoding import shared_gazetteer
from territory.geocoding.online import answers as online
from territory.geocoding.review import candidate_places
from territory.geocoding.review.ledger import (
    ACCEPTED,
    CORRECTED,
    NO_PLACE,
    PIN,
    Decision,
    ReviewLedger,
    check_kind,
)
from territory.geocoding.review.placement import addressed, bare_source, evidence, place_again
from territory.plans import PlanLedger
from territory.schemas import ADDRESS, GEOCODE, PLACEMENTS
from territory.store import KINDS
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from territory.store import Store, Transaction


WAITING = ("conflict", "ambiguous", "unplaced")  # a person is needed
LISTED = (*PLACEMENTS, "not_a_place")  # what a work list can be asked for


@dataclass(frozen=True)
class WorkList:
    """Rows that wait for a person.

    ``rows`` has the columns of the kind's table, with ``subject_id`` (its key) in front, and what
    was decided: decision, decided_by, decided_at (null: nothing) and is_stale (the address or the
    coordinates of the file have changed since). ``total`` counts the rows that match, of which
    ``rows`` are one page; ``counts`` those of each placement that match the text, and as
    "not_a_place" those that somebody marked so, which are not among the unplaced.
    """

    rows: pd.DataFrame
    total: int
    counts: Mapping[str, int]


def work_list(
    store: Store,
    kind: str = "prospects",
    *,
    placements: Iterable[str] = WAITING,
    text: str | None = None,
    offset: int = 0,
    limit: int = 50,
) -> WorkList:
    """List rows, by id, that need a person, or whose place can be relied on so far.

    Parameters
    ----------
    placements
        Out of ``LISTED``: the placements of the schema, and "not_a_place".
    text
        Words that the id, name, city or postal code of a row must all have.

    Raises
    ------
    InputError
        If the kind has no location, or a placement does not exist.
    """
    check_kind(kind)
    placements = list(dict.fromkeys(placements))
    unknown = [name for name in placements if name not in LISTED]
    if unknown or offset < 0 or limit < 1:
        raise InputError(
            f"placements {placements}, offset {offset}, limit {limit}: name some of "
            f"{', '.join(LISTED)}, an offset from 0 and a limit from 1."
        )
    with store.read() as transaction:
        counts = ReviewLedger(transaction).counts(kind, text)
        total = sum(counts[name] for name in placements)
        rows = ReviewLedger(transaction).page(kind, placements, text, offset, limit if total else 0)
        decisions = ReviewLedger(transaction).decisions(kind)
    return WorkList(_with_decisions(rows, decisions, kind), total, counts)


def listed_row(store: Store, kind: str, subject_id: str) -> pd.DataFrame:
    """Read one row as ``work_list`` lists it, whatever its placement: a frame of one.

    Raises
    ------
    NotFoundError
        If there is no such row.
    """
    with store.read() as transaction:
        row = transaction.table(kind, **{KINDS[kind].key[0]: subject_id})
        decisions = ReviewLedger(transaction).decisions(kind, subject_id)
    if row.empty:
        raise NotFoundError(f"No {subject_id[:80]!r} among the {kind}; it may have been undone.")
    return _with_decisions(row, decisions, kind)


def _with_decisions(rows: pd.DataFrame, decisions: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Add ``subject_id``, what was decided, and whether the row has changed since."""
    rows.insert(0, "subject_id", rows[KINDS[kind].key[0]])
    columns = ["decision", "decided_by", "decided_at", "evidence"]
    made = decisions.set_index("subject_id")[columns].reindex(rows["subject_id"]).astype(object)
    for name, values in made.where(made.notna(), None).items():
        rows[name] = values.to_numpy()
    digest = rows.pop("evidence")
    rows["is_stale"] = (digest.notna() & (evidence(rows) != digest)).astype(bool)
    return rows


@dataclass(frozen=True)
class Geocode:
    """Where a row is now: lon and lat in WGS84 degrees, null where it has no place."""

    lon: float | None
    lat: float | None
    precision: str | None
    uncertainty_m: float | None
    geocode_source: str | None
    geocode_note: str | None
    match_score: float | None
    placement: str

    def as_json(self) -> dict[str, Any]:
        """The geocode for a program to read."""
        return asdict(self)


def candidates(store: Store, kind: str, subject_id: str) -> pd.DataFrame:
    """List the places that a row could be at, the likeliest first.

    The coordinates given, other ways to read them, the ZIP code, the city, cities of that name
    elsewhere, and what online providers answered.

    Returns
    -------
    candidates
        candidate_id (stable as long as the place is), label, lon, lat (WGS84 degrees), precision,
        uncertainty_m, source, why (one sentence).

    Raises
    ------
    NotFoundError
        If there is no such row.
    """
    check_kind(kind)
    with store.read() as transaction:
        return _candidates(transaction, kind, _row(transaction, kind, subject_id))


def pin(
    store: Store, kind: str, subject_id: str, lon: float, lat: float, *, by: str, now: datetime
) -> Geocode:
    """Put a row where somebody says it is: exact, until its address or coordinates change.

    Raises
    ------
    CoordinateError
        If the point is off the globe.
    NotFoundError
        If there is no such row.
    """
    if not (abs(lon) <= 180 and abs(lat) <= 90):
        raise CoordinateError(
            f"lat={lat}, lon={lon} is off the globe. Write degrees, the latitude (-90 to 90) apart "
            "from the longitude (-180 to 180); were they swapped?"
        )
    check_kind(kind)
    with store.write() as transaction:
        policy = PlanLedger(transaction).policy_in_force()
        place = {
            "lon": float(lon),
            "lat": float(lat),
            "precision": "rooftop",
            "uncertainty_m": policy.geocoding.given_uncertainty_m,
        }
        return _decide(transaction, kind, subject_id, PIN, place, by, now)


def accept(
    store: Store,
    kind: str,
    subject_id: str,
    candidate_id: str | None = None,
    *,
    by: str,
    now: datetime,
) -> Geocode:
    """Say that a row is where it stands, or at one of its ``candidates``; conflicts end there.

    Raises
    ------
    ConflictError
        If the row stands nowhere and no candidate is named, or it has no such candidate any more.
    NotFoundError
        If there is no such row.
    """
    check_kind(kind)
    with store.write() as transaction:
        row = _row(transaction, kind, subject_id)
        if candidate_id is None:
            choice = row.rename(columns={"geocode_source": "label"})
            if choice["lon"].isna().iloc[0]:
                raise ConflictError(
                    f"{subject_id!r} has no place to accept. Name one of its candidates, or pin it."
                )
        else:
            choice = _candidates(transaction, kind, row)
            choice = choice[choice["candidate_id"] == candidate_id]
            if choice.empty:
                raise ConflictError(
                    f"{subject_id!r} has no candidate {candidate_id!r}, or not any more. "
                    f"`territory places candidates {kind} {subject_id}` lists them."
                )
        first = choice.iloc[0]
        place = {name: first[name] for name in ("lon", "lat", "precision", "uncertainty_m")}
        place["note"] = bare_source(first["label"])
        return _decide(transaction, kind, subject_id, ACCEPTED, place, by, now)


def correct_address(
    store: Store,
    kind: str,
    subject_id: str,
    address: Mapping[str, str | None],
    *,
    by: str,
    now: datetime,
) -> Geocode:
    """Place a row by another address than its file has; the file's own stays as it is.

    Parameters
    ----------
    address
        Some of street, city, state, postal_code, country; what is left out is as in the file, ""
        and None are blank.

    Raises
    ------
    InputError
        If the address names another column, or is blank altogether.
    NotFoundError
        If there is no such row.
    """
    check_kind(kind)
    unknown = [name for name in address if name not in ADDRESS]
    if unknown:
        raise InputError(f"{', '.join(unknown)}: an address has {', '.join(ADDRESS)}.")
    with store.write() as transaction:
        row = _row(transaction, kind, subject_id)
        texts = row[list(ADDRESS)].copy()
        for name, text in address.items():
            texts[name] = pd.Series([text], index=row.index, dtype=object)
        place = _clean(texts)
        if not any(place[name] for name in ("city", "postal_code")):
            raise InputError("An address needs a ZIP code, or a city with its state or country.")
        return _decide(transaction, kind, subject_id, CORRECTED, place, by, now)


def mark_no_place(store: Store, kind: str, subject_id: str, *, by: str, now: datetime) -> Geocode:
    """Say that a row is no place and shall not be asked about again.

    Raises
    ------
    NotFoundError
        If there is no such row.
    """
    check_kind(kind)
    with store.write() as transaction:
        return _decide(transaction, kind, subject_id, NO_PLACE, {}, by, now)


def forget(
    store: Store,
    kind: str,
    subject_id: str,
    *,
    by: str,
    now: datetime,
) -> Geocode:
    """Take back what was decided about a row and place it as its file says.

    Raises
    ------
    ConflictError
        If nothing was decided about it.
    NotFoundError
        If there is no such row.
    """
    check_kind(kind)
    with store.write() as transaction:
        row = _row(transaction, kind, subject_id)
        if not ReviewLedger(transaction).forget(kind, subject_id):
            raise ConflictError(f"Nothing was decided about {subject_id!r}, so nothing is undone.")
        return _write(transaction, kind, row, "forget", by, now)


def _decide(
    transaction: Transaction,
    kind: str,
    subject_id: str,
    decision: str,
    place: Mapping[str, Any],
    by: str,
    now: datetime,
) -> Geocode:
    if not by.strip():
        raise InputError("Say who decides: a place that nobody answers for cannot be trusted.")
    row = _row(transaction, kind, subject_id)
    ReviewLedger(transaction).decide(
        Decision(
            kind,
            subject_id,
            decision,
            evidence(row).iloc[0],
            utc_text(now),
            by.strip(),
            **place,
        )
    )
    return _write(transaction, kind, row, decision, by.strip(), now)


def _write(
    transaction: Transaction, kind: str, row: pd.DataFrame, decision: str, by: str, now: datetime
) -> Geocode:
    """Place a row again and put on record what was decided, with its place before and after."""
    placed = place_again(transaction, kind, row, PlanLedger(transaction).policy_in_force())
    columns = [KINDS[kind].key[0], *GEOCODE.columns]
    transaction.save(kind, placed.iloc[:0], placed[columns])
    placed = placed[list(GEOCODE.columns)].astype(object)
    new = placed.where(placed.notna(), None).iloc[0]
    after = {str(name): value for name, value in new.items()}
    old = row[list(GEOCODE.columns)].astype(object)
    audit_log.record(
        transaction,
        by=by,
        at=now,
        action=f"place.{decision}",
        subject_kind=kind.removesuffix("s"),
        subject_id=str(row[KINDS[kind].key[0]].iloc[0]),
        before=old.where(old.notna(), None).iloc[0].to_dict(),
        after=after,
    )
    return Geocode(**after)


def _row(transaction: Transaction, kind: str, subject_id: str) -> pd.DataFrame:
    """The row of the store, as a frame of one."""
    row = transaction.table(kind, **{KINDS[kind].key[0]: subject_id})
    if row.empty:
        raise NotFoundError(
            f"No {subject_id!r} among the {kind}. `territory export {kind} FILE` lists them."
        )
    return row


def _clean(address: pd.DataFrame) -> dict[str, str | None]:
    """One address in form, as an import would read it."""
    texts, _ = clean_addresses(pd.DataFrame({name: clean_text(address[name]) for name in ADDRESS}))
    first = texts.iloc[0]
    return {name: None if pd.isna(first[name]) else str(first[name]) for name in ADDRESS}


def _candidates(transaction: Transaction, kind: str, row: pd.DataFrame) -> pd.DataFrame:
    policy = PlanLedger(transaction).policy_in_force().geocoding
    rows = addressed(transaction, kind, row)
    answers = ReviewLedger(transaction).answers(
        online.queries(rows, online.settings(policy)).iloc[0]
    )
    return candidate_places.candidates(rows.iloc[0], shared_gazetteer(policy), policy, answers)
