"""Geocode review: rows whose place needs a person, one after the other, each with a small map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from flask import Blueprint, Response, redirect, render_template, request, url_for

from territory import geodesy
from territory.errors import InputError, NotFoundError
from territory.geocoding import review
from territory.geocoding.review import PLACED_KINDS, WAITING
from territory.jobs import requests, tasks
from territory.plans import policy_in_force
from territory.schemas import ADDRESS
from territory.units_of_length import to_miles
from webmap import context, formatting, security
from webmap.maps import MAINLAND, RenderedMap, basemap, place_map
from webmap.pages import layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

blueprint = Blueprint("worklist", __name__, url_prefix="/ops/places")

PAGE_ROWS = 25
AROUND_DEG = 0.06  # how much of the country round a single place the map shows


@blueprint.get("")
@security.allows("review_places")
def home() -> ResponseReturnValue:
    """Show the list, and the row that is chosen with the places it could be at."""
    return _show(_filters(request.args), layout.page_number(), request.args.get("row"))


def _show(
    filters: dict[str, Any],
    page: int,
    row_id: str | None,
    *,
    typed: Mapping[str, str] | None = None,
    error: str | None = None,
) -> str:
    """Render the list and a row; after an ``error`` with what was ``typed`` into its form."""
    first = (page - 1) * PAGE_ROWS
    work_list = review.work_list(
        context.store(),
        filters["kind"],
        placements=[filters["placement"]] if filters["placement"] else WAITING,
        text=filters["q"],
        offset=first,
        limit=PAGE_ROWS,
    )
    rows = formatting.records(work_list.rows)
    row = _open_row(filters["kind"], rows, row_id)
    return render_template(
        "operations/review.html",
        place="worklist.home",
        filters=filters,
        query={name: value for name, value in filters.items() if value},
        kinds=PLACED_KINDS,
        counts=work_list.counts,
        waiting=sum(work_list.counts[name] for name in WAITING),
        rows=rows,
        **layout.pager(page, PAGE_ROWS, work_list.total),
        typed=typed,
        error=error,
        providers=policy_in_force(context.store()).geocoding.online.providers,
        **(_panel(filters["kind"], row, rows) if row else {"row": None}),
    )


def _filters(query: Mapping[str, str]) -> dict[str, Any]:
    """Read which list is asked for."""
    kind, placement = query.get("kind", "prospects"), query.get("placement") or None
    if kind not in PLACED_KINDS:
        raise InputError(f"kind: {kind[:40]!r} is none of {', '.join(PLACED_KINDS)}.")
    if placement is not None and placement not in review.LISTED:
        raise InputError(f"placement: {placement[:40]!r} is none of {', '.join(review.LISTED)}.")
    text = (query.get("q") or "")[:200].strip() or None
    return {"kind": kind, "placement": placement, "q": text}


def _open_row(
    kind: str, rows: list[dict[str, Any]], subject_id: str | None
) -> dict[str, Any] | None:
    """Find the row that the address names, on this page of the list or not; else the first."""
    if subject_id is None:
        return rows[0] if rows else None
    here = next((row for row in rows if row["subject_id"] == subject_id), None)
    return here or _row(kind, subject_id)


def _row(kind: str, subject_id: str) -> dict[str, Any]:
    return formatting.records(review.listed_row(context.store(), kind, subject_id))[0]


def _panel(kind: str, row: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Gather what the panel of one row shows."""
    places = review.candidates(context.store(), kind, row["subject_id"])
    row_map = _map(places, row)
    ids = [one["subject_id"] for one in rows]
    at = ids.index(row["subject_id"]) if row["subject_id"] in ids else -1
    after = ids[at + 1 : at + 2] or ids[:1]
    return {
        "row": row,
        "candidates": [
            one | {"number": n, "uncertainty_mi": to_miles(one["uncertainty_m"] or 0.0)}
            for n, one in enumerate(formatting.records(places), 1)
        ],
        "address_now": {name: row[name] for name in ADDRESS},
        "map": row_map,
        "map_script": url_for(".map_script", kind=kind, row=row["subject_id"], v=row_map.tag),
        "after": after[0] if after and after[0] != row["subject_id"] else None,
    }


