"""ZIP code units: codes, ranges such as 60601-60610, beginnings such as 606, 606* or 606xx."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from territory.cleaning import US_STATES, fold
from territory.markets.unit_reading import Reading, not_known, refused

if TYPE_CHECKING:
    from territory.markets.unit_names import UnitNames

_PLUS_FOUR = re.compile(r"(\d{5})-\d{4}")
_RANGE = re.compile(r"(\d{3}|\d{5})-(\d{3}|\d{5})")
_BEGINNING = re.compile(r"(\d{1,4})-?(?:[*#?%_]+|[xX]+|\.{3})")
# "MA-02110", "ZIP 02110", "IL 60601": what is not the code goes.
_AROUND = re.compile(r"^(?:zip(?: ?code)?|[A-Z]{2})[\s:.#-]*(?=\d{5}(?:-\d{4})?$)", re.IGNORECASE)
_QUESTION = "three digits: a prefix, or lost zeros?"


def read_zip(text: str, state: str | None, names: UnitNames, *, loses_zeros: bool) -> Reading:
    """Read a ZIP code, a range of them or their beginning.

    Three digits are a beginning, as in the zones of a carrier. Where ``state``, or other codes of
    the list (``loses_zeros``), say that a spreadsheet took the zeros away, that is decided by the
    state or asked.
    """
    text = _AROUND.sub("", text)
    plus_four = _PLUS_FOUR.fullmatch(text)
    if plus_four:
        text = plus_four[1]
    if text in names.titles:
        return Reading((text,))
    between = _RANGE.fullmatch(text)
    if between:
        return _read_range(text, between[1], between[2], names)
    beginning = _BEGINNING.fullmatch(text)
    if beginning:
        return _read_beginning(text, beginning[1], names)
    if not text.isdigit():
        return _no_zip(text, names)
    if len(text) == 9 and text[:5] in names.titles:
        return Reading((text[:5],))
    if len(text) == 4 and f"0{text}" in names.titles:
        return Reading((f"0{text}",), f"{text} was read as 0{text}, with the zero it had lost")
    if len(text) == 3:
        its_state = US_STATES.get(fold(state)) if state else None
        return _read_three(text, its_state, names, loses_zeros=loses_zeros)
    return _no_zip(text, names)


def _read_three(text: str, state: str | None, names: UnitNames, *, loses_zeros: bool) -> Reading:
    zone = names.between(f"{text}00", f"{text}99")
    padded = f"00{text}"
    is_both = padded in names.titles and bool(zone)
    if state and padded in names.titles and names.titles[padded].endswith(f", {state}"):
        return Reading((padded,), f"{text} was read as {padded}, because of the state {state}")
    if is_both and loses_zeros and not state:
        return refused(f"{text!r} has {_QUESTION}", f"Write {text}* or {padded}.")
    return _read_beginning(text, text, names)


def _read_range(text: str, first: str, last: str, names: UnitNames) -> Reading:
    if len(first) != len(last):
        return refused(
            f"{text!r} is neither a ZIP+4 code nor a range", "Write both ends with five digits."
        )
    if first > last:
        return refused(f"the range {text!r} ends before it begins", "Write the lower end first.")
    codes = names.between(first.ljust(5, "0"), last.ljust(5, "9"))
    if not codes:
        return refused(f"no ZIP code lies in the range {text!r}", "Correct its ends.")
    return Reading(codes, f"{text} was read as {_counted(codes)}")


def _read_beginning(text: str, digits: str, names: UnitNames) -> Reading:
    codes = names.between(digits.ljust(5, "0"), digits.ljust(5, "9"))
    if not codes:
        return refused(f"no ZIP code begins with {digits!r}", "Correct it.")
    return Reading(codes, f"{text} was read as all that begin with {digits}: {_counted(codes)}")


def _counted(codes: tuple[str, ...]) -> str:
    return f"{len(codes):,} ZIP codes" if len(codes) > 1 else f"one ZIP code, {codes[0]}"


def _no_zip(text: str, names: UnitNames) -> Reading:
    if text.isdigit() and len(text) != 5:
        return refused(f"{text!r} is no ZIP code: it has {len(text)} digits", "Write all five.")
    return not_known(text, names)
