"""Labels: what people call kinds, values and figures that are stored, on pages and in books."""

from __future__ import annotations

import math
from typing import Any

# The kinds of table, in the order in which files of them are imported. They stand here, not with
# the tables of the store, so that the help of the command line need not load a database.
KINDS = (
    "offices", "prospects", "reps", "markets", "territories", "named_accounts", "sites", "contacts",
    "opportunities", "quotas",
)  # fmt: skip
NOTHING = "–"
MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"

STATUS = {
    "prospect": "Prospect",
    "customer": "Customer",
    "former": "Former customer",
    "disqualified": "Disqualified",
}
SEGMENT = {
    "enterprise": "Enterprise",
    "mid_market": "Mid-market",
    "small": "Small",
    "unknown": "Size not known",
}
PRECISION = {
    "rooftop": "Exact address",
    "street": "Street",
    "postal": "ZIP code",
    "place": "Town",
    "region": "Region",
}
SEVERITY = {
    "error": "Must be solved",
    "warning": "Worth a look",
    "note": "For your information",
}
PLACEMENT = {
    "placed": "Placed",
    "approximate": "Approximate",
    "ambiguous": "Ambiguous",
    "conflict": "Conflict",
    "unplaced": "Unplaced",
    "not_a_place": "Not a place",
}
KIND = {
    "metro_area": ("metro area", "metro areas"),
    "county": ("county", "counties"),
    "state": ("state", "states"),
    "zip_code": ("ZIP code", "ZIP codes"),
    "polygon": ("drawn area", "drawn areas"),
}
RULE = {
    "named_account": "Named account",
    "retained_customer": "Retained customer",
    "market_of_headquarters": "Market of headquarters",
    "unassigned": "Unassigned",
}


def is_known(value: Any) -> bool:
    """Tell a value from the ways in which a frame says that there is none."""
    return value is not None and value == value and value != ""


def number(value: float | None, digits: int = 0) -> str:
    """Thousands separated, a true minus: ``23,871``, ``−122``."""
    if not is_known(value):
        return NOTHING
    return f"{value:,.{digits}f}".replace("-", MINUS)


def money(value: float | None) -> str:
    """Dollars at the size they have: ``$640 k``, ``$41.6 M``, ``$117.4 bn``."""
    if value is None or not is_known(value):
        return NOTHING
    sign, amount = MINUS if value < 0 else "", abs(value)
    for size, word, digits in ((1e9, "bn", 1), (1e6, "M", 1), (1e3, "k", 0)):
        # Judged as it will be shown, so that 999,999 is "1.0 M" and not "1,000 k".
        if round(amount / size, digits) >= 1 and (digits or amount >= size):
            return f"{sign}${amount / size:,.{digits}f}{NO_BREAK}{word}"
    return f"{sign}${amount:,.0f}"


def share(part: float | None, whole: float | None) -> str:
    """``94 %``; below 1 % one decimal; below 0.1 % nothing, because the count says more."""
    if part is None or not whole or not is_known(part) or not is_known(whole):
        return NOTHING
    percent = 100 * part / whole
    if part == 0 or percent >= 1:
        # Never round up to "all" or down from it: 99.96 % is not 100 %.
        rounded = math.floor(percent) if 99 < percent < 100 else round(percent)
        return f"{rounded}{NO_BREAK}%"
    return f"{percent:.1f}{NO_BREAK}%" if percent >= 0.1 else ""
