"""What stands around every page: the store it reads, the plan in force, the way about."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from flask import current_app, g, url_for

from territory import workflow
from territory.errors import TerritoryError
from territory.lengths import to_miles
from territory.policy import RadiusPolicy
from territory.store import open_store
from webmap.filters import order_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from territory.store import Store

T = TypeVar("T")
KEPT = 256  # maps of a plan that one process keeps; about 100 kB each


@dataclass(frozen=True)
class Shell:
    """The plan and the data in a few words. All is empty while nothing is published."""

    plan: str | None = None
    is_demo: bool = False
    findings: int | None = None
    outside: int | None = None


def install(app: Flask) -> None:
    """Give every template the shell and the way about."""
    app.context_processor(around)
    app.jinja_env.globals.update(address=address, order_words=order_words)


def store() -> Store:
    """Give the store of this app, opened once per process: connections do not survive a fork."""
    opened: dict[int, Store] = current_app.extensions.setdefault("stores", {})
    if os.getpid() not in opened:
        opened[os.getpid()] = open_store(current_app.config["TERRITORY"].store_url)
    return opened[os.getpid()]


def overview() -> workflow.Overview:
    """Read the overview once per request."""
    if "overview" not in g:
        g.overview = workflow.overview(store())
    return g.overview


def kept(key: tuple[str, ...], make: Callable[[], T]) -> T:
    """Keep what a published plan alone decides, such as its maps, until another is in force."""
    extensions = current_app.extensions
    plan_id = overview().plan_id
    held = extensions.get("kept")
    if held is None or held[0] != plan_id or len(held[1]) >= KEPT:
        held = extensions["kept"] = (plan_id, {})
    if key not in held[1]:
        held[1][key] = make()
    made: T = held[1][key]
    return made


def address(endpoint: str, *queries: dict[str, Any], **values: Any) -> str:
    """Give an address from several parts, which a template cannot spread by itself."""
    for query in queries:
        values = query | values
    return url_for(endpoint, **values)


def around() -> dict[str, Any]:
    """Gather what ``base.html`` shows; a page that reports a failed store still has its frame."""
    try:
        seen, radius_m = read(), limit_m()
    except TerritoryError:
        seen, radius_m = Shell(), RadiusPolicy().limit_m
    return {
        "shell": seen,
        "limit_m": radius_m,
        "limit": f"{to_miles(radius_m):g} mi",
        # A phone shows the first four below, and the rest at the foot of the page.
        "navigation": (
            ("ops.home", "Markets", "map", None),
            ("imports.home", "Import", "up", None),
            ("worklist.home", "Places", "pin", None),
            ("ops.findings", "Findings", "flag", seen.findings),
            ("rep.outside", "Outside", "outside", seen.outside),
            ("ops.offices", "Offices", "office", None),
        ),
    }


def read() -> Shell:
    """Read the frame of the page from the overview."""
    seen = overview()
    if seen.plan_id is None:
        return Shell(is_demo=seen.is_demo)
    return Shell(
        plan=f"Plan {seen.plan_name} in force",
        is_demo=seen.is_demo,
        findings=seen.findings,
        outside=seen.outside,
    )


def limit_m() -> float:
    """Give the radius that the plan in force was decided with."""
    return float(overview().policy.radius.limit_m)


def limit_words() -> str:
    """Say that radius: "50 mi"."""
    return f"{to_miles(limit_m()):g} mi"
