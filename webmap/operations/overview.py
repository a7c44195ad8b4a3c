"""Overview of sales operations: the markets, the findings, the offices, the state of the app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, render_template, request, url_for

from territory import imports, reports
from territory.access import NOTHING
from territory.accounts import coverage
from territory.errors import InputError
from territory.reports import exports
from territory.schemas import SEVERITIES
from webmap import context, formatting, security
from webmap.maps import RenderedMap, basemap, overview_data, overview_map
from webmap.pages import downloads, layout

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from flask.typing import ResponseReturnValue

    from territory.access import Scope

blueprint = Blueprint("ops", __name__)

PAGE_ROWS = 100
SUMMED = (
    "prospects",
    "enterprise",
    "mid_market",
    "customers",
    "within_radius",
    "too_close",
    "unassigned",
    "open_findings",
    "pipeline_usd",
    "quota_usd",
)
# Where a finding's subject has a page of its own.
PAGES = {
    "prospect": ("rep.prospect", "prospect_id"),
    "market": ("rep.market", "market_id"),
    "office": ("ops.offices", "_anchor"),
}


@blueprint.get("/")
@security.allows("see_sums")
def home() -> ResponseReturnValue:
    """Show every market in one table whose sums reconcile with the file."""
    if imports.is_empty(context.store()) or layout.overview().plan_id is None:
        return render_template("pages/empty.html", place="ops.home")
    markets = reports.market_summaries(context.store(), scope=security.scope())
    markets = markets.sort_values(["prospects", "name"], ascending=[False, True])
    need_work = int((markets["open_findings"] > 0).sum())
    return render_template(
        "pages/overview.html",
        place="ops.home",
        totals=layout.overview(),
        sees_money=security.scope().money != NOTHING,
        is_whole=security.scope().counted.is_all,
        markets=[
            row
            | {
                "units_words": formatting.units(str(row["kind"]), row["units"]),
                "coverage": coverage(row["pipeline_usd"], row["quota_usd"]),
            }
            for row in formatting.records(markets)
        ],
        sums=(sums := markets[list(SUMMED)].sum().to_dict()),
        coverage=coverage(sums["pipeline_usd"], sums["quota_usd"]),
        need_work=f"{need_work} of {len(markets)} to review" if need_work else "No open findings",
        lead=_lead(len(markets)),
        map=(market_map := _map()),
        map_script=url_for(".overview_script", v=market_map.tag),
    )


def _lead(markets: int) -> str:
    """Say what is seen, of what day, under which plan."""
    plan = layout.overview()
    parts = (
        f"{formatting.plural(markets, 'market')}",
        f"{formatting.plural(plan.reps, 'rep')}",
        f"plan {plan.plan_name}, in force since {formatting.day(plan.effective_from)}",
    )
    return " · ".join(parts)


@blueprint.get("/overview.json")
@security.allows("see_sums")
def overview_json() -> Response:
    """Answer with what the map of all markets names."""
    return jsonify(
        overview_data(_areas(), reports.offices(context.store(), scope=security.scope()))
    )


@blueprint.get("/overview.js")
@security.allows("see_sums")
def overview_script() -> Response:
    """Serve the script of the map of all markets; its address carries the digest of the text."""
    return _map().script_response()


def _areas() -> gpd.GeoDataFrame:
    """Give the outline of every market of the plan."""
    return layout.cached(
        ("areas",),
        lambda: reports.market_outlines(context.store(), scope=security.scope()),
    )


def _map() -> RenderedMap:
    """Draw the map of all markets, each a link for whoever may open it."""
    opens = security.may_open("rep.market")
    return layout.cached(
        ("overview", opens),
        lambda: overview_map(
            _areas(),
            reports.offices(context.store(), scope=security.scope()),
            markets_url=url_for(".overview_json"),
            market_url=url_for("rep.market", market_id="ID").replace("ID", "{id}")
            if opens
            else None,
            limit_m=layout.limit_m(),
            tiles=basemap.under_maps(),
        ),
    )


@blueprint.get("/markets.csv")
@security.allows("see_sums", programs=True)
def markets_csv() -> Response:
    """Export the table of markets."""
    scope = security.scope()
    markets = reports.market_summaries(context.store(), scope=scope)
    markets = exports.complete(context.store(), "markets", markets, scope=scope)
    return downloads.table(markets, "markets", is_demo=layout.overview().is_demo)


@blueprint.get("/findings")
@security.allows("see_findings")
def findings() -> ResponseReturnValue:
    """List what is wrong, the gravest first, with the remedy of each."""
    every, code, market = _findings(security.scope())
    matches = every[every["code"] == code] if code else every
    page = layout.page_number()
    first = (page - 1) * PAGE_ROWS
    rows = formatting.records(matches.iloc[first : first + PAGE_ROWS])
    return render_template(
        "operations/findings.html",
        place="ops.findings",
        is_checked=layout.overview().plan_id is not None,
        query={"code": code, "market": market and market.market_id},
        market=market,
        codes=every["code"].value_counts().items(),
        every=len(every),
        rows=[row | {"link": _link(row)} for row in rows],
        **layout.pager(page, PAGE_ROWS, len(matches)),
    )


@blueprint.get("/findings.csv")
@security.allows("export_accounts", programs=True)
def findings_csv() -> Response:
    """Export exactly the findings that the page shows."""
    every, code, _ = _findings(security.scope().exported)
    rows = every[every["code"] == code] if code else every
    return downloads.table(rows, "findings", is_demo=layout.overview().is_demo)


def _findings(scope: Scope) -> tuple[pd.DataFrame, str | None, reports.MarketView | None]:
    """Read the findings of the plan or of one market, and which kind is asked for."""
    market_id, code = request.args.get("market"), request.args.get("code") or None
    market = reports.market(context.store(), market_id, scope=scope) if market_id else None
    every = reports.findings(context.store(), scope=scope) if market is None else market.findings
    weight = every["severity"].map(SEVERITIES.index)
    every = every.assign(weight=weight).sort_values(["weight", "code", "subject_id"])
    if code and code not in set(every["code"]):
        raise InputError(f"code: there is no finding of the kind {code[:80]!r} here.")
    return every.drop(columns="weight"), code, market


def _link(finding: dict[str, object]) -> str | None:
    """Give the page of what a finding is about, where it has one."""
    endpoint, key = PAGES.get(str(finding["subject_kind"]), (None, None))
    values: dict[str, Any] = {key or "": finding["subject_id"]}
    return url_for(endpoint, **values) if endpoint else None


@blueprint.get("/offices")
@security.allows("see_sums")
def offices() -> ResponseReturnValue:
    """List the offices that distances are measured from."""
    rows = reports.offices(context.store(), scope=security.scope())
    return render_template(
        "operations/offices.html",
        place="ops.offices",
        offices=len(rows),
        rows=formatting.records(rows),
        sums=rows[["prospects", "within_radius"]].sum().to_dict(),
    )


@blueprint.get("/about")
@security.allows("see_sums")
def about() -> ResponseReturnValue:
    """Say where the data come from and how distances are decided."""
    own = basemap.own_tiles()
    return render_template(
        "pages/about.html", place="ops.about", overview=layout.overview(),
        tile_credit=own.credit if own else None, tile_host=getattr(own, "origin", None),
    )  # fmt: skip


@blueprint.get("/healthz")
@security.allows(public=True)
def healthz() -> ResponseReturnValue:
    """Answer 200 when the store can be read."""
    return jsonify(status="ready", empty=imports.is_empty(context.store()))
