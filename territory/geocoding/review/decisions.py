"""What a person decided about a place, and how it is applied to a row that is placed again.

A decision stands as long as the evidence it was made on does: the address and the coordinates of
the file. Once they change it is stale, and the row is placed as if nobody had decided anything.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.geocoding import overlay, placement_of
from territory.geocoding.review.stale_coordinates import keep_mark
from territory.schemas import ADDRESS, GEOCODE

if TYPE_CHECKING:
    from collections.abc import Callable

PIN, ACCEPTED, CORRECTED, NO_PLACE = "pin", "accepted", "address", "no_place"
NOT_A_PLACE = "decision"  # the geocode_source of a row that a person marked as no place
_DIGITS = 7  # a centimetre: coordinates that were written and read again differ less


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


def corrected(rows: pd.DataFrame, key: str, decisions: pd.DataFrame) -> pd.DataFrame:
    """Give ``rows`` the addresses that people corrected, where the decision still stands."""
    at, said = _standing(rows, key, decisions)
    chosen = (said["decision"] == CORRECTED).to_numpy(bool)
    if not chosen.any():
        return rows
    columns = {}
    for name in ADDRESS:
        values = rows[name].to_numpy(object, copy=True)
        values[at[chosen]] = said.loc[chosen, name]
        columns[name] = pd.Series(values, index=rows.index, dtype=object)
    return rows.assign(**columns)


def apply(
    rows: pd.DataFrame,
    key: str,
    decisions: pd.DataFrame,
    place: Callable[[pd.DataFrame], pd.DataFrame],
) -> pd.DataFrame:
    """Place the rows that somebody decided about; every row comes back once, in order.

    A stale decision is not followed; the note of the row says that there was one.

    Parameters
    ----------
    rows
        ``key``, the address, given_lon, given_lat and the columns of GEOCODE.
    decisions
        The columns of ``Decision``, at most one row for each subject.
    place
        GEOCODE of rows with the columns of an address, by that address alone.
    """
    at, said = _named(rows, key, decisions)
    if not len(at):
        return rows
    asked = rows.iloc[at].set_axis(at)
    is_live = (evidence(asked) == said["evidence"]).to_numpy(bool)
    parts = [_outdated(asked[~is_live], said[~is_live])]
    asked, said = asked[is_live], said[is_live]
    for names, follow in (
        ((PIN, ACCEPTED), _followed),
        ((CORRECTED,), lambda chosen: _corrected(chosen, place)),
        ((NO_PLACE,), _displaced),
    ):
        chosen = said["decision"].isin(names).to_numpy(bool)
        if chosen.any():
            parts.append(keep_mark(follow(said[chosen]), asked.loc[chosen, "geocode_note"]))
    return overlay(rows, pd.concat([part for part in parts if len(part)]))


def bare_source(source: str) -> str:
    """Name a place without what earlier decisions said of it, for use in a note."""
    if source == "given":
        return "the coordinates given"
    return source.split(", accepted by ")[0].split(" (address corrected by ")[0]


def _named(
    rows: pd.DataFrame, key: str, decisions: pd.DataFrame
) -> tuple[np.ndarray, pd.DataFrame]:
    """Positions of the rows that somebody decided about, and the decisions at those positions."""
    which = pd.Index(decisions["subject_id"]).get_indexer(pd.Index(rows[key]))
    at = np.flatnonzero(which >= 0)
    return at, decisions.iloc[which[at]].set_axis(at)


def _standing(
    rows: pd.DataFrame, key: str, decisions: pd.DataFrame
) -> tuple[np.ndarray, pd.DataFrame]:
    at, said = _named(rows, key, decisions)
    is_live = (evidence(rows.iloc[at].set_axis(at)) == said["evidence"]).to_numpy(bool)
    return at[is_live], said[is_live]


def _by(said: pd.DataFrame) -> pd.Series:
    return "by " + said["decided_by"] + " on " + said["decided_at"].str[:10]


def _followed(said: pd.DataFrame) -> pd.DataFrame:
    """GEOCODE of pins and accepted places."""
    is_pin = said["decision"] == PIN
    accepted = said["note"] + ", accepted " + _by(said)
    return pd.DataFrame(
        {
            "lon": said["lon"],
            "lat": said["lat"],
            "precision": said["precision"],
            "uncertainty_m": said["uncertainty_m"],
            "geocode_source": ("pin " + _by(said)).where(is_pin, accepted),
            "geocode_note": pd.Series(None, index=said.index, dtype=object),
            "match_score": np.nan,
            "placement": placement_of(said["precision"]),
        }
    )


def _corrected(said: pd.DataFrame, place: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
    """GEOCODE of rows whose address somebody corrected."""
    placed = place(said[list(ADDRESS)])[list(GEOCODE.columns)]
    source = placed["geocode_source"] + " (address corrected " + _by(said) + ")"
    return placed.assign(geocode_source=source)


def _displaced(said: pd.DataFrame) -> pd.DataFrame:
    """GEOCODE of rows that are marked as no place."""
    return pd.DataFrame(
        {
            **dict.fromkeys(("lon", "lat", "uncertainty_m", "match_score"), np.nan),
            "precision": None,
            "geocode_source": NOT_A_PLACE,
            "geocode_note": "marked as not a place " + _by(said),
            "placement": "unplaced",
        },
        index=said.index,
    )


def _outdated(asked: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """GEOCODE as it is, with a note that what somebody decided holds no more."""
    told = "what the row says about its place changed since " + said["decided_by"] + " placed it"
    told = told + " on " + said["decided_at"].str[:10]
    noted = asked["geocode_note"]
    noted = told.where(noted.isna(), noted + "; " + told)
    return asked[list(GEOCODE.columns)].assign(geocode_note=noted)
