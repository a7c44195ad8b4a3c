"""The people of the example company, who come in by links that are printed where it is served."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from territory.access import EVERYTHING, UserLedger, one_time_links, users
from territory.errors import NotFoundError
from territory.plans import PlanLedger
from territory.reports import DEMO_NOTICE

if TYPE_CHECKING:
    from datetime import datetime

    from territory.access import User
    from territory.store import Store

BY = "demo"  # who did it, in the audit log
LIFETIME = timedelta(hours=12)
REPS = 2  # who come in; a manager has both
DOMAIN = "demo.invalid"  # a name that is nobody's (RFC 2606)


def demo_links(store: Store, base_url: str, *, now: datetime) -> list[tuple[str, str]]:
    """Give a one-time link per role of the example company: who it is for, and the address.

    Each opens once, within half a day, from the machine that serves alone. The users are added
    where they are not there yet. No link where the store holds another company.
    """
    with store.read() as transaction:
        plan = PlanLedger(transaction).plan_in_force()
        if plan is None or transaction.setting(DEMO_NOTICE) is None:
            return []
        owned = UserLedger(transaction).accounts_within(plan.plan_id, EVERYTHING)["rep_id"]
        names = transaction.table("reps", ["rep_id", "name"]).set_index("rep_id")["name"]
    reps = owned.value_counts().index[:REPS].tolist()
    people: list[tuple[str, str, str | None, list[str]]] = [
        ("ops", "Sales ops", None, []),
        *(("rep", str(names[rep_id]), rep_id, []) for rep_id in reps),
        ("manager", "Manager of both", None, reps),
        ("hr", "HR", None, []),
        ("viewer", "Read only", None, []),
        ("admin", "Admin", None, []),
    ]
    return [
        (name, _link(store, _user(store, role, name, rep_id, managed, now), base_url, now))
        for role, name, rep_id, managed in people
    ]


def _user(
    store: Store, role: str, name: str, rep_id: str | None, managed: list[str], now: datetime
) -> User:
    login = f"{rep_id or role}@{DOMAIN}"
    try:
        return users.find_user(store, login)
    except NotFoundError:
        return users.add_user(
            store,
            login,
            name=name,
            roles={role},
            rep_id=rep_id,
            managed_rep_ids=managed,
            by=BY,
            now=now,
        )


def _link(store: Store, user: User, base_url: str, now: datetime) -> str:
    link = one_time_links.make_link(
        store, user.user_id, "sign_in", by=BY, now=now, lifetime=LIFETIME
    )
    return one_time_links.link_address(base_url, link)
