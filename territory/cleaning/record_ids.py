"""Record ids as programs write them: one form for each, and those that a spreadsheet has changed.

A Salesforce id has 15 characters whose case counts, or 18: the last three say which of the others
are capitals, for programs to which case does not count. Both are one id; the longer form is ours.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from territory.cleaning.columns import clean_names
from territory.cleaning.distinct import by_value

AS_TEXT = "Format the column as text before the ids go in, or export the file again, and import it."
_SHORT, _LONG = 15, 18
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
# The kind of record (001 is an account), then the server, a zero and the number of the record.
_SALESFORCE = re.compile(r"(?:00[0-9A-Za-z][0-9A-Za-z]{2}|[0-9A-Za-z]{5})0[0-9A-Za-z]{9}")
_ACCOUNT = re.compile(r"00[1-9A-Za-z][0-9A-Za-z]{12}")
# "5E3" may be an id; a decimal point or a plus sign is a spreadsheet's.
_SCIENTIFIC = re.compile(r"[-+]?(?:\d+[.,]\d+[eE][-+]?\d+|\d+[eE]\+\d+)")
_FLOAT, _PARTED = re.compile(r"\d+\.0+"), re.compile(r"\d+\.\d*[1-9]\d*")


def salesforce_id(text: str) -> str:
    """Give the 18 characters of a Salesforce id in their case; any other text as it is."""
    if is_short_salesforce_id(text):
        return text + check_characters(text)
    return _recased(text) if len(text) == _LONG else text


def _recased(text: str) -> str:
    """Give the capitals back to an id that a program wrote all in one case."""
    head, check = text[:_SHORT], text[_SHORT:].upper()
    if head not in (head.upper(), head.lower()) or not set(check) <= set(_CHECK):
        return text
    bits = [_CHECK.index(letter) >> at & 1 for letter in check for at in range(5)]
    cased = "".join(
        letter.upper() if bit else letter.lower() for letter, bit in zip(head, bits, strict=True)
    )
    is_sound = check_characters(cased) == check and is_short_salesforce_id(cased)
    return cased + check if is_sound else text


def is_short_salesforce_id(text: str) -> bool:
    """Whether a text is a Salesforce id without the check characters."""
    if len(text) != _SHORT or text.isdigit() or not any(letter.isdigit() for letter in text):
        return False
    has_both_cases = text != text.lower() and text != text.upper()
    is_of_salesforce = _SALESFORCE.fullmatch(text) is not None and has_both_cases
    return is_of_salesforce or _ACCOUNT.fullmatch(text) is not None


def short_salesforce_id(text: str) -> str | None:
    """Give the 15 characters of a Salesforce id of 18; None where it is none."""
    is_long = len(text) == _LONG and check_characters(text[:_SHORT]) == text[_SHORT:]
    return text[:_SHORT] if is_long and is_short_salesforce_id(text[:_SHORT]) else None


def check_characters(text: str) -> str:
    """Compute the last three of a Salesforce id: each tells of five which are capitals."""
    is_capital = ["A" <= letter <= "Z" for letter in text]
    fives = (is_capital[start : start + 5] for start in range(0, _SHORT, 5))
    return "".join(_CHECK[sum(bit << at for at, bit in enumerate(five))] for five in fives)


def clean_ids(column: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Read a column of ids, and say which of them cannot be what the source wrote.

    ``1001.0`` is 1001 where every id of the column ends so: a program made numbers of them.

    Returns
    -------
    ids
        In one form; null where blank.
    reason
        Of ids that a spreadsheet has shortened or changed; else null.
    """
    ids = clean_names(column)
    none = pd.Series(np.full(len(ids), None), index=ids.index, dtype=object)
    has_sign = ids.str.contains("[.,+]", regex=True).eq(other=True)
    if not has_sign.any():
        return _in_long_form(ids), none
    numbers = pd.Series(ids[has_sign].unique(), dtype=object)
    is_float = numbers.map(lambda text: _FLOAT.fullmatch(text) is not None).astype(bool)
    if is_float.all() and has_sign[ids.notna()].all():
        return by_value(ids, lambda text: text.split(".")[0]), none
    # Ids with a part after the point are ids of a kind; then 1001.0 may be one too.
    has_parts = numbers.map(lambda text: _PARTED.fullmatch(text) is not None).any()

    def reason(text: str) -> str | None:
        if _SCIENTIFIC.fullmatch(text):
            return "is a number that a spreadsheet shortened: nobody can tell which id it was"
        if not has_parts and _FLOAT.fullmatch(text):
            return f"may be {text.split('.')[0]!r}, but other ids of the column have no decimals"
        return None

    reasons = by_value(ids.where(has_sign, None), reason)
    return _in_long_form(ids), reasons


def _in_long_form(ids: pd.Series) -> pd.Series:
    return by_value(ids, salesforce_id) if ids.str.len().isin((_SHORT, _LONG)).any() else ids


def short_forms(ids: pd.Series) -> pd.Series:
    """Give the 15 characters of each Salesforce id of 18; null for other ids."""
    if not (ids.str.len() == _LONG).any():
        return pd.Series(np.full(len(ids), None), index=ids.index, dtype=object)
    return by_value(ids, short_salesforce_id)
