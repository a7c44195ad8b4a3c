"""Head counts and amounts of money as people write them."""

from __future__ import annotations

import re

_SCALES = {
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
_AMOUNT = re.compile(
    rf"(?P<before>\D{{0,30}}?)(?P<number>{_DIGITS})\s*(?P<scale>(?!(?:and|to)\b)[a-z]+\b)?\.?"
    rf"(?:\+?\s*(?:-|\u2013|\u2014|to|and)\s*\D{{0,4}}(?:{_DIGITS})\s*(?P<range_scale>[a-z]+\b)?)?"
    r"(?P<after>.*)",
    re.IGNORECASE | re.DOTALL,
)
_IN_SCALE = re.compile(r"\W*in\s+(thousands|millions|billions)\b", re.IGNORECASE)
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
# What a spreadsheet makes of the sizes "11-50" and "2-10".
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_AS_DATE = re.compile(r"(?:(\d{1,2})-([a-z]{3})|([a-z]{3})-(\d{1,2}))", re.IGNORECASE)


def head_count(text: str) -> float | None:
    """Read a number of people; None where the text gives none.

    >>> head_count("c.250 (2024)"), head_count("1,001-5,000 employees"), head_count("Nov-50")
    (250.0, 1001.0, 11.0)
    """
    if match := _AS_DATE.fullmatch(text.strip()):
        month = _MONTHS.get((match[2] or match[3]).lower())
        return None if month is None else float(min(month, int(match[1] or match[4])))
    if re.fullmatch(r"\s*\d{1,3}(\.\d{3})+\s*", text):
        text = text.replace(".", "")
    count = _amount(text, is_count=True)
    return None if count is None or count < 0 else count


def dollars(text: str) -> float | None:
    """Read an amount of US dollars; None where the text gives none.

    >>> dollars("¥5.6 trillion (US$ 37 billion)"), dollars("(502.2)"), dollars("€3.2bn")
    (37000000000.0, -502.2, None)
    """
    amount = _amount(text, is_count=False)
    if amount is None and (other := _OTHER_MONEY.search(text)):
        also = _ALSO_DOLLARS.search(text, other.end())
        return None if also is None else _amount(text[also.start() :], is_count=False)
    return amount


def _amount(text: str, *, is_count: bool) -> float | None:
    text = _LABEL.sub("", _ABBREVIATED.sub(r"\1 ", _TREND.sub("", text)), count=1).strip()
    is_loss = re.fullmatch(r"[^\d(]*\([^()]*\)", text) is not None
    match = _AMOUNT.match(text)
    if not match or match["after"].lstrip().startswith("%"):
        return None
    before = match["before"]
    if not is_count:
        after = f"{match['scale'] or ''} {match['after']}"[:12]
        has_dollars = _DOLLARS.search(before) is not None
        if _OTHER_MONEY.search(before) or (not has_dollars and _OTHER_MONEY.search(after)):
            return None
        before = _DOLLARS.sub("", before)
    sign = -1.0 if is_loss or re.search(r"[-\u2212\u2013]\s*$", before) else 1.0
    if not _WORDS_BEFORE.fullmatch(re.sub(r"[-\u2212\u2013]\s*$", "", before)):
        return None
    scale = _scale(match)
    return sign * _digits(match["number"], is_count=is_count and scale == 1.0) * scale


def _scale(match: re.Match[str]) -> float:
    for group in ("scale", "range_scale"):
        scale = _SCALES.get((match[group] or "").lower())
        if scale is not None:
            return scale
    apart = _IN_SCALE.match(f"{match['scale'] or ''} {match['after']}")
    return _SCALES[apart[1].lower()] if apart else 1.0


def _digits(number: str, *, is_count: bool) -> float:
    """Read digits with whichever marks for thousands and decimals they were written."""
    number = re.sub(r"['\u2019\s]", "", number)
    comma, point = number.rfind(","), number.rfind(".")
    if comma >= 0 and point >= 0:
        mark = "," if comma > point else "."
        other = "." if mark == "," else ","
        return float(number.replace(other, "").replace(mark, "."))
    if comma >= 0:
        in_groups = re.fullmatch(r"\d{1,3}(,\d{2,3})*,\d{3}", number)
        return float(number.replace(",", "" if in_groups else "."))
    in_threes = re.fullmatch(r"\d{1,3}(\.\d{3})+", number)
    if in_threes and (is_count or number.count(".") > 1):
        return float(number.replace(".", ""))
    return float(number)
