"""What online geocoders answered, and what a row makes of it.

Answers are kept in the store by the address they were asked about, so nobody is asked twice, and an
import places its rows with them without a network. An answer is never followed blindly: it must be
nearer than what is known offline, it must not contradict it, and the provider must be sure of it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.cleaning import by_value
from territory.geocoding import CONFLICT_M, PRECISE, overlay
from territory.geocoding.online.answer_ledger import AnswerLedger, ProviderAnswer
from territory.geodesy import inverse
from territory.policy import GeocodingPolicy, OnlinePolicy, Policy
from territory.schemas import GEOCODE
from territory.units_of_length import format_miles

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from territory.store import Transaction

FOUND, NONE, SEVERAL = "found", "none", "several"
# Why a provider gave no answer. The rows stay pending and are asked about again.
FAILURES = {
    "timed_out": "no answer in time",
    "unavailable": "it is out of reach or has failed",
    "too_fast": "it asks for fewer questions",
    "quota": "the quota is used up",
    "denied": "it does not accept the key",
    "refused": "it refused the question",
    "unreadable": "its answer cannot be read",
}
REMEMBERED = "online_providers"  # the setting that names who was ever asked, in order
# An ambiguous address is only settled by an answer that knows the street or the postal code.
_TELLING = (*PRECISE, "postal")
_FEW = 1_000  # rows up to which the cache is asked about each instead of read as a whole
_LONGEST = 200  # letters of a street that is still an address
_WORD = re.compile(r"[^\W_]+")
_BOX = re.compile(r"\W*(?:p\W*o\W*|post\s+office\s+)box\W*\w*\W*", re.IGNORECASE)
_USABLE_PRECISE, _USABLE, _FAILED, _SEVERAL, _UNUSABLE, _NONE, _UNASKED = range(7)


def settings(policy: Policy | GeocodingPolicy) -> OnlinePolicy:
    """Give the part of a policy that is about online geocoders."""
    return (policy.geocoding if isinstance(policy, Policy) else policy).online


def queries(rows: pd.DataFrame, online: OnlinePolicy) -> pd.Series:
    """Write the address of each row in one folded line: equal lines are the same question.

    Case, accents and punctuation do not count; a row without a country is in the default one.
    """
    return _folded(rows["street"]) + "," + _areas(rows, online)


def _areas(rows: pd.DataFrame, online: OnlinePolicy) -> pd.Series:
    """Write what follows the street in ``queries``."""
    country = rows["country"].where(rows["country"].notna(), online.default_country)
    area = _folded(rows["city"])
    for part in (rows["state"], rows["postal_code"], country):
        area = area + "," + _folded(part)
    return area


def _folded(part: pd.Series) -> pd.Series:
    return by_value(part, _words).fillna("").astype(object)


def _words(text: str) -> str:
    text = text.casefold()
    if not text.isascii():
        spread = unicodedata.normalize("NFKD", text)
        text = "".join(letter for letter in spread if not unicodedata.combining(letter))
    return " ".join(_WORD.findall(text))


def lines(rows: pd.DataFrame, countries: Mapping[str, str], online: OnlinePolicy) -> pd.Series:
    """Write the address of each row as it is put to a provider: street, city, state ZIP, country.

    Parameters
    ----------
    countries
        Country code (ISO 3166-1 alpha-2) to name: CA alone would be read as California.
    """
    country = rows["country"].where(rows["country"].notna(), online.default_country)
    country_names = by_value(country, lambda code: countries.get(code, code))
    cells = zip(
        rows["street"], rows["city"], rows["state"], rows["postal_code"], country_names, strict=True
    )
    texts = []
    for street, city, state, code, land in cells:
        area = " ".join(part for part in (state, code) if pd.notna(part)) or None
        texts.append(", ".join(part for part in (street, city, area, land) if pd.notna(part)))
    return pd.Series(texts, index=rows.index, dtype=object)


def has_street(rows: pd.DataFrame) -> pd.Series:
    """Tell the rows whose street can be looked up: not a post box, not a page of text."""
    is_street = by_value(
        rows["street"], lambda text: len(text) <= _LONGEST and not _BOX.fullmatch(text)
    )
    return is_street.eq(True)


def could_gain(rows: pd.DataFrame) -> pd.Series:
    """Tell the rows that an online geocoder could place better than they are.

    Not those with coordinates of their own, those known to the street, those without city and
    postal code, and those of a known postal code that have no street.

    Parameters
    ----------
    rows
        The address and precision; given_lon and given_lat where there are any.
    """
    gains = rows["city"].notna() | rows["postal_code"].notna()
    gains &= ~rows["precision"].isin(PRECISE)
    if "given_lon" in rows:
        gains &= rows["given_lon"].isna() | rows["given_lat"].isna()
    by_zip = rows["precision"] == "postal"
    candidates = gains & (by_zip | (rows["street"].notna()))
    gains[candidates] = has_street(rows[candidates]) | ~by_zip[candidates]
    return gains


def recall(
    transaction: Transaction, rows: pd.DataFrame, policy: Policy | GeocodingPolicy
) -> pd.DataFrame | None:
    """Give what providers said of the addresses of rows that could gain; nobody is asked.

    Of several providers the first in the order of the policy that knows the street; then the first
    that is of use at all. Providers that a run was told to ask come after those of the policy, so
    that what they found stays. Nothing at all is read where nobody was ever to be asked.

    Returns
    -------
    answers
        The columns of ``ProviderAnswer`` without ``query``, on the index of those rows that have
        one; None where no row has.
    """
    online = settings(policy)
    names = provider_order(transaction, online)
    if not names:
        return None
    if len(rows) <= _FEW:
        questions = queries(rows[could_gain(rows)], online)
        return choose(AnswerLedger(transaction).about(names, questions), questions, names, online)
    answers = AnswerLedger(transaction).all(names)
    if answers.empty:
        return None
    areas = answers["query"].str.split(",", n=1).str[1].unique()
    rows = rows[_areas(rows, online).isin(areas)]  # streets take time to fold
    questions = queries(rows[could_gain(rows)], online)
    return choose(answers, questions, names, online)


def provider_order(transaction: Transaction, online: OnlinePolicy) -> tuple[str, ...]:
    """Name the providers of the policy, then others that were ever asked."""
    remembered = (transaction.setting(REMEMBERED) or "").split()
    return tuple(dict.fromkeys([*(one.name for one in online.providers), *remembered]))


def choose(
    answers: pd.DataFrame, questions: pd.Series, names: tuple[str, ...], online: OnlinePolicy
) -> pd.DataFrame | None:
    """Pick the best answer to each question out of all that are known; see ``recall``."""
    best = np.full(len(questions), _UNASKED * len(names), np.int64)
    which = np.full(len(questions), -1, np.int64)
    answers = answers.reset_index(drop=True)
    ranks = rank(answers, online)
    for order, name in enumerate(names):
        of_one = np.flatnonzero((answers["provider"] == name).to_numpy())
        at = pd.Index(answers["query"].iloc[of_one]).get_indexer(pd.Index(questions))
        hits = np.flatnonzero(at >= 0)
        row = of_one[at[hits]]
        weight = ranks[row] * len(names) + order
        wins = weight < best[hits]
        best[hits[wins]], which[hits[wins]] = weight[wins], row[wins]
    answered = np.flatnonzero(which >= 0)
    if not len(answered):
        return None
    best_answers = answers.iloc[which[answered]].drop(columns="query")
    return best_answers.set_index(questions.index[answered])


def rank(answers: pd.DataFrame, online: OnlinePolicy) -> npt.NDArray[np.int64]:
    """Tell how much each answer is worth; the smaller the better."""
    is_found = (answers["answer"] == FOUND).to_numpy()
    usable = is_found & _is_usable(answers, online)
    precise = answers["precision"].isin(PRECISE).to_numpy()
    ranks: npt.NDArray[np.int64] = np.select(
        [
            usable & precise,
            usable,
            answers["answer"].isin(FAILURES).to_numpy(),
            (answers["answer"] == SEVERAL).to_numpy(),
            is_found,
        ],
        [_USABLE_PRECISE, _USABLE, _FAILED, _SEVERAL, _UNUSABLE],
        _NONE,
    ).astype(np.int64)
    return ranks


def settles(answer: ProviderAnswer, online: OnlinePolicy) -> bool:
    """Tell whether no further provider need be asked after an answer: it knows the street."""
    is_sure = answer.match_score is None or not answer.match_score < online.min_match_score
    return answer.answer == FOUND and answer.precision in PRECISE and is_sure


def _is_usable(answers: pd.DataFrame, online: OnlinePolicy) -> npt.NDArray[np.bool_]:
    """Tell the answers that may place a row: finer than a region, and sure enough."""
    score = answers["match_score"].to_numpy(float)
    unsure = score < online.min_match_score  # no score is no doubt
    usable: npt.NDArray[np.bool_] = (answers["precision"] != "region").to_numpy() & ~unsure
    return usable


def apply(
    rows: pd.DataFrame, answers: pd.DataFrame | None, policy: Policy | GeocodingPolicy
) -> pd.DataFrame:
    """Place rows by what ``recall`` gave; every row comes back once, in order.

    An answer is taken where nothing is known offline, or where it is less uncertain and agrees.
    Where it is farther from the offline place than both are uncertain, plus ten miles, the row
    keeps its place and becomes a "conflict", since nobody can say which of the two is right. A row
    whose address fits several places takes an answer only if it knows the street or postal code.
    All else leaves the row as it is, with a note; of one whose provider failed the note begins
    with "pending".

    Parameters
    ----------
    rows
        Placed offline: the columns of GEOCODE, on a unique index.
    answers
        What ``recall`` gave for them.
    """
    if answers is None or answers.empty:
        return rows
    was = rows.loc[answers.index, list(GEOCODE.columns)]
    is_usable = (answers["answer"] == FOUND).to_numpy() & _is_usable(answers, settings(policy))
    has_place = was["lon"].notna().to_numpy()
    apart = np.full(len(was), np.nan)
    both = np.flatnonzero(is_usable & has_place)
    apart[both] = inverse(
        answers["lon"].to_numpy(float)[both],
        answers["lat"].to_numpy(float)[both],
        was["lon"].to_numpy(float)[both],
        was["lat"].to_numpy(float)[both],
    )
    here = answers["uncertainty_m"].to_numpy(float)
    there = was["uncertainty_m"].to_numpy(float)
    contradicts = apart > here + there + CONFLICT_M
    vague = (was["placement"] == "ambiguous").to_numpy()
    telling = answers["precision"].isin(_TELLING).to_numpy()
    is_taken = is_usable & ~contradicts & np.where(has_place, here < there, ~vague | telling)
    notes = _notes(answers, was, apart, is_usable & contradicts, is_taken)
    placed = was.assign(geocode_note=pd.Series(notes, index=was.index, dtype=object))
    for name in ("lon", "lat", "precision", "uncertainty_m", "match_score"):
        placed[name] = placed[name].where(~is_taken, answers[name])
    placed["geocode_source"] = placed["geocode_source"].where(~is_taken, answers["provider"])
    precise = answers["precision"].isin(PRECISE)
    placed.loc[is_taken, "placement"] = np.where(precise[is_taken], "placed", "approximate")
    placed.loc[is_usable & contradicts, "placement"] = "conflict"
    return overlay(rows, placed.set_axis(rows.index.get_indexer(answers.index)))


def _notes(
    answers: pd.DataFrame,
    was: pd.DataFrame,
    apart: npt.NDArray[np.float64],
    contradicts: npt.NDArray[np.bool_],
    takes: npt.NDArray[np.bool_],
) -> list[str | None]:
    """Add to the note of each row why the answer did not place it; drop the note where it did."""
    notes: list[str | None] = []
    cells = zip(
        answers["provider"],
        answers["answer"],
        answers["precision"],
        answers["match_score"],
        was["geocode_source"],
        was["geocode_note"],
        apart,
        contradicts,
        takes,
        strict=True,
    )
    for provider, answer, precision, score, source, note, far, is_odd, is_taken in cells:
        if is_taken:
            notes.append(None)
            continue
        if is_odd:
            reason = f"{provider} puts it {format_miles(far)} from {source}, where the address is"
        else:
            reason = _reason(provider, answer, precision, score)
        notes.append(reason if pd.isna(note) else f"{note}; {reason}")
    return notes


def _reason(provider: str, answer: str, precision: str | None, score: float | None) -> str:
    """Say in words what an answer that did not place its row was."""
    if answer in FAILURES:
        return f"pending: {provider} did not answer ({FAILURES[answer]})"
    if answer == NONE:
        return f"{provider} knows no such address"
    if answer == SEVERAL:
        return f"{provider} knows several such addresses"
    sure = "" if pd.isna(score) else f" (match score {score:.2f})"
    return f"{provider} knows it no better than to the {precision}{sure}"
