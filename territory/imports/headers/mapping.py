"""Header mapping: which column of a file is which of ours, and which a kind cannot do without."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from territory import schemas
from territory.cleaning import fold
from territory.errors import ColumnError, InputError
from territory.imports.headers.addresses import FIELDS, address_columns, unused, words_of
from territory.imports.headers.names import LAST_NAME, LITERAL, NAMES, OWN_WORDS, PROTECTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

CONTRACTS = {
    "offices": schemas.OFFICES,
    "prospects": schemas.PROSPECTS,
    "sites": schemas.SITES,
    "contacts": schemas.CONTACTS,
    "opportunities": schemas.OPPORTUNITIES,
    "reps": schemas.REPS,
    "quotas": schemas.QUOTAS,
    "markets": schemas.MARKETS,
    "territories": schemas.TERRITORIES,
    "named_accounts": schemas.NAMED_ACCOUNTS,
}
# Columns of a kind that are worked out where a file lacks them.
_WORKED_OUT = {"markets": ("market_id", "kind")}
_OF_A_PLAN = {"rep_id", "rule", "reason"}
# What a row without an id is known by; the kinds that are not here need their ids.
IDENTITY = {
    "offices": ("name", *schemas.ADDRESS),
    "prospects": ("name", *schemas.ADDRESS),
    "sites": ("prospect_id", "name", *schemas.ADDRESS),
    "contacts": ("prospect_id", "name", "email"),
}
DEFAULTS = {"status": "prospect", "segment": schemas.ANY_SEGMENT}
KINDS = tuple(NAMES)
_SCALES = (
    (re.compile(r"\b(billions?|bn|bln)\b", re.IGNORECASE), 1e9),
    (re.compile(r"\b(millions?|mm|mn|mil|m)\b", re.IGNORECASE), 1e6),
    (re.compile(r"\b(thousands?|000s?|k)\b", re.IGNORECASE), 1e3),
)
_IN_BRACKETS = re.compile(r"[\[(]([^\])]*)[\])]|\bin\s+(.*)$", re.IGNORECASE)
_UNIT = re.compile(r"[\[(].*|\s+in\s+.*", re.IGNORECASE)
# The Fortune 500 file of HIFLD states revenue in millions of dollars and says so nowhere in it.
_HIFLD_FORTUNE_500 = frozenset(("rank", "revenues", "profit", "prc"))


def map_headers(columns: Iterable[str], kind: str) -> dict[str, str]:
    """Say which of ``columns`` is which column of the ``kind``; those that are none are left out.

    Each column of ours is taken once: those of an address by their words and all of one address,
    the others by the header that is first in its list of names, with or without the words that only
    say what the rows are ("Account: Name"). What is in brackets or after "in" ("Revenue (USD
    millions)") does not count.

    Returns
    -------
    mapping
        Header of the file -> column of ours, in the order of the file.
    """
    headers = list(columns)
    names = _headers(kind)
    if kind == "prospects" and set(headers) >= _OF_A_PLAN:
        headers.remove("rep_id")  # whom the plan gives it to, in a file of ours; no CRM's owner
    exact = _by_form(headers, lambda header: (fold(_UNIT.sub("", header)), fold(header)))
    address = address_columns(headers, kind) if "street" in names else {}
    own_names = [column for column in names if column not in FIELDS and fold(column) in exact]
    mapping = {exact[fold(column)]: column for column in own_names}
    for column in FIELDS:
        if column in address and column not in mapping.values() and address[column] not in mapping:
            mapping[address[column]] = column
    own = frozenset(OWN_WORDS.get(kind, "").split())
    bare = _by_form(headers, lambda header: _bare_forms(header, own))
    for forms in (exact, bare):
        for column in names:
            if column in mapping.values() or (forms is bare and column in LITERAL):
                continue
            header = next(
                (
                    forms[name]
                    for name in names[column].split()
                    if name in forms and forms[name] not in mapping
                ),
                None,
            )
            if header is not None:
                mapping[header] = column
    return {header: mapping[header] for header in headers if header in mapping}


def _by_form(headers: Iterable[str], forms: Callable[[str], tuple[str, ...]]) -> dict[str, str]:
    """Index headers by the forms in which they may be known; the first of a form is taken."""
    by_form: dict[str, str] = {}
    for header in headers:
        for form in forms(header):
            by_form.setdefault(form, header)
    return by_form


def _bare_forms(header: str, own: frozenset[str]) -> tuple[str, ...]:
    """Give a header without the words for the rows of the file at its start."""
    text = header.strip()
    if text.lower().startswith(PROTECTED):
        rest = fold(text[len(PROTECTED) :])
        return ("id",) if rest in own else ()
    words = list(words_of(_UNIT.sub("", text)))
    while len(words) > 1 and words[0] in own:
        del words[0]
    return ("".join(words),)


def check_mapping(mapping: Mapping[str, str], columns: Iterable[str], kind: str) -> None:
    """Refuse a mapping that names headers or columns that are not there, all at once.

    A header mapped to "" is one that is not to be used.

    Raises
    ------
    ColumnError
        Naming each header that the file lacks, each column that ``kind`` lacks, and each column
        that two headers are mapped to.
    """
    present, ours = list(columns), _headers(kind)
    targets = [name for name in mapping.values() if name]
    breaches = [f"the file has no column {name!r}" for name in mapping if name not in present]
    breaches += [
        f"{kind} have no column {name!r}, only {', '.join(ours)}"
        for name in dict.fromkeys(targets)
        if name not in ours
    ]
    breaches += [
        f"{name!r} is mapped {targets.count(name)} times"
        for name in dict.fromkeys(targets)
        if targets.count(name) > 1
    ]
    if breaches:
        raise ColumnError(f"The mapping of columns does not fit: {'; '.join(breaches)}.")


def warnings_of(kind: str, mapping: Mapping[str, str], headers: Iterable[str]) -> tuple[str, ...]:
    """Warn of a file that is read without its states or ZIP codes although it may have them."""
    if "street" not in _headers(kind):
        return ()
    header_of = {column: header for header, column in mapping.items() if column}
    lists = unused(header_of, headers, kind)
    if not lists:
        return ()
    words = {"state": "State", "postal_code": "ZIP or postal code"}
    lacking = " and ".join(words[column] for column in lists)
    names = ", ".join(repr(name) for column in lists for name in lists[column][:5])
    verb = "are" if len(lists) > 1 else "is"
    sentence = (
        f"{lacking} {verb} not matched to a column, and these are not used: {names}. Without "
        "them a city may be placed in the wrong state. Match them before you import, unless they "
        "are of another address."
    )
    return (sentence,)


def columns_of(kind: str) -> tuple[str, ...]:
    """Name the columns that a header of a file may be mapped to.

    Raises
    ------
    InputError
        If there is no such kind.
    """
    return tuple(_headers(kind))


def signature_of(columns: Iterable[str]) -> str:
    """Give a text that stands for a set of headers, in any order: files of one source share it."""
    return hashlib.sha256("\x1f".join(sorted(columns)).encode()).hexdigest()


def scale_of(header: str, columns: Iterable[str]) -> float:
    """How many dollars 1 means under this header: 1e6 for "Revenue (USD millions)", else 1."""
    if fold(header) == "revenues" and {fold(name) for name in columns} >= _HIFLD_FORTUNE_500:
        return 1e6
    unit = " ".join(part for match in _IN_BRACKETS.findall(header) for part in match)
    return next((scale for pattern, scale in _SCALES if pattern.search(unit)), 1.0)


def _headers(kind: str) -> dict[str, str]:
    if kind not in NAMES:
        raise InputError(f"There is no kind {kind!r}. The kinds are {', '.join(KINDS)}.")
    return NAMES[kind]


def required(kind: str) -> tuple[str, ...]:
    """Name the columns that a file of a kind cannot do without."""
    contract = CONTRACTS[kind]
    first = next(iter(contract.columns))
    return tuple(
        name
        for name, column in contract.columns.items()
        if not column.nullable
        and name not in (*DEFAULTS, *_WORKED_OUT.get(kind, ()))
        and not (name == first and kind in IDENTITY)
    )


def check_columns(
    kind: str, mapping: Mapping[str, str], headers: list[str], *, is_update: bool = False
) -> None:
    """Refuse a mapping that does not fit, or that lacks a column which nothing can stand in for.

    For rows that may be on file already (``is_update``) what is on file stands in, as long as the
    file has their ids.

    Raises
    ------
    ColumnError
        Saying all that is wrong with it.
    """
    check_mapping(mapping, headers, kind)
    missing = [name for name in required(kind) if name not in mapping.values()]
    if LAST_NAME in mapping.values():
        missing = [name for name in missing if name != "name"]
    ids = [name for name in key_columns(CONTRACTS[kind]) if name not in DEFAULTS]
    if is_update and set(ids) <= set(mapping.values()):
        return
    if missing and not is_nameless(kind, mapping, headers):
        raise ColumnError(
            f"A file of {kind} needs {', '.join(map(repr, missing))}; this one has "
            f"{', '.join(map(repr, headers))}. Rename a column, or give a mapping."
        )


def key_columns(contract: Any) -> list[str]:
    """Name the columns by which a contract tells its rows apart."""
    unique = contract.unique or [name for name, column in contract.columns.items() if column.unique]
    return list(unique)


def is_nameless(kind: str, mapping: Mapping[str, str], headers: list[str]) -> bool:
    """Tell whether a file lists prospects that are known by nothing but where they are.

    So it is where the file has places, neither ids nor names, and no header about which nothing was
    said: that one might be the name.
    """
    present = set(mapping.values())
    return (
        kind == "prospects"
        and not present & {"prospect_id", "name"}
        and bool(present & {"city", "postal_code"})
        and set(headers) <= set(mapping)
    )
