"""Pages of a market and of what lies outside every market: filters, map, list and card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely
from flask import Blueprint, Response, make_response, render_template, request, url_for

from territory import reports
from territory.errors import NotFoundError
from webmap import context, formatting, security
from webmap.maps import RenderedMap, basemap, market_map
from webmap.pages import layout
from webmap.prospects import exports, facets
from webmap.prospects.query_string import ListRequest, ListScope
from webmap.prospects.record import record
from webmap.security import HEADERS

if TYPE_CHECKING:
    import pandas as pd
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("rep", __name__)
blueprint.add_app_template_global(facets.order_words)
blueprint.add_app_template_global(facets.sort_of)
blueprint.add_app_template_global(facets.touched)

OUTSIDE = ListScope(is_outside=True)


@blueprint.get("/markets/<market_id>")
@security.allows("see_accounts_all", "see_accounts_own")
def market(market_id: str) -> ResponseReturnValue:
    """Show one market: filters, map over list, and the card of the prospect that is chosen."""
    area, list_page = _area(market_id), facets.list_page(ListScope(market_id))
    prospect_id = _prospect_id(list_page)
    page = render_template(
        "prospects/market.html",
        place="ops.home",
        market=area,
        offices=layout.cached(("offices", market_id), lambda: formatting.records(_offices(area))),
        **({} if layout.is_main_only() else _map_parts(area)),
        export_menu=exports.menu(list_page),
        **_view_addresses(list_page, market=market_id),
        **list_page.parts(),
        **(record(prospect_id) if prospect_id else {"prospect": None}),
    )
    return _may_ask_position(page)


@blueprint.get("/markets/<market_id>/map.js")
@security.allows("see_accounts_all", "see_accounts_own")
def map_script(market_id: str) -> Response:
    """Serve the script of a market's map; its address carries the digest of the text."""
    return _map(_area(market_id)).script_response()


@blueprint.get("/prospects/<prospect_id>")
@security.allows("see_accounts_all", "see_accounts_own")
def prospect(prospect_id: str) -> ResponseReturnValue:
    """Show everything about one prospect."""
    return render_template("prospects/prospect.html", place="ops.home", **record(prospect_id))


@blueprint.get("/outside")
@security.allows("see_accounts_all", "see_accounts_own")
def outside() -> ResponseReturnValue:
    """List the prospects of no market."""
    seen = layout.overview()
    if seen.plan_id is None:
        return render_template("pages/empty.html", place="rep.outside")
    list_page = facets.list_page(OUTSIDE)
    page = render_template(
        "prospects/outside.html",
        place="rep.outside",
        markets=seen.markets,
        offices=formatting.records(reports.offices(context.store(), scope=security.scope())),
        export_menu=exports.menu(list_page),
        **_view_addresses(list_page, outside="1"),
        **list_page.parts(),
    )
    return _may_ask_position(page)


def _view_addresses(list_page: facets.ListPage, **scope: Any) -> dict[str, str]:
    """Give the addresses that the page's script asks, under the filters of the page."""
    query: dict[str, Any] = list_page.request.query(page=1, sort=ListRequest.sort)
    return {
        "view_url": url_for("view.view", **query, **scope),
        "suggest_url": url_for("view.suggest", **scope),
    }


def _may_ask_position(page: str) -> Response:
    """Let the page ask the browser where it is, when its button is pressed."""
    response = make_response(page)
    policy = HEADERS["Permissions-Policy"]
    response.headers["Permissions-Policy"] = policy.replace("geolocation=()", "geolocation=(self)")
    return response


def _prospect_id(list_page: facets.ListPage) -> str | None:
    """Read which prospect of the market the address names."""
    prospect_id = request.args.get("prospect")
    if prospect_id and not list_page.holds(prospect_id):
        raise NotFoundError(
            f"No prospect {prospect_id!r} in this market. Open it by its own page to see where "
            "it is, or choose one from the list."
        )
    return prospect_id or None


def _area(market_id: str) -> reports.MarketArea:
    """Read a market without its prospects, once per plan and viewer's rows."""
    return layout.cached(
        ("area", market_id),
        lambda: reports.market_area(context.store(), market_id, scope=security.scope()),
    )


def _offices(area: reports.MarketArea) -> pd.DataFrame:
    """Keep the offices that lie in a market, or are the nearest to any of its prospects."""
    near = facets.list_page(ListScope(area.market_id)).offices_near()
    inside = shapely.contains_xy(area.geometry, area.offices["lon"], area.offices["lat"])
    offices: pd.DataFrame = area.offices[area.offices["office_id"].isin(near) | inside]
    return offices.reset_index(drop=True)


def _map(area: reports.MarketArea) -> RenderedMap:
    """Draw the map of a market, which does not depend on the filters."""
    return layout.cached(
        ("market", area.market_id),
        lambda: market_map(
            area.name,
            area.geometry,
            _offices(area),
            prospect_url=url_for(".prospect", prospect_id="ID").replace("ID", "{id}"),
            limit_m=area.radius_m,
            tiles=basemap.under_maps(),
        ),
    )


def _map_parts(area: reports.MarketArea) -> dict[str, Any]:
    """Give the map to the page, and the address of its script."""
    rendered = _map(area)
    script = url_for(".map_script", market_id=area.market_id, v=rendered.tag)
    return {"map": rendered, "map_script": script}
