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
    """Show how big a market is, who is headquartered there, and how much of it is covered.

    \b
    Examples:
      territory profile M-DEN
      territory profile M-DEN --json > denver.json
    """
    from territory import reports
    from territory.access import Scope

    profile = reports.market_profile(
        opened(context, create=False),
        market_id,
        scope=Scope.everything(),
        day=now().date().isoformat(),
    )
    answer(profile.as_json(), "\n".join(lines(profile)), is_json=is_json)


def lines(profile: Profile) -> Iterator[str]:
    """Write a profile for a terminal."""
    size = profile.size
    yield f"{profile.name} ({profile.market_id}), plan {profile.plan_name}"
    if size.employment is not None:
        yield (
            f"Business: {size.establishments:,.0f} establishments, {size.employment:,.0f} jobs, "
            f"${size.wages_usd:,.0f} of wages in the year."
        )
    yield f"  {size.basis}"
    yield (
        f"Headquartered here: {profile.prospects:,} prospects, {profile.customers:,} of them "
        f"customers{_percent(profile.penetration)}, {profile.whitespace or 0:,} of "
        f"{profile.in_money:,} without an open opportunity."
    )
    for title, frame in (
        ("status", profile.by_status),
        ("segment", profile.by_segment),
        ("employees", profile.by_size),
    ):
        yield f"  By {title}: " + ", ".join(
            f"{group} {number:,}"
            for group, number in zip(frame["group"], frame["prospects"], strict=True)
        )
    first, rest = profile.by_industry.head(INDUSTRIES), profile.by_industry.iloc[INDUSTRIES:]
    listed = [f"{group} {n:,}" for group, n in zip(first["group"], first["prospects"], strict=True)]
    if len(rest):
        listed.append(f"{len(rest):,} more {rest['prospects'].sum():,}")
    yield "  By industry: " + ", ".join(listed)
    for what, top in (
        ("employees", profile.employee_concentration),
        ("open pipeline", profile.pipeline_concentration),
    ):
        if top:
            yield (
                f"Concentration: the {top.top} largest of {top.accounts:,} hold "
                f"{top.top_share:.0%} of all {what} (HHI {top.hhi:,.0f})."
            )
    if money := profile.money:
        yield f"Open pipeline: ${money.pipeline_usd:,.0f} in {money.deals:,} opportunities."
        if money.coverage is not None:
            yield f"Coverage: {money.coverage:.1f} x the quota of the year."
        for row in money.periods.to_dict("records"):
            ratio = f" = {row['due_share']:.0%}" if row["quota_usd"] else ""
            yield (
                f"  {row['period']}: ${row['due_usd']:,.0f} due of ${row['quota_usd']:,.0f} "
                f"quota{ratio}"
            )


def _percent(share: float | None) -> str:
    return "" if share is None else f" ({share:.0%})"
