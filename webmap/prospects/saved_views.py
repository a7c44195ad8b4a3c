"""Saved views: addresses of lists and maps that a person keeps under a name.

What is kept is the query string as ``query_string`` reads it, with where the map stands and which
prospect is chosen; whatever else an address holds is left out. The position of a browser is never
in an address (``static/prospects/market.js``), so it is never in a view.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from territory import reports
from territory.errors import InputError
from territory.prospects import saved_views
from webmap import context, security
from webmap.account import onward
from webmap.pages import layout
from webmap.prospects import facets, query_string
from webmap.prospects.query_string import ListScope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

    from territory.prospects import SavedView

blueprint = Blueprint("saved", __name__)

MOST_PARTS = 1_000  # parameters of one address
DEEPEST_ZOOM = 22
_AT = re.compile(r"(\d{1,2}(?:\.\d{1,3})?),(-?\d{1,2}(?:\.\d{1,8})?),(-?\d{1,3}(?:\.\d{1,8})?)")


@blueprint.get("/views")
@security.allows("save_views")
def home() -> ResponseReturnValue:
    """List the views of whoever asks, each to be opened, renamed or deleted."""
    mine = saved_views.views(context.store(), security.person())
    return render_template(
        "prospects/saved_views.html",
        place="ops.home",
        views=mine,
        most=saved_views.MOST,
        longest=saved_views.LONGEST_NAME,
        markets=_market_names() if mine else {},
        deleted={name: request.args.get(name) for name in ("name", "market_id", "query")},
    )


@blueprint.post("/views")
@security.allows("save_views")
def save() -> ResponseReturnValue:
    """Keep the address that the form stood on."""
    market_id = request.form.get("market_id") or None
    query = read_address(request.form.get("query", ""), ListScope(market_id, market_id is None))
    saved_views.save(
        context.store(),
        security.person(),
        request.form.get("name", ""),
        market_id=market_id,
        query=query,
        now=context.now(),
    )
    return redirect(onward(url_for(".home")), 303)


@blueprint.get("/views/<view_id>")
@security.allows("save_views")
def show(view_id: str) -> ResponseReturnValue:
    """Go to the address that is kept, without a chosen prospect that is no longer there."""
    saved = saved_views.view(context.store(), security.person(), view_id)
    query = dict(saved.query)
    prospect_id = query.get("prospect")
    if prospect_id and not _holds(
        ListScope(saved.market_id, saved.market_id is None), str(prospect_id)
    ):
        del query["prospect"]
    return redirect(_address(saved.market_id, query), 303)


@blueprint.post("/views/<view_id>/rename")
@security.allows("save_views")
def rename(view_id: str) -> ResponseReturnValue:
    """Give a view another name."""
    name = request.form.get("name", "")
    saved_views.rename(context.store(), security.person(), view_id, name, now=context.now())
    return redirect(url_for(".home"), 303)


@blueprint.post("/views/<view_id>/delete")
@security.allows("save_views")
def delete(view_id: str) -> ResponseReturnValue:
    """Delete a view; the list then offers to save it again."""
    gone = saved_views.delete(context.store(), security.person(), view_id, now=context.now())
    address = _address(gone.market_id, gone.query)
    payload: dict[str, Any] = {
        "name": gone.name,
        "market_id": gone.market_id,
        "query": address.partition("?")[2],
    }
    return redirect(url_for(".home", **payload), 303)


@blueprint.app_template_global("saved_views_here")
def views_here(market_id: str | None) -> tuple[list[SavedView], int]:
    """Give a template the views of a list (None: of no market), and how many there are in all."""
    mine = saved_views.views(context.store(), security.person())
    return [one for one in mine if one.market_id == market_id], len(mine)


def read_address(text: str, scope: ListScope) -> dict[str, Any]:
    """Read the query string of a list into what may be kept of it.

    Raises
    ------
    InputError
        Naming all that cannot be followed.
    NotFoundError
        If there is no such market within reach.
    """
    if scope.market_id is not None:
        reports.market_area(context.store(), scope.market_id, scope=security.scope())
    try:
        parts = parse_qsl(text.removeprefix("?"), max_num_fields=MOST_PARTS)
    except ValueError:
        raise InputError(f"An address has at most {MOST_PARTS:,} parts. Remove filters.") from None
    values = MultiDict(parts)
    clean = query_string.read(values).query(page=1)
    if at := read_at(values):
        clean["at"] = at
    prospect_id = values.get("prospect")
    if prospect_id and _holds(scope, prospect_id):
        clean["prospect"] = prospect_id
    return clean


def read_at(query: Mapping[str, str]) -> str | None:
    """Read where the map stands, zoom,lat,lon; None where the address does not say, or wrongly."""
    match = _AT.fullmatch(query.get("at", ""))
    if match is None:
        return None
    zoom, lat, lon = (float(part) for part in match.groups())
    is_there = zoom <= DEEPEST_ZOOM and math.fabs(lat) <= 90 and math.fabs(lon) <= 180
    return match[0] if is_there else None


def _holds(scope: ListScope, prospect_id: str) -> bool:
    """Whether a prospect is of a scope and within reach."""
    return facets.list_page(scope).holds(prospect_id)


def _address(market_id: str | None, query: Mapping[str, Any]) -> str:
    if market_id is None:
        return layout.address("rep.outside", dict(query))
    return layout.address("rep.market", dict(query), market_id=market_id)


def _market_names() -> dict[str, str]:
    """Name the markets within reach, once per plan and viewer's rows."""

    def read() -> dict[str, str]:
        summaries = reports.market_summaries(context.store(), scope=security.scope())
        return dict(zip(summaries["market_id"], summaries["name"], strict=True))

    return layout.cached(("market names",), read)
