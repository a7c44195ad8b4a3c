"""Quotas of a year: which count, and which are told apart; coverage, the one ratio of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from territory.accounts.opportunities import yearly_quotas
from territory.cleaning import PERIOD, PERIOD_REMEDY

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class YearQuotas:
    """Quotas of ``year`` in dollars, by rep_id.

    ``counted`` are those of reps with a territory of the plan; they alone stand in sums and in
    ``coverage``. ``without_territory`` are of reps of the plan who have none, ``ended`` of reps who
    are not in the plan. ``unreadable`` are periods on file that are none; ``overlapping`` the reps
    who have a quota for the year (or a quarter) and for parts of it too: the longer period counts.
    """

    year: str
    counted: pd.Series
    without_territory: pd.Series
    ended: pd.Series
    unreadable: tuple[str, ...]
    overlapping: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What does not count, and why, in sentences."""
        notes = []
        for quotas, words in (
            (self.without_territory, "without a territory"),
            (self.ended, "no longer in the plan"),
        ):
            if len(quotas):
                reps = "1 rep" if len(quotas) == 1 else f"{len(quotas):,} reps"
                notes.append(
                    f"Not counted: ${quotas.sum():,.0f} of {self.year} quota of {reps} {words}."
                )
        if self.overlapping:
            number = len(self.overlapping)
            notes.append(
                f"{number:,} {'rep has' if number == 1 else 'reps have'} quotas for {self.year} "
                "and for parts of it: the longer period counts, never both."
            )
        if self.unreadable:
            listed = ", ".join(map(repr, self.unreadable[:5]))
            more = f" and {len(self.unreadable) - 5:,} more" if len(self.unreadable) > 5 else ""
            notes.append(f"Quota periods not understood: {listed}{more}. {PERIOD_REMEDY}")
        return tuple(notes)


def year_quotas(
    quotas: pd.DataFrame, reps: pd.DataFrame, territories: pd.DataFrame, year: str
) -> YearQuotas:
    """Tell the quotas of a year apart by whether their rep has a territory of the plan.

    Parameters
    ----------
    quotas
        ``schemas.QUOTAS``.
    reps, territories
        rep_id of those of the plan.
    """
    by_rep = yearly_quotas(quotas, year)
    owns = by_rep.index.isin(territories["rep_id"].dropna())
    is_in_plan = by_rep.index.isin(reps["rep_id"])
    is_period = quotas["period"].astype(str).str.fullmatch(PERIOD.pattern)
    of_year = quotas[is_period & (quotas["period"].astype(str).str[:4] == year)]
    grains = of_year.assign(grain=_grains(of_year["period"])).groupby("rep_id")["grain"].nunique()
    return YearQuotas(
        year,
        by_rep[owns],
        by_rep[~owns & is_in_plan],
        by_rep[~owns & ~is_in_plan],
        tuple(sorted(set(quotas.loc[~is_period, "period"].astype(str)))),
        tuple(sorted(grains[grains > 1].index)),
    )


def coverage(pipeline_usd: float | None, quota_usd: float | None) -> float | None:
    """Divide the open pipeline by the quota of the year; None without a quota.

    This is the one number that pages, files and programs call coverage.
    """
    if pipeline_usd is None or not quota_usd or not quota_usd > 0:
        return None
    return float(pipeline_usd / quota_usd)


def _grains(periods: pd.Series) -> pd.Series:
    """Give "year", "quarter" or "month" of each period."""
    return periods.map(lambda period: "year" if len(period) == 4 else period[5:6] == "Q")
