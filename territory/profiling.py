"""Read a market of the plan in force and sum it up, within a scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely

from territory import market_size, reference, views
from territory.profile import Profile, Sellers, Subject, profile

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
        plan, reading = seen.plan, transaction.reading
        prospects = reading.profiled(plan.plan_id, scope.counted, market_id=market_id)
        reps = reading.part(plan.plan_id, "reps", scope.accounts)
        found = profile(
            Subject(market_id, row["name"], row["kind"], plan.name, day or plan.effective_from),
            market_size.market_size(
                row["kind"], row["units"], shapely.from_wkb(row["geometry"]), reference.load()
            ),
            prospects,
            reading.opportunities(plan.plan_id, scope.money, market_id=market_id),
            Sellers(
                reading.part(plan.plan_id, "territories", scope.money),
                reps.set_index("rep_id")["name"],
                reading.on_file("quotas", plan.plan_id, scope.money),
            ),
            accounts=scope.accounts,
            money=scope.money,
        )
        top = tuple(found.top_accounts["prospect_id"])
        named = reading.prospects(plan.plan_id, scope.accounts, prospect_id=top)
        names = found.top_accounts["prospect_id"].map(named.set_index("prospect_id")["name"])
        found.top_accounts.insert(1, "name", names.astype(object))
        return found
