"""What a rep works with: a market with its map and list, a prospect, and the same as data."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, render_template, request, url_for

from territory import workflow
from territory.errors import NotFoundError
from webmap import exports, maps, security, shell, statics, wording
from webmap.filters import PAGE_ROWS, Filters

if TYPE_CHECKING:
    import pandas as pd
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("rep", __name__)

FILTER_WORDS = {"status": wording.STATUS, "segment": wording.SEGMENT}


@blueprint.get("/markets/<market_id>")
@security.allows("see_accounts_all", "see_accounts_own")
def market(market_id: str) -> ResponseReturnValue:
    """Show one market: filters, map over list, and the card of the prospect that is chosen."""
    view = workflow.market(shell.store(), market_id, scope=security.scope())
    filters = Filters.read(request.args)
    chosen = _chosen(view.prospects)
    drawn = _map(market_id)
    return render_template(
        "market.html",
        place="ops.home",
        market=view,
        map=drawn,
        map_script=url_for(".map_script", market_id=market_id, v=drawn.tag),
        findings=len(view.findings),
        **_list(view.prospects, filters),
        **(_record(chosen) if chosen else {"prospect": None}),
    )


@blueprint.get("/markets/<market_id>/map.js")
@security.allows("see_accounts_all", "see_accounts_own")
def map_script(market_id: str) -> Response:
    """Serve the script of a market's map; its address carries the digest of the text."""
    return statics.script(_map(market_id))


@blueprint.get("/markets/<market_id>/prospects.json")
@security.allows("see_accounts_all", "see_accounts_own")
def prospects_json(market_id: str) -> Response:
    """Answer with what the map of a market draws, under the filters of the page."""
    view = workflow.market(shell.store(), market_id, scope=security.scope())
    shown = Filters.read(request.args).select(view.prospects)
    data = maps.layer_data(dataclasses.replace(view, prospects=shown), shell.limit_m())
    return jsonify(shown=len(shown), total=len(view.prospects), **data)


@blueprint.get("/markets/<market_id>/prospects.csv")
@security.allows("export_accounts")
def prospects_csv(market_id: str) -> Response:
    """Export what the filters show, as far as it may leave as a file."""
    view = workflow.market(shell.store(), market_id, scope=security.scope().exported)
    shown = Filters.read(request.args).select(view.prospects)
    return exports.csv(shown, "prospects", of=market_id, is_demo=view.is_demo)


@blueprint.get("/prospects/<prospect_id>")
@security.allows("see_accounts_all", "see_accounts_own")
def prospect(prospect_id: str) -> ResponseReturnValue:
    """Show everything about one prospect."""
    return render_template("prospect.html", place="ops.home", **_record(prospect_id))


@blueprint.get("/outside")
@security.allows("see_accounts_all", "see_accounts_own")
def outside() -> ResponseReturnValue:
    """List the prospects of no market."""
    everyone = workflow.outside(shell.store(), scope=security.scope())
    return render_template(
        "outside.html",
        place="rep.outside",
        markets=shell.overview().markets,
        **_list(everyone, Filters.read(request.args)),
    )


@blueprint.get("/outside/prospects.csv")
@security.allows("export_accounts")
def outside_csv() -> Response:
    """Export the prospects of no market, under the same filters."""
    everyone = workflow.outside(shell.store(), scope=security.scope().exported)
    shown = Filters.read(request.args).select(everyone)
    return exports.csv(shown, "prospects", of="outside", is_demo=shell.overview().is_demo)


def _chosen(prospects: pd.DataFrame) -> str | None:
    """Read which prospect of the market the address names."""
    prospect_id = request.args.get("prospect")
    if prospect_id and prospect_id not in set(prospects["prospect_id"]):
        raise NotFoundError(
            f"No prospect {prospect_id!r} in this market. Open it by its own page to see where "
            "it is, or choose one from the list."
        )
    return prospect_id or None


def _map(market_id: str) -> maps.RenderedMap:
    """Draw the map of a market, whose script does not depend on the filters."""
    data = url_for(
        ".prospects_json", market_id=market_id, **Filters.read(request.args).query(page=1)
    )
    return shell.kept(
        ("market", data),
        lambda: maps.market_map(
            workflow.market(shell.store(), market_id, scope=security.scope()),
            prospects_url=data,
            prospect_url=url_for(".prospect", prospect_id="ID").replace("ID", "{id}"),
            limit_m=shell.limit_m(),
        ),
    )


def _list(everyone: pd.DataFrame, filters: Filters) -> dict[str, Any]:
    """Gather what ``lists.html`` shows: one page of the list, the counts, and a way out of none."""
    shown = filters.select(everyone)
    first = (filters.page - 1) * PAGE_ROWS
    costliest = filters.costliest(everyone) if shown.empty else None
    return {
        "filters": filters,
        "counts": filters.counts(everyone),
        "shown": len(shown),
        "total": len(everyone),
        "page_rows": exports.records(shown.iloc[first : first + PAGE_ROWS]),
        "page_size": PAGE_ROWS,
        "pages": -(-len(shown) // PAGE_ROWS),
        "first_row": first + 1,
        "costliest": costliest,
        "costliest_words": costliest and _told(filters, costliest[0]),
    }


def _told(filters: Filters, name: str) -> str:
    """Say a filter as the page shows it."""
    value = filters.active[name]
    if name == "text":
        return f"“{value}”"
    words = FILTER_WORDS.get(name) or wording.verdicts(shell.limit_words())
    return " and ".join(words[choice] for choice in value)


def _record(prospect_id: str) -> dict[str, Any]:
    """Gather what ``record.html`` shows of one prospect; of one out of reach, its name and rep."""
    scope = security.scope()
    details = workflow.prospect(shell.store(), prospect_id, scope=scope)
    told = None
    if not details.is_name_only:
        told = workflow.explain(shell.store(), prospect_id, scope=scope)
    return {
        "prospect": exports.records(details.prospect)[0],
        "opportunities": exports.records(details.opportunities),
        "contacts": exports.records(details.contacts),
        "sites": exports.records(details.sites),
        "withheld": details.withheld,
        "explanation": told,
    }
