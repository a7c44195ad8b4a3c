"""County units: FIPS codes and names of counties, those that are none now among them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from territory.cleaning import US_STATES, fold
from territory.markets.former_counties import FORMER_COUNTIES
from territory.markets.unit_names import FORMER_NAMES, county_key, split_state
from territory.markets.unit_reading import Reading, not_known, refused

if TYPE_CHECKING:
    from territory.markets.unit_names import UnitNames
    from territory.reference import Reference

_STATE_PREFIX = re.compile(r"(\d{2})(?:[*#?%_]+|[xX]{1,3}|\.{3})")


def read_county(text: str, state: str | None, names: UnitNames, reference: Reference) -> Reading:
    """Read a county by its FIPS code or name; ``state`` is that of a name which says none."""
    its_state = US_STATES.get(fold(state)) if state else None
    if text.isdigit():
        return _read_code(text, its_state, names, reference)
    prefix = _STATE_PREFIX.fullmatch(text)
    if prefix:
        codes = names.between(f"{prefix[1]}000", f"{prefix[1]}999")
        if codes:
            return Reading(codes, f"{text} was read as {len(codes):,} counties")
    name, own_state = split_state(text)
    state_code = own_state or its_state
    if state_code is None:
        return _read_stateless(text, names)
    key = county_key(name, state_code)
    codes = names.codes.get(key, ())
    if len(codes) == 1:
        return Reading(codes)
    if codes:
        return refused(
            f"{text!r} may be {' or '.join(map(names.title, codes))}", "Write which, or its code."
        )
    if key in FORMER_NAMES:
        return _former(text, FORMER_NAMES[key], names)
    near = [code for code in names.similar(key) if names.titles[code].endswith(f", {state_code}")]
    return not_known(text if own_state else f"{text}, {state_code}", names, near)


def _read_code(text: str, state: str | None, names: UnitNames, reference: Reference) -> Reading:
    if len(text) == 3 and state:  # the county within its state, as the Census Bureau lists it
        fips = dict(
            zip(reference.states["state_code"], reference.states["state_fips"], strict=True)
        )
        text = fips.get(state, "") + text
    code = text.zfill(5)
    if code in names.titles:
        shown = names.title(code)
        return Reading((code,), None if len(text) == 5 else f"{text} was read as {shown}")
    if code in FORMER_COUNTIES:
        return _former(text, code, names)
    if len(text) < 4:
        return refused(
            f"{text!r} is no county: a FIPS code has five digits",
            "Write the two digits of the state before it, or add a column with the state.",
        )
    return not_known(text, names)


def _read_stateless(text: str, names: UnitNames) -> Reading:
    """Read a county without a state, if only one in the country is called so."""
    name = county_key(text, None)
    codes = names.beginning(name)
    if len(codes) == 1:
        return Reading(codes, f"{text} was read as {names.title(codes[0])}")
    if not codes:  # "los angel"
        codes = names.beginning(name.rstrip(","))
        if len(codes) == 1:
            return Reading(codes, f"{text} was read as {names.title(codes[0])}")
    candidates = codes or names.similar(name)
    reading = not_known(text, names, candidates)
    if not codes:
        return reading
    return reading._replace(remedy=f'Add the state: "{names.titles[codes[0]]}", or a column State.')


def _former(text: str, code: str, names: UnitNames) -> Reading:
    former = FORMER_COUNTIES[code]
    today = [names.title(one) for one in former.successors]
    became = " and ".join(today) if len(today) < 3 else f"{', '.join(today[:-1])} and {today[-1]}"
    what = f"{text} ({former.name})" if text.isdigit() else f"{former.name} ({code})"
    codes = ", ".join(former.successors)
    verb = "was divided among" if len(today) > 1 else "is now"
    return refused(
        f"{what} is no county since {former.year}: it {verb} {became}",
        f"Write {codes} in its place." if len(today) == 1 else f"Write those you mean: {codes}.",
    )
