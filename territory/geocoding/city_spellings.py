"""Spellings of American cities that no table lists: abbreviations, Census names, lost blanks.

Only tried where a name as it is written is no place of its state, so that nothing they cut off or
write out can turn one place into another.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from territory.geocoding.gazetteer_index import GAP
from territory.reference import normalise_place

if TYPE_CHECKING:
    from collections.abc import Iterator

# As the USPS, payroll programs and people abbreviate the words of a city's name.
_WORDS = {
    "so": "south", "no": "north", "ea": "east", "uppr": "upper", "lwr": "lower", "grt": "great",
    "cty": "city", "vly": "valley", "est": "estates", "ests": "estates",
    "is": "island", "isl": "island", "pl": "place", "fls": "falls",
    "ter": "terrace", "grv": "grove", "grvs": "groves", "cor": "corners", "cors": "corners",
    "cntry": "country", "clb": "club", "sta": "station", "hl": "hill", "hls": "hills",
    "hghlnds": "highlands", "hgts": "heights", "hghts": "heights", "rpds": "rapids",
    "crk": "creek", "brk": "brook", "brg": "bridge", "rdg": "ridge", "hbr": "harbor",
    "mdws": "meadows", "frst": "forest", "grn": "green", "gdns": "gardens", "mnr": "manor",
    "lks": "lakes", "rvr": "river", "riv": "river", "prt": "port", "cpe": "cape", "clfs": "cliffs",
    "pr": "prairie", "spr": "spring", "sprgs": "springs", "sprngs": "springs", "vil": "village",
    "mls": "mills", "ml": "mill", "wds": "woods", "frk": "fork", "rch": "ranch", "rnch": "ranch",
    "rncho": "rancho", "gr": "grand", "grd": "grand", "ltl": "little", "univ": "university",
    "nw": "new", "colo": "colorado", "calif": "california", "wisc": "wisconsin",
    "va": "virginia", "afb": "air force base", "snta": "santa", "fran": "francisco",
    "bloomfld": "bloomfield", "farmingtn": "farmington",
}  # fmt: skip
_NAMES = {
    "mpls": "minneapolis", "mnpls": "minneapolis", "phila": "philadelphia",
    "philly": "philadelphia",
    "pgh": "pittsburgh", "indpls": "indianapolis", "indy": "indianapolis", "jax": "jacksonville",
    "balto": "baltimore", "cinti": "cincinnati", "cincy": "cincinnati", "chgo": "chicago",
    "wdm": "west des moines", "nyc": "new york", "ny": "new york", "ny city": "new york",
    "sf": "san francisco", "san fran": "san francisco", "la": "los angeles", "dtla": "los angeles",
    "slc": "salt lake city", "okc": "oklahoma city", "kc": "kansas city", "kcmo": "kansas city",
    "nola": "new orleans", "abq": "albuquerque", "atl": "atlanta", "stl": "st louis",
    "rtp": "research triangle park", "ftw": "ft worth", "st pete": "st petersburg",
    "colo spgs": "colorado springs", "col spgs": "colorado springs", "grand rap": "grand rapids",
    "nashville davidson": "nashville",
}  # fmt: skip
# What the Census puts behind the name of a place; "(balance)" is in brackets, which never count.
_LEGAL = re.compile(
    r" (?:city|town|village|borough|boro|cdp|municipality|zona urbana|comunidad|urban county|"
    r"city & borough|(?:metropolitan|metro|consolidated|unified|city county)(?: government)?|"
    r"corporation)$"
)
_COUNTY = re.compile(r" (?:county|parish|co)$")
_JOINED = re.compile(r"\s*[-/\u2013\u2014]\s*")


class StateSpellings:
    """The keys under which a state's cities are known, by other spellings of their names.

    Parameters
    ----------
    keys
        States and names, as ``Places`` has them, the likelier table first.
    """

    def __init__(self, keys: tuple[frozenset[str], ...]) -> None:
        self._keys = keys

    def in_state(self, state: str, name: str) -> str:
        """The key of the city of a state that is meant; the name's own where there is none."""
        for key in spellings(name):
            if any(state + GAP + key in keys for keys in self._keys):
                return key
        own = normalise_place(name)
        return self._squeezed.get(state + GAP + squeezed(own), own)

    @cached_property
    def _squeezed(self) -> dict[str, str]:
        """The key of each city by its state and its name without blanks."""
        pairs = (key.split(GAP, 1) for keys in reversed(self._keys) for key in keys)
        return {state + GAP + squeezed(name): name for state, name in pairs}


def spellings(name: str) -> Iterator[str]:
    """The keys that a name may stand for beside its own, the nearest to it first."""
    own = normalise_place(name)
    for key in _without_legal_words(own):
        yield from _written_out(key)
    bare = re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", name).strip()
    head = _JOINED.split(bare)[0]
    if head != bare and (
        _LEGAL.search(own) or _COUNTY.search(own)
    ):  # a city and its county are one
        yield normalise_place(head)


def squeezed(key: str) -> str:
    """A key without its blanks: "las vegas" is "lasvegas"."""
    return key.replace(" ", "")


def _without_legal_words(key: str) -> Iterator[str]:
    yield key
    bare = _LEGAL.sub("", key)
    if bare != key:
        yield bare
    if key.startswith("urban "):
        yield bare.removeprefix("urban ")
    county = _COUNTY.sub("", bare)
    if county != bare:
        yield county


def _written_out(key: str) -> Iterator[str]:
    """A key, and with its abbreviations written out."""
    yield key
    if key in _NAMES:
        yield _NAMES[key]
    words = [_WORDS.get(word, re.sub(r"(?<=\w)vlle$", "ville", word)) for word in key.split()]
    whole = " ".join(words)
    if whole != key:
        yield whole
        yield _NAMES.get(whole, whole)