def _map(places: pd.DataFrame, row: dict[str, Any]) -> RenderedMap:
    """Draw the map round the likeliest candidates, or round where the row stands."""
    points = places[["lon", "lat"]].head(3)
    if row["lon"] is not None:
        own = pd.DataFrame([{"lon": row["lon"], "lat": row["lat"]}])
        points = pd.concat([points, own]) if len(points) else own
    if points.empty:
        return place_map(MAINLAND, tiles=basemap.under_maps())
    (west, east), lat = geodesy.shortest_arc(points["lon"]), points["lat"]
    return place_map(
        (
            west - AROUND_DEG,
            float(lat.min()) - AROUND_DEG,
            east + AROUND_DEG,
            float(lat.max()) + AROUND_DEG,
        ),
        tiles=basemap.under_maps(),
    )


@blueprint.get("/<kind>/map.js")
@security.allows("review_places")
def map_script(kind: str) -> Response:
    """Serve the script of the map of one row; its address carries the digest of the text."""
    row = _row(_placed_kind(kind), request.args.get("row", ""))
    candidates = review.candidates(context.store(), kind, row["subject_id"])
    return _map(candidates, row).script_response()


def _placed_kind(kind: str) -> str:
    if kind not in PLACED_KINDS:
        raise NotFoundError(f"{kind[:40]!r} have no places. {', '.join(PLACED_KINDS)} do.")
    return kind


@blueprint.post("/<kind>/settle")
@security.allows("review_places")
def settle(kind: str) -> ResponseReturnValue:
    """Decide about a row: what the form's choice or button says; then go on to the next one."""
    subject_id = request.form.get("subject_id", "")
    verb = request.form.get("verb") or "choice"
    if verb not in VERBS:
        raise InputError(f"verb: {verb[:40]!r} is none of {', '.join(VERBS)}.")
    try:
        sentence = VERBS[verb](_placed_kind(kind), subject_id)
    except InputError as error:
        filters = _filters({**request.form, "kind": kind})
        text = request.form.get("page", "")
        page = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 1
        return _show(
            filters, max(page, 1), subject_id or None, typed=request.form, error=str(error)
        ), 400
    return redirect(url_for(".home", **_onwards(kind, subject_id, sentence, verb)), 303)


def _onwards(kind: str, subject_id: str, sentence: str, verb: str) -> dict[str, Any]:
    """Give the query of the list as it was, with the row to open now and what was done."""
    query = {name: request.form.get(name) for name in ("placement", "q", "page")}
    onward = request.form.get("after") if verb != "forget" else subject_id
    query |= {"kind": kind, "row": onward, "did": sentence, "about": subject_id}
    return {name: value for name, value in query.items() if value}


def _choice(kind: str, subject_id: str) -> str:
    """Take the candidate, the pin or the address that is chosen in the form."""
    choice = request.form.get("choice", "")
    if choice == "pin":
        return _pin(kind, subject_id)
    if choice == "address":
        return _correct(kind, subject_id)
    if not choice:
        raise InputError("Choose one of the places, drag the pin or skip.")
    review.accept(context.store(), kind, subject_id, choice, **security.on_record())
    return "accepted"


def _pin(kind: str, subject_id: str) -> str:
    lat, lon = (_degrees(name) for name in ("lat", "lon"))
    review.pin(context.store(), kind, subject_id, lon, lat, **security.on_record())
    return "pinned"


def _degrees(name: str) -> float:
    text = request.form.get(name, "").strip().replace("−", "-")
    try:
        return float(text)
    except ValueError:
        words = {"lat": "Latitude", "lon": "Longitude"}[name]
        raise InputError(f"{words}: enter degrees such as 43.0336, not {text[:40]!r}.") from None


def _correct(kind: str, subject_id: str) -> str:
    written = {name: request.form[name].strip() for name in ADDRESS if name in request.form}
    review.correct_address(context.store(), kind, subject_id, written, **security.on_record())
    return "corrected"


def _no_place(kind: str, subject_id: str) -> str:
    review.mark_no_place(context.store(), kind, subject_id, **security.on_record())
    return "no_place"


def _forget(kind: str, subject_id: str) -> str:
    review.forget(context.store(), kind, subject_id, **security.on_record())
    return "forgotten"


VERBS = {"choice": _choice, "no_place": _no_place, "forget": _forget}


@blueprint.post("/<kind>/geocode")
@security.allows("review_places")
def geocode(kind: str) -> ResponseReturnValue:
    """Have the worker ask the online geocoders that the policy names."""
    _placed_kind(kind)
    if not policy_in_force(context.store()).geocoding.online.providers:
        raise InputError("The policy in force names no online geocoder, so none is asked.")
    job_id = requests.ask(
        context.store(),
        tasks.GEOCODE,
        {"kind": kind, "by": security.person(), "name": f"places of {kind}"},
        **security.on_record(),
    )
    return redirect(url_for("job_pages.show", job_id=job_id), 303)
