"""Gather listed companies from the package ``pytickersymbols`` and read them as prospects."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pandas as pd

from territory.cleaning import parse_employees, parse_money

from . import headquarters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

AFTER = re.compile(r"\(.*| net sales.*| Year-round.*", re.DOTALL)  # what follows the newest figure
FIELDS = ("headquarters", "employees", "revenue", "website")
SECTORS = (
    "Communication Services", "Consumer Discretionary", "Consumer Staples", "Energy", "Financials",
    "Health Care", "Industrials", "Information Technology", "Materials", "Real Estate", "Utilities",
)  # fmt: skip
LEAST_REVENUE_USD = 1e6  # a listed company with less is a slip of the pen ("US$ 0 700 Mln")
_SECTOR = {name.lower(): name for name in SECTORS} | {
    "technology": "Information Technology",
    "healthcare": "Health Care",
    "financial services": "Financials",
    "telecommunications": "Communication Services",
    "basic materials": "Materials",
}
BY_TEXT = "in the United States, by its headquarters text"
BY_LIST = "in the United States, by the list of index members (no headquarters text)"
BY_LIST_NOT_TEXT = "in the United States, by the list of index members (text names no US city)"
NO_CITY = "in the United States, but no city named: left out"
ABROAD = "not in the United States: left out"
NO_TEXT = "no headquarters text: left out"


def gather(indices: Mapping[str, Any]) -> pd.DataFrame:
    """Give every company of every index once.

    Two entries are one company when they share the encyclopedia page, or website, staff and
    revenue; without a page, the name. Where the package gives two companies one name, the title
    of the page is the name.

    Parameters
    ----------
    indices
        ``pytickersymbols.indices_data.INDICES``: index name -> companies.

    Returns
    -------
    companies
        name, listed ("City, State" from a list of index members, or ""), headquarters, employees,
        revenue, website (raw texts or None), industries (list), entries (how many were merged).
    """
    merged: dict[str, dict[str, Any]] = {}
    # The S&P lists first: they alone name a headquarters city and use one set of sectors.
    order = sorted(indices, key=lambda index: (not index.startswith("S&P"), index))
    for entry in (entry for index in order for entry in indices[index]["companies"]):
        facts = {key: str(value) for key, value in (entry.get("metadata") or {}).items()}
        page = unquote(facts.get("wikipedia_url", "")).rpartition("/")[2].replace("_", " ")
        name = re.sub(r" \(Class [A-Z]\)$", "", entry["name"])
        same = [facts.get(field, "") for field in FIELDS[1:]]
        key = " ".join(same) if all(same) else slug(page or name)
        row = merged.setdefault(key, {"name": name, "page": page, "listed": "", "entries": 0})
        row["entries"] += 1
        row.setdefault("industries", []).extend(entry.get("industries", []))
        listed = str(entry.get("country") or "").split(";")[0]
        if listed.rpartition(",")[2].strip() in headquarters.STATES:
            row["listed"] = row["listed"] or listed
        for field in FIELDS:
            row[field] = row.get(field) or facts.get(field)
    frame = pd.DataFrame(list(merged.values()), dtype=object)
    frame = frame.astype(object).where(frame.notna(), None)
    borrowed = frame["name"].duplicated(keep=False) & (frame["page"] != "")
    title = frame["page"].str.replace(r" \((?:company|corporation)\)$", "", regex=True)
    frame["name"] = frame["name"].where(~borrowed, title)
    return frame.drop(columns="page").sort_values("name", ignore_index=True)


def _first_amount(text: str | None) -> str | None:
    """Give the newest of several amounts: "US$ 1.83 billion (2023) US$1.04 billion (2022)"."""
    return AFTER.sub("", text).replace("United States dollar", "USD").strip() if text else None


def read(
    companies: pd.DataFrame, knows: Callable[[str, str], bool]
) -> tuple[pd.DataFrame, list[str]]:
    """Read headquarters, staff, revenue and sector; keep the companies in the United States.

    Returns
    -------
    prospects
        PROSPECTS columns but for the invented ones, sorted by ``prospect_id``.
    outcomes
        What became of each company, in the order given.
    """
    places, outcomes = [], []
    for text, listed in zip(companies["headquarters"], companies["listed"], strict=True):
        own = headquarters.parse(text, knows, listed) if text else None
        place = own or (headquarters.parse(f"{listed}, U.S.", knows) if listed else None)
        places.append(place)
        outcomes.append(_outcome(text, in_text=own is not None, in_list=place is not None))
    kept = [place is not None for place in places]
    here = companies[kept].reset_index(drop=True)
    frame = pd.DataFrame(
        [place for place in places if place], columns=headquarters.Headquarters._fields
    ).assign(
        prospect_id=here["name"].map(slug),
        name=here["name"],
        country="US",
        website=here["website"].map(_website),
        industry=here["industries"].map(_sector),
        employees=parse_employees(here["employees"].map(_first_amount)),
        revenue_usd=parse_money(here["revenue"].map(_first_amount)).where(
            lambda usd: usd >= LEAST_REVENUE_USD
        ),
        parent_id=None,
    )
    shared = frame["prospect_id"].duplicated(keep=False)
    frame["prospect_id"] += ("-" + frame["state"].str.lower()).where(shared, "")
    return frame.sort_values("prospect_id", ignore_index=True), outcomes


def slug(name: str) -> str:
    """Write a name as an id: "Arthur J. Gallagher & Co." is arthur-j-gallagher-co."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only.replace("'", "")).strip("-")


def _outcome(text: str | None, *, in_text: bool, in_list: bool) -> str:
    if in_text:
        return BY_TEXT
    if in_list:
        return BY_LIST_NOT_TEXT if text else BY_LIST
    if not text:
        return NO_TEXT
    return NO_CITY if re.search(r"United States|\bU\.?S\b", text) else ABROAD


def _sector(industries: list[str]) -> str | None:
    known = (_SECTOR.get(name.lower()) for name in industries)
    return next((sector for sector in known if sector), None)


def _website(text: str | None) -> str | None:
    """Take the first address of several: "www.aboutschwab.com www.schwab.com"."""
    match = re.search(r"[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}", (text or "").lower())
    return f"https://{match[0]}" if match else None
