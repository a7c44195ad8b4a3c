"""Placement of rows by what the store knows: decisions, cached answers, former addresses.

``settle`` is called wherever rows are placed: in an import, after a decision, when the tables of
places are renewed. A decision stands as long as the evidence it was made on does: the address and
the coordinates of the file. Once they change it is stale, and the row is placed as if nobody had
decided anything. Coordinates that a file still gives although the address beside them has changed
are not trusted either.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory import access
from territory.access import UserLedger
from territory.cleaning import fold
from territory.geocoding import (
    CONFLICT_M,
    origins_on_file,
    overlay,
    place,
    placement_of,
    shared_gazetteer,
)
from territory.geocoding.online import answers as online
from territory.geocoding.review.ledger import (
    ACCEPTED,
    CORRECTED,
    NO_PLACE,
    NOT_A_PLACE,
    PIN,
    PLACED_KINDS,
    ReviewLedger,
)
from territory.geodesy import inverse
from territory.schemas import ADDRESS, GEOCODE
from territory.store import KINDS
from territory.units_of_length import format_miles

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from territory.policy import Policy
    from territory.store import Transaction

    Place = Callable[[pd.DataFrame], pd.DataFrame]  # GEOCODE of rows, by their address alone

# The note of a row begins with this as long as its coordinates are not to be trusted: the next
# import of the same file, which sees no change any more, goes by it.
MARK = "the coordinates given are those of an earlier address"
_SAME_DEGREES = 1e-7
# A suite is not an address of its own, and Street is St.
_UNIT = re.compile(
    r"[\s,]+(?:suite|ste|unit|apt|apartment|floor|fl|room|rm|bldg|building|#)\b.*|#.*"
)
_STREET_WORDS = {
    "street": "st", "avenue": "ave", "av": "ave", "road": "rd", "drive": "dr", "lane": "ln",
    "boulevard": "blvd", "court": "ct", "place": "pl", "square": "sq", "parkway": "pkwy",
    "highway": "hwy", "circle": "cir", "terrace": "ter", "north": "n", "south": "s", "east": "e",
    "west": "w", "northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw",
}  # fmt: skip
_DIGITS = 7  # a centimetre: coordinates that were written and read again differ less


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
        before = ReviewLedger(transaction).with_coordinates(kind, rows.loc[is_given, key].tolist())
        at = _outdated_coordinates(rows, key, before)
        del before  # as large as the rows themselves
        if len(at):
            rows = overlay(rows, _place_outdated(rows.iloc[at].set_axis(at), by_address))
    decisions = _by_name(transaction, ReviewLedger(transaction).decisions(kind))
    return _follow(rows, key, decisions, by_address)


def _by_name(transaction: Transaction, decisions: pd.DataFrame) -> pd.DataFrame:
    """Put the name of who decided in place of the id: people read what is noted of a place."""
    if decisions.empty:
        return decisions
    names = UserLedger(transaction).names()
    people = [access.person_name(one, names) for one in decisions["decided_by"]]
    return decisions.assign(decided_by=pd.Series(people, index=decisions.index, dtype=object))


def place_again(
    transaction: Transaction, kind: str, rows: pd.DataFrame, policy: Policy
) -> pd.DataFrame:
    """Place rows of the store anew, from what their file gave and all that was decided since.

    ``rows`` has the columns of the kind's table; nothing is written.
    """
    given = rows[list(ADDRESS)].assign(lon=rows["given_lon"], lat=rows["given_lat"])
    given = given.join(origins_on_file(rows))
    fresh = place(given, shared_gazetteer(policy.geocoding), policy)
    columns = {name: fresh[name].to_numpy() for name in GEOCODE.columns}
    return settle(transaction, kind, rows.assign(**columns), policy)


def addressed(transaction: Transaction, kind: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Give rows the addresses that people corrected, as an online provider should be asked."""
    key = KINDS[kind].key[0]
    return _with_corrections(rows, key, ReviewLedger(transaction).decisions(kind))


