"""Head counts and amounts of money as people write them: read whole, or not at all.

``1.234`` and ``1,234`` can each be read two ways. Which mark stands before decimals is decided by
the column (``decimal_mark``): one ``12.5`` or ``1,250.00`` shows it for every row.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SCALES = {
    **dict.fromkeys(("hundred", "hundreds"), 1e2),
    **dict.fromkeys(("k", "thousand", "thousands", "tsd", "th"), 1e3),
    **dict.fromkeys(("lakh", "lakhs", "lac", "lacs"), 1e5),
    **dict.fromkeys(
        ("m", "mm", "mn", "mio", "mil", "mill", "mln", "million", "millions", "millionen"), 1e6
    ),
    **dict.fromkeys(("cr", "crore", "crores"), 1e7),
    **dict.fromkeys(
        ("b", "bn", "bln", "bil", "billion", "billions", "mrd", "milliarden", "milliard"), 1e9
    ),
    **dict.fromkeys(("t", "tn", "trn", "trillion", "trillions"), 1e12),
}
_DIGITS = (
    r"\d{1,2}(?:,\d{2})+,\d{3}(?!\d)"  # 12,34,567
    r"|\d{1,3}(?:[,.'\u2019\s]\d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d+)?|\.\d+"
)
_SCALE_WORDS = "|".join(sorted(_SCALES, key=len, reverse=True))
_AMOUNT = re.compile(
    rf"(?P<before>\D{{0,30}}?)(?P<number>{_DIGITS})(?P<power>e[-+]?\d{{1,3}}(?!\w))?"
    rf"(?:\s*(?P<scale>{_SCALE_WORDS})\b)?\.?"
    rf"(?:\+?\s*(?:-|\u2013|\u2014|to\b|and\b)\s*[^\w\s-]?\s*(?:US)?\$?(?:{_DIGITS})"
    rf"(?:\s*(?P<range_scale>{_SCALE_WORDS})\b)?\.?)?(?P<after>.*)",
    re.IGNORECASE | re.DOTALL,
)
_IN_SCALE = re.compile(r"\W*in\s+(thousands|millions|billions)\b", re.IGNORECASE)
# What may follow a figure without changing it; anything else means that it was not understood.
_GLUED = re.compile(r"[^\W\d_]|\d|_|[.,'\u2019:/-]\d", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"\([^()]*\)|\[[^\]]*\]|\([^()]*\Z")
_WORDS_AFTER = re.compile(
    r"(?:[\s.+*~?)\u2020\u2021]|\b(?:employees?|people|persons?|staff|workers?|fte|ftes|full|part|"
    r"time|headcount|heads?|team|members?|mitarbeiter(?:innen)?|mitarbeitende|besch\u00e4ftigte|"
    r"angestellte|empleados|empleadas|employ\u00e9s|employ\u00e9es|salari\u00e9s|collaborateurs|"
    r"dipendenti|medewerkers|worldwide|globally|global|total|in|as|of|at|the|or|and|approx|"
    r"approximately|est|estimated|estimate|more|over|up|plus|mehr|und|per annum|per year|a year|"
    r"annually|annual|yearly|pa|p\.a|yr|ytd|arr|revenues?|sales|turnover|end|(?:19|20)\d\d|"
    r"fy\s?'?\d\d(?:\d\d)?|q[1-4]|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)\b"
    r"|/\s*(?:yr|year|annum|a)\b|(?<=full)-(?=time)|(?<=part)-(?=time)"
    r"|(?<=[a-z]\s)\d{1,2}(?=,\s))*(?:[;:/,|]\s+.*)?",
    re.IGNORECASE | re.DOTALL,
)
_DOLLARS = re.compile(r"\b(?:US|U\.S\.|U)?\s?\$S?|\$|\bUSD?|\b(?:US )?dollars?\b", re.IGNORECASE)
_OTHER_MONEY = re.compile(
    r"[€£¥₹₩₽₺₪฿]|(?:\b(?:CA|C|AU|A|HK|NZ|SG|S|R|NT|MX|JP|CN))\$|kr\b|\bRs\b"
    r"|\b(?:EUR|GBP|JPY|CAD|AUD|CHF|CNY|RMB|INR|SEK|NOK|DKK|KRW|BRL|MXN|ZAR|HKD|SGD|NZD|TWD|RUB"
    r"|TRY|ILS|PLN|euros?|pounds?|yen|yuan|rupees|francs?)\b",
    re.IGNORECASE,
)
# Dollars given beside another currency: "¥5.6 trillion (US$ 37 billion)", "£1.2bn / $1.5bn".
_ALSO_DOLLARS = re.compile(
    r"(?:\bUS\s?\$|\bU\.S\.\s?\$|\bUSD\s?|(?<![A-Z$])\$)\s*\d", re.IGNORECASE
)
_WORDS_BEFORE = re.compile(
    r"[\s~<>≈±+.:(]*(?:(?:c|ca|circa|about|abt|approx|approximately|around|roughly|some|over"
    r"|more than|at least|min|minimum|max|maximum|up to|nearly|almost|est|estimated|under"
    r"|less than|between|from|total|a total of)\b[\s.~:]*)*[\s(]*",
    re.IGNORECASE,
)
_ABBREVIATED = re.compile(r"\b(c|ca|approx|est|abt|min|max)\.(?=\s*\d)", re.IGNORECASE)
_TREND = re.compile(r"[▲▼△▽↑↓⬆⬇]\ufe0f?|\b(?:increase|decrease|steady)\b", re.IGNORECASE)
# What the figure is or of when it is: "Employees: 250", "FY2024: $3bn", "2024: 38,000".
_LABEL = re.compile(
    r"\A\s*(?:[a-z][a-z ]{2,24}[:=]|FY\s?'?\d{2}(?:\d\d)?(?!\d)\s*[:=\u2013-]?"
    r"|(?:19|20)\d\d\s*[:=])\s*(?=\D*\d)",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    rf"(?<![\w.,])(\d[\d.,]*\d)(?![\w.,]*\d)(?!\s*(?:{_SCALE_WORDS})\b)", re.IGNORECASE
)
# What a spreadsheet makes of the sizes "11-50" and "2-10".
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan", "feb", "mar mrz m\u00e4r", "apr", "may mai", "jun", "jul", "aug", "sep", "oct okt",
         "nov", "dec dez"), 1,
    )
    for name in names.split()
}  # fmt: skip
_SIZE_IN_WORDS = re.compile(
    r"(?:(\d{1,2})[-. ]{1,2}([^\W\d_]{3})|([^\W\d_]{3})[- ](\d{1,2}))\.?(?:[- ](?:\d{4}|\d\d))?"
)
_SIZE_AS_DAY = re.compile(
    r"(?:(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)|(?P<a>\d{1,2})[/.](?P<b>\d{1,2})[/.](?P<z>\d{4}))"
    r"(?:[ T]00:00(?::00)?)?"
)
_LAST_DAY = 31
_OPEN_TO_ONE = 10  # so many figures that show nothing may stand beside one that does


def head_count(text: str, decimal: str | None = None) -> float | None:
    """Read a number of people; None where the text gives none.

    Parameters
    ----------
    decimal
        The mark before decimals, as ``decimal_mark`` gives it.

    >>> head_count("c.250 (2024)"), head_count("1,001-5,000 employees"), head_count("Nov-50")
    (250.0, 1001.0, 11.0)
    """
    if (size := size_of_date(text)) is not None:
        return float(size)
    count = _amount(text, decimal, is_count=True)
    return None if count is None or count < 0 else count


def size_of_date(text: str) -> int | None:
    """Give the lower end of a size such as 11-50 that a spreadsheet took for a date, else None.

    11-50 becomes November 1950 (or 2050), 2-10 the second month's tenth day or the tenth's second,
    by the country of the spreadsheet; the lower end is the lower of the two either way.
    """
    text = text.strip()
    if match := _SIZE_IN_WORDS.fullmatch(text):
        month = _MONTHS.get((match[2] or match[3]).lower())
        return None if month is None else min(month, int(match[1] or match[4]))
    if match := _SIZE_AS_DAY.fullmatch(text):
        if match["y"]:
            year, first, second = int(match["y"]), int(match["m"]), int(match["d"])
        else:
            year, first, second = int(match["z"]), int(match["a"]), int(match["b"])
        # A second number that is no day of a month became the year, and the day the first.
        if 1 in (first, second) and year % 100 > _LAST_DAY:
            return max(first, second)
        return min(first, second)
    return None


def dollars(text: str, decimal: str | None = None) -> float | None:
    """Read an amount of US dollars; None where the text gives none.

    >>> dollars("¥5.6 trillion (US$ 37 billion)"), dollars("(502.2)"), dollars("€3.2bn")
    (37000000000.0, -502.2, None)
    """
    amount = _amount(text, decimal, is_count=False)
    if amount is None and (other := _OTHER_MONEY.search(text)):
        also = _ALSO_DOLLARS.search(text, other.end())
        return None if also is None else _amount(text[also.start() :], decimal, is_count=False)
    return amount


def is_other_currency(header: str) -> bool:
    """Whether a header such as "Amount (EUR)" names a currency that is not US dollars."""
    words = header.replace("_", " ")
    return _OTHER_MONEY.search(words) is not None and _DOLLARS.search(words) is None


def decimal_mark(texts: Iterable[str]) -> str:
    """Tell which mark stands before decimals: "." or ",", "" where nothing shows it, ".," for both.

    ``12.5``, ``0.125``, ``1234.567`` and ``1,234.5`` show a point, and so does ``1,234,567``, whose
    commas can only part thousands. ``1.234`` and ``1,234`` show nothing.
    """
    tokens = [token for text in texts for token in _TOKEN.findall(text)]
    shown = Counter(_shown_mark(token) for token in tokens)
    open_marks = Counter("," if "," in token else "." for token in tokens if is_open(token))
    # A slip ("1,5" among a thousand of "1,234") does not decide for a column that it contradicts.
    decided = {
        mark for mark in ".," if shown[mark] and shown[mark] * _OPEN_TO_ONE >= open_marks[mark]
    }
    if decided or not (shown["."] or shown[","]):
        return "".join(mark for mark in ".," if mark in decided)
    return ".,"


def _shown_mark(token: str) -> str:
    comma, point = token.count(","), token.count(".")
    if comma and point:
        last = max(",", ".", key=token.rfind)
        return last if token.count(last) == 1 else ""
    mark = "," if comma else "."
    if comma + point != 1:  # 1.234.567 has points for thousands, so that a comma has the decimals
        groups = token.split(mark)
        is_grouped = comma + point > 1 and all(len(group) == len("000") for group in groups[1:])
        return {",": ".", ".": ","}[mark] if is_grouped else ""
    whole, _, part = token.partition(mark)
    return "" if _is_open(whole, part) else mark


def _is_open(whole: str, part: str) -> bool:
    """Whether digits before and after a mark can be thousands or decimals alike."""
    return len(part) == len("000") and len(whole) <= len("000") and not whole.startswith("0")


def is_open(text: str) -> bool:
    """Whether a text is a figure with a single mark that may part thousands or decimals."""
    match = _TOKEN.search(text)
    if match is None or match[1].count(",") + match[1].count(".") != 1:
        return False
    whole, _, part = match[1].replace(",", ".").partition(".")
    return _is_open(whole, part)


def _amount(text: str, decimal: str | None, *, is_count: bool) -> float | None:
    text = _LABEL.sub("", _ABBREVIATED.sub(r"\1 ", _TREND.sub("", text)), count=1).strip()
    is_loss = re.fullmatch(r"[^\d(]*\([^()]*\)", text) is not None
    match = _AMOUNT.match(text)
    if not match:
        return None
    before, after = match["before"], match["after"]
    if not is_count:
        aside = f"{before} {after[:12]}" if not _DOLLARS.search(before) else before
        if _OTHER_MONEY.search(aside):
            return None
        before = _DOLLARS.sub("", before)
        after = _DOLLARS.sub(" ", after)
    sign = -1.0 if is_loss or re.search(r"[-\u2212\u2013]\s*$", before) else 1.0
    if not _WORDS_BEFORE.fullmatch(re.sub(r"[-\u2212\u2013]\s*$", "", before)):
        return None
    if not _is_whole(match, after):
        return None
    scale = _scale(match)
    digits = _digits(match["number"], decimal, is_scaled=scale != 1.0)
    if digits is None:
        return None
    value = sign * digits * (scale * float(f"1{match['power'] or ''}"))
    # 4.02 billion is 4,020,000,000 to the last digit.
    return float(f"{value:.15g}") if math.isfinite(value) else None


def _is_whole(match: re.Match[str], after: str) -> bool:
    """Tell whether nothing follows the figure that would make it another."""
    if _GLUED.match(after) or (re.match(r",\s*\d", after) and match["scale"] is None):
        return False
    apart = _IN_SCALE.match(after)
    tail = after[apart.end() :] if apart else after
    return _WORDS_AFTER.fullmatch(_IN_BRACKETS.sub(" ", tail)) is not None


def _scale(match: re.Match[str]) -> float:
    for group in ("scale", "range_scale"):
        scale = _SCALES.get((match[group] or "").lower())
        if scale is not None:
            return scale
    apart = _IN_SCALE.match(match["after"])
    return _SCALES[apart[1].lower()] if apart else 1.0


def _digits(number: str, decimal: str | None, *, is_scaled: bool) -> float | None:
    """Read digits with their marks for thousands and decimals; None where those do not fit."""
    number = re.sub(r"['\u2019\s]", "", number)
    comma, point = number.count(","), number.count(".")
    if comma and point:
        mark = max(",", ".", key=number.rfind)
        other = "." if mark == "," else ","
        whole, _, part = number.rpartition(mark)
        if number.count(mark) > 1 or not re.fullmatch(rf"\d{{1,3}}(?:[{other}]\d{{2,3}})+", whole):
            return None
        return float(f"{whole.replace(other, '')}.{part}")
    mark = "," if comma else "."
    if comma + point > 1:
        is_grouped = re.fullmatch(rf"\d{{1,3}}(?:[{mark}]\d{{2,3}})*[{mark}]\d{{3}}", number)
        return float(number.replace(mark, "")) if is_grouped else None
    whole, _, part = number.partition(mark)
    if comma + point == 1 and _is_open(whole, part):
        if decimal == ".,":
            return None
        # Nothing shows it: three digits after a mark are a thousand, as money has two decimals and
        # people none; but "1.234 million" is a decimal.
        is_decimal = decimal == mark if decimal else is_scaled and mark == "."
        return float(f"{whole}.{part}" if is_decimal else whole + part)
    return float(f"{whole or 0}.{part or 0}")
