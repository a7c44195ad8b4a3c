"""Outcomes of opportunities, as columns beside the stage say them.

A probability says nothing here: 100 is also written of what is only promised, and 0 where nobody
filled it in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from territory.accounts import outcome_of_stage
from territory.cleaning import clean_text, fold
from territory.imports.headers import IS_CLOSED, IS_WON

if TYPE_CHECKING:
    from collections.abc import Callable

_TRUE = frozenset(("true", "t", "yes", "y", "1", "10", "x", "wahr", "ja"))  # 10 is 1.0, folded
_FALSE = frozenset(("false", "f", "no", "n", "0", "00", "falsch", "nein"))


def read_outcomes(raw: pd.DataFrame) -> pd.Series:
    """Give "open", "won" or "lost" where a column of the file says it; null: its stage says it.

    ``is_won`` and ``is_closed`` of the CRM go before a word for the outcome. A row that is not won
    and of which nobody says whether it is closed is lost where its stage says won, so that the
    stage never counts as won what the CRM says is not.

    Parameters
    ----------
    raw
        Cells by contract column, with any of stage, outcome, is_won and is_closed.
    """
    blank = pd.Series(None, index=raw.index, dtype=object)
    words = _answers(raw.get("outcome", blank), _outcome_of_word)
    stages = _answers(raw.get("stage", blank), outcome_of_stage)
    is_won = _answers(raw.get(IS_WON, blank), _truth)
    is_closed = _answers(raw.get(IS_CLOSED, blank), _truth)
    outcomes = words.copy()
    outcomes[(is_won == "no") & (stages == "won")] = "lost"
    outcomes[(is_closed == "yes") & (stages != "won") & (words != "won")] = "lost"
    outcomes[(is_closed == "yes") & (is_won == "no")] = "lost"
    outcomes[is_closed == "no"] = "open"
    outcomes[is_won == "yes"] = "won"
    return outcomes


def _answers(cells: pd.Series, answer: Callable[[str], str | None]) -> pd.Series:
    """Give the answer to each cell, asked once a value; null where it is blank."""
    texts = clean_text(cells)
    meanings = {text: answer(text) for text in texts.dropna().unique()}
    values = texts.map(meanings).astype(object)
    return values.where(values.notna(), None)


def _outcome_of_word(text: str) -> str | None:
    """Read a word for an outcome; any other word ("Active") says nothing of it."""
    outcome = outcome_of_stage(text)
    return outcome if outcome != "open" or fold(text) in {"open", "offen", "reopened"} else None


def _truth(text: str) -> str | None:
    folded = fold(text)
    return "yes" if folded in _TRUE else "no" if folded in _FALSE else None
