"""Schemas: the column contract of every frame that crosses a module.

A frame is checked where it enters the library, not at every step:
``check(frame, OFFICES, "offices.csv")``.
Ids and codes are text and keep their leading zeros; missing text is null, never ""; coordinates are
WGS84 degrees; a name that ends in ``_m`` is metres, in ``_usd`` US dollars.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from territory.errors import ColumnError
from territory.policy import RULES, SEGMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable

STATUSES = ("prospect", "customer", "former", "disqualified")
PRECISIONS = ("rooftop", "street", "postal", "place", "region")
VERDICTS = ("in", "out", "too_close_to_call")
PLACEMENTS = ("placed", "approximate", "ambiguous", "conflict", "unplaced")
BUCKETS = (*PLACEMENTS, "duplicate", "refused")
OUTCOMES = ("open", "won", "lost")
CHANGES = ("new", "updated", "unchanged")
MARKET_KINDS = ("metro_area", "county", "state", "zip_code", "polygon")
UNASSIGNED = "unassigned"
ANY_SEGMENT = "any"
SEVERITIES = ("error", "warning", "note")
# within_radius + too_close + beyond_radius = placed, wherever there is an office.
COUNTS = (
    "prospects", "placed", "enterprise", "mid_market", "customers", "within_radius", "too_close",
    "beyond_radius", "unassigned",
)  # fmt: skip


def _text(
    *, required: bool = False, unique: bool = False, allowed: Iterable[str] = ()
) -> pa.Column:
    checks = [pa.Check.isin(list(allowed))] if allowed else []
    return pa.Column(object, checks, nullable=not required, unique=unique, coerce=True)


def _number(low: float | None = None, high: float | None = None) -> pa.Column:
    checks = []
    if low is not None:
        checks.append(pa.Check.ge(low))
    if high is not None:
        checks.append(pa.Check.le(high))
    return pa.Column(float, checks, nullable=True, coerce=True)


def _date() -> pa.Column:
    """A calendar day as ISO text; dates compare and store the same everywhere."""
    return pa.Column(
        object, [pa.Check.str_matches(r"^\d{4}-\d\d-\d\d$")], nullable=True, coerce=True
    )


LON, LAT = _number(-180, 180), _number(-90, 90)
ADDRESS = {name: _text() for name in ("street", "city", "state", "postal_code", "country")}

OFFICES = pa.DataFrameSchema(
    {
        "office_id": _text(required=True, unique=True),
        "name": _text(required=True),
        **ADDRESS,
        "lat": LAT,
        "lon": LON,
        "opened_on": _date(),
        "closed_on": _date(),
    },
    name="offices",
)

# A company as the CRM has it: lat and lon are what the file gave, if anything.
PROSPECTS = pa.DataFrameSchema(
    {
        "prospect_id": _text(required=True, unique=True),
        "name": _text(required=True),
        "status": _text(required=True, allowed=STATUSES),
        **ADDRESS,
        "lat": LAT,
        "lon": LON,
        "website": _text(),
        "industry": _text(),
        "employees": _number(0),
        "revenue_usd": _number(),
        "parent_id": _text(),
        "owner_rep_id": _text(),  # who works it in the CRM today; keeps a retained customer
    },
    name="prospects",
)

# What geocoding adds, in the order given. No location: lon, lat, precision, uncertainty_m are null
# and geocode_note says why. match_score is how sure an online provider says it is, 0 to 1, null
# where it does not say. placement is how far the location can be relied on: "placed" to the street
# or better, "approximate" to a ZIP code or a place, "ambiguous" where several places answer and
# none was taken, "conflict" where the coordinates given contradict the address, else "unplaced".
GEOCODE = pa.DataFrameSchema(
    {
        "lon": LON,
        "lat": LAT,
        "precision": _text(allowed=PRECISIONS),
        "uncertainty_m": _number(0),
        "geocode_source": _text(),
        "geocode_note": _text(),
        "match_score": _number(0, 1),
        "placement": _text(allowed=PLACEMENTS),
    },
    name="geocodes",
)

SITES = pa.DataFrameSchema(
    {
        "site_id": _text(required=True, unique=True),
        "prospect_id": _text(required=True),
        "name": _text(),
        **ADDRESS,
        "lat": LAT,
        "lon": LON,
    },
    name="sites",
)

CONTACTS = pa.DataFrameSchema(
    {
        "contact_id": _text(required=True, unique=True),
        "prospect_id": _text(required=True),
        "name": _text(required=True),
        "title": _text(),
        "email": _text(),
        "phone": _text(),
    },
    name="contacts",
)

OPPORTUNITIES = pa.DataFrameSchema(
    {
        "opportunity_id": _text(required=True, unique=True),
        "prospect_id": _text(required=True),
        "name": _text(),
        "stage": _text(required=True),
        "amount_usd": _number(0),
        "close_on": _date(),
        "last_activity_on": _date(),
        "outcome": _text(allowed=OUTCOMES),  # what the file said of it; null: its stage says it
    },
    name="opportunities",
)

REPS = pa.DataFrameSchema(
    {
        "rep_id": _text(required=True, unique=True),
        "name": _text(required=True),
        "email": _text(),
        "base_office_id": _text(),
    },
    name="reps",
)

QUOTAS = pa.DataFrameSchema(
    {
        "rep_id": _text(required=True),
        "period": _text(required=True),  # 2026, 2026-Q4 or 2026-11: cleaning.read_periods
        "amount_usd": _number(0),
    },
    unique=["rep_id", "period"],
    name="quotas",
)

# A market is a name and the units it is made of; a polygon market has its geometry instead.
MARKETS = pa.DataFrameSchema(
    {
        "market_id": _text(required=True, unique=True),
        "name": _text(required=True),
        "kind": _text(required=True, allowed=MARKET_KINDS),
        "units": _text(),  # unit codes joined by "|"; null for a polygon
    },
    name="markets",
)

# One row per market and segment that a territory covers.
TERRITORIES = pa.DataFrameSchema(
    {
        "territory_id": _text(required=True),
        "name": _text(required=True),
        "rep_id": _text(),
        "market_id": _text(required=True),
        "segment": _text(required=True, allowed=(*SEGMENTS, ANY_SEGMENT)),
    },
    unique=["territory_id", "market_id", "segment"],
    name="territories",
)

NAMED_ACCOUNTS = pa.DataFrameSchema(
    {
        "prospect_id": _text(required=True, unique=True),
        "territory_id": _text(required=True),
    },
    name="named_accounts",
)

# One row per prospect, always: rule "unassigned" where no rule answered.
ASSIGNMENTS = pa.DataFrameSchema(
    {
        "prospect_id": _text(required=True, unique=True),
        "segment": _text(required=True, allowed=SEGMENTS),
        "market_id": _text(),
        "territory_id": _text(),
        "rep_id": _text(),
        "rule": _text(required=True, allowed=(*RULES, UNASSIGNED)),
        "reason": _text(required=True),  # one sentence: what won, or why nothing did
        "nearest_office_id": _text(),
        "distance_m": _number(0),
        "verdict": _text(allowed=VERDICTS),  # null: no location
    },
    name="assignments",
)

FINDINGS = pa.DataFrameSchema(
    {
        "code": _text(required=True),  # outside_every_market, two_markets, ...
        "severity": _text(required=True, allowed=SEVERITIES),
        "subject_kind": _text(required=True),  # prospect, market, rep, territory, office
        "subject_id": _text(required=True),
        "message": _text(required=True),
        "remedy": _text(required=True),
    },
    name="findings",
)


def check(frame: pd.DataFrame, schema: pa.DataFrameSchema, where: str) -> pd.DataFrame:
    """Return ``frame`` with the columns of ``schema`` first, of the types it says.

    Optional columns that are missing are added as null; columns the schema does not know are kept.

    Raises
    ------
    ColumnError
        Naming every missing column and, per broken rule, up to five rows by position from 1, with
        their values and the number of rows in all.
    """
    needed = [name for name, column in schema.columns.items() if not column.nullable]
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        raise ColumnError(
            f"{where}: missing {', '.join(map(repr, missing))}; the file has "
            f"{', '.join(map(repr, frame.columns))}. Rename a column or add it."
        )
    blank = {name: None for name in schema.columns if name not in frame.columns}
    whole = frame.assign(**blank).reset_index(drop=True)
    whole = whole[[*schema.columns, *(name for name in frame if name not in schema.columns)]]
    for name, column in schema.columns.items():
        if str(column.dtype) != "float64":
            whole[name] = whole[name].astype(object).where(whole[name].notna(), None)
    try:
        valid: pd.DataFrame = schema.validate(whole, lazy=True)
    except SchemaErrors as error:
        raise ColumnError(f"{where}: {_breaches(error.failure_cases)}.") from None
    return valid


def _breaches(cases: pd.DataFrame) -> str:
    """Tell every broken rule with its first rows, in one line."""
    messages = []
    for (column, rule), group in cases.groupby(["column", "check"], dropna=False, sort=False):
        rows = [
            f"row {int(index) + 1}: {case!r}" if pd.notna(index) else repr(case)
            for index, case in zip(group["index"].head(), group["failure_case"].head(), strict=True)
        ]
        more = f" and {len(group) - 5:,} more" if len(group) > 5 else ""
        messages.append(f"{column!r} breaks {rule}: {', '.join(rows)}{more}")
    return "; ".join(messages)
