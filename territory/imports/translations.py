"""Translations: words of a file that are read as other words, such as "Lead" as prospect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.cleaning import fold

if TYPE_CHECKING:
    from collections.abc import Sequence

# ``meaning`` is null where a word was not understood; ``rows`` counts those that have it.
TRANSLATIONS = ("column", "written", "meaning", "rows")


def empty_translations() -> pd.DataFrame:
    """Give translations of a file that needs none."""
    return pd.DataFrame(columns=list(TRANSLATIONS))


def translations_of(column: str, written: pd.Series, meaning: pd.Series) -> pd.DataFrame:
    """List the words of a column that are read as other words, the frequent ones first."""
    pairs = pd.DataFrame({"written": written, "meaning": meaning}).dropna(subset="written")
    counted = pairs.groupby(["written", "meaning"], dropna=False, sort=False).size()
    listed = counted.rename("rows").reset_index().sort_values("rows", ascending=False)
    is_same = [
        isinstance(word, str) and fold(word) == fold(text)
        for text, word in zip(listed["written"], listed["meaning"], strict=True)
    ]
    other = listed[~np.array(is_same, bool)].astype({"meaning": object})
    other["meaning"] = other["meaning"].where(other["meaning"].notna(), None)
    return other.assign(column=column)[list(TRANSLATIONS)]


def joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put translations of several columns below one another."""
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else empty_translations()
