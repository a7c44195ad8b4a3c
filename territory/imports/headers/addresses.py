"""Address headers: the family (billing, shipping, ...) and the field that a header's words name.

"Billing Zip/Postal Code", "BillingPostalCode", "Address 1: ZIP/Postal Code" and "Organization -
ZIP/Postal code of Address" are read by their words, so that no spelling needs a list. A row has one
address: its fields are of one family, never the city of one and the ZIP code of another.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ACCURACY = "geocode_accuracy"  # what a CRM says of its coordinates: read, and no column of ours
PLAIN, BILLING = "", "billing"
# The words of each family. Of families that say as much as one another the first one is taken.
_FAMILIES = {
    BILLING: "billing bill invoice invoicing",
    PLAIN: "",
    "headquarters": "headquarters headquarter hq head corporate principal",
    "primary": "primary main default",
    "registered": "registered registration legal",
    "physical": "physical visiting business work",
    "mailing": "mailing correspondence",
    "shipping": "shipping ship delivery deliver deliv",
    "other": "other alternate alternative secondary additional",
}
_ORDER = tuple(_FAMILIES)
_FAMILY_OF = {word: family for family, words in _FAMILIES.items() for word in words.split()}
# Whose address it is. Of the kind of rows that the file holds, such a word says nothing more.
_COMPANIES = (
    "organization organisation company account customer client prospect lead firm borrower "
    "institution employer"
)
_PLACES = "store location branch site outlet shop facility"
_OWN = {"sites": _PLACES, "offices": f"office {_PLACES}"}
_OWNERS = frozenset(f"{_COMPANIES} {_PLACES}".split())
_ADDRESS = frozenset(("address", "addr", "addresses"))
_NOISE = "of the to for text only value full combined geo geocode geocoded gps wgs 84"
_FILLING = frozenset(_NOISE.split())
# Each field: the words of which it has one, and those that may stand beside them. The first field
# that a header's words allow is the one it names: an address line has the word "address" too.
_WORDS = {
    "lat": (
        "lat latitude latitud intptlat ycoord latofgeometry",
        "coordinate coordinates decimal geometry",
    ),
    "lon": (
        "lon lng long longitude longitud intptlon intptlong xcoord lonofgeometry",
        "coordinate coordinates decimal geometry",
    ),
    ACCURACY: ("accuracy", "level"),
    "postal_code": (
        "zip zipcode postal postcode postalcode plz pincode eircode", "code post number pin 5",
    ),
    "state": (
        "state province prefecture stabbr prov",
        "region county name code abbr abbreviation st 2 iso",
    ),
    "country": ("country", "region territory name code iso 2 alpha"),
    "city": ("city town village locality municipality", "name post suburb state st zip zipcode"),
    "street": ("street address addr addresses", "road name line 1"),
}  # fmt: skip
_FIELDS = {
    field: (frozenset(needed.split()), frozenset(f"{needed} {allowed}".split()))
    for field, (needed, allowed) in _WORDS.items()
}
FIELDS = tuple(_FIELDS)
# Zoho calls a ZIP code "Billing Code". Where an address has a name, its region is a state.
_ZIP_CODE_FAMILIES = (BILLING, "shipping", "mailing", "other")
_VOCABULARY = frozenset(
    word
    for words in (
        _FAMILY_OF, _OWNERS, _ADDRESS, _FILLING, ("office",),
        *(allowed for _, allowed in _FIELDS.values()),
    )
    for word in words
    if len(word) > 2
) | {"hq"}  # fmt: skip
_TEXT_ONLY = re.compile(r"\(text only\)", re.IGNORECASE)
_CUSTOM = re.compile(r"__(?:c|pc|r)$", re.IGNORECASE)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
# Of the headers of one field, the one with the first of these words is taken.
_PREFERRED = {
    "street": ("street", "line", "address"),
    "state": ("code", "abbr", "abbreviation", "stabbr", "state"),
    "postal_code": ("postal", "postalcode", "postcode", "zip"),
}


@dataclass(frozen=True)
class AddressHeader:
    """What a header is the field of.

    ``family``: billing, shipping, ..., "" for an address without a name. ``number``: the 2 of
    "Address 2: City". ``owner``: the company, in a file of sites. ``field``: one of ``FIELDS``.
    """

    header: str
    family: str
    number: str
    owner: str
    field: str
    words: tuple[str, ...]

    @property
    def address(self) -> tuple[str, str, str]:
        """What all the fields of one address have in common."""
        return (self.family, self.number, self.owner)


@cache
def words_of(header: str) -> tuple[str, ...]:
    """Split a header into its words, in lower case: "BillingPostalCode" is billing postal code."""
    text = unicodedata.normalize("NFKD", _CUSTOM.sub("", header))
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    parts = [part for part in re.split(r"[\W_]+", _HUMP.sub(" ", text).casefold()) if part]
    return tuple(word for part in parts for word in _segments(part))


def _segments(part: str) -> tuple[str, ...]:
    """Split "billingcity" into words of addresses; what is not made of them stays as it is."""
    if part in _VOCABULARY or len(part) < 5:
        return (part,)
    for at in range(len(part) - 2, 1, -1):
        if part[:at] in _VOCABULARY:
            rest = _segments(part[at:])
            if all(word in _VOCABULARY for word in rest):
                return (part[:at], *rest)
    return (part,)


def read_header(header: str, kind: str) -> AddressHeader | None:
    """Read a header as a field of an address; None where its words name none."""
    words = list(words_of(header))
    number = _take_number(words)
    pairs = list(itertools.pairwise(words))
    if ("head", "office") in pairs:
        del words[pairs.index(("head", "office")) + 1]
    if ("postal", "address") in pairs:
        words[pairs.index(("postal", "address"))] = "mailing"
    own = frozenset(_OWN.get(kind, _COMPANIES + " " + _PLACES).split())
    families = [_FAMILY_OF[word] for word in words if word in _FAMILY_OF]
    owners = [word for word in words if word in _OWNERS and word not in own]
    rest = [word for word in words if not (word in _FAMILY_OF or word in own or word in owners)]
    family = families[0] if families else PLAIN
    field = _field_of(rest, family)
    if field is None:
        return None
    return AddressHeader(header, family, number, "company" if owners else "", field, tuple(rest))


def _take_number(words: list[str]) -> str:
    """Take out the number of an address: the 1 of "Address 1: City", not that of a line."""
    for at, word in enumerate(words[:-2]):
        if word in _ADDRESS and words[at + 1].isdigit() and words[at + 2] not in _ADDRESS:
            return words.pop(at + 1)
    return ""


def _field_of(words: list[str], family: str) -> str | None:
    """Say which field the words name that are left of a header without its family."""
    core = frozenset(words) - _FILLING - _ADDRESS
    if family in _ZIP_CODE_FAMILIES and core == {"code"}:
        return "postal_code"
    if family and core == {"region"}:
        return "state"
    if {"post", "code"} <= core <= _FIELDS["postal_code"][1]:
        return "postal_code"
    for field, (needed, allowed) in _FIELDS.items():
        whole = frozenset(words) if field == "street" else core
        if whole & needed and core <= allowed:
            return field
    return None


def address_columns(headers: Iterable[str], kind: str) -> dict[str, str]:
    """Choose the address of a file's rows: column of ours -> header, all of one family.

    A billing address goes before the others, and one that can be placed (by ZIP code, city and
    state, or coordinates) before one that cannot; then the one that says most. What has no family
    at all, such as a lone "Country", completes it.
    """
    addresses: dict[tuple[str, str, str], dict[str, AddressHeader]] = {}
    for header in headers:
        read = read_header(header, kind)
        if read is not None:
            fields = addresses.setdefault(read.address, {})
            fields[read.field] = min((fields.get(read.field, read), read), key=_preference)
    if not addresses:
        return {}
    best = min(addresses, key=lambda address: _rank(address, addresses[address]))
    fields = dict(addresses[best])
    plain = addresses.get((PLAIN, "", ""), {})
    for field in _completing(fields, plain, len(addresses)):
        fields[field] = plain[field]
    return {field: fields[field].header for field in FIELDS if field in fields}


def _preference(read: AddressHeader) -> tuple[bool, int]:
    words = _PREFERRED.get(read.field, ())
    at = next((at for at, word in enumerate(words) if word in read.words), len(words))
    is_extra = _TEXT_ONLY.search(read.header) or (read.field == "country" and "code" in read.words)
    return bool(is_extra), at


def _rank(
    address: tuple[str, str, str], fields: dict[str, AddressHeader]
) -> tuple[bool, bool, int, int, str, str]:
    """Order addresses: the first one is taken."""
    family, number, owner = address
    has = fields.keys()
    is_whole = "postal_code" in has or {"city", "state"} <= has or {"lat", "lon"} <= has
    is_billing = family == BILLING and not owner
    return (not is_whole, not is_billing, -len(has), _ORDER.index(family), number, owner)


def _completing(
    fields: dict[str, AddressHeader], plain: dict[str, AddressHeader], addresses: int
) -> list[str]:
    """Name the fields of a nameless address that can only belong to the one that was chosen."""
    names = [field for field in plain if field not in fields]
    if "lat" in fields or "lon" in fields or not {"lat", "lon"} <= plain.keys():
        names = [field for field in names if field not in ("lat", "lon", ACCURACY)]
    if "city" in plain or addresses > 2:  # an address of its own, or nobody knows whose part it is
        names = [field for field in names if field in ("country", "lat", "lon", ACCURACY)]
    return names


def unused(mapping_of: dict[str, str], headers: Iterable[str], kind: str) -> dict[str, list[str]]:
    """List headers that may be the state or the ZIP code where a file is mapped without them.

    Parameters
    ----------
    mapping_of
        Column of ours -> header, as the file is mapped.
    """
    if not {"city", "country"} & mapping_of.keys():
        return {}
    used = set(mapping_of.values())
    lists: dict[str, list[str]] = {}
    for column in ("state", "postal_code"):
        names = [name for name in headers if name not in used and _may_be(name, column, kind)]
        if column not in mapping_of and names:
            lists[column] = names
    return lists


def _may_be(header: str, column: str, kind: str) -> bool:
    read = read_header(header, kind)
    return (read is not None and read.field == column) or bool(
        _FIELDS[column][0] & set(words_of(header))
    )
