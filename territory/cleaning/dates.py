"""Calendar days as people, CRMs and spreadsheets write them.

Whether the day or the month stands first in 05/11/2026 is decided by the whole column: one
13/11/2026 shows it for every row. A moment counts as the day on which it was written, whatever its
offset from UTC, because that is the day its writer meant.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from territory.cleaning.distinct import by_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

Order: TypeAlias = Literal["day", "month", "both", "open"]  # what stands first, by the evidence

_YEARS = range(1677, 2263)  # what pandas holds as a timestamp
_CENTURY = 69  # of two digits: 69 is 1969, 68 is 2068
_SERIALS = range(20_000, 80_000)  # 1954 to 2119 as days of a spreadsheet
_SERIAL_ZERO = dt.date(1899, 12, 30)
_EPOCH_ZERO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan", "feb", "mar mär mrz maer", "apr", "may mai", "jun", "jul", "aug", "sep", "oct okt",
         "nov", "dec dez"), 1,
    )
    for name in names.split()
}  # fmt: skip
_CLOCK = (
    r"(?:[\sT,]+(?:at\s+)?\d{1,2}[:.h]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?\s*(?:[ap]\.?m\.?)?\s*"
    r"(?:Z|[A-Z]{2,5}|(?:UTC|GMT)?[-+]\d{1,2}(?::?\d{2})?)?(?:\s*\([^)]*\))?)?"
)
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){_CLOCK}", re.IGNORECASE)
_YEAR_LAST = re.compile(
    rf"(\d{{1,2}})\s?([-/.])\s?(\d{{1,2}})\s?\2\s?(\d{{4}}|\d\d){_CLOCK}", re.IGNORECASE
)
_PACKED = re.compile(r"(\d{4})(\d\d)(\d\d)")
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?")
_EPOCH = re.compile(r"(1\d{9})(?:\d{3})?(?:\.0+)?")
_WEEKDAY = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[.,]*\s+", re.IGNORECASE)
_IN_WORDS = re.compile(
    rf"(\d{{1,4}}|[^\W\d_]{{3,12}})(?:st|nd|rd|th)?[\s.,/-]+(\d{{1,2}}|[^\W\d_]{{3,12}})"
    rf"(?:st|nd|rd|th)?[\s.,/-]+(\d{{4}}|\d\d){_CLOCK}",
    re.IGNORECASE,
)
_NO_DAY = re.compile(r"0{4}([-/.]?)0{2}\1?0{2}(?:\s.*)?")  # how MySQL writes that there is none
_SAMPLES = 3


@dataclass(frozen=True)
class _Pair:
    """A date of which the order of day and month is not known: two numbers and a year."""

    first: int
    second: int
    year: int
    is_dotted: bool

    def day(self, order: Order) -> dt.date | None:
        """Read it in an order; None where that is no date, or where the order is not known."""
        if self.first == self.second:
            order = "day"
        if order in ("both", "open"):
            order = self.order if self.order != "open" else order
        if order == "day":
            return _date(self.year, self.second, self.first)
        return _date(self.year, self.first, self.second) if order == "month" else None

    @property
    def order(self) -> Order:
        """What it shows of the order by itself."""
        day_first = _date(self.year, self.second, self.first) is not None
        month_first = _date(self.year, self.first, self.second) is not None
        if day_first == month_first:
            return "open"
        return "day" if day_first else "month"


def read_dates(column: pd.Series, others: Order = "open") -> tuple[pd.Series, tuple[str, ...]]:
    """Read calendar days, and say what had to be decided for the column as a whole.

    Parameters
    ----------
    column
        Text or null.
    others
        What the other date columns of the file show, for a column that shows nothing itself.

    Returns
    -------
    days
        ISO text; null where the cell is null or cannot be read. Where some dates can only be read
        day first and others only month first, those that could be either are null.
    remarks
        Sentences without a subject: the order that was taken where nothing shows it, that both
        orders occur, that numbers of a spreadsheet or of a clock were read as days.
    """
    written = {text: _parse(text) for text in column.dropna().unique()}
    pairs = {text: pair for text, pair in written.items() if isinstance(pair, _Pair)}
    remarks: list[str] = []
    orders: dict[bool, Order] = {}
    # Where dots part the numbers the day stands first, by custom; so they are judged by themselves.
    usual: Order
    for is_dotted, usual in ((True, "day"), (False, others)):
        group = {text: pair for text, pair in pairs.items() if pair.is_dotted is is_dotted}
        orders[is_dotted] = _order(group.values())
        if orders[is_dotted] == "both":
            remarks.append(_both_remark(group))
        elif orders[is_dotted] == "open":
            orders[is_dotted] = "month" if usual in ("open", "both") else usual
            remarks += _open_remark(group) if usual in ("open", "both") else []

    def read(text: str) -> str | None:
        day = written[text]
        if isinstance(day, _Pair):
            day = day.day(orders[day.is_dotted])
        return None if day is None else day.isoformat()

    days = by_value(column, read)
    return days, (*remarks, *_number_remarks(written, days, column))


def date_order(columns: Iterable[pd.Series]) -> Order:
    """Tell what columns of text show together of the order of day and month."""
    texts = {text for column in columns for text in column.dropna().unique()}
    pairs = (day for day in map(_parse, texts) if isinstance(day, _Pair))
    return _order(pair for pair in pairs if not pair.is_dotted)


def is_no_day(column: pd.Series) -> pd.Series:
    """Tell which texts say that there is no day, as 0000-00-00 does."""
    return by_value(column, lambda text: bool(_NO_DAY.fullmatch(text.strip()))).eq(other=True)


def _order(pairs: Iterable[_Pair]) -> Order:
    orders = {pair.order for pair in pairs} - {"open"}
    return "open" if not orders else "both" if len(orders) > 1 else orders.pop()


def _ambiguous(pairs: dict[str, _Pair]) -> list[str]:
    """Name the dates that are another day in the other order."""
    return [
        text
        for text, pair in pairs.items()
        if pair.order == "open" and pair.first != pair.second and pair.day("day") is not None
    ]


def _both_remark(pairs: dict[str, _Pair]) -> str:
    day, month = (
        next(text for text, pair in pairs.items() if pair.order == order)
        for order in ("day", "month")
    )
    texts = _ambiguous(pairs)
    either = f"; {_quoted(texts)} could be either and cannot be read" * bool(texts)
    return (
        f"some dates have the day first ({day}), others the month ({month}){either}. "
        "Write dates as 2026-11-05."
    )


def _open_remark(pairs: dict[str, _Pair]) -> list[str]:
    texts = _ambiguous(pairs)
    if not texts:
        return []
    first = pairs[texts[0]].day("month")
    return [
        f"no date shows whether the day or the month stands first. Read as month first: {texts[0]} "
        f"is {first:%B} {first.day}, {first.year}. If the day stands first, write dates as "
        "2026-11-05."
        if first
        else ""
    ]


def _number_remarks(
    written: dict[str, dt.date | _Pair | None], days: pd.Series, column: pd.Series
) -> list[str]:
    """Say once that bare numbers were read as days, with the first of them."""
    remarks = []
    for pattern, meaning in (
        (_SERIAL, "day numbers of a spreadsheet"),
        (_EPOCH, "seconds or milliseconds since 1970, read as days of UTC"),
    ):
        texts = [
            t for t, day in written.items() if day is not None and pattern.fullmatch(t.strip())
        ]
        if texts:
            count = int(column.isin(texts).sum())
            first = days[column == texts[0]].iloc[0]
            cells = f"{count:,} {'cell holds' if count == 1 else 'cells hold'}"
            remarks.append(f"{cells} {meaning}: {texts[0]} is {first}.")
    return remarks


def _quoted(texts: list[str]) -> str:
    more = f" and {len(texts) - _SAMPLES:,} more" if len(texts) > _SAMPLES else ""
    return ", ".join(map(repr, texts[:_SAMPLES])) + more


def _parse(text: str) -> dt.date | _Pair | None:
    """Read one text; a pair where day and month may change places; None for no date."""
    text = _WEEKDAY.sub("", text.strip(), count=1)
    if match := _YEAR_FIRST.fullmatch(text):
        return _date(int(match[1]), int(match[3]), int(match[4]))
    if match := _YEAR_LAST.fullmatch(text):
        return _Pair(int(match[1]), int(match[3]), _year(match[4]), match[2] == ".")
    if match := _IN_WORDS.fullmatch(text):
        return _in_words(match[1], match[2], match[3])
    if match := _PACKED.fullmatch(text):
        return _date(int(match[1]), int(match[2]), int(match[3]))
    if (match := _SERIAL.fullmatch(text)) and int(match[1]) in _SERIALS:
        return _SERIAL_ZERO + dt.timedelta(days=int(match[1]))
    if match := _EPOCH.fullmatch(text):
        return (_EPOCH_ZERO + dt.timedelta(seconds=int(match[1]))).date()
    return None


def _in_words(first: str, second: str, year: str) -> dt.date | None:
    if first.isdigit() == second.isdigit():
        return None
    word, number = (second, first) if first.isdigit() else (first, second)
    month = _MONTHS.get(word.lower()[:3]) or _MONTHS.get(word.lower()[:4])
    if month is None:
        return None
    if len(number) == len("2026"):  # 2026-Nov-05
        return _date(int(number), month, int(year)) if len(year) == len("05") else None
    return _date(_year(year), month, int(number))


def _year(text: str) -> int:
    year = int(text)
    return year if len(text) > len("26") else year + (1900 if year >= _CENTURY else 2000)


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day) if year in _YEARS else None
    except ValueError:
        return None