def _by_address(transaction: Transaction, addresses: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """GEOCODE of addresses alone: the cached online answer, else the gazetteer's."""
    placed = shared_gazetteer(policy.geocoding).lookup(addresses)
    rows = addresses[list(ADDRESS)].assign(**{name: placed[name] for name in GEOCODE.columns})
    return online.apply(rows, online.recall(transaction, rows, policy), policy)


def _outdated_coordinates(
    rows: pd.DataFrame, key: str, before: pd.DataFrame
) -> npt.NDArray[np.int64]:
    """Find the rows whose address has changed while the coordinates given have not, by position.

    Filling in what was blank is no change, nor is another suite, ZIP+4 or way to write Street.

    Parameters
    ----------
    rows
        ``key``, the address, given_lon and given_lat (WGS84 degrees) as the file gives them now.
    before
        The same of the rows in the store that have given coordinates, and their geocode_note.
    """
    which = pd.Index(before[key]).get_indexer(pd.Index(rows[key]))
    at = np.flatnonzero((which >= 0) & rows["given_lon"].notna().to_numpy(bool))
    now, then = rows.iloc[at].set_axis(at), before.iloc[which[at]].set_axis(at)
    same_point = np.ones(len(at), bool)
    for name in ("given_lon", "given_lat"):
        same_point &= np.abs(now[name] - then[name]).to_numpy(float) <= _SAME_DEGREES
    at, now, then = at[same_point], now[same_point], then[same_point]
    is_old = then["geocode_note"].astype("str").str.contains(MARK, regex=False, na=False)
    is_old = is_old.to_numpy(bool, copy=True)
    for name, read in (
        ("street", _street),
        ("city", fold),
        ("state", fold),
        ("postal_code", _code),
        ("country", fold),
    ):
        one, other = now[name].to_numpy(object), then[name].to_numpy(object)
        differs = np.flatnonzero((one != other) & pd.notna(one) & pd.notna(other))
        moved = [read(one[row]) != read(other[row]) for row in differs]
        is_old[differs] |= np.array(moved, bool)
    outdated: npt.NDArray[np.int64] = at[is_old]
    return outdated


def _place_outdated(rows: pd.DataFrame, by_address: Place) -> pd.DataFrame:
    """Place rows with outdated coordinates by their address: GEOCODE on the index of ``rows``.

    One whose coordinates contradict the new address, or whose address has no place, is a conflict;
    the latter keeps the coordinates for want of better ones.
    """
    geocodes = by_address(rows)[list(GEOCODE.columns)]
    is_found = geocodes["lon"].notna().to_numpy(bool)
    apart = np.full(len(rows), np.nan)
    points = (rows["given_lon"], rows["given_lat"], geocodes["lon"], geocodes["lat"])
    apart[is_found] = inverse(*(column.to_numpy(float)[is_found] for column in points))
    is_far = apart > geocodes["uncertainty_m"].to_numpy(float) + CONFLICT_M
    notes = []
    for far, metres, source, note in zip(
        is_far, apart, geocodes["geocode_source"], geocodes["geocode_note"], strict=True
    ):
        if np.isnan(metres):
            notes.append(f"{MARK}, and the new one has no place: {note}")
        elif far:
            notes.append(f"{MARK}: {format_miles(metres)} from {source}, placed by the address")
        else:
            notes.append(f"{MARK}: placed by the address")
    placed = geocodes.assign(geocode_note=pd.Series(notes, index=rows.index, dtype=object))
    placed.loc[is_far | ~is_found, "placement"] = "conflict"
    own = ["lon", "lat", "precision", "uncertainty_m", "geocode_source"]
    placed.loc[~is_found, own] = rows.loc[~is_found, own]
    return placed


def _keep_mark(geocodes: pd.DataFrame, notes: pd.Series) -> pd.DataFrame:
    """Carry ``MARK`` from former notes into the notes of ``geocodes``, on the same index."""
    marked = notes.astype("str").str.contains(MARK, regex=False, na=False)
    note = geocodes["geocode_note"].astype(object)
    joined = note.where(note.isna(), note + "; ").fillna("") + MARK
    return geocodes.assign(geocode_note=note.where(~marked, joined))


def _street(text: str) -> str:
    bare = _UNIT.sub("", text.casefold())
    words = re.findall(r"\w+", bare)
    return " ".join(_STREET_WORDS.get(word, word) for word in words)


def _code(text: str) -> str:
    folded = fold(text)
    return folded[:5] if folded[:5].isdigit() else folded


def evidence(rows: pd.DataFrame) -> pd.Series:
    """Digest what a row says about its place; equal digests, equal address and coordinates.

    Parameters
    ----------
    rows
        The address columns, given_lon and given_lat (WGS84 degrees, NaN where not given), of which
        a centimetre counts; a missing column counts as null.
    """
    parts = []
    for name in ADDRESS:
        texts = rows[name] if name in rows else pd.Series(None, index=rows.index, dtype=object)
        parts.append(["" if pd.isna(text) else str(text) for text in texts])
    for name in ("given_lon", "given_lat"):
        degrees = rows[name].to_numpy(float) if name in rows else np.full(len(rows), np.nan)
        parts.append(["" if np.isnan(x) else f"{x + 0.0:.{_DIGITS}f}" for x in degrees])
    digests = [
        hashlib.sha256("\x1f".join(row).encode()).hexdigest() for row in zip(*parts, strict=True)
    ]
    return pd.Series(digests, index=rows.index, dtype=object)


def _with_corrections(rows: pd.DataFrame, key: str, decisions: pd.DataFrame) -> pd.DataFrame:
    """Give ``rows`` the addresses that people corrected, where the decision still stands."""
    at, matching = _standing(rows, key, decisions)
    is_corrected = (matching["decision"] == CORRECTED).to_numpy(bool)
    if not is_corrected.any():
        return rows
    columns = {}
    for name in ADDRESS:
        values = rows[name].to_numpy(object, copy=True)
        values[at[is_corrected]] = matching.loc[is_corrected, name]
        columns[name] = pd.Series(values, index=rows.index, dtype=object)
    return rows.assign(**columns)


def _follow(
    rows: pd.DataFrame, key: str, decisions: pd.DataFrame, by_address: Place
) -> pd.DataFrame:
    """Place the rows that somebody decided about; every row comes back once, in order.

    A stale decision is not followed; the note of the row says that there was one.

    Parameters
    ----------
    rows
        ``key``, the address, given_lon, given_lat and the columns of GEOCODE.
    decisions
        The columns of ``Decision``, at most one row for each subject.
    """
    at, matching = _matching(rows, key, decisions)
    if not len(at):
        return rows
    decided = rows.iloc[at].set_axis(at)
    is_live = (evidence(decided) == matching["evidence"]).to_numpy(bool)
    parts = [_outdated(decided[~is_live], matching[~is_live])]
    decided, matching = decided[is_live], matching[is_live]
    for names, follow in (
        ((PIN, ACCEPTED), _followed),
        ((CORRECTED,), lambda some: _corrected(some, by_address)),
        ((NO_PLACE,), _displaced),
    ):
        is_one = matching["decision"].isin(names).to_numpy(bool)
        if is_one.any():
            parts.append(_keep_mark(follow(matching[is_one]), decided.loc[is_one, "geocode_note"]))
    return overlay(rows, pd.concat([part for part in parts if len(part)]))


def bare_source(source: str) -> str:
    """Name a place without what earlier decisions said of it, for use in a note."""
    if source == "given":
        return "the coordinates given"
    return source.split(", accepted by ")[0].split(" (address corrected by ")[0]


def _matching(
    rows: pd.DataFrame, key: str, decisions: pd.DataFrame
) -> tuple[np.ndarray, pd.DataFrame]:
    """Positions of the rows that somebody decided about, and the decisions at those positions."""
    which = pd.Index(decisions["subject_id"]).get_indexer(pd.Index(rows[key]))
    at = np.flatnonzero(which >= 0)
    return at, decisions.iloc[which[at]].set_axis(at)


def _standing(
    rows: pd.DataFrame, key: str, decisions: pd.DataFrame
) -> tuple[np.ndarray, pd.DataFrame]:
    at, matching = _matching(rows, key, decisions)
    is_live = (evidence(rows.iloc[at].set_axis(at)) == matching["evidence"]).to_numpy(bool)
    return at[is_live], matching[is_live]


def _by(decisions: pd.DataFrame) -> pd.Series:
    return "by " + decisions["decided_by"] + " on " + decisions["decided_at"].str[:10]


def _followed(decisions: pd.DataFrame) -> pd.DataFrame:
    """GEOCODE of pins and accepted places."""
    is_pin = decisions["decision"] == PIN
    accepted = decisions["note"] + ", accepted " + _by(decisions)
    return pd.DataFrame(
        {
            "lon": decisions["lon"],
            "lat": decisions["lat"],
            "precision": decisions["precision"],
            "uncertainty_m": decisions["uncertainty_m"],
            "geocode_source": ("pin " + _by(decisions)).where(is_pin, accepted),
            "geocode_note": pd.Series(None, index=decisions.index, dtype=object),
            "match_score": np.nan,
            "placement": placement_of(decisions["precision"]),
        }
    )


def _corrected(decisions: pd.DataFrame, by_address: Place) -> pd.DataFrame:
    """GEOCODE of rows whose address somebody corrected."""
    placed = by_address(decisions[list(ADDRESS)])[list(GEOCODE.columns)]
    source = placed["geocode_source"] + " (address corrected " + _by(decisions) + ")"
    return placed.assign(geocode_source=source)


def _displaced(decisions: pd.DataFrame) -> pd.DataFrame:
    """GEOCODE of rows that are marked as no place."""
    return pd.DataFrame(
        {
            **dict.fromkeys(("lon", "lat", "uncertainty_m", "match_score"), np.nan),
            "precision": None,
            "geocode_source": NOT_A_PLACE,
            "geocode_note": "marked as not a place " + _by(decisions),
            "placement": "unplaced",
        },
        index=decisions.index,
    )


def _outdated(rows: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """GEOCODE as it is, with a note that what somebody decided holds no more."""
    by_whom = decisions["decided_by"] + " placed it on " + decisions["decided_at"].str[:10]
    change = "what the row says about its place changed since " + by_whom
    note = rows["geocode_note"]
    note = change.where(note.isna(), note + "; " + change)
    return rows[list(GEOCODE.columns)].assign(geocode_note=note)
