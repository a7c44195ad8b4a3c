"""Company names in a form in which the same ones are equal.

For comparing only: what a file calls a company is kept as it is written.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from cleanco import prepare_default_terms  # type: ignore[import-untyped]

# Rows of files that have no names are called this, so it names nobody.
UNNAMED = "Unnamed company"

_APOSTROPHES = re.compile(r"['’‘`´ʻʼ]")
_INITIALS = re.compile(r"\b(\w)\.(?=\w\b|\s|$)")
_GAPS = re.compile(r"[\W_]+")
_WORDS = {
    "saint": "st", "sainte": "st", "mount": "mt", "fort": "ft", "intl": "international",
    "mfg": "manufacturing", "mfrs": "manufacturers", "natl": "national", "assn": "association",
    "assoc": "associates", "bros": "brothers", "svc": "service", "svcs": "services",
    "univ": "university", "dept": "department", "govt": "government", "ins": "insurance",
    "fin": "financial", "hldg": "holding", "hldgs": "holdings", "inds": "industries",
    "labs": "laboratories", "pharma": "pharmaceuticals", "pharm": "pharmaceuticals",
    "tech": "technology", "techs": "technologies", "grp": "group", "mgmt": "management",
    "ctr": "center", "centre": "center",
}  # fmt: skip
# Of the shortest legal forms only these: others are as often part of a name (Ecopro BM).
_SHORT_FORMS = frozenset(
    ("ab", "ae", "ag", "as", "bv", "co", "kg", "kk", "lp", "nv", "oy", "pc", "sa", "se", "sl")
)
_NOT_FORMS = frozenset((("psu",), ("sep",), ("sem",)))  # Penn State, and terms
_MORE_FORMS = frozenset(
    (("cos",), ("companies",), ("the",), ("de", "cv"), ("and", "co"), ("dba",), ("pc",), ("se",),
     ("publ",))
)  # fmt: skip


@cache
def _forms() -> frozenset[tuple[str, ...]]:
    """Legal forms as words, from cleanco."""
    forms = {
        tuple(_GAPS.sub(" ", " ".join(words)).split()) for _, words in prepare_default_terms()
    } - {()}
    long = {words for words in forms if len("".join(words)) > 2 or words[0] in _SHORT_FORMS}
    return frozenset((long | _MORE_FORMS) - _NOT_FORMS)


def name_key(name: str) -> str:
    """The words of a company's name that tell it apart, in order; "" for one that has no name.

    Case, accents, punctuation, "&" and "and", a leading "The", legal forms at the end and common
    abbreviations do not count.

    >>> name_key("The J. M. Smucker Company, Inc.")
    'jm smucker'
    """
    if name.startswith(UNNAMED):
        return ""
    plain = _APOSTROPHES.sub("", name.casefold())
    if not plain.isascii():
        spread = unicodedata.normalize("NFKD", plain)
        plain = "".join(letter for letter in spread if not unicodedata.combining(letter))
    plain = _INITIALS.sub(r"\1 ", plain)
    words = [_WORDS.get(word, word) for word in _GAPS.sub(" ", plain).split()]
    words = _join_initials(words)
    if len(words) > 1 and words[0] == "the":
        del words[0]
    forms = _forms()
    while True:
        for size in (3, 2, 1):
            if len(words) > size and tuple(words[-size:]) in forms:
                del words[-size:]
                break
        else:
            break
    return " ".join([word for word in words if word != "and"] or words)


def _join_initials(words: list[str]) -> list[str]:
    """Join initials: "j", "m", "smucker" becomes "jm", "smucker"."""
    parts: list[str] = []
    is_open = False
    for word in words:
        is_letter = len(word) == 1 and word.isalpha()
        if is_letter and is_open:
            parts[-1] += word
        else:
            parts.append(word)
        is_open = is_letter
    return parts
