"""What a list of prospects is asked to show: words, choices, order and page, from the query string.

The page, its map, the JSON and the CSV all read the same query string through ``Filters``, so they
show the same prospects.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from territory.errors import InputError
from territory.policy import SEGMENTS
from territory.schemas import STATUSES, VERDICTS

if TYPE_CHECKING:
    import pandas as pd
    from werkzeug.datastructures import MultiDict

PAGE_ROWS = 50
CHOICES = {"status": STATUSES, "segment": SEGMENTS, "verdict": VERDICTS}
SEARCHED = ("name", "city", "state", "industry", "rep_name", "prospect_id")
# What a list may be sorted by: the name in the address -> the column. "-" before it turns it round.
SORTS = {
    "name": "name",
    "segment": "segment",
    "status": "status",
    "miles": "distance_mi",
    "employees": "employees",
    "stage": "stage",
    "pipeline": "pipeline_usd",
    "touched": "last_activity_on",
    "rep": "rep_name",
}
SORT_WORDS = {
    "name": "by company",
    "segment": "by segment",
    "status": "by status",
    "miles": "nearest to an office first",
    "employees": "fewest employees first",
    "stage": "by stage",
    "pipeline": "smallest pipeline first",
    "touched": "longest untouched first",
    "rep": "by rep",
    "-miles": "farthest from an office first",
    "-employees": "most employees first",
    "-pipeline": "largest pipeline first",
    "-touched": "last touched first",
}
LONGEST_TEXT = 200


def order_words(sort: str) -> str:
    """Say how a list is sorted."""
    return SORT_WORDS.get(sort) or SORT_WORDS[sort.removeprefix("-")] + ", turned round"


@dataclass(frozen=True)
class Filters:
    """One reading of a query string. An empty choice lets everything through."""

    text: str = ""
    status: tuple[str, ...] = ()
    segment: tuple[str, ...] = ()
    verdict: tuple[str, ...] = ()
    sort: str = "miles"
    page: int = 1

    @classmethod
    def read(cls, query: MultiDict[str, str]) -> Filters:
        """Read a query string.

        Raises
        ------
        InputError
            Naming every value that is no choice, and the choices there are.
        """
        breaches = []
        chosen = {name: tuple(dict.fromkeys(filter(None, query.getlist(name)))) for name in CHOICES}
        for name, values in chosen.items():
            wrong = [value for value in values if value not in CHOICES[name]]
            if wrong:
                breaches.append(
                    f"{name}: {', '.join(wrong)[:LONGEST_TEXT]} is none of "
                    f"{', '.join(CHOICES[name])}"
                )
        sort, page = query.get("sort", "miles"), query.get("page", "1")
        if sort.removeprefix("-") not in SORTS:
            breaches.append(f"sort: {sort[:LONGEST_TEXT]} is none of {', '.join(SORTS)}")
        if not (page.isascii() and page.isdigit() and 0 < int(page[:9]) < 10**8):
            breaches.append(f"page: {page[:LONGEST_TEXT]} is no page; pages count from 1")
        text = " ".join(query.get("q", "").split())
        if len(text) > LONGEST_TEXT:
            breaches.append(f"q: {len(text):,} characters; at most {LONGEST_TEXT} are searched for")
        if breaches:
            raise InputError("; ".join(breaches) + ".")
        return cls(text, **chosen, sort=sort, page=int(page))

    @property
    def active(self) -> dict[str, Any]:
        """Name what narrows the list, in the order it stands on the page."""
        every = {"text": self.text, **{name: getattr(self, name) for name in CHOICES}}
        return {name: value for name, value in every.items() if value}

    def without(self, name: str) -> Filters:
        """Take one filter away."""
        return dataclasses.replace(self, **{name: "" if name == "text" else ()})

    def query(self, **changes: Any) -> dict[str, Any]:
        """Give the query string of this view with changes; what is the default is left out."""
        other = dataclasses.replace(self, **changes)
        first = Filters()
        return {
            {"text": "q"}.get(item.name, item.name): getattr(other, item.name)
            for item in dataclasses.fields(other)
            if getattr(other, item.name) != getattr(first, item.name)
        }

    def mask(self, prospects: pd.DataFrame) -> pd.Series:
        """Tell for each prospect whether it passes every filter."""
        passes = prospects["prospect_id"].notna()
        for word in self.text.casefold().split():
            hit = ~passes
            for column in SEARCHED:
                texts = prospects[column].astype("str").str.casefold()
                hit |= texts.str.contains(word, regex=False, na=False)
            passes &= hit
        for name in CHOICES:
            if chosen := getattr(self, name):
                passes &= prospects[name].isin(chosen)
        return passes

    def select(self, prospects: pd.DataFrame) -> pd.DataFrame:
        """Keep the prospects that pass, in the order asked for; what is not known stands last."""
        column, falling = SORTS[self.sort.removeprefix("-")], self.sort.startswith("-")
        kept = prospects[self.mask(prospects)]
        return kept.sort_values(
            [column, "name", "prospect_id"],
            ascending=[not falling, True, True],
            na_position="last",
            key=_ignore_case,
        )

    def counts(self, prospects: pd.DataFrame) -> dict[str, dict[str, int]]:
        """Count each choice among what the *other* filters let through."""
        found = {}
        for name, choices in CHOICES.items():
            others = prospects.loc[self.without(name).mask(prospects), name].value_counts()
            found[name] = {choice: int(others.get(choice, 0)) for choice in choices}
        return found

    def costliest(self, prospects: pd.DataFrame) -> tuple[str, int] | None:
        """Name the filter whose removal shows the most, and how many that would be."""
        gains = {name: int(self.without(name).mask(prospects).sum()) for name in self.active}
        best = max(gains, key=lambda name: gains[name], default=None)
        return (best, gains[best]) if best and gains[best] else None


def _ignore_case(column: pd.Series) -> pd.Series:
    return column if column.dtype.kind in "fiub" else column.astype("str").str.casefold()
