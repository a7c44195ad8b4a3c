"""Read a market of the plan in force and sum it up, within a scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely

from territory import reference
from territory.markets import size
from territory.plans import ReadingLedger
from territory.reports import views
from territory.reports.profile import TOP, Profile, Sellers, Subject, profile

if TYPE_CHECKING:
    from territory.access import Scope
    from territory.store import Store


def market_profile(
    store: Store, market_id: str, *, scope: Scope, day: str | None = None
) -> Profile:
    """Give the profile of one market of the plan in force.

    Counts are of the prospects that ``scope`` counts, lists and employees of the accounts it shows,
    pipeline and quota of the reps whose money it shows. The size of the market is public.

    Parameters
    ----------
    day
        ISO day in the month, quarter and year that quotas are of; by default the day since which
        the plan is in force.

    Raises
    ------
    NotFoundError
        If the plan has no such market, or none within reach.
    """
    with store.read() as transaction:
        row, seen = views.find_market(transaction, market_id, scope)
        plan, reading = seen.plan, ReadingLedger(transaction)
        reps = reading.part(plan.plan_id, "reps", scope.accounts)
        return profile(
            Subject(market_id, row["name"], row["kind"], plan.name, day or plan.effective_from),
            size.market_size(
                row["kind"], row["units"], shapely.from_wkb(row["geometry"]), reference.load()
            ),
            reading.profiled(plan.plan_id, scope.counted, market_id=market_id),
            reading.largest(plan.plan_id, scope.accounts, TOP, market_id=market_id),
            reading.deals(plan.plan_id, scope.money, market_id=market_id),
            Sellers(
                reading.part(plan.plan_id, "territories", scope.money),
                reps.set_index("rep_id")["name"],
                reading.on_file("quotas", plan.plan_id, scope.money),
            ),
            accounts=scope.accounts,
            money=scope.money,
        )
