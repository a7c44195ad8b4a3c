"""What a rep works with: a market with its map and list, a prospect, and the same as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely
from flask import Blueprint, Response, make_response, render_template, request, url_for

from territory import plans, reports
from territory.accounts import quota_effect
from territory.errors import NotFoundError
from territory.reports import ELSEWHERE, HERE, NOWHERE, footprint
from webmap import context, formatting, security
from webmap.maps import RenderedMap, basemap, market_map
from webmap.pages import layout
from webmap.prospects import activities, facets, score_words
from webmap.prospects import exports as taking
from webmap.prospects.query_string import Asked, Place
from webmap.security import HEADERS

if TYPE_CHECKING:
    import pandas as pd
    from flask.typing import ResponseReturnValue

    from territory.reports import Footprint

blueprint = Blueprint("rep", __name__)
blueprint.add_app_template_global(facets.order_words)
blueprint.add_app_template_global(facets.sort_of)
blueprint.add_app_template_global(facets.touched)

OUTSIDE = Place(is_outside=True)


@blueprint.get("/markets/<market_id>")
@security.allows("see_accounts_all", "see_accounts_own")
def market(market_id: str) -> ResponseReturnValue:
    """Show one market: filters, map over list, and the card of the prospect that is chosen."""
    area, listed = _area(market_id), facets.listed(Place(market_id))
    prospect_id = _chosen(listed)
    page = render_template(
        "prospects/market.html",
        place="ops.home",
        market=area,
        offices=layout.cached(("offices", market_id), lambda: formatting.records(_offices(area))),
        **({} if layout.is_main_only() else _map_parts(area)),
        take=taking.offer(listed),
        **_view_addresses(listed, market=market_id),
        **listed.parts(),
        **(_record(prospect_id) if prospect_id else {"prospect": None}),
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
    return render_template("prospects/prospect.html", place="ops.home", **_record(prospect_id))


@blueprint.get("/outside")
@security.allows("see_accounts_all", "see_accounts_own")
def outside() -> ResponseReturnValue:
    """List the prospects of no market."""
    seen = layout.overview()
    if seen.plan_id is None:
        return render_template("pages/empty.html", place="rep.outside")
    listed = facets.listed(OUTSIDE)
    page = render_template(
        "prospects/outside.html",
        place="rep.outside",
        markets=seen.markets,
        offices=formatting.records(reports.offices(context.store(), scope=security.scope())),
        take=taking.offer(listed),
        **_view_addresses(listed, outside="1"),
        **listed.parts(),
    )
    return _may_ask_position(page)


def _view_addresses(listed: facets.Listed, **place: str) -> dict[str, str]:
    """Give the addresses that the page's script asks, under the filters of the page."""
    query = listed.asked.query(page=1, sort=Asked.sort)
    return {
        "view_url": url_for("view.view", **query, **place),
        "suggest_url": url_for("view.suggest", **place),
    }


def _may_ask_position(page: str) -> Response:
    """Let the page ask the browser where it is, when its button is pressed."""
    response = make_response(page)
    policy = HEADERS["Permissions-Policy"]
    response.headers["Permissions-Policy"] = policy.replace("geolocation=()", "geolocation=(self)")
    return response


def _chosen(listed: facets.Listed) -> str | None:
    """Read which prospect of the market the address names."""
    prospect_id = request.args.get("prospect")
    if prospect_id and not listed.holds(prospect_id):
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
    near = facets.listed(Place(area.market_id)).offices_near()
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
    drawn = _map(area)
    script = url_for(".map_script", market_id=area.market_id, v=drawn.tag)
    return {"map": drawn, "map_script": script}


def _record(prospect_id: str) -> dict[str, Any]:
    """Gather what ``record.html`` shows of one prospect; of one out of reach, its name and rep."""
    scope = security.scope()
    details = reports.prospect(context.store(), prospect_id, scope=scope)
    told = effect = None
    if not details.is_name_only:
        told = plans.explain(context.store(), prospect_id, scope=scope)
        effect = quota_effect(context.store(), prospect_id, scope=scope)
    return {
        "prospect": formatting.records(details.prospect)[0],
        "opportunities": formatting.records(details.opportunities),
        "contacts": formatting.records(details.contacts),
        "footprint": _footprint(footprint(context.store(), prospect_id, scope=scope)),
        "quota_effect": effect,
        "withheld": details.withheld,
        "explanation": told,
        "score": _score(details),
        **activities.section(details),
    }


def _footprint(sites: Footprint) -> dict[str, Any]:
    """Give sites and parent to the template, with the counts of where the sites lie."""
    return {
        "sites": formatting.records(sites.sites),
        "parent": formatting.records(sites.parent),
        "located": sites.located,
        **{lies: sites.count(lies) for lies in (HERE, ELSEWHERE, NOWHERE)},
    }


def _score(details: reports.ProspectView) -> score_words.Score | None:
    """Take the score apart for whoever sees all that it rests on."""
    if details.is_name_only or "opportunities" in details.withheld:
        return None
    return score_words.score_of(details.prospect)
