"""What the plan in force holds, page by page; of prospects just the page is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory.errors import InputError
from territory.plans import PlanLedger
from territory.prospects import fields
from territory.reports.paging_ledger import PagingLedger
from territory.reports.view_frames import (
    FINDING_COLUMNS,
    OFFICE_COLUMNS,
    PROSPECT_COLUMNS,
    SUMMARY_COLUMNS,
    Seen,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from territory.access import Scope
    from territory.store import Store

    Choices = Mapping[str, tuple[str | None, ...]]

# What there are pages of, and what each may be narrowed by.
CHOICES = {
    "prospects": tuple(fields.BY_NAME[name].column for name in fields.API),
    "markets": ("kind",),
    "offices": (),
    "findings": ("market_id", "code", "severity", "subject_kind"),
}
COLUMNS = {
    "prospects": PROSPECT_COLUMNS,
    "markets": SUMMARY_COLUMNS,
    "offices": OFFICE_COLUMNS,
    "findings": FINDING_COLUMNS,
}
MOST_ROWS = 1000


@dataclass(frozen=True)
class Page:
    """``rows`` (``COLUMNS`` of the kind) of ``total``; the plan is None before the first one.

    A published plan never changes, so the pages of one ``plan_id`` fit together. What a row says of
    a company and its pipeline is as it is now.
    """

    plan_id: str | None
    total: int
    rows: pd.DataFrame


def page(
    store: Store,
    kind: str,
    *,
    scope: Scope,
    start: int = 0,
    count: int = MOST_ROWS,
    choices: Choices | None = None,
) -> Page:
    """Give what is in reach from row ``start`` on: prospects by id, the others as ``views`` do.

    Parameters
    ----------
    kind
        One of ``CHOICES``.
    choices
        Values let through of each of ``CHOICES`` of the kind; None is "not known". Of a flag they
        are "1" and "0".

    Raises
    ------
    InputError
        If there is no such kind or choice, or the page is longer than ``MOST_ROWS`` or begins
        before the first row.
    """
    wanted = dict(choices or {})
    _check(kind, wanted, start, count)
    with store.read() as transaction:
        plan = PlanLedger(transaction).plan_in_force()
        if plan is None:
            return Page(None, 0, pd.DataFrame(columns=list(COLUMNS[kind])))
        seen = Seen(transaction, plan, scope)
        if kind == "prospects":
            ids, total = PagingLedger(transaction).prospects(
                plan.plan_id, scope.accounts, wanted, start=start, count=count
            )
            return Page(plan.plan_id, total, seen.prospects(prospect_id=ids))
        parts = {"markets": seen.summaries, "offices": seen.offices, "findings": seen.findings}
        rows = _narrowed(parts[kind](), wanted)
        return Page(plan.plan_id, len(rows), rows[start : start + count].reset_index(drop=True))


def _check(kind: str, wanted: Choices, start: int, count: int) -> None:
    if kind not in CHOICES:
        raise InputError(f"There are no pages of {kind!r}. There are of {', '.join(CHOICES)}.")
    if unknown := sorted(set(wanted) - set(CHOICES[kind])):
        raise InputError(
            f"No choice {', '.join(unknown)} of {kind}. "
            f"There are {', '.join(CHOICES[kind]) or 'none'}."
        )
    if start < 0 or not 0 < count <= MOST_ROWS:
        raise InputError(
            f"{count:,} rows from {start:,} on: a page has 1 to {MOST_ROWS:,} rows, from 0 on."
        )


def _narrowed(rows: pd.DataFrame, wanted: Choices) -> pd.DataFrame:
    passes = np.ones(len(rows), dtype=bool)
    for name, values in wanted.items():
        is_named = rows[name].isin([value for value in values if value is not None])
        passes &= np.asarray(
            is_named | rows[name].isna() if None in values else is_named, dtype=bool
        )
    return rows[passes]
