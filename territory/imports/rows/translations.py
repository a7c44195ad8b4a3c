"""Translations: the words of a file and what each is read as, such as "Lead" as prospect."""

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
    """List the words of a column and what each means, the frequent ones first."""
    pairs = pd.DataFrame({"written": written, "meaning": meaning}).dropna(subset="written")
    counted = pairs.groupby(["written", "meaning"], dropna=False, sort=False).size()
    listed = counted.rename("rows").reset_index().sort_values("rows", ascending=False)
    meanings = listed["meaning"].astype(object)
    listed["meaning"] = meanings.where(meanings.notna(), None)
    return listed.assign(column=column)[list(TRANSLATIONS)]


def changed_translations(translations: pd.DataFrame) -> pd.DataFrame:
    """Leave out the words that mean themselves."""
    is_same = [
        isinstance(meaning, str) and fold(meaning) == fold(written)
        for written, meaning in zip(translations["written"], translations["meaning"], strict=True)
    ]
    return translations[~np.array(is_same, bool)].reset_index(drop=True)


def joined_translations(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put translations of several columns below one another."""
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else empty_translations()
