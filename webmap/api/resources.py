"""Resources of ``/api/v1``: what the plan in force holds, as JSON; ``openapi.json`` says how.

Whoever asks, by token or by session, is told what the pages tell them and nothing more: a row out
of reach does not exist. A parameter that is not known is refused and never ignored.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request, url_for

from territory import plans, reports
from territory.errors import InputError
from territory.reports import paging
from webmap import context, formatting, security
from webmap.api import fields
from webmap.api.openapi import document
from webmap.api.parameters import (
    AN_ID,
    CHOICES,
    LONGEST,
    MOST_VALUES,
    PAGING,
    UNKNOWN,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd
    from flask.typing import ResponseReturnValue
    from werkzeug.datastructures import MultiDict

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

WHOLE = ("employees",)  # numbers that are counts, though a frame holds them as floats


@dataclass(frozen=True)
class PageRequest:
    """One page of a list: ``choices`` by column, None among the values for what is not known."""

    page: int
    per_page: int
    choices: dict[str, tuple[str | None, ...]]


@blueprint.get("/prospects")
@security.allows("see_accounts_all", "see_accounts_own", programs=True)
def prospects() -> ResponseReturnValue:
    """List the prospects of the plan in force."""
    return _list("prospects")


@blueprint.get("/markets")
@security.allows("see_sums", programs=True)
def markets() -> ResponseReturnValue:
    """List the markets of the plan in force with their counts."""
    return _list("markets")


@blueprint.get("/offices")
@security.allows("see_sums", programs=True)
def offices() -> ResponseReturnValue:
    """List our offices with the prospects that each is the nearest one of."""
    return _list("offices")


@blueprint.get("/findings")
@security.allows("see_findings", programs=True)
def findings() -> ResponseReturnValue:
    """List what is wrong with the plan in force."""
    return _list("findings")


@blueprint.get("/prospects/<prospect_id>")
@security.allows("see_accounts_all", "see_accounts_own", programs=True)
def prospect(prospect_id: str) -> ResponseReturnValue:
    """Tell all that is on file about one prospect, and why it is whose it is."""
    _read(request.args, {}, is_paged=False)
    _check_id("prospect_id", prospect_id)
    scope = dataclasses.replace(security.scope(), names_beyond=False)
    details = reports.prospect(context.store(), prospect_id, scope=scope)
    explanation = plans.explain(context.store(), prospect_id, scope=scope)
    return jsonify(
        plan_id=explanation.plan_id,
        prospect=_records(details.prospect)[0],
        contacts=formatting.records(details.contacts),
        opportunities=formatting.records(details.opportunities),
        sites=formatting.records(details.sites[list(fields.SITE)]),
        withheld=sorted(details.withheld),
        explanation={
            "sentence": explanation.sentence,
            "steps": [dataclasses.asdict(step) for step in explanation.steps],
            "effective_from": explanation.effective_from,
            "policy": explanation.policy_name,
            "policy_version": explanation.policy_version,
        },
    )


@blueprint.get("/openapi.json")
@security.allows(public=True)
def openapi() -> ResponseReturnValue:
    """Describe this interface; everybody may read how to ask."""
    return jsonify(document(request.host_url, security.cookie_name()))


@blueprint.after_request
def challenge(response: Response) -> Response:
    """Say to a program that nobody signed in how it can say who it is."""
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="territory"'
    return response


def _list(kind: str) -> Response:
    """Answer with one page of a list: ``shown`` rows of ``total``."""
    listing = _read(request.args, CHOICES[kind])
    page = paging.page(
        context.store(),
        kind,
        scope=security.scope(),
        start=(listing.page - 1) * listing.per_page,
        count=listing.per_page,
        choices=listing.choices,
    )
    pages = -(-page.total // listing.per_page)
    response = jsonify(
        plan_id=page.plan_id,
        page=listing.page,
        pages=pages,
        per_page=listing.per_page,
        shown=len(page.rows),
        total=page.total,
        items=_records(page.rows),
    )
    around = {"next": listing.page + 1, "prev": listing.page - 1, "first": 1, "last": pages}
    links = [
        f'<{_address(number)}>; rel="{name}"'
        for name, number in around.items()
        if 0 < number <= pages
    ]
    if links:
        response.headers["Link"] = ", ".join(links)
    return response


def _address(page: int) -> str:
    query: dict[str, Any] = {**request.args.to_dict(flat=False), "page": [str(page)]}
    return url_for(str(request.endpoint), _external=True, **query)


def _records(rows: pd.DataFrame) -> list[dict[str, object]]:
    """Give rows as JSON has them: whole numbers whole, lists as lists."""
    records = formatting.records(rows)
    for row in records:
        for name in WHOLE:
            if isinstance(row.get(name), float):
                row[name] = int(row[name])
        if "units" in row:
            row["units"] = str(row["units"]).split("|") if row["units"] else None
    return records


@dataclass
class _QueryReader:
    """Reads a query string and gathers what is wrong with it."""

    query: MultiDict[str, str]
    breaches: list[str] = field(default_factory=list)

    def names(self, allowed: Collection[str]) -> None:
        unknown = sorted(set(self.query) - set(allowed))
        if unknown:
            listed = ", ".join(name[:LONGEST] for name in unknown[:5])
            self.breaches.append(
                f"{listed}: no such parameter; there are {', '.join(allowed) or 'none'}"
            )

    def whole(self, name: str, most: int, default: int) -> int:
        texts = self.query.getlist(name)
        if not texts:
            return default
        text = texts[0]
        is_number = text.isascii() and text.isdigit() and text[0] != "0"
        if len(texts) == 1 and is_number and int(text[:12]) <= most:
            return int(text)
        self.breaches.append(
            f"{name}: {', '.join(texts)[:LONGEST]!r} is not one whole number from 1 to {most:,}"
        )
        return default

    def choice(self, name: str, offered: tuple[str, ...] | None) -> tuple[str | None, ...]:
        texts = self.query.getlist(name)
        wrong = [value for value in texts if not _is_one_of(value, offered)]
        if wrong:
            allowed = ", ".join((*offered, UNKNOWN)) if offered else "an id"
            self.breaches.append(f"{name}: {', '.join(wrong)[:LONGEST]!r} is not {allowed}")
        if len(texts) > MOST_VALUES:
            self.breaches.append(f"{name}: {len(texts)} values; at most {MOST_VALUES} can be given")
        return tuple(None if value == UNKNOWN else value for value in dict.fromkeys(texts))


def _is_one_of(value: str, offered: tuple[str, ...] | None) -> bool:
    if offered is not None:
        return value in (*offered, UNKNOWN)
    return re.fullmatch(AN_ID, value) is not None


def _read(
    query: MultiDict[str, str],
    choices: dict[str, tuple[str, tuple[str, ...] | None]],
    *,
    is_paged: bool = True,
) -> PageRequest:
    """Read a query string.

    Raises
    ------
    InputError
        Naming everything that cannot be followed, all at once.
    """
    reader = _QueryReader(query)
    reader.names((*(PAGING if is_paged else ()), *choices))
    values = {
        column: reader.choice(name, offered)
        for name, (column, offered) in choices.items()
        if name in query
    }
    page, per_page = (
        reader.whole(name, most, default) for name, (_, most, default) in PAGING.items()
    )
    if reader.breaches:
        raise InputError("; ".join(reader.breaches) + ".")
    return PageRequest(page, per_page, values)


def _check_id(name: str, value: str) -> None:
    if not _is_one_of(value, None):
        raise InputError(f"{name}: an id has 1 to {LONGEST} characters and none that controls.")
