"""Page layout: the plan in force, the navigation, paging, and what is read once per request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from flask import g, request, url_for

from territory import reports
from territory.errors import InputError, TerritoryError
from territory.policy import RadiusPolicy
from territory.units_of_length import to_miles
from webmap import security
from webmap.context import store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Flask, Response

T = TypeVar("T")
ON_HOME_SCREEN = ("rep.market", "rep.outside", "work.due")  # pages worth a place there
MAP_BYTES = 100_000  # what a map or its like takes


@dataclass(frozen=True)
class Shell:
    """The plan and the data in a few words. All is empty while nothing is published."""

    plan: str | None = None
    is_demo: bool = False
    findings: int | None = None
    outside: int | None = None
    is_rep: bool = False  # sees own accounts alone


def install(app: Flask) -> None:
    """Give every template the shell and the way about."""
    app.context_processor(around)
    app.after_request(_vary)
    app.jinja_env.globals.update(address=address)


def is_main_only() -> bool:
    """Tell whether a script asks for what stands in the page, without the frame and the map.

    It says so by ``Prefer: return=minimal`` (RFC 7240), at the address of the whole page.
    """
    return "return=minimal" in request.headers.get("Prefer", "")


def _vary(response: Response) -> Response:
    """Say that a page and its parts share an address, so that no cache takes one for the other."""
    if response.mimetype == "text/html":
        response.vary.add("Prefer")
    return response


def overview() -> reports.Overview:
    """Read the overview once per request."""
    if "overview" not in g:
        g.overview = reports.overview(store(), scope=security.scope())
    overview_of_request: reports.Overview = g.overview
    return overview_of_request


def cached(
    key: tuple[Any, ...],
    make: Callable[[], T],
    *,
    tables: tuple[str, ...] = ("plans",),
    weight: int = MAP_BYTES,
) -> T:
    """Keep what ``tables`` and the viewer's rows alone decide, such as maps, while they stand."""
    key = (security.scope(), *key)  # nobody is shown what was made for another's rows
    return store().cache.get(tables, key, make, weight=weight)


def page_number(fields: Mapping[str, str] | None = None) -> int:
    """Read which page is asked for, from the address or other fields.

    Raises
    ------
    InputError
        If it is no number from 1.
    """
    page = (request.args if fields is None else fields).get("page", "1")
    if not (page.isascii() and page.isdigit() and len(page) < 9 and int(page)):
        raise InputError(f"page: {page[:80]!r} is no page; pages count from 1.")
    return int(page)


def pager(number: int, size: int, total: int) -> dict[str, int]:
    """Say which rows of a list a page shows: number ``first_row`` on, counted from 1."""
    return {
        "page": number,
        "pages": -(-total // size),
        "page_size": size,
        "first_row": (number - 1) * size + 1,
        "total": total,
    }


def address(endpoint: str, *queries: dict[str, Any], **values: Any) -> str:
    """Give an address from several parts, which a template cannot spread by itself."""
    for query in queries:
        values = query | values
    return url_for(endpoint, **values)


def around() -> dict[str, Any]:
    """Gather what ``base.html`` shows; a page that reports a failed store still has its frame.

    Nobody signed in sees an empty frame: not even the name of the plan.
    """
    shell, radius_m, who = Shell(), RadiusPolicy().limit_m, None
    places: tuple[tuple[str, str, str, int | None], ...] = ()
    try:
        who = security.viewer()
        if who is not None:
            shell, radius_m = read(), limit_m()
            if not is_main_only():
                places = tuple(place for place in _places(shell) if security.may_open(place[0]))
    except TerritoryError:
        pass
    return {
        "shell": shell,
        "limit_m": radius_m,
        "limit": f"{to_miles(radius_m):g} mi",
        "who": who,
        "is_main_only": is_main_only(),
        "manifest_address": _manifest_address(),
        # A phone shows the first four below, and the rest at the foot of the page.
        "navigation": places,
    }


def _manifest_address() -> str:
    """Give the address of the manifest by which a phone keeps this page on its home screen."""
    here = request.full_path.rstrip("?") if request.endpoint in ON_HOME_SCREEN else None
    return url_for("home_screen.manifest", start=here)


def _places(shell: Shell) -> tuple[tuple[str, str, str, int | None], ...]:
    """Give all that the way about may lead to: view, word, picture, count."""
    outside = "Outside my markets" if shell.is_rep else "Outside markets"
    return (
        ("hr.check", "Check", "home", None),
        ("hr_batches.home", "Batch", "list", None),
        ("hr.decisions", "Decisions", "record", None),
        ("hr_rules.policies", "Policies", "flag", None),
        ("hr_people.exceptions", "Exceptions", "key", None),
        ("hr_planning.home", "Planning", "office", None),
        ("hr_people.purging", "Purge", "bin", None),
        ("ops.home", "Markets", "map", None),
        ("imports.home", "Import", "up", None),
        ("worklist.home", "Addresses", "pin", None),
        ("ops.findings", "Findings", "flag", shell.findings),
        ("work.due", "Next steps", "check", None),
        ("rep.outside", outside, "outside", shell.outside),
        ("ops.offices", "Offices", "office", None),
        ("admin.users", "Users", "people", None),
        ("admin.tokens", "Tokens", "key", None),
        ("admin.log", "Audit log", "list", None),
        ("admin.policy", "Privacy", "key", None),
    )


def read() -> Shell:
    """Read the frame of the page from the overview."""
    plan = overview()
    if plan.plan_id is None:
        return Shell(is_demo=plan.is_demo)
    return Shell(
        plan=f"Plan {plan.plan_name} in force",
        is_demo=plan.is_demo,
        findings=plan.open_findings,
        outside=plan.outside,
        is_rep=not security.scope().accounts.is_all,
    )


def limit_m() -> float:
    """Give the radius that the plan in force was decided with."""
    return float(overview().policy.radius.limit_m)


def limit_words() -> str:
    """Say that radius: "50 mi"."""
    return f"{to_miles(limit_m()):g} mi"
