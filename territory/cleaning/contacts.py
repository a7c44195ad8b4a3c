"""Phone numbers and e-mail addresses, each read by the library that is made for it."""

from __future__ import annotations

import re

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat

_NAMED = re.compile(r".*<\s*([^<>]+?)\s*>\s*", re.DOTALL)
_SEVERAL = re.compile(r"\s*[;,|\n]\s*|\s+/\s+|\s+or\s+")
_SHORTEST = 6  # digits of a number that stands beside another


def phone(text: str, region: str) -> str:
    """A phone number as +12125550150;ext=12; as it is written where it is no possible number.

    Of several numbers the first counts. A local number without an area code stays as it is.

    Parameters
    ----------
    region
        ISO code of the country whose number it is where it has no prefix of its own.

    >>> phone("(212) 555-0150 x12", "US"), phone("555-0150", "US"), phone("020 7946 0018", "GB")
    ('+12125550150;ext=12', '555-0150', '+442079460018')
    """
    parts = [part for part in _SEVERAL.split(text) if len(re.findall(r"\d", part)) >= _SHORTEST]
    try:
        number = phonenumbers.parse(parts[0] if len(parts) > 1 else text, region)
    except NumberParseException:
        return text
    is_filler = len(set(str(number.national_number))) == 1  # 000-000-0000
    reason = phonenumbers.is_possible_number_with_reason(number)
    if is_filler or reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return text
    extension = f";ext={number.extension}" if number.extension else ""
    return phonenumbers.format_number(number, PhoneNumberFormat.E164) + extension


def email(text: str) -> str | None:
    """An e-mail address in standard form; None where the text is none. Of several the first counts.

    >>> email("Kim Doe <mailto:Kim.Doe@EXAMPLE.com>"), email("kim at example")
    ('Kim.Doe@example.com', None)
    """
    inner = match[1] if (match := _NAMED.fullmatch(text)) else text
    part = _SEVERAL.split(inner.strip())[0]
    part = re.sub(r"^mailto:", "", part, flags=re.IGNORECASE).partition("?")[0]
    try:
        return validate_email(part, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        return None
