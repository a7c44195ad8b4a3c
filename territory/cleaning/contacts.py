"""Phone numbers, e-mail and web addresses, each read by the library that is made for it."""

from __future__ import annotations

import re
from functools import cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat
from publicsuffixlist import PublicSuffixList

_WITH_NAME = re.compile(r".*<\s*([^<>]+?)\s*>\s*", re.DOTALL)
_SEVERAL = re.compile(r"\s*[;,|\n]\s*|\s+/\s+|\s+or\s+")
_SHORTEST = 6  # digits of a number that stands beside another
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*:/*|^//", re.IGNORECASE)
# Hosts where anybody has a page: the address of one there is not that of a company.
SHARED_HOSTS = frozenset(
    (
        "aol.com", "bing.com", "blogspot.com", "crunchbase.com", "facebook.com", "fb.com",
        "free.fr", "github.com", "gmail.com", "google.com", "hotmail.com", "icloud.com",
        "indeed.com", "instagram.com", "linkedin.com", "linktr.ee", "live.com", "medium.com",
        "msn.com",
        "outlook.com", "t-online.de", "tiktok.com", "twitter.com", "wikipedia.org", "wix.com",
        "wixsite.com", "wordpress.com", "x.com", "yahoo.com", "yelp.com", "youtube.com",
        "weebly.com",
    )
)  # fmt: skip


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
    inner = match[1] if (match := _WITH_NAME.fullmatch(text)) else text
    part = _SEVERAL.split(inner.strip())[0]
    part = re.sub(r"^mailto:", "", part, flags=re.IGNORECASE).partition("?")[0]
    try:
        return validate_email(part, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        return None


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def domain(address: str) -> str | None:
    """The registered domain of a web or e-mail address; None where the text is no such address.

    >>> domain("https://www.ox.ac.uk/about?x=1")
    'ox.ac.uk'
    """
    text = _SCHEME.sub("", address.strip().casefold())
    host = re.split(r"[/?#\s\\,;]", text, maxsplit=1)[0].rpartition("@")[2]
    host = host.partition(":")[0].strip(".")
    if not re.fullmatch(r"[^\W_](?:[\w-]*\w)?(?:\.[\w-]+)+", host) or host[-1].isdigit():
        return None
    name: str | None = _suffixes().privatesuffix(host)
    return name
