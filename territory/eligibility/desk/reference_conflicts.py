"""Conflicts among the references of a batch: one person with two homes, or written in two ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from territory.eligibility.homes import address_texts
from territory.eligibility.rules import read_reference, same_person

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_SHOWN = 5  # conflicts that a sentence names


def reference_conflicts(rows: pd.DataFrame, at_line: npt.NDArray[np.int64]) -> list[str]:
    """Say which references of a file stand for two homes, or are written in two ways.

    ``rows`` are those of ``read_batch``, ``at_line`` their lines. "E-1042" and "e-1042" are one
    person, and so are full-width letters and blanks around it.
    """
    if "person_id" not in rows:
        return []
    written = rows["person_id"].map(lambda text: text if isinstance(text, str) else None)
    person = written.map(read_reference, na_action="ignore")
    key = person.map(same_person, na_action="ignore")
    homes = pd.Series(address_texts(rows), index=rows.index).str.casefold()
    lines = pd.Series(at_line, index=rows.index)
    known = key.notna()
    several = key[known].duplicated(keep=False)
    groups = key[known][several].groupby(key[known][several]).groups
    conflicts = []
    for same in groups.values():
        where = " and ".join(f"{line:,}" for line in lines[same].head(_SHOWN))
        names = sorted(set(written[same].str.strip()))
        if len(names) > 1:
            conflicts.append(f"{' and '.join(names)} (lines {where}) are read as one person")
        elif homes[same].nunique() > 1:
            conflicts.append(f"{names[0]} has {homes[same].nunique()} homes (lines {where})")
    return conflicts


def conflict_sentence(conflicts: list[str]) -> str:
    """Say what is wrong with the references of a file, and what to do."""
    more = f"; and {len(conflicts) - _SHOWN:,} more" if len(conflicts) > _SHOWN else ""
    return (
        f"{len(conflicts):,} references are not clear: {'; '.join(conflicts[:_SHOWN])}{more}. "
        "Nothing is decided. Keep one row for each person, or give each person a reference of "
        "their own."
    )
