"""Places that need a person: which rows, what they could be, and what somebody decided.

``settle`` follows the decisions wherever rows are placed: in an import, after a decision, when the
tables of places are renewed. A verb is one transaction and places its row again at once.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from territory.access import audit_log
from territory.cleaning import clean_address, clean_text
from territory.errors import ConflictError, CoordinateError, InputError, NotFoundError
from territory.geocoding import geocode, shared_gazetteer
from territory.geocoding.online import answers as online
from territory.geocoding.review import (
    candidate_places,
    stale_coordinates,
)
from territory.geocoding.review import (
    decisions as placing_decisions,
)
from territory.geocoding.review.decisions import Decision, evidence
from territory.geocoding.review.ledger import PlaceLedger
from territory.geocoding.review.worklist import (
    PLACED_KINDS,
    check_kind,
)
from territory.plans import PlanLedger
from territory.schemas import ADDRESS, GEOCODE
from territory.store import KINDS
from territory.timestamps import utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from territory.policy import Policy
    from territory.store import Store, Transaction


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


def settle(transaction: Transaction, kind: str, rows: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Finish placing rows by what the store knows: decisions, cached answers, former addresses.

    A person's decision comes first, as long as the address and the coordinates of the file are
    those it was made on. Coordinates that stayed while their address changed are not trusted. What
    is left to its address takes a cached online answer where the policy names providers. Every row
    comes back once, in order; nothing is written.

    Parameters
    ----------
    kind
        One of ``store.KINDS``; rows of a kind without a location come back as they are.
    rows
        As they would be written: the key, the address, given_lat, given_lon, and GEOCODE as
        ``geocoding.place`` makes it.
    """
    if kind not in PLACED_KINDS or rows.empty:
        return rows
    key = KINDS[kind].key[0]

    def by_address(addresses: pd.DataFrame) -> pd.DataFrame:
        return _by_address(transaction, addresses, policy)

    is_given = rows["given_lon"].notna().to_numpy(bool)
    rows = online.apply(rows, online.recall(transaction, rows, policy), policy)
    if is_given.any():
        before = PlaceLedger(transaction).given(kind, rows.loc[is_given, key].tolist())
        at = stale_coordinates.outdated(rows, key, before)
        del before  # as large as the rows themselves
        if len(at):
            asked = rows.iloc[at].set_axis(at)
            rows = geocode.overlay(rows, stale_coordinates.place_again(asked, by_address))
    decisions = PlaceLedger(transaction).decisions(kind)
    return placing_decisions.apply(rows, key, decisions, by_address)


def place_again(
    transaction: Transaction, kind: str, rows: pd.DataFrame, policy: Policy
) -> pd.DataFrame:
    """Place rows of the store anew, from what their file gave and all that was decided since.

    ``rows`` has the columns of the kind's table; nothing is written.
    """
    given = rows[list(ADDRESS)].assign(lon=rows["given_lon"], lat=rows["given_lat"])
    fresh = geocode.place(given, shared_gazetteer(policy.geocoding), policy)
    columns = {name: fresh[name].to_numpy() for name in GEOCODE.columns}
    return settle(transaction, kind, rows.assign(**columns), policy)


def addressed(transaction: Transaction, kind: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Give rows the addresses that people corrected, as an online provider should be asked."""
    key = KINDS[kind].key[0]
    return placing_decisions.corrected(rows, key, PlaceLedger(transaction).decisions(kind))


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
        return _decide(transaction, kind, subject_id, placing_decisions.PIN, place, by, now)


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
            chosen = row.rename(columns={"geocode_source": "label"})
            if chosen["lon"].isna().iloc[0]:
                raise ConflictError(
                    f"{subject_id!r} has no place to accept. Name one of its candidates, or pin it."
                )
        else:
            chosen = _candidates(transaction, kind, row)
            chosen = chosen[chosen["candidate_id"] == candidate_id]
            if chosen.empty:
                raise ConflictError(
                    f"{subject_id!r} has no candidate {candidate_id!r}, or not any more. "
                    f"`territory places candidates {kind} {subject_id}` lists them."
                )
        first = chosen.iloc[0]
        place = {name: first[name] for name in ("lon", "lat", "precision", "uncertainty_m")}
        place["note"] = placing_decisions.bare_source(first["label"])
        return _decide(transaction, kind, subject_id, placing_decisions.ACCEPTED, place, by, now)


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
        written = row[list(ADDRESS)].copy()
        for name, text in address.items():
            written[name] = pd.Series([text], index=row.index, dtype=object)
        place = _clean(written)
        if not any(place[name] for name in ("city", "postal_code")):
            raise InputError("An address needs a ZIP code, or a city with its state or country.")
        return _decide(transaction, kind, subject_id, placing_decisions.CORRECTED, place, by, now)


def mark_no_place(store: Store, kind: str, subject_id: str, *, by: str, now: datetime) -> Geocode:
    """Say that a row is no place and shall not be asked about again.

    Raises
    ------
    NotFoundError
        If there is no such row.
    """
    check_kind(kind)
    with store.write() as transaction:
        return _decide(transaction, kind, subject_id, placing_decisions.NO_PLACE, {}, by, now)


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
        if not PlaceLedger(transaction).forget(kind, subject_id):
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
    PlaceLedger(transaction).decide(
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
    told = placed.where(placed.notna(), None).iloc[0]
    after = {str(name): value for name, value in told.items()}
    held = row[list(GEOCODE.columns)].astype(object)
    audit_log.record(
        transaction,
        by=by,
        at=now,
        action=f"place.{decision}",
        subject_kind=kind.removesuffix("s"),
        subject_id=str(row[KINDS[kind].key[0]].iloc[0]),
        before=held.where(held.notna(), None).iloc[0].to_dict(),
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


def _clean(written: pd.DataFrame) -> dict[str, str | None]:
    """One address in form, as an import would read it."""
    texts = {name: clean_text(written[name]) for name in ADDRESS}
    texts["country"], texts["state"], texts["postal_code"] = clean_address(
        texts["country"], texts["state"], texts["postal_code"]
    )
    first = {name: column.iloc[0] for name, column in texts.items()}
    return {name: None if pd.isna(text) else str(text) for name, text in first.items()}


def _by_address(transaction: Transaction, addresses: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """GEOCODE of addresses alone: the cached online answer, else the gazetteer's."""
    placed = shared_gazetteer(policy.geocoding).lookup(addresses)
    asked = addresses[list(ADDRESS)].assign(**{name: placed[name] for name in GEOCODE.columns})
    return online.apply(asked, online.recall(transaction, asked, policy), policy)


def _candidates(transaction: Transaction, kind: str, row: pd.DataFrame) -> pd.DataFrame:
    policy = PlanLedger(transaction).policy_in_force().geocoding
    asked = addressed(transaction, kind, row)
    answers = PlaceLedger(transaction).answers(
        online.queries(asked, online.settings(policy)).iloc[0]
    )
    return candidate_places.candidates(asked.iloc[0], shared_gazetteer(policy), policy, answers)
