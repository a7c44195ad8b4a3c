"""Periods of quotas as people write them: a year, a quarter or a month.

Fiscal years ("FY26", "Q3 FY2026") count as the calendar year of the same number. A day is no
period: nobody can tell whether a month, a quarter or a year starts on it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from territory.cleaning.distinct import by_value

if TYPE_CHECKING:
    import pandas as pd

PERIOD_REMEDY = "Write a year, quarter or month: 2026 or FY26, 2026-Q3, 2026-03."
PERIOD = re.compile(r"(?:19|20)\d\d(?:-(?:Q[1-4]|0[1-9]|1[0-2]))?")  # the form that is kept

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_NUMBERS = {name: at for names in (_MONTHS, _FULL) for at, name in enumerate(names, 1)} | {
    "sept": 9
}
_YEAR = r"(?:fy ?'?(?P<fiscal>\d\d(?:\d\d)?)|'?(?P<year>(?:19|20)\d\d)(?:\.0+)?)"
_SHORT = r"(?:(?:fy ?)?'?(?P<fiscal>\d\d)|(?:fy ?)?(?P<year>(?:19|20)\d\d))"
_BETWEEN = r"[ ,./_-]*"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        _YEAR,
        rf"{_YEAR}{_BETWEEN}q(?:tr)? ?(?P<quarter>[1-4])",
        rf"q(?:tr)? ?(?P<quarter>[1-4]){_BETWEEN}{_SHORT}",
        rf"(?P<quarter>[1-4])q{_BETWEEN}{_SHORT}",
        rf"{_YEAR}{_BETWEEN}(?P<name>[a-z]+)\.?",
        rf"(?P<name>[a-z]+)\.?{_BETWEEN}{_SHORT}",
        r"(?P<year>(?:19|20)\d\d)[-/.](?P<month>\d\d?)",
        r"(?P<month>\d\d?)[-/.](?P<year>(?:19|20)\d\d)",
    )
)


def read_periods(texts: pd.Series) -> pd.Series:
    """Read periods as "2026", "2026-Q3" or "2026-03"; null where a text is none of them.

    Parameters
    ----------
    texts
        Object; null where blank.

    Returns
    -------
    periods
        Object, in the order given.
    """
    return by_value(texts, read_period)


def read_period(text: str) -> str | None:
    """Read one period; None where it is none."""
    for form in _FORMS:
        if (match := form.fullmatch(text.strip())) is None:
            continue
        parts = match.groupdict()
        year = parts.get("year") or parts["fiscal"]
        year = year if len(year) > 2 else f"20{year}"
        month = parts.get("month") or _NUMBERS.get((parts.get("name") or "").lower())
        if parts.get("quarter"):
            period = f"{year}-Q{parts['quarter']}"
        elif month or parts.get("name"):
            period = f"{year}-{int(month or 0):02}"
        else:
            period = year
        if PERIOD.fullmatch(period):
            return period
    return None
