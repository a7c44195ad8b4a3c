"""Profile of a market: its size, who is headquartered there, pipeline against quota."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template

from territory import reports
from territory.labels import NO_BREAK, SEGMENT, money
from territory.labels import number as labels_number
from territory.markets import SHARE_SOURCE, SOURCE
from webmap import context, formatting, security
from webmap.pages import layout
from webmap.prospects import charts

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from flask.typing import ResponseReturnValue
    from markupsafe import Markup

    from territory.reports import Concentration

blueprint = Blueprint("profile", __name__)

COUNTIES = 10  # that the page lists by themselves; the rest is one row
INDUSTRIES = 10
REPS = 12  # with pipeline or quota that the chart shows; the table has them all


@dataclass(frozen=True)
class ProfilePage:
    """A profile with the rows and charts that its pages show.

    ``counties`` and ``industries`` end in a row that sums up the rest, its name None and ``more``
    how many it is of. ``charts`` are by name; a chart that would be empty is not there.
    """

    figures: reports.Profile
    counties: list[dict[str, Any]]
    industries: list[dict[str, Any]]
    statuses: list[dict[str, Any]]
    segments: list[dict[str, Any]]
    sizes: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    top_accounts: list[dict[str, Any]]
    periods: list[dict[str, Any]]
    by_rep: list[dict[str, Any]]
    charts: dict[str, Markup]
    source: str = SOURCE
    share_source: str = SHARE_SOURCE


@blueprint.get("/markets/<market_id>/profile")
@security.allows("see_sums")
def page(market_id: str) -> ResponseReturnValue:
    """Show the profile of one market, each chart beside its table."""
    return render_template("prospects/profile.html", place="ops.home", profile=of(market_id))


def of(market_id: str) -> ProfilePage:
    """Give the profile of a market as far as whoever asks may see it; kept until data change."""
    today = context.settings().today().isoformat()
    return layout.cached(
        ("profile", market_id, today),
        lambda: profile_page(
            reports.market_profile(context.store(), market_id, scope=security.scope(), day=today)
        ),
        tables=reports.SUM_TABLES,
    )


def profile_page(figures: reports.Profile) -> ProfilePage:
    """Prepare rows and charts of a profile."""
    rows: dict[str, Any] = {
        "counties": _cut(
            figures.size.counties, COUNTIES, ("establishments", "employment", "wages_usd")
        ),
        "industries": _cut(figures.by_industry, INDUSTRIES, ("prospects", "customers", "share")),
        "statuses": formatting.records(figures.by_status),
        "segments": formatting.records(figures.by_segment),
        "sizes": formatting.records(figures.by_size),
        "steps": _steps(figures.employee_concentration, figures.pipeline_concentration),
        "top_accounts": formatting.records(figures.top_accounts),
        "periods": formatting.records(figures.money.periods) if figures.money else [],
        "by_rep": formatting.records(figures.money.by_rep) if figures.money else [],
    }
    drawings = dict(_size_charts(rows))
    if figures.prospects:
        drawings |= _group_charts(rows)
    if figures.money:
        drawings |= _money_charts(rows)
    return ProfilePage(figures, **rows, charts=drawings)


def _size_charts(rows: dict[str, list[dict[str, Any]]]) -> Iterator[tuple[str, Markup]]:
    """Draw the counties and the concentration."""
    counties = [one for one in _each(rows["counties"]) if one["employment"]]
    if counties:
        jobs = [one["employment"] for one in counties]
        names = [one["name"] for one in counties]
        yield "counties", charts.bars(names, [("Jobs", jobs)], as_text=_short)
    steps = rows["steps"]
    series = [
        (name, [one[key] for one in steps])
        for name, key in (("Employees", "employees"), ("Open pipeline", "pipeline"))
        if any(one[key] is not None for one in steps)
    ]
    if len(steps) > 1:
        labels = [labels_number(one["accounts"]) for one in steps]
        yield "steps", charts.lines(labels, series, as_text=_percent)


def _group_charts(rows: dict[str, list[dict[str, Any]]]) -> dict[str, Markup]:
    """Draw the prospects of groups, customers apart."""
    words = {
        "segments": SEGMENT.__getitem__,
        "sizes": formatting.size,
        "industries": formatting.industry,
    }
    return {
        name: charts.bars(
            [called(one["group"]) for one in _each(rows[name])],
            [
                ("Customers", [one["customers"] for one in _each(rows[name])]),
                ("Others", [one["prospects"] - one["customers"] for one in _each(rows[name])]),
            ],
            as_text=_short,
            is_stacked=True,
        )
        for name, called in words.items()
    }


def _money_charts(rows: dict[str, list[dict[str, Any]]]) -> Iterator[tuple[str, Markup]]:
    """Draw what is due against quota, and each rep's pipeline beside the quota."""
    periods = rows["periods"]
    if any(one["quota_usd"] for one in periods):
        labels, ratios = ([one[key] for one in periods] for key in ("period", "due_share"))
        yield (
            "periods",
            charts.bars(labels, [("Due", ratios)], as_text=_percent),
        )
    reps = [one for one in rows["by_rep"] if one["pipeline_usd"] or one["quota_year_usd"]][:REPS]
    if reps:
        yield (
            "by_rep",
            charts.bars(
                [one["rep_name"] or one["rep_id"] or formatting.NOBODY for one in reps],
                [
                    ("Open pipeline", [one["pipeline_usd"] for one in reps]),
                    ("Quota", [one["quota_year_usd"] for one in reps]),
                ],
                as_text=money,
            ),
        )


def _each(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the row that sums up the rest."""
    return [one for one in rows if not one.get("more")]


def _cut(frame: pd.DataFrame, most: int, summed: tuple[str, ...]) -> list[dict[str, Any]]:
    """Give the first rows, and in one more the sums of the others."""
    most += len(frame) == most + 1  # a sum of one row would hide its name and save nothing
    rows = formatting.records(frame.head(most))
    rest = frame.iloc[most:]
    if len(rest):
        blank: dict[str, Any] = dict.fromkeys(frame.columns)
        sums = {str(name): value for name, value in rest[list(summed)].sum().items()}
        rows.append(blank | sums | {"more": len(rest)})
    return rows


def _steps(employees: Concentration | None, pipeline: Concentration | None) -> list[dict[str, Any]]:
    """Set side by side what so many of the largest accounts hold; all of them, all of it."""
    both = {"employees": employees, "pipeline": pipeline}
    concentrations = {name: one for name, one in both.items() if one}
    most = max((one.accounts for one in concentrations.values()), default=0)
    shares = {name: dict(one.steps) for name, one in concentrations.items()}
    numbers = {number for steps in shares.values() for number in steps}
    ends = {one.accounts for one in concentrations.values()} - {most}
    return [
        {"accounts": number, "employees": None, "pipeline": None}
        | {
            name: steps.get(number, 1.0 if number >= concentrations[name].accounts else None)
            for name, steps in shares.items()
        }
        for number in sorted(numbers - ends)
    ]


def _percent(value: float) -> str:
    """Write a share (0 to 1) on an axis: 25 %."""
    return f"{100 * value:g}{NO_BREAK}%"


def _short(value: float) -> str:
    """Write a count at the length of an axis: 950, 1.2 M."""
    for size, word in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g} {word}"
    return f"{value:g}"
