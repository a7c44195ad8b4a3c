"""``territory profile``: the figures of one market."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from territory.cli.options import answer, as_json, now, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.reports import Profile

INDUSTRIES = 8  # that a terminal is shown; the rest is summed


@click.command("profile")
@click.argument("market_id", metavar="MARKET")
@as_json
@click.pass_context
def profile_command(context: click.Context, *, market_id: str, is_json: bool) -> None:
    """Say how big a market is, who is headquartered there, and how far it is worked.

    \b
    Examples:
      territory profile M-DEN
      territory profile M-DEN --json > denver.json
    """
    from territory import reports
    from territory.access import Scope

    told = reports.market_profile(
        opened(context, create=False),
        market_id,
        scope=Scope.everything(),
        day=now().date().isoformat(),
    )
    answer(told.as_json(), "\n".join(lines(told)), is_json=is_json)


def lines(told: Profile) -> Iterator[str]:
    """Write a profile for a terminal."""
    size = told.size
    yield f"{told.name} ({told.market_id}), plan {told.plan_name}"
    if size.employment is not None:
        yield (
            f"Business: {size.establishments:,.0f} establishments, {size.employment:,.0f} jobs, "
            f"${size.wages_usd:,.0f} of wages in the year."
        )
    yield f"  {size.basis}"
    yield (
        f"Headquartered here: {told.prospects:,} prospects, {told.customers:,} of them customers"
        f"{_percent(told.penetration)}, {told.whitespace or 0:,} of {told.in_money:,} without an "
        "open opportunity."
    )
    for title, frame in (
        ("status", told.by_status),
        ("segment", told.by_segment),
        ("employees", told.by_size),
    ):
        yield f"  By {title}: " + ", ".join(
            f"{group} {number:,}"
            for group, number in zip(frame["group"], frame["prospects"], strict=True)
        )
    first, rest = told.by_industry.head(INDUSTRIES), told.by_industry.iloc[INDUSTRIES:]
    listed = [f"{group} {n:,}" for group, n in zip(first["group"], first["prospects"], strict=True)]
    if len(rest):
        listed.append(f"{len(rest):,} more {rest['prospects'].sum():,}")
    yield "  By industry: " + ", ".join(listed)
    for what, found in (
        ("employees", told.employee_concentration),
        ("open pipeline", told.pipeline_concentration),
    ):
        if found:
            yield (
                f"Concentration: the {found.top} largest of {found.accounts:,} hold "
                f"{found.top_share:.0%} of all {what} (HHI {found.hhi:,.0f})."
            )
    if told.money:
        yield (
            f"Open pipeline: ${told.money.pipeline_usd:,.0f} in {told.money.deals:,} opportunities."
        )
        for row in told.money.periods.to_dict("records"):
            ratio = f" = {row['coverage']:.1f} x" if row["quota_usd"] else ""
            yield (
                f"  {row['period']}: ${row['due_usd']:,.0f} due of ${row['quota_usd']:,.0f} "
                f"quota{ratio}"
            )


def _percent(share: float | None) -> str:
    return "" if share is None else f" ({share:.0%})"
