"""Outcomes of opportunities: open, won or lost, by the stage that a CRM names.

This is the one definition: pipelines, quotas, stages, filters, profiles and exports ask here.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_WON = r"won|gewonnen|gagnee?|ganad[oa]|vint[oa]"
_LOST = (
    r"lost|lose|loss|dead|disqualified|unqualified|abandoned|cancell?ed|rejected|declined|unwon"
    r"|verloren|perdue?|perdid[oa]|pers[oa]"
)
_CLOSED = r"closed|geschlossen|abgeschlossen|fermee?|cerrad[oa]|chius[oa]"
_NOT = r"not|never|nicht|nie"
_HOPE = r"nearly|almost|likely|probably|to be|can be|could be|will be|not yet"
# Said of what is still hoped for, or open once more; never of what is closed and won or lost.
_HOPED = re.compile(
    rf"\bre ?opened\b|\bwin ?backs?\b|\b(?:{_NOT})(?: yet)? (?:{_CLOSED}|{_LOST})\b"
    rf"|\b(?:{_HOPE}) (?:{_CLOSED}|{_WON})\b"
)
# At one place in the order of the alternatives; the first place in the text decides, so that
# "Closed Lost - won by competitor" is lost and "Closed Won - lost discount" is won.
_DECIDING = re.compile(
    rf"\b(?:(?P<lost>(?:{_NOT}|non?) (?:{_WON}|win)|(?:{_WON}|win) by (?!us\b)|{_LOST})"
    rf"|(?P<won>(?:{_WON})|(?<=closed )win))\b"
)
_IS_DECIDED = re.compile(rf"^(?:\d+ )*(?:{_CLOSED}) (?:{_WON}|{_LOST}|win)\b")
_IS_CLOSED = re.compile(rf"\b(?:{_CLOSED})\b")


def outcome_of_stage(stage: str) -> str:
    """Tell what a stage says of its opportunity: "open", "won" or "lost".

    The first word that says won or lost decides; "not won" and "won by" somebody else are lost.
    Closed with neither word is lost: nothing more is expected of it, and nobody says it was won.
    English, German, French, Spanish and Italian words are known.

    Parameters
    ----------
    stage
        As the CRM names it ("Closed Won", "6 - Closed/Lost", "closedwon", "Gewonnen").
    """
    plain = unicodedata.normalize("NFKD", stage).encode("ascii", "ignore").decode().lower()
    words = " ".join(re.findall(r"[a-z]+|\d+", plain))
    words = re.sub(r"\bclosed(won|lost)\b", r"closed \1", words)
    if _HOPED.search(words) and not _IS_DECIDED.search(words):
        return "open"
    if deciding := _DECIDING.search(words):
        return "lost" if deciding["lost"] else "won"
    return "lost" if _IS_CLOSED.search(words) else "open"


def outcomes(opportunities: pd.DataFrame) -> pd.Series:
    """Tell of each opportunity whether it is "open", "won" or "lost".

    What the file said in columns of its own (``outcome``, where it is not null) goes before the
    words of ``stage``.
    """
    stages = opportunities["stage"].astype(str)
    by_stage = stages.map({stage: outcome_of_stage(stage) for stage in stages.unique()})
    by_stage = by_stage.astype(object)
    if "outcome" not in opportunities:
        return by_stage
    return opportunities["outcome"].where(opportunities["outcome"].notna(), by_stage)
