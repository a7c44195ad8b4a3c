"""The prospects of the plan in force, page by page: no more is read than stands on the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from territory.errors import InputError
from territory.view_frames import PROSPECT_COLUMNS, Seen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from territory.access import Scope
    from territory.store import Store

CHOICES = ("market_id", "rep_id", "status", "segment", "verdict")
MOST_ROWS = 1000


@dataclass(frozen=True)
class Page:
    """``rows`` (``PROSPECT_COLUMNS``) of ``total``; the plan is None before the first one.

    A published plan never changes, so the pages of one ``plan_id`` fit together. What a row says of
    the company and its pipeline is as it is now.
    """

    plan_id: str | None
    total: int
    rows: pd.DataFrame


def prospects(
    store: Store,
    *,
    scope: Scope,
    start: int = 0,
    count: int = MOST_ROWS,
    choices: Mapping[str, tuple[str | None, ...]] | None = None,
) -> Page:
    """Give the prospects in reach from ``start`` on, in the order of their ids.

    Parameters
    ----------
    choices
        Values let through of each of ``CHOICES``; None is "not known".

    Raises
    ------
    InputError
        If a choice is none, or the page is longer than ``MOST_ROWS`` or begins before the first.
    """
    wanted = dict(choices or {})
    if unknown := sorted(set(wanted) - set(CHOICES)):
        raise InputError(f"No choice {', '.join(unknown)}. There are {', '.join(CHOICES)}.")
    if start < 0 or not 0 < count <= MOST_ROWS:
        raise InputError(
            f"rows {start:,} to {start + count:,}: a page has 1 to {MOST_ROWS:,} rows."
        )
    with store.read() as transaction:
        plan = transaction.plan_in_force()
        if plan is None:
            return Page(None, 0, pd.DataFrame(columns=list(PROSPECT_COLUMNS)))
        ids, total = transaction.paging.prospects(
            plan.plan_id, scope.accounts, wanted, start=start, count=count
        )
        rows = Seen(transaction, plan, scope).prospects(prospect_id=ids)
        return Page(plan.plan_id, total, rows)
